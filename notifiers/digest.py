"""What is due to whom in digests and not yet told: one delivery that holds many changes, or proves that there are none.

What a digest tells was judged when it was observed (`wanted_changes`); what it adds is whether the address was told it
meanwhile, by whatever message. So a digest that was late, snoozed or failed loses nothing: the next one tells it.
"""

from collections.abc import Collection, Sequence
from datetime import datetime

from msgspec import Struct
from sqlalchemy import ColumnElement, Connection, Row, exists, func, select, update

from notifiers import addresses, subscriptions, watches
from notifiers.calendar import last_due, next_due, quiet_until
from notifiers.message import Coverage
from notifiers.outbox import Told, assemble
from notifiers.outbox.rows import Asker, Due, put
from notifiers.subscriptions import Stored
from notifiers.tables import addresses as address_rows
from notifiers.tables import deliveries, delivery_changes, subscription_addresses, wanted_changes
from notifiers.tables import subscriptions as subscription_rows
from notifiers.watches import WatchedRecord
from snapshots import archive

PREVIEW = "preview"
"""The id of what is not sent."""

NOT_ASKED = "not asked for yet"


class UnknownSubscription(LookupError):  # noqa: N818  # it says what is wrong
    """There is no subscription of that name."""

    def __init__(self, name: str) -> None:
        super().__init__(f"there is no subscription {name!r}")


class _Contents(Struct, frozen=True):
    """What one address is told: the changes, in order, and since when."""

    address_id: int
    changes: tuple[int, ...]
    since: datetime


def enqueue_due(connection: Connection, now: datetime) -> list[str]:
    """Write the digests that are due; the ids of the deliveries. In the caller's transaction.

    Each due time once, whoever asks at the same moment; after a time in which nobody asked, one digest over all of it.
    A paused or snoozed subscription's digest waits for the pause's or snooze's end. One that was given up tells a last
    time what waited for it.
    """
    rows = subscription_rows
    due = select(rows.c.name).where(rows.c.next_digest_at <= now, rows.c.paused.is_(False))
    written: list[str] = []
    for name in connection.execute(due.order_by(rows.c.next_digest_at, rows.c.id)).scalars().all():
        stored = subscriptions.find(connection, name)
        if stored and not stored.subscription.is_snoozed(now) and _take(connection, stored, now):
            is_last = stored.subscription.digest is None
            written += _enqueue(connection, stored, now, _last_due(stored, now), only_news=is_last)
    return written


def send(connection: Connection, name: str, now: datetime) -> list[str]:
    """Write a digest of a subscription now, outside of its times (also where it has none); the ids of the deliveries.

    Raises UnknownSubscription.
    """
    return _enqueue(connection, _found(connection, name), now, now)


def preview(connection: Connection, name: str, now: datetime) -> list[Told]:
    """What a digest of the subscription would tell each of its addresses now. Raises UnknownSubscription."""
    stored = _found(connection, name)
    found = []
    for contents in _contents(connection, stored, now):
        address = select(address_rows).where(address_rows.c.id == contents.address_id)
        found.append(
            assemble(
                connection,
                askers=[Asker(stored.id, name, contents.changes)],
                change_ids=set(contents.changes),
                delivery_id=PREVIEW,
                type="digest",
                created_at=now,
                address=addresses.from_row(connection.execute(address).one(), now),
                coverage=_coverage(connection, stored, contents.since, now),
            )
        )
    return found


def _found(connection: Connection, name: str) -> Stored:
    stored = subscriptions.find(connection, name)
    if stored is None:
        raise UnknownSubscription(name)
    return stored


def _take(connection: Connection, stored: Stored, now: datetime) -> bool:
    """Move the subscription on to its next digest; whether it was this caller that did."""
    digest = stored.subscription.digest
    following = next_due(digest, now) if digest else None
    rows = subscription_rows
    unmoved = (rows.c.id == stored.id) & (rows.c.next_digest_at == stored.next_digest_at)
    moved = update(rows).where(unmoved).values(next_digest_at=following, last_digest_at=now)
    return connection.execute(moved).rowcount == 1


def _last_due(stored: Stored, now: datetime) -> datetime:
    digest = stored.subscription.digest
    return last_due(digest, now) if digest else now


def _enqueue(
    connection: Connection, stored: Stored, now: datetime, due: datetime, *, only_news: bool = False
) -> list[str]:
    """Written is also the digest that tells nothing, for its silence is a proof; unless `only_news` are wanted."""
    told = [each for each in _contents(connection, stored, now) if each.changes or not only_news]
    written = [_put(connection, stored, contents, now, due) for contents in told]
    return [delivery_id for delivery_id in written if delivery_id]


def _put(connection: Connection, stored: Stored, contents: _Contents, now: datetime, due: datetime) -> str | None:
    subscription = stored.subscription
    delivery = Due(
        type="digest",
        address_id=contents.address_id,
        due_key=f"digest:{stored.id}:{due.isoformat()}",
        thread=f"digest:{stored.id}",
        facts=_as_json(_coverage(connection, stored, contents.since, now)),
        askers=[Asker(stored.id, subscription.name, contents.changes)],
        planned_at=quiet_until(subscription.quiet, now) or now,
    )
    return put(connection, delivery, now)


# --- what it tells ----------------------------------------------------------------------------------------------------


