"""What is wrong is found, said, and comes with what to do."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from monitor import schema
from monitor.demo.sinks import MailSink
from monitor.demo.standin import Fault, StandIn
from monitor.doctor import Finding, examine
from monitor.settings import load
from notifiers import subscriptions
from notifiers.subscriptions import Subscription
from snapshots.database import Database
from tests.monitor.stage import DAYS, RECRUITING, Stage, at, trial
from tests.registries import nct

ONE, TWO = nct(1), nct(2)


@pytest.fixture
def standin() -> Iterator[StandIn]:
    with StandIn() as running:
        running.publish(DAYS[0], {ONE: trial(ONE)})
        yield running


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'trialdelta.sqlite3'}"


@pytest.fixture
def stage(url: str, standin: StandIn) -> Iterator[Stage]:
    database = Database(url)
    schema.upgrade(database)
    yield Stage(database, standin)
    database.dispose()


def findings(url: str, standin: StandIn, **given: str) -> dict[str, Finding]:
    values = {"DATABASE_URL": url, "CTGOV_URL": standin.url, **given}
    settings = load({f"TRIALDELTA_{name}": value for name, value in values.items()}, Path("no.env"))
    return {found.check: found for found in examine(settings, at(DAYS[1]))}


def test_a_new_installation_has_notes_and_no_failures(url: str, standin: StandIn) -> None:
    found = findings(url, standin)

    assert {each.verdict for each in found.values()} == {"ok", "note"}
    assert all(each.advice for each in found.values() if each.verdict == "note")
    assert "BASE_URL" in found["base url"].advice


def test_a_healthy_installation_is_ok_throughout(stage: Stage, url: str, standin: StandIn) -> None:
    stage.watch(ONE)
    stage.look()
    with MailSink() as mail:
        found = findings(
            url,
            standin,
            SMTP_URL=mail.url,
            MAIL_FROM="alerts@example.org",
            BASE_URL="https://trials.example.org",
            OPERATOR="operator@example.org",
            SWEEP_SCHEDULE="12 h",
        )

    assert {each.check: each.found for each in found.values() if each.verdict != "ok"} == {}


def test_a_mail_server_that_does_not_answer_is_a_failure_without_its_password(url: str, standin: StandIn) -> None:
    found = findings(url, standin, SMTP_URL="smtp://me:secret@127.0.0.1:1", MAIL_FROM="alerts@example.org")

    assert found["mail"].verdict == "failure"
    assert "secret" not in found["mail"].found


def test_mail_without_a_sender_is_a_failure(url: str, standin: StandIn) -> None:
    assert "TRIALDELTA_MAIL_FROM" in findings(url, standin, SMTP_URL="smtp://127.0.0.1:1")["mail"].advice


def test_a_registry_that_refuses_is_a_failure_with_its_words(url: str, standin: StandIn) -> None:
    standin.fail(Fault.FORBIDDEN)

    assert "403" in findings(url, standin)["registry"].found


def test_a_sweep_that_is_behind_the_registry_is_a_failure(stage: Stage, url: str, standin: StandIn) -> None:
    stage.watch(ONE)
    stage.look()
    standin.publish(DAYS[1])

    found = findings(url, standin)["last confirmed"]

    assert found.verdict == "failure"
    assert f"the registry is at {DAYS[1]}" in found.found


def test_a_failed_sweep_and_an_unanswered_record_are_told(stage: Stage, url: str, standin: StandIn) -> None:
    stage.watch(ONE, TWO)
    stage.look()
    standin.fail(Fault.UNAVAILABLE, times=8)
    stage.day(DAYS[1])
    standin.clear()

    found = findings(url, standin)

    assert "503" in found["last sweep"].found
    assert found["record"].found.startswith(f"{TWO} not checked since release {DAYS[0]}: absent")


def test_what_waits_to_be_sent_for_long_is_a_failure(stage: Stage, url: str, standin: StandIn) -> None:
    stage.watch(ONE)
    stage.subscribe(Subscription(name="all", to=("mailto:alice@example.org",)))
    stage.look()
    stage.publish(DAYS[1], trial(ONE, RECRUITING))
    stage.now = at(DAYS[0], 20)
    stage.look()

    found = findings(url, standin)["deliveries"]

    assert found.verdict == "failure"
    assert found.found == "1 to be sent, the oldest due 18 hours ago"


def test_an_address_that_is_switched_off_is_told(stage: Stage, url: str, standin: StandIn) -> None:
    from notifiers import addresses

    with stage.database.write() as connection:
        subscriptions.save(connection, Subscription(name="all", to=("mailto:alice@example.org",)), stage.now)
        addresses.switch(connection, "mailto:alice@example.org", "off", "no such mailbox", stage.now)

    assert "alice@example.org is switched off: no such mailbox" in findings(url, standin)["address"].found


def test_a_database_that_is_none_is_a_failure_that_hides_no_other(tmp_path: Path, standin: StandIn) -> None:
    (tmp_path / "not.sqlite3").write_text("certainly no database, whatever its name may say" * 30)

    found = findings(f"sqlite:///{tmp_path / 'not.sqlite3'}", standin)

    assert found["database"].verdict == "failure"
    assert found["registry"].verdict == "ok"
