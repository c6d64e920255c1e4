"""What goes silent is found, and told to the operator by the same way as any alert."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from monitor import askings, silence
from monitor.daemon import Daemon
from monitor.demo.sinks import MailSink
from monitor.demo.standin import StandIn
from monitor.settings import load
from notifiers import addresses, digest, subscriptions
from notifiers.outbox import Failed
from snapshots.database import Database
from tests.monitor.stage import DAYS, Stage, at, trial
from tests.notifiers.cast import Always
from tests.registries import nct

ONE = nct(1)
PLENTY = 10**12
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def found(database: Database, now: object, free: int = PLENTY) -> dict[str, str]:
    seen = silence.look(database, "ctgov", now, schedule_seconds=1800, free=lambda _: free)  # type: ignore[arg-type]
    return {each.key: each.words for each in seen}


@pytest.fixture
def mail() -> Iterator[MailSink]:
    with MailSink() as running:
        yield running


@pytest.fixture
def stage(database: Database, standin: StandIn) -> Stage:
    return Stage(database, standin)


def test_where_all_is_well_nothing_is_found(stage: Stage) -> None:
    stage.watch(ONE)
    stage.day(DAYS[0], trial(ONE))

    assert found(stage.database, stage.now + HOUR) == {}


def test_a_new_installation_that_never_asked_is_no_trouble(stage: Stage) -> None:
    assert found(stage.database, stage.now) == {}


def test_a_watch_is_trouble_when_two_releases_did_not_confirm_it(stage: Stage) -> None:
    stage.watch(ONE, nct(2))
    stage.day(DAYS[0], trial(ONE), trial(nct(2)))
    counts = []
    for day in DAYS[1:3]:
        stage.standin.remove([ONE])
        stage.day(day)
        counts.append([key for key in found(stage.database, stage.now) if key.startswith("watch:")])

    assert counts == [[], [f"watch:ctgov/{ONE}"]]


def test_a_registry_is_down_when_every_asking_of_a_day_failed(database: Database) -> None:
    now = at(DAYS[0])
    for hours in range(26):
        with database.write() as connection:
            askings.note(connection, "ctgov", "HTTP 503", now + hours * HOUR)
        seen = found(database, now + hours * HOUR)
        assert (hours >= 24) == ("registry:ctgov" in seen)

    with database.write() as connection:
        askings.note(connection, "ctgov", None, now + 26 * HOUR)
    assert found(database, now + 26 * HOUR) == {}


def test_nothing_is_scheduled_when_nobody_asked_for_hours(database: Database) -> None:
    now = at(DAYS[0])
    with database.write() as connection:
        askings.note(connection, "ctgov", None, now)

    assert found(database, now + 3 * HOUR) == {}
    assert "Nothing is scheduled" in found(database, now + 3 * HOUR + HOUR)["schedule:ctgov"]


def test_a_disk_with_little_left_is_trouble_for_a_file(sqlite_database: Database) -> None:
    assert "nearly full: 3 MB" in found(sqlite_database, at(DAYS[0]), free=3 * 1024 * 1024)["disk"]


def test_an_address_that_is_off_is_trouble_that_its_owner_hears_of(database: Database) -> None:
    now = at(DAYS[0])
    with database.write() as connection:
        addresses.ensure(connection, "https://hooks.example.org/x", now)
        addresses.set_owner(connection, "https://hooks.example.org/x", "owner@example.org")
        addresses.switch(connection, "https://hooks.example.org/x", "off", "410", now)

    (seen,) = silence.look(database, "ctgov", now, schedule_seconds=60, free=lambda _: PLENTY)

    assert seen.concerns == ("mailto:owner@example.org",)
    assert seen.dead == ("https://hooks.example.org/x",)


@pytest.mark.parametrize("owner", [None, "", "Ann Example", "the desk @ home", "mailto:", "javascript:x@y"])
def test_an_owner_that_is_no_address_is_nobody_to_write_to(owner: str | None) -> None:
    assert silence._owner(owner) == ()


def test_a_digest_that_could_not_be_sent_is_trouble_until_a_later_one_arrives(database: Database) -> None:
    from notifiers import outbox

    made = at(DAYS[0])
    weekly = {"name": "weekly", "to": ["mailto:ann@example.org"], "deliver": {"digest": "daily", "at": "08:00"}}
    with database.write() as connection:
        subscriptions.save(connection, subscriptions.from_table(weekly), made)
        digest.enqueue_due(connection, made + DAY)
    refused = Failed(answer="554 no", permanent=True, whose="message")
    attempt = outbox.take(database, "w", made + DAY, 60)
    assert attempt is not None
    outbox.record(database, attempt, refused, made + DAY, Always())  # type: ignore[arg-type]

    before = found(database, made + DAY)
    with database.write() as connection:
        digest.enqueue_due(connection, made + 2 * DAY)
    attempt = outbox.take(database, "w", made + 2 * DAY, 60)
    assert attempt is not None
    outbox.record(database, attempt, outbox.Delivered("250"), made + 2 * DAY, Always())  # type: ignore[arg-type]

    assert any(words.startswith("A digest could not be sent: that of weekly") for words in before.values())
    assert found(database, made + 2 * DAY) == {}


def test_templates_that_could_not_be_used_are_trouble_until_a_message_goes_out_in_them(
    sqlite_database: Database, mail: MailSink, tmp_path: Path
) -> None:
    from notifiers import outbox
    from notifiers.deliver import DeliverySettings, deliver_due

    now = at(DAYS[0])
    own = tmp_path / "ours" / "test"
    own.mkdir(parents=True)
    wanted = {"name": "ours", "to": ["mailto:ann@example.org"], "templates": str(own.parent)}
    settings = DeliverySettings(smtp_url=mail.url, mail_from="alerts@example.org", allow_private_networks=True)
    keys = []
    for subject in ("{{ nothing.of.that }}", "Test"):
        (own / "subject.txt").write_text(subject)
        with sqlite_database.write() as connection:
            subscriptions.save(connection, subscriptions.from_table(wanted), now)
            outbox.enqueue_test(connection, "ours", now)
        deliver_due(sqlite_database, settings, "w", lambda: now, Always(), threads=1)  # type: ignore[arg-type]
        keys.append(found(sqlite_database, now))

    assert list(keys[0]) == ["templates:ours"] and "subject.txt" in keys[0]["templates:ours"]
    assert keys[1] == {}


# --- told -------------------------------------------------------------------------------------------------------------


def test_the_operator_is_mailed_once_and_the_dead_address_never(
    database: Database, standin: StandIn, mail: MailSink, tmp_path: Path
) -> None:
    given = {
        "TRIALDELTA_DATABASE_URL": database.url,
        "TRIALDELTA_CTGOV_URL": standin.url,
        "TRIALDELTA_SMTP_URL": mail.url,
        "TRIALDELTA_MAIL_FROM": "alerts@example.org",
        "TRIALDELTA_OPERATOR": "operator@example.org",
    }
    settings = load(given, tmp_path / "no.env")
    daemons = [Daemon(settings, database, lambda: at(DAYS[0])) for _ in range(2)]
    with database.write() as connection:
        addresses.ensure(connection, "mailto:gone@example.org", at(DAYS[0]))
        addresses.switch(connection, "mailto:gone@example.org", "off", "550 no such user", at(DAYS[0]))

    told = [daemon.tick_troubles() for daemon in daemons]
    daemons[0].tick_deliveries()

    assert told == [1, 0]
    (letter,) = mail.letters
    assert letter.to == ("operator@example.org",)
    assert letter.subject == "Trouble: mailto:gone@example.org is switched off"
    assert "trialdelta address on mailto:gone@example.org" in " ".join(letter.part("plain").split())
