"""What runs in the processes that the upkeep campaigns kill: each kills itself at a statement or moment it is given."""

import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from multiprocessing.connection import Connection as Pipe
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, event

from monitor import schema
from monitor.backup import back_up
from monitor.copying import copy
from notifiers import digest, outbox
from snapshots.archive.repacking import repack
from snapshots.backfill import back_fill
from snapshots.database import Database
from snapshots.registries.ctgov.client import CtgovRegistry
from tests.campaigns import victims


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


@contextmanager
def dying_at(statement: int) -> Iterator[list[int]]:
    """Dies just before that statement or commit (0: never); how many there were."""
    count = [0]

    def another(*_: Any) -> None:
        count[0] += 1
        if count[0] == statement:
            die()

    for name in ("before_cursor_execute", "commit"):
        event.listen(Engine, name, another)
    try:
        yield count
    finally:
        for name in ("before_cursor_execute", "commit"):
            event.remove(Engine, name, another)


def _at_statement(work: Callable[[], object], statement: int, say: Pipe) -> None:
    """Say "ready", work, and say at the end how many statements it took."""
    victims.quiet()
    say.send("ready")
    with dying_at(statement) as count:
        work()
    say.send(("done", count[0]))


def upgrading(url: str, statement: int, say: Pipe) -> None:
    """As `trialdelta db upgrade`."""
    _at_statement(lambda: schema.upgrade(Database(url)), statement, say)


def repacking(url: str, statement: int, now: datetime, say: Pipe) -> None:
    """As `trialdelta archive repack`."""
    _at_statement(lambda: repack(Database(url), now), statement, say)


def copying(url: str, source: str, statement: int, say: Pipe) -> None:
    """As `trialdelta db copy`, into the database at `url`."""
    _at_statement(lambda: copy(Database(source), Database(url)), statement, say)


def back_filling(url: str, registry_url: str, record: str, now: datetime, statement: int, say: Pipe) -> None:
    """As `trialdelta backfill`; says after each version how many of the listed ones are done."""
    with CtgovRegistry(registry_url, "campaign", _no_wait) as registry:
        told = lambda done, _total: say.send(("stored", done))  # noqa: E731
        work = lambda: back_fill(Database(url), registry, lambda: now, record, progress=told)  # noqa: E731
        _at_statement(work, statement, say)


@contextmanager
def _no_wait() -> Iterator[None]:
    yield


def folding(url: str, statement: int, now: datetime, say: Pipe) -> None:
    """As the daemon's round: snoozes that are over end, and what an hourly limit put off is told in summaries."""

    def work() -> None:
        database = Database(url)
        with database.write() as connection:
            digest.enqueue_due(connection, now)
        outbox.fold_due(database, now)

    _at_statement(work, statement, say)


def backing_up(url: str, target: str, seconds: float, say: Pipe) -> None:
    """As `trialdelta db backup`; dies after so many seconds."""
    victims.quiet()
    say.send("ready")
    threading.Timer(seconds, die).start()
    back_up(Database(url), Path(target))
    say.send(("done", 0))
    threading.Event().wait(60)
