"""Awkward meetings of snoozes, limits, quiet hours, clocks and people: nothing missed, false, doubled or lost."""

import threading
from datetime import datetime, timedelta
from typing import Any

import pytest

from notifiers import addresses, confirmations, digest, ledger, outbox, unsubscribing, watches
from notifiers.composing import message_of
from notifiers.ledger import Entry
from notifiers.message import webhook_body
from notifiers.outbox import Delivered, Failed
from notifiers.silences import Silence
from snapshots import archive
from snapshots.database import Database
from tests.notifiers.cast import (
    ALICE,
    BEIJING,
    BOB,
    CHARLIE,
    DAY,
    HOOK,
    HOUR,
    MAIL,
    MINUTE,
    NOW,
    change,
    happen,
    seen,
    send_next,
    subscribe,
    tell,
    trial,
    watch,
)

WEEKLY = {"digest": "weekly", "on": "monday", "at": "08:00", "timezone": "UTC"}
MONDAY = datetime.fromisoformat("2026-11-23T08:00:00+00:00")
MINOR, CRITICAL = change("site.added"), change("study.terminated")


@pytest.fixture
def watched(database: Database) -> Database:
    with database.write() as connection:
        watch(connection, ALICE, BOB, CHARLIE)
    return database


@pytest.fixture
def here(sqlite_database: Database) -> Database:
    """The same where the kind of database plays no part."""
    with sqlite_database.write() as connection:
        watch(connection, ALICE, BOB, CHARLIE)
    return sqlite_database


def entries(database: Database) -> list[Entry]:
    with database.read() as connection:
        return ledger.listing(connection, limit=1000)[::-1]


def tick(database: Database, at: datetime) -> list[str]:
    """What the daemon does: digests and snoozes, summaries, deliveries; the types of what was sent."""
    with database.write() as connection:
        confirmations.give_up(connection, at)
        digest.enqueue_due(connection, at)
    outbox.fold_due(database, at)
    before = {one.delivery_id for one in entries(database) if one.state == "delivered"}
    while send_next(database, Delivered("ok"), at) != "nothing":
        pass
    return [one.type for one in entries(database) if one.state == "delivered" and one.delivery_id not in before]


def arrived(database: Database, uri: str = MAIL) -> list[int]:
    """The changes that arrived at an address, as often as they did."""
    sent = [one for one in entries(database) if one.state == "delivered" and one.uri == uri]
    return sorted(change_id for one in sent for change_id in one.change_ids)


def once(database: Database, many: int, uri: str = MAIL) -> bool:
    told = arrived(database, uri)
    return len(told) == len(set(told)) == many


# --- who asked for what when ------------------------------------------------------------------------------------------


def test_a_recruiting_site_that_moves_into_the_asked_place_is_told_at_once(watched: Database) -> None:
    moved = change("site.moved", site=BEIJING, before="Lyon, France", after="Beijing, China", path="sites[0]")
    at_once = {**WEEKLY, "immediately": "critical"}
    with watched.write() as connection:
        subscribe(connection, "near", when={"near": {"place": "Beijing", "km": 50}}, deliver=at_once)
        subscribe(connection, "all", to=[HOOK], deliver=at_once)
        outbox.enqueue(connection, happen(connection, moved), _placed(BEIJING), NOW)

    assert [(one.uri, one.type) for one in entries(watched)] == [(MAIL, "trial.changed")]


def _placed(*sites: Any) -> Any:
    from msgspec.structs import replace

    placed = tuple(replace(site, position=number) for number, site in enumerate(sites))
    return replace(trial(sites=placed), paths={"sites": "sites"})


def test_two_subscriptions_of_one_address_with_critical_at_once_tell_each_change_once(watched: Database) -> None:
    with watched.write() as connection:
        subscribe(connection, "a", deliver={**WEEKLY, "immediately": "critical"})
        subscribe(connection, "b", deliver={**WEEKLY, "immediately": "major"})
        subscribe(connection, "c")
        for record in (ALICE, BOB):
            tell(connection, MINOR, CRITICAL, change("site.closed"), record=record)

    tick(watched, NOW)
    tick(watched, MONDAY)

    assert once(watched, 6)


