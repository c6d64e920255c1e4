"""Digests over a year of frozen time: at the wall-clock time of their reader, each change once, whatever clocks do."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from freezegun import freeze_time

from notifiers import digest, outbox
from snapshots.database import Database
from tests.notifiers.cast import ALICE, DAY, HOUR, MINUTE, NOW, change, subscribe, tell, watch

WEEK = 7 * DAY
BERLIN, NEW_YORK, KOLKATA = "Europe/Berlin", "America/New_York", "Asia/Kolkata"
LORD_HOWE, APIA = "Australia/Lord_Howe", "Pacific/Apia"


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def present() -> datetime:
    return datetime.fromisoformat(datetime.now(UTC).isoformat())


def play(database: Database, start: datetime, end: datetime, happens: timedelta, asks: timedelta) -> list[datetime]:
    """Time passes; something happens now and then, and digests are asked for now and then: when they were written."""
    written = []
    following = start
    with freeze_time(start) as clock:
        while (now := present()) < end:
            written += ask(database, happens=now >= following)
            following += happens if now >= following else timedelta()
            clock.tick(asks)
    return written


def ask(database: Database, *, happens: bool) -> list[datetime]:
    """Digests are asked for, right after something happened or not: when they were written."""
    now = present()
    with database.write() as connection:
        if happens:
            tell(connection, change("site.added"), at=now)
        return [now for _ in digest.enqueue_due(connection, now)]


def told(database: Database) -> list[int]:
    """The changes that digests told, in the order of the digests."""
    from notifiers import ledger

    with database.read() as connection:
        return [change_id for one in ledger.listing(connection, limit=5000)[::-1] for change_id in one.change_ids]


def subscribed(database: Database, began: datetime, **deliver: Any) -> None:
    with database.write() as connection:
        watch(connection, ALICE)
        subscribe(connection, deliver=deliver, at=began)


def local(moments: list[datetime], zone: str) -> Iterator[datetime]:
    return (moment.astimezone(ZoneInfo(zone)) for moment in moments)


@pytest.mark.parametrize(
    "zone", [BERLIN, LORD_HOWE, *(pytest.param(each, marks=pytest.mark.chaos) for each in (NEW_YORK, KOLKATA))]
)
def test_over_a_year_a_weekly_digest_comes_at_its_wall_time_and_tells_each_change_once(
    sqlite_database: Database, zone: str
) -> None:
    start = utc("2026-01-01T00:30")
    subscribed(sqlite_database, start - HOUR, digest="weekly", on="monday", at="08:00", timezone=zone)
    mondays = [datetime(2026, 1, 5, 8, tzinfo=ZoneInfo(zone)) + number * WEEK for number in range(52)]
    written = []

    with freeze_time(start) as clock:  # once: freezing costs more than all the rest
        for monday in mondays:
            for moment in (monday - 3 * DAY, monday.astimezone(UTC) - MINUTE, monday.astimezone(UTC)):
                clock.move_to(moment)
                written += ask(sqlite_database, happens=True)

    assert [f"{moment:%m-%d %H:%M}" for moment in local(written, zone)] == [f"{one:%m-%d %H:%M}" for one in mondays]
    changes = told(sqlite_database)
    assert changes == sorted(set(changes)) and len(changes) == 3 * 52


@pytest.mark.parametrize(
    ("zone", "first", "at"),
    [
        (BERLIN, "2026-03-27T12:00", "02:30"),
        (BERLIN, "2026-10-23T12:00", "02:30"),
        (NEW_YORK, "2026-03-06T12:00", "02:30"),
        (NEW_YORK, "2026-10-30T12:00", "01:30"),
        (LORD_HOWE, "2026-04-03T12:00", "01:45"),
        (LORD_HOWE, "2026-10-02T12:00", "02:15"),
        (KOLKATA, "2026-03-27T12:00", "00:00"),
    ],
)
def test_over_both_nights_a_daily_digest_comes_once_a_day(
    sqlite_database: Database, zone: str, first: str, at: str
) -> None:
    start = utc(first)
    subscribed(sqlite_database, start - HOUR, digest="daily", at=at, timezone=zone)

    written = play(sqlite_database, start, start + 4 * DAY, happens=HOUR, asks=15 * MINUTE)

    days = [moment.date() for moment in local(written, zone)]
    assert len(days) == len(set(days)) == 4
    changes = told(sqlite_database)
    assert changes == sorted(set(changes))


def test_in_samoa_the_day_that_never_was_brings_no_second_digest(sqlite_database: Database) -> None:
    start = utc("2011-12-28T00:00")
    subscribed(sqlite_database, start - HOUR, digest="daily", at="08:00", timezone=APIA)

    written = play(sqlite_database, start, start + 6 * DAY, happens=5 * HOUR, asks=30 * MINUTE)

    days = [f"{moment:%m-%d %H:%M}" for moment in local(written, APIA)]
    assert days == ["12-28 08:00", "12-29 08:00", "12-31 08:00", "01-01 08:00", "01-02 08:00", "01-03 08:00"]
    changes = told(sqlite_database)
    assert changes == sorted(set(changes))


def test_in_samoa_a_weekly_digest_of_the_skipped_friday_comes_on_saturday(sqlite_database: Database) -> None:
    start = utc("2011-12-20T00:00")
    subscribed(sqlite_database, start - HOUR, digest="weekly", on="friday", at="08:00", timezone=APIA)

    written = play(sqlite_database, start, start + 3 * WEEK, happens=DAY, asks=HOUR)

    days = [f"{moment:%a %m-%d %H:%M}" for moment in local(written, APIA)]
    assert days == ["Fri 12-23 08:00", "Sat 12-31 08:00", "Fri 01-06 08:00"]


def test_after_three_due_times_of_downtime_one_digest_tells_all(database: Database) -> None:
    start = utc("2026-03-23T12:00")
    subscribed(database, start - HOUR, digest="weekly", on="monday", at="08:00", timezone=BERLIN)
    play(database, start, start + 3 * WEEK, happens=DAY, asks=4 * WEEK)
    with database.write() as connection:
        for day in range(1, 21):
            tell(connection, change("site.added"), at=start + day * DAY)

    written = play(database, start + 3 * WEEK, start + 3 * WEEK + DAY, happens=WEEK, asks=HOUR)

    assert len(written) == 1
    assert len(told(database)) == len(set(told(database))) == 22


def test_a_changed_schedule_and_a_changed_time_zone_lose_and_repeat_nothing(database: Database) -> None:
    start = utc("2026-10-19T12:00")
    subscribed(database, start - HOUR, digest="weekly", on="monday", at="08:00", timezone=BERLIN)
    weeks = play(database, start, start + WEEK, happens=DAY, asks=HOUR)
    with database.write() as connection:
        subscribe(connection, deliver={"digest": "daily", "at": "18:00", "timezone": BERLIN}, at=start + WEEK)
    days = play(database, start + WEEK, start + WEEK + 3 * DAY, happens=DAY, asks=6 * HOUR)
    with database.write() as connection:
        subscribe(
            connection, deliver={"digest": "daily", "at": "18:00", "timezone": NEW_YORK}, at=start + WEEK + 3 * DAY
        )
    there = play(database, start + WEEK + 3 * DAY, start + WEEK + 6 * DAY, happens=DAY, asks=HOUR)

    assert (len(weeks), len(days), len(there)) == (1, 3, 3)
    assert {moment.hour for moment in local(there, NEW_YORK)} == {18}
    assert len(told(database)) == len(set(told(database))) == 13


def test_a_clock_that_is_set_back_hides_nothing_from_the_digest(database: Database) -> None:
    """It was a year ahead when everything was set up; then somebody corrects it."""
    subscribed(database, NOW + 365 * DAY, digest="daily", at="08:00")
    with database.write() as connection:
        tell(connection, change("site.added"), at=NOW + 365 * DAY + MINUTE)
        tell(connection, change("site.removed"), at=NOW)

    written = play(database, NOW, NOW + 2 * DAY, happens=10 * DAY, asks=HOUR)

    assert len(written) == 2
    assert len(told(database)) == len(set(told(database))) == 3


def test_the_same_due_time_again_after_the_clock_was_set_back_tells_what_is_new(database: Database) -> None:
    subscribed(database, NOW - HOUR, digest="daily", at="08:00")
    play(database, NOW, NOW + 2 * DAY, happens=DAY, asks=HOUR)
    with database.write() as connection:
        tell(connection, change("site.closed"), at=NOW + HOUR)

    play(database, NOW + HOUR, NOW + 3 * DAY, happens=10 * DAY, asks=HOUR)

    assert len(told(database)) == len(set(told(database))) == 4


def test_two_digests_of_one_address_tell_each_change_once_and_say_so(database: Database) -> None:
    with database.write() as connection:
        watch(connection, ALICE)
        for name in ("one", "two"):
            subscribe(connection, name, deliver={"digest": "daily", "at": "18:00"}, at=NOW - HOUR)
        tell(connection, change("site.added"))
        first, second = (outbox.load(connection, each, NOW) for each in digest.enqueue_due(connection, NOW + DAY))

    assert (len(first.steps), len(second.steps)) == (1, 0)
    assert second.coverage is not None and second.coverage.told_meanwhile == 1
