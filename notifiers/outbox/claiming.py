"""One worker takes one delivery that is due, tries it, and says what became of it; a claim is a lease.

The same on SQLite and PostgreSQL: a conditional update, whose row count says who got it. Within an address the order
of a record's messages is kept: a later one waits while an earlier one is open, and other records' messages pass by. At
most one message at a time is under way to an address, and the least recently tried address is served first, so that one
that never answers delays the others by no more than one try.
"""

from datetime import datetime, timedelta
from random import Random
from typing import Any, Literal

from msgspec import Struct
from sqlalchemy import ColumnElement, Connection, Select, exists, func, insert, select, update

from notifiers import retries
from notifiers.outbox.rows import close, switch_off
from notifiers.tables import addresses, attempts, deliveries
from snapshots.database import Database


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


class Delivered(Struct, frozen=True):
    """The receiver took it; `answer` is its receipt."""

    answer: str


class Failed(Struct, frozen=True, kw_only=True):
    """It was not taken; `answer` is a sentence fit for the ledger. See `retries.after_failure` for the rest."""

    answer: str
    permanent: bool = False
    retry_after: float | None = None
    whose: retries.Whose = "address"


State = Literal["delivered", "pending", "failed"]


def claim(database: Database, worker: str, now: datetime, lease_seconds: float) -> Claimed | None:
    """The next delivery that is due, leased to `worker`; None where nothing is due to anybody who can be told."""
    with database.read() as connection:
        waiting = connection.execute(addresses_due(now)).scalars().all()
    for address_id in waiting:
        with database.write() as connection:
            claimed = _claim_at(connection, address_id, worker, now, lease_seconds)
        if claimed is not None:
            return claimed
    return None


def begin_attempt(database: Database, claimed: Claimed, now: datetime) -> Attempt:
    """Write down that the delivery is about to be tried. Raises LeaseLost where the lease has run out."""
    with database.write() as connection:
        ours = _ours(claimed) & (deliveries.c.next_attempt_at > now)
        raised = update(deliveries).where(ours).values(tries=deliveries.c.tries + 1).returning(deliveries.c.tries)
        tries = connection.execute(raised).scalar()
        if tries is None:
            raise LeaseLost(f"the lease on delivery {claimed.delivery_id} has run out")
        here = attempts.c.delivery_id == claimed.delivery_id
        number = connection.execute(select(func.coalesce(func.max(attempts.c.number), 0) + 1).where(here)).scalar_one()
        row = {"delivery_id": claimed.delivery_id, "number": number, "worker": claimed.worker, "started_at": now}
        connection.execute(insert(attempts).values(**row))
    return Attempt(claimed, number, tries)


def record(database: Database, attempt: Attempt, outcome: Delivered | Failed, now: datetime, rng: Random) -> State:
    """Write down what became of an attempt: delivered, due again later, or failed for good; the delivery's new state.

    An address whose schedule ran out without a single success meanwhile, or that refused for good, is switched off.
    Raises LeaseLost, and writes nothing, where another worker has taken over.
    """
    with database.write() as connection:
        # an update that changes nothing keeps the row ours until the commit
        held = update(deliveries).where(_ours(attempt.claimed)).values(lease_token=deliveries.c.lease_token)
        if not connection.execute(held).rowcount:
            raise LeaseLost(f"delivery {attempt.claimed.delivery_id} was taken over by another worker")
        if isinstance(outcome, Delivered):
            return _delivered(connection, attempt, outcome, now)
        return _failed(connection, attempt, outcome, now, rng)


def addresses_due(now: datetime) -> Select[int]:
    """The addresses that something is due to and nothing is under way to, the least recently tried first."""
    due = exists().where(deliveries.c.address_id == addresses.c.id, deliveries.c.next_attempt_at <= now)
    return (
        select(addresses.c.id)
        .where(addresses.c.state == "on", due, ~_under_way(addresses.c.id, now))
        .order_by(addresses.c.last_attempt_at.is_not(None), addresses.c.last_attempt_at, addresses.c.id)
    )


def first_due(address_id: int, now: datetime) -> Select[Any]:
    """The first delivery that is due to an address and has no earlier open one in its thread."""
    return (
        select(deliveries, addresses.c.uri)
        .join(addresses, addresses.c.id == deliveries.c.address_id)
        .where(deliveries.c.address_id == address_id, addresses.c.state == "on")
        .where(deliveries.c.next_attempt_at <= now, ~_earlier_open(), ~_under_way(address_id, now))
        .order_by(deliveries.c.number)
        .limit(1)
    )


