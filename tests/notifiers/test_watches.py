"""What is watched, and what of it is due to be asked for."""

from datetime import datetime

import pytest
from sqlalchemy import Connection

from notifiers import due_watches, outbox, watches
from notifiers.silences import Silence
from notifiers.watches import Wish
from snapshots import archive
from snapshots.database import Database
from tests.notifiers.cast import ALICE, BOB, CHARLIE, DAY, NOW, watch

RELEASE, NEXT = "2026-11-16T09:00:05", "2026-11-17T09:00:05"
SEARCH = Wish(registry="ctgov", name="rest", search={"query.cond": "tiredness"}, group="calm")


def sweep(
    database: Database, release: str = RELEASE, scope: str = "all", failing: dict[str, str] | None = None
) -> None:
    """A sweep over what is due, in which these ids fail for a reason."""
    with database.write() as connection:
        ids = list(due_watches.due_ids(connection, "ctgov", release))
        number = archive.begin_sweep(connection, "ctgov", release, scope, NOW)
        for record, reason in (failing or {}).items():
            archive.note_exception(connection, number, record, reason, "in a test")
        answered = [record for record in ids if record not in (failing or {})]
        due_watches.mark_baseline(connection, "ctgov", answered, number)
        archive.settle_exceptions(connection, number, answered)
        archive.finish_sweep(
            connection, number, asked=len(ids), answered=len(answered), changed=0, failed=len(failing or {}), now=NOW
        )


def due(database: Database, release: str = RELEASE) -> list[str]:
    with database.read() as connection:
        return list(due_watches.due_ids(connection, "ctgov", release))


def test_at_first_everything_is_due(database: Database) -> None:
    with database.write() as connection:
        watch(connection, BOB, ALICE)

    assert due(database) == [ALICE, BOB]


def test_after_a_sweep_nothing_is_due_until_the_next_release(database: Database) -> None:
    with database.write() as connection:
        watch(connection, ALICE, BOB)

    sweep(database)

    assert due(database) == []
    assert due(database, NEXT) == [ALICE, BOB]


def test_a_new_watch_is_due_at_once_whatever_the_release(database: Database) -> None:
    with database.write() as connection:
        watch(connection, ALICE)
    sweep(database)
    with database.write() as connection:
        watch(connection, BOB)

    assert due(database) == [BOB]
    sweep(database, scope="new")
    assert due(database) == []


def test_a_passing_failure_is_due_again_and_another_is_not(database: Database) -> None:
    with database.write() as connection:
        watch(connection, ALICE, BOB, CHARLIE)
    sweep(database)
    sweep(database, NEXT, failing={ALICE: "not fetched", BOB: "absent"})

    assert due(database, NEXT) == [ALICE]
    sweep(database, NEXT, scope="new")
    assert due(database, NEXT) == []


def test_a_failed_sweep_leaves_everything_due(database: Database) -> None:
    with database.write() as connection:
        watch(connection, ALICE)
    sweep(database)
    with database.write() as connection:
        archive.fail_sweep(connection, archive.begin_sweep(connection, "ctgov", NEXT, "all", NOW), "in a test", NOW)

    assert due(database, NEXT) == [ALICE]


def test_a_paused_watch_is_never_due_and_a_snoozed_one_is(database: Database) -> None:
    with database.write() as connection:
        watch(connection, ALICE, BOB)
        paused = watches.pause(connection, "ctgov", [ALICE, CHARLIE], NOW)
        snoozed = watches.snooze(connection, "ctgov", [BOB], Silence(until=NOW + DAY), NOW)

    assert (paused, snoozed) == ([ALICE], [BOB])
    assert due(database) == [BOB]


def test_watching_again_changes_nothing(database: Database) -> None:
    with database.write() as connection:
        first = watches.add(connection, Wish(registry="ctgov", record_id=ALICE, group="a", note="ours"), NOW)
        second = watches.add(connection, Wish(registry="ctgov", record_id=ALICE, group="b"), NOW)
        listed = watches.listing(connection)

    assert (first, second) == (True, False)
    assert [(one.record_id, one.group, one.note) for one in listed] == [(ALICE, "a", "ours")]


