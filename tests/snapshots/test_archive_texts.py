"""Long texts that changes quote: kept once each, in little room, given back exactly, and damage to them is found."""

import random
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from typing import Any

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Connection, delete, func, insert, select, update

from monitor.cli import trialdelta
from monitor.copying import copy
from snapshots import archive
from snapshots.archive import CorruptChange, StepFacts, codec
from snapshots.archive.tables import changes as change_rows
from snapshots.archive.tables import texts as text_rows
from snapshots.archive.texts import LONG, filled, opened, put_away, read
from snapshots.changes import Change, to_json
from snapshots.database import Database
from snapshots.kinds import RULES_VERSION
from tests.conftest import SqliteFiles
from tests.snapshots.archive_cast import ALICE, BOB, NOON, add, change
from tests.snapshots.test_archive_costs import statements

KIND = "eligibility.criteria_changed"


def edits(count: int, size: int = 40_000, seed: int = 4) -> list[str]:
    """A text of about `size` bytes, of words that no language has, and what it was after each of `count` edits."""
    chance = random.Random(seed)
    words = ["".join(chance.choices("abcdefghijklmnopqrstuvwxyz", k=chance.randint(3, 10))) for _ in range(900)]
    lines = [" ".join(chance.choices(words, k=12)) for _ in range(size // 80)]
    found = ["\n* ".join(lines)]
    for _ in range(count):
        lines[chance.randrange(len(lines))] = " ".join(chance.choices(words, k=12))
        found.append("\n* ".join(lines))
    return found


def tell(connection: Connection, *told: Change, registry_id: str = ALICE) -> archive.Step:
    facts = StepFacts(registry="ctgov", registry_id=registry_id, observed_at=NOON)
    return archive.record_step(connection, facts, told)


def told(database: Database, registry_id: str = ALICE) -> list[Change]:
    with database.read() as connection:
        found = archive.steps(connection, "ctgov", registry_id)
    return [stored.change for step in found for stored in step.changes]


def edited(texts: list[str]) -> list[Change]:
    return [change(KIND, before=old, after=new) for old, new in pairwise(texts)]


@pytest.fixture
def watched(database: Database) -> Database:
    """An archive in which something can happen to Alice's and Bob's trials."""
    with database.write() as connection:
        add(connection, "A")
        add(connection, "A", BOB)
    return database


# --- room and speed ---------------------------------------------------------------------------------------------------


def test_a_long_text_that_is_edited_again_and_again_takes_little_room(watched: Database) -> None:
    said = edited(edits(225))
    for each in said:
        with watched.write() as connection:
            tell(connection, each)

    with watched.read() as connection:
        rows = connection.execute(select(func.sum(func.length(change_rows.c.change)))).scalar_one()
        texts = connection.execute(select(func.sum(func.length(text_rows.c.data)))).scalar_one()
        with statements(connection) as sent:
            found = archive.steps(connection, "ctgov", ALICE)
    assert rows + texts < 200_000  # whole they took 18 MB
    assert [stored.change for step in found for stored in step.changes] == said
    assert sum("FROM texts" in each for each in sent) == 1
    assert len(sent) <= 4


def test_a_text_stands_on_few_others_however_often_it_was_edited(sqlite_database: Database) -> None:
    with sqlite_database.write() as connection:
        add(connection, "A")
        tell(connection, *edited(edits(520, size=1000)))
        bases = {row.id: row.base for row in connection.execute(select(text_rows))}

    def depth(number: int | None) -> int:
        return 0 if number is None else 1 + depth(bases[number])

    assert max(map(depth, bases)) <= codec.LONGEST_CHAIN
    assert sum(base is None for base in bases.values()) == 2


def test_a_text_that_comes_again_is_kept_once(watched: Database) -> None:
    one, two = edits(1)
    with watched.write() as connection:
        tell(connection, *edited([one, two, one, two]))
        tell(connection, *edited([two, one]), registry_id=BOB)

        assert connection.execute(select(func.count()).select_from(text_rows)).scalar_one() == 2
    assert told(watched) == edited([one, two, one, two])
    assert told(watched, BOB) == edited([two, one])


def test_short_texts_stay_in_their_change(watched: Database) -> None:
    with watched.write() as connection:
        tell(connection, change(KIND, before="x" * (LONG - 1), after={"title": "y" * (LONG - 1), "at": [None]}))

        assert connection.execute(select(func.count()).select_from(text_rows)).scalar_one() == 0


# --- exactly as it was ------------------------------------------------------------------------------------------------

LONG_TEXTS = st.text("01", min_size=1, max_size=9).map(lambda part: part + "0" * LONG)
FORGED = st.sampled_from(
    [
        [{"kind": KIND, "before": None}, [[["before"], 1]]],
        [[["before"], 1]],
        {"texts": [[["after"], 1]], "change": {}},
        {"": None, "before": None, "0": [1]},
    ]
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(max_size=20) | LONG_TEXTS | FORGED,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=9), inner, max_size=4),
    max_leaves=12,
)