def test_the_alert_of_one_and_the_digest_of_another_share_an_address_without_doubling(here: Database) -> None:
    with here.write() as connection:
        subscribe(connection, "quiet", quiet={"from": "11:00", "to": "10:00"}, max_per_hour=1)
        subscribe(connection, "weekly", deliver=WEEKLY)
        for hour in range(5):
            tell(connection, MINOR, record=ALICE, at=MONDAY - hour * HOUR)

    for hour in (-1, 0, 2, 3, 4, 5, 26):
        tick(here, MONDAY + hour * HOUR)

    assert once(here, 5)


# --- people -----------------------------------------------------------------------------------------------------------


def test_who_stopped_by_the_link_is_not_told_again_because_a_file_is_applied_again(watched: Database) -> None:
    with watched.write() as connection:
        subscribe(connection, max_per_hour=1)
        (first, *_) = [tell(connection, MINOR, record=record)[0] for record in (ALICE, BOB, CHARLIE)]
        reader = unsubscribing.reader_of(connection, first)
        assert reader is not None
        unsubscribing.stop(connection, reader, ["alice"], NOW)
        subscribe(connection, max_per_hour=1, at=NOW + HOUR)
        subscribe(connection, max_per_hour=2, snooze_until=NOW + 2 * HOUR, at=NOW + HOUR)
        tell(connection, MINOR, record=ALICE, at=NOW + HOUR + MINUTE)

    assert [tick(watched, NOW + hour * HOUR) for hour in range(4)] == [[], [], [], []]


def test_an_address_that_is_on_again_after_three_weeks_is_told_everything_once(here: Database) -> None:
    with here.write() as connection:
        subscribe(connection, max_per_hour=1)
        subscribe(connection, "weekly", deliver=WEEKLY)
        addresses.switch(connection, MAIL, "off", "550", NOW)
    for day in range(21):
        with here.write() as connection:
            tell(connection, MINOR, record=(ALICE, BOB)[day % 2], at=NOW + day * DAY)
            tell(connection, CRITICAL, record=CHARLIE, at=NOW + day * DAY)
        assert tick(here, NOW + day * DAY) == []
    with here.write() as connection:
        addresses.switch(connection, MAIL, "on", None, NOW + 21 * DAY)

    for hour in range(24):
        tick(here, NOW + 21 * DAY + hour * HOUR)

    assert once(here, 42)


@pytest.mark.parametrize("days", [10, 20])
def test_who_confirms_late_is_told_what_waited_up_to_two_weeks_each_once(here: Database, days: int) -> None:
    with here.write() as connection:
        confirmations.require(connection, True, NOW)
        subscribe(connection, max_per_hour=2, at=NOW)
        (address,) = addresses.listing(connection, NOW)
    for day in range(days):
        with here.write() as connection:
            tell(connection, MINOR, record=(ALICE, BOB, CHARLIE)[day % 3], at=NOW + day * DAY)
        assert [kind for kind in tick(here, NOW + day * DAY) if kind != "confirmation"] == []
    with here.write() as connection:
        confirmations.confirm(connection, address.id, "the page", NOW + days * DAY)

    for hour in range(12):
        tick(here, NOW + days * DAY + hour * HOUR)

    assert once(here, min(days, 14))


# --- snoozes ----------------------------------------------------------------------------------------------------------


def test_a_critical_change_that_ends_a_snooze_and_is_over_the_limit_is_told_once(here: Database) -> None:
    with here.write() as connection:
        subscribe(connection, max_per_hour=1, snooze_until_critical=True, at=NOW)
        for minute in range(1, 4):
            tell(connection, MINOR, record=ALICE, at=NOW + minute * MINUTE)
        tell(connection, CRITICAL, record=ALICE, at=NOW + HOUR)
        tell(connection, CRITICAL, record=BOB, at=NOW + HOUR)

    assert tick(here, NOW + HOUR) == ["summary"]
    for hour in range(2, 6):
        tick(here, NOW + hour * HOUR + MINUTE)
    assert once(here, 5)


