"""Trouble is told once, and once more when it is over; what comes and goes is told seldom."""

import threading
from datetime import timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select

from notifiers import addresses, ledger, outbox, troubles
from notifiers.tables import deliveries
from notifiers.troubles import HOLD, LONGEST_HOLD, Seen, Trouble, after, note, standing
from snapshots.database import Database
from tests.notifiers.cast import DAY, HOUR, MINUTE, NOW

OPERATOR, OWNER = "mailto:operator@example.org", "mailto:owner@example.org"
DISK = Seen(key="disk", words="The disk is nearly full: 3 MB are left. Make room.")


def told(looks: list[bool], every: timedelta) -> list[tuple[int, str]]:
    """What is said over a row of looks, each of which finds the trouble or not: at which look, and what."""
    known: Trouble | None = None
    said = []
    for number, present in enumerate(looks):
        known, saying = after(known, DISK if present else None, [OPERATOR], NOW + number * every)
        if saying:
            said.append((number, saying))
    return said


@given(st.lists(st.booleans(), max_size=200))
def test_what_is_said_takes_turns_and_begins_with_the_first_sight(looks: list[bool]) -> None:
    said = told(looks, 10 * MINUTE)

    assert [saying for _, saying in said] == ["began", "over"] * (len(said) // 2) + ["began"] * (len(said) % 2)
    assert [number for number, _ in said][:1] == ([looks.index(True)] if any(looks) else [])


@given(st.lists(st.booleans(), max_size=200))
def test_the_end_is_believed_only_when_nothing_was_seen_for_as_long_as_the_hold(looks: list[bool]) -> None:
    ends = [number for number, saying in told(looks, 10 * MINUTE) if saying == "over"]

    assert all(not any(looks[number - 6 : number + 1]) for number in ends)


@given(st.lists(st.booleans(), min_size=1, max_size=1500))
def test_trouble_that_comes_and_goes_is_told_a_few_times_a_day_at_most(looks: list[bool]) -> None:
    said = told(looks, 10 * MINUTE)

    days = len(looks) * 10 * MINUTE / DAY
    # holds of 1, 2, 4, 8, 16 hours, and then one a day: each lets one end and one beginning through
    assert len(said) <= 2 * (6 + days)


def test_trouble_that_returns_right_after_every_end_is_told_ever_more_slowly() -> None:
    known, saying = after(None, DISK, [OPERATOR], NOW)
    at, ends = NOW, []
    while at < NOW + 14 * DAY:
        at += 10 * MINUTE
        assert known is not None
        known, saying = after(known, DISK if known.ended_at else None, [OPERATOR], at)
        if saying == "over":
            ends.append(at)

    gaps = [later - earlier for earlier, later in pairwise(ends)]
    assert gaps == sorted(gaps)
    assert gaps[0] > HOLD
    assert LONGEST_HOLD <= gaps[-1] <= LONGEST_HOLD + HOUR


def test_trouble_that_nobody_could_be_told_is_told_when_somebody_can_be() -> None:
    known, first = after(None, DISK, [], NOW)
    known, second = after(known, DISK, [OPERATOR], NOW + HOUR)
    known, third = after(known, DISK, [OPERATOR], NOW + 2 * HOUR)

    assert (first, second, third) == (None, "began", None)


def test_the_end_of_what_nobody_was_told_is_not_told_either() -> None:
    known, _ = after(None, DISK, [], NOW)
    known, _ = after(known, None, [OPERATOR], NOW + HOUR)

    assert after(known, None, [OPERATOR], NOW + 3 * HOUR)[1] is None


# --- kept and told ----------------------------------------------------------------------------------------------------


def messages(database: Database) -> list[tuple[str, str]]:
    """To whom, and under which heading, in order."""
    with database.read() as connection:
        rows = connection.execute(select(deliveries.c.id).order_by(deliveries.c.number)).scalars().all()
        loaded = [outbox.load(connection, each, NOW) for each in rows]
    return [(each.address.uri, each.title or "") for each in loaded]


def look(database: Database, *seen: Seen, after_: timedelta = timedelta(), operator: str | None = OPERATOR) -> int:
    with database.write() as connection:
        return len(note(connection, seen, operator, NOW + after_))


def test_the_operator_hears_once_of_trouble_and_once_of_its_end(database: Database) -> None:
    for hours in range(5):
        look(database, DISK, after_=hours * HOUR)
    for hours in range(5, 10):
        look(database, after_=hours * HOUR)

    assert messages(database) == [
        (OPERATOR, "Trouble: The disk is nearly full"),
        (OPERATOR, "Over: The disk is nearly full"),
    ]


def test_troubles_that_are_found_together_are_one_message(sqlite_database: Database) -> None:
    many = [Seen(key=f"watch:{n}", words=f"Record {n} could not be checked.") for n in range(100)]

    look(sqlite_database, DISK, *many)

    assert messages(sqlite_database) == [(OPERATOR, "Trouble: 101 new")]
    with sqlite_database.read() as connection:
        (entry,) = ledger.listing(connection)
        notice = outbox.load(connection, entry.delivery_id, NOW).notice or ""
    assert "And 71 more: `trialdelta doctor` lists them all." in notice


def test_a_dead_address_is_never_told_of_itself_and_its_owner_is(database: Database) -> None:
    dead = "mailto:gone@example.org"
    with database.write() as connection:
        addresses.ensure(connection, dead, NOW)
        addresses.switch(connection, dead, "off", "550 no such user", NOW)
    off = Seen(key=f"address:{dead}", words=f"{dead} is switched off.", concerns=(OWNER, dead), dead=(dead,))

    look(database, off)

    assert [uri for uri, _ in messages(database)] == [OPERATOR, OWNER]


def test_where_nobody_can_be_told_the_trouble_stands_for_health_to_see(sqlite_database: Database) -> None:
    assert look(sqlite_database, DISK, operator=None) == 0

    with sqlite_database.read() as connection:
        assert [(each.key, each.told_to) for each in standing(connection)] == [("disk", ())]


def test_an_operator_whose_own_address_is_off_is_not_written_to(sqlite_database: Database) -> None:
    with sqlite_database.write() as connection:
        addresses.ensure(connection, OPERATOR, NOW)
        addresses.switch(connection, OPERATOR, "off", "550 no such user", NOW)

    assert look(sqlite_database, DISK) == 0


@pytest.mark.parametrize("number", range(3))
def test_several_daemons_that_look_at_once_tell_it_once(database: Database, number: int) -> None:
    ready = threading.Barrier(4)

    def daemon() -> None:
        ready.wait(10)
        look(database, DISK, after_=timedelta(microseconds=threading.get_ident() % 1000))

    threads = [threading.Thread(target=daemon) for _ in range(4)]
    for each in threads:
        each.start()
    for each in threads:
        each.join(20)

    assert len(messages(database)) == 1


def test_the_notice_says_what_is_over_and_since_when(sqlite_database: Database) -> None:
    look(sqlite_database, DISK)
    look(sqlite_database, after_=HOUR)
    look(sqlite_database, after_=2 * HOUR)

    with sqlite_database.read() as connection:
        newest = ledger.listing(connection)[0]
        notice = outbox.load(connection, newest.delivery_id, NOW).notice or ""
    assert notice.startswith("Over since 2026-11-16 13:00 UTC (told on 2026-11-16): The disk is nearly full")
    assert troubles.HOLD == HOUR
