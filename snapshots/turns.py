"""One request at a time to a registry, politely spaced, across all threads, processes and machines of one database."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta

from sqlalchemy import select, update

from snapshots.database import Database
from snapshots.holders import this_process
from snapshots.leases import Lease, acquire, kept, leases, release

POLL = 0.25
"""Seconds between two looks at a turn that somebody else has and may give back any moment."""
LONGEST = 60.0
"""Seconds that no pause between two questions lasts."""


class DatabaseTurn:
    """Grants turns of `name`; between the end of one and the start of the next lie `interval` seconds.

    `clock` tells the time (aware UTC), `sleep` waits seconds. A holder that dies frees the turn: at once where its
    death can be seen from here, else at most `hold` seconds later; one that lives has its turn for as long as it takes.
    No transaction is open during a turn.
    """

    def __init__(
        self,
        database: Database,
        name: str,
        interval: float,
        clock: Callable[[], datetime],
        sleep: Callable[[float], None],
        *,
        hold: float = 40,
    ) -> None:
        self._database = database
        self._name = f"turn:{name}"
        self._interval = interval
        self._clock = clock
        self._sleep = sleep
        self._hold = hold

    @contextmanager
    def __call__(self) -> Iterator[None]:
        """Waits for the turn, holds it while the body runs. Raises DatabaseError where the database fails."""
        lease = self._wait()
        try:
            with kept(self._database, lease, self._clock, self._hold):
                yield
        finally:
            with self._database.write() as connection:
                release(connection, lease, free_at=self._clock() + timedelta(seconds=self._interval))

    def _wait(self) -> Lease:
        while True:
            with self._database.write() as connection:
                lease = acquire(connection, self._name, this_process(), self._clock(), self._hold)
            if lease is not None:
                return lease
            self._sleep(self._pause())

    def _pause(self) -> float:
        with self._database.read() as connection:
            row = connection.execute(select(leases).where(leases.c.name == self._name)).one()
        left: float = (row.until - self._clock()).total_seconds()
        if row.holder:
            return min(max(left, 0.001), POLL)  # a turn that is held may end any moment
        if left > max(LONGEST, 2 * self._interval):
            self._end_pause(row.until)
            return self._interval
        return max(left, 0.001)

    def _end_pause(self, until: datetime) -> None:
        """A pause that long was begun by a clock that was ahead: it ends an interval from now at the latest."""
        here = (leases.c.name == self._name) & (leases.c.until == until)
        end = self._clock() + timedelta(seconds=self._interval)
        with self._database.write() as connection:
            connection.execute(update(leases).where(here).values(until=end))
