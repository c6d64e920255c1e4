"""What an hourly limit puts off: when it is told, and how it is told as one summary.

A subscription's first messages of an hour go as they are. What is over its limit waits, each delivery by itself, until
the hour is over, and is then told together in one delivery of type `summary`; what it tells is cancelled, and its
answer in the ledger names the summary. Both happen in one transaction, before anything is claimed.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, bindparam, exists, func, select, update

from notifiers.calendar import quiet_until
from notifiers.outbox import quiet
from notifiers.outbox.rows import Asker, Due, askers_of, batches, close, put
from notifiers.subscriptions import Stored
from notifiers.tables import deliveries, delivery_changes, delivery_subscriptions
from snapshots.archive.tables import changes, steps
from snapshots.database import Database

HOUR = timedelta(hours=1)
UNFOLDED = timedelta(minutes=5)
"""What is put off and nobody puts in a summary (there is a fault somewhere) goes by itself so much later."""
BEHIND = timedelta(minutes=1)
"""How long something waits behind a summary that tells earlier things of its record, before it is asked again."""


def put_off_until(connection: Connection, stored: Stored, address_id: int, now: datetime) -> datetime | None:
    """When what a subscription has to say to an address now is told in a summary; None where it may say it by itself.

    It may say `max_per_hour` things within any hour, summaries counted; what comes while others wait joins them.
    """
    limit = stored.subscription.max_per_hour
    if limit is None:
        return None
    waiting = _waiting_since(connection, stored.id, address_id)
    if waiting is not None:
        return waiting
    moment = quiet_until(stored.subscription.quiet, now) or now
    nth = _planned_last(connection, stored.id, address_id, limit)
    if nth is None or nth + HOUR <= moment:
        return None
    return quiet_until(stored.subscription.quiet, nth + HOUR) or nth + HOUR


def behind_summary(connection: Connection, due: Due, now: datetime) -> datetime | None:
    """When to look again, where a summary that is still on its way to the address tells earlier things of the record:
    within a record the order is kept.
    """
    if connection.execute(_SUMMARY, {"address": due.address_id}).first() is None:
        return None
    open_summary = (deliveries.c.address_id == due.address_id) & (deliveries.c.type == "summary") & _is_open()
    told, here = _told_records(), select(steps.c.record).where(steps.c.id == due.step_id).scalar_subquery()
    same = told.where(open_summary, deliveries.c.thread != due.thread, steps.c.record == here)
    return now + BEHIND if connection.execute(same.limit(1)).first() else None


def fold_due(database: Database, now: datetime) -> list[str]:
    """Write the summaries whose time has come; their ids. To be called before anything is claimed."""
    due = (deliveries.c.summary_at <= now) & _is_open()
    with database.read() as connection:
        if connection.execute(select(deliveries.c.number).where(due).limit(1)).first() is None:
            return []
    with database.write() as connection:
        return fold(connection, now)


def fold(connection: Connection, now: datetime) -> list[str]:
    """As `fold_due`, in the caller's transaction."""
    # an update that changes nothing: of two processes at it, one waits here and finds the other's work done
    ready = (deliveries.c.summary_at <= now) & (deliveries.c.state == "pending") & (deliveries.c.tries == 0)
    connection.execute(update(deliveries).where(ready).values(lease_token=deliveries.c.lease_token))
    rows = connection.execute(select(deliveries).where(ready).order_by(deliveries.c.number)).all()
    by_address: dict[int, list[Row[Any]]] = defaultdict(list)
    for row in rows:
        by_address[row.address_id].append(row)
    folded = [_fold_at(connection, address_id, waiting, now) for address_id, waiting in by_address.items()]
    return [summary for summary in folded if summary]


def summary_of(
    address_id: int, askers: Sequence[Asker], due_key: str, planned_at: datetime, thread: str | None = None
) -> Due:
    """A delivery that tells many changes in one message; those of an address arrive in order."""
    return Due(
        type="summary",
        address_id=address_id,
        due_key=due_key,
        thread=thread or "summary",
        askers=askers,
        planned_at=planned_at,
    )


def _fold_at(connection: Connection, address_id: int, rows: Sequence[Row[Any]], now: datetime) -> str | None:
    behind = _behind_others(connection, address_id)
    ready = [row for row in rows if row.thread not in behind]
    for row in rows:
        if row.thread in behind:
            # it waits for the next summary: within a record the order is kept, within an hour the limit
            _put_off(connection, row.id, now + (HOUR if ready else BEHIND))
    if len(ready) == 1 and not _follows_summary(connection, ready[0]):
        # alone it is a message as any other
        askers = askers_of(connection, [ready[0].id]).get(ready[0].id, ())
        _let_go(connection, ready[0].id, _quiet_end(connection, askers, now))
        return None
    return _together(connection, address_id, ready, now) if ready else None


