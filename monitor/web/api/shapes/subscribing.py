"""What the API answers and takes about subscriptions, and why they want a change."""

from datetime import datetime
from typing import Annotated, Literal

from msgspec import UNSET, Meta, Struct, UnsetType

from monitor.web.api.shapes.alike import Name, Text
from monitor.web.api.shapes.records import StoredChange
from notifiers.calendar import Quiet
from notifiers.conditions import Conditions
from notifiers.explaining import Check
from notifiers.subscriptions import Selection, Timing
from notifiers.why import Told


class Wanted(Struct, forbid_unknown_fields=True, omit_defaults=True):
    """What a subscription asks for, under the keys of the watchlist file. `templates` is a folder by its whole path;
    null is ours.
    """

    to: Annotated[list[Name], Meta(min_length=1, max_length=50)]
    watches: Literal["all"] | Selection = "all"
    when: Conditions = Conditions()
    deliver: Literal["immediately"] | Timing = "immediately"
    severity: dict[str, str] = {}
    quiet: Quiet | None = None
    max_per_hour: Annotated[int, Meta(ge=1, le=100_000)] | None = None
    templates: Text | UnsetType | None = UNSET


class NewSubscription(Wanted, forbid_unknown_fields=True, omit_defaults=True, kw_only=True):
    """A subscription, with its name."""

    name: Name


class NewName(Struct, forbid_unknown_fields=True):
    """What it is to be called."""

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
    """What is kept, and the secrets that were made for web addresses told for the first time: shown only now. `notes`
    are what can be meant and is probably not, `deliveries` those that tell how things stand today.
    """

    subscription: Subscription
    secrets: dict[str, str]
    notes: list[str]
    deliveries: list[str]


class Alert(Struct):
    """One message that would have been sent."""

    date: str
    step: int
    cause: str
    changes: list[StoredChange]


class Backtest(Struct):
    """What a subscription would have told since a day, from what is stored: of any of the trials since `known_since`;
    of `known_later` of them what they said before some day after `since` is not stored.
    """

    subscription: str
    since: str
    known_since: str | None
    known_later: int
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
    """What a subscription would tell, before it is kept; and what of it can be meant and is probably not."""

    standing: Standing
    backtest: Backtest
    notes: list[str]


class Why(Struct):
    """Why a subscription wants a change or does not, check by check, and what the ledger says was told of it."""

    subscription: str
    change: StoredChange
    wanted: bool
    checks: list[Check]
    when: list[str]
    told: list[Told]
