"""A database server that dies and gives way to its standby, or is full; an interrupted upgrade that is run again."""

import shutil
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import psycopg
import pytest
from click.testing import CliRunner

from monitor import database_upgrade
from monitor.cli import trialdelta
from monitor.daemon import Daemon
from monitor.demo.sinks import MailSink
from monitor.demo.standin import StandIn
from monitor.doctor import examine_quickly
from monitor.findings import Finding
from snapshots import archive
from snapshots.database import Database, DatabaseError
from tests import databases
from tests.databases import PostgresqlServer
from tests.monitor.stage import DAYS, RECRUITING, Stage, at, kinds, trial
from tests.monitor.test_bad_days import DIES_LATE, ROOT, UPGRADE, after_head
from tests.monitor.test_worse_days import EVERYTHING, said_by, settings
from tests.registries import nct

ONE = nct(1)


def until(holds: Callable[[], bool], seconds: float = 20) -> bool:
    """Whether it came to hold."""
    pause = threading.Event()
    for _ in range(int(seconds * 10)):
        if holds():
            return True
        pause.wait(0.1)
    return False


# --- failed over ------------------------------------------------------------------------------------------------------


class Pair:
    """A PostgreSQL server and its standby, which follows it by streaming replication; real ones, on loopback."""

    def __init__(self, folder: Path, binaries: Path) -> None:
        self._folder, self._binaries = folder, binaries
        self._user = databases._unprivileged(folder)
        self._ports = {"first": databases._free_port(), "second": databases._free_port()}
        self._run("initdb", "first", "-U", "trialdelta", "-A", "trust", "-E", "UTF8", "--no-sync")
        self.start("first")
        source = f"postgresql://trialdelta@127.0.0.1:{self._ports['first']}/postgres"
        self._run("pg_basebackup", "second", "-d", source, "-R", "-c", "fast", "--no-sync")
        self.start("second")

    @property
    def url(self) -> str:
        hosts = "&".join(f"host=127.0.0.1:{port}" for port in self._ports.values())
        return f"postgresql://trialdelta@/postgres?{hosts}"

    def url_of(self, name: str) -> str:
        return f"postgresql://trialdelta@127.0.0.1:{self._ports[name]}/postgres"

    def start(self, name: str) -> None:
        options = f"-p {self._ports[name]} -c listen_addresses=127.0.0.1 -c unix_socket_directories= -c fsync=off"
        self._run("pg_ctl", name, "start", "-w", "-l", str(self._folder / f"{name}.log"), "-o", options)

    def stop(self, name: str) -> None:
        self._run("pg_ctl", name, "stop", "-w", "-m", "immediate", check=False)

    def promote(self) -> None:
        self._run("pg_ctl", "second", "promote", "-w")

    def has_followed(self) -> bool:
        """Whether the standby has all that the first server has."""
        with psycopg.connect(self.url_of("first"), autocommit=True) as first:
            lag = first.execute("SELECT pg_current_wal_lsn() - replay_lsn FROM pg_stat_replication").fetchall()
        return [int(row[0] or 0) for row in lag] == [0]

    def _run(self, program: str, name: str, *arguments: str, check: bool = True) -> None:
        command = [self._binaries / program, "-D", self._folder / name, *arguments]
        quiet: dict[str, Any] = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        subprocess.run(command, check=check, timeout=60, **quiet, **self._user)


@pytest.fixture
def pair() -> Iterator[Pair]:
    binaries = databases._newest_binaries()
    if binaries is None:
        pytest.skip("no PostgreSQL server is installed here of which there could be two")
    folder = Path(tempfile.mkdtemp(prefix="trialdelta-pair-"))
    with ExitStack() as stack:
        stack.callback(shutil.rmtree, folder, ignore_errors=True)
        made = Pair(folder, binaries)
        for name in ("first", "second"):
            stack.callback(made.stop, name)
        yield made


def test_a_server_that_dies_is_replaced_by_its_standby_and_no_alert_is_lost(pair: Pair, standin: StandIn) -> None:
    databases.make_tables(pair.url_of("first"))
    database = Database(pair.url)
    stage = Stage(database, standin)
    stage.watch(ONE)
    stage.subscribe(EVERYTHING)
    now = [at(DAYS[0])]
    with MailSink() as mail:
        conf = settings(pair.url, standin.url, SMTP_URL=mail.url, MAIL_FROM="alerts@example.org")
        daemon = Daemon(conf, database, lambda: now[0])
        standin.publish(DAYS[0], {ONE: trial(ONE)})
        said_by(daemon, "tick_presence", "tick_schedule")
        standin.publish(DAYS[1], {ONE: trial(ONE, RECRUITING, DAYS[1])})
        assert until(pair.has_followed)

        pair.stop("first")
        now[0] = at(DAYS[1])
        between = said_by(daemon, "tick_presence", "tick_schedule", "tick_deliveries")
        seen = [each for each in examine_quickly(conf, now[0]) if each.verdict == "failure"]
        pair.promote()
        assert until(lambda: not [each for each in said_by(daemon, "tick_presence") if each["event"] == "database"])
        after = said_by(daemon, "tick_schedule", "tick_deliveries")
    with database.read() as connection:
        problems = list(archive.verify_chain(connection))
    database.dispose()

    assert [line["event"] for line in between] == ["database"] * 3
    assert all("\n" not in line["reason"] for line in between)
    assert [each.check for each in seen] == ["database"]
    assert not [line for line in after if line["log_level"] == "error"]
    assert [letter.subject.partition(":")[0] for letter in mail.letters] == ["Site recruiting"]
    assert problems == []


