"""What became of an attempt: delivered, due again later, or failed for good; and whether its address is told still."""

from datetime import datetime
from random import Random
from typing import Any, Literal

from msgspec import Struct
from sqlalchemy import Connection, bindparam, func, select, update

from notifiers import retries
from notifiers.outbox.claiming import Attempt, LeaseLost, fence, ours, take_next
from notifiers.outbox.rows import switch_off
from notifiers.tables import addresses, attempts, deliveries
from snapshots.database import Database


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


def record(database: Database, attempt: Attempt, outcome: Delivered | Failed, now: datetime, rng: Random) -> State:
    """Write down what became of an attempt: delivered, due again later, or failed for good; the delivery's new state.

    An address whose schedule ran out without a single success meanwhile, or that refused for good, is switched off.
    Raises LeaseLost, and writes nothing, where another worker has taken over.
    """
    with database.write() as connection:
        return _record(connection, attempt, outcome, now, rng)


def record_and_take(  # noqa: PLR0917 - what `record` and `take` are given
    database: Database,
    attempt: Attempt,
    outcome: Delivered | Failed,
    now: datetime,
    rng: Random,
    lease_seconds: float,
) -> tuple[State, Attempt | None]:
    """`record`, and the same worker's `claiming.take` of the next that is due, in one transaction: half the commits."""
    with database.write() as connection:
        state = _record(connection, attempt, outcome, now, rng)
        return state, take_next(connection, attempt.claimed.worker, now, lease_seconds)


_CLOSE = (
    update(deliveries)
    .where(ours())
    .values(
        state=bindparam("becomes"),
        next_attempt_at=bindparam("at"),
        finished_at=bindparam("finished"),
        last_answer=bindparam("answered"),
        tries=bindparam("tried"),
        lease_holder=None,
    )
)
_FINISH = (
    update(attempts)
    .where(attempts.c.delivery_id == bindparam("delivery"), attempts.c.number == bindparam("try"))
    .values(finished_at=bindparam("finished"), outcome=bindparam("became"), answer=bindparam("answered"))
)
_SUCCEEDED = update(addresses).where(addresses.c.id == bindparam("address")).values(last_success_at=bindparam("at"))


def _record(connection: Connection, attempt: Attempt, outcome: Delivered | Failed, now: datetime, rng: Random) -> State:
    if isinstance(outcome, Delivered):
        return _delivered(connection, attempt, outcome, now)
    next_step = _next_step(attempt, outcome, now, rng)
    if isinstance(next_step, retries.Retry):
        # the operator's trouble uses up nothing of the address's schedule
        tries = attempt.tries - 1 if outcome.whose == "operator" else attempt.tries
        _close(
            connection, attempt, becomes="pending", at=next_step.at, finished=None, answered=outcome.answer, tried=tries
        )
        _finish(connection, attempt, "retry", outcome.answer, now)
        return "pending"
    _give_up(connection, attempt, outcome, next_step, now)
    return "failed"


def _next_step(attempt: Attempt, outcome: Failed, now: datetime, rng: Random) -> retries.Retry | retries.GiveUp:
    if attempt.claimed.type == "test":
        return retries.after_only_try(permanent=outcome.permanent, whose=outcome.whose)
    return retries.after_failure(
        attempt.tries,
        permanent=outcome.permanent,
        retry_after=outcome.retry_after,
        whose=outcome.whose,
        now=now,
        rng=rng,
    )


def _delivered(connection: Connection, attempt: Attempt, outcome: Delivered, now: datetime) -> State:
    _close(
        connection, attempt, becomes="delivered", at=None, finished=now, answered=outcome.answer, tried=attempt.tries
    )  # fmt: skip
    _finish(connection, attempt, "delivered", outcome.answer, now)
    connection.execute(_SUCCEEDED, {"address": attempt.claimed.address_id, "at": now})
    return "delivered"


def _give_up(connection: Connection, attempt: Attempt, outcome: Failed, why: retries.GiveUp, now: datetime) -> None:
    words = f"{outcome.answer} ({why.reason})"
    _close(connection, attempt, becomes="failed", at=None, finished=now, answered=words, tried=attempt.tries)
    _finish(connection, attempt, "failed", outcome.answer, now)
    if why.switch_off and (outcome.permanent or not _succeeded_meanwhile(connection, attempt)):
        switch_off(connection, attempt.claimed.address_id, words, now)
    elif was_off := _was_off(connection, attempt):
        switch_off(connection, attempt.claimed.address_id, was_off, now)


def _was_off(connection: Connection, attempt: Attempt) -> str | None:
    """Why the address was off that was switched on for this test alone; None where it was on."""
    kept = select(deliveries.c.facts).where(deliveries.c.id == attempt.claimed.delivery_id, deliveries.c.type == "test")
    facts = connection.execute(kept).scalar()
    return facts["was_off"] if facts else None


def _close(connection: Connection, attempt: Attempt, **values: Any) -> None:
    """The delivery's row. Raises LeaseLost where it is not this worker's any more; its update keeps it ours."""
    if not connection.execute(_CLOSE, {**fence(attempt.claimed), **values}).rowcount:
        raise LeaseLost(f"delivery {attempt.claimed.delivery_id} was taken over by another worker")


def _finish(connection: Connection, attempt: Attempt, outcome: str, answer: str, now: datetime) -> None:
    values = {"try": attempt.number, "finished": now, "became": outcome, "answered": answer}
    connection.execute(_FINISH, {"delivery": attempt.claimed.delivery_id, **values})


def _succeeded_meanwhile(connection: Connection, attempt: Attempt) -> bool:
    """Whether the address took another message since this one was first tried: then the message is to blame."""
    first = select(func.min(attempts.c.started_at)).where(attempts.c.delivery_id == attempt.claimed.delivery_id)
    here = (addresses.c.id == attempt.claimed.address_id) & (addresses.c.last_success_at >= first.scalar_subquery())
    return connection.execute(select(addresses.c.id).where(here)).first() is not None
