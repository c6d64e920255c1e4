"""What a subscription would have told, had it been there: the archive's stored steps put to its conditions."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

from msgspec import Struct
from sqlalchemy import Connection

from notifiers import filters, subscriptions, watches
from notifiers.subscriptions import Subscription
from notifiers.wanting import NEVER_TOLD, Watching, wanted_by, watching_of
from notifiers.watches import WatchedRecord
from snapshots import archive
from snapshots.archive import Step, StoredChange
from snapshots.archive.history import SEARCH
from snapshots.archive.order import history_date
from snapshots.trial import Trial

Parse = Mapping[str, Callable[[bytes], Trial]]
"""How to read a stored version, by registry."""

CHEAP = frozenset(
    {"another kind", "not severe enough", "becomes something else", "no shift of a date", "too small a shift"}
)
"""Reasons for which a change is not wanted whatever its record says: then the record need not be read."""


class Alert(Struct, frozen=True):
    """One message that would have been sent: of which step, on which ISO day (of the release, or the registry's own
    date for what was filled in), telling which changes.
    """

    date: str
    step: Step
    changes: tuple[StoredChange, ...]


class Backtest(Struct, frozen=True, kw_only=True):
    """All alerts since an ISO day, oldest first, and what was looked at: how many trials and steps, and since when the
    archive knows any of them (None: it knows none).
    """

    since: str
    alerts: tuple[Alert, ...]
    trials: int
    steps: int
    known_since: str | None


Counting = Callable[[Sequence[WatchedRecord]], Iterable[WatchedRecord]]


def backtest(
    connection: Connection, subscription: Subscription, since: str, parse: Parse, counting: Counting = iter
) -> Backtest:
    """Replay what is stored of the records that the subscription is about today, from the ISO day `since` on.

    Steps that were filled in later count as if they had been seen; a step that finer ones cover does not count beside
    them. A pause or snooze of the subscription plays no part. `counting` passes the records on, to show progress
    or to end early: then the result tells what was looked at until then.
    """
    chosen = list(_records(connection, subscription))
    alerts: list[Alert] = []
    known: list[str | None] = []
    steps = 0
    for record in counting(chosen):
        known.append(_known_since(connection, record))
        told = archive.finest_steps(archive.steps(connection, record.registry, record.record_id, since))
        steps += len(told)
        alerts += _alerts(connection, subscription, told, parse)
    for registry in sorted({record.registry for record in chosen}):
        alerts += _alerts(connection, subscription, archive.steps(connection, registry, None, since), parse)
    return Backtest(
        since=since,
        alerts=tuple(sorted(alerts, key=lambda alert: (alert.date, alert.step.id))),
        trials=len(known),
        steps=steps,
        known_since=min(filter(None, known), default=None),
    )


def _records(connection: Connection, subscription: Subscription) -> Iterator[WatchedRecord]:
    for record in watches.records(connection):
        if subscriptions.selects(subscription.watches, [record.record_id], record.groups, record.searches):
            yield record


def _known_since(connection: Connection, record: WatchedRecord) -> str | None:
    found = archive.versions(connection, record.registry, record.record_id)
    return history_date(found[0]) if found else None


def _alerts(connection: Connection, subscription: Subscription, steps: Sequence[Step], parse: Parse) -> Iterator[Alert]:
    watching: Watching | None = None
    for step in steps:
        changes = tuple(one for one in step.changes if one.change.kind not in NEVER_TOLD)
        if not any(_may_be_wanted(subscription, one) for one in changes):
            continue
        if watching is None or step.cause == SEARCH:
            watching = watching_of(connection, step, None)
        wanted = wanted_by(subscription, watching, changes, trial_after(connection, subscription, step, parse))
        watching = None if step.cause == SEARCH else watching
        if wanted:
            yield Alert(day_of(connection, step), step, wanted)


def _may_be_wanted(subscription: Subscription, stored: StoredChange) -> bool:
    if stored.change.kind == "site.moved":
        return True
    reason = next(filters.reasons(subscription.when, stored.change, None, subscription.severity), None)
    return reason not in CHEAP


def trial_after(connection: Connection, subscription: Subscription, step: Step, parse: Parse) -> Trial | None:
    """The trial as it was after a step; None where the conditions do not look at it, or there is none."""
    when = subscription.when
    if step.to_version is None or not (filters.asks_for_place(when) or when.sponsor):
        return None
    return parse[step.registry](archive.read_version(connection, step.to_version))


def day_of(connection: Connection, step: Step) -> str:
    """The ISO day at which a step stands in history."""
    if step.to_version is not None:
        day = history_date(archive.version_info(connection, step.to_version))
        if day:
            return day
    return step.release[:10] if step.release else step.observed_at.date().isoformat()


def in_words(found: Backtest, period: str) -> str:
    """The result in a sentence; `period` is how a person called the time since then: "the last 12 months"."""
    if not found.trials:
        return "Nothing is watched that this subscription is about, so there is nothing to replay"
    looked = f"{_counted(found.steps, 'stored step')} of {_counted(found.trials, 'trial')}"
    if found.known_since and found.known_since > found.since:
        looked += f"; nothing is stored from before {found.known_since}, `trialdelta backfill` brings it in"
    if not found.alerts:
        return f"No alert in {period} ({looked})"
    changes = sum(len(alert.changes) for alert in found.alerts)
    told = len({alert.step.registry_id for alert in found.alerts if alert.step.registry_id})
    of = f" of {_counted(told, 'trial')}" if told else ""
    return f"{_counted(len(found.alerts), 'alert')} in {period}, {_counted(changes, 'change')}{of} ({looked})"


def _counted(number: int, noun: str) -> str:
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"
