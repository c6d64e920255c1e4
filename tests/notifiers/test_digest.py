"""Digests: once each, nothing lost, nothing twice, and a proof where nothing happened."""

import threading
from datetime import datetime, timedelta
from random import Random
from typing import Any

import pytest
from freezegun import freeze_time

from notifiers import digest, due_watches, ledger, outbox, subscriptions, watches
from notifiers.outbox import Delivered, Failed, Told
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
    LYON,
    MAIL,
    MINUTE,
    NOW,
    change,
    happen,
    send_next,
    subscribe,
    tell,
    trial,
    watch,
)

WEEK = 7 * DAY
WEEKLY = {"digest": "weekly", "on": "monday", "at": "08:00", "timezone": "Asia/Shanghai"}
MONDAY = datetime.fromisoformat("2026-11-23T00:00:00+00:00")
"""08:00 in Shanghai, the first Monday after NOW."""


@pytest.fixture
def weekly(database: Database) -> Database:
    """A database with three watched trials, and a team that has a weekly digest of them, to two addresses."""
    with database.write() as connection:
        watch(connection, ALICE, group="dkd")
        watch(connection, BOB, CHARLIE)
        subscribe(connection, "team", to=[MAIL, HOOK], deliver=WEEKLY, at=NOW - HOUR)
    return database


def due(database: Database, at: datetime) -> list[str]:
    with database.write() as connection:
        return digest.enqueue_due(connection, at)


def load(database: Database, delivery_id: str) -> Told:
    with database.read() as connection:
        return outbox.load(connection, delivery_id, NOW)


def said(told: Told) -> list[tuple[str | None, list[str]]]:
    """Records, and the kinds that are told of them."""
    return [(step.step.registry_id, [one.change.kind for one in step.changes]) for step in told.steps]


def test_a_digest_is_due_at_its_time_and_not_before(weekly: Database) -> None:
    assert due(weekly, MONDAY - timedelta(microseconds=1)) == []
    assert len(due(weekly, MONDAY)) == 2
    assert due(weekly, MONDAY + MINUTE) == []
    assert len(due(weekly, MONDAY + WEEK)) == 2


def test_a_digest_tells_what_was_wanted_since_the_subscription_began(weekly: Database) -> None:
    with weekly.write() as connection:
        tell(connection, change("study.completed"), record=BOB)
        tell(connection, change("site.recruiting"), change("site.added"), record=ALICE)
        tell(connection, change("record.first_seen"), record=CHARLIE)
        tell(connection, change("study.terminated"), record=CHARLIE, cause="back-filled")
        tell(connection, change("site.closed"), record=ALICE, at=NOW + HOUR)

    told = load(weekly, due(weekly, MONDAY)[0])

    assert told.type == "digest"
    assert said(told) == [
        (ALICE, ["site.recruiting", "site.added"]),
        (ALICE, ["site.closed"]),
        (BOB, ["study.completed"]),
    ]
    assert [because.name for because in told.because] == ["team"]


def test_conditions_hold_for_digests_as_they_do_for_alerts(weekly: Database) -> None:
    with weekly.write() as connection:
        subscribe(connection, "china", to=["mailto:c@example.org"], deliver=WEEKLY, when={"countries": ["China"]})
        tell(connection, change("site.added", BEIJING), change("site.added", LYON), change("study.completed"))
        (preview,) = digest.preview(connection, "china", MONDAY)

    assert said(preview) == [(ALICE, ["site.added", "study.completed"])]


def test_the_next_digest_tells_only_what_is_new(weekly: Database) -> None:
    with weekly.write() as connection:
        tell(connection, change("site.added"))
    due(weekly, MONDAY)
    with weekly.write() as connection:
        tell(connection, change("site.removed"), at=MONDAY + DAY)

    second = load(weekly, due(weekly, MONDAY + WEEK)[0])

    assert said(second) == [(ALICE, ["site.removed"])]
    assert second.coverage is not None and second.coverage.since == MONDAY


def test_what_an_address_was_told_at_once_is_not_told_again_there(weekly: Database) -> None:
    with weekly.write() as connection:
        subscribe(connection, "alice", to=[MAIL], when={"kinds": ["site.recruiting"]})
        tell(connection, change("site.recruiting"), change("site.added"))

    mail, hook = (load(weekly, id_) for id_ in due(weekly, MONDAY))

    assert said(mail) == [(ALICE, ["site.added"])]
    assert said(hook) == [(ALICE, ["site.recruiting", "site.added"])]


