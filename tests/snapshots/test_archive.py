"""The archive: every content once, every byte back, whatever order it came in."""

import hashlib
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, func, select, update

from snapshots import archive
from snapshots.archive import codec
from snapshots.archive.tables import records
from snapshots.archive.tables import versions as stored
from snapshots.database import Database
from tests.snapshots.archive_cast import (
    ALICE,
    BOB,
    NOON,
    add,
    fill_in,
    head_of,
    large_record,
    observation,
    small_change,
)


def contents(database: Database, registry_id: str = ALICE) -> list[object]:
    """What the record's versions hold, in history order."""
    with database.read() as connection:
        found = archive.versions(connection, "ctgov", registry_id)
        return [json.loads(archive.read_version(connection, version.number)) for version in found]


@contextmanager
def undone(database: Database) -> Iterator[Connection]:
    """A transaction that leaves nothing behind: every example of a property begins with an empty archive."""
    with suppress(InterruptedError), database.write() as connection:
        yield connection
        raise InterruptedError


# ------------------------------------------------------------------ appending


def test_the_bytes_received_are_given_back_exactly(database: Database) -> None:
    raw = b' {"b": 1,\r\n\t"a": "\xc3\xa9\\u00e9"} \n'
    with database.write() as connection:
        number = add(connection, raw)

    with database.read() as connection:
        assert archive.read_version(connection, number) == raw


@given(st.lists(st.binary(max_size=300), min_size=1, max_size=25))
@settings(max_examples=20, suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture])
def test_any_sequence_of_contents_comes_back_exactly(sqlite_database: Database, raws: list[bytes]) -> None:
    with undone(sqlite_database) as connection:
        given_back = {add(connection, raw): raw for raw in raws}
        for number, raw in given_back.items():
            assert archive.read_version(connection, number) == raw
        assert list(archive.verify_chain(connection)) == []


def test_a_record_seen_again_unchanged_leaves_no_row(database: Database) -> None:
    with database.write() as connection:
        first = add(connection, {"status": "RECRUITING"}, day=2)
        again = add(connection, {"status": "RECRUITING"}, day=3)
        head = archive.chain_head(connection)

    assert (first, again, head.number) == (1, 1, 1)


def test_a_b_a_b_is_four_versions(database: Database) -> None:
    with database.write() as connection:
        numbers = [add(connection, content, day=day) for day, content in enumerate("ABAB", 2)]

    assert numbers == [1, 2, 3, 4]
    assert contents(database) == ["A", "B", "A", "B"]


def test_the_same_content_in_other_bytes_is_no_version_but_known_at_a_glance_next_time(database: Database) -> None:
    said = observation({"a": 1, "b": 2})
    reordered = observation({"b": 2, "a": 1}, day=3, content_hash=said.content_hash)
    with database.write() as connection:
        number = archive.append(connection, said, None)
        assert archive.append(connection, reordered, number) == number
        head = archive.heads(connection, "ctgov", [ALICE])[ALICE]

        assert archive.read_version(connection, number) == said.raw
    assert (head.version, head.raw_hash, head.content_hash) == (number, reordered.raw_hash, said.content_hash)


def test_a_record_that_moved_on_meanwhile_is_not_appended_to(database: Database) -> None:
    with database.write() as connection:
        first = add(connection, "A")
        second = archive.append(connection, observation("B", day=3), first)
    with pytest.raises(archive.HeadMoved) as moved, database.write() as connection:
        archive.append(connection, observation("C", day=3), first)

    assert (moved.value.expected, moved.value.found) == (first, second)
    assert contents(database) == ["A", "B"]


def test_a_record_thought_new_that_is_not_is_not_appended_to(database: Database) -> None:
    with database.write() as connection:
        add(connection, "A")
    with pytest.raises(archive.HeadMoved), database.write() as connection:
        archive.append(connection, observation("B"), None)


def test_what_an_older_release_says_is_refused(database: Database) -> None:
    with database.write() as connection:
        head = add(connection, "A", day=5)
    with pytest.raises(archive.OlderRelease), database.write() as connection:
        archive.append(connection, observation("B", day=4), head)

    assert contents(database) == ["A"]


def test_what_is_observed_without_a_release_is_refused(database: Database) -> None:
    with pytest.raises(ValueError, match="release"), database.write() as connection:
        add(connection, "A", release=None)


def test_an_append_that_is_undone_leaves_no_trace(database: Database) -> None:
    with database.write() as connection:
        add(connection, "A")
    with pytest.raises(RuntimeError), database.write() as connection:
        add(connection, "B", day=3)
        raise RuntimeError

    with database.write() as connection:
        assert add(connection, "C", day=4) == 2
        assert list(archive.verify_chain(connection)) == []


