"""Repacking stores every version in less room: each byte kept, ended at any moment, while others append."""

import json
import random
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import select, update

from snapshots import archive
from snapshots.archive import codec
from snapshots.archive.repacking import Repacked, repack, stored_size
from snapshots.archive.room import file_size, give_back
from snapshots.archive.tables import dictionaries, repackings, versions
from snapshots.database import Database
from tests.snapshots.archive_cast import add, fill_in, large_record, small_change
from tests.snapshots.test_archive_costs import least_cpu

NOW = datetime(2026, 3, 25, tzinfo=UTC)
RECORDS = 30


def protocol(number: int, said: int = 0) -> dict[str, Any]:
    """An invented trial that says much as all others say it, and some things as none does."""
    chance = random.Random(number)
    words = [f"{chance.getrandbits(40):x}" for _ in range(20)]
    return {
        "identificationModule": {"nctId": f"NCT990{number:05d}", "organization": {"fullName": f"{words[0]} Hospital"}},
        "statusModule": {"overallStatus": "RECRUITING", "statusVerifiedDate": f"2026-{said % 12 + 1:02d}"},
        "eligibilityModule": {
            "eligibilityCriteria": "Inclusion Criteria:\n\n* Written informed consent\n* At least 18 years old\n",
            "healthyVolunteers": False,
            "sex": "ALL",
        },
        "descriptionModule": {"briefSummary": " ".join(words)},
    }


def fill(database: Database, versions_each: int = 3) -> list[bytes]:
    """Records that have much in common, some versions of each; the bytes of each version in append order."""
    appended = []
    with database.write() as connection:
        for said in range(versions_each):
            for number in range(RECORDS):
                appended.append(json.dumps(protocol(number, said)).encode())
                add(connection, appended[-1], f"NCT990{number:05d}", day=said + 2)
    return appended


def given_back(database: Database) -> list[bytes]:
    with database.read() as connection:
        assert list(archive.verify_chain(connection)) == []
        numbers = connection.execute(select(versions.c.number).order_by(versions.c.number)).scalars().all()
        return [archive.read_version(connection, number) for number in numbers]


def test_every_version_comes_back_byte_for_byte_from_less_room(database: Database) -> None:
    appended = fill(database)
    with database.read() as connection:
        head = archive.chain_head(connection)

    done = repack(database, NOW)

    assert given_back(database) == appended
    assert done.after == stored_size(database) < 0.8 * done.before
    assert (done.versions, done.unreadable) == (len(appended), ())
    with database.read() as connection:
        assert archive.chain_head(connection) == head
        assert connection.execute(select(dictionaries.c.created_at)).scalars().all() == [NOW]


def test_repacking_again_finds_nothing_to_do(sqlite_database: Database) -> None:
    fill(sqlite_database)
    first = repack(sqlite_database, NOW)

    again = repack(sqlite_database, NOW)

    assert again == Repacked(before=first.after, after=first.after, versions=first.versions, stored_anew=0)


def test_an_empty_archive_is_repacked_into_nothing(database: Database) -> None:
    assert repack(database, NOW) == Repacked(before=0, after=0, versions=0, stored_anew=0)


def test_few_records_get_no_dictionary_which_would_take_more_than_it_spares(sqlite_database: Database) -> None:
    with sqlite_database.write() as connection:
        for number in range(12):
            add(connection, random.Random(number).randbytes(500).hex(), f"NCT990{number:05d}")

    done = repack(sqlite_database, NOW)

    with sqlite_database.read() as connection:
        assert connection.execute(select(dictionaries)).all() == []
    assert done.after <= done.before


def test_what_is_appended_after_a_repacking_is_stored_by_the_dictionary(database: Database) -> None:
    fill(database)
    repack(database, NOW)

    raw = json.dumps(protocol(RECORDS)).encode()
    with database.write() as connection:
        number = add(connection, raw, "NCT99099999")
        row = connection.execute(select(versions).where(versions.c.number == number)).one()

    assert row.dictionary is not None
    assert len(row.data) < 0.75 * len(codec.encode(raw, None))
    assert given_back(database)[-1] == raw