def test_what_was_critical_came_at_once_and_the_rest_comes_in_the_digest(database: Database) -> None:
    with database.write() as connection:
        watch(connection, ALICE)
        subscribe(connection, deliver={"immediately": "critical", **WEEKLY})
        (alert,) = tell(connection, change("study.suspended"), change("site.closed"))

    assert said(load(database, alert)) == [(ALICE, ["study.suspended"])]
    assert said(load(database, due(database, MONDAY)[0])) == [(ALICE, ["site.closed"])]


def test_an_alert_that_never_arrived_is_told_by_the_digest(database: Database) -> None:
    with database.write() as connection:
        watch(connection, ALICE)
        subscribe(connection, deliver={"immediately": "critical", **WEEKLY})
        tell(connection, change("study.suspended"))
    send_next(database, Failed(answer="554 refused", permanent=True, whose="message"))

    assert said(load(database, due(database, MONDAY)[0])) == [(ALICE, ["study.suspended"])]


def test_a_failed_digest_is_told_by_the_next_one(weekly: Database) -> None:
    with weekly.write() as connection:
        tell(connection, change("site.added"))
    first = due(weekly, MONDAY)
    with weekly.write() as connection:
        for id_ in first:
            outbox.cancel(connection, id_, "in a test", MONDAY)

    assert said(load(weekly, due(weekly, MONDAY + WEEK)[0])) == [(ALICE, ["site.added"])]


def test_after_three_weeks_of_silence_one_digest_tells_it_all(weekly: Database) -> None:
    for week in range(3):
        with weekly.write() as connection:
            tell(connection, change("site.added"), at=NOW + week * WEEK)

    written = due(weekly, MONDAY + 2 * WEEK + 3 * HOUR)

    assert len(written) == 2
    assert len(load(weekly, written[0]).steps) == 3
    assert due(weekly, MONDAY + 2 * WEEK + 4 * HOUR) == []
    assert len(due(weekly, MONDAY + 3 * WEEK)) == 2


def test_two_processes_that_ask_at_once_write_each_digest_once(weekly: Database) -> None:
    with weekly.write() as connection:
        for number in range(3):
            subscribe(connection, f"s{number}", to=[f"mailto:s{number}@example.org"], deliver=WEEKLY)
    started = threading.Barrier(4)
    written: list[str] = []
    trouble: list[BaseException] = []

    def ask() -> None:
        started.wait()
        try:
            written.extend(due(weekly, MONDAY))
        except BaseException as error:
            trouble.append(error)

    asking = [threading.Thread(target=ask) for _ in range(4)]
    for thread in asking:
        thread.start()
    for thread in asking:
        thread.join(60)

    assert trouble == []
    with weekly.read() as connection:
        listed = ledger.listing(connection)
    assert len(written) == len(listed) == 5
    assert {one.uri for one in listed} == {MAIL, HOOK, *(f"mailto:s{number}@example.org" for number in range(3))}


@pytest.mark.parametrize(
    ("zone", "night", "at"),
    [
        ("Europe/Berlin", "2026-03-29", "02:30"),
        ("Europe/Berlin", "2026-10-25", "02:30"),
        ("America/New_York", "2026-03-08", "02:30"),
        ("America/New_York", "2026-11-01", "01:30"),
    ],
)
def test_over_a_night_in_which_the_clock_changes_a_daily_digest_comes_once(
    sqlite_database: Database, zone: str, night: str, at: str
) -> None:
    start = datetime.fromisoformat(f"{night}T00:00:00+00:00")
    with sqlite_database.write() as connection:
        watch(connection, ALICE)
        daily = {"digest": "daily", "at": at, "timezone": zone}
        subscribe(connection, deliver=daily, at=start - 2 * HOUR)
    written = []
    with freeze_time(start) as clock:
        for _ in range(24 * 4):
            written += due(sqlite_database, datetime.now().astimezone())
            clock.tick(15 * MINUTE)

    assert len(written) == 1