def test_the_title_is_the_newest_observed(database: Database) -> None:
    with database.write() as connection:
        add(connection, "A", title="A Trial of Rest")
        add(connection, "B", day=3, title="A Trial of Sleep")
        fill_in(connection, "0", "2020-01-01")
        record = archive.find_record(connection, "ctgov", ALICE)

    assert record and record.title == "A Trial of Sleep"


# ------------------------------------------------------------------ heads


def test_heads_know_what_was_stored_and_nothing_else(database: Database) -> None:
    said = observation("A")
    with database.write() as connection:
        number = archive.append(connection, said, None)
        found = archive.heads(connection, "ctgov", [ALICE, BOB])
        elsewhere = archive.heads(connection, "another", [ALICE])

    assert list(found) == [ALICE]
    assert found[ALICE].version == number
    assert archive.known_hashes(found) == {said.raw_hash: ALICE}
    assert elsewhere == {}


def test_heads_of_more_ids_than_a_query_takes(database: Database) -> None:
    with database.write() as connection:
        add(connection, "A")
        ids = [f"NCT98{number:06d}" for number in range(40_000)]

        assert list(archive.heads(connection, "ctgov", [*ids, ALICE])) == [ALICE]


def test_a_record_of_which_only_the_past_is_known_has_no_head_to_compare_with(database: Database) -> None:
    with database.write() as connection:
        fill_in(connection, "old", "2020-01-01")
        head = archive.heads(connection, "ctgov", [ALICE])[ALICE]

    assert head.version is None
    assert archive.known_hashes({ALICE: head}) == {}


def test_a_raw_hash_that_is_remembered_is_known(database: Database) -> None:
    with database.write() as connection:
        add(connection, "A")
        head = archive.heads(connection, "ctgov", [ALICE])[ALICE]
        archive.remember_raw_hash(connection, head, b"other bytes, same content")

        assert archive.heads(connection, "ctgov", [ALICE])[ALICE].raw_hash == b"other bytes, same content"


# ------------------------------------------------------------------ the past, filled in


def test_the_past_filled_in_late_comes_first_and_moves_no_head(database: Database) -> None:
    with database.write() as connection:
        head = add(connection, "now")
        fill_in(connection, "later", "2021-01-01", 1)
        fill_in(connection, "first", "2020-01-01", 0)

        assert head_of(connection) == head
        assert list(archive.verify_chain(connection)) == []
    assert contents(database) == ["first", "later", "now"]


def test_a_version_filled_in_twice_is_stored_once(database: Database) -> None:
    with database.write() as connection:
        first = fill_in(connection, "old", "2020-01-01", 0)
        again = fill_in(connection, "old", "2020-01-01", 0)

    assert first == again
    assert contents(database) == ["old"]


def test_a_return_to_an_earlier_content_is_kept_whatever_order_it_is_filled_in(database: Database) -> None:
    with database.write() as connection:
        fill_in(connection, "A", "2020-01-01", 0)
        fill_in(connection, "A", "2022-01-01", 2)
        fill_in(connection, "B", "2021-01-01", 1)

    assert contents(database) == ["A", "B", "A"]


# ------------------------------------------------------------------ as of


def test_as_of_says_which_date_it_used(database: Database) -> None:
    with database.write() as connection:
        past = fill_in(connection, "old", "2020-01-01")
        now = add(connection, "now", day=2, registry_date="2025-12-01")
        found = [archive.version_as_of(connection, "ctgov", ALICE, date) for date in ("2026-03-01", "2026-03-02")]

    assert [(one.version.number, one.dated_by, one.date) for one in found if one] == [
        (past, "registry date", "2020-01-01"),
        (now, "release", "2026-03-02"),
    ]


@pytest.mark.parametrize(("registry_id", "date"), [(ALICE, "2019-12-31"), (BOB, "2026-03-02")])
def test_as_of_a_time_of_which_nothing_is_known_is_nothing(database: Database, registry_id: str, date: str) -> None:
    with database.write() as connection:
        fill_in(connection, "old", "2020-01-01")

        assert archive.version_as_of(connection, "ctgov", registry_id, date) is None


# ------------------------------------------------------------------ merges


