"""What the API answers and takes, as types: the OpenAPI document is built from them, and tests hold answers to them."""

from datetime import date, datetime
from typing import Annotated, Any, Literal

from msgspec import UNSET, Meta, Struct, UnsetType

from notifiers.calendar import Quiet
from notifiers.conditions import Conditions
from notifiers.explaining import Check
from notifiers.subscriptions import Selection, Timing
from notifiers.why import Told
from snapshots.deadlines import Finding
from snapshots.timeline import EnrollmentPoint, Period, SitesPoint
from snapshots.timeline.outcomes import OutcomeEvent
from snapshots.timeline.slips import DateMove
from snapshots.trial import PartialDate

Json = Any
Name = Annotated[str, Meta(min_length=1, max_length=200)]
Text = Annotated[str, Meta(max_length=2000)]
ChangeNumber = Annotated[int, Meta(ge=1, le=2**31 - 1)]
Severity = Literal["critical", "major", "minor", "admin"]
DeliveryState = Literal["pending", "held", "sending", "delivered", "failed", "cancelled"]


class Problem(Struct):
    """What is wrong, and what to do about it (RFC 9457). `instance` is the id under which the log knows the request."""

    type: str
    title: str
    status: int
    instance: str
    detail: str | None = None


# --- records ----------------------------------------------------------------------------------------------------------


class RecordName(Struct):
    """Which record something is about, and where a person reads it."""

    registry: str
    id: str
    title: str
    url: str


class ListedRecord(RecordName):
    """A record that is stored. `missing_since`: the release since which the registry does not answer for it."""

    former_ids: list[str]
    first_seen_at: datetime
    version: int | None
    missing_since: str | None


class Day(Struct):
    """What is to be said of the day that was asked for: which answer it is, and how sure."""

    asked: str
    answer: str
    sentence: str
    dated_by: str | None
    date: str | None
    last_shown: int | None
    confirmed: str | None
    next_look: str | None
    or_version: int | None


class Version(Struct):
    """A stored version: its dates, size and hash. Where its bytes were taken away, when and by whom."""

    version: int
    id: str
    source: str
    release: str | None
    registry_date: str | None
    registry_version: int | None
    observed_at: datetime
    size: int
    sha256: str
    pruned_at: datetime | None
    pruned_by: str | None


class StoredRecord(Struct, omit_defaults=True):
    """A version, and in `record` what the registry sent, as it sent it. `as_of` where a day was asked for; where
    nothing is known of that day, `version` and `record` are null.
    """

    version: int | None
    record: dict[str, Json] | None
    registry: str = ""
    id: str = ""
    title: str = ""
    url: str = ""
    release: str | None = None
    registry_date: str | None = None
    observed_at: str = ""
    sha256: str = ""
    as_of: Day | None = None


class Because(Struct):
    """The change that another one follows from."""

    kind: str
    name: str | None
    path: str | None


class Change(Struct):
    """A change in one sentence, with the values. `subject` is null for the record itself, else has type and name."""

    kind: str
    severity: Severity
    label: str
    summary: str
    subject: dict[str, Json] | None
    before: Json
    after: Json
    path: str | None
    cause: Because | None


class StoredChange(Change, kw_only=True):
    """A change as it is stored: its id never changes. `release` is the registry's data date."""

    id: int
    record: RecordName | None
    from_version: int | None
    to_version: int | None
    release: str | None
    observed_at: datetime


class NewChange(StoredChange, kw_only=True):
    """A stored change with its family; `origin` is observed, back-filled, search or registry."""

    family: str
    origin: str


class HistoryChange(NewChange, kw_only=True):
    """A change in its record's history, with its day. `covered`: finer steps tell it too, sums leave it out."""

    date: str
    dated_by: str
    covered: bool
    pruned: list[str] = []


class Missing(Struct):
    """A version that the registry lists and that could not be had."""

    registry_version: int
    date: str


class Course(Struct, kw_only=True):
    """A record, counted as of a day; which versions are known to be missing."""

    registry: str
    id: str
    title: str
    url: str
    as_of: date
    versions: int
    missing: list[Missing]
    pruned: list[str] = []


class Move(DateMove, frozen=True, kw_only=True):
    """A move of a date, in a sentence."""

    summary: str


class Slip(Struct, kw_only=True):
    """One of the dates of a record: its first plan and every move of it."""

    date: str
    first: PartialDate | None
    first_on: str | None
    first_is_plan: bool
    from_registration: bool
    latest: PartialDate | None
    moves: list[Move]
    delays: int
    total_days: int | None


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
    """Deadlines of law and custom, computed here, each with its rule."""

    computed: bool
    findings: list[Finding]


