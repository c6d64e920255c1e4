"""Upkeep killed at random moments: is the database whole each time, and the end that of a run that nobody killed?"""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import Any

from alembic import command
from sqlalchemy import MetaData, Select, Table, insert, select, text

from monitor import database_upgrade, schema
from monitor.backup import back_up, check_backup
from monitor.copying import copy
from monitor.demo.standin import StandIn
from notifiers import digest, ledger, outbox
from snapshots import archive
from snapshots.archive.repacking import repack
from snapshots.archive.tables import versions
from snapshots.database import Database, metadata
from tests.campaigns import kills, upkeep_victims, victims
from tests.campaigns.kills import Campaign
from tests.campaigns.results import Result
from tests.databases import drop_everything, make_tables
from tests.notifiers.cast import HOOK, HOUR, MAIL, change, subscribe, tell, watch
from tests.notifiers.cast import NOW as told_at  # noqa: N811 - another time than the campaigns' own
from tests.snapshots.past_cast import FORTY, NOW, TRIAL, Past

Rows = dict[str, list[tuple[Any, ...]]]
LIVED_IN = 40
"""Versions in the archives that are upgraded, repacked and copied."""


def run(url: str, what: str, rounds: int, seed: int = 1) -> Result:
    """Kill (`what`: one of `CAMPAIGNS`) so many times, at points by `seed`."""
    return kills.carry_out(CAMPAIGNS[what](Database(url), Random(seed)), rounds)


class _Upkeep(Campaign):
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
        self.counts["killed while at work"] += not _is_done(heard)
        return heard


def _is_done(heard: list[Any]) -> bool:
    return bool(heard) and heard[-1][0] == "done"


# --- db upgrade -------------------------------------------------------------------------------------------------------


class _Migrations(_Upkeep):
    NAME = "SIGKILL while upgrading the database"
    CLAIM = (
        "it is as it was or upgraded, nothing in between; every row is there; the backup made before is whole or "
        "absent; the next upgrade ends, and the chain verifies"
    )

    @contextmanager
    def more_scenery(self) -> Iterator[None]:
        self.oldest = Database(f"sqlite:///{self.folder}/oldest.sqlite3")
        _go_back_to_first(self.oldest)
        with _lived_in(self.folder) as source:
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
        self.check(number, found == "current" or not _is_done(heard), "it said that it was done")
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


class _Backups(_Upkeep):
    NAME = "SIGKILL while backing up"
    CLAIM = (
        "the backup is whole or absent, whole where it was said to be done; the next one is made; the database holds"
    )
    seconds = 0.0

    @contextmanager
    def scenery(self) -> Iterator[None]:
        with TemporaryDirectory() as folder:
            self.folder = Path(folder)
            _fill(self.database, 400)
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


# --- back-fill --------------------------------------------------------------------------------------------------------


