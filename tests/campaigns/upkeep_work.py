"""Work on a database that is killed at one of its statements, and what that work is done on."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from sqlalchemy import text

from snapshots.database import Database, metadata
from tests.campaigns import kills, victims
from tests.campaigns.kills import Campaign
from tests.databases import make_tables

LIVED_IN = 40
"""Versions in the archives that are upgraded, repacked and copied."""


class Upkeep(Campaign):
    """Work that is done in so many statements when nobody kills it."""

    statements = 0

    @contextmanager
    def scenery(self) -> Iterator[None]:
        with TemporaryDirectory() as folder:
            self.folder = Path(folder)
            with self.more_scenery():
                self.prepare()
                self.statements = self.attempt(0)[-1][1]
                self.check_whole(0)
                yield

    @contextmanager
    def more_scenery(self) -> Iterator[None]:
        yield

    def prepare(self) -> None:
        """Put the database as it is before the work."""

    def victim(self, statement: int) -> tuple[Any, ...]:
        """What to run, and what to give it."""
        raise NotImplementedError

    def check_whole(self, number: int) -> None:
        """All that the work is to bring about is there."""
        raise NotImplementedError

    def attempt(self, statement: int) -> list[Any]:
        """Let it work until it kills itself at that statement (0: to its end); what it said."""
        with self.process(*self.victim(statement)) as (victim, said):
            victim.join(kills.PATIENCE)
            return list(kills.heard(said))

    def kill_at_random(self) -> list[Any]:
        heard = self.attempt(self.chance.randint(1, self.statements))
        self.counts["kills"] += 1
        self.counts["killed while at work"] += not is_done(heard)
        return heard


def is_done(heard: list[Any]) -> bool:
    return bool(heard) and heard[-1][0] == "done"


def fill(database: Database, count: int) -> None:
    for number in range(1, count + 1):
        victims.append_one(database, number)


@contextmanager
def lived_in(folder: Path) -> Iterator[Database]:
    """A SQLite database in which something happened."""
    database = Database(f"sqlite:///{folder}/lived_in.sqlite3")
    make_tables(database.url)
    fill(database, LIVED_IN)
    yield database
    database.dispose()


def empty(database: Database) -> None:
    with database.write() as connection:
        if database.is_sqlite:
            connection.execute(text("PRAGMA defer_foreign_keys = ON"))
        else:
            connection.execute(text("SET session_replication_role = replica"))
        for table in reversed(metadata.sorted_tables):
            connection.execute(table.delete())
        if not database.is_sqlite:
            connection.execute(text("SET session_replication_role = DEFAULT"))
