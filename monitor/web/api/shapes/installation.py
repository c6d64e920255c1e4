"""What the API answers and takes about the installation itself, and its feeds."""

from datetime import datetime
from typing import Literal

from msgspec import Struct

from monitor.web.api.shapes.alike import Name


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


class NumberedSweep(Sweep, kw_only=True):
    """A sweep with its number, and how much it asked for in vain."""

    number: int
    unanswered: int


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


class Daemon(Struct):
    """A process that works on this database: at what (sweep, deliver, web), since when, and when it was last heard;
    `is_there` false: not lately, or it is known to be dead.
    """

    name: str
    roles: list[str]
    version: str
    started_at: datetime
    heard_at: datetime
    is_there: bool


class Finding(Struct):
    """What a check found, and what to do; `advice` is empty where nothing is."""

    check: str
    verdict: Literal["failure", "note", "ok"]
    found: str
    advice: str


class Example(Struct):
    """An example of a type of message, as its reader would get it."""

    type: str
    subject: str
    text: str
    html: str


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
    daemons: list[Daemon]


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
