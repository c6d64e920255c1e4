"""Snoozes: what is queued is called back, what waits is told once when they end, by date or by a critical change."""

from datetime import datetime

import pytest
from sqlalchemy import select

from notifiers import digest, ledger, outbox, subscriptions, watches
from notifiers.ledger import Entry
from notifiers.silences import Silence
from notifiers.tables import deliveries
from snapshots.database import Database
from tests.notifiers.cast import ALICE, BOB, DAY, HOUR, MAIL, MINUTE, NOW, change, subscribe, tell, watch

WEEKLY = {"digest": "weekly", "on": "monday", "at": "08:00", "timezone": "Asia/Shanghai"}
MONDAY = datetime.fromisoformat("2026-11-23T00:00:00+00:00")
MINOR, CRITICAL = change("site.added"), change("study.terminated")


def entries(database: Database) -> list[Entry]:
    with database.read() as connection:
        return ledger.listing(connection, limit=1000)[::-1]


def living(database: Database) -> list[tuple[str, int]]:
    """The type of each delivery that is not cancelled, and how many changes it tells."""
    return [(one.type, len(one.change_ids)) for one in entries(database) if one.state != "cancelled"]


def tick(database: Database, at: datetime) -> list[str]:
    with database.write() as connection:
        return digest.enqueue_due(connection, at)


def snooze(database: Database, *records: str, at: datetime = NOW, **said: object) -> None:
    with database.write() as connection:
        watches.snooze(connection, "ctgov", records, Silence(**said), at)  # type: ignore[arg-type]
        outbox.call_back(connection, "ctgov", records, at)


@pytest.fixture
def watched(database: Database) -> Database:
    with database.write() as connection:
        watch(connection, ALICE, BOB)
        subscribe(connection)
    return database


def test_what_happened_to_a_snoozed_watch_is_told_in_one_summary_when_it_ends(watched: Database) -> None:
    snooze(watched, ALICE, until=NOW + DAY)
    with watched.write() as connection:
        for hour in range(3):
            tell(connection, MINOR, record=ALICE, at=NOW + hour * HOUR)
        tell(connection, MINOR, record=BOB)

    assert tick(watched, NOW + DAY - MINUTE) == []
    assert len(tick(watched, NOW + DAY)) == 1
    assert tick(watched, NOW + DAY + MINUTE) == []
    assert living(watched) == [("trial.changed", 1), ("summary", 3)]


def test_a_snooze_calls_back_what_is_queued_and_tells_it_at_its_end(watched: Database) -> None:
    with watched.write() as connection:
        tell(connection, MINOR, record=ALICE, at=NOW - HOUR)
        tell(connection, MINOR, record=BOB, at=NOW - HOUR)
    snooze(watched, ALICE, until=NOW + DAY)
    called_back = [(one.about, one.last_answer) for one in entries(watched) if one.state == "cancelled"]

    tick(watched, NOW + DAY)

    assert called_back == [(ALICE, "called back: snoozed")]
    assert living(watched) == [("trial.changed", 1), ("summary", 1)]


def test_a_critical_change_ends_a_watchs_snooze_and_comes_after_what_waited(watched: Database) -> None:
    snooze(watched, ALICE, until_critical=True)
    with watched.write() as connection:
        tell(connection, MINOR, record=ALICE, at=NOW + HOUR)
        tell(connection, CRITICAL, record=ALICE, at=NOW + 2 * HOUR)
        tell(connection, MINOR, record=ALICE, at=NOW + 3 * HOUR)
        (one, _) = watches.listing(connection)

    assert living(watched) == [("summary", 1), ("trial.changed", 1), ("trial.changed", 1)]
    assert (one.is_snoozed(NOW), one.silence) == (False, Silence())
    assert tick(watched, NOW + DAY) == []
    # one thread: the claim keeps their order
    with watched.read() as connection:
        threads = set(connection.execute(select(deliveries.c.thread)).scalars())
    assert threads == {f"record:ctgov/{ALICE}"}


def test_a_critical_change_ends_a_subscriptions_snooze_by_its_own_severities(watched: Database) -> None:
    with watched.write() as connection:
        subscribe(connection, snooze_until_critical=True, severity={"site.closed": "critical"}, at=NOW)
        tell(connection, MINOR, record=BOB, at=NOW + MINUTE)
        tell(connection, change("site.closed"), record=ALICE, at=NOW + HOUR)

    assert living(watched) == [("summary", 1), ("trial.changed", 1)]