def _contents(connection: Connection, stored: Stored, now: datetime) -> list[_Contents]:
    link = subscription_addresses
    links = connection.execute(select(link).where(link.c.subscription_id == stored.id).order_by(link.c.position)).all()
    asleep = _snoozed_ids(connection, now)
    return [
        _Contents(row.address_id, _untold(connection, row, asleep, now), _since(connection, stored, row))
        for row in links
    ]


def _untold(
    connection: Connection, link: Row[tuple[object, ...]], asleep: Collection[str], now: datetime
) -> tuple[int, ...]:
    wanted = wanted_changes
    rows = connection.execute(
        select(wanted.c.change_id, wanted.c.record_id)
        .where(wanted.c.subscription_id == link.subscription_id)
        .where(wanted.c.observed_at >= link.added_at, wanted.c.observed_at <= now)
        .where(~_is_told(link.address_id))
        .order_by(wanted.c.step_id, wanted.c.change_id)
    )
    return tuple(row.change_id for row in rows if row.record_id not in asleep)


def _is_told(address_id: int) -> ColumnElement[bool]:
    """Whether the address is told the change by any message that arrived or still may."""
    return exists().where(
        delivery_changes.c.change_id == wanted_changes.c.change_id,
        delivery_changes.c.delivery_id == deliveries.c.id,
        deliveries.c.address_id == address_id,
        deliveries.c.state.not_in(("failed", "cancelled")),
    )


def _since(connection: Connection, stored: Stored, link: Row[tuple[object, ...]]) -> datetime:
    """The last digest that this address was sent, else since when it is told."""
    last = (
        select(func.max(deliveries.c.created_at))
        .where(deliveries.c.address_id == link.address_id, deliveries.c.thread == f"digest:{stored.id}")
        .where(deliveries.c.state.not_in(("failed", "cancelled")))
    )
    began: datetime = max(stored.created_at, link.added_at)
    return connection.execute(last).scalar() or began


def _snoozed_ids(connection: Connection, now: datetime) -> set[str]:
    """The ids, as steps know them, of all records whose watches are all snoozed: told after that, not now."""
    asleep = [record for record in watches.records(connection) if record.is_snoozed(now)]
    found = (archive.find_record(connection, record.registry, record.record_id) for record in asleep)
    return {record.record_id for record in asleep} | {record.registry_id for record in found if record}


# --- what its silence rests on ----------------------------------------------------------------------------------------


def _coverage(connection: Connection, stored: Stored, since: datetime, now: datetime) -> Coverage:
    watched = _watched(connection, stored)
    registries = sorted({record.registry for record in watched})
    sweeps = [archive.last_finished(connection, registry) for registry in registries]
    # of several registries the one that was looked through longest ago: no more is proven for all
    finished = [sweep for sweep in sweeps if sweep and sweep.ended_at]
    oldest = (
        min(finished, key=lambda sweep: sweep.ended_at or now) if finished and len(finished) == len(sweeps) else None
    )
    return Coverage(
        since=since,
        until=now,
        watched=len(watched),
        last_checked=oldest.ended_at if oldest else None,
        release=oldest.release if oldest else None,
        unchecked=(*_unchecked(connection, watched, registries), *_unchecked_searches(connection, stored)),
    )


def _watched(connection: Connection, stored: Stored) -> list[WatchedRecord]:
    selection = stored.subscription.watches
    return [
        record
        for record in watches.records(connection)
        if subscriptions.selects(selection, [record.record_id], record.groups, record.searches)
    ]


def _unchecked(
    connection: Connection, watched: Sequence[WatchedRecord], registries: Sequence[str]
) -> tuple[tuple[str, str], ...]:
    open_here = {
        (registry, trouble.registry_id): trouble.reason
        for registry in registries
        for trouble in archive.open_exceptions(connection, registry)
    }
    reasons = (
        (record.record_id, open_here.get((record.registry, record.record_id)) or _never_asked(record))
        for record in watched
    )
    return tuple((record_id, reason) for record_id, reason in reasons if reason)


def _unchecked_searches(connection: Connection, stored: Stored) -> tuple[tuple[str, str], ...]:
    """The searches that the subscription is about and that the registry did not answer: something may be new there."""
    selection = stored.subscription.watches
    mine = [
        search
        for search in watches.listing(connection)
        if search.search is not None
        and not search.paused
        and subscriptions.selects(selection, (), [search.group] if search.group else [], [search.name or ""])
    ]
    troubles = {
        (registry, trouble.registry_id): trouble.reason
        for registry in {search.registry for search in mine}
        for trouble in archive.open_exceptions(connection, registry)
    }
    reasons = ((each.called, troubles.get((each.registry, each.called))) for each in mine)
    return tuple((called, reason) for called, reason in reasons if reason)


def _never_asked(record: WatchedRecord) -> str | None:
    return NOT_ASKED if record.is_waiting else None


def _as_json(coverage: Coverage) -> dict[str, object]:
    return {
        "since": coverage.since.isoformat(),
        "until": coverage.until.isoformat(),
        "watched": coverage.watched,
        "last_checked": coverage.last_checked.isoformat() if coverage.last_checked else None,
        "release": coverage.release,
        "unchecked": [list(pair) for pair in coverage.unchecked],
    }
