"""A snooze begins, and what is queued is called back; it ends, and what waited is told in one summary.

Where a subscription has digests, its next one tells what waited, and nothing goes out here.
"""

from collections.abc import Callable, Collection, Iterable, Sequence
from datetime import datetime
from functools import partial

from sqlalchemy import Connection, insert, select

from notifiers import search_members, subscriptions, untold, wanting, watches
from notifiers.calendar import quiet_until
from notifiers.outbox.folding import summary_of
from notifiers.outbox.rows import Asker, put
from notifiers.subscriptions import Stored
from notifiers.tables import deliveries, ended_silences, subscription_addresses, wanted_changes
from notifiers.tables import subscriptions as subscription_rows
from notifiers.tables import watches as watch_rows
from notifiers.wanting import Want
from notifiers.watches import Called, Watch
from snapshots import archive
from snapshots.archive import Step
from snapshots.trial import Trial

CRITICAL = "critical"


def wake_due(connection: Connection, now: datetime) -> list[str]:
    """End the snoozes that are over, and tell what waited for it; the ids of the summaries. In the caller's
    transaction; each end is told once, whoever asks at the same moment.
    """
    written: list[str] = []
    untold.tell_alone(connection)
    for watch in _waiting_watches(connection):
        if not watch.is_snoozed(now):
            written += _wake_watch(connection, watch, _over(watch.snooze_until), now)
    for stored in _waiting_subscriptions(connection):
        if not stored.subscription.is_snoozed(now):
            written += _wake_subscription(connection, stored, _over(stored.subscription.snooze_until), now)
    return written


def wake_critical(  # noqa: PLR0917 - all of them from the one place that enqueues
    connection: Connection,
    step: Step,
    trial: Trial | None,
    watching: Sequence[Watch],
    wants: Sequence[Want],
    now: datetime,
    thread: str | None,
) -> bool:
    """End the snoozes that last until the next critical change, if `step` (of `trial`, which these watches are of)
    holds one; whether any ended. What waited is told before it: in the `thread` of the record.
    """
    woken = False
    if any(stored.change.severity == CRITICAL for stored in wanting.tellable(step)):
        for watch in watching:
            if watch.snooze_until_critical and watch.is_snoozed(now):
                _wake_watch(connection, watch, "a critical change", now, thread)
                woken = True
    for want in wants:
        subscription = want.stored.subscription
        if subscription.snooze_until_critical and subscription.is_snoozed(now) and _is_critical(want, trial):
            _wake_subscription(connection, want.stored, "a critical change", now, thread)
            woken = True
    return woken


def call_back(connection: Connection, registry: str, names: Collection[Called], now: datetime) -> int:
    """Take back what is queued of these watched ids or named watches, which were snoozed: it waits for the end of that.
    How many messages were taken back; what others want of them stays.
    """
    taken = 0
    meant = watches.meant(connection, registry, names).values()
    for watch in watches.numbered(connection, meant).values():
        if watch.is_snoozed(now):
            ids = _of_watch(connection, watch, _queued_ids)
            oldest = [_call_back_record(connection, registry, each, now) for each in ids]
            moments = [moment for found in oldest for moment in found]
            taken += len(moments)
            watches.wait_from(connection, watch.id, min([watch.waits_from or now, *moments]))
    return taken


# --- the ends ---------------------------------------------------------------------------------------------------------


def _wake_watch(connection: Connection, watch: Watch, why: str, now: datetime, thread: str | None = None) -> list[str]:
    since = watch.waits_from or now
    untold.tell_alone(connection)
    watches.wait_from(connection, watch.id, None)
    _note(connection, why, now, watch.silenced_by, watch.silence_reason, watch_id=watch.id)
    records = set(_of_watch(connection, watch, partial(_wanted_ids, since=since)))
    found = (archive.find_record(connection, watch.registry, each) for each in list(records))
    records |= {record.registry_id for record in found if record}
    written: list[str] = []
    for stored in subscriptions.listing(connection):
        if stored.subscription.is_snoozed(now):
            # the longer sleeper tells it
            subscriptions.wait_from(connection, stored.id, min(stored.waits_from or now, since))
        else:
            written += _tell(connection, stored, f"watch:{watch.id}", since, now, records=records, thread=thread)
    return written


def _wake_subscription(
    connection: Connection, stored: Stored, why: str, now: datetime, thread: str | None = None
) -> list[str]:
    since = stored.waits_from or now
    untold.tell_alone(connection)
    subscriptions.wait_from(connection, stored.id, None)
    silence = stored.subscription.silence
    _note(connection, why, now, silence.by, silence.reason, subscription_id=stored.id)
    for watch in _waiting_watches(connection):
        if watch.waits_from and since < watch.waits_from:
            watches.wait_from(connection, watch.id, since)
    return _tell(connection, stored, "subscription", since, now, thread=thread)


