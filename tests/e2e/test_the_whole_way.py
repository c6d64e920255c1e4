"""From a registry's new release to a mail in somebody's mailbox and a signed post at somebody's program."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from datetime import timedelta
from email import message_from_bytes
from email.policy import default
from pathlib import Path
from random import Random
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from click.testing import CliRunner, Result
from pytest_httpserver import HTTPServer
from standardwebhooks import Webhook

from monitor import wiring
from monitor.cli import trialdelta
from monitor.demo.standin import StandIn, read_releases
from monitor.settings import load
from notifiers import ledger
from notifiers.deliver import deliver_due
from snapshots import archive
from snapshots.database import Database
from tests.databases import _free_port
from tests.monitor.stage import DAYS, RECRUITING, Stage, at, trial
from tests.registries import REAL_RELEASES, Asked, nct

ROOT = Path(__file__).parents[2]
ONE, TWO = nct(1), nct(2)


class Mailbox:
    """An SMTP server's handler that keeps what it is given."""

    def __init__(self) -> None:
        self.mails: list[Any] = []

    async def handle_DATA(self, _server: object, _session: object, envelope: Any) -> str:
        self.mails.append(message_from_bytes(envelope.content, policy=default))
        return "250 kept"


@pytest.fixture
def standin() -> Iterator[StandIn]:
    with StandIn() as running:
        yield running


@pytest.fixture
def mailbox() -> Iterator[tuple[Mailbox, int]]:
    handler, port = Mailbox(), _free_port()
    controller = Controller(handler, hostname="127.0.0.1", port=port)
    controller.start()
    yield handler, port
    controller.stop()


@pytest.fixture
def environ(empty_database_url: str, standin: StandIn, mailbox: tuple[Mailbox, int]) -> dict[str, str]:
    return {
        "TRIALDELTA_DATABASE_URL": empty_database_url,
        "TRIALDELTA_CTGOV_URL": standin.url,
        "TRIALDELTA_REQUEST_INTERVAL": "0",
        "TRIALDELTA_SMTP_URL": f"smtp://127.0.0.1:{mailbox[1]}",
        "TRIALDELTA_MAIL_FROM": "alerts@example.org",
        "TRIALDELTA_ALLOW_PRIVATE_NETWORKS": "true",
    }


def run(environ: dict[str, str], *words: str) -> Result:
    result = CliRunner(env=environ).invoke(trialdelta, list(words))
    assert result.exit_code == 0, result.output
    return result


def deliveries(environ: dict[str, str]) -> list[ledger.Entry]:
    database = Database(environ["TRIALDELTA_DATABASE_URL"])
    with database.read() as connection:
        found = ledger.listing(connection)
    database.dispose()
    return found


def test_a_site_that_starts_recruiting_reaches_mailbox_and_program(
    environ: dict[str, str], standin: StandIn, mailbox: tuple[Mailbox, int], httpserver: HTTPServer
) -> None:
    httpserver.expect_request("/hook", method="POST").respond_with_data(status=204)
    hook = httpserver.url_for("/hook").replace("localhost", "127.0.0.1")
    standin.publish(DAYS[0], {ONE: trial(ONE, title="A Trial of Tea")})
    run(environ, "watch", "add", ONE)
    told = run(
        environ, "subscription", "add", "sites", "--to", "mailto:alice@example.org", "--to", hook, "--kind", "site.*"
    )
    secret = told.stdout.partition("shown only now: ")[2].split()[0]

    run(environ, "check", "--deliver")
    silent = (list(mailbox[0].mails), list(httpserver.log))
    standin.publish(DAYS[1], {ONE: trial(ONE, RECRUITING, "2026-03-02", title="A Trial of Tea")})
    run(environ, "check", "--deliver")

    assert silent == ([], [])
    (mail,) = mailbox[0].mails
    assert mail["Subject"] == f"Site recruiting: {ONE} A Trial of Tea"
    assert mail["To"] == "alice@example.org"
    assert "Example Hospital, Exampleton, Belgium is now recruiting" in mail.get_body(("plain",)).get_content()
    ((request, _),) = httpserver.log
    body = Webhook(secret).verify(request.get_data(), dict(request.headers))
    assert body["data"]["changes"][0]["kind"] == "site.recruiting"
    assert body["data"]["record"]["id"] == ONE
    assert {entry.delivery_id for entry in deliveries(environ)} >= {request.headers["webhook-id"]}
    assert [entry.state for entry in deliveries(environ)] == ["delivered", "delivered"]


