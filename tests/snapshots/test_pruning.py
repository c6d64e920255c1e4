"""Pruning takes bytes away, never the record of them: the chain holds, what stays comes back, the gap is stated."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select, update

from snapshots import archive
from snapshots.archive import Pruned, codec, order
from snapshots.archive.pruning import Prunable, Wish, freed_by, prunable, prune
from snapshots.archive.repacking import repack, stored_size
from snapshots.archive.tables import versions
from snapshots.database import Database
from tests.databases import SqliteFiles
from tests.snapshots.archive_cast import ALICE, BOB, add, fill_in, head_of

NOW = datetime(2026, 11, 22, 9, tzinfo=UTC)
EVER = Wish(registry="ctgov", before="9999-01-01")


def content(at: int) -> dict[str, Any]:
    return {"at": at, "text": "The same in all of them. " * 20, "sites": [at % 3, at % 5]}


def live(database: Database, count: int, registry_id: str = ALICE) -> list[int]:
    """So many versions of a record, one on each day of March and of the months after."""
    with database.write() as connection:
        return [
            add(connection, content(at), registry_id, release=f"2026-{at // 28 + 3:02d}-{at % 28 + 1:02d}T09:00:05")
            for at in range(count)
        ]


def chosen(database: Database, wish: Wish = EVER, kept: tuple[int, ...] = ()) -> list[Prunable]:
    with database.read() as connection:
        return prunable(connection, wish, kept)


def numbers(found: list[Prunable]) -> set[int]:
    return {each.number for each in found}


def contents(database: Database) -> dict[int, bytes | None]:
    """The bytes of every version, None for those that were pruned; the chain holds."""
    found: dict[int, bytes | None] = {}
    with database.read() as connection:
        assert list(archive.verify_chain(connection)) == []
        for number in connection.execute(select(versions.c.number)).scalars().all():
            try:
                found[number] = archive.read_version(connection, number)
            except Pruned:
                found[number] = None
    return found


def test_what_is_pruned_leaves_a_stated_gap_and_all_else_comes_back(database: Database) -> None:
    live(database, 20)
    before = contents(database)
    with database.read() as connection:
        head = archive.chain_head(connection)

    gone = prune(database, chosen(database), "alice", NOW)

    assert set(gone.versions) == set(range(2, 20))
    assert contents(database) == {**before, **dict.fromkeys(gone.versions)}
    with database.read() as connection:
        assert archive.chain_head(connection) == head
        [said] = archive.pruned(connection)
        with pytest.raises(Pruned, match="version 7 cannot be read: it was pruned on 2026-11-22 by alice"):
            archive.read_version(connection, 7)
        info = archive.version_info(connection, 7)
    assert said == archive.PrunedVersions(NOW, "alice", 18)
    assert (info.pruned, len(info.raw_sha256)) == ("pruned on 2026-11-22 by alice", 32)


def test_what_it_frees_is_known_before_and_true(sqlite_database: Database) -> None:
    live(sqlite_database, 40)
    asked = chosen(sqlite_database, Wish(registry="ctgov", before="2026-03-25", keep_every="month"))
    size = stored_size(sqlite_database)
    with sqlite_database.read() as connection:
        said = freed_by(connection, asked)

    gone = prune(sqlite_database, asked, "alice", NOW)

    assert said == gone.freed == size - stored_size(sqlite_database)


def test_only_what_was_asked_for_goes(sqlite_database: Database) -> None:
    live(sqlite_database, 60)
    bobs = live(sqlite_database, 10, BOB)

    by_day = Wish(registry="ctgov", before="2026-03-05", ids=(ALICE,))
    monthly = Wish(registry="ctgov", before="2026-12-31", ids=(ALICE,), keep_every="month")

    assert numbers(chosen(sqlite_database, by_day)) == {2, 3, 4}
    assert set(range(1, 61)) - numbers(chosen(sqlite_database, monthly)) == {1, 28, 56, 60}
    assert numbers(chosen(sqlite_database, Wish(registry="ctgov", before="2027-01-01", ids=(BOB,)))) == set(bobs[1:-1])
    assert numbers(chosen(sqlite_database, by_day, kept=(3,))) == {2, 4}


def test_nothing_goes_of_a_record_that_is_not_there(sqlite_database: Database) -> None:
    live(sqlite_database, 5)

    assert chosen(sqlite_database, Wish(registry="ctgov", before="2027-01-01", ids=(BOB,))) == []
    assert prune(sqlite_database, [], "alice", NOW).versions == ()


def test_what_was_pruned_once_is_not_pruned_again(sqlite_database: Database) -> None:
    live(sqlite_database, 10)
    asked = chosen(sqlite_database)
    prune(sqlite_database, asked, "alice", NOW)

    again = prune(sqlite_database, asked, "bob", NOW)

    assert (again.versions, again.freed) == ((), 0)
    assert chosen(sqlite_database) == []


def test_what_others_append_meanwhile_stands_on_what_stays(database: Database) -> None:
    live(database, 9)
    before = contents(database)
    other = Database(database.url)

    def append_another(_done: int, _total: int) -> None:
        # each ninth version stands on the first or on the eighth before it
        with other.write() as connection:
            day = 10 + head_of(connection)  # type: ignore[operator]
            number = add(connection, content(100 + day), release=f"2026-06-{day:02d}T09:00:05")
            before[number] = archive.read_version(connection, number)

    try:
        gone = prune(database, chosen(database), "alice", NOW, append_another)
    finally:
        other.dispose()

    assert len(gone.versions) == 7
    assert contents(database) == {**before, **dict.fromkeys(gone.versions)}


def test_one_on_which_somebody_begins_to_stand_is_looked_at_again(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    live(database, 8)
    other = Database(database.url)
    write = database.write

    def write_after_another() -> Any:
        # between the look at what stands on it and the transaction that takes it away
        monkeypatch.undo()
        with other.write() as connection:
            add(connection, content(99), release="2026-07-01T09:00:05")
            connection.execute(update(versions).where(versions.c.number == 9).values(base=4, data=other_data))
        return write()

    with database.read() as connection:
        raw, base = json.dumps(content(99)).encode(), archive.read_version(connection, 4)
    other_data = codec.encode(raw, base)
    asked = [each for each in chosen(database) if each.number == 4]
    begun = iter((write, write_after_another))
    monkeypatch.setattr(database, "write", lambda: next(begun)())  # noqa: PLW0108
    try:
        gone = prune(database, asked, "alice", NOW)
    finally:
        other.dispose()

    assert gone.versions == (4,)
    assert contents(database)[9] == raw


def test_a_version_on_which_an_unreadable_one_stands_is_left(sqlite_database: Database) -> None:
    live(sqlite_database, 6)
    with sqlite_database.write() as connection:
        connection.execute(update(versions).where(versions.c.number == 4).values(data=b"damaged"))

    gone = prune(sqlite_database, [each for each in chosen(sqlite_database) if each.number == 3], "alice", NOW)

    assert (gone.versions, gone.left) == ((), (3,))


@pytest.mark.parametrize(
    ("alteration", "problem"),
    [
        ({"pruned": 99}, "version 3 is marked as pruned, and nothing says when and by whom"),
        ({"data": b"bytes"}, "version 3 is marked as pruned, yet bytes of it are there"),
        ({"pruned": None}, "version 3 cannot be read"),
        ({"raw_sha256": bytes(32)}, "append 3 "),
    ],
)
def test_a_gap_that_does_not_fit_is_found(database: Database, alteration: dict[str, Any], problem: str) -> None:
    live(database, 6)
    prune(database, chosen(database), "alice", NOW)
    with database.write() as connection:
        connection.execute(update(versions).where(versions.c.number == 3).values(alteration))

    with database.read() as connection:
        assert next(iter(archive.verify_chain(connection))).startswith(problem)


def test_a_long_line_without_its_whole_versions_still_stands(sqlite_database: Database) -> None:
    with sqlite_database.write() as connection:
        for at in range(codec.WHOLE_EVERY + 70):
            add(connection, {"at": at}, release=f"2026-03-01T{at // 60:02d}:{at % 60:02d}:00")
    before = contents(sqlite_database)
    kept = (codec.WHOLE_EVERY + 9, codec.WHOLE_EVERY + 66)

    gone = prune(sqlite_database, chosen(sqlite_database, kept=kept), "alice", NOW)
    with sqlite_database.write() as connection:
        last = add(connection, {"at": "after"}, day=20)

    after = contents(sqlite_database)
    assert {number for number, raw in after.items() if raw is not None} == {1, *kept, len(before), last}
    assert len(gone.versions) == len(before) - 4


histories = st.lists(
    st.tuples(st.sampled_from([ALICE, BOB]), st.booleans(), st.integers(1, 300)), min_size=1, max_size=40
)


@settings(max_examples=40, suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture])
@given(
    history=histories,
    before=st.integers(1, 12),
    keep_every=st.sampled_from([None, "month", "year"]),
    kept=st.sets(st.integers(1, 40), max_size=8),
    repacks=st.tuples(st.booleans(), st.booleans()),
)
def test_whatever_is_pruned_first_and_last_stay_and_all_that_stays_is_exact(
    sqlite_files: SqliteFiles,
    tmp_path_factory: pytest.TempPathFactory,
    history: list[tuple[str, bool, int]],
    before: int,
    keep_every: Any,
    kept: set[int],
    repacks: tuple[bool, bool],
) -> None:
    database = Database(sqlite_files.url(tmp_path_factory.mktemp("pruned"), tables=True))
    try:
        with database.write() as connection:
            for at, (registry_id, is_past, day) in enumerate(history):
                date = f"2026-{day // 28 + 1:02d}-{day % 28 + 1:02d}"
                if is_past:
                    fill_in(connection, content(at), date, at, registry_id=registry_id)
                else:
                    add(connection, content(at), registry_id, release=f"2026-12-01T00:{at:02d}:00")
        was = contents(database)
        if repacks[0]:
            repack(database, NOW)

        wish = Wish(registry="ctgov", before=f"2026-{before:02d}-15", keep_every=keep_every)
        gone = set(prune(database, chosen(database, wish, tuple(kept)), "alice", NOW).versions)
        if repacks[1]:
            repack(database, NOW)
        with database.write() as connection:
            was[add(connection, {"last": 1}, ALICE, release="2026-12-02")] = b'{"last": 1}'

        assert contents(database) == {**was, **dict.fromkeys(gone)}
        assert not gone & kept
        with database.read() as connection:
            for registry_id in (ALICE, BOB):
                found = archive.versions(connection, "ctgov", registry_id)
                assert not any(each.pruned for each in (*found[:1], *found[-1:]))
                assert all(order.history_date(each) < wish.before for each in found if each.pruned)
    finally:
        database.dispose()
