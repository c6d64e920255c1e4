"""Keeps the leases of what is being sent for as long as this process lives, however long a receiver takes."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from types import TracebackType

import structlog

from notifiers import outbox
from notifiers.outbox import Claimed
from snapshots.database import Database, DatabaseError

log = structlog.get_logger()


class Keeper:
    """Renews leases from a thread of its own, each for `seconds` again when a third of that is over.

    A process that is stopped, dies or is cut off renews nothing: its leases run out, and others take over. So a lease
    can be much shorter than the longest attempt, and what a dead process had in hand goes out soon after.
    """

    def __init__(self, database: Database, clock: Callable[[], datetime], seconds: float) -> None:
        self._database, self._clock, self._seconds = database, clock, seconds
        self._ended = threading.Event()
        self._lock = threading.Lock()
        self._under_way: dict[str, Claimed] = {}
        self._thread = threading.Thread(target=self._keep, name="keep leases", daemon=True)

    def __enter__(self) -> "Keeper":
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ended.set()
        self._thread.join()

    @contextmanager
    def keeping(self, claimed: Claimed) -> Iterator[None]:
        """Renew this one until the body ends."""
        with self._lock:
            self._under_way[claimed.delivery_id] = claimed
        try:
            yield
        finally:
            with self._lock:
                self._under_way.pop(claimed.delivery_id, None)

    def _keep(self) -> None:
        while not self._ended.wait(self._seconds / 3):
            with self._lock:
                under_way = list(self._under_way.values())
            if under_way:
                self._renew(under_way)

    def _renew(self, under_way: list[Claimed]) -> None:
        try:
            with self._database.write() as connection:
                outbox.renew(connection, under_way, self._clock(), self._seconds)
        except DatabaseError as error:
            log.warning("leases were not renewed", reason=str(error))  # they run out where that lasts