def _together(connection: Connection, address_id: int, rows: Sequence[Row[Any]], now: datetime) -> str | None:
    askers = united(asker for found in askers_of(connection, [row.id for row in rows]).values() for asker in found)
    due = summary_of(address_id, askers, f"summary:{rows[0].id}:{now.isoformat()}", _quiet_end(connection, askers, now))
    summary = put(connection, due, now)
    for row in rows:
        close(connection, row.id, "cancelled", f"told in {summary}", now)
    for ids in batches([row.id for row in rows]):
        connection.execute(update(deliveries).where(deliveries.c.id.in_(ids)).values(summary_at=None))
    return summary


def _quiet_end(connection: Connection, askers: Iterable[Asker], now: datetime) -> datetime:
    # it may be quiet by now, after a downtime or a long wait
    return quiet.ends(connection, (asker.id for asker in askers), now)


def united(askers: Iterable[Asker]) -> list[Asker]:
    """Each subscription once, with all that it wanted."""
    found: dict[str, Asker] = {}
    for asker in askers:
        before = found.get(asker.name)
        wanted = sorted({*(before.wanted if before else ()), *asker.wanted})
        found[asker.name] = Asker(asker.id, asker.name, tuple(wanted))
    return [found[name] for name in sorted(found)]


def _behind_others(connection: Connection, address_id: int) -> set[str]:
    """The threads of an address in which something else than what is put off is still on its way."""
    other = (deliveries.c.address_id == address_id) & _is_open() & deliveries.c.summary_at.is_(None)
    return set(connection.execute(select(deliveries.c.thread).where(other).distinct()).scalars())


def _follows_summary(connection: Connection, row: Row[Any]) -> bool:
    due = Due(type=row.type, address_id=row.address_id, due_key="", thread=row.thread, planned_at=row.planned_at)
    with_step = Due(**{name: getattr(due, name) for name in due.__struct_fields__} | {"step_id": row.step_id})
    return behind_summary(connection, with_step, row.planned_at) is not None


def _put_off(connection: Connection, delivery_id: str, until: datetime) -> None:
    values = {"summary_at": until, "planned_at": until + UNFOLDED, "next_attempt_at": until + UNFOLDED}
    connection.execute(update(deliveries).where(deliveries.c.id == delivery_id).values(**values))


def _let_go(connection: Connection, delivery_id: str, at: datetime) -> None:
    values = {"summary_at": None, "planned_at": at, "next_attempt_at": at}
    connection.execute(update(deliveries).where(deliveries.c.id == delivery_id).values(**values))


def _told_records() -> Any:
    return (
        select(deliveries.c.number)
        .join(delivery_changes, delivery_changes.c.delivery_id == deliveries.c.id)
        .join(changes, changes.c.id == delivery_changes.c.change_id)
        .join(steps, steps.c.id == changes.c.step)
    )


def _waiting_since(connection: Connection, subscription_id: int, address_id: int) -> datetime | None:
    """When the next summary of a subscription to an address is due, if anything waits for one."""
    link = delivery_subscriptions
    mine = exists().where(link.c.delivery_id == deliveries.c.id, link.c.subscription_id == subscription_id)
    here = (deliveries.c.address_id == address_id) & deliveries.c.summary_at.is_not(None) & _is_open()
    found: datetime | None = connection.execute(select(func.min(deliveries.c.summary_at)).where(here, mine)).scalar()
    return found


def _planned_last(connection: Connection, subscription_id: int, address_id: int, number: int) -> datetime | None:
    """When the `number`-th last message of a subscription to an address was planned, what is put off left out."""
    link = delivery_subscriptions
    planned: datetime | None = connection.execute(
        select(deliveries.c.planned_at)
        .join(link, link.c.delivery_id == deliveries.c.id)
        .where(link.c.subscription_id == subscription_id, deliveries.c.address_id == address_id)
        .where(deliveries.c.state != "cancelled", deliveries.c.type.not_in(("digest", "test")))
        .where(deliveries.c.summary_at.is_(None))
        .order_by(deliveries.c.planned_at.desc())
        .offset(number - 1)
        .limit(1)
    ).scalar()
    return planned


def _is_open() -> ColumnElement[bool]:
    return deliveries.c.next_attempt_at.is_not(None)


_SUMMARY = (
    select(deliveries.c.number)
    .where(deliveries.c.address_id == bindparam("address"), deliveries.c.type == "summary", _is_open())
    .limit(1)
)
"""Whether a summary is on its way to an address. Built once: every message that becomes due asks it."""