def test_quiet_weeks_prove_that_somebody_looked(weekly: Database) -> None:
    with weekly.write() as connection:
        sweep = archive.begin_sweep(connection, "ctgov", "2026-11-20T09:00:05", "all", MONDAY - HOUR)
        due_watches.mark_baseline(connection, "ctgov", [ALICE, BOB], sweep)
        archive.note_exception(connection, sweep, BOB, "not fetched", "the registry answered 503")
        archive.finish_sweep(connection, sweep, asked=3, answered=2, changed=0, failed=1, now=MONDAY - 50 * MINUTE)

    told = load(weekly, due(weekly, MONDAY)[0])

    assert told.steps == ()
    assert told.coverage is not None
    assert (told.coverage.watched, told.coverage.release) == (3, "2026-11-20T09:00:05")
    assert told.coverage.last_checked == MONDAY - 50 * MINUTE
    assert (told.coverage.since, told.coverage.until) == (NOW - HOUR, MONDAY)
    assert told.coverage.unchecked == ((BOB, "not fetched"), (CHARLIE, "not asked for yet"))


def test_where_nobody_ever_looked_the_digest_proves_nothing(weekly: Database) -> None:
    told = load(weekly, due(weekly, MONDAY)[0])

    assert told.coverage is not None
    assert (told.coverage.watched, told.coverage.last_checked, told.coverage.release) == (3, None, None)
    assert len(told.coverage.unchecked) == 3


@pytest.mark.parametrize(
    ("selected", "count"), [("all", 3), ({"group": "dkd"}, 1), ({"ids": [BOB, CHARLIE]}, 2), ({"group": "other"}, 0)]
)
def test_a_digest_counts_the_watches_it_is_about(weekly: Database, selected: Any, count: int) -> None:
    with weekly.write() as connection:
        subscribe(connection, "some", to=["mailto:s@example.org"], watches=selected, deliver=WEEKLY)
        (preview,) = digest.preview(connection, "some", MONDAY)

    assert preview.coverage is not None and preview.coverage.watched == count


def test_a_snoozed_subscription_is_told_afterwards_what_it_slept_through(weekly: Database) -> None:
    with weekly.write() as connection:
        subscribe(connection, "team", to=[MAIL], deliver=WEEKLY, snooze_until=MONDAY + 2 * DAY)
        tell(connection, change("site.added"))

    assert due(weekly, MONDAY) == []
    (delivery,) = due(weekly, MONDAY + 2 * DAY)
    assert said(load(weekly, delivery)) == [(ALICE, ["site.added"])]


def test_a_paused_subscription_wants_nothing_and_its_digest_waits(weekly: Database) -> None:
    with weekly.write() as connection:
        subscribe(connection, "team", to=[MAIL], deliver=WEEKLY, paused=True)
        tell(connection, change("site.added"))
    assert due(weekly, MONDAY) == []
    with weekly.write() as connection:
        subscribe(connection, "team", to=[MAIL], deliver=WEEKLY)

    (delivery,) = due(weekly, MONDAY + DAY)
    assert said(load(weekly, delivery)) == []


def test_what_happened_to_a_snoozed_watch_is_told_when_it_is_awake(weekly: Database) -> None:
    with weekly.write() as connection:
        watches.snooze(connection, "ctgov", [ALICE], Silence(until=MONDAY + DAY), NOW)
        tell(connection, change("site.added"), record=ALICE)
        tell(connection, change("site.removed"), record=BOB)

    assert said(load(weekly, due(weekly, MONDAY)[0])) == [(BOB, ["site.removed"])]
    assert said(load(weekly, due(weekly, MONDAY + WEEK)[0])) == [(ALICE, ["site.added"])]


def test_an_address_that_joins_later_is_told_what_was_observed_since(weekly: Database) -> None:
    with weekly.write() as connection:
        tell(connection, change("site.added"), at=NOW)
        subscribe(connection, "team", to=[MAIL, HOOK, "mailto:new@example.org"], deliver=WEEKLY, at=NOW + DAY)
        tell(connection, change("site.removed"), at=NOW + 2 * DAY)

    assert [len(load(weekly, id_).steps) for id_ in due(weekly, MONDAY)] == [2, 2, 1]


def test_a_preview_writes_nothing_and_is_what_the_digest_says(weekly: Database) -> None:
    with weekly.write() as connection:
        tell(connection, change("site.added"))
    with weekly.read() as connection:
        preview = digest.preview(connection, "team", MONDAY)
        listed = ledger.listing(connection)

    written = [load(weekly, id_) for id_ in due(weekly, MONDAY)]
    assert listed == []
    assert [said(one) for one in preview] == [said(one) for one in written]
    assert [one.coverage for one in preview] == [one.coverage for one in written]
    assert {one.delivery_id for one in preview} == {digest.PREVIEW}


