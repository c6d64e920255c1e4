"""Sends what is due: claim, write down the attempt, compose, send, record; one dead channel never delays another."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from random import Random
from threading import Event, Lock
from time import sleep
from typing import TypeVar

import structlog
from structlog import contextvars

from notifiers import outbox
from notifiers.addresses import logged
from notifiers.channels import Channel, DeliveryError, DeliverySettings, channel_for
from notifiers.composing import message_of, templates_of
from notifiers.keeping import Keeper
from notifiers.message import Message
from notifiers.outbox import Attempt, Claimed, Delivered, Failed, LeaseLost, Told
from notifiers.rendering import Rendered, RenderingError, render_or_ours
from notifiers.template_folders import IN_OURS
from snapshots.database import Database, DatabaseError

__all__ = ["DeliverySettings", "deliver_due", "deliver_one"]

Clock = Callable[[], datetime]
"""Gives the present, aware UTC."""

Written = TypeVar("Written")

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
    attempt = outbox.take(database, worker, clock(), settings.lease_seconds)
    if attempt is None:
        return False
    here = contextvars.bound_contextvars(delivery=attempt.claimed.delivery_id)
    with Keeper(database, clock, settings.lease_seconds) as keeper, keeper.keeping(attempt.claimed), here:
        outcome = _tried(database, settings, attempt.claimed, clock)
        _recorded(attempt, outcome, lambda: (outbox.record(database, attempt, outcome, clock(), rng), None))
    return True


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
    stopping = stop or Event()
    outbox.fold_due(database, clock())
    if stopping.is_set() or not outbox.is_any_due(database, clock()):
        return 0
    with (
        Keeper(database, clock, settings.lease_seconds) as keeper,
        ThreadPoolExecutor(threads, thread_name_prefix="deliver") as pool,
    ):
        shift = _Shift(database, settings, worker, clock, rng, stopping, keeper)
        return sum(pool.map(shift.work, range(threads)))


class _Shift:
    """Threads that share one list of what is due, until it is empty and none of them is sending any more."""

    def __init__(  # noqa: PLR0917 - all of them from the one place above
        self,
        database: Database,
        settings: DeliverySettings,
        worker: str,
        clock: Clock,
        rng: Random,
        stopping: Event,
        keeper: Keeper,
    ) -> None:
        self._database, self._settings, self._worker = database, settings, worker
        self._clock, self._rng, self._stopping, self._keeper = clock, rng, stopping, keeper
        self._asking = Lock()
        self._sending: set[int] = set()

    def work(self, number: int) -> int:
        """Send until nothing is left to do; how many were tried."""
        tried = 0
        while not self._stopping.is_set():
            attempt, others_send = self._take(number)
            while attempt is not None:
                attempt = self._send(number, attempt)
                tried += 1
            if others_send:
                self._stopping.wait(PAUSE)
            elif not self._sending:
                break
        return tried

    def _take(self, number: int) -> tuple[Attempt | None, bool]:
        """The next delivery, and whether others are sending: asked together, so that nobody leaves too early."""
        with self._asking:
            if self._stopping.is_set():
                return None, False
            worker = f"{self._worker}/{number}"
            attempt = outbox.take(self._database, worker, self._clock(), self._settings.lease_seconds)
            others_send = bool(self._sending)
            if attempt is not None:
                self._sending.add(number)
        return attempt, others_send and attempt is None

    def _send(self, number: int, attempt: Attempt) -> Attempt | None:
        """Try it and write down what became of it; what to try next, where something is due."""
        following = None
        try:
            here = contextvars.bound_contextvars(delivery=attempt.claimed.delivery_id)
            with self._keeper.keeping(attempt.claimed), here:
                outcome = _tried(self._database, self._settings, attempt.claimed, self._clock)
                following = _recorded(attempt, outcome, lambda: self._record(attempt, outcome))
        finally:
            if following is None:
                self._sending.discard(number)
        return following

    def _record(self, attempt: Attempt, outcome: Delivered | Failed) -> tuple[outbox.State, Attempt | None]:
        """One after the other, and nothing is taken after the signal to stop: what ends an attempt may have given it,
        and nobody who had looked before may find its address free after that.
        """
        seconds = self._settings.lease_seconds
        with self._asking:
            if self._stopping.is_set():
                return outbox.record(self._database, attempt, outcome, self._clock(), self._rng), None
            return outbox.record_and_take(self._database, attempt, outcome, self._clock(), self._rng, seconds)


def _recorded(
    attempt: Attempt, outcome: Delivered | Failed, write: Callable[[], tuple[outbox.State, Attempt | None]]
) -> Attempt | None:
    """What became of it, written down. Nobody else knows: where it is not, the message goes out once more. So a
    database that is locked or restarting is asked again. Returns what `write` took besides. Raises DatabaseError.
    """
    try:
        state, following = _in_the_end(write, attempt.claimed.delivery_id)
    except LeaseLost as error:
        log.warning("another worker took over", delivery=attempt.claimed.delivery_id, reason=str(error))
        return None
    _tell_operator(attempt, outcome, state)
    return following


def _in_the_end(write: Callable[[], Written], delivery_id: str) -> Written:
    for wait in RECORD_WAITS:
        try:
            return write()
        except DatabaseError as error:
            log.warning("not written down yet", delivery=delivery_id, reason=str(error))
            sleep(wait)
    return write()


def _tried(database: Database, settings: DeliverySettings, claimed: Claimed, clock: Clock) -> Delivered | Failed:
    """One try, its outcome as a value: no message, however odd, may stop those behind it."""
    try:
        with database.read() as connection:
            told = outbox.load(connection, claimed.delivery_id, clock())
            channel = channel_for(told.address.uri)
            message = message_of(
                connection, told, settings.base_url, with_facts=channel.READS_WORDS, operator=settings.operator
            )
        return Delivered(_send(channel, message, told, settings, clock))
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


def _send(channel: Channel, message: Message, told: Told, settings: DeliverySettings, clock: Clock) -> str:
    if not channel.READS_WORDS:
        return channel.send(message, WORDLESS, told.address, settings, clock())
    laid_out = render_or_ours(message, templates_of(told))
    answer = channel.send(message, laid_out.rendered, told.address, settings, clock())
    if laid_out.trouble is None:
        return answer
    log.error("templates cannot be used, ours took their place", delivery=told.delivery_id, reason=laid_out.trouble)
    return f"{answer} ({IN_OURS}{laid_out.trouble})"


def _tell_operator(attempt: Attempt, outcome: Delivered | Failed, state: str) -> None:
    """Into the log, what an operator must hear of: where it went, and nobody's name in it, the ledger has that."""
    claimed = attempt.claimed
    about = {
        "delivery": claimed.delivery_id,
        "type": claimed.type,
        "to": logged(claimed.uri),
        "attempt": attempt.number,
        "answer": outcome.answer,
    }
    if isinstance(outcome, Delivered):
        log.info("delivered", **about)
    elif state == "failed" or outcome.whose != "address":
        log.error("not delivered", state=state, whose=outcome.whose, **about)
    else:
        log.warning("not delivered yet", **about)
