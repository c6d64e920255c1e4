"""How long what is asked of a database may take: who does not wait for an answer any more leaves no query behind."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from time import monotonic

from sqlalchemy import Connection, text

STEPS = 20_000
"""Instructions of SQLite's machine between two looks at the clock: about a millisecond."""
INTERRUPTED = "took longer than it may, and was ended"

_ends: ContextVar[float | None] = ContextVar("ends", default=None)


@contextmanager
def within(seconds: float) -> Iterator[None]:
    """Transactions that begin within are ended so many seconds from now at the latest: what they ask then fails as a
    DatabaseError, and what they wrote is undone.
    """
    before = _ends.set(monotonic() + seconds)
    try:
        yield
    finally:
        _ends.reset(before)


@contextmanager
def limited(connection: Connection) -> Iterator[None]:
    """A transaction's statements end when its time is over; without a limit there is none."""
    ends = _ends.get()
    if ends is None:
        yield
    elif connection.dialect.name == "sqlite":
        raw = connection.connection.dbapi_connection
        assert raw is not None
        raw.set_progress_handler(lambda: monotonic() > ends, STEPS)
        try:
            yield
        finally:
            raw.set_progress_handler(None, 0)
    else:
        left = max(1, round((ends - monotonic()) * 1000))
        connection.execute(text(f"SET LOCAL statement_timeout = {left}"))
        yield