def test_a_snoozed_subscription_calls_back_what_is_queued_and_tells_it_all_at_its_end(watched: Database) -> None:
    with watched.write() as connection:
        tell(connection, MINOR, record=ALICE, at=NOW - HOUR)
        subscribe(connection, snooze_until=NOW + DAY, at=NOW)
        tell(connection, CRITICAL, record=BOB, at=NOW + HOUR)

    assert len(tick(watched, NOW + DAY)) == 1
    assert living(watched) == [("summary", 2)]


def test_resuming_by_hand_tells_what_waited(watched: Database) -> None:
    with watched.write() as connection:
        subscribe(connection, snooze_until=NOW + 30 * DAY, at=NOW)
        tell(connection, MINOR, at=NOW + HOUR)
        subscribe(connection, at=NOW + 2 * HOUR)

    tick(watched, NOW + 2 * HOUR)

    assert living(watched) == [("summary", 1)]


def test_of_two_that_sleep_the_longer_one_tells(watched: Database) -> None:
    snooze(watched, ALICE, until=NOW + DAY)
    with watched.write() as connection:
        tell(connection, MINOR, record=ALICE, at=NOW + MINUTE)
        subscribe(connection, snooze_until=NOW + 2 * DAY, at=NOW + HOUR)

    assert tick(watched, NOW + DAY) == []
    assert len(tick(watched, NOW + 2 * DAY)) == 1
    assert living(watched) == [("summary", 1)]


def test_the_next_digest_says_what_rests_and_what_rests_no_more(database: Database) -> None:
    with database.write() as connection:
        watch(connection, ALICE, BOB)
        subscribe(connection, deliver=WEEKLY, at=NOW - HOUR)
    snooze(database, ALICE, until=NOW + DAY, by="ann", reason="audit")
    snooze(database, BOB, until_critical=True, by="bob")
    tick(database, NOW + 2 * DAY)

    with database.write() as connection:
        (first,) = digest.preview(connection, "alice", NOW + 2 * DAY)
        digest.enqueue_due(connection, MONDAY)
        (second,) = digest.preview(connection, "alice", MONDAY + DAY)

    assert first.coverage is not None and second.coverage is not None
    assert first.coverage.silences == ((BOB, "snoozed until the next critical change, by bob"),)
    assert first.coverage.ended == ((ALICE, "its time was over (it was snoozed by ann: audit)"),)
    assert second.coverage.ended == ()


def test_a_digest_tells_what_a_snooze_kept_back_and_no_summary_does(database: Database) -> None:
    with database.write() as connection:
        watch(connection, ALICE)
        subscribe(connection, deliver=WEEKLY, at=NOW - HOUR)
    snooze(database, ALICE, until=NOW + DAY)
    with database.write() as connection:
        tell(connection, MINOR, record=ALICE, at=NOW + HOUR)

    assert tick(database, NOW + DAY) == []
    tick(database, MONDAY)
    assert living(database) == [("digest", 1)]


def test_one_who_wants_what_another_sleeps_through_is_told_it_alone(watched: Database) -> None:
    with watched.write() as connection:
        watches.add(connection, watches.Wish(registry="ctgov", record_id="NCT99000009", group="g"), NOW - DAY)
        subscribe(connection, "bob", to=[MAIL], when={"kinds": ["site.*"]})
        tell(connection, MINOR, CRITICAL, record=ALICE)
        subscribe(connection, "alice", snooze_until=NOW + DAY, at=NOW)

    assert living(watched) == [("trial.changed", 1)]
    assert len(tick(watched, NOW + DAY)) == 1
    assert living(watched) == [("trial.changed", 1), ("summary", 1)]


def test_a_paused_subscription_keeps_who_paused_it_and_why(watched: Database) -> None:
    with watched.write() as connection:
        subscribe(connection, paused=True, silenced_by="ann", silence_reason="moved", at=NOW)
        stored = subscriptions.find(connection, "alice")

    assert stored is not None
    assert stored.subscription.silence.in_words(NOW) == "paused, by ann: moved"