# --- what is watched --------------------------------------------------------------------------------------------------


class Watch(Struct):
    """One thing that is watched, a record by its id or a saved search, and how it stands."""

    id: str | None
    search: dict[str, str] | None
    name: str | None
    group: str | None
    note: str | None
    state: Literal["watched", "waiting", "paused", "snoozed"]
    rest: str | None
    title: str | None
    finds: int | None
    found_ever: int | None
    release: str | None
    confirmed_at: datetime | None
    trouble: str | None
    created_at: datetime


class NewWatches(Struct, forbid_unknown_fields=True):
    """Records by their ids (or addresses at the registry), or one saved search, which needs a name."""

    ids: Annotated[list[Name], Meta(max_length=5000)] = []
    search: dict[Name, Name] | None = None
    name: Name | None = None
    group: Name | None = None
    note: Text | None = None


class WatchFile(Struct, forbid_unknown_fields=True):
    """Text with one id a line, or a CSV with ids in its first column."""

    text: Annotated[str, Meta(max_length=200_000)]
    group: Name | None = None


class Added(Struct):
    """What is watched now that was not, and what was already."""

    added: list[str]
    already: list[str]


class WatchWords(Struct, forbid_unknown_fields=True, omit_defaults=True):
    """What is to be changed of a watch; what is left out stays, null takes it away."""

    group: Name | UnsetType | None = UNSET
    note: Text | UnsetType | None = UNSET


class Silencing(Struct, forbid_unknown_fields=True):
    """Who says so, and why."""

    by: Name | None = None
    reason: Text | None = None


class Snoozing(Silencing, forbid_unknown_fields=True):
    """Until when nothing is told: a time, the next critical change, or whichever is first."""

    until: datetime | None = None
    until_critical: bool = False


class Query(Struct, forbid_unknown_fields=True):
    """A search in the registry's own parameters."""

    search: dict[Name, Name]


class Hits(Struct):
    """How many records a search finds, up to 1,000 (`is_all` false: more), and the first of them."""

    hits: int
    is_all: bool
    first: list[str]


# --- who is told ------------------------------------------------------------------------------------------------------


class Wanted(Struct, forbid_unknown_fields=True, omit_defaults=True):
    """What a subscription asks for, under the keys of the watchlist file."""

    to: Annotated[list[Name], Meta(min_length=1, max_length=50)]
    watches: Literal["all"] | Selection = "all"
    when: Conditions = Conditions()
    deliver: Literal["immediately"] | Timing = "immediately"
    severity: dict[str, str] = {}
    quiet: Quiet | None = None
    max_per_hour: Annotated[int, Meta(ge=1, le=100_000)] | None = None


class NewSubscription(Wanted, forbid_unknown_fields=True, omit_defaults=True, kw_only=True):
    """A subscription, with its name."""

    name: Name


class Subscription(Struct, omit_defaults=True, kw_only=True):
    """A subscription under the keys of the watchlist file, when it began and when its digests are due."""

    name: str
    to: list[str]
    watches: Literal["all"] | Selection = "all"
    when: Conditions = Conditions()
    deliver: Literal["immediately"] | Timing = "immediately"
    severity: dict[str, str] = {}
    quiet: Quiet | None = None
    max_per_hour: int | None = None
    snooze_until: datetime | None = None
    snooze_until_critical: bool = False
    templates: str | None = None
    paused: bool = False
    silenced_by: str | None = None
    silence_reason: str | None = None
    created_at: datetime | None
    next_digest_at: datetime | None
    last_digest_at: datetime | None


class Saved(Struct):
    """What is kept, and the secrets that were made for web addresses told for the first time: shown only now."""

    subscription: Subscription
    secrets: dict[str, str]
    notes: list[str]


class Alert(Struct):
    """One message that would have been sent."""

    date: str
    step: int
    cause: str
    changes: list[StoredChange]


class Backtest(Struct):
    """What a subscription would have told since a day, from what is stored."""

    subscription: str
    since: str
    known_since: str | None
    trials: int
    steps: int
    alerts: list[Alert]


class StandingSite(Struct):
    """A site that recruits."""

    id: str
    title: str
    facility: str | None
    city: str | None
    state: str | None
    country: str | None


class Standing(Struct):
    """How things stand today for a subscription: which sites recruit already."""

    sentence: str
    trials: int
    recruiting: int
    sites: list[StandingSite]


class Foreseen(Struct):
    """What a subscription would tell, before it is kept."""

    standing: Standing
    backtest: Backtest


