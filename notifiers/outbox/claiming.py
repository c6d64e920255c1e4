"""One worker takes one delivery that is due; a claim is a lease, which is renewed for as long as the worker lives.

The same on SQLite and PostgreSQL: a conditional update, whose row count says who got it. Within an address the order
of a record's messages is kept: a later one waits while an earlier one is open, and other records' messages pass by. At
most one message at a time is under way to an address, and the least recently tried address is served first, so that one
that never answers delays the others by no more than one try.

The statements are built once: building one costs more than SQLite takes to run it.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from msgspec import Struct
from sqlalchemy import (
    BindParameter,
    ColumnElement,
    Connection,
    Row,
    Select,
    bindparam,
    exists,
    func,
    insert,
    select,
    update,
)

from notifiers import retries
from notifiers.confirmations import is_awaited
from notifiers.outbox import quiet
from notifiers.outbox.rows import close
from notifiers.tables import addresses, attempts, deliveries
from snapshots.database import Database, UtcDateTime


class LeaseLost(Exception):  # noqa: N818  # it says what happened
    """The delivery came due again and is no longer this worker's: nothing of it may be written."""


class Claimed(Struct, frozen=True, kw_only=True):
    """A delivery that `worker` alone may send until `until` (aware UTC). `token` is greater with every claim."""

    delivery_id: str
    address_id: int
    uri: str
    type: str
    worker: str
    token: int
    until: datetime


class Attempt(Struct, frozen=True):
    """One try that has been written down. `number` counts all of the delivery's, `tries` those of its schedule."""

    claimed: Claimed
    number: int
    tries: int


def claim(database: Database, worker: str, now: datetime, lease_seconds: float) -> Claimed | None:
    """The next delivery that is due, leased to `worker`; None where nothing is due to anybody who can be told."""
    if not is_any_due(database, now):
        return None
    with database.write() as connection:
        found = _claim(connection, worker, now, lease_seconds)
    return found[0] if found else None


def begin_attempt(database: Database, claimed: Claimed, now: datetime) -> Attempt:
    """Write down that the delivery is about to be tried. Raises LeaseLost where the lease has run out."""
    with database.write() as connection:
        tries = connection.execute(_BEGIN, {**fence(claimed), "now": now}).scalar()
        if tries is None:
            raise LeaseLost(f"the lease on delivery {claimed.delivery_id} has run out")
        return _write_attempt(connection, claimed, tries, now)


def take(database: Database, worker: str, now: datetime, lease_seconds: float) -> Attempt | None:
    """Claim the next delivery that is due and write down that it is about to be tried, in one transaction."""
    if not is_any_due(database, now):
        return None
    with database.write() as connection:
        return take_next(connection, worker, now, lease_seconds)


def take_next(connection: Connection, worker: str, now: datetime, lease_seconds: float) -> Attempt | None:
    """As `take`, in the caller's transaction."""
    found = _claim(connection, worker, now, lease_seconds, tried=1)
    return _write_attempt(connection, *found, now) if found else None


def renew(connection: Connection, under_way: Iterable[Claimed], now: datetime, lease_seconds: float) -> None:
    """Keep these for `lease_seconds` from `now`; one that another worker has by now stays that worker's."""
    until = now + timedelta(seconds=lease_seconds)
    for claimed in under_way:
        connection.execute(_RENEW, {**fence(claimed), "until": until})


def is_any_due(database: Database, now: datetime) -> bool:
    """Whether a worker might find something: a look that keeps nobody from writing."""
    with database.read() as connection:
        return connection.execute(ADDRESSES_DUE, {"now": now}).first() is not None


def ours() -> ColumnElement[bool]:
    """The condition that a delivery is still the worker's who claimed it; its parameters are those of `fence`."""
    return (
        (deliveries.c.id == bindparam("delivery"))
        & (deliveries.c.state == "sending")
        & (deliveries.c.lease_token == bindparam("token"))
    )


def fence(claimed: Claimed) -> dict[str, Any]:
    """The parameters of `ours`."""
    return {"delivery": claimed.delivery_id, "token": claimed.token}


_NOW: BindParameter[datetime] = bindparam("now", type_=UtcDateTime())


def _under_way(address_id: ColumnElement[int]) -> ColumnElement[bool]:
    other = deliveries.alias()
    return exists().where(other.c.address_id == address_id, other.c.state == "sending", other.c.next_attempt_at > _NOW)


def _earlier_open() -> ColumnElement[bool]:
    earlier = deliveries.alias()
    return exists().where(
        earlier.c.address_id == deliveries.c.address_id,
        earlier.c.thread == deliveries.c.thread,
        earlier.c.number < deliveries.c.number,
        earlier.c.next_attempt_at.is_not(None),
    )


def _addresses_due() -> Select[Any]:
    due = exists().where(deliveries.c.address_id == addresses.c.id, deliveries.c.next_attempt_at <= _NOW, ~is_awaited())
    return (
        select(addresses.c.id)
        .where(addresses.c.state == "on", due, ~_under_way(addresses.c.id))
        .order_by(addresses.c.last_attempt_at.is_not(None), addresses.c.last_attempt_at, addresses.c.id)
    )


