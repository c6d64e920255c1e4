"""When others fail: a registry that lies, a database server that goes away, no names, no mail, a wrong clock."""

import shutil
import socket
import subprocess
import tempfile
import threading
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

import psycopg
import pytest
import structlog
from sqlalchemy import select

from monitor import asked_for
from monitor.daemon import Daemon
from monitor.demo.sinks import MailSink
from monitor.demo.standin import StandIn
from monitor.health import health
from monitor.settings import Settings, load
from notifiers import addresses
from notifiers.channels import DeliverySettings
from notifiers.deliver import deliver_due, deliver_one
from notifiers.subscriptions import Subscription
from notifiers.tables import deliveries
from snapshots import archive
from snapshots.database import Database, DatabaseError
from tests import databases
from tests.monitor.stage import DAYS, RECRUITING, Stage, at, kinds, trial
from tests.registries import nct

IDS = [nct(number) for number in range(1, 41)]
ALICE = "mailto:alice@example.org"
EVERYTHING = Subscription(name="everything", to=(ALICE,))


def settings(url: str, standin_url: str, **given: str) -> Settings:
    values = {"DATABASE_URL": url, "CTGOV_URL": standin_url, "REQUEST_INTERVAL": "0", **given}
    return load({f"TRIALDELTA_{name}": value for name, value in values.items()}, Path("no.env"))


def due(database: Database) -> list[Any]:
    with database.read() as connection:
        return list(connection.execute(select(deliveries).order_by(deliveries.c.number)).all())


# --- a registry that lies at scale ------------------------------------------------------------------------------------


@pytest.fixture
def watching(sqlite_database: Database, standin: StandIn) -> Stage:
    """Forty trials are watched, as of the first day, by somebody who wants to hear of everything."""
    stage = Stage(sqlite_database, standin)
    stage.watch(*IDS)
    stage.subscribe(EVERYTHING)
    stage.day(DAYS[0], *map(trial, IDS))
    return stage


def stands(stage: Stage) -> Any:
    with stage.database.read() as connection:
        return health(connection, "ctgov", stage.now)


def test_half_the_records_missing_is_not_believed_is_said_and_is_over_with_the_next_release(watching: Stage) -> None:
    watching.standin.remove(IDS[:20])
    watching.publish(DAYS[1])
    lied = watching.look()
    told = due(watching.database)
    found = asked_for.exceptions(stands(watching))
    words = [each.found for each in found]
    after = watching.day(DAYS[2], *map(trial, IDS))

    assert kinds(lied) == []
    assert told == []
    assert len(lied.exceptions) == 20
    assert "so are 19 others, which is not believed" in words[0]
    assert words[-1] == "and 15 more without an answer"
    assert kinds(after) == []
    assert stands(watching).exceptions == ()


def test_all_ids_changed_is_not_believed_either(watching: Stage) -> None:
    others = [nct(1000 + number) for number in range(1, 41)]
    watching.standin.remove(IDS)
    watching.publish(DAYS[1], *map(trial, others))

    lied = watching.look()

    assert kinds(lied) == []
    assert due(watching.database) == []
    assert {each.reason for each in lied.exceptions} == {"doubted"}


def test_all_texts_rewritten_is_one_notice_and_not_forty_messages(watching: Stage) -> None:
    watching.publish(DAYS[1], *(trial(each, title=f"Rewritten, {each}") for each in IDS))

    report = watching.look()

    assert "registry.reformatted" in kinds(report)
    assert [each.state for each in due(watching.database) if each.state == "pending"] == ["pending"]


# --- the database server ----------------------------------------------------------------------------------------------


class OwnServer:
    """A PostgreSQL of this module's own, which may be stopped and started."""

    def __init__(self, folder: Path, binaries: Path) -> None:
        self._folder, self._binaries = folder, binaries
        self._user = databases._unprivileged(folder)
        port = databases._free_port()
        self.url = f"postgresql://trialdelta@127.0.0.1:{port}/postgres"
        self._options = f"-p {port} -c listen_addresses=127.0.0.1 -c unix_socket_directories= -c fsync=off "
        self._options += "-c max_connections=12 -c superuser_reserved_connections=1"
        self._run("initdb", "-U", "trialdelta", "-A", "trust", "-E", "UTF8", "--no-sync")

    def start(self) -> None:
        self._run("pg_ctl", "start", "-w", "-l", str(self._folder / "log"), "-o", self._options)

    def stop(self) -> None:
        self._run("pg_ctl", "stop", "-w", "-m", "immediate")

    def sql(self, statement: str) -> None:
        with psycopg.connect(f"{self.url}?options=-c%20default_transaction_read_only%3Doff", autocommit=True) as its:
            its.execute(statement)  # type: ignore[call-overload]

    def _run(self, program: str, *arguments: str) -> None:
        command = [self._binaries / program, "-D", self._folder / "data", *arguments]
        subprocess.run(
            command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=60, **self._user
        )


