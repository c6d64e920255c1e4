"""What a subscription is about, asked of the database, is what its selection says of everything that is watched."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from random import Random
from typing import Any

import pytest
from sqlalchemy import Connection, delete, event, insert

from notifiers import digest, outlook, scope, watches
from notifiers.outbox import Delivered
from notifiers.silences import Silence
from notifiers.subscriptions import Selection
from notifiers.tables import search_members
from notifiers.tables import watches as watch_rows
from notifiers.watches import Wish
from snapshots import archive
from snapshots.database import Database
from snapshots.trial import PartialDate, Trial
from tests.notifiers.cast import ALICE, BOB, DAY, NOW, change, seen, send_next, subscribe, tell, trial, watch

IDS = [f"NCT99000{number:03}" for number in range(12)]
SELECTIONS: Sequence[Any] = (
    "all",
    Selection(ids=(IDS[0], IDS[3], IDS[7], "NCT99999999")),
    Selection(group="one"),
    Selection(group="two"),
    Selection(search="first"),
    Selection(search="second"),
    Selection(search="no such"),
)


def _some_watches(connection: Connection, rng: Random) -> None:
    """Watches of every kind, put together at random."""
    connection.execute(delete(search_members))
    connection.execute(delete(watch_rows))
    rows = [_row(rng, number, record_id=id_) for number, id_ in enumerate(IDS, 1) if rng.random() < 0.6]
    searches = ((101, "first"), (102, "second"))
    rows += [_row(rng, number, search={"query.term": name}, name=name) for number, name in searches]
    for row in rows:
        connection.execute(insert(watch_rows).values(**row))
    found = [(number, id_) for number, _ in searches for id_ in IDS if rng.random() < 0.4]
    for number, id_ in found:
        member = {"watch_id": number, "record_id": id_, "is_found": rng.random() < 0.7}
        connection.execute(insert(search_members).values(**member))


def _row(rng: Random, number: int, **said: Any) -> dict[str, Any]:
    return {
        "id": number,
        "registry": "ctgov",
        "created_at": NOW - DAY,
        "group_name": rng.choice(["one", "two", None]),
        "paused": rng.random() < 0.3,
        "snooze_until": rng.choice([None, None, NOW - DAY, NOW + DAY]),
        "snooze_until_critical": rng.choice([None, False, True]),
        **said,
    }


def test_what_the_database_counts_is_what_the_selection_says_of_each_record(database: Database) -> None:
    for seed in range(25):
        with database.write() as connection:
            _some_watches(connection, Random(seed))
            every = watches.records(connection)

            for selection in SELECTIONS:
                expected = scope.selected(every, selection)
                found = [tuple(row) for query in scope.named(selection) for row in connection.execute(query)]
                assert sorted(found) == [(one.registry, one.record_id) for one in expected], (seed, selection)
                assert sum(scope.how_many(connection, selection).values()) == len(expected), (seed, selection)


def test_of_what_rests_or_waits_nothing_is_missed(database: Database) -> None:
    for seed in range(25):
        with database.write() as connection:
            _some_watches(connection, Random(seed))
            every = watches.records(connection)

            for selection in SELECTIONS:
                mine = scope.selected(every, selection)
                resting = {each.id: each for one in mine for each in one.watches if each.is_snoozed(NOW)}
                assert scope.watching(connection, selection, scope.is_snoozed(NOW)) == list(resting.values()), seed
            asleep = {one.record_id for one in every if one.is_snoozed(NOW)}
            assert scope.asleep(connection, IDS, NOW) == asleep, seed
            assert scope.asleep(connection, IDS[:3], NOW) == asleep & set(IDS[:3]), seed
            assert [one for one in scope.unanswered(connection) if one.is_waiting] == [
                one for one in every if one.is_waiting
            ], seed


# --- what is coming ---------------------------------------------------------------------------------------------------

FIRST = date(2026, 11, 16)


def _planned(offset: int) -> PartialDate:
    return PartialDate((FIRST + timedelta(days=offset)).isoformat(), "ESTIMATED")


def _parse(raw: bytes) -> Trial:
    """Of each record other days: some in the past, some far off, some none."""
    number = int(raw.decode()[-5:-2])
    dates = {} if number % 4 == 3 else {"completion_date": _planned(number * 11 - 30)}
    if number % 3 == 0:
        dates["primary_completion_date"] = _planned(number * 5 - 20)
    verified = {"statusVerifiedDate": f"{2023 + number % 4}-{number % 12 + 1:02}"}
    return trial(overall_status="RECRUITING", bookkeeping_dates=verified, **dates)


@pytest.mark.parametrize("learned", [0, 5, 100])
def test_what_is_coming_is_the_same_whether_it_was_read_before_or_not(database: Database, learned: int) -> None:
    parse = {"ctgov": _parse}
    with database.write() as connection:
        for id_ in IDS:
            watches.add(connection, Wish(registry="ctgov", record_id=id_), NOW)
            seen(connection, id_)
    outlook.learn(database, parse, dict.fromkeys(range(1, len(IDS) + 1), "ctgov"), learned)
    with database.read() as connection:
        versions = dict.fromkeys(range(1, len(IDS) + 1), "ctgov")
        dates = outlook.dates_of(connection, parse, versions)

        told = 0
        for today in (FIRST + timedelta(days=offset) for offset in range(-60, 400, 13)):
            expected = outlook.in_order(
                one for number, id_ in enumerate(IDS, 1) for one in outlook.coming(id_, dates[number], today)
            )
            assert outlook.coming_of(connection, parse, scope.named("all"), today) == expected
            told += len(expected)
        assert told > 50


def test_nobody_reads_a_version_that_has_nothing_to_say(database: Database) -> None:
    with database.write() as connection:
        for id_ in IDS:
            watches.add(connection, Wish(registry="ctgov", record_id=id_), NOW)
            seen(connection, id_)
    outlook.learn(database, {"ctgov": _parse}, dict.fromkeys(range(1, len(IDS) + 1), "ctgov"), 100)
    long_ago = date(2019, 1, 1)

    with database.read() as connection:
        assert outlook.coming_of(connection, {}, scope.named("all"), long_ago) == []
        assert outlook.unread_heads(connection, None) == {}


# --- what it costs ----------------------------------------------------------------------------------------------------


def test_a_digest_walks_no_list_of_all_that_its_address_was_ever_told(sqlite_database: Database) -> None:
    """SQLite once walked them for each change that waited: a year of alerts made every digest of it slow."""
    with sqlite_database.write() as connection:
        watch(connection, ALICE, BOB)
        subscribe(connection, "week", deliver={"digest": "weekly"})
        tell(connection, change("site.added"))
    plans = []

    with sqlite_database.read() as connection:
        asked: list[tuple[str, Any]] = []

        def note(_: Any, __: Any, statement: str, parameters: Any, *___: Any) -> None:
            asked.append((statement, parameters))

        event.listen(connection, "before_cursor_execute", note)
        digest.preview(connection, "week", NOW)
        event.remove(connection, "before_cursor_execute", note)
        for statement, parameters in asked:
            if "delivery_changes" in statement and "wanted_changes" in statement:
                rows = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters)
                plans += [row[3] for row in rows if "deliveries" in row[3]]

    assert plans
    assert all("(id=?)" in plan for plan in plans), plans


def test_what_was_told_by_an_alert_is_counted_and_not_told_again(database: Database) -> None:
    with database.write() as connection:
        watch(connection, ALICE)
        subscribe(connection, "week", deliver={"digest": "weekly", "immediately": "critical"})
        tell(connection, change("study.suspended"), change("site.added"))
    send_next(database, Delivered(answer="250 taken"))

    with database.read() as connection:
        (told,) = digest.preview(connection, "week", NOW + timedelta(hours=1))

    assert told.coverage is not None and told.coverage.told_meanwhile == 1
    assert [one.change.kind for step in told.steps for one in step.changes] == ["site.added"]
    assert isinstance(told.created_at, datetime)


def test_what_sleeps_under_a_former_id_sleeps_under_todays(database: Database) -> None:
    with database.write() as connection:
        watch(connection, ALICE)
        seen(connection, BOB)
        seen(connection, ALICE)
        archive.merge(connection, "ctgov", ALICE, BOB)
        watches.snooze(connection, "ctgov", [ALICE], Silence(until=NOW + DAY), NOW)

        assert scope.asleep(connection, [ALICE, BOB, "NCT99000003"], NOW) == {ALICE, BOB}
        assert scope.asleep(connection, [ALICE, BOB], NOW + 2 * DAY) == set()
