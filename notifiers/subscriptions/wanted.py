"""What a subscription is: which watches it is about, what it asks for, where and when it is told."""

from collections.abc import Collection
from datetime import datetime
from typing import Any, Literal

from msgspec import Struct

from notifiers.calendar import DigestTime, Every, Quiet
from notifiers.conditions import Conditions
from notifiers.silences import Silence

Json = Any


class Selection(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """Which watches a subscription is about: exactly one of a group, ids, or a saved search (its name)."""

    group: str | None = None
    ids: tuple[str, ...] | None = None
    search: str | None = None


class Timing(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """A digest, and which severity (and those above it) does not wait for it. `on`, `at`, `timezone`: DigestTime."""

    digest: Every
    immediately: str | None = None
    on: str | int | None = None
    at: str = "08:00"
    timezone: str = "UTC"

    @property
    def digest_time(self) -> DigestTime:
        """When the digest is due."""
        return DigestTime(every=self.digest, on=self.on, at=self.at, timezone=self.timezone)


class Subscription(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """One wish to be told, under the keys of the watchlist file.

    A paused subscription wants nothing. A snoozed one sends nothing until then, or until the next critical change that
    it wants (`snooze_until_critical`); what it wanted meanwhile is told in its next digest after that, if it has
    digests, and else in one summary. `silenced_by` and `silence_reason` say who paused or snoozed it and why. Quiet
    hours and `max_per_hour` (for each of its addresses) put off what would be sent at once, and lose nothing: what is
    over the limit is told in one summary an hour. `templates` is a folder.
    """

    name: str
    to: tuple[str, ...]
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

    @property
    def digest(self) -> DigestTime | None:
        """When its digests are due; None where everything is told at once."""
        return self.deliver.digest_time if isinstance(self.deliver, Timing) else None

    @property
    def silence(self) -> Silence:
        """Its pause or snooze, who said so and why."""
        return Silence(
            paused=self.paused,
            until=self.snooze_until,
            until_critical=self.snooze_until_critical,
            by=self.silenced_by,
            reason=self.silence_reason,
        )

    def is_snoozed(self, now: datetime) -> bool:
        return self.silence.is_snoozed(now)


class Stored(Struct, frozen=True, kw_only=True):
    """A subscription as it is kept. `next_digest_at` is None where it has no digest; what was observed `waits_from`
    then on waits for the end of its snooze. Times are aware UTC.
    """

    id: int
    subscription: Subscription
    created_at: datetime
    next_digest_at: datetime | None
    last_digest_at: datetime | None
    waits_from: datetime | None = None


def selects(
    selection: Literal["all"] | Selection, ids: Collection[str], groups: Collection[str], searches: Collection[str] = ()
) -> bool:
    """Whether a selection holds a record known by `ids` (all of them), watched in `groups`, and found by `searches`
    (their names).
    """
    if isinstance(selection, str):
        return True
    if selection.ids is not None:
        return not set(selection.ids).isdisjoint(ids)
    if selection.search is not None:
        return selection.search in searches
    return selection.group is not None and selection.group in groups