@pytest.fixture(scope="module")
def own_server() -> Iterator[OwnServer]:
    binaries = databases._newest_binaries()
    if binaries is None:
        pytest.skip("no PostgreSQL server is installed here that could be stopped and started")
    folder = Path(tempfile.mkdtemp(prefix="trialdelta-bad-days-"))
    with ExitStack() as stack:
        stack.callback(shutil.rmtree, folder, ignore_errors=True)
        server = OwnServer(folder, binaries)
        server.start()
        stack.callback(server.stop)
        databases.make_tables(server.url)
        yield server


@pytest.fixture
def on_server(own_server: OwnServer) -> Iterator[Database]:
    database = Database(own_server.url)
    yield database
    database.dispose()
    own_server.sql(
        "DO $$ DECLARE t text; BEGIN FOR t IN SELECT tablename FROM pg_tables WHERE schemaname = 'public' "
        "AND tablename <> 'alembic_version' LOOP EXECUTE format('TRUNCATE %I CASCADE', t); END LOOP; END $$"
    )


def said_by(daemon: Daemon, *ticks: str) -> list[dict[str, Any]]:
    """What the log says when the scheduler calls these."""
    with structlog.testing.capture_logs() as lines:
        for name in ticks:
            daemon._guarded(getattr(daemon, name))()
    return [dict(line) for line in lines]


def test_a_database_restarted_under_the_daemon_costs_a_line_a_tick_and_nothing_else(
    on_server: Database, own_server: OwnServer, standin: StandIn
) -> None:
    stage = Stage(on_server, standin)
    stage.watch(IDS[0])
    stage.subscribe(EVERYTHING)
    now = [at(DAYS[0])]
    with MailSink() as mail:
        conf = settings(own_server.url, standin.url, SMTP_URL=mail.url, MAIL_FROM="alerts@example.org")
        daemon = Daemon(conf, on_server, lambda: now[0])
        standin.publish(DAYS[0], {IDS[0]: trial(IDS[0])})
        said_by(daemon, "tick_presence", "tick_schedule")
        standin.publish(DAYS[1], {IDS[0]: trial(IDS[0], RECRUITING, DAYS[1])})
        now[0] = at(DAYS[1])

        own_server.stop()
        down = said_by(daemon, "tick_presence", "tick_schedule", "tick_deliveries", "tick_digests", "tick_troubles")
        own_server.start()
        up = said_by(daemon, "tick_presence", "tick_schedule", "tick_deliveries")

    assert [line["event"] for line in down] == ["database"] * 5
    assert all("\n" not in line["reason"] and "connection" in line["reason"] for line in down)
    assert not [line for line in up if line["log_level"] == "error"]
    assert [letter.subject.partition(":")[0] for letter in mail.letters] == ["Site recruiting"]


def test_a_server_without_a_connection_left_is_one_line_that_says_so(
    on_server: Database, own_server: OwnServer
) -> None:
    on_server.dispose()
    with ExitStack() as stack:
        with pytest.raises(psycopg.OperationalError):
            for _ in range(20):
                stack.enter_context(psycopg.connect(own_server.url))
        with pytest.raises(DatabaseError, match="no connection left") as told, on_server.read():
            pass

    assert "\n" not in str(told.value)
    with on_server.read() as connection:
        assert archive.last_sweep(connection, "ctgov") is None


