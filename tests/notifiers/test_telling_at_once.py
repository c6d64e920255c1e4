"""Two that would tell an address the same at the same moment: a digest, a digest sent by hand, a snooze that ends."""

import threading
import time
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import Connection

from notifiers import digest, ledger, outbox
from snapshots.database import Database
from tests.notifiers.cast import ALICE, BOB, DAY, HOUR, MAIL, NOW, change, subscribe, tell, watch

LATER = NOW + 8 * DAY
DAILY = {"digest": "daily", "at": "08:00"}
LONG_ENOUGH = 0.3
"""Seconds in which whoever does not wait would have come to its end."""

Telling = Callable[[Connection], Any]


def due(connection: Connection) -> object:
    return digest.enqueue_due(connection, LATER)


def send_daily(connection: Connection) -> object:
    return digest.send(connection, "daily", LATER)


def send_other(connection: Connection) -> object:
    return digest.send(connection, "other", LATER)


def wake(connection: Connection) -> object:
    return outbox.wake_due(connection, LATER)


def something_critical(connection: Connection) -> object:
    return tell(connection, change("study.terminated"), record=BOB, at=LATER)


@pytest.fixture
def readers(database: Database) -> Database:
    """One address that several subscriptions tell, of which some only wait for a moment to do it."""
    with database.write() as connection:
        watch(connection, ALICE, BOB)
        subscribe(connection, "daily", deliver=DAILY)
        subscribe(connection, "other", deliver=DAILY | {"at": "09:00"})
        subscribe(connection, "until-then", snooze_until=NOW + HOUR, at=NOW - HOUR)
        subscribe(connection, "until-critical", snooze_until_critical=True, at=NOW - HOUR)
        for record in (ALICE, BOB):
            tell(connection, change("site.added"), record=record)
    return database


def at_once(database: Database, first: Telling, second: Telling) -> None:
    """The second comes while what the first wrote is not there yet for others to see."""
    trouble: list[BaseException] = []

    def come_second() -> None:
        try:
            with database.write() as connection:
                second(connection)
        except BaseException as error:
            trouble.append(error)

    other = threading.Thread(target=come_second)
    with database.write() as connection:
        first(connection)
        other.start()
        time.sleep(LONG_ENOUGH)
    other.join(30)
    assert trouble == []


def told(database: Database) -> Counter[int]:
    """How often the address is told each change."""
    with database.read() as connection:
        found = [one for one in ledger.listing(connection, limit=100) if one.state != "cancelled"]
    assert {one.uri for one in found} == {MAIL}
    return Counter(number for one in found for number in one.change_ids)


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (due, send_daily),
        (send_daily, due),
        (send_daily, send_other),
        (send_daily, send_daily),
        (send_other, wake),
        (send_daily, something_critical),
        (something_critical, send_daily),
    ],
)
def test_no_change_is_told_twice_by_two_that_tell_at_once(readers: Database, first: Telling, second: Telling) -> None:
    at_once(readers, first, second)

    assert set(told(readers).values()) == {1}


def test_whoever_only_looks_waits_for_nobody(readers: Database) -> None:
    with readers.write() as connection, readers.read() as other:
        digest.send(connection, "daily", LATER)
        (preview,) = digest.preview(other, "daily", LATER)

    assert len(preview.steps) == 2