@pytest.fixture(scope="module")
def archive_of_all(sqlite_files: SqliteFiles, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    made = Database(sqlite_files.url(tmp_path_factory.mktemp("texts"), tables=True))
    yield made
    made.dispose()


@given(st.lists(st.tuples(JSON, JSON), min_size=1, max_size=4))
def test_whatever_a_change_says_comes_back_exactly(archive_of_all: Database, said: list[tuple[Any, Any]]) -> None:
    told = [to_json(change(KIND, before=before, after=after)) for before, after in said]
    with archive_of_all.write() as connection:
        kept = put_away(connection, told)
        texts = read(connection, [number for row in kept for _, number in opened(row).texts])

    assert [filled(opened(row), texts) for row in kept] == told
    assert not any("0" * LONG in row for row in kept)


def test_changes_that_were_stored_whole_are_read_as_before(watched: Database) -> None:
    one, two = edits(1)
    old = '{"kind":"%s","severity":"major","label":"L","summary":"S","before":"%s","after":"%s"}'
    row = {"position": 0, "rules_version": RULES_VERSION, "kind": KIND, "severity": "major"}
    with watched.write() as connection:
        step = tell(connection)
        stored = old % (KIND, one.replace("\n", "\\n"), two.replace("\n", "\\n"))
        connection.execute(insert(change_rows).values(step=step.id, change=stored, **row))
        tell(connection, change(KIND, before=two, after=one))

    assert [(each.before, each.after) for each in told(watched)] == [(one, two), (two, one)]
    with watched.read() as connection:
        assert list(archive.verify_chain(connection)) == []


def test_many_who_keep_the_same_texts_at_once_all_succeed(watched: Database) -> None:
    said = edited(edits(6, size=5000))

    def work(number: int) -> None:
        mine = said[number % 3 :] + said[: number % 3]
        for each in mine if number % 2 else reversed(mine):
            with watched.write() as connection:
                tell(connection, each, registry_id=(ALICE, BOB)[number % 2])

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(work, range(4)))

    with watched.read() as connection:
        assert connection.execute(select(func.count()).select_from(text_rows)).scalar_one() == 7
        assert list(archive.verify_chain(connection)) == []
    assert len(told(watched)) == len(told(watched, BOB)) == 2 * len(said)


def test_texts_move_to_another_database_with_their_changes(
    database: Database, sqlite_files: SqliteFiles, tmp_path_factory: pytest.TempPathFactory
) -> None:
    source = Database(sqlite_files.url(tmp_path_factory.mktemp("source"), tables=True))
    said = edited(edits(12, size=2000))
    with source.write() as connection:
        add(connection, "A")
        tell(connection, *said)

    assert copy(source, database).rows["texts"] == 13
    with database.write() as connection:
        tell(connection, *edited(edits(14, size=2000))[12:])
    assert told(database) == edited(edits(14, size=2000))
    source.dispose()


# --- damage -----------------------------------------------------------------------------------------------------------