def test_watches_are_removed_by_id_or_by_name(database: Database) -> None:
    with database.write() as connection:
        watch(connection, ALICE, BOB)
        watches.add(connection, SEARCH, NOW)

        assert watches.remove(connection, "ctgov", [ALICE, "rest", CHARLIE]) == [ALICE, "rest"]

        assert [one.record_id for one in watches.listing(connection)] == [BOB]


def test_an_id_is_the_record_whatever_search_is_called_so(database: Database) -> None:
    with database.write() as connection:
        watch(connection, ALICE)
        watches.add(connection, Wish(registry="ctgov", search={"query.cond": "tiredness"}, name=ALICE), NOW)
        record, search = watches.listing(connection)

        watches.pause(connection, "ctgov", [search], NOW)
        assert [one.paused for one in watches.listing(connection)] == [False, True]
        watches.snooze(connection, "ctgov", [ALICE], Silence(until=NOW + DAY), NOW)
        outbox.call_back(connection, "ctgov", [ALICE], NOW)
        assert [one.snooze_until for one in watches.listing(connection)] == [NOW + DAY, None]
        assert watches.remove(connection, "ctgov", [ALICE]) == [ALICE]
        assert [one.id for one in watches.listing(connection)] == [search.id]
        assert watches.remove(connection, "ctgov", [ALICE]) == [ALICE]
        assert record.id != search.id
        assert watches.listing(connection) == []


def test_a_search_waits_for_its_first_answer(database: Database) -> None:
    with database.write() as connection:
        watches.add(connection, SEARCH, NOW)
        listed = watches.listing(connection)

    assert [(one.name, one.search, one.state(NOW)) for one in listed] == [
        ("rest", {"query.cond": "tiredness"}, "waiting")
    ]
    assert due(database) == []


def test_a_search_without_a_name_is_refused(sqlite_database: Database) -> None:
    with sqlite_database.write() as connection, pytest.raises(ValueError, match="a saved search needs a name"):
        watches.add(connection, Wish(registry="ctgov", search={"query.cond": "tiredness"}), NOW)


def test_a_watch_says_how_it_stands(database: Database) -> None:
    with database.write() as connection:
        watch(connection, ALICE)
        waiting = watches.listing(connection)[0].state(NOW)
    sweep(database)
    with database.write() as connection:
        watched = watches.listing(connection)[0].state(NOW)
        watches.snooze(connection, "ctgov", [ALICE], Silence(until=NOW + DAY), NOW)
        snoozed, awake = (watches.listing(connection)[0].state(at) for at in (NOW, NOW + DAY))
        watches.pause(connection, "ctgov", [ALICE], NOW)
        paused = watches.listing(connection)[0].state(NOW)

    assert [waiting, watched, snoozed, awake, paused] == ["waiting", "watched", "snoozed", "watched", "paused"]


def test_groups_are_listed_and_filter_the_list(database: Database) -> None:
    with database.write() as connection:
        watch(connection, ALICE, group="dkd")
        watch(connection, BOB)

        assert watches.groups(connection) == ["dkd"]
        assert [one.record_id for one in watches.listing(connection, "dkd")] == [ALICE]


def test_a_watch_says_from_when_to_when_it_was_asked_for(database: Database) -> None:
    def asked(connection: Connection) -> tuple[datetime, datetime | None]:
        return watches.listing(connection)[0].asked_since, watches.listing(connection)[0].asked_until

    with database.write() as connection:
        watches.add(connection, Wish(registry="ctgov", record_id=ALICE), NOW)
        new = asked(connection)
        watches.pause(connection, "ctgov", [ALICE], NOW + DAY)
        watches.pause(connection, "ctgov", [ALICE], NOW + 2 * DAY)
        paused = asked(connection)
        watches.change(connection, Wish(registry="ctgov", record_id=ALICE), NOW + 3 * DAY)

        assert (new, paused, asked(connection)) == ((NOW, None), (NOW, NOW + DAY), (NOW + 3 * DAY, None))
