"""The chain: whatever was altered since a head was known elsewhere shows."""

import hashlib
from datetime import UTC, datetime

import pytest
from sqlalchemy import delete, update

from snapshots import archive
from snapshots.archive import codec
from snapshots.archive.chain import START, Link, link_hash
from snapshots.archive.tables import chain, records, versions
from snapshots.database import Database
from tests.snapshots.archive_cast import ALICE, BOB, add, fill_in

LINK = Link(
    number=1,
    registry="ctgov",
    registry_id=ALICE,
    raw_sha256=bytes(range(32)),
    content_hash=bytes(32),
    source="v2",
    release="2026-03-02T09:00:05",
    registry_date=None,
    registry_version=None,
    observed_at=datetime(2026, 3, 2, 12, tzinfo=UTC),
)


@pytest.fixture
def told(database: Database) -> archive.ChainHead:
    """Three versions of two records, and the head as a message would have printed it."""
    with database.write() as connection:
        add(connection, "A", ALICE)
        add(connection, "B", BOB)
        add(connection, "C", ALICE, day=3)
        return archive.chain_head(connection)


def problems(database: Database) -> list[str]:
    with database.read() as connection:
        return list(archive.verify_chain(connection))


def test_the_form_of_a_link_is_as_documented() -> None:
    link = (
        f'["trialdelta-link-1",1,"ctgov","{ALICE}","{bytes(range(32)).hex()}","{"0" * 64}",'
        '"v2","2026-03-02T09:00:05",null,null,"2026-03-02T12:00:00.000000Z"]'
    )

    form = f'["trialdelta-chain-1","{"0" * 64}",1,"{hashlib.sha256(link.encode()).hexdigest()}"]'
    assert link_hash(START, LINK) == hashlib.sha256(form.encode()).digest()


def test_an_empty_archive_has_a_head_that_says_so(database: Database) -> None:
    with database.read() as connection:
        assert archive.chain_head(connection) == archive.ChainHead(0, START)
    assert problems(database) == []


def test_a_sound_archive_has_no_problems(database: Database, told: archive.ChainHead) -> None:
    assert problems(database) == []
    assert told.number == 3


def test_the_short_head_is_found_again_after_later_appends(database: Database, told: archive.ChainHead) -> None:
    with database.write() as connection:
        fill_in(connection, "old", "2020-01-01")

        assert archive.chain_head(connection).short != told.short
        assert archive.find_append(connection, told.short) == 3
        assert archive.find_append(connection, told.short[:9].upper()) == 3
        assert archive.find_append(connection, "0" * 12) is None


@pytest.mark.parametrize("text", ["", "12", "no hex digits", "a" * 65, "%%%%%%%%%%%%"])
def test_what_is_no_head_is_refused(database: Database, text: str) -> None:
    with database.read() as connection, pytest.raises(ValueError, match="not the head"):
        archive.find_append(connection, text)


@pytest.mark.parametrize(
    "altered",
    [
        {"release": "2026-03-01T09:00:05"},
        {"registry_date": "2026-01-01"},
        {"registry_id": BOB},
        {"source": "v3"},
        {"registry_version": 3},
        {"content_hash": bytes(32)},
        {"raw_sha256": bytes(32)},
        {"observed_at": datetime(2026, 3, 1, tzinfo=UTC)},
    ],
    ids=lambda altered: next(iter(altered)),
)
def test_an_altered_fact_shows(database: Database, told: archive.ChainHead, altered: dict[str, object]) -> None:
    with database.write() as connection:
        connection.execute(update(versions).where(versions.c.number == 1).values(altered))

    assert any("append 1 " in problem for problem in problems(database))


def test_bytes_put_in_place_of_others_show(database: Database, told: archive.ChainHead) -> None:
    with database.write() as connection:
        other = codec.encode(b'"X"', None)
        connection.execute(update(versions).where(versions.c.number == 2).values(data=other))

    assert [problem for problem in problems(database) if "version 2 cannot be read" in problem]


def test_a_version_taken_out_shows(database: Database, told: archive.ChainHead) -> None:
    with database.write() as connection:
        connection.execute(delete(versions).where(versions.c.number == 2))

    assert "append 2 is missing" in problems(database)


def test_a_version_cut_off_the_end_shows(database: Database, told: archive.ChainHead) -> None:
    with database.write() as connection:
        connection.execute(delete(versions).where(versions.c.number == 3))

    assert problems(database) == ["the chain's head names append 3, the last one stored is 2"]


def test_a_history_written_anew_is_sound_in_itself_but_lacks_the_head_that_was_told(
    database: Database, told: archive.ChainHead
) -> None:
    with database.write() as connection:
        connection.execute(delete(versions).where(versions.c.number == 3))
        second = archive.version_info(connection, 2)
        connection.execute(update(chain).values(number=2, hash=second.chain_hash))
        connection.execute(update(records).values(head_version=None))
        add(connection, "another C", ALICE, day=3)

        assert list(archive.verify_chain(connection)) == []
        assert archive.find_append(connection, told.short) is None


def test_filling_in_the_past_does_not_rewrite_what_was_told(database: Database, told: archive.ChainHead) -> None:
    with database.write() as connection:
        fill_in(connection, "old", "2019-01-01")

        assert archive.version_info(connection, 3).chain_hash == told.hash
    assert problems(database) == []