def test_after_a_merge_both_ids_select_the_kept_record_and_its_history(database: Database) -> None:
    with database.write() as connection:
        add(connection, "Alice's", ALICE)
        add(connection, "Bob's", BOB, day=3)
        merged = archive.merge(connection, "ctgov", ALICE, BOB)
        record = archive.find_record(connection, "ctgov", ALICE)
        asked_by_old_id = archive.heads(connection, "ctgov", [ALICE, BOB])

    assert merged and merged.is_new
    assert record and (record.registry_id, record.former_ids) == (BOB, (ALICE,))
    assert asked_by_old_id[ALICE] == asked_by_old_id[BOB]
    assert contents(database, ALICE) == contents(database, BOB) == ["Alice's", "Bob's"]


def test_a_record_whose_new_id_was_never_seen_stays_the_same_record(database: Database) -> None:
    with database.write() as connection:
        first = add(connection, "A", ALICE)
        archive.merge(connection, "ctgov", ALICE, BOB)
        second = add(connection, "B", BOB, day=3)
        record = archive.find_record(connection, "ctgov", BOB)

        assert record and record.former_ids == (ALICE,)
        assert [version.number for version in archive.versions(connection, "ctgov", ALICE)] == [first, second]
        assert list(archive.verify_chain(connection)) == []


def test_a_watch_on_an_id_that_was_merged_long_ago_selects_the_kept_record(database: Database) -> None:
    with database.write() as connection:
        add(connection, "B", BOB)
        first = archive.merge(connection, "ctgov", ALICE, BOB)
        again = archive.merge(connection, "ctgov", ALICE, BOB)

        assert head_of(connection, ALICE) == head_of(connection, BOB)
    assert first and again and (first.is_new, again.is_new) == (True, False)


def test_a_chain_of_merges_ends_at_the_last_record(database: Database) -> None:
    carol = "NCT99000003"
    with database.write() as connection:
        for day, registry_id in enumerate((ALICE, BOB, carol), 2):
            add(connection, registry_id, registry_id, day)
        archive.merge(connection, "ctgov", ALICE, BOB)
        archive.merge(connection, "ctgov", BOB, carol)
        record = archive.find_record(connection, "ctgov", ALICE)

    assert record and (record.registry_id, record.former_ids) == (carol, (ALICE, BOB))
    assert contents(database, ALICE) == [ALICE, BOB, carol]


def test_as_of_a_merged_record_answers_with_the_kept_ones_own_versions(database: Database) -> None:
    with database.write() as connection:
        add(connection, "Alice's", ALICE, day=2)
        add(connection, "Bob's", BOB, day=3)
        archive.merge(connection, "ctgov", ALICE, BOB)

        assert archive.version_as_of(connection, "ctgov", ALICE, "2026-03-02") is None


def test_a_merge_of_ids_never_seen_is_nothing(database: Database) -> None:
    with database.write() as connection:
        assert archive.merge(connection, "ctgov", ALICE, BOB) is None


# ------------------------------------------------------------------ absence


def test_a_record_is_believed_missing_after_two_releases(database: Database) -> None:
    with database.write() as connection:
        add(connection, "A")
        said = [archive.note_absent(connection, "ctgov", ALICE, f"2026-03-0{day}") for day in (3, 3, 4, 5)]
        record = archive.find_record(connection, "ctgov", ALICE)

    assert said == ["first", "again", "missing", "known missing"]
    assert record and (record.absent_since, record.missing_since) == ("2026-03-03", "2026-03-04")


@pytest.mark.parametrize(("absences", "was_missing"), [(0, False), (1, False), (2, True)])
def test_a_record_that_comes_back_is_news_only_where_its_absence_was(
    database: Database, absences: int, was_missing: bool
) -> None:
    with database.write() as connection:
        add(connection, "A")
        for day in range(3, 3 + absences):
            archive.note_absent(connection, "ctgov", ALICE, f"2026-03-0{day}")

        assert (archive.heads(connection, "ctgov", [ALICE])[ALICE].absent_since is not None) == (absences > 0)
        assert archive.note_present(connection, "ctgov", ALICE) == was_missing
        assert archive.heads(connection, "ctgov", [ALICE])[ALICE].absent_since is None


def test_the_absence_of_an_id_never_seen_is_trouble_of_the_watch(database: Database) -> None:
    with database.write() as connection:
        assert archive.note_absent(connection, "ctgov", ALICE, "2026-03-03") == "never seen"


# ------------------------------------------------------------------ storage


def synthetic_history(count: int) -> list[bytes]:
    record = large_record()
    raws = []
    for at in range(count):
        record = small_change(record, at)
        raws.append(json.dumps(record).encode())
    return raws


def test_two_hundred_versions_of_a_large_record_take_little_room(sqlite_database: Database) -> None:
    raws = synthetic_history(200)
    assert min(map(len, raws)) > 45_000
    with sqlite_database.write() as connection:
        for raw in raws:
            add(connection, raw)
        room = connection.execute(select(func.sum(func.length(stored.c.data)))).scalar_one()

        assert all(archive.read_version(connection, number) == raw for number, raw in enumerate(raws, 1))
    assert room < 60_000


