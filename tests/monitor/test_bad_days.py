"""The machine's worst days: a full disk, a damaged file, a server that cuts off, a kill amid a migration."""

import os
import shutil
import signal
import sqlite3
import subprocess
import sys
from pathlib import Path
from typing import Any

import psycopg
import pytest
from click.testing import CliRunner
from sqlalchemy import event, func, select

from monitor import database_upgrade
from monitor.cli import trialdelta
from monitor.database_upgrade import upgrade
from monitor.demo.standin import StandIn
from notifiers.subscriptions import Subscription
from notifiers.tables import deliveries
from snapshots import archive
from snapshots.archive.tables import versions
from snapshots.database import Database, DatabaseError
from tests.databases import PostgresqlServer
from tests.monitor.stage import DAYS, RECRUITING, Stage, kinds, trial
from tests.registries import Asked, nct

ROOT = Path(__file__).parents[2]
IDS = [nct(number) for number in range(1, 31)]
EVERYTHING = Subscription(name="everything", to=("mailto:alice@example.org",))


def ready(stage: Stage) -> None:
    stage.watch(*IDS)
    stage.subscribe(EVERYTHING)
    stage.day(DAYS[0], *map(trial, IDS))
    stage.publish(DAYS[1], *(trial(each, RECRUITING, "2026-03-02") for each in IDS))


def is_whole(stage: Stage) -> bool:
    """Every change is stored once, with its delivery, and the chain verifies."""
    with stage.database.read() as connection:
        stored = connection.execute(select(func.count()).select_from(versions)).scalar_one()
        due = connection.execute(select(func.count()).select_from(deliveries)).scalar_one()
        return (stored, due, list(archive.verify_chain(connection))) == (2 * len(IDS), len(IDS), [])


def test_a_disk_that_fills_up_amid_a_sweep_costs_one_line_and_no_alert(
    sqlite_database: Database, standin: StandIn
) -> None:
    stage = Stage(sqlite_database, standin)
    ready(stage)
    file = sqlite_database.file
    assert file is not None
    with sqlite3.connect(file) as raw:
        pages = raw.execute("PRAGMA page_count").fetchone()[0]
    raw.close()
    full = Database(sqlite_database.url)

    @event.listens_for(full._writers, "connect")
    def little_room(connection: Any, _record: object) -> None:
        connection.execute(f"PRAGMA max_page_count={pages + 4}")

    stage.database = full
    with pytest.raises(DatabaseError, match="the disk is full") as told:
        stage.look()
    full.dispose()
    stage.database = sqlite_database
    again = stage.look()

    assert "\n" not in str(told.value)
    assert again.outcome == "finished"
    assert is_whole(stage)


def test_a_server_that_cuts_off_amid_a_sweep_costs_one_line_and_no_alert(
    postgresql: PostgresqlServer, standin: StandIn
) -> None:
    class Cut(Asked):
        left = 10

        def parse(self, raw: bytes) -> Any:
            self.left -= 1
            if self.left == 0:
                with psycopg.connect(url, autocommit=True) as other:
                    other.execute(CUT_OFF)
            return super().parse(raw)

    with postgresql.url(tables=True) as url:
        database = Database(url)
        stage = Stage(database, standin)
        ready(stage)
        stage.registry = Cut(standin)
        failures = []
        for _ in range(2):  # the connection is made anew before the next use, or the sweep is
            try:
                report = stage.look()
                break
            except DatabaseError as error:
                failures.append(str(error))
        whole = is_whole(stage)
        database.dispose()

    assert report.outcome in ("finished", "nothing new")
    assert not any("\n" in words for words in failures)
    assert whole


CUT_OFF = """SELECT pg_terminate_backend(pid) FROM pg_stat_activity
    WHERE datname = current_database() AND pid <> pg_backend_pid()"""


