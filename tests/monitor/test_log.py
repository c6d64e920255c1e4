"""What the log of a running daemon says: which record, which sweep, which delivery; and no word of it is lost."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from random import Random
from typing import Any

import pytest
import structlog

from monitor.demo.sinks import MailSink
from monitor.demo.standin import Fault, StandIn
from notifiers import addresses, outbox, subscriptions, troubles
from notifiers.channels import DeliverySettings
from notifiers.deliver import deliver_due
from notifiers.subscriptions import Subscription
from notifiers.troubles import Seen
from snapshots.database import Database
from tests.monitor.stage import DAYS, RECRUITING, Stage, at, trial
from tests.registries import nct

ROOT = Path(__file__).parents[2]
ONE, TWO = nct(1), nct(2)
ALICE = "mailto:alice@example.org"
HOOK = "https://hooks.example.org/s3cret/path"
ALL = Subscription(name="all", to=(ALICE,))
Line = dict[str, Any]


def lines_of(run: Callable[[], object]) -> list[Line]:
    """The lines of the log while this runs, with what is bound around them."""
    with structlog.testing.capture_logs(processors=[structlog.contextvars.merge_contextvars]) as lines:
        run()
    return [dict(line) for line in lines]


@pytest.fixture
def stage(sqlite_database: Database, standin: StandIn) -> Stage:
    made = Stage(sqlite_database, standin)
    made.watch(ONE, TWO)
    made.subscribe(ALL)
    return made


# --- a running daemon -------------------------------------------------------------------------------------------------


def daemon_says(environ: dict[str, str], folder: Path, is_enough: Callable[[list[Line]], bool]) -> list[Line]:
    """The JSON lines of a real daemon that runs until they are enough."""
    with (folder / "log").open("w") as log:
        command = [sys.executable, "-m", "monitor", "run", "--name", "logged"]
        running = subprocess.Popen(command, cwd=folder, env=environ, stderr=log, stdout=subprocess.DEVNULL)
    try:
        end = time.monotonic() + 30
        while not is_enough(lines := _read(folder / "log")) and time.monotonic() < end and running.poll() is None:
            time.sleep(0.1)
        running.send_signal(signal.SIGTERM)
        running.wait(15)
    finally:
        running.kill()
        running.wait(10)
    assert is_enough(lines), lines
    return _read(folder / "log")


def _read(log: Path) -> list[Line]:
    return [json.loads(line) for line in log.read_text().splitlines(keepends=True) if line.endswith("\n")]


def test_each_line_of_a_daemon_about_a_record_has_record_and_sweep_and_each_about_a_delivery_its_id(
    stage: Stage, tmp_path: Path
) -> None:
    stage.day(DAYS[0], trial(ONE))
    stage.publish(DAYS[1], trial(ONE, RECRUITING, DAYS[1]))
    with MailSink() as mail:
        environ = {
            **os.environ,
            "PYTHONPATH": str(ROOT),
            "TRIALDELTA_DATABASE_URL": stage.database.url,
            "TRIALDELTA_CTGOV_URL": stage.standin.url,
            "TRIALDELTA_REQUEST_INTERVAL": "0",
            "TRIALDELTA_SMTP_URL": mail.url,
            "TRIALDELTA_MAIL_FROM": "alerts@example.org",
            "TRIALDELTA_PAGE": "false",
            "TRIALDELTA_BACKFILL": "false",
            "TRIALDELTA_LOG_LEVEL": "debug",
        }
        lines = daemon_says(environ, tmp_path, lambda said: any(each["event"] == "delivered" for each in said))

    assert all({"event", "level", "timestamp"} <= line.keys() for line in lines)
    events = {line["event"]: line for line in lines}
    assert {"running", "sweep", "changed", "not answered", "queued", "delivered", "ending", "ended"} <= events.keys()
    for event in ("changed", "not answered"):
        assert events[event]["record"] in (ONE, TWO)
        assert isinstance(events[event]["sweep"], int)
    assert events["changed"]["kinds"] == ["site.recruiting"]
    assert events["queued"]["delivery"] == events["delivered"]["delivery"]
    assert events["delivered"]["delivery"].startswith("dlv_")
    assert events["delivered"]["to"] == "mailto:…@example.org"
    assert "alice" not in (tmp_path / "log").read_text()
    assert [line for line in lines if ("record" in line) != ("sweep" in line and line["event"] != "sweep")] == []


# --- what somebody might miss -----------------------------------------------------------------------------------------


def send(stage: Stage, port: int = 9, after: timedelta = timedelta()) -> list[Line]:
    conf = DeliverySettings(smtp_url=f"smtp://127.0.0.1:{port}?starttls=never", mail_from="alerts@example.org")
    now = stage.now + after
    return lines_of(lambda: deliver_due(stage.database, conf, "test", lambda: now, Random(1)))


def changed(stage: Stage) -> None:
    stage.day(DAYS[0], trial(ONE), trial(TWO))
    stage.day(DAYS[1], trial(ONE, RECRUITING, DAYS[1]))


def test_a_message_that_does_not_leave_is_an_error_with_its_delivery_and_where_it_was_to_go(stage: Stage) -> None:
    changed(stage)

    (line,) = send(stage)

    assert (line["event"], line["log_level"], line["whose"]) == ("not delivered", "error", "operator")
    assert line["delivery"].startswith("dlv_")
    assert line["to"] == "mailto:…@example.org"
    assert "at connect" in line["answer"]


def test_a_message_that_is_called_off_is_a_line(stage: Stage) -> None:
    changed(stage)

    def remove() -> None:
        with stage.database.write() as connection:
            subscriptions.remove(connection, "all", stage.now)

    (line,) = lines_of(remove)

    assert line["event"] == "cancelled"
    assert line["delivery"].startswith("dlv_")
    assert line["reason"] == "no longer wanted"


def test_an_address_that_is_switched_off_is_an_error(stage: Stage) -> None:
    stage.subscribe(Subscription(name="all", to=("https://127.0.0.1:9/hook",)))
    changed(stage)
    lines: list[Line] = []
    for hours in range(0, 120, 6):
        lines += send(stage, after=timedelta(hours=hours))

    off = [line for line in lines if line["event"] == "an address is switched off"]

    assert len(off) == 1
    assert off[0]["log_level"] == "error"
    assert off[0]["delivery"].startswith("dlv_")


def test_trouble_is_in_the_log_also_where_no_operator_is_set(sqlite_database: Database, stage: Stage) -> None:
    seen = [Seen(key="disk", words=f"A digest could not be sent: that of x to {HOOK}. Mend it.")]

    def note(found: list[Seen], hours: int) -> None:
        with sqlite_database.write() as connection:
            troubles.note(connection, found, None, stage.now + timedelta(hours=hours))

    lines = lines_of(lambda: [note(seen, 0), note(seen, 1), note([], 2), note([], 4)])

    assert [(line["event"], line["log_level"]) for line in lines] == [
        ("trouble", "warning"),
        ("trouble is over", "info"),
    ]
    assert "https://hooks.example.org/…" in lines[0]["what"]
    assert "s3cret" not in str(lines)


def test_a_registry_that_fails_is_a_warning_with_the_sweeps_number(stage: Stage) -> None:
    stage.publish(DAYS[0], trial(ONE))
    stage.standin.fail(Fault.FORBIDDEN)

    (line,) = lines_of(stage.look)

    assert (line["event"], line["log_level"]) == ("sweep failed", "warning")
    assert isinstance(line["sweep"], int)
    assert "403" in line["reason"]


def test_a_registry_that_lies_at_scale_is_one_warning_not_one_for_each_record(
    sqlite_database: Database, standin: StandIn
) -> None:
    ids = [nct(number) for number in range(1, 31)]
    stage = Stage(sqlite_database, standin)
    stage.watch(*ids)
    stage.day(DAYS[0], *map(trial, ids))
    standin.remove(ids[:15])
    stage.publish(DAYS[1])

    warnings = [line for line in lines_of(stage.look) if line["log_level"] == "warning"]

    assert [(line["event"], line["missing"]) for line in warnings] == [
        ("many records are missing at once, which is not believed", 15)
    ]


def test_an_address_in_the_log_says_where_it_leads_and_neither_who_nor_by_what_secret() -> None:
    assert addresses.logged(HOOK) == "https://hooks.example.org/…"
    assert addresses.logged("https://me:pw@hooks.example.org") == "https://hooks.example.org/…"
    assert addresses.logged(ALICE) == "mailto:…@example.org"
    assert "token" not in addresses.logged("discord://webhook-id/token")


def test_the_log_leaves_out_who_a_servers_answer_names() -> None:
    program = (
        "from monitor import logging\nimport structlog\nlogging.configure('json', 'info')\n"
        "structlog.get_logger().info('x', answer='550 <alice.liddell@example.org>: no such user')"
    )
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True)

    assert json.loads(done.stderr)["answer"] == "550 <…@example.org>: no such user"


def test_messages_that_are_told_in_a_summary_say_in_which(stage: Stage) -> None:
    stage.subscribe(Subscription(name="all", to=(ALICE,), max_per_hour=1))
    changed(stage)
    for day, status in ((DAYS[2], "COMPLETED"), (DAYS[3], "TERMINATED")):
        stage.publish(day, trial(TWO, status, day))
        stage.now = at(DAYS[1])
        stage.look()

    lines = lines_of(lambda: outbox.fold_due(stage.database, at(DAYS[1]) + timedelta(hours=2)))

    cancelled = [line for line in lines if line["event"] == "cancelled"]
    assert len(cancelled) == 2
    assert all(line["reason"].startswith("told in dlv_") for line in cancelled)
