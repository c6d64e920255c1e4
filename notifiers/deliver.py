"""Sends what is due: claim, write down the attempt, compose, send, record; one dead channel never delays another."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from random import Random
from threading import Event, Lock
from time import sleep

import structlog

from notifiers import outbox
from notifiers.channels import DeliveryError, DeliverySettings, channel_for
from notifiers.composing import message_of, templates_of
from notifiers.message import Message
from notifiers.outbox import Attempt, Claimed, Delivered, Failed, LeaseLost, Told
from notifiers.rendering import Rendered, RenderingError, render
from snapshots.database import Database, DatabaseError

__all__ = ["DeliverySettings", "deliver_due", "deliver_one"]

Clock = Callable[[], datetime]
"""Gives the present, aware UTC."""

log = structlog.get_logger()

PAUSE = 0.5
"""Seconds between two looks for more while others are still sending."""

RECORD_WAITS = (0.5, 1.0, 2.0, 5.0, 10.0, 20.0)
"""Seconds between the tries to write down what became of a message."""

WORDLESS = Rendered("", "", "")
"""What a channel gets that reads the message itself: templates that are broken are no concern of programs."""


def deliver_one(database: Database, settings: DeliverySettings, worker: str, clock: Clock, rng: Random) -> bool:
    """Try the next delivery that is due; whether there was one. Whatever becomes of it is recorded, not raised.

    Raises DatabaseError where the database fails: the delivery comes due again when its lease ends. A worker that dies
    after sending and before recording sends again then, under the same id.
    """
    claimed = outbox.claim(database, worker, clock(), settings.lease_seconds)
    if claimed is not None:
        _deliver(database, settings, claimed, clock, rng)
    return claimed is not None


def deliver_due(
    database: Database,
    settings: DeliverySettings,
    worker: str,
    clock: Clock,
    rng: Random,
    *,
    stop: Event | None = None,
    threads: int = 8,
) -> int:
    """Try everything that is due, some addresses at a time and each address one at a time; how many were tried.

    While one address is slow to answer, what comes due to others meanwhile is sent too. `stop` ends it after what is
    under way, which takes `settings.total_seconds` at most. Raises DatabaseError.
    """
    shift = _Shift(database, settings, worker, clock, rng, stop or Event())
    with ThreadPoolExecutor(threads, thread_name_prefix="deliver") as pool:
        return sum(pool.map(shift.work, range(threads)))


class _Shift:
    """Threads that share one list of what is due, until it is empty and none of them is sending any more."""

    def __init__(  # noqa: PLR0917 - all of them from the one place above
        self, database: Database, settings: DeliverySettings, worker: str, clock: Clock, rng: Random, stopping: Event
    ) -> None:
        self._database, self._settings, self._worker = database, settings, worker
        self._clock, self._rng, self._stopping = clock, rng, stopping
        self._asking = Lock()
        self._sending: set[int] = set()

    def work(self, number: int) -> int:
        """Send until nothing is left to do; how many were tried."""
        tried = 0
        while not self._stopping.is_set():
            claimed, others_send = self._take(number)
            if claimed is not None:
                self._send(number, claimed)
                tried += 1
            elif others_send:
                self._stopping.wait(PAUSE)
            else:
                break
        return tried

    def _take(self, number: int) -> tuple[Claimed | None, bool]:
        """The next delivery, and whether others are sending: asked together, so that nobody leaves too early."""
        with self._asking:
            worker = f"{self._worker}/{number}"
            claimed = outbox.claim(self._database, worker, self._clock(), self._settings.lease_seconds)
            others_send = bool(self._sending)
            if claimed is not None:
                self._sending.add(number)
        return claimed, others_send

    def _send(self, number: int, claimed: Claimed) -> None:
        try:
            _deliver(self._database, self._settings, claimed, self._clock, self._rng)
        finally:
            self._sending.discard(number)


def _deliver(database: Database, settings: DeliverySettings, claimed: Claimed, clock: Clock, rng: Random) -> None:
    try:
        attempt = outbox.begin_attempt(database, claimed, clock())
        outcome = _tried(database, settings, claimed, clock)
        state = _recorded(database, attempt, outcome, clock, rng)
    except LeaseLost as error:
        log.warning("another worker took over", delivery=claimed.delivery_id, reason=str(error))
    else:
        _tell_operator(attempt, outcome, state)


def _recorded(
    database: Database, attempt: Attempt, outcome: Delivered | Failed, clock: Clock, rng: Random
) -> outbox.State:
    """What became of it, written down. Nobody else knows: where it is not, the message goes out once more. So a
    database that is locked or restarting is asked again, well within the lease. Raises LeaseLost, DatabaseError.
    """
    for wait in RECORD_WAITS:
        try:
            return outbox.record(database, attempt, outcome, clock(), rng)
        except DatabaseError as error:
            log.warning("not written down yet", delivery=attempt.claimed.delivery_id, reason=str(error))
            sleep(wait)
    return outbox.record(database, attempt, outcome, clock(), rng)


def _tried(database: Database, settings: DeliverySettings, claimed: Claimed, clock: Clock) -> Delivered | Failed:
    """One try, its outcome as a value: no message, however odd, may stop those behind it."""
    try:
        with database.read() as connection:
            told = outbox.load(connection, claimed.delivery_id, clock())
            message = message_of(connection, told, settings.base_url)
        return Delivered(_send(message, told, settings, clock))
    except DeliveryError as error:
        return Failed(
            answer=str(error), permanent=error.permanent, retry_after=error.retry_after, whose=error.whose
        )  # fmt: skip
    except RenderingError as error:
        # an operator can mend a template, or bring back its folder, before the schedule ends
        return Failed(answer=str(error), whose="message")
    except DatabaseError:
        raise
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