@pytest.mark.parametrize("whose", ["subscription", "watch"])
def test_a_clock_set_back_during_a_snooze_loses_nothing_that_waits_for_its_end(watched: Database, whose: str) -> None:
    until = NOW + DAY
    with watched.write() as connection:
        subscribe(connection)
        if whose == "subscription":
            subscribe(connection, snooze_until=until, at=NOW)
        else:
            watches.snooze(connection, "ctgov", [ALICE], Silence(until=until), NOW)
        tell(connection, MINOR, record=ALICE, at=NOW - HOUR)
        tell(connection, MINOR, record=ALICE, at=NOW + HOUR)

    tick(watched, until)

    assert once(watched, 2)


def test_a_watchs_snooze_in_a_subscriptions_snooze_with_a_digest_elsewhere_tells_each_once(watched: Database) -> None:
    with watched.write() as connection:
        subscribe(connection, snooze_until=NOW + 2 * DAY, at=NOW)
        subscribe(connection, "weekly", deliver=WEEKLY)
        subscribe(connection, "hook", to=[HOOK])
        watches.snooze(connection, "ctgov", [ALICE], Silence(until_critical=True), NOW)
        tell(connection, MINOR, record=ALICE, at=NOW + HOUR)
        tell(connection, MINOR, record=BOB, at=NOW + HOUR)
        tell(connection, CRITICAL, record=ALICE, at=NOW + 2 * HOUR)

    for day in range(9):
        tick(watched, NOW + day * DAY)
    tick(watched, MONDAY + DAY)

    assert once(watched, 3)
    assert once(watched, 3, HOOK)


# --- quiet hours ------------------------------------------------------------------------------------------------------


def test_a_summary_that_a_downtime_delayed_into_the_quiet_hours_waits_for_their_end(here: Database) -> None:
    with here.write() as connection:
        subscribe(connection, max_per_hour=1, quiet={"from": "15:00", "to": "18:00"})
        for record in (ALICE, BOB, CHARLIE):
            tell(connection, MINOR, record=record)
    assert tick(here, NOW) == ["trial.changed"]

    assert tick(here, NOW + 4 * HOUR) == []
    assert tick(here, NOW + 6 * HOUR) == ["summary"]
    assert once(here, 3)


def test_what_comes_behind_a_summary_in_quiet_hours_waits_for_their_end(here: Database) -> None:
    with here.write() as connection:
        subscribe(connection, "few", max_per_hour=1, when={"kinds": ["site.*"]})
        for record in (BOB, ALICE, CHARLIE):
            tell(connection, MINOR, record=record)
    tick(here, NOW)
    outbox.fold_due(here, NOW + HOUR)
    assert send_next(here, Failed(answer="451 later"), NOW + HOUR) == "pending"
    with here.write() as connection:
        quiet = {"from": "12:00", "to": "18:00"}
        subscribe(connection, "quiet", when={"kinds": ["study.*"]}, quiet=quiet, at=NOW)
        tell(connection, CRITICAL, record=ALICE, at=NOW + HOUR + MINUTE)

    assert tick(here, NOW + HOUR + 30 * MINUTE) == ["summary"]
    assert tick(here, NOW + 2 * HOUR) == []
    assert tick(here, NOW + 7 * HOUR) == ["summary"]  # in the thread of summaries: after the first
    assert once(here, 4)


def test_a_notice_in_place_of_what_was_held_keeps_the_quiet_hours(watched: Database) -> None:
    quiet = {"from": "11:00", "to": "18:00"}
    with watched.write() as connection:
        subscribe(connection, quiet=quiet)
        subscribe(connection, "awake", to=[HOOK])
        steps = []
        for record in (ALICE, BOB):
            step = happen(connection, change("title.changed"), record=record)
            outbox.enqueue(connection, step, trial(record), NOW, NOW + 30 * MINUTE)
            steps.append(step.id)
        notice = happen(connection, change("registry.reformatted"), record=None)
        outbox.replace_held(connection, notice, steps, NOW)
        outbox.release_held(connection, NOW)

    assert tick(watched, NOW) == ["registry.notice"]
    assert tick(watched, NOW + 5 * HOUR) == []
    assert tick(watched, NOW + 6 * HOUR) == ["registry.notice"]


# --- by hand ----------------------------------------------------------------------------------------------------------