def flipped(data: bytes, at: int) -> bytes:
    return data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :]


def test_any_altered_byte_of_a_text_is_found_and_named_by_its_change(watched: Database) -> None:
    with watched.write() as connection:
        stored = tell(connection, *edited(edits(2, size=3000)))
        row = connection.execute(select(text_rows).order_by(text_rows.c.id).offset(1).limit(1)).one()
    altered: list[dict[str, Any]] = [{"data": flipped(row.data, at)} for at in range(0, len(row.data), 5)]
    altered += [{"sha256": flipped(row.sha256, 31)}, {"size": row.size + 1}, {"base": None}]
    first, second = (each.id for each in stored.changes)
    for values in altered:
        with watched.write() as connection:
            connection.execute(update(text_rows).where(text_rows.c.id == row.id).values(values))
            problems = list(archive.verify_chain(connection))
            with pytest.raises(CorruptChange, match=f"change {first} cannot be read: text {row.id}"):
                archive.steps(connection, "ctgov", ALICE)
            connection.execute(update(text_rows).where(text_rows.c.id == row.id).values(dict(row._mapping)))
        assert [each.partition(" cannot")[0] for each in problems] == [f"change {first}", f"change {second}"]
    assert told(watched) == edited(edits(2, size=3000))


def test_the_doctor_names_the_change_whose_text_was_altered(
    sqlite_database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    with sqlite_database.write() as connection:
        add(connection, "A")
        [stored] = tell(connection, *edited(edits(1, size=3000))).changes
        row = connection.execute(select(text_rows).where(text_rows.c.base.is_not(None))).one()
        damaged = flipped(row.data, len(row.data) // 2)
        connection.execute(update(text_rows).where(text_rows.c.id == row.id).values(data=damaged))
    monkeypatch.setenv("TRIALDELTA_DATABASE_URL", sqlite_database.url)

    shown = CliRunner().invoke(trialdelta, ["doctor", "--archive"])

    assert shown.exit_code == 2
    assert f"change {stored.id} cannot be read: text {row.id}: " in shown.output
    history = CliRunner().invoke(trialdelta, ["history", ALICE])
    assert history.exit_code == 2
    assert history.stderr.startswith(f"Error: change {stored.id} cannot be read: text {row.id}: ")
    assert len(history.stderr.splitlines()) == 1


def test_a_text_that_is_gone_is_one_clear_error(watched: Database) -> None:
    with watched.write() as connection:
        [stored] = tell(connection, *edited(edits(1))).changes
        last = connection.execute(select(func.max(text_rows.c.id))).scalar_one()
        connection.execute(delete(text_rows).where(text_rows.c.id == last))

    with watched.read() as connection:
        assert list(archive.verify_chain(connection)) == [f"change {stored.id} cannot be read: text {last} is missing"]
    with pytest.raises(archive.Corrupt, match=f"change {stored.id} cannot be read: text {last} is missing"):
        told(watched)


@pytest.mark.parametrize("row", ["", "[", "[1,2]", "[{},[[[],1]]]", "3", '[{"before":null},[[["before","x"],1]]]'])
def test_a_row_that_is_no_change_is_one_clear_error(watched: Database, row: str) -> None:
    with watched.write() as connection:
        [stored] = tell(connection, change(KIND, before="x" * LONG)).changes
        connection.execute(update(change_rows).values(change=row))

    with pytest.raises(CorruptChange, match=f"^change {stored.id} cannot be read: "):
        told(watched)


def test_a_damaged_text_costs_room_and_not_the_next_step(watched: Database) -> None:
    texts = edits(9, size=2000)
    with watched.write() as connection:
        tell(connection, *edited(texts[:8]))
        connection.execute(update(text_rows).where(text_rows.c.base.is_(None)).values(data=b"damaged"))
        tell(connection, *edited(texts[7:9]))
        whole = tell(connection, *edited(texts[8:]))

        assert archive.find_step(connection, whole.id) == whole
