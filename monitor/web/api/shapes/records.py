"""What the API answers about records: their versions and their changes."""

from datetime import datetime
from typing import Annotated, Literal

from msgspec import Meta, Struct

from monitor.web.api.shapes.alike import ChangeNumber, Json, Severity


class RecordName(Struct):
    """Which record something is about, and where a person reads it."""

    registry: str
    id: str
    title: str
    url: str


class ListedRecord(RecordName):
    """A record that is stored. `missing_since`: the release at which it was believed that the registry does not list it
    any more, the second in which it did not.
    """

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
    """A stored version: its dates, size and hash. `version` is its number in the archive, which counts those of all
    records; `place` of `places` stored ones counts those of this record. `registry_version` counts from 0; the
    registry's own site from 1. Where its bytes were taken away, when and by whom.
    """

    version: int
    place: int
    places: int
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
    nothing is known of that day, `version` and `record` are null. `place` of `places` as in a list of versions.
    """

    version: int | None
    record: dict[str, Json] | None
    place: int = 0
    places: int = 0
    registry_version: int | None = None
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


class SeenBy(Struct):
    """That something was seen, and when; `by` null: by this token, which marked it."""

    by: str | None
    at: datetime


class Tally(Struct):
    """How many changes of a moment were seen, of how many: a message may have told only some of them."""

    seen: int
    of: int


class NewsItem(Struct):
    """What happened to a record at one moment (`record` null: to the registry): the changes that were asked for, the
    most severe first, and how many others there are. `seen` null: nobody has seen all of it.
    """

    step: int
    origin: Literal["observed", "search", "registry"]
    record: RecordName | None
    release: str | None
    observed_at: datetime
    changes: list[StoredChange]
    others: int
    seen: SeenBy | None
    tally: Tally


class HistoryChange(NewChange, kw_only=True):
    """A change in its record's history, with its day. `covered`: finer steps tell it too, sums leave it out.
    `from_place` and `to_place` count the versions of this record, of which `places` are stored; `from_version` and
    `to_version` are numbers in the archive, which count those of all records.
    """

    date: str
    dated_by: str
    covered: bool
    from_place: int | None
    to_place: int | None
    places: int | None
    pruned: list[str] = []


class Point(Struct):
    """A place on the map, as it was found."""

    name: str
    latitude: float
    longitude: float


class Contact(Struct):
    """Whom to ask at a site."""

    name: str | None
    role: str | None
    phone: str | None
    phone_ext: str | None
    email: str | None


class Site(Struct):
    """A site as the record has it. Where that has no coordinates they are those of its city; `km` is the distance from
    the place that was asked for.
    """

    facility: str | None
    city: str | None
    state: str | None
    zip: str | None
    country: str | None
    status: str | None
    is_open: bool
    latitude: float | None
    longitude: float | None
    km: float | None
    contacts: list[Contact]


class ChangedPart(Struct):
    """The latest change of a part of a record, since which day it is so, and whose day that is. `section` and `title`
    name the section of the page; `part` null: it is about none that is there now.
    """

    section: str
    title: str
    part: str | None
    since: str
    dated_by: Literal["release", "registry date"]
    change: StoredChange


class MissingVersion(Struct):
    """A version that the registry lists (its count, from 0, and its day) and did not give, and what it answered."""

    registry_version: int
    registry_date: str
    reason: str


class Past(Struct):
    """How whole the stored past of a record is, in a sentence ("" where it is whole), and which versions are known to
    be missing. `is_asked`: the registry is to be asked for it, which takes a moment.
    """

    state: Literal["whole", "not fetched", "waiting", "skipped", "gaps"]
    sentence: str
    is_asked: bool
    missing: list[MissingVersion]


class Relative(Struct):
    """A trial that is like another; `source` says who has it. Status and phases as the registry spells them."""

    id: str
    title: str
    url: str
    status: str | None
    phases: list[str]
    source: Literal["archive", "registry"]
    watched: bool


class Related(Struct):
    """Trials like one. `is_asked`: the registry is to be asked, which takes a moment; when it was asked last (null:
    never), and why it could not be.
    """

    items: list[Relative]
    is_asked: bool
    asked_at: datetime | None
    trouble: str | None


class SeenChanges(Struct, forbid_unknown_fields=True):
    """Changes, by their ids, which this token has seen, or has not after all. All that changed with them counts too."""

    changes: Annotated[list[ChangeNumber], Meta(min_length=1, max_length=1000)]
    seen: bool = True


class Marked(Struct):
    """How many moments of change were marked that were not before."""

    marked: int
