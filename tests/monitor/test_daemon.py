"""The daemon says only "now"; what is due, and where it was, stands in the database."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest

from monitor import schema
from monitor.daemon import Daemon
from monitor.demo.sinks import MailSink
from monitor.demo.standin import Fault, StandIn
from monitor.settings import Settings, environment, load
from notifiers import subscriptions, watches
from notifiers.subscriptions import Subscription
from notifiers.watches import Wish
from snapshots import archive
from snapshots.archive.history import OBSERVED
from snapshots.database import Database
from tests.monitor.stage import DAYS, RECRUITING, at, trial
from tests.registries import nct

ROOT = Path(__file__).parents[2]
ONE, TWO = nct(1), nct(2)


@pytest.fixture
def standin() -> Iterator[StandIn]:
    with StandIn() as running:
        running.publish(DAYS[0], {ONE: trial(ONE), TWO: trial(TWO)})
        yield running


@pytest.fixture
def mail() -> Iterator[MailSink]:
    with MailSink() as running:
        yield running


@pytest.fixture
def settings(tmp_path: Path, standin: StandIn, mail: MailSink) -> Settings:
    given = {
        "TRIALDELTA_DATABASE_URL": f"sqlite:///{tmp_path / 'trialdelta.sqlite3'}",
        "TRIALDELTA_CTGOV_URL": standin.url,
        "TRIALDELTA_REQUEST_INTERVAL": "0",
        "TRIALDELTA_SWEEP_SCHEDULE": "1 s",
        "TRIALDELTA_PAGE": "false",
        "TRIALDELTA_SMTP_URL": mail.url,
        "TRIALDELTA_MAIL_FROM": "alerts@example.org",
    }
    return load(given, tmp_path / "no.env")


@pytest.fixture
def database(settings: Settings) -> Iterator[Database]:
    opened = Database(settings.database_url)
    schema.upgrade(opened)
    yield opened
    opened.dispose()


def watch(database: Database, record: str) -> None:
    with database.write() as connection:
        watches.add(connection, Wish(registry="ctgov", record_id=record), at(DAYS[0]))


def eventually(what: object, seconds: float = 20) -> None:
    """Waits until `what()` holds, at most so long."""
    end = time.monotonic() + seconds
    while not what():  # type: ignore[operator]
        assert time.monotonic() < end, "it never came to that"
        time.sleep(0.05)


PROGRAM = ("-m", "monitor", "run")
SIGNAL_TO_A_THREAD = """
import signal, sys, threading, time

def signal_itself():
    while signal.getsignal(signal.SIGTERM) is signal.SIG_DFL:
        time.sleep(0.05)
    time.sleep(1.5)
    signal.pthread_kill(threading.get_ident(), signal.SIGTERM)
    time.sleep(60)

