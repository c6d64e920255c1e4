"""One request at a time, politely spaced, across everything that shares a database."""

import threading
import time
from datetime import UTC, datetime, timedelta

import pytest

from snapshots.database import Database
from snapshots.holders import this_process
from snapshots.leases import acquire
from snapshots.turns import DatabaseTurn
from tests.snapshots.test_leases import dead_process

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


class Watch:
    """A clock that moves only while somebody sleeps."""

    def __init__(self) -> None:
        self.time = NOON
        self.slept = 0.0

    def now(self) -> datetime:
        return self.time

    def sleep(self, seconds: float) -> None:
        self.slept += seconds
        self.time += timedelta(seconds=seconds)


def turn(database: Database, watch: Watch, interval: float = 1) -> DatabaseTurn:
    return DatabaseTurn(database, "ctgov", interval, watch.now, watch.sleep)


def test_the_first_turn_does_not_wait(database: Database) -> None:
    watch = Watch()

    with turn(database, watch)():
        pass

    assert watch.slept == 0


def test_between_the_end_of_one_and_the_start_of_the_next_lies_the_interval(database: Database) -> None:
    watch = Watch()
    ask = turn(database, watch)
    with ask():
        watch.sleep(5)
    ended = watch.now()

    with ask():
        assert watch.now() == ended + timedelta(seconds=1)


def test_a_clock_that_was_ahead_and_is_set_back_keeps_nobody_waiting(database: Database) -> None:
    watch = Watch()
    watch.time += timedelta(days=200)
    with turn(database, watch)():
        pass
    watch.time = NOON

    with turn(database, watch)():
        pass

    assert 1 <= watch.slept < 3


def test_another_registry_has_turns_of_its_own(database: Database) -> None:
    watch = Watch()
    with turn(database, watch)(), DatabaseTurn(database, "other", 1, watch.now, watch.sleep)():
        pass

    assert watch.slept == 0


def test_a_turn_ends_also_when_the_request_fails(database: Database) -> None:
    watch = Watch()
    with pytest.raises(OSError, match="cut"), turn(database, watch)():
        raise OSError("cut")

    with turn(database, watch)():
        assert watch.slept == 1


def test_a_holder_elsewhere_that_died_frees_the_turn_by_expiry(database: Database) -> None:
    watch = Watch()
    with database.write() as connection:
        acquire(connection, "turn:ctgov", "another machine", NOON, 60)

    with turn(database, watch)():
        assert watch.now() >= NOON + timedelta(seconds=60)


def test_a_holder_here_that_was_killed_frees_the_turn_at_once(database: Database) -> None:
    watch = Watch()
    with database.write() as connection:
        acquire(connection, "turn:ctgov", dead_process(), NOON, 60)

    with turn(database, watch)():
        assert watch.slept == 0


def test_no_two_threads_ask_at_once(database: Database) -> None:
    asking = 0
    most = 0
    counted = threading.Lock()

    def ask() -> None:
        nonlocal asking, most
        one = DatabaseTurn(database, "ctgov", 0.001, lambda: datetime.now(UTC), time.sleep)
        for _ in range(5):
            with one():
                with counted:
                    asking += 1
                    most = max(most, asking)
                time.sleep(0.002)
                with counted:
                    asking -= 1

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=30)

    assert not any(thread.is_alive() for thread in threads)
    assert most == 1


def test_no_transaction_is_open_during_a_turn(database: Database) -> None:
    watch = Watch()

    with turn(database, watch)(), database.write() as connection:
        assert acquire(connection, "something else", this_process(), NOON, 1)


def test_a_request_that_takes_longer_than_a_turn_is_held_keeps_others_waiting(database: Database) -> None:
    real = lambda: datetime.now(UTC)  # noqa: E731
    slow, other = (DatabaseTurn(database, "ctgov", 0, real, time.sleep, hold=0.3) for _ in range(2))
    ended: list[float] = []
    began: list[float] = []

    def ask() -> None:
        with other():
            began.append(time.monotonic())

    with slow():
        thread = threading.Thread(target=ask)
        thread.start()
        time.sleep(1)
        ended.append(time.monotonic())
    thread.join(timeout=10)

    assert began[0] >= ended[0]
