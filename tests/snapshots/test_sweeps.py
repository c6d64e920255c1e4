"""Sweeps: what was looked through when, what was not answered, and when a record was last confirmed."""

from collections.abc import Sequence
from datetime import datetime, timedelta

import pytest
from sqlalchemy import Connection

from snapshots import archive
from snapshots.archive import StepFacts
from snapshots.database import Database
from snapshots.rules.build import change
from tests.snapshots.archive_cast import ALICE, BOB, NOON, add


def at(day: int) -> datetime:
    return NOON + timedelta(days=day)


def sweep(
    connection: Connection, day: int, excepted: Sequence[str] = (), scope: str = "all", settled: Sequence[str] = ()
) -> int:
    """A finished sweep of the release of that day."""
    number = archive.begin_sweep(connection, "ctgov", f"2026-03-{day:02d}T09:00:05", scope, at(day))
    for registry_id in excepted:
        archive.note_exception(connection, number, registry_id, "absent", f"{registry_id} was not listed")
    archive.settle_exceptions(connection, number, settled)
    failed = len(excepted)
    archive.finish_sweep(connection, number, asked=2, answered=2 - failed, changed=0, failed=failed, now=at(day))
    return number


def open_ids(connection: Connection) -> list[str]:
    return [one.registry_id for one in archive.open_exceptions(connection, "ctgov")]


def confirmed(connection: Connection, **which: datetime) -> tuple[str, int | None] | None:
    found = archive.last_confirmed(connection, "ctgov", ALICE, **which)
    return (found.release[:10], found.sweep) if found else None


def test_a_finished_sweep_says_what_it_did(database: Database) -> None:
    with database.write() as connection:
        number = sweep(connection, 3, excepted=[ALICE])
        found = archive.last_finished(connection, "ctgov")

    assert found and (found.id, found.release, found.scope, found.state) == (
        number,
        "2026-03-03T09:00:05",
        "all",
        "finished",
    )
    assert (found.asked, found.answered, found.changed, found.failed) == (2, 1, 0, 1)
    assert (found.started_at, found.ended_at) == (at(3), at(3))


def test_the_last_finished_is_not_the_last_begun(database: Database) -> None:
    with database.write() as connection:
        finished = sweep(connection, 3)
        given_up = archive.begin_sweep(connection, "ctgov", "2026-03-04T09:00:05", "all", at(4))
        archive.fail_sweep(connection, given_up, "the registry is being maintained", at(4))
        running = archive.begin_sweep(connection, "ctgov", "2026-03-05T09:00:05", "all", at(5))
        last, begun = archive.last_finished(connection, "ctgov"), archive.last_sweep(connection, "ctgov")

    assert last and last.id == finished
    assert begun and (begun.id, begun.state) == (running, "running")


def test_a_sweep_of_new_watches_is_not_taken_for_one_over_everything(database: Database) -> None:
    with database.write() as connection:
        whole = sweep(connection, 3)
        new = sweep(connection, 4, scope="new")
        last, any_last = (archive.last_finished(connection, "ctgov", scope) for scope in ("all", None))

    assert last and any_last and (last.id, any_last.id) == (whole, new)


def test_sweeps_of_another_registry_do_not_count(database: Database) -> None:
    with database.write() as connection:
        sweep(connection, 3)

        assert archive.last_finished(connection, "another") is None
        assert archive.open_exceptions(connection, "another") == []


def test_a_failed_sweep_says_why(database: Database) -> None:
    with database.write() as connection:
        number = archive.begin_sweep(connection, "ctgov", "2026-03-04", "all", at(4))
        archive.fail_sweep(connection, number, "the registry is being maintained", at(4))
        found = archive.last_sweep(connection, "ctgov")

    assert found and (found.state, found.reason) == ("failed", "the registry is being maintained")


def test_sweeps_that_a_dead_process_left_running_are_given_up(database: Database) -> None:
    with database.write() as connection:
        archive.begin_sweep(connection, "ctgov", "2026-03-04", "all", at(4))
        given_up = archive.abandon_running(connection, "ctgov", "the process ended", at(5))
        found = archive.last_sweep(connection, "ctgov")

    assert given_up == 1
    assert found and (found.state, found.ended_at) == ("failed", at(5))


def test_a_sweep_ends_once(database: Database) -> None:
    with database.write() as connection:
        number = sweep(connection, 3)
        with pytest.raises(LookupError, match="no running sweep"):
            archive.fail_sweep(connection, number, "late", at(4))


def test_a_scope_that_is_none_is_refused(database: Database) -> None:
    with database.write() as connection, pytest.raises(ValueError, match="some"):
        archive.begin_sweep(connection, "ctgov", "2026-03-04", "some", at(4))


# ------------------------------------------------------------------ exceptions


def test_an_exception_is_open_until_a_sweep_over_everything_finds_the_record_well(database: Database) -> None:
    with database.write() as connection:
        sweep(connection, 3, excepted=[ALICE, BOB])
        assert open_ids(connection) == [ALICE, BOB]
        sweep(connection, 4, excepted=[BOB])
        assert open_ids(connection) == [BOB]
        sweep(connection, 5)
        assert open_ids(connection) == []