def test_a_run_that_was_ended_goes_on_where_it_was_whatever_came_in_meanwhile(database: Database) -> None:
    appended = fill(database)
    runs = []
    for day in range(20):
        answers = iter((False, True))
        runs.append(repack(database, NOW, stop=lambda answers=answers: next(answers)))  # type: ignore[misc]
        with database.write() as connection:
            appended.append(json.dumps(protocol(3, day + 5)).encode())
            add(connection, appended[-1], "NCT99000003", day=day + 6)
        assert given_back(database) == appended
        with database.read() as connection:
            if connection.execute(select(repackings.c.finished_at)).scalars().first():
                break

    assert [run.resumed for run in runs] == [False] + [True] * (len(runs) - 1)
    assert len(runs) == -(-RECORDS * 3 // 20)
    assert {run.before for run in runs} == {runs[0].before}


def test_a_form_that_another_process_made_meanwhile_stays(database: Database) -> None:
    appended = fill(database, 1)

    def another(done: int, total: int) -> None:
        if done < total:
            repack(other, NOW)

    other = Database(database.url)
    try:
        repack(database, NOW, another)
    finally:
        other.dispose()

    assert given_back(database) == appended


def test_what_was_filled_in_and_what_was_observed_share_one_whole_version(sqlite_database: Database) -> None:
    past = {"study": large_record(), "studyVersion": 1}
    with sqlite_database.write() as connection:
        fill_in(connection, past, "2025-01-01", 0)
        observed = add(connection, large_record())

    repack(sqlite_database, NOW)

    with sqlite_database.read() as connection:
        row = connection.execute(select(versions).where(versions.c.number == observed)).one()
    assert (row.base, len(row.data) < 200) == (1, True)
    assert len(given_back(sqlite_database)) == 2


def test_a_version_that_cannot_be_read_is_left_as_it_is_and_named(sqlite_database: Database) -> None:
    fill(sqlite_database)
    with sqlite_database.write() as connection:
        connection.execute(update(versions).where(versions.c.number == 7).values(data=b"damaged"))

    done = repack(sqlite_database, NOW)

    assert 7 in done.unreadable
    with sqlite_database.read() as connection:
        assert connection.execute(select(versions.c.data).where(versions.c.number == 7)).scalar_one() == b"damaged"
        assert next(iter(archive.verify_chain(connection))).startswith("version 7 cannot be read")


@pytest.mark.parametrize("place", ["data", "sha256"])
def test_an_altered_byte_of_a_dictionary_is_found(database: Database, place: str) -> None:
    fill(database, 1)
    repack(database, NOW)
    with database.write() as connection:
        kept = bytearray(connection.execute(select(dictionaries.c[place])).scalar_one())
        kept[len(kept) // 2] ^= 1
        connection.execute(update(dictionaries).values({place: bytes(kept)}))

    with database.read() as connection:
        problems = list(archive.verify_chain(connection))

    assert problems[0].startswith("dictionary 1 cannot be used")


def test_a_lost_dictionary_is_named_and_new_records_are_stored_without_it(database: Database) -> None:
    fill(database, 1)
    repack(database, NOW)
    with database.write() as connection:
        connection.execute(dictionaries.delete())
        number = add(connection, {"new": 1}, "NCT99099999")

    with database.read() as connection:
        assert archive.read_version(connection, number) == b'{"new": 1}'
        problems = list(archive.verify_chain(connection))
    assert "dictionary 1 is missing, and versions are stored by it" in problems
    assert "version 1 cannot be read: dictionary 1 is missing" in problems


def test_two_hundred_versions_of_45_kb_take_less_than_60_kb_and_come_back_at_once(sqlite_database: Database) -> None:
    record = large_record()
    with sqlite_database.write() as connection:
        for at in range(200):
            record = small_change(record, at)
            add(connection, json.dumps(record).encode())
    as_appended = stored_size(sqlite_database)

    repack(sqlite_database, NOW)

    assert stored_size(sqlite_database) <= as_appended < 60_000  # measured: 23,000 and 26,500
    with sqlite_database.read() as connection:
        costs = [
            least_cpu(lambda number=number: archive.read_version(connection, number), 3)  # type: ignore[misc]
            for number in range(1, 201)
        ]
    assert max(costs) < 5  # measured: 1.0


def test_the_file_gets_smaller_by_what_was_freed(sqlite_database: Database) -> None:
    with sqlite_database.write() as connection:
        for number in range(40):
            add(
                connection,
                protocol(number) | {"more": "".join(random.Random(1).choices("abcdef", k=20_000))},
                f"N{number}",
            )
    done = repack(sqlite_database, NOW)

    room = give_back(sqlite_database)

    assert room is not None
    assert room.after == file_size(sqlite_database)
    assert room.before - room.after > 0.9 * (done.before - done.after) > 100_000
    assert len(given_back(sqlite_database)) == 40