def test_the_base_may_be_handed_in_and_a_wrong_one_does_no_harm(database: Database) -> None:
    first, second, third = synthetic_history(3)
    with database.write() as connection:
        head = archive.append(connection, observation(first), None)
        head = archive.append(connection, observation(second, day=3), head, head_raw=first)
        head = archive.append(connection, observation(third, day=4), head, head_raw=b"something else")

        assert archive.read_version(connection, 2) == second
        assert archive.read_version(connection, head) == third


def test_a_long_line_of_versions_reads_back_from_every_place(sqlite_database: Database) -> None:
    with sqlite_database.write() as connection:
        numbers = [add(connection, {"at": at}) for at in range(codec.WHOLE_EVERY + 10)]

        assert [json.loads(archive.read_version(connection, number))["at"] for number in numbers[::7]] == [
            *range(0, len(numbers), 7)
        ]


# ------------------------------------------------------------------ damage


def damage(database: Database, number: int, **values: object) -> None:
    with database.write() as connection:
        connection.execute(update(stored).where(stored.c.number == number).values(values))


def test_damaged_bytes_are_named_and_never_given_out(database: Database) -> None:
    with database.write() as connection:
        number = add(connection, "A")
    damage(database, number, data=codec.encode(b'"B"', None))

    with database.read() as connection, pytest.raises(archive.Corrupt, match=f"version {number} ") as corrupt:
        archive.read_version(connection, number)
    assert corrupt.value.version == number


def test_a_damaged_base_is_named_by_every_version_that_stands_on_it(database: Database) -> None:
    with database.write() as connection:
        base, later = add(connection, "A"), add(connection, "B", day=3)
    damage(database, base, data=b"nothing")

    with database.read() as connection:
        with pytest.raises(archive.Corrupt, match=f"version {later} cannot be read: version {base}, which"):
            archive.read_version(connection, later)
        assert len(list(archive.verify_chain(connection))) == 2


def test_a_version_that_is_not_there_is_no_corruption(database: Database) -> None:
    with database.read() as connection, pytest.raises(archive.NoSuchVersion, match="no version 7"):
        archive.read_version(connection, 7)


# ------------------------------------------------------------------ many writers


def test_writers_of_different_records_at_once_make_one_unbroken_chain(database: Database) -> None:
    troubles: list[BaseException] = []

    def write(registry_id: str) -> None:
        try:
            for at in range(15):
                with database.write() as connection:
                    add(connection, {"at": at}, registry_id)
        except BaseException as error:
            troubles.append(error)

    writers = [threading.Thread(target=write, args=(f"NCT9900000{number}",)) for number in range(1, 5)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join(timeout=60)

    assert troubles == []
    with database.read() as connection:
        assert archive.chain_head(connection).number == 60
        assert list(archive.verify_chain(connection)) == []


def test_of_writers_of_one_record_at_once_those_who_compared_with_the_old_head_start_over(database: Database) -> None:
    with database.write() as connection:
        head = add(connection, "A")
    done: list[str] = []
    together = threading.Barrier(4, timeout=20)

    def write(content: str) -> None:
        together.wait()
        try:
            with database.write() as connection:
                archive.append(connection, observation(content, day=3), head)
            done.append("stored")
        except archive.HeadMoved:
            done.append("moved")

    writers = [threading.Thread(target=write, args=(f"by writer {number}",)) for number in range(4)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join(timeout=30)

    assert sorted(done) == ["moved", "moved", "moved", "stored"]
    with database.read() as connection:
        assert list(archive.verify_chain(connection)) == []


def test_first_seen_is_when_the_record_was_first_stored(database: Database) -> None:
    with database.write() as connection:
        add(connection, "A", day=2)
        add(connection, "B", day=3)
        first_seen = connection.execute(select(records.c.first_seen_at)).scalar_one()

    assert (first_seen - NOON).days == 2


def test_a_version_says_what_is_known_of_it(database: Database) -> None:
    said = observation("A", registry_date="2026-02-27", registry_version=7)
    with database.write() as connection:
        number = archive.append(connection, said, None)
        found = archive.version_info(connection, number)

    assert (found.registry_id, found.release, found.registry_date, found.registry_version) == (
        ALICE,
        said.release,
        "2026-02-27",
        7,
    )
    assert (found.raw_sha256, found.raw_size) == (hashlib.sha256(said.raw).digest(), len(said.raw))
