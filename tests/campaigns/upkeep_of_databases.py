"""A database upgraded, backed up and copied, and a kill in the middle: are both whole, that one and what was made?"""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from alembic import command
from sqlalchemy import MetaData, Select, Table, insert, select

from monitor import database_upgrade, schema
from monitor.backup import back_up, check_backup
from monitor.copying import copy
from snapshots import archive
from snapshots.database import Database, metadata
from tests.campaigns import kills, upkeep_victims, victims
from tests.campaigns.upkeep_work import Upkeep, empty, fill, is_done, lived_in
from tests.databases import drop_everything

Rows = dict[str, list[tuple[Any, ...]]]


# --- db upgrade -------------------------------------------------------------------------------------------------------


class Migrations(Upkeep):
    NAME = "SIGKILL while upgrading the database"
    CLAIM = (
        "it is as it was or upgraded, nothing in between; every row is there; the backup made before is whole or "
        "absent; the next upgrade ends, and the chain verifies"
    )

    @contextmanager
    def more_scenery(self) -> Iterator[None]:
        self.oldest = Database(f"sqlite:///{self.folder}/oldest.sqlite3")
        _go_back_to_first(self.oldest)
        with lived_in(self.folder) as source:
            self.rows = _all_rows(source, _tables_of(self.oldest))
        yield

    def prepare(self) -> None:
        drop_everything(self.database)
        _go_back_to_first(self.database)
        tables = _tables_of(self.database)
        with self.database.write() as connection:
            for table in tables.sorted_tables:
                if rows := self.rows.get(table.name):
                    connection.execute(
                        insert(table), [dict(zip(table.columns.keys(), row, strict=True)) for row in rows]
                    )

    def victim(self, statement: int) -> tuple[Any, ...]:
        return upkeep_victims.upgrading, statement

    def round(self, number: int) -> None:
        self.prepare()
        heard = self.kill_at_random()
        found = schema.state(self.database)
        self.check(number, found == "current" or not is_done(heard), "it said that it was done")
        self.counts["were upgraded already"] += found == "current"
        self.check(number, self.rows == _all_rows(self.database, _tables_of(self.oldest)), "rows are not as they were")
        for kept in self.folder.glob("*.before-upgrade-from-*"):
            check_backup(kept)
        schema.upgrade(self.database)
        self.check_whole(number)

    def check_whole(self, number: int) -> None:
        self.check(number, schema.state(self.database) == "current", "it is not upgraded")
        self.check(number, self.rows == _all_rows(self.database, _tables_of(self.oldest)), "rows were lost or altered")
        self.check_archive(number)


def _go_back_to_first(database: Database) -> None:
    """The tables of the first release, empty."""
    config = database_upgrade._configuration()
    with database.schema_change() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "0001")


def _tables_of(database: Database) -> MetaData:
    found = MetaData()
    with database.read() as connection:
        found.reflect(connection)
    found.remove(found.tables["alembic_version"])
    return found


def _all_rows(database: Database, tables: MetaData) -> Rows:
    """All rows, of the columns that these tables have."""
    with database.read() as connection:
        return {
            table.name: sorted(map(tuple, connection.execute(_as_now(table))), key=_by_number)
            for table in tables.sorted_tables
        }


def _as_now(table: Table) -> Select[Any]:
    """Those columns of today's table that this one has."""
    now = metadata.tables[table.name]
    return select(*(now.c[column.name] for column in table.columns))


def _by_number(row: tuple[Any, ...]) -> tuple[int, str]:
    """What others point to comes first."""
    return (row[0] if isinstance(row[0], int) else 0, repr(row))


# --- db backup --------------------------------------------------------------------------------------------------------


class Backups(Upkeep):
    NAME = "SIGKILL while backing up"
    CLAIM = (
        "the backup is whole or absent, whole where it was said to be done; the next one is made; the database holds"
    )
    seconds = 0.0

    @contextmanager
    def scenery(self) -> Iterator[None]:
        with TemporaryDirectory() as folder:
            self.folder = Path(folder)
            fill(self.database, 400)
            began = time.monotonic()
            back_up(self.database, self.folder / "first")
            self.seconds = time.monotonic() - began
            yield

    def round(self, number: int) -> None:
        victims.append_one(self.database, 1000 + number)
        target = self.folder / f"{number}.sqlite3"
        given = (str(target), self.chance.uniform(0, self.seconds))
        with self.process(upkeep_victims.backing_up, *given) as (victim, said):
            victim.join(kills.PATIENCE)
            heard = list(kills.heard(said))
        self.counts["kills"] += 1
        self.counts["killed while at work"] += not heard
        self.check(number, target.exists() or not heard, "it said that it was done")
        if not target.exists():
            back_up(self.database, target)
        self._check_copy(number, target)
        self.check_archive(number)
        target.unlink()

    def _check_copy(self, number: int, target: Path) -> None:
        check_backup(target)
        copied = Database(f"sqlite:///{target}")
        with copied.read() as made, self.database.read() as own:
            self.check(number, archive.chain_head(made) == archive.chain_head(own), "the backup lacks something")
            self.check(number, not list(archive.verify_chain(made)), "the backup's chain does not hold")
        copied.dispose()


# --- db copy ----------------------------------------------------------------------------------------------------------


class Copies(Upkeep):
    NAME = "SIGKILL while copying to another database"
    CLAIM = "the copy is whole or empty, whole where it was said to be done; the next one succeeds; the source holds"

    @contextmanager
    def more_scenery(self) -> Iterator[None]:
        with lived_in(self.folder) as self.source:
            self.rows = _all_rows(self.source, metadata)
            yield

    def prepare(self) -> None:
        empty(self.database)

    def victim(self, statement: int) -> tuple[Any, ...]:
        return upkeep_victims.copying, self.source.url, statement

    def round(self, number: int) -> None:
        self.prepare()
        heard = self.kill_at_random()
        found = _all_rows(self.database, metadata)
        is_empty = not any(found.values())
        self.check(
            number, found == self.rows or (is_empty and not is_done(heard)), "the copy is neither whole nor empty"
        )
        if is_empty:
            copy(self.source, self.database)
        self.check_whole(number)

    def check_whole(self, number: int) -> None:
        self.check(number, _all_rows(self.database, metadata) == self.rows, "the copy is not what was copied")
        self.check(number, _all_rows(self.source, metadata) == self.rows, "what was copied from was altered")
        self.check_archive(number)