threading.Thread(target=signal_itself, daemon=True).start()
sys.argv = ["trialdelta", "run"]
from monitor.cli import main
main()
"""
"""The program, in which the system gives the signal to end to another thread than the main one."""


@contextmanager
def running(settings: Settings, folder: Path, program: Sequence[str] = PROGRAM) -> Iterator[subprocess.Popen[str]]:
    """The daemon as a process of its own, killed at the end where it still runs."""
    with (folder / "log").open("a") as log:
        process = subprocess.Popen(
            [sys.executable, *program],
            cwd=folder,
            env={**os.environ, **environment(settings), "PYTHONPATH": str(ROOT)},
            stderr=log,
            text=True,
        )
        try:
            yield process
        finally:
            process.kill()
            process.wait(10)


def steps(database: Database, record: str) -> int:
    """How many steps its sweeps made. What is back-filled is left out: that comes when the daemon finds time for it."""
    with database.read() as connection:
        return sum(step.cause == OBSERVED for step in archive.steps(connection, "ctgov", record))


def test_a_watch_that_was_just_added_is_looked_at_once_and_not_again(settings: Settings, database: Database) -> None:
    daemon = Daemon(settings, database, lambda: at(DAYS[0], 15))
    watch(database, ONE)

    first, second = daemon.tick_new_watches(), daemon.tick_new_watches()

    assert first is not None
    assert first.first_seen == 1
    assert second is None


def test_a_new_watch_that_cannot_be_fetched_waits_for_the_schedule(
    settings: Settings, database: Database, standin: StandIn
) -> None:
    daemon = Daemon(settings, database, lambda: at(DAYS[0], 15))
    watch(database, ONE)
    standin.fail(Fault.FORBIDDEN)

    first, second = daemon.tick_new_watches(), daemon.tick_new_watches()

    assert first is not None
    assert first.outcome == "failed"
    assert second is None


def test_a_digest_whose_time_came_while_the_daemon_was_down_is_sent_once(
    settings: Settings, database: Database, mail: MailSink
) -> None:
    weekly = subscriptions.from_table(
        {"name": "weekly", "to": "mailto:bob@example.org", "deliver": {"digest": "weekly", "on": "monday"}}
    )
    with database.write() as connection:
        subscriptions.save(connection, weekly, at("2026-03-02"))
    late = Daemon(settings, database, lambda: at("2026-03-25"))

    due = [late.tick_digests(), late.tick_digests()]
    late.tick_deliveries()

    assert due == [1, 0]
    assert [letter.to for letter in mail.letters] == [("bob@example.org",)]


def test_a_good_sweep_is_told_to_the_dead_mans_switch(settings: Settings, database: Database, standin: StandIn) -> None:
    from msgspec.structs import replace

    with StandIn() as switch:
        daemon = Daemon(replace(settings, ping_url=f"{switch.url}/ping"), database)
        standin.fail(Fault.FORBIDDEN)
        daemon.tick_sweep()
        after_bad = len(switch.requests)
        standin.clear()
        daemon.tick_sweep()

    assert after_bad == 0
    assert [request.path for request in switch.requests] == ["/ping"]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_the_daemon_makes_its_tables_works_and_ends_when_it_is_told_to(
    settings: Settings, standin: StandIn, mail: MailSink, tmp_path: Path, number: signal.Signals
) -> None:
    database = Database(settings.database_url)
    with running(settings, tmp_path) as process:
        eventually(lambda: "running" in (tmp_path / "log").read_text())
        watch(database, ONE)
        with database.write() as connection:
            subscriptions.save(connection, Subscription(name="all", to=("mailto:alice@example.org",)), at(DAYS[0]))
        eventually(lambda: steps(database, ONE) == 1)
        standin.publish(DAYS[1], {ONE: trial(ONE, RECRUITING, "2026-03-02")})
        eventually(lambda: mail.letters)

        began = time.monotonic()
        process.send_signal(number)
        code = process.wait(15)

    assert code == 0
    assert time.monotonic() - began < 10
    assert mail.letters[0].subject.startswith(f"Site recruiting: {ONE}")
    assert '"event": "ended"' in (tmp_path / "log").read_text()


def test_a_signal_that_the_system_gives_to_another_thread_is_heard(settings: Settings, tmp_path: Path) -> None:
    with running(settings, tmp_path, ("-c", SIGNAL_TO_A_THREAD)) as process:
        code = process.wait(20)

    assert code == 0
    assert '"event": "ended"' in (tmp_path / "log").read_text()


def test_the_signal_to_end_cuts_short_what_waits_for_the_registry(
    settings: Settings, database: Database, standin: StandIn, tmp_path: Path
) -> None:
    watch(database, ONE)
    standin.fail(Fault.TOO_FAST_SECONDS)
    with running(settings, tmp_path) as process:
        eventually(lambda: standin.requests)

        began = time.monotonic()
        process.send_signal(signal.SIGTERM)
        code = process.wait(15)

    assert code == 0
    assert time.monotonic() - began < 6


def test_after_a_restart_it_goes_on_where_it_was(
    settings: Settings, database: Database, standin: StandIn, tmp_path: Path
) -> None:
    watch(database, ONE)
    with running(settings, tmp_path) as process:
        eventually(lambda: steps(database, ONE) == 1)
        process.kill()
        process.wait(10)
    standin.publish(DAYS[1], {ONE: trial(ONE, RECRUITING)})
    standin.requests.clear()

    with running(settings, tmp_path):
        eventually(lambda: steps(database, ONE) == 2)

    assert steps(database, ONE) == 2


def test_tables_of_a_later_version_are_left_alone(settings: Settings, database: Database, tmp_path: Path) -> None:
    from sqlalchemy import text

    with database.write() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = 'later'"))
        connection.execute(text("ALTER TABLE troubles RENAME COLUMN words TO sentences"))

    with running(settings, tmp_path) as process:
        code = process.wait(20)

    assert code == 2
    assert (tmp_path / "log").read_text().splitlines()[-1].startswith("Error: ")


def test_two_daemons_on_one_file_do_no_harm_and_say_so(
    settings: Settings, database: Database, standin: StandIn, mail: MailSink, tmp_path: Path
) -> None:
    with database.write() as connection:
        subscriptions.save(connection, Subscription(name="all", to=("mailto:alice@example.org",)), at(DAYS[0]))
    watch(database, ONE)
    (tmp_path / "first").mkdir()
    (tmp_path / "second").mkdir()
    with running(settings, tmp_path / "first"), running(settings, tmp_path / "second"):
        eventually(lambda: steps(database, ONE) == 1)
        for day, status in zip(DAYS[1:4], (RECRUITING, "NOT_YET_RECRUITING", RECRUITING), strict=True):
            told = len(mail.letters)
            standin.publish(day, {ONE: trial(ONE, status)})
            eventually(lambda told=told: len(mail.letters) > told)
        logs = [(tmp_path / name / "log").read_text() for name in ("first", "second")]

    assert len(mail.letters) == 3
    assert steps(database, ONE) == 4
    assert any("another daemon works on this database" in log for log in logs)
    assert not any("Traceback" in log or "unexpected" in log for log in logs)
