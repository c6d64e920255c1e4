"""Quiet hours hold for what goes later than it was meant to: further tries, what a downtime delayed, what was held."""

from datetime import datetime, timedelta

import pytest

from notifiers import ledger, outbox
from notifiers.ledger import Entry
from notifiers.outbox import Delivered, Failed
from snapshots.database import Database
from tests.notifiers.cast import ALICE, BOB, HOOK, HOUR, MINUTE, NOW, change, send_next, subscribe, take, tell, watch

NIGHT = {"from": "22:00", "to": "07:00"}
TEN = NOW + 10 * HOUR
"""22:00, when the night begins."""
MORNING = TEN + 9 * HOUR
REFUSED, DOWN = Failed(answer="not now"), Failed(answer="no connection", whose="operator")


@pytest.fixture
def asleep_at_night(database: Database) -> Database:
    with database.write() as connection:
        watch(connection, ALICE, BOB)
        subscribe(connection, quiet=NIGHT)
    return database


def say(database: Database, at: datetime, record: str = ALICE, kind: str = "site.recruiting") -> str:
    with database.write() as connection:
        (delivery_id,) = tell(connection, change(kind), record=record, at=at)
    return delivery_id


def entry(database: Database, delivery_id: str) -> Entry:
    with database.read() as connection:
        found = ledger.show(connection, delivery_id)
    assert found is not None
    return found


@pytest.mark.parametrize("trouble", [REFUSED, DOWN])
def test_a_further_try_that_falls_into_the_night_waits_for_the_morning(
    asleep_at_night: Database, trouble: Failed
) -> None:
    delivery_id = say(asleep_at_night, TEN - MINUTE)
    send_next(asleep_at_night, trouble, TEN - timedelta(seconds=2))

    assert send_next(asleep_at_night, Delivered("taken"), TEN + 6 * MINUTE) == "nothing"
    assert entry(asleep_at_night, delivery_id).due_at == MORNING
    assert send_next(asleep_at_night, Delivered("taken"), MORNING - MINUTE) == "nothing"
    assert send_next(asleep_at_night, Delivered("taken"), MORNING) == "delivered"
    assert len(entry(asleep_at_night, delivery_id).tries) == 2


def test_what_a_downtime_delayed_into_the_night_waits_for_the_morning(asleep_at_night: Database) -> None:
    for record in (ALICE, BOB):
        say(asleep_at_night, TEN - HOUR, record)

    assert take(asleep_at_night, TEN + HOUR) is None
    assert [send_next(asleep_at_night, Delivered("taken"), MORNING) for _ in range(3)] == [
        "delivered",
        "delivered",
        "nothing",
    ]


def test_what_was_held_until_the_night_began_waits_for_the_morning(asleep_at_night: Database) -> None:
    with asleep_at_night.write() as connection:
        tell(connection, change("title.changed"), at=TEN - 20 * MINUTE, held_until=TEN + 10 * MINUTE)
        outbox.release_held(connection, TEN + MINUTE)

    assert take(asleep_at_night, TEN + MINUTE) is None
    assert take(asleep_at_night, MORNING) is not None


def test_what_was_on_its_way_when_the_night_began_goes(asleep_at_night: Database) -> None:
    say(asleep_at_night, TEN - MINUTE)

    assert send_next(asleep_at_night, Delivered("taken"), TEN + MINUTE) == "delivered"


def test_what_a_person_sends_again_goes_at_once(asleep_at_night: Database) -> None:
    delivery_id = say(asleep_at_night, TEN - HOUR)
    send_next(asleep_at_night, REFUSED, TEN - HOUR)
    with asleep_at_night.write() as connection:
        outbox.retry(connection, delivery_id, TEN + HOUR)

    assert send_next(asleep_at_night, REFUSED, TEN + HOUR) == "pending"
    assert take(asleep_at_night, TEN + 2 * HOUR) is None


def test_a_further_try_goes_at_night_with_what_another_subscription_has_to_say_of_the_record(
    asleep_at_night: Database,
) -> None:
    first = say(asleep_at_night, TEN - MINUTE)
    send_next(asleep_at_night, REFUSED, TEN - timedelta(seconds=2))
    assert take(asleep_at_night, TEN + HOUR) is None
    with asleep_at_night.write() as connection:
        subscribe(connection, "watchman", at=TEN, when={"kinds": ["study.*"]})
    second = say(asleep_at_night, TEN + 2 * HOUR, kind="study.terminated")

    told = []
    for moment in (TEN + 2 * HOUR, TEN + 3 * HOUR):
        claimed = take(asleep_at_night, moment)
        assert claimed is not None
        told.append(claimed.delivery_id)
        attempt = outbox.begin_attempt(asleep_at_night, claimed, moment)
        outbox.record(asleep_at_night, attempt, Delivered("taken"), moment, None)  # type: ignore[arg-type]

    assert told == [first, second]


def test_the_night_of_one_address_is_not_that_of_another(asleep_at_night: Database) -> None:
    with asleep_at_night.write() as connection:
        subscribe(connection, "hook", to=[HOOK])
        tell(connection, change("site.recruiting"), at=TEN - HOUR)

    claimed = take(asleep_at_night, TEN + HOUR)

    assert claimed is not None
    assert claimed.uri == HOOK
    assert take(asleep_at_night, TEN + HOUR) is None
