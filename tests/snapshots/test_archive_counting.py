"""Which of its record's versions one is: in history order, whatever came first into the archive."""

from sqlalchemy import Connection

from snapshots import archive
from snapshots.database import Database
from tests.monitor.courses import RECORD, store


def stored(connection: Connection) -> list[archive.Place]:
    store(connection)
    return sorted(archive.places_of(connection, "ctgov", RECORD).values(), key=lambda place: place.place)


def test_versions_are_counted_in_history_order_beside_their_number_in_the_archive(database: Database) -> None:
    with database.write() as connection:
        found = stored(connection)

    assert [place.place for place in found] == list(range(1, 9))
    assert {place.of for place in found} == {8}
    assert found[2].words == "version 3 of 8 (registry date 2023-05-02, no. 3 at the registry, archive no. 3)"
    assert found[5].words == "version 6 of 8 (release 2026-03-02, archive no. 6)"


def test_the_registrys_own_count_is_told_as_its_site_tells_it_also_after_a_gap(database: Database) -> None:
    with database.write() as connection:
        found = stored(connection)

    assert [place.listed for place in found] == [1, 2, 3, 4, 6, None, None, None]


def test_of_what_is_not_stored_nothing_is_counted(sqlite_database: Database) -> None:
    with sqlite_database.read() as connection:
        assert archive.places_of(connection, "ctgov", RECORD) == {}
