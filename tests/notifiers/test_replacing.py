"""Addresses that are corrected and subscriptions that are called otherwise: what waited is told, and nothing twice."""

from datetime import datetime

import pytest

from notifiers import digest, ledger, outbox, subscriptions, watchlist_file
from notifiers.outbox import Delivered, Failed
from notifiers.subscriptions import Subscription
from notifiers.watchlist_file import Watchlist
from snapshots.database import Database
from tests.notifiers.cast import (
    ALICE,
    BOB,
    DAY,
    HOUR,
    MINUTE,
    NOW,
    change,
    send_next,
    subscribe,
    tell,
    watch,
)

WRONG, RIGHT = "mailto:alcie@example.org", "mailto:alice@example.org"
WEEKLY = {"digest": "weekly", "on": "monday", "at": "08:00", "timezone": "Asia/Shanghai"}
MONDAY = datetime.fromisoformat("2026-11-23T00:00:00+00:00")


def told(database: Database) -> list[tuple[str, str, int]]:
    """Whom each delivery is for, how it stands and how many changes it tells."""
    with database.read() as connection:
        return [(one.uri, one.state, len(one.change_ids)) for one in ledger.listing(connection)[::-1]]


@pytest.fixture
def watched(database: Database) -> Database:
    with database.write() as connection:
        watch(connection, ALICE, BOB)
    return database


def test_a_corrected_address_is_told_what_waited_for_the_wrong_one(watched: Database) -> None:
    with watched.write() as connection:
        subscribe(connection, to=[WRONG], quiet={"from": "11:00", "to": "14:00"})
        tell(connection)
        subscribe(connection, to=[RIGHT], at=NOW + MINUTE)

    assert told(watched) == [(WRONG, "cancelled", 1), (RIGHT, "pending", 1)]


def test_a_corrected_address_is_told_what_failed_at_the_wrong_one(watched: Database) -> None:
    with watched.write() as connection:
        subscribe(connection, to=[WRONG])
        tell(connection)
    send_next(watched, Failed(answer="550 no such user", permanent=True))
    with watched.write() as connection:
        subscribe(connection, to=[RIGHT], at=NOW + MINUTE)

    assert told(watched) == [(WRONG, "failed", 1), (RIGHT, "pending", 1)]


def test_a_corrected_address_is_not_told_what_arrived_at_the_former_one(watched: Database) -> None:
    with watched.write() as connection:
        subscribe(connection, to=[WRONG])
        tell(connection)
    send_next(watched, Delivered("250 ok"))
    with watched.write() as connection:
        subscribe(connection, to=[RIGHT], at=NOW + MINUTE)

    assert told(watched) == [(WRONG, "delivered", 1)]


def test_the_digest_of_a_corrected_address_tells_what_the_former_ones_would_have(watched: Database) -> None:
    with watched.write() as connection:
        subscribe(connection, to=[WRONG], deliver=WEEKLY)
        tell(connection, at=NOW)
        first = digest.enqueue_due(connection, MONDAY)
        tell(connection, record=BOB, at=MONDAY + HOUR)
    assert send_next(watched, Delivered("250 ok"), MONDAY) == "delivered"
    with watched.write() as connection:
        subscribe(connection, to=[RIGHT], deliver=WEEKLY, at=MONDAY + DAY)
        (second,) = digest.enqueue_due(connection, MONDAY + 7 * DAY)
        found = outbox.load(connection, second, MONDAY)

    assert len(first) == 1
    assert [step.step.registry_id for step in found.steps] == [BOB]
    assert found.coverage is not None and found.coverage.since == MONDAY


def test_an_address_that_joins_is_not_told_the_past(watched: Database) -> None:
    with watched.write() as connection:
        subscribe(connection, to=[WRONG], quiet={"from": "11:00", "to": "14:00"})
        tell(connection)
        subscribe(connection, to=[WRONG, RIGHT], quiet={"from": "11:00", "to": "14:00"}, at=NOW + MINUTE)

    assert told(watched) == [(WRONG, "pending", 1)]


def test_who_is_told_the_same_step_already_is_told_only_the_rest(watched: Database) -> None:
    quiet = {"from": "11:00", "to": "14:00"}
    with watched.write() as connection:
        subscribe(connection, "sites", to=[RIGHT], when={"kinds": ["site.*"]}, quiet=quiet)
        subscribe(connection, "all", to=[WRONG], quiet=quiet)
        tell(connection, change("site.added"), change("study.terminated"))
        subscribe(connection, "all", to=[RIGHT], quiet=quiet, at=NOW + MINUTE)

    assert told(watched) == [(RIGHT, "pending", 1), (WRONG, "cancelled", 2), (RIGHT, "pending", 1)]


def apply(database: Database, *wanted: Subscription, prune: bool = True) -> list[tuple[str, str]]:
    with database.write() as connection:
        planned = watchlist_file.plan(connection, Watchlist(registry="ctgov", subscriptions=wanted), NOW + HOUR)
        watchlist_file.apply(connection, planned, NOW + HOUR, prune=prune)
    return [(step.verb, step.name) for step in planned.to_do(prune=prune) if step.kind == "subscription"]


def test_a_subscription_that_a_file_calls_otherwise_keeps_what_waits_for_it(watched: Database) -> None:
    with watched.write() as connection:
        subscribe(connection, "old", to=[RIGHT], quiet={"from": "11:00", "to": "14:00"})
        (waiting,) = tell(connection)
        stored = subscriptions.find(connection, "old")
    assert stored is not None

    done = apply(watched, Subscription(name="new", to=(RIGHT,)))

    assert done == [("change", "new")]
    with watched.read() as connection:
        entry = ledger.show(connection, waiting)
        names = [one.subscription.name for one in subscriptions.listing(connection)]
    assert entry is not None and (entry.state, [asker.name for asker in entry.askers]) == ("pending", ["new"])
    assert names == ["new"]


def test_what_asks_for_something_else_is_another_subscription(watched: Database) -> None:
    with watched.write() as connection:
        subscribe(connection, "old", to=[RIGHT])

    done = apply(watched, Subscription(name="new", to=(WRONG,)))

    assert done == [("add", "new"), ("remove", "old")]
    assert apply(watched, Subscription(name="newer", to=(WRONG,)), prune=False) == [("add", "newer")]