def test_what_the_doctor_says_of_a_server_that_is_down(tmp_path: Path) -> None:
    url = f"postgresql://me:s3cret@127.0.0.1:{databases._free_port()}/trialdelta"
    found = list(examine_quickly(settings(url, "http://127.0.0.1:9"), at(DAYS[0])))
    said = CliRunner(env={"TRIALDELTA_DATABASE_URL": url}).invoke(trialdelta, ["check"])

    assert [(each.check, each.verdict) for each in found] == [("database", "failure")]
    assert "`trialdelta settings`" in found[0].advice
    assert said.exit_code == 2
    assert len(said.stderr.strip().splitlines()) == 1
    assert "s3cret" not in said.stderr + found[0].found


# --- full -------------------------------------------------------------------------------------------------------------

IS_FULL = """CREATE FUNCTION is_full() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    RAISE EXCEPTION 'could not extend file "base/1/2": No space left on device' USING ERRCODE = 'disk_full'; END $$;
    CREATE TRIGGER full_disk BEFORE INSERT ON versions EXECUTE FUNCTION is_full()"""
HAS_ROOM = "DROP TRIGGER full_disk ON versions; DROP FUNCTION is_full()"


def test_a_postgresql_server_whose_disk_is_full_costs_one_line_and_no_alert(
    postgresql: PostgresqlServer, standin: StandIn
) -> None:
    """Simulated: the server's own error code, raised by a trigger at each version that is to be kept."""
    with postgresql.url(tables=True) as url:
        database = Database(url)
        stage = Stage(database, standin)
        stage.watch(ONE)
        stage.subscribe(EVERYTHING)
        stage.day(DAYS[0], trial(ONE))
        stage.publish(DAYS[1], trial(ONE, RECRUITING, DAYS[1]))
        with psycopg.connect(url, autocommit=True) as other:
            other.execute(IS_FULL)
        with pytest.raises(DatabaseError, match="the disk is full") as told:
            stage.look()
        with psycopg.connect(url, autocommit=True) as other:
            other.execute(HAS_ROOM)
        again = stage.look()
        database.dispose()

    assert "\n" not in str(told.value)
    assert kinds(again) == ["site.recruiting"]


def test_a_disk_that_is_nearly_full_is_told_before_it_is_full(sqlite_database: Database) -> None:
    from monitor import silence

    (seen,) = silence.look(sqlite_database, "ctgov", at(DAYS[0]), schedule_seconds=1800, free=lambda _: 1_000_000)

    assert seen.key == "disk"
    assert "nearly full" in seen.words
    assert "make room" in seen.words


# --- an upgrade that was interrupted ----------------------------------------------------------------------------------

GOES_THROUGH = """
from alembic import op
import sqlalchemy as sa
revision = "next"
down_revision = "HEAD"
def upgrade():
    op.create_table("half", sa.Column("id", sa.Integer, primary_key=True))
"""


@pytest.mark.kill
def test_an_upgrade_that_was_killed_goes_through_when_it_is_run_again(
    database: Database, standin: StandIn, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stage = Stage(database, standin)
    stage.watch(ONE)
    stage.day(DAYS[0], trial(ONE))
    stage.day(DAYS[1], trial(ONE, RECRUITING, DAYS[1]))
    folder = tmp_path / "migrations"
    shutil.copytree(database_upgrade.MIGRATIONS, folder)
    migration = folder / "versions" / "next.py"
    migration.write_text(after_head(DIES_LATE, database))
    command = [sys.executable, "-c", UPGRADE, database.url, str(folder)]
    killed = subprocess.run(command, cwd=ROOT, capture_output=True, timeout=60, check=False)
    migration.write_text(after_head(GOES_THROUGH, database))
    monkeypatch.setattr(database_upgrade, "MIGRATIONS", folder)

    before: list[Finding] = list(examine_quickly(settings(database.url, standin.url), at(DAYS[1])))
    refused = _said(database, "watch", "list")
    upgraded = _said(database, "db", "upgrade")

    assert killed.returncode == -signal.SIGKILL
    assert before[0].verdict == "failure"
    assert "`trialdelta db upgrade`" in before[0].advice
    assert refused[0] == 2
    assert "trialdelta db upgrade" in refused[1]
    assert upgraded[0] == 0, upgraded
    with database.read() as connection:
        assert connection.dialect.has_table(connection, "half")
        assert [len(step.changes) for step in archive.steps(connection, "ctgov", ONE)] == [1, 1]
        assert list(archive.verify_chain(connection)) == []


def _said(database: Database, *words: str) -> tuple[int, str]:
    done = CliRunner(env={"TRIALDELTA_DATABASE_URL": database.url}).invoke(trialdelta, list(words))
    return done.exit_code, done.stderr
