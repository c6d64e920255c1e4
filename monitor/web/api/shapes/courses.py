"""What the API answers about the course of a record: status, dates, outcomes, deadlines."""

from datetime import date

from msgspec import Struct

from snapshots.deadlines import Finding
from snapshots.timeline import EnrollmentPoint, Period, SitesPoint
from snapshots.timeline.outcomes import OutcomeEvent
from snapshots.timeline.slips import DateMove
from snapshots.trial import PartialDate


class Missing(Struct):
    """A version that the registry lists and that could not be had."""

    registry_version: int
    date: str


class Course(Struct, kw_only=True):
    """A record, counted as of a day; which versions are known to be missing. `past_is_whole` false: not all that it
    ever said is known here, `past` says why.
    """

    registry: str
    id: str
    title: str
    url: str
    as_of: date
    past_is_whole: bool
    past: str | None
    versions: int
    missing: list[Missing]
    pruned: list[str] = []


class Move(DateMove, frozen=True, kw_only=True):
    """A move of a date, in a sentence. `adds_up` false: from here on the steps add up to something else than the total,
    because a date names no day and is counted by its month.
    """

    summary: str
    adds_up: bool


class Slip(Struct, kw_only=True):
    """One of the dates of a record: its first plan and every move of it; `answer` says in a phrase how often."""

    date: str
    first: PartialDate | None
    first_on: str | None
    first_is_plan: bool
    from_registration: bool
    latest: PartialDate | None
    moves: list[Move]
    delays: int
    total_days: int | None
    answer: str


class Timeline(Course, kw_only=True):
    """Status periods, participants, sites and dates over time."""

    periods: list[Period]
    days_by_status: dict[str, int]
    enrollment: list[EnrollmentPoint]
    sites: list[SitesPoint]
    slips: list[Slip]


class SlipsOf(Course, kw_only=True):
    """How often the dates were moved, and by how much in all."""

    slips: list[Slip]


class Life(Struct, kw_only=True):
    """What became of an outcome."""

    level: str
    first_level: str
    measure: str | None
    first_measure: str | None
    time_frame: str | None
    since: str
    since_known: bool
    until: str | None
    events: list[OutcomeEvent]
    switched: bool


class OutcomesOf(Course, kw_only=True):
    """The lives of all outcomes."""

    outcomes: list[Life]


class Compliance(Course, kw_only=True):
    """Deadlines of law and custom, computed here, each with its rule. Whether a law applies to the study is guessed
    from the record alone: `applies` says what it suggests.
    """

    computed: bool
    findings: list[Finding]