def _first_due() -> Select[Any]:
    address_id: BindParameter[int] = bindparam("address", type_=deliveries.c.address_id.type)
    wanted = (deliveries.c.id, deliveries.c.type, deliveries.c.address_id, deliveries.c.lease_token, deliveries.c.tries)
    when = (deliveries.c.thread, deliveries.c.planned_at, deliveries.c.lease_holder)
    # as a function, so that the planner walks the open ones by number and stops at the first that is due: by time it
    # would read all that is due to the address and sort it, at every claim
    due_at = func.coalesce(deliveries.c.next_attempt_at, deliveries.c.next_attempt_at)
    return (
        select(*wanted, *when, addresses.c.uri)
        .join(addresses, addresses.c.id == deliveries.c.address_id)
        .where(deliveries.c.address_id == address_id, addresses.c.state == "on")
        .where(deliveries.c.next_attempt_at.is_not(None), due_at <= _NOW)
        .where(~_earlier_open(), ~_under_way(address_id), ~is_awaited())
        .order_by(deliveries.c.number)
        .limit(1)
        # whoever retries one by hand holds it and waits for its address, which a recording worker may hold
        .with_for_update(of=deliveries, skip_locked=True)
    )


ADDRESSES_DUE = _addresses_due()
"""The addresses that something is due to and nothing is under way to, the least recently tried first."""
FIRST_DUE = _first_due()
"""The first delivery that is due to an address and has no earlier open one in its thread."""
# the token is the one that was read: of two workers that saw the row due, one finds it changed
_LEASE = (
    update(deliveries)
    .where(deliveries.c.id == bindparam("delivery"), deliveries.c.lease_token == bindparam("seen"))
    .where(deliveries.c.next_attempt_at <= _NOW)
    .values(
        state="sending",
        next_attempt_at=bindparam("until"),
        lease_holder=bindparam("worker"),
        lease_token=deliveries.c.lease_token + 1,
        tries=deliveries.c.tries + bindparam("tried"),
    )
)
_TRIED_AT = update(addresses).where(addresses.c.id == bindparam("address")).values(last_attempt_at=_NOW)
_BEGIN = (
    update(deliveries)
    .where(ours(), deliveries.c.next_attempt_at > _NOW)
    .values(tries=deliveries.c.tries + 1)
    .returning(deliveries.c.tries)
)
_NUMBER = select(func.coalesce(func.max(attempts.c.number), 0) + 1).where(
    attempts.c.delivery_id == bindparam("delivery", type_=attempts.c.delivery_id.type)
)
_WRITE_ATTEMPT = (
    insert(attempts)
    .values(
        delivery_id=bindparam("delivery"),
        number=_NUMBER.scalar_subquery(),
        worker=bindparam("by"),
        started_at=_NOW,
    )
    .returning(attempts.c.number)
)
_RENEW = update(deliveries).where(ours()).values(next_attempt_at=bindparam("until"))


def _claim(
    connection: Connection, worker: str, now: datetime, lease_seconds: float, *, tried: int = 0
) -> tuple[Claimed, int] | None:
    """The next delivery that is due, and how often it was tried, `tried` counted in."""
    for address_id in connection.execute(ADDRESSES_DUE, {"now": now}).scalars().all():
        row = _first_to_tell(connection, address_id, now)
        if row is not None and _lease(connection, row, worker, now, now + timedelta(seconds=lease_seconds), tried):
            return _claimed(row, worker, now + timedelta(seconds=lease_seconds)), row.tries + tried
    return None


def _first_to_tell(connection: Connection, address_id: int, now: datetime) -> Row[Any] | None:
    """The first delivery that is due to an address and does not fall into a quiet time."""
    here = {"address": address_id, "now": now}
    while (row := connection.execute(FIRST_DUE, here).first()) is not None and quiet.put_off(connection, row, now):
        pass
    return row


def _lease(  # noqa: PLR0917 - one row's worth of facts
    connection: Connection, row: Row[Any], worker: str, now: datetime, until: datetime, tried: int
) -> bool:
    values = {"delivery": row.id, "seen": row.lease_token, "now": now, "until": until, "worker": worker, "tried": tried}
    if not connection.execute(_LEASE, values).rowcount:
        return False
    if row.tries > len(retries.SCHEDULE):
        close(connection, row.id, "failed", "no worker came back from the last try of the schedule", now)
        return False
    connection.execute(_TRIED_AT, {"address": row.address_id, "now": now})
    return True


def _claimed(row: Row[Any], worker: str, until: datetime) -> Claimed:
    return Claimed(
        delivery_id=row.id,
        address_id=row.address_id,
        uri=row.uri,
        type=row.type,
        worker=worker,
        token=row.lease_token + 1,
        until=until,
    )


def _write_attempt(connection: Connection, claimed: Claimed, tries: int, now: datetime) -> Attempt:
    written = {"delivery": claimed.delivery_id, "by": claimed.worker, "now": now}
    return Attempt(claimed, connection.execute(_WRITE_ATTEMPT, written).scalar_one(), tries)