def test_a_connection_that_is_lost_within_a_transaction_is_one_line(postgresql: PostgresqlServer) -> None:
    with postgresql.url(tables=True) as url:
        database = Database(url)
        with pytest.raises(DatabaseError, match="ended the connection") as told, database.write() as connection:
            connection.execute(select(versions.c.number)).all()
            with psycopg.connect(url, autocommit=True) as other:
                other.execute(CUT_OFF)
            connection.execute(select(versions.c.number)).all()
        with database.read() as connection:
            assert connection.execute(select(versions.c.number)).all() == []
        database.dispose()

    assert "\n" not in str(told.value)


@pytest.mark.parametrize("command", [("check",), ("watch", "list"), ("history", IDS[0]), ("deliveries", "list")])
def test_a_damaged_file_is_one_line_for_every_command(tmp_path: Path, command: tuple[str, ...]) -> None:
    file = tmp_path / "damaged.sqlite3"
    upgrade(f"sqlite:///{file}")
    content = bytearray(file.read_bytes())
    content[100:] = os.urandom(len(content) - 100)
    file.write_bytes(content)

    done = CliRunner(env={"TRIALDELTA_DATABASE_URL": f"sqlite:///{file}"}).invoke(trialdelta, list(command))

    assert done.exit_code == 2
    assert "is damaged; restore a backup" in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1


DIES_LATE = """
import os, signal
from alembic import op
import sqlalchemy as sa
revision = "next"
down_revision = "HEAD"
def upgrade():
    op.create_table("half", sa.Column("id", sa.Integer, primary_key=True))
    op.execute("UPDATE records SET title = 'lost'")
    os.kill(os.getpid(), signal.SIGKILL)
"""
UPGRADE = """
import sys
from pathlib import Path
from monitor import database_upgrade
database_upgrade.MIGRATIONS = Path(sys.argv[2])
database_upgrade.upgrade(sys.argv[1])
"""


FAILS_ON_WHAT_IS_THERE = """
from alembic import op
revision = "next"
down_revision = "HEAD"
def upgrade():
    op.execute("INSERT INTO chain (id, number, hash) SELECT id, number, hash FROM chain")
"""


def after_head(migration: str, database: Database) -> str:
    """A migration that follows on the newest one there is."""
    _, head = database_upgrade.current_and_head(database)
    return migration.replace("HEAD", str(head))


def test_a_migration_that_what_is_stored_does_not_allow_is_one_line(
    sqlite_database: Database, standin: StandIn, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stage = Stage(sqlite_database, standin)
    stage.watch(IDS[0])
    stage.day(DAYS[0], trial(IDS[0]))
    folder = tmp_path / "migrations"
    shutil.copytree(database_upgrade.MIGRATIONS, folder)
    (folder / "versions" / "next_fails.py").write_text(after_head(FAILS_ON_WHAT_IS_THERE, sqlite_database))
    monkeypatch.setattr(database_upgrade, "MIGRATIONS", folder)

    with pytest.raises(DatabaseError, match="nothing was changed") as told:
        upgrade(sqlite_database.url)

    assert "\n" not in str(told.value)


@pytest.mark.kill
def test_a_migration_that_is_killed_leaves_everything_as_it_was(
    database: Database, standin: StandIn, tmp_path: Path
) -> None:
    stage = Stage(database, standin)
    stage.watch(IDS[0])
    stage.day(DAYS[0], trial(IDS[0]))
    folder = tmp_path / "migrations"
    shutil.copytree(database_upgrade.MIGRATIONS, folder)
    (folder / "versions" / "next_dies_late.py").write_text(after_head(DIES_LATE, database))

    done = subprocess.run(
        [sys.executable, "-c", UPGRADE, database.url, str(folder)],
        cwd=ROOT,
        capture_output=True,
        timeout=60,
        check=False,
    )

    assert done.returncode == -signal.SIGKILL, done.stderr.decode()
    assert kinds(stage.day(DAYS[1], trial(IDS[0], RECRUITING))) == ["site.recruiting"]
    with database.schema_change() as connection:
        assert not connection.dialect.has_table(connection, "half")