def test_after_a_failover_to_a_server_that_is_still_read_only_nothing_is_tried_until_it_can_be_written(
    on_server: Database, own_server: OwnServer
) -> None:
    own_server.sql("ALTER SYSTEM SET default_transaction_read_only = on")
    own_server.sql("SELECT pg_reload_conf()")
    try:
        on_server.dispose()
        with pytest.raises(DatabaseError, match="no server that can be written was found"), on_server.write():
            pass
    finally:
        own_server.sql("ALTER SYSTEM RESET default_transaction_read_only")
        own_server.sql("SELECT pg_reload_conf()")
    ends = threading.Event()
    for _ in range(50):
        try:
            with on_server.write() as connection:
                addresses.ensure(connection, ALICE, at(DAYS[0]))
            break
        except DatabaseError:
            ends.wait(0.1)
    with on_server.read() as connection:
        assert addresses.find(connection, ALICE, at(DAYS[0])) is not None


# --- names, mail, clocks ----------------------------------------------------------------------------------------------


def test_without_names_sweeps_fail_in_one_line_and_messages_wait(
    watching: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    watching.publish(DAYS[1], trial(IDS[0], RECRUITING, DAYS[1]))
    watching.look()

    def no_names(*_: Any, **__: Any) -> Any:
        raise socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution")

    monkeypatch.setattr(socket, "getaddrinfo", no_names)
    conf = settings(
        watching.database.url,
        "https://registry.example.org",
        SMTP_URL="smtp://mail.example.org",
        MAIL_FROM="a@example.org",
    )
    daemon = Daemon(conf, watching.database, lambda: at(DAYS[2]))
    # the pauses between its tries are not waited for
    daemon._registry._asking._sleep = lambda _: None  # type: ignore[attr-defined]

    report = daemon.tick_sweep()
    daemon.tick_deliveries()

    assert report.outcome == "failed"
    assert report.reason is not None
    assert "registry.example.org" in report.reason
    assert "name resolution" in report.reason
    assert "\n" not in report.reason
    (waiting,) = due(watching.database)
    assert (waiting.state, waiting.next_attempt_at is not None) == ("pending", True)
    assert "name resolution" in waiting.last_answer
    with watching.database.read() as connection:
        alice = addresses.find(connection, ALICE, at(DAYS[2]))
    assert alice is not None
    assert alice.state == "on"


def test_a_mail_server_that_is_down_for_a_weekend_costs_nobody_a_message(watching: Stage) -> None:
    watching.publish(DAYS[4], trial(IDS[0], RECRUITING, DAYS[4]), trial(IDS[1], RECRUITING, DAYS[4]))
    watching.look()
    friday, monday = at(DAYS[4], 18), at(DAYS[4], 18) + timedelta(hours=62)
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        port = closed.getsockname()[1]
    down = DeliverySettings(smtp_url=f"smtp://127.0.0.1:{port}?starttls=never", mail_from="alerts@example.org")

    _sending_until(watching.database, down, friday, monday)
    with MailSink() as mail:
        up = DeliverySettings(smtp_url=mail.url, mail_from="alerts@example.org")
        _sending_until(watching.database, up, monday, monday + timedelta(hours=26))

    assert len(mail.letters) == 2
    assert {each.state for each in due(watching.database)} == {"delivered"}


def _sending_until(database: Database, conf: DeliverySettings, now: datetime, end: datetime) -> None:
    while now < end:
        for _ in range(2):
            deliver_one(database, conf, "weekend", lambda moment=now: moment, Random(3))  # type: ignore[misc]
        now += timedelta(hours=2)


def test_a_clock_that_was_set_back_delays_and_loses_nothing(watching: Stage) -> None:
    watching.publish(DAYS[1], trial(IDS[0], RECRUITING, DAYS[1]))
    watching.now = at(DAYS[1]) + timedelta(hours=8)
    watching.look()
    watching.publish(DAYS[2], trial(IDS[1], RECRUITING, DAYS[2]))
    watching.now = at(DAYS[1]) + timedelta(hours=2)  # it ran ahead; this is the right time
    report = watching.look()

    with MailSink() as mail:
        conf = DeliverySettings(smtp_url=mail.url, mail_from="alerts@example.org")
        deliver_due(watching.database, conf, "clock", lambda: watching.now, Random(3))
        soon = len(mail.letters)
        deliver_due(watching.database, conf, "clock", lambda: watching.now + timedelta(hours=6), Random(3))

    assert kinds(report) == ["site.recruiting"]
    assert (soon, len(mail.letters)) == (1, 2)