def test_each_address_can_be_previewed_alone_in_the_order_in_which_they_are_told(weekly: Database) -> None:
    with weekly.write() as connection:
        tell(connection, change("site.added"))
    with weekly.read() as connection:
        whole = digest.preview(connection, "team", MONDAY)
        readers = digest.readers(connection, "team", MONDAY)
        alone = [told for each in readers for told in digest.preview(connection, "team", MONDAY, each.id)]
        nobody = digest.preview(connection, "team", MONDAY, 12345)

    assert [each.uri for each in readers] == [MAIL, HOOK]
    assert alone == whole
    assert nobody == []


def test_sending_by_hand_leaves_the_digests_own_times_alone(weekly: Database) -> None:
    with weekly.write() as connection:
        tell(connection, change("site.added"))
        written = digest.send(connection, "team", NOW + DAY)

    assert said(load(weekly, written[0])) == [(ALICE, ["site.added"])]
    assert [said(load(weekly, id_)) for id_ in due(weekly, MONDAY)] == [[], []]


def test_a_digest_of_nobody_is_said_so(sqlite_database: Database) -> None:
    with sqlite_database.write() as connection:
        with pytest.raises(digest.UnknownSubscription, match="no subscription 'nobody'"):
            digest.preview(connection, "nobody", NOW)
        with pytest.raises(digest.UnknownSubscription):
            digest.send(connection, "nobody", NOW)


def test_digests_of_a_subscription_arrive_in_order(weekly: Database) -> None:
    with weekly.write() as connection:
        subscribe(connection, "team", to=[MAIL], deliver=WEEKLY)
    (first,) = due(weekly, MONDAY)
    (second,) = due(weekly, MONDAY + WEEK)
    arrived = []
    for at in (MONDAY + WEEK, MONDAY + WEEK + MINUTE):
        claimed = outbox.claim(weekly, "w1", at, 60)
        assert claimed is not None
        arrived.append(claimed.delivery_id)
        outbox.record(weekly, outbox.begin_attempt(weekly, claimed, at), Delivered("ok"), at, Random(1))

    assert arrived == [first, second]


def test_changing_the_time_of_a_digest_moves_the_next_one(weekly: Database) -> None:
    with weekly.write() as connection:
        subscribe(connection, "team", to=[MAIL], deliver={"digest": "daily", "at": "18:00"}, at=NOW)
        stored = subscriptions.find(connection, "team")

    assert stored is not None and stored.next_digest_at == NOW + 6 * HOUR


def test_a_digest_tells_that_the_registry_reformatted_in_place_of_every_record(weekly: Database) -> None:
    with weekly.write() as connection:
        steps = [happen(connection, change("title.changed"), record=record) for record in (ALICE, BOB, CHARLIE)]
        for step in steps:
            outbox.enqueue(connection, step, trial(step.registry_id or ""), NOW, NOW + HOUR)
        tell(connection, change("site.added"), record=ALICE)
        notice = happen(connection, change("registry.reformatted"), record=None, cause="registry")
        outbox.replace_held(connection, notice, {step.id for step in steps}, NOW)

    told = load(weekly, due(weekly, MONDAY)[0])
    assert said(told) == [(None, ["registry.reformatted"]), (ALICE, ["site.added"])]


def test_what_a_digest_told_can_be_read_when_its_subscription_is_gone(weekly: Database) -> None:
    with weekly.write() as connection:
        tell(connection, change("site.added"))
    delivery = due(weekly, MONDAY)[0]
    with weekly.write() as connection:
        subscriptions.remove(connection, "team", MONDAY)

    told = load(weekly, delivery)
    assert said(told) == [(ALICE, ["site.added"])]
    assert [because.name for because in told.because] == ["team"]


def test_what_waited_for_a_digest_is_told_when_the_digest_is_given_up(database: Database) -> None:
    with database.write() as connection:
        watch(connection, ALICE)
        subscribe(connection, deliver=WEEKLY)
        tell(connection)
        subscribe(connection, at=NOW + HOUR)

        (last,) = digest.enqueue_due(connection, NOW + HOUR)
        told = outbox.load(connection, last, NOW + HOUR)
        again = digest.enqueue_due(connection, NOW + 30 * DAY)

    assert [len(step.changes) for step in told.steps] == [1]
    assert again == []


def test_a_digest_that_is_given_up_with_nothing_to_tell_says_no_farewell(database: Database) -> None:
    with database.write() as connection:
        watch(connection, ALICE)
        subscribe(connection, deliver=WEEKLY)
        subscribe(connection, at=NOW + HOUR)

        assert digest.enqueue_due(connection, NOW + 30 * DAY) == []