def _under_way(address_id: ColumnElement[int] | int, now: datetime) -> ColumnElement[bool]:
    other = deliveries.alias()
    return exists().where(other.c.address_id == address_id, other.c.state == "sending", other.c.next_attempt_at > now)


def _claim_at(
    connection: Connection, address_id: int, worker: str, now: datetime, lease_seconds: float
) -> Claimed | None:
    row = connection.execute(first_due(address_id, now)).first()
    if row is None:
        return None
    until = now + timedelta(seconds=lease_seconds)
    values = {"state": "sending", "next_attempt_at": until, "lease_holder": worker, "lease_token": row.lease_token + 1}
    # the token is the one that was read: of two workers that saw the row due, one finds it changed
    unchanged = (deliveries.c.id == row.id) & (deliveries.c.lease_token == row.lease_token)
    mine = unchanged & (deliveries.c.next_attempt_at <= now)
    if not connection.execute(update(deliveries).where(mine).values(**values)).rowcount:
        return None
    if row.tries > len(retries.SCHEDULE):
        close(connection, row.id, "failed", "no worker came back from the last try of the schedule", now)
        return None
    connection.execute(update(addresses).where(addresses.c.id == address_id).values(last_attempt_at=now))
    return Claimed(
        delivery_id=row.id,
        address_id=address_id,
        uri=row.uri,
        type=row.type,
        worker=worker,
        token=row.lease_token + 1,
        until=until,
    )


def _earlier_open() -> ColumnElement[bool]:
    earlier = deliveries.alias()
    return exists().where(
        earlier.c.address_id == deliveries.c.address_id,
        earlier.c.thread == deliveries.c.thread,
        earlier.c.number < deliveries.c.number,
        earlier.c.next_attempt_at.is_not(None),
    )


def _ours(claimed: Claimed) -> ColumnElement[bool]:
    return (
        (deliveries.c.id == claimed.delivery_id)
        & (deliveries.c.state == "sending")
        & (deliveries.c.lease_token == claimed.token)
    )


def _delivered(connection: Connection, attempt: Attempt, outcome: Delivered, now: datetime) -> State:
    claimed = attempt.claimed
    close(connection, claimed.delivery_id, "delivered", outcome.answer, now)
    _finish(connection, attempt, "delivered", outcome.answer, now)
    connection.execute(update(addresses).where(addresses.c.id == claimed.address_id).values(last_success_at=now))
    return "delivered"


def _failed(connection: Connection, attempt: Attempt, outcome: Failed, now: datetime, rng: Random) -> State:
    next_step = retries.after_failure(
        attempt.tries,
        permanent=outcome.permanent,
        retry_after=outcome.retry_after,
        whose=outcome.whose,
        now=now,
        rng=rng,
    )
    if isinstance(next_step, retries.Retry):
        _try_later(connection, attempt, outcome, next_step.at)
        _finish(connection, attempt, "retry", outcome.answer, now)
        return "pending"
    close(connection, attempt.claimed.delivery_id, "failed", f"{outcome.answer} ({next_step.reason})", now)
    _finish(connection, attempt, "failed", outcome.answer, now)
    if next_step.switch_off and (outcome.permanent or not _succeeded_meanwhile(connection, attempt)):
        switch_off(connection, attempt.claimed.address_id, f"{outcome.answer} ({next_step.reason})", now)
    return "failed"


def _try_later(connection: Connection, attempt: Attempt, outcome: Failed, at: datetime) -> None:
    # the operator's trouble uses up nothing of the address's schedule
    tries = attempt.tries - 1 if outcome.whose == "operator" else attempt.tries
    values = {"state": "pending", "next_attempt_at": at, "tries": tries, "lease_holder": None}
    here = deliveries.c.id == attempt.claimed.delivery_id
    connection.execute(update(deliveries).where(here).values(**values, last_answer=outcome.answer))


def _finish(connection: Connection, attempt: Attempt, outcome: str, answer: str, now: datetime) -> None:
    here = (attempts.c.delivery_id == attempt.claimed.delivery_id) & (attempts.c.number == attempt.number)
    connection.execute(update(attempts).where(here).values(finished_at=now, outcome=outcome, answer=answer))


def _succeeded_meanwhile(connection: Connection, attempt: Attempt) -> bool:
    """Whether the address took another message since this one was first tried: then the message is to blame."""
    first = select(func.min(attempts.c.started_at)).where(attempts.c.delivery_id == attempt.claimed.delivery_id)
    here = (addresses.c.id == attempt.claimed.address_id) & (addresses.c.last_success_at >= first.scalar_subquery())
    return connection.execute(select(addresses.c.id).where(here)).first() is not None
