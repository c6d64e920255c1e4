"""Moving to another database loses nothing and adds nothing, and says so only after comparing."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import func, select, text, update

from monitor import copying
from monitor.copying import copy
from monitor.demo.standin import StandIn
from notifiers import subscriptions, watches
from notifiers.outbox import Delivered, Failed
from notifiers.tables import attempts, deliveries
from snapshots import archive
from snapshots.archive.tables import records, steps, versions
from snapshots.database import Database, DatabaseError, metadata
from tests.monitor.stage import DAYS, RECRUITING, Stage, copied, lived_in_file, trial
from tests.notifiers.cast import send_next
from tests.registries import nct

ONE, TWO = nct(1), nct(2)


def live(stage: Stage) -> None:
    """Versions, a merge, a superseded step, deliveries and attempts."""
    stage.watch(ONE, TWO)
    stage.subscribe(subscriptions.from_table({"name": "all", "to": ["mailto:alice@example.org"], "watches": "all"}))
    stage.day(DAYS[0], trial(ONE), trial(TWO))
    stage.day(DAYS[1], trial(ONE, RECRUITING, DAYS[1]), trial(TWO, RECRUITING, DAYS[1], title="“Tea” – für Ältere"))
    send_next(stage.database, Failed(answer="450 later"), stage.now)
    send_next(stage.database, Delivered("250 ok"), stage.now)
    with stage.database.write() as connection:
        archive.merge(connection, "ctgov", ONE, TWO)
        numbers = connection.execute(select(steps.c.id).order_by(steps.c.id)).scalars().all()
        connection.execute(update(steps).where(steps.c.id == numbers[0]).values(superseded_by=numbers[-1]))


lived_in_once = lived_in_file(live)


@pytest.fixture
def lived_in(lived_in_once: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    yield from copied(lived_in_once, tmp_path_factory.mktemp("source"))


def rows(database: Database) -> dict[str, list[tuple[object, ...]]]:
    with database.read() as connection:
        return {
            table.name: sorted((tuple(row) for row in connection.execute(select(table))), key=repr)
            for table in metadata.sorted_tables
        }


def test_everything_is_in_the_copy(lived_in: Database, database: Database) -> None:
    copied = copy(lived_in, database)

    assert rows(database) == rows(lived_in)
    assert copied.rows == {name: len(found) for name, found in rows(lived_in).items()}
    assert copied.rows["versions"] == 4
    assert copied.rows["attempts"] == 2
    with database.read() as connection:
        assert archive.chain_head(connection).short == copied.head
        assert list(archive.verify_chain(connection)) == []
        assert connection.execute(select(records.c.merged_into).where(records.c.merged_into.is_not(None))).all()


def test_the_copy_goes_on_where_the_original_was(lived_in: Database, database: Database) -> None:
    copy(lived_in, database)

    with StandIn() as standin:
        stage = Stage(database, standin)
        stage.watch(nct(3))
        report = stage.day(DAYS[2], trial(ONE, RECRUITING, DAYS[1]), trial(TWO, "COMPLETED", DAYS[2]), trial(nct(3)))
    assert report.outcome == "finished"
    with database.read() as connection:
        assert [watch.record_id for watch in watches.listing(connection)] == [ONE, TWO, nct(3)]
        assert connection.execute(select(func.count()).select_from(deliveries)).scalar_one() > 2
        assert list(archive.verify_chain(connection)) == []
    assert send_next(database, Delivered("250 ok"), stage.now) == "delivered"
    with database.read() as connection:
        assert connection.execute(select(func.count()).select_from(attempts)).scalar_one() == 3


def test_a_database_that_holds_something_is_left_alone(lived_in: Database, database: Database) -> None:
    with database.write() as connection:
        watches.add(connection, watches.Wish(registry="ctgov", record_id=nct(7)), datetime(2026, 3, 1, tzinfo=UTC))
    before = rows(database)

    with pytest.raises(DatabaseError, match="is not empty"):
        copy(lived_in, database)
    assert rows(database) == before


def test_a_database_is_not_copied_onto_itself(lived_in: Database) -> None:
    with pytest.raises(DatabaseError, match="the database to copy from"):
        copy(lived_in, Database(lived_in.url))


def test_a_damaged_archive_is_not_passed_on(lived_in: Database, database: Database) -> None:
    with lived_in.write() as connection:
        connection.execute(update(versions).where(versions.c.number == 1).values(release="2020-01-01T00:00:00"))

    with pytest.raises(DatabaseError, match=r"the archive does not hold: append 1 .*nothing was kept"):
        copy(lived_in, database)
    assert not any(rows(database).values())


def test_a_row_that_arrives_altered_is_noticed(
    lived_in: Database, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Something in the target (a trigger, say) writes another value than it was given."""
    pointed: Callable[..., None] = copying._point

    def and_alter(connection: object, *others: object) -> None:
        pointed(connection, *others)
        connection.execute(text("UPDATE addresses SET owner = 'Mallory'"))  # type: ignore[attr-defined]

    monkeypatch.setattr(copying, "_point", and_alter)

    with pytest.raises(DatabaseError, match="addresses are not as they were"):
        copy(lived_in, database)
    assert not any(rows(database).values())


def test_what_the_other_database_cannot_hold_is_said_with_its_table(lived_in: Database, database: Database) -> None:
    """PostgreSQL takes no NUL in a text, SQLite does."""
    with lived_in.write() as connection:
        connection.execute(text("UPDATE addresses SET owner = :owner"), {"owner": "Al\0ice"})

    if database.is_sqlite:
        assert copy(lived_in, database).rows["addresses"] == 1
    else:
        with pytest.raises(DatabaseError, match=r"a row of addresses cannot be stored there: .*nothing was kept"):
            copy(lived_in, database)
        assert not any(rows(database).values())