def _tell(
    connection: Connection,
    stored: Stored,
    whose: str,
    since: datetime,
    now: datetime,
    *,
    records: Collection[str] | None = None,
    thread: str | None = None,
) -> list[str]:
    """What waited for the snooze's end, to each address of a subscription that is told at once."""
    subscription = stored.subscription
    if subscription.digest is not None or subscription.paused:
        return []
    link = subscription_addresses
    links = select(link).where(link.c.subscription_id == stored.id, link.c.stopped_at.is_(None))
    written = []
    for row in connection.execute(links.order_by(link.c.position)).all():
        told = untold.changes(connection, row, now, since=since, records=records).told
        if told:
            key = f"woken:{stored.id}:{whose}:{now.isoformat()}"
            asker = Asker(stored.id, subscription.name, told)
            due = summary_of(row.address_id, [asker], key, quiet_until(subscription.quiet, now) or now, thread)
            written.append(put(connection, due, now))
    return [each for each in written if each]


def _note(connection: Connection, why: str, now: datetime, by: str | None, reason: str | None, **whose: int) -> None:
    row = {"why": why, "ended_at": now, "silenced_by": by, "silence_reason": reason, **whose}
    connection.execute(insert(ended_silences).values(**row))


def _over(until: datetime | None) -> str:
    return "its time was over" if until is not None else "it was ended by hand"


def _is_critical(want: Want, trial: Trial | None) -> bool:
    subscription = want.stored.subscription
    return any(wanting.severity(subscription, stored.change, trial) == CRITICAL for stored in want.changes)


def _waiting_watches(connection: Connection) -> list[Watch]:
    # by an update lock's order: whoever wakes it first finds it waiting, the next one does not
    rows = select(watch_rows.c.id).where(watch_rows.c.waits_from.is_not(None)).with_for_update()
    waiting = set(connection.execute(rows).scalars())
    return [watch for watch in watches.listing(connection) if watch.id in waiting] if waiting else []


def _waiting_subscriptions(connection: Connection) -> list[Stored]:
    rows = select(subscription_rows.c.id).where(subscription_rows.c.waits_from.is_not(None)).with_for_update()
    waiting = connection.execute(rows).scalars().all()
    return subscriptions.with_ids(connection, waiting) if waiting else []


# --- the beginning ----------------------------------------------------------------------------------------------------


def _of_watch(connection: Connection, watch: Watch, asked: Callable[[Connection, str], Iterable[str]]) -> list[str]:
    """The record that is watched; or of those that are `asked` for what a search has ever found, which may be a whole
    registry.
    """
    if watch.record_id is not None:
        return [watch.record_id]
    return [each for each in asked(connection, watch.registry) if _has_found(connection, watch, each)]


def _has_found(connection: Connection, search: Watch, record_id: str) -> bool:
    record = archive.find_record(connection, search.registry, record_id)
    names = [record_id, *([record.registry_id, *record.former_ids] if record else [])]
    return bool(search_members.among(connection, search.id, names))


def _queued_ids(connection: Connection, registry: str) -> list[str]:
    """The records of which a message is still to be sent."""
    of, beginning = deliveries.c, f"record:{registry}/"
    queued = select(of.thread).where(of.state.in_(("pending", "held")), of.step_id.is_not(None)).distinct()
    threads = connection.execute(queued).scalars()
    return sorted(each.removeprefix(beginning) for each in threads if each.startswith(beginning))


def _wanted_ids(connection: Connection, registry: str, since: datetime) -> list[str]:
    """The records of which something was wanted since then."""
    of = wanted_changes.c
    wanted = select(of.record_id).where(of.registry == registry, of.observed_at >= since, of.record_id.is_not(None))
    return sorted(connection.execute(wanted.distinct()).scalars())


def _call_back_record(connection: Connection, registry: str, record_id: str, now: datetime) -> list[datetime]:
    """When what was called back was observed."""
    record = archive.find_record(connection, registry, record_id)
    threads = {f"record:{registry}/{each}" for each in (record_id, *([record.registry_id] if record else []))}
    queued = select(deliveries).where(deliveries.c.thread.in_(threads), deliveries.c.state.in_(("pending", "held")))
    moments = []
    for row in connection.execute(queued.where(deliveries.c.step_id.is_not(None))).all():
        step = archive.find_step(connection, row.step_id)
        muted = {want.stored.id for want in wanting.wants(connection, step, None, now) if want.muted}
        if subscriptions.call_back(connection, row.id, muted, now):
            moments.append(step.observed_at)
    return moments