# --- kills ----------------------------------------------------------------------------------------------------------

KILLED_AT = """
import os, signal, sys
from notifiers import deliver, outbox
def die(*_, **__): os.kill(os.getpid(), signal.SIGKILL)
setattr({target}, {name!r}, die)
from monitor.cli import main
sys.argv = ["trialdelta", "check", "--deliver"]
main()
"""


def killed(environ: dict[str, str], target: str, name: str) -> None:
    """`trialdelta check --deliver`, killed where it would call `name`."""
    program = KILLED_AT.format(target=target, name=name)
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=ROOT,
        env={**os.environ, **environ},
        capture_output=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == -signal.SIGKILL, done.stderr.decode()


def deliver_after_the_lease(environ: dict[str, str]) -> None:
    """What another process sends when the dead one's leases have run out."""
    settings = load(environ, Path("no.env"))
    database = Database(settings.database_url)
    later = lambda: wiring.utc_now() + timedelta(minutes=10)  # noqa: E731
    deliver_due(database, wiring.delivery_settings(settings), "restarted", later, Random(1))
    database.dispose()


@pytest.fixture
def about_to_tell(environ: dict[str, str], standin: StandIn) -> dict[str, str]:
    """Two records with a baseline, and a release in which the site of each begins to recruit."""
    standin.publish(DAYS[0], {ONE: trial(ONE), TWO: trial(TWO)})
    run(environ, "watch", "add", ONE, TWO)
    run(environ, "subscription", "add", "sites", "--to", "mailto:alice@example.org")
    run(environ, "check")
    standin.publish(DAYS[1], {ONE: trial(ONE, RECRUITING), TWO: trial(TWO, RECRUITING)})
    return environ


@pytest.mark.kill
@pytest.mark.parametrize(
    ("target", "name", "sent_before"),
    [
        ("outbox", "take", 0),  # after the commit, before anything is taken up
        ("deliver", "_tried", 0),  # after the attempt is written down, before it is made
        ("outbox", "record_and_take", 1),  # after sending, before it is recorded
    ],
)
def test_a_kill_loses_no_delivery_and_a_repeated_one_keeps_its_id(
    about_to_tell: dict[str, str], mailbox: tuple[Mailbox, int], target: str, name: str, sent_before: int
) -> None:
    killed(about_to_tell, target, name)
    before = [mail["Message-ID"] for mail in mailbox[0].mails]

    deliver_after_the_lease(about_to_tell)

    ids = [mail["Message-ID"] for mail in mailbox[0].mails]
    assert len(before) == sent_before
    assert set(before) <= set(ids[len(before) :])
    assert len(set(ids)) == 2
    assert [entry.state for entry in deliveries(about_to_tell)] == ["delivered", "delivered"]


@pytest.mark.kill
def test_a_kill_before_the_commit_leaves_nothing_half_done(
    about_to_tell: dict[str, str], mailbox: tuple[Mailbox, int]
) -> None:
    killed(about_to_tell, "outbox", "enqueue")

    assert deliveries(about_to_tell) == []
    run(about_to_tell, "check", "--deliver")
    assert len(mailbox[0].mails) == 2


# --- real releases --------------------------------------------------------------------------------------------------


@pytest.mark.real_records
def test_consecutive_real_releases_speak_where_they_were_labelled_and_nowhere_else(
    sqlite_database: Database, standin: StandIn
) -> None:
    if not REAL_RELEASES.exists():
        pytest.skip(f"the recorded releases are not here: {REAL_RELEASES.name}")
    found = list(read_releases(REAL_RELEASES))
    watched = sorted(found[0][1])
    stage = Stage(sqlite_database, standin, Asked(standin))
    stage.watch(*watched)

    told = set()
    for day, records in found:
        standin.publish(day, {each: record for each, record in records.items() if each in watched})
        stage.now = at(day)
        report = stage.look()
        assert (report.outcome, report.exceptions) == ("finished", [])
        told |= {(step.registry_id, day) for step in report.steps if step.from_version and step.changes}

    names = [path.stem.split("_") for path in (REAL_RELEASES.parent / "labels").glob("NCT*.json")]
    assert told == {(record, day) for record, _, day in names if record in watched}
    with sqlite_database.read() as connection:
        assert list(archive.verify_chain(connection)) == []
