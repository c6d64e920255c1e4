"""Leases: one holder at a time, freed by time or death, and a token that shuts out who comes late."""

import subprocess
import sys
import threading
import time
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import text

from snapshots.database import Database
from snapshots.holders import is_dead, this_process
from snapshots.leases import Lease, acquire, kept, release, renew, still_held

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


def taken(database: Database, holder: str = "alice", at: datetime = NOON, seconds: float = 60) -> Lease | None:
    with database.write() as connection:
        return acquire(connection, "sweep", holder, at, seconds)


def held(database: Database, lease: Lease, at: datetime = NOON) -> bool:
    with database.write() as connection:
        return still_held(connection, lease, at)


def test_a_lease_is_had_by_one_only(database: Database) -> None:
    assert taken(database, "alice") is not None
    assert taken(database, "bob") is None
    assert taken(database, "alice") is None


def test_a_lease_that_ran_out_passes_on_with_a_greater_token(database: Database) -> None:
    first = taken(database, "alice")
    second = taken(database, "bob", at=NOON + timedelta(seconds=60))

    assert first and second and second.token > first.token


def test_a_worker_that_was_paused_over_its_lease_is_no_holder_any_more(database: Database) -> None:
    late = taken(database, "alice")
    assert late
    taken(database, "bob", at=NOON + timedelta(seconds=61))

    assert not held(database, late, at=NOON + timedelta(seconds=1))
    with database.write() as connection:
        assert renew(connection, late, NOON + timedelta(seconds=62), 60) is None


def test_the_token_shuts_out_a_late_worker_also_where_its_own_process_is_the_next_holder(database: Database) -> None:
    late = taken(database, "alice")
    taken(database, "alice", at=NOON + timedelta(seconds=60))

    assert late
    assert not held(database, late, at=NOON + timedelta(seconds=61))


def test_a_lease_ends_by_itself_even_where_nobody_wants_it(database: Database) -> None:
    lease = taken(database)
    assert lease

    assert held(database, lease, at=NOON + timedelta(seconds=59))
    assert not held(database, lease, at=NOON + timedelta(seconds=60))


def test_a_renewed_lease_lasts_longer_under_the_same_token(database: Database) -> None:
    lease = taken(database)
    assert lease
    with database.write() as connection:
        renewed = renew(connection, lease, NOON + timedelta(seconds=50), 60)

    assert renewed == Lease("sweep", "alice", lease.token, NOON + timedelta(seconds=110))
    assert taken(database, "bob", at=NOON + timedelta(seconds=109)) is None


def test_a_released_lease_is_free_at_once_and_its_former_holder_shut_out(database: Database) -> None:
    lease = taken(database)
    assert lease
    with database.write() as connection:
        release(connection, lease)

    assert not held(database, lease)
    assert taken(database, "bob")


def test_releasing_late_does_not_take_the_lease_from_the_next(database: Database) -> None:
    lease = taken(database, "alice")
    taken(database, "bob", at=NOON + timedelta(seconds=60))
    assert lease
    with database.write() as connection:
        release(connection, lease)

    assert taken(database, "carol", at=NOON + timedelta(seconds=61)) is None


def test_nobody_takes_a_lease_while_its_holder_writes(database: Database) -> None:
    lease = taken(database)
    assert lease
    got: list[Lease | None] = []
    thief = threading.Thread(target=lambda: got.append(taken(database, "bob", at=NOON + timedelta(seconds=60))))

    with database.write() as connection:
        assert still_held(connection, lease, NOON + timedelta(seconds=59))
        thief.start()
        thief.join(timeout=0.3)
        assert got == []
    thief.join(timeout=10)
    assert got[0]


def test_of_many_who_want_a_new_lease_at_once_one_gets_it(database: Database) -> None:
    got: list[Lease | None] = []
    workers = [threading.Thread(target=lambda n=n: got.append(taken(database, f"worker {n}"))) for n in range(8)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(timeout=20)

    assert len(got) == 8
    assert len([lease for lease in got if lease]) == 1


def dead_process() -> str:
    code = "from snapshots.holders import this_process; print(this_process('sweeper'))"
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip()


def test_a_holder_that_is_seen_to_be_dead_frees_its_lease_at_once(database: Database) -> None:
    gone = dead_process()
    if not is_dead(gone):
        pytest.skip("this system does not tell which processes are alive")
    taken(database, gone)

    assert taken(database, "bob")


def test_a_living_holder_and_one_elsewhere_are_not_taken_for_dead() -> None:
    machine, rest = this_process().split("|", 1)

    assert not is_dead(this_process("sweeper"))
    assert not is_dead(f"another {machine}|{rest}")
    assert not is_dead("alice")
    assert not is_dead("")


def test_a_lease_that_is_kept_outlives_its_seconds_and_ends_with_its_keeping(sqlite_database: Database) -> None:
    def had_by_another() -> bool:
        with sqlite_database.write() as connection:
            return acquire(connection, "sweep", "another", datetime.now(UTC), 5) is not None

    with sqlite_database.write() as connection:
        lease = acquire(connection, "sweep", "one", datetime.now(UTC), 0.6)
    assert lease

    with kept(sqlite_database, lease, lambda: datetime.now(UTC), 0.6):
        time.sleep(1.0)
        while_kept = had_by_another()
    time.sleep(0.7)

    assert (while_kept, had_by_another()) == (False, True)


def test_who_keeps_a_lease_does_not_wait_behind_the_holders_own_transaction(database: Database) -> None:
    """On PostgreSQL: else a process that is stopped in the middle would keep others out twice as long."""
    if database.is_sqlite:
        pytest.skip("SQLite has one writer at a time")
    with database.write() as connection:
        lease = acquire(connection, "sweep", "w1", NOON, 3)
    assert lease is not None
    locked = "datname = current_database() AND wait_event_type = 'Lock'"
    waiting = text(f"SELECT count(*) FROM pg_stat_activity WHERE {locked}")

    with kept(database, lease, lambda: NOON + timedelta(seconds=60), 0.3), database.write() as connection:
        renew(connection, lease, NOON, 3)
        found = []
        for _ in range(10):
            time.sleep(0.05)
            with database.read() as other:
                found.append(other.execute(waiting).scalar_one())
    assert found == [0] * 10