def test_a_replay_sends_again_under_the_old_ids_and_leaves_what_waits_alone(here: Database) -> None:
    with here.write() as connection:
        subscribe(connection, max_per_hour=1)
        for record in (ALICE, BOB, CHARLIE):
            tell(connection, MINOR, record=record)
    # nobody folded: what waited went by itself in the end
    while send_next(here, Delivered("ok"), NOW + 2 * HOUR) != "nothing":
        pass
    ids = [one.delivery_id for one in entries(here)]
    with here.write() as connection:
        tell(connection, CRITICAL, record=ALICE, at=NOW + 2 * HOUR)
        replayed = outbox.replay(connection, NOW - DAY, NOW + 2 * HOUR)

    for hour in range(2, 8):
        tick(here, NOW + hour * HOUR)

    assert replayed == ids
    assert [one.delivery_id for one in entries(here)][:3] == ids
    assert [one.state for one in entries(here)] == ["delivered"] * 4
    assert [one.type for one in entries(here)] == ["trial.changed"] * 4


def test_a_secret_that_rotates_between_two_tries_signs_beside_the_former_one(here: Database) -> None:
    with here.write() as connection:
        subscribe(connection, to=[HOOK])
        (delivery_id,) = tell(connection, MINOR)
        before = outbox.load(connection, delivery_id, NOW).address
    send_next(here, Failed(answer="HTTP 503"), NOW)
    with here.write() as connection:
        addresses.rotate(connection, HOOK, NOW + MINUTE)
        after = outbox.load(connection, delivery_id, NOW + HOUR).address

    assert set(before.secrets) < set(after.secrets) and len(after.secrets) == 2


def test_a_record_that_is_merged_while_its_message_waits_is_told_as_it_was_seen(watched: Database) -> None:
    with watched.write() as connection:
        subscribe(connection)
        (delivery_id,) = tell(connection, MINOR, record=ALICE)
        said = webhook_body(message_of(connection, outbox.load(connection, delivery_id, NOW)))
        seen(connection, BOB)
        archive.merge(connection, "ctgov", ALICE, BOB)
        tell(connection, MINOR, record=BOB)
        again = webhook_body(message_of(connection, outbox.load(connection, delivery_id, NOW + DAY)))

    assert tick(watched, NOW) == ["trial.changed", "trial.changed"]
    assert said == again
    assert once(watched, 2)


# --- clocks and crowds ------------------------------------------------------------------------------------------------


def test_a_clock_set_back_an_hour_loses_and_doubles_nothing_under_a_limit(here: Database) -> None:
    with here.write() as connection:
        subscribe(connection, max_per_hour=2)
        subscribe(connection, "weekly", deliver=WEEKLY)
    clock = [NOW + minutes * MINUTE for minutes in (0, 5, 10, 15, -45, -40, -30, -10, 20, 25)]
    for number, at in enumerate(clock):
        with here.write() as connection:
            tell(connection, MINOR, record=(ALICE, BOB, CHARLIE)[number % 3], at=at)
        tick(here, at)
    for hour in range(1, 8):
        tick(here, NOW + hour * HOUR)
    tick(here, MONDAY)

    assert once(here, len(clock))


@pytest.mark.parametrize("work", ["fold", "wake", "digest"])
def test_processes_that_work_at_the_same_moment_tell_each_change_once(watched: Database, work: str) -> None:
    asked: dict[str, Any] = {
        "fold": {"max_per_hour": 1},
        "wake": {"snooze_until": NOW + HOUR},
        "digest": {"deliver": {"digest": "daily", "at": "13:00"}},
    }[work]
    with watched.write() as connection:
        subscribe(connection, at=NOW, **asked)
        subscribe(connection, "second", at=NOW, **asked)
        for record in (ALICE, BOB, CHARLIE):
            tell(connection, MINOR, record=record, at=NOW + MINUTE)
    send_next(watched, Delivered("ok"), NOW + MINUTE)
    later = NOW + HOUR + timedelta(minutes=2)
    start = threading.Barrier(2)

    def once_each() -> None:
        start.wait(10)
        with watched.write() as connection:
            digest.enqueue_due(connection, later)
        outbox.fold_due(watched, later)

    threads = [threading.Thread(target=once_each) for _ in range(2)]
    for each in threads:
        each.start()
    for each in threads:
        each.join(60)
    while send_next(watched, Delivered("ok"), later) != "nothing":
        pass

    assert once(watched, 3)