def test_an_exception_said_again_is_open_once_with_the_newest_words(database: Database) -> None:
    with database.write() as connection:
        sweep(connection, 3, excepted=[ALICE])
        number = archive.begin_sweep(connection, "ctgov", "2026-03-04", "all", at(4))
        archive.note_exception(connection, number, ALICE, "absent", "not listed")
        archive.note_exception(connection, number, ALICE, "unreadable", "its study is no object")
        found = archive.open_exceptions(connection, "ctgov")

    assert [(one.registry_id, one.reason, one.detail, one.sweep, one.noted_at) for one in found] == [
        (ALICE, "unreadable", "its study is no object", number, at(4))
    ]


def test_a_sweep_of_new_watches_settles_only_what_it_says(database: Database) -> None:
    with database.write() as connection:
        sweep(connection, 3, excepted=[ALICE, BOB])
        sweep(connection, 3, scope="new", settled=[ALICE])

        assert open_ids(connection) == [BOB]


def test_a_failed_sweep_settles_nothing(database: Database) -> None:
    with database.write() as connection:
        sweep(connection, 3, excepted=[ALICE])
        number = archive.begin_sweep(connection, "ctgov", "2026-03-04", "all", at(4))
        archive.fail_sweep(connection, number, "the registry is being maintained", at(4))

        assert open_ids(connection) == [ALICE]


# ------------------------------------------------------------------ last confirmed


def test_a_record_never_observed_was_never_confirmed(database: Database) -> None:
    with database.write() as connection:
        sweep(connection, 3)

        assert confirmed(connection) is None


def test_a_record_is_confirmed_by_its_own_observation_first(database: Database) -> None:
    with database.write() as connection:
        sweep(connection, 1)
        add(connection, "A", day=2)

        assert confirmed(connection) == ("2026-03-02", None)


def test_an_unchanged_record_is_confirmed_by_the_last_finished_sweep(database: Database) -> None:
    with database.write() as connection:
        add(connection, "A", day=2)
        sweep(connection, 3)
        last = sweep(connection, 4)
        archive.begin_sweep(connection, "ctgov", "2026-03-05", "all", at(5))

        assert confirmed(connection) == ("2026-03-04", last)


def test_a_sweep_with_an_exception_for_the_record_does_not_confirm_it(database: Database) -> None:
    with database.write() as connection:
        add(connection, "A", day=2)
        good = sweep(connection, 3, excepted=[BOB])
        sweep(connection, 4, excepted=[ALICE])

        assert confirmed(connection) == ("2026-03-03", good)


def test_an_exception_under_the_former_id_counts_after_a_merge(database: Database) -> None:
    with database.write() as connection:
        add(connection, "A", ALICE, day=2)
        archive.merge(connection, "ctgov", BOB, ALICE)
        sweep(connection, 3, excepted=[BOB])

        assert confirmed(connection) == ("2026-03-02", None)


def test_an_exception_under_the_former_id_says_nothing_of_the_time_before_the_merge(database: Database) -> None:
    merged = change("record.merged", summary="merged", before=BOB, after=ALICE)
    with database.write() as connection:
        add(connection, "A", ALICE, day=2)
        good = sweep(connection, 3, excepted=[BOB])
        archive.merge(connection, "ctgov", BOB, ALICE)
        archive.record_step(connection, StepFacts(registry="ctgov", registry_id=ALICE, observed_at=at(4)), [merged])
        before = confirmed(connection)
        sweep(connection, 5, excepted=[BOB])

        assert before == confirmed(connection) == ("2026-03-03", good)


def test_a_sweep_of_new_watches_confirms_no_old_ones(database: Database) -> None:
    with database.write() as connection:
        add(connection, "A", day=2)
        sweep(connection, 3, scope="new")

        assert confirmed(connection) == ("2026-03-02", None)


def test_a_sweep_before_the_record_was_watched_again_does_not_count(database: Database) -> None:
    with database.write() as connection:
        add(connection, "A", day=2)
        sweep(connection, 3)

        assert confirmed(connection, watched_since=at(4)) == ("2026-03-02", None)


def test_an_exception_says_since_when_the_record_could_not_be_checked(database: Database) -> None:
    def since(connection: Connection) -> str:
        return archive.open_exceptions(connection, "ctgov")[0].since[:10]

    with database.write() as connection:
        sweep(connection, 3, excepted=[ALICE])
        sweep(connection, 4, excepted=[ALICE])
        sweep(connection, 4, excepted=[ALICE], scope="new")
        still = since(connection)
        sweep(connection, 5)
        sweep(connection, 6, excepted=[ALICE])

        assert (still, since(connection)) == ("2026-03-03", "2026-03-06")


def test_a_sweep_during_a_pause_confirms_nothing(database: Database) -> None:
    with database.write() as connection:
        add(connection, "A", day=2)
        good = sweep(connection, 3)
        sweep(connection, 4)

        assert confirmed(connection, watched_until=at(4)) == ("2026-03-03", good)
