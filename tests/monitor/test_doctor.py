"""What is wrong is found, said, and comes with what to do."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from monitor import presence, schema, surroundings
from monitor.demo.sinks import MailSink
from monitor.demo.standin import Fault, StandIn
from monitor.doctor import Finding, examine, examine_quickly
from monitor.presence import Present
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


def here(stage: Stage, name: str, roles: tuple[str, ...] = presence.ROLES, holder: str = "", **said: object) -> None:
    """A daemon on another machine was heard."""
    times = {"started_at": at(DAYS[0]), "heard_at": stage.now, "version": "0.2.0"}
    with stage.database.write() as connection:
        made = Present(holder=holder or f"elsewhere|1|{name}|", name=name, roles=roles, **{**times, **said})
        presence.say(connection, made, made.heard_at)


def test_a_new_installation_has_notes_and_no_failures(url: str, standin: StandIn) -> None:
    found = findings(url, standin)

    assert {each.verdict for each in found.values()} == {"ok", "note"}
    assert all(each.advice for each in found.values() if each.verdict == "note")
    assert "BASE_URL" in found["base url"].advice


def test_a_healthy_installation_is_ok_throughout(stage: Stage, url: str, standin: StandIn) -> None:
    stage.watch(ONE)
    stage.look()
    stage.now = at(DAYS[1])
    here(stage, "one")
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
    assert "the registry is at that of 3 March 2026" in found.found


def test_a_failed_sweep_and_an_unanswered_record_are_told(stage: Stage, url: str, standin: StandIn) -> None:
    standin.publish(DAYS[0], {ONE: trial(ONE), TWO: trial(TWO)})
    stage.watch(ONE, TWO)
    stage.look()
    standin.remove([TWO])
    stage.day(DAYS[1])
    standin.fail(Fault.UNAVAILABLE, times=8)
    stage.day(DAYS[2])
    standin.clear()

    found = findings(url, standin)

    assert "503" in found["last sweep"].found
    assert found["record"].found.startswith(f"{TWO} not checked since the release of 3 March 2026: absent")
    assert found["record"].found.endswith("; last confirmed at the release of 2 March 2026")
    assert f"`trialdelta watch remove {TWO}`" in found["record"].advice


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


def all_of(check: str, url: str, standin: StandIn, now: datetime = at(DAYS[1])) -> list[Finding]:  # noqa: B008
    settings = load({"TRIALDELTA_DATABASE_URL": url, "TRIALDELTA_CTGOV_URL": standin.url}, Path("no.env"))
    return [found for found in examine(settings, now) if found.check == check]


def test_it_says_who_is_there_who_fell_silent_and_what_nobody_does(stage: Stage, url: str, standin: StandIn) -> None:
    here(stage, "b", ("web",), heard_at=at(DAYS[1]))
    here(stage, "a", ("sweep",), heard_at=at(DAYS[1], 13))

    found = all_of("daemons", url, standin)

    assert [each.found for each in found] == [
        f"b (web) since {DAYS[0]} 14:00 UTC, version 0.2.0",
        f"a was last heard at {DAYS[1]} 13:00 UTC, and did not say that it ended",
        "none of those that run has the role sweep",
        "none of those that run has the role deliver",
    ]
    assert [each.verdict for each in found] == ["ok", "note", "failure", "failure"]
    assert all(each.advice for each in found[1:])


def test_two_of_one_name_and_of_two_versions_are_told_apart(stage: Stage, url: str, standin: StandIn) -> None:
    stage.now = at(DAYS[1])
    here(stage, "a")
    here(stage, "a", holder="elsewhere|2|born|", version="0.3.0")

    words = [each.found for each in all_of("daemons", url, standin)]

    assert "several go by the name a" in words
    assert "versions 0.2.0, 0.3.0 work side by side" in words


def test_a_predecessor_of_the_same_name_is_forgotten(stage: Stage) -> None:
    here(stage, "a", heard_at=at(DAYS[0], 1))
    here(stage, "a", holder="elsewhere|2|born|", heard_at=at(DAYS[0], 2))

    with stage.database.read() as connection:
        assert [each.holder for each in presence.listing(connection)] == ["elsewhere|2|born|"]


@pytest.mark.parametrize(
    ("hours", "words"),
    [(0, "agrees with the registry's"), (-3, "hours behind the registry's"), (73, "3 days ahead of the registry's")],
)
def test_a_clock_that_the_registrys_date_contradicts_is_a_failure(
    url: str, standin: StandIn, hours: int, words: str
) -> None:
    settings = load({"TRIALDELTA_DATABASE_URL": url, "TRIALDELTA_CTGOV_URL": standin.url}, Path("no.env"))
    ours = datetime.now(UTC) + timedelta(hours=hours)

    found = next(each for each in examine(settings, ours, lambda: ours) if each.check == "clock")

    assert found.found.endswith(words)
    assert (found.verdict == "failure") == bool(hours) == ("NTP" in found.advice)


def test_a_database_server_whose_clock_is_another_is_a_failure(database: Database) -> None:
    ours = datetime.now(UTC) - timedelta(minutes=5)

    found = list(surroundings.database_clock(database, lambda: ours))

    assert [each.verdict for each in found] == ([] if database.is_sqlite else ["failure"])


def test_a_full_disk_is_told_once_and_an_empty_one_with_its_room(stage: Stage) -> None:
    assert [each.found for each in surroundings.disk(stage.database, lambda _: 5_000_000_000)] == [
        "5.0 GB free where the database is"
    ]
    assert list(surroundings.disk(stage.database, lambda _: 1_000)) == []


def test_a_refused_sign_in_is_told_as_that(url: str, standin: StandIn) -> None:
    with MailSink() as mail:
        place = mail.url.removeprefix("smtp://")
        server = f"smtp://me:wr0ng-password@{place.partition('?')[0]}?starttls=never"
        found = findings(url, standin, SMTP_URL=server, MAIL_FROM="alerts@example.org")["mail"]

    assert found.verdict == "failure"
    assert "at sign-in" in found.found
    assert "user name or the password" in found.advice
    assert "wr0ng" not in found.found + found.advice


def test_quickly_nobody_is_asked(stage: Stage, url: str, standin: StandIn) -> None:
    stage.watch(ONE)
    settings = load({"TRIALDELTA_DATABASE_URL": url, "TRIALDELTA_CTGOV_URL": standin.url}, Path("no.env"))

    found = list(examine_quickly(settings, at(DAYS[1])))

    assert {"database", "disk", "daemons", "watches", "deliveries"} <= {each.check for each in found}
    assert not standin.requests
