"""What a subscription would have told, had it been there: the archive's stored steps put to its conditions."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, time

from msgspec import Struct
from sqlalchemy import Connection

from notifiers import filters, subscriptions, watches
from notifiers.calendar import next_due
from notifiers.subscriptions import Subscription, Timing
from notifiers.wanting import NEVER_TOLD, Watching, wanted_by, watching_of
from notifiers.watches import WatchedRecord
from snapshots import archive
from snapshots.archive import Step, StoredChange
from snapshots.archive.history import BACK_FILLED, SEARCH
from snapshots.archive.order import history_date
from snapshots.kinds import at_least
from snapshots.sentences import date_words
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
    archive knows any of them (None: it knows none). `later` has, of each trial whose past before a day after `since` is
    not stored, that day; "" of one of which nothing is.
    """

    since: str
    alerts: tuple[Alert, ...]
    trials: int
    steps: int
    known_since: str | None
    later: tuple[str, ...] = ()


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
    known: list[_Known] = []
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
        known_since=min((each.since for each in known if each.since), default=None),
        later=tuple(sorted(each.since for each in known if each.is_later_than(since))),
    )


class _Known(Struct, frozen=True):
    """Since which ISO day something is stored of a trial ("": nothing is), and whether it began then."""

    since: str
    is_registration: bool

    def is_later_than(self, since: str) -> bool:
        """Whether something of what it said after that day is not stored."""
        return not self.since or (self.since > since and not self.is_registration)


def _records(connection: Connection, subscription: Subscription) -> Iterator[WatchedRecord]:
    for record in watches.records(connection):
        if subscriptions.selects(subscription.watches, [record.record_id], record.groups, record.searches):
            yield record


def _known_since(connection: Connection, record: WatchedRecord) -> _Known:
    found = archive.versions(connection, record.registry, record.record_id)
    return _Known(history_date(found[0]), found[0].registry_version == 0) if found else _Known("", False)


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


def messages(alerts: Iterable[Alert], subscription: Subscription) -> tuple[int, int]:
    """As how many messages at once, and in how many digests, these would have come to each address: a digest holds what
    became known before its time. Of what was filled in later, the end of the registry's own day counts.
    """
    dues = [waits_until(alert, subscription) for alert in alerts]
    return dues.count(None), len(set(dues) - {None})


def waits_until(alert: Alert, subscription: Subscription) -> datetime | None:
    """When the digest is due in which this comes; None where it is told at once."""
    digest = subscription.digest
    if digest is None or _is_at_once(alert, subscription):
        return None
    return next_due(digest, noticed(alert))


def noticed(alert: Alert) -> datetime:
    """When it became known here; of what was filled in later, the end of the registry's own day."""
    if alert.step.cause != BACK_FILLED:
        return alert.step.observed_at
    return datetime.combine(date.fromisoformat(alert.date), time.max, UTC)


def each_address(subscription: Subscription) -> str:
    """What follows a number of messages where each goes to several addresses: " to each of 2 addresses"; else ""."""
    return f" to each of {len(subscription.to):,} addresses" if len(subscription.to) > 1 else ""


def _is_at_once(alert: Alert, subscription: Subscription) -> bool:
    if not isinstance(subscription.deliver, Timing):
        return True
    first = subscription.deliver.immediately
    severities = (filters.severity(one.change, subscription.severity) for one in alert.changes)
    return first is not None and any(at_least(each, first) for each in severities)


def in_words(found: Backtest, period: str, subscription: Subscription | None = None) -> str:
    """The result in a sentence; `period` is how a person called the time since then: "the last 12 months"."""
    if not found.trials:
        return "Nothing is watched that this subscription is about, so there is nothing to replay"
    looked = f"{_counted(found.steps, 'stored step')} of {_counted(found.trials, 'trial')}"
    looked += "".join(f"; {words}" for words in _not_stored(found))
    if not found.alerts:
        return f"{'Nothing to tell' if subscription and subscription.digest else 'No alert'} in {period} ({looked})"
    changes = sum(len(alert.changes) for alert in found.alerts)
    told = len({alert.step.registry_id for alert in found.alerts if alert.step.registry_id})
    of = f" of {_counted(told, 'trial')}" if told else ""
    filled = sum(alert.step.cause == BACK_FILLED for alert in found.alerts)
    past = f"; {filled} of these steps {'was' if filled == 1 else 'were'} filled in from the past" if filled else ""
    return f"{_came(found, subscription)} in {period}, {_counted(changes, 'change')}{of} ({looked}{past})"


def _not_stored(found: Backtest) -> Iterator[str]:
    """Of how many trials which past is not stored."""
    known = [day for day in found.later if day]
    if known:
        of = f"of {len(known):,} of these trials " if len(known) < found.trials else ""
        latest = f" (of some, from before {date_words(known[-1])})" if known[-1] > known[0] else ""
        before = f"nothing is stored from before {date_words(known[0])}{latest}"
        yield f"{of}{before}, `trialdelta backfill` brings it in"
    if len(known) < len(found.later):
        yield f"of {_counted(len(found.later) - len(known), 'trial')} nothing is stored yet"


def _came(found: Backtest, subscription: Subscription | None) -> str:
    if subscription is None:
        return _counted(len(found.alerts), "alert")
    each = each_address(subscription)
    if subscription.digest is None:
        return f"{_counted(len(found.alerts), 'alert')}{each}"
    at_once, digests = messages(found.alerts, subscription)
    in_digests = f"would have been in {_counted(digests, 'digest')}"
    if not at_once:
        return f"What changed {in_digests}{each}"
    return f"{_counted(at_once, 'alert')} at once{f', and the rest {in_digests},' if digests else ''}{each}"


def _counted(number: int, noun: str) -> str:
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"
