"""Which subscriptions want which changes of a step: by what they are about, then by their conditions."""

from collections.abc import Sequence
from datetime import datetime
from threading import Lock
from weakref import WeakKeyDictionary

from msgspec import Struct
from sqlalchemy import Connection, Engine

from notifiers import filters, revisions, search_members, subscriptions, watches
from notifiers.candidates import About, Candidates
from notifiers.subscriptions import Stored, Subscription, Timing
from notifiers.watches import Watch
from snapshots import archive
from snapshots.archive import Step, StoredChange
from snapshots.changes import Change
from snapshots.kinds import SEVERITIES, at_least
from snapshots.trial import Trial

NEVER_TOLD = frozenset({"record.first_seen"})
"""Kinds that go to the history only: a first look is no news."""
NEVER_TOLD_CAUSES = frozenset({"back-filled"})
"""Steps that somebody only now learnt of, though they are long past."""


class Want(Struct, frozen=True):
    """A subscription and what it wants of a step. `muted`: snoozed, or the record's watch is."""

    stored: Stored
    changes: tuple[StoredChange, ...]
    muted: bool


def wants(
    connection: Connection, step: Step, trial: Trial | None, now: datetime, watching: "Watching | None" = None
) -> list[Want]:
    """The subscriptions that want anything of `step` (of `trial`, as it is after it), and what, in order of name.

    What was back-filled, and a record's first look, nobody wants. A paused subscription wants nothing. `watching`: why
    the record is watched, where that is at hand.
    """
    changes = tellable(step)
    if not changes:
        return []
    watching = watching or watching_of(connection, step, trial)
    found = []
    for stored in _candidates(connection, watching, changes, trial):
        subscription = stored.subscription
        # one that "began" after the present is there all the same: the clock was set back since
        if subscription.paused or step.observed_at < stored.created_at <= now:
            continue
        mine = watching.selected(subscription)
        wanted = wanted_by(subscription, watching, changes, trial)
        if not wanted:
            continue
        muted = subscription.is_snoozed(now) or (bool(mine) and all(watch.is_snoozed(now) for watch in mine))
        found.append(Want(stored, wanted, muted))
    return found


def at_once(subscription: Subscription, change: Change, trial: Trial | None) -> bool:
    """Whether a wanted change of `trial` does not wait for the subscription's digest."""
    if not isinstance(subscription.deliver, Timing):
        return True
    floor = subscription.deliver.immediately
    return floor is not None and at_least(severity(subscription, change, trial), floor)


def severity(subscription: Subscription, change: Change, trial: Trial | None) -> str:
    """How severe a wanted change is to the subscription: as it is, or as its conditions read it (a recruiting site that
    moved into the place that is asked for), whichever is more.
    """
    seen = (change, filters.read_as(subscription.when, change, trial))
    return min((filters.severity(each, subscription.severity) for each in seen), key=SEVERITIES.index)


def wanted_by(
    subscription: Subscription, watching: "Watching", changes: Sequence[StoredChange], trial: Trial | None
) -> tuple[StoredChange, ...]:
    """Which of a step's changes a subscription wants, by what it is about and by its conditions."""
    mine = watching.selected(subscription)
    together = [stored.change for stored in changes]
    return tuple(
        one for one in changes if watching.concerns(mine, one) and _is_wanted(subscription, one, trial, together)
    )


# --- who is asked at all ----------------------------------------------------------------------------------------------


class _Known:
    """An index of the subscriptions of one database, as they were at a revision."""

    def __init__(self) -> None:
        self.lock = Lock()
        self.index = Candidates()
        self.revision = -1

    def refresh(self, connection: Connection) -> None:
        revision = revisions.current(connection)
        if revision == self.revision:
            return
        if revision < self.revision:  # another database in its place, or the past of this one
            self.index, self.revision = Candidates(), -1
        for stored in subscriptions.changed_since(connection, self.revision):
            self.index.add(stored.id, stored.subscription)
        self.revision = revision


_KNOWN: WeakKeyDictionary[Engine, _Known] = WeakKeyDictionary()
_KNOWN_LOCK = Lock()


def _candidates(
    connection: Connection, watching: "Watching", changes: Sequence[StoredChange], trial: Trial | None
) -> list[Stored]:
    """The subscriptions that may want any of the changes, as they stand in this transaction."""
    if revisions.is_touched(connection):
        return subscriptions.listing(connection)
    with _KNOWN_LOCK:
        known = _KNOWN.setdefault(connection.engine, _Known())
    told = [stored.change for stored in changes]
    with known.lock:
        known.refresh(connection)
        ids = known.index.among(watching.about, told, trial, everyone=not watching.is_record)
    return subscriptions.with_ids(connection, ids) if ids else []


class Watching(Struct, frozen=True):
    """Why a step's record is watched: by which watches; all ids that it is known by; the searches that it is of, which
    are those that find it now, and in a step of searches those that it tells of. `is_record`: it is about a record.
    """

    watches: list[Watch]
    names: set[str]
    searches: set[str]
    by_search: bool
    is_record: bool

    @property
    def about(self) -> About:
        """What subscriptions to it are about."""
        groups = {watch.group for watch in self.watches if watch.group}
        return About(ids=self.names, groups=groups, searches=self.searches)

    def selected(self, subscription: Subscription) -> list[Watch]:
        """The watches among those that a subscription is about."""
        return [
            watch
            for watch in self.watches
            if subscriptions.selects(
                subscription.watches,
                self.names,
                [watch.group] if watch.group else [],
                {watch.name or ""} & self.searches if watch.search is not None else (),
            )
        ]

    def concerns(self, mine: Sequence[Watch], stored: StoredChange) -> bool:
        """Whether a change is told to who is about these watches: what a search finds, only to who is about it."""
        if not self.is_record:
            return True
        if not self.by_search:
            return bool(mine)
        return any(watch.name == _search(stored) for watch in mine)


def watching_of(connection: Connection, step: Step, trial: Trial | None) -> Watching:
    """Why the record of a step is watched today."""
    if step.registry_id is None:
        return Watching([], set(), set(), by_search=False, is_record=False)
    record = archive.find_record(connection, step.registry, step.registry_id)
    names = {step.registry_id, *(record.former_ids if record else ()), *((trial.id, *trial.aliases) if trial else ())}
    watching = watches.of_record(connection, step.registry, names)
    by_search = step.cause == "search"
    if by_search:
        searches = {_search(stored) for stored in step.changes}
        watching = watches.searches(connection, step.registry, searches)
    else:
        searches = set(search_members.finding(connection, names))
    return Watching(watching, names, searches, by_search=by_search, is_record=True)


def _search(stored: StoredChange) -> str:
    """The saved search that a change is about."""
    return str((stored.change.subject or {}).get("name"))


def _is_wanted(
    subscription: Subscription, stored: StoredChange, trial: Trial | None, together: Sequence[Change]
) -> bool:
    return filters.decide(subscription.when, stored.change, trial, subscription.severity, together).wanted


def tellable(step: Step) -> tuple[StoredChange, ...]:
    """The changes of a step that anybody can be told."""
    if step.cause in NEVER_TOLD_CAUSES:
        return ()
    return tuple(stored for stored in step.changes if stored.change.kind not in NEVER_TOLD)
