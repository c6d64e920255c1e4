"""What the API answers and takes about what is watched."""

from datetime import datetime
from typing import Annotated, Literal

from msgspec import UNSET, Meta, Struct, UnsetType

from monitor.web.api.shapes.alike import Name, Severity, Text

WatchState = Literal["watched", "waiting", "paused", "snoozed", "trouble"]


class NextDate(Struct):
    """The next day that matters, or one that is overdue: what it is, the date as the record has it, and the last day
    that this can mean.
    """

    what: str
    date: str
    day: str


class LastChange(Struct):
    """The newest moment at which something changed: the most severe change of it."""

    kind: str
    severity: Severity
    label: str
    release: str | None
    observed_at: datetime


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
    status: str | None
    next_date: NextDate | None
    last_change: LastChange | None
    finds: int | None
    found_ever: int | None
    release: str | None
    confirmed_at: datetime | None
    trouble: str | None
    created_at: datetime


class WatchedBy(Struct):
    """What watches a record, in which groups, its own watch also while that is paused; and with which release and when
    it was last known to stand as it is stored. `is_paused`: its own watch is paused; `resting` says of each that rests
    how it does.
    """

    items: list[Watch]
    groups: list[str]
    is_paused: bool
    resting: list[str]
    release: str | None
    confirmed_at: datetime | None


class NewWatches(Struct, forbid_unknown_fields=True):
    """Records by their ids (or addresses at the registry), or one saved search, which needs a name, or with `all` every
    record of the registry.
    """

    ids: Annotated[list[Name], Meta(max_length=5000)] = []
    search: dict[Name, Name] | None = None
    all: bool = False
    name: Name | None = None
    group: Name | None = None
    note: Text | None = None


class WatchFile(Struct, forbid_unknown_fields=True):
    """Text with one id a line, or a CSV whose heading names the columns that are read: id, group, note. `group` is for
    lines that name none. `renew`: what is watched already is given the group and note of its line.
    """

    text: Annotated[str, Meta(max_length=2_000_000)]
    group: Name | None = None
    renew: bool = False


class Added(Struct):
    """What is watched now that was not, and what was already."""

    added: list[str]
    already: list[str]


class Imported(Added):
    """What is watched now that was not, what was already, and of this what was given another group or note."""

    changed: list[str]


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


class Pasted(Struct, forbid_unknown_fields=True):
    """Text in which ids stand in any form, as people paste it."""

    text: Annotated[str, Meta(max_length=200_000)]


class Said(Struct):
    """What is known of an id, and from where: `absent` is what the registry does not list. `why` is the trouble, or
    what is to be known beside it; `status` is as the registry writes it.
    """

    id: str
    source: Literal["archive", "registry", "absent", "not asked"]
    title: str | None
    status: str | None
    why: str | None
    is_watched: bool


class SaidFirst(Struct):
    """What is known of the ids in a text, in their order; what looks like one and is none; ids of other registries."""

    items: list[Said]
    mistyped: list[str]
    elsewhere: list[str]


class Query(Struct, forbid_unknown_fields=True):
    """A search in the registry's own parameters."""

    search: dict[Name, Name]


class Hits(Struct):
    """How many records a search finds, up to 1,000 (`is_all` false: more), how many the registry says there are (null:
    it does not say), and the first of them.
    """

    hits: int
    is_all: bool
    total: int | None
    first: list[str]