class _BackFills(_Upkeep):
    NAME = "SIGKILL while filling in the past"
    CLAIM = (
        "the chain verifies, no version that was said to be stored is missing, the end is the archive that a run has "
        "which nobody killed; then the same content by the other interface tells no change"
    )

    @contextmanager
    def more_scenery(self) -> Iterator[None]:
        with StandIn() as self.standin:
            self.past = Past(self.database, self.standin)
            yield
            self._end(-1)

    def prepare(self) -> None:
        _empty(self.database)

    def victim(self, statement: int) -> tuple[Any, ...]:
        return upkeep_victims.back_filling, self.standin.url, TRIAL, NOW, statement

    def check_whole(self, number: int) -> None:
        self.unbroken = self.past.everything()
        self.check(number, len(self.unbroken[1]) == len(FORTY), f"{len(self.unbroken[1])} versions")
        self.prepare()

    def round(self, number: int) -> None:
        heard = self.attempt(self.chance.randint(1, max(1, self.statements // 8)))
        self.counts["kills"] += 1
        self.counts["killed while at work"] += not _is_done(heard)
        with self.database.read() as connection:
            problems = list(archive.verify_chain(connection))
        self.check(number, not problems, "; ".join(problems))
        said = max((done for what, done in heard if what == "stored"), default=0)
        self.check(number, len(self.past.versions()) >= said, f"{said} versions were said to be stored")
        if _is_done(heard):
            self._end(number)

    def _end(self, number: int) -> None:
        """Go on to the end, look at the record of today, and begin anew."""
        self.past.fill()
        self.check(number, self.past.everything() == self.unbroken, "the archive is not that of an unbroken run")
        self.past.observe(FORTY[-1], "2026-06-01")
        self.past.fill()
        seam = self.past.steps()[-1]
        self.check(number, seam.cause == "back-filled" and not seam.changes, f"told at the seam: {seam.changes}")
        self.counts["histories filled in"] += 1
        self.prepare()


# --- archive repack ---------------------------------------------------------------------------------------------------


class _Repackings(_Upkeep):
    NAME = "SIGKILL while repacking"
    CLAIM = "the chain verifies and every version is given back byte for byte, at each moment and at the end"

    @contextmanager
    def more_scenery(self) -> Iterator[None]:
        _fill(self.database, LIVED_IN)
        self.raws = self._raws()
        yield

    def victim(self, statement: int) -> tuple[Any, ...]:
        return upkeep_victims.repacking, statement, NOW

    def round(self, number: int) -> None:
        self.kill_at_random()
        self.check_whole(number)
        if number % 5 == 0:
            repack(self.database, NOW)
            self.check_whole(number)

    def check_whole(self, number: int) -> None:
        self.check_archive(number)
        self.check(number, self._raws() == self.raws, "the versions are not what they were")

    def _raws(self) -> list[bytes]:
        with self.database.read() as connection:
            numbers = connection.execute(select(versions.c.number).order_by(versions.c.number)).scalars().all()
            return [archive.read_version(connection, number) for number in numbers]


# --- db copy ----------------------------------------------------------------------------------------------------------


class _Copies(_Upkeep):
    NAME = "SIGKILL while copying to another database"
    CLAIM = "the copy is whole or empty, whole where it was said to be done; the next one succeeds; the source holds"

    @contextmanager
    def more_scenery(self) -> Iterator[None]:
        with _lived_in(self.folder) as self.source:
            self.rows = _all_rows(self.source, metadata)
            yield

    def prepare(self) -> None:
        _empty(self.database)

    def victim(self, statement: int) -> tuple[Any, ...]:
        return upkeep_victims.copying, self.source.url, statement

    def round(self, number: int) -> None:
        self.prepare()
        heard = self.kill_at_random()
        found = _all_rows(self.database, metadata)
        is_empty = not any(found.values())
        self.check(
            number, found == self.rows or (is_empty and not _is_done(heard)), "the copy is neither whole nor empty"
        )
        if is_empty:
            copy(self.source, self.database)
        self.check_whole(number)

    def check_whole(self, number: int) -> None:
        self.check(number, _all_rows(self.database, metadata) == self.rows, "the copy is not what was copied")
        self.check(number, _all_rows(self.source, metadata) == self.rows, "what was copied from was altered")
        self.check_archive(number)


# --- summaries --------------------------------------------------------------------------------------------------------


class _Summaries(_Upkeep):
    NAME = "SIGKILL while ending snoozes and putting messages into summaries"
    CLAIM = "each wanted change is told to each address once, by a message of its own or in one summary; none is lost"

    def prepare(self) -> None:
        _empty(self.database)
        records = [f"NCT9920{number:04}" for number in range(6)]
        with self.database.write() as connection:
            watch(connection, *records)
            subscribe(connection, "limited", max_per_hour=1)
            subscribe(connection, "asleep", to=[HOOK], snooze_until=told_at + HOUR, at=told_at - HOUR)
            for record in records:
                tell(connection, change("site.added"), record=record, at=told_at)

    def victim(self, statement: int) -> tuple[Any, ...]:
        return upkeep_victims.folding, statement, told_at + HOUR

    def round(self, number: int) -> None:
        self.prepare()
        self.kill_at_random()
        with self.database.write() as connection:
            digest.enqueue_due(connection, told_at + HOUR)
        outbox.fold_due(self.database, told_at + HOUR)
        self.check_whole(number)

    def check_whole(self, number: int) -> None:
        with self.database.read() as connection:
            found = ledger.listing(connection, limit=1000)
        told = [one for one in found if one.state == "pending" and one.due_at and one.due_at <= told_at + HOUR]
        for uri in (MAIL, HOOK):
            changes = [change_id for one in told if one.uri == uri for change_id in one.change_ids]
            self.check(number, len(changes) == len(set(changes)) == 6, f"{uri}: {changes}")
        kinds = sorted(one.type for one in told)
        self.check(number, kinds == ["summary", "summary", "trial.changed"], ", ".join(kinds))


# --- what several need ------------------------------------------------------------------------------------------------


def _fill(database: Database, count: int) -> None:
    for number in range(1, count + 1):
        victims.append_one(database, number)


@contextmanager
def _lived_in(folder: Path) -> Iterator[Database]:
    """A SQLite database in which something happened."""
    database = Database(f"sqlite:///{folder}/lived_in.sqlite3")
    make_tables(database.url)
    _fill(database, LIVED_IN)
    yield database
    database.dispose()


def _empty(database: Database) -> None:
    with database.write() as connection:
        if database.is_sqlite:
            connection.execute(text("PRAGMA defer_foreign_keys = ON"))
        else:
            connection.execute(text("SET session_replication_role = replica"))
        for table in reversed(metadata.sorted_tables):
            connection.execute(table.delete())
        if not database.is_sqlite:
            connection.execute(text("SET session_replication_role = DEFAULT"))


CAMPAIGNS: dict[str, type[_Upkeep]] = {
    "migration": _Migrations,
    "backup": _Backups,
    "back-fill": _BackFills,
    "repacking": _Repackings,
    "copy": _Copies,
    "summaries": _Summaries,
}
ONLY_SQLITE = frozenset({"backup"})
"""PostgreSQL is backed up by its own program."""