class Why(Struct):
    """Why a subscription wants a change or does not, check by check, and what the ledger says was told of it."""

    subscription: str
    change: StoredChange
    wanted: bool
    checks: list[Check]
    when: list[str]
    told: list[Told]


class Address(Struct):
    """A place to tell. Where it stands after an Apprise scheme, all of it but that is masked."""

    id: int
    uri: str
    state: Literal["on", "off"]
    state_reason: str | None
    state_since: datetime | None
    owner: str | None
    last_success_at: datetime | None
    secrets_in_force: int


class AddressWords(Struct, forbid_unknown_fields=True, omit_defaults=True):
    """What is to be changed of an address; what is left out stays. Switched off needs a reason."""

    state: Literal["on", "off"] | None = None
    reason: Text = "switched off by hand"
    owner: Name | UnsetType | None = UNSET


class Rotating(Struct, forbid_unknown_fields=True):
    """How many hours the former secret signs beside the new one; `force`: also while an earlier change is under way."""

    hours: Annotated[float, Meta(ge=0, le=720)] = 24.0
    force: bool = False


class Secret(Struct):
    """The new secret, shown only now, and until when the former one signs beside it."""

    secret: str
    until: datetime | None


# --- what was told ----------------------------------------------------------------------------------------------------


class DeliveryFacts(Struct, kw_only=True):
    """A delivery: what it is about, to whom, for which subscriptions, and what became of it."""

    id: str
    type: str
    about: str
    to: str
    state: DeliveryState
    subscriptions: list[str]
    created_at: datetime
    due_at: datetime | None
    finished_at: datetime | None
    answer: str | None
    acknowledged_at: datetime | None
    acknowledged_by: str | None


class Delivery(DeliveryFacts, kw_only=True):
    """A delivery, and how often it was tried."""

    attempts: int


class Attempt(Struct):
    """One try; `outcome` null: the worker is at it, or never came back."""

    number: int
    started_at: datetime
    finished_at: datetime | None
    outcome: Literal["delivered", "retry", "failed"] | None
    answer: str | None


class WholeDelivery(DeliveryFacts, kw_only=True):
    """A delivery with every attempt, and the changes that it tells."""

    attempts: list[Attempt]
    changes: list[StoredChange]


class Replaying(Struct, forbid_unknown_fields=True):
    """Send again what was made since then, to one address or to all that are still told."""

    since: datetime
    to: Name | None = None


class Acknowledging(Struct, forbid_unknown_fields=True):
    """Who has seen it; without it, the name of the token."""

    by: Name | None = None


class Queued(Struct):
    """The deliveries that are due now; the daemon sends them."""

    deliveries: list[str]


class Unseen(Struct):
    """A critical change that was told by an alert which nobody has acknowledged."""

    delivery_id: str
    to: str
    told_at: datetime
    change: StoredChange


class Preview(Struct):
    """What a digest would tell one address now: as the webhook's body, and as the mail's text."""

    to: str
    subject: str
    text: str
    body: dict[str, Json]


# --- the installation -------------------------------------------------------------------------------------------------


class Sweep(Struct):
    """One pass over what is watched."""

    release: str
    state: str
    reason: str | None
    started_at: datetime
    ended_at: datetime | None
    asked: int
    answered: int
    changed: int
    failed: int


class Owed(Struct):
    """A record or search for which the registry owes an answer."""

    id: str
    reason: str
    detail: str


class Off(Struct):
    """An address that is switched off, and why."""

    uri: str
    reason: str


class Trouble(Struct):
    """Something that somebody must hear of who is not waiting for it."""

    words: str
    began_at: datetime


class Health(Struct):
    """How the installation stands: what was looked at and when, what is behind, failing or switched off."""

    version: str
    watched: int
    waiting: int
    searches: int
    searches_waiting: int
    last_finished: Sweep | None
    last_sweep: Sweep | None
    owed: list[Owed]
    open_deliveries: int
    oldest_due: datetime | None
    addresses_off: list[Off]
    unconfirmed: list[str]
    troubles: list[Trouble]


class Setting(Struct):
    """A setting in force, and where it came from; secrets are masked."""

    name: str
    value: str | None
    source: str


class Feed(Struct):
    """What is fed, and where: whoever knows an address reads it without a token, until it is renewed or removed."""

    id: int
    about: Literal["trial", "group", "subscription"]
    name: str
    made_at: datetime
    renewed_at: datetime | None
    atom: str
    json: str
    calendar: str


class NewFeed(Struct, forbid_unknown_fields=True):
    """What is to be fed: a trial by its id, a group or a subscription by its name."""

    about: Literal["trial", "group", "subscription"]
    name: Name
