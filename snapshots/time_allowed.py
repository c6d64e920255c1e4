"""How long what is asked of a database may take: who does not wait for an answer any more leaves no query behind."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from time import monotonic
from typing import Any

from sqlalchemy import Connection, event, text

STEPS = 20_000
"""Instructions of SQLite's machine between two looks at the clock: about a millisecond."""
INTERRUPTED = "took longer than it may, and was ended"

_ends: ContextVar[float | None] = ContextVar("ends", default=None)


class TimeIsOver(Exception):  # noqa: N818  # it says what happened
    """A transaction took longer than it may."""


@contextmanager
def until(ends: float) -> Iterator[None]:
    """A transaction within that is not complete at that moment (of the monotonic clock, in seconds) is undone, and
    fails as a DatabaseError. What runs then is ended: by SQLite at once, by PostgreSQL when it has run as long as there
    was time when the transaction began.
    """
    before = _ends.set(ends)
    try:
        yield
    finally:
        _ends.reset(before)


@contextmanager
def limited(connection: Connection) -> Iterator[None]:
    """A transaction within its time, if it has one. Raises TimeIsOver."""
    ends = _ends.get()
    if ends is None:
        yield
        return
    _look(ends)
    with _statements_limited(connection, ends):
        yield
    _look(ends)


def _look(ends: float) -> None:
    if monotonic() > ends:
        raise TimeIsOver


@contextmanager
def _statements_limited(connection: Connection, ends: float) -> Iterator[None]:
    if connection.dialect.name != "sqlite":
        left = max(1, round((ends - monotonic()) * 1000))
        connection.execute(text(f"SET LOCAL statement_timeout = {left}"))
        # each statement has that time: between two of them it may be over

        @event.listens_for(connection, "before_cursor_execute")
        def _before(*_: Any) -> None:
            _look(ends)

        yield
        return
    raw = connection.connection.dbapi_connection
    assert raw is not None
    raw.set_progress_handler(lambda: monotonic() > ends, STEPS)
    try:
        yield
    finally:
        raw.set_progress_handler(None, 0)
