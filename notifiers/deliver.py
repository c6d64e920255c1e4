"""Sends what is due: claim, write down the attempt, compose, send, record; one dead channel never delays another."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from random import Random
from threading import Event

import structlog

from notifiers import outbox
from notifiers.channels import DeliveryError, DeliverySettings, channel_for
from notifiers.composing import message_of, templates_of
from notifiers.message import Message
from notifiers.outbox import Attempt, Claimed, Delivered, Failed, LeaseLost, Told
from notifiers.rendering import Rendered, RenderingError, render
from snapshots.database import Database

__all__ = ["DeliverySettings", "deliver_due", "deliver_one"]

Clock = Callable[[], datetime]
"""Gives the present, aware UTC."""

log = structlog.get_logger()

WORDLESS = Rendered("", "", "")
"""What a channel gets that reads the message itself: templates that are broken are no concern of programs."""


def deliver_one(database: Database, settings: DeliverySettings, worker: str, clock: Clock, rng: Random) -> bool:
    """Try the next delivery that is due; whether there was one. Whatever becomes of it is recorded, not raised.

    Raises DatabaseError where the database fails: the delivery comes due again when its lease ends. A worker that dies
    after sending and before recording sends again then, under the same id.
    """
    claimed = outbox.claim(database, worker, clock(), settings.lease_seconds)
    if claimed is None:
        return False
    try:
        attempt = outbox.begin_attempt(database, claimed, clock())
        outcome = _tried(database, settings, claimed, clock)
        state = outbox.record(database, attempt, outcome, clock(), rng)
    except LeaseLost as error:
        log.warning("another worker took over", delivery=claimed.delivery_id, reason=str(error))
        return True
    _tell_operator(attempt, outcome, state)
    return True


def deliver_due(
    database: Database,
    settings: DeliverySettings,
    worker: str,
    clock: Clock,
    rng: Random,
    *,
    stop: Event | None = None,
    threads: int = 4,
) -> int:
    """Try everything that is due, some addresses at a time and each address one at a time; how many were tried.

    `stop` ends it after what is under way, which takes `settings.total_seconds` at most. Raises DatabaseError.
    """
    stopping = stop or Event()

    def work(number: int) -> int:
        tried = 0
        while not stopping.is_set() and deliver_one(database, settings, f"{worker}/{number}", clock, rng):
            tried += 1
        return tried

    with ThreadPoolExecutor(threads, thread_name_prefix="deliver") as pool:
        return sum(pool.map(work, range(threads)))


def _tried(database: Database, settings: DeliverySettings, claimed: Claimed, clock: Clock) -> Delivered | Failed:
    """One try, its outcome as a value: no message, however odd, may stop those behind it."""
    with database.read() as connection:
        told = outbox.load(connection, claimed.delivery_id, clock())
        message = message_of(connection, told, settings.base_url)
    try:
        return Delivered(_send(message, told, settings, clock))
    except DeliveryError as error:
        return Failed(
            answer=str(error), permanent=error.permanent, retry_after=error.retry_after, whose=error.whose
        )  # fmt: skip
    except RenderingError as error:
        return Failed(answer=str(error), permanent=True, whose="message")
    except Exception as error:  # a fault of ours in one message is that message's failure
        log.exception("a message could not be sent", delivery=claimed.delivery_id)
        return Failed(answer=f"{type(error).__name__} in trialdelta, see its log", whose="message")


def _send(message: Message, told: Told, settings: DeliverySettings, clock: Clock) -> str:
    channel = channel_for(told.address.uri)
    rendered = render(message, templates_of(told)) if channel.READS_WORDS else WORDLESS
    return channel.send(message, rendered, told.address, settings, clock())


def _tell_operator(attempt: Attempt, outcome: Delivered | Failed, state: str) -> None:
    """Into the log, what an operator must hear of: nobody's address in it, the ledger has that."""
    about = {"delivery": attempt.claimed.delivery_id, "attempt": attempt.number, "answer": outcome.answer}
    if isinstance(outcome, Delivered):
        log.info("delivered", **about)
    elif state == "failed" or outcome.whose != "address":
        log.error("not delivered", state=state, whose=outcome.whose, **about)
    else:
        log.warning("not delivered yet", **about)
