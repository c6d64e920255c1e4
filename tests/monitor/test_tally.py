"""How many changes are stored is counted once, and what came since is added."""

from pathlib import Path

from sqlalchemy import func, select

from monitor.demo.standin import StandIn
from monitor.tally import Tally
from snapshots.archive.tables import changes
from snapshots.database import Database
from tests.databases import make_tables
from tests.monitor.stage import DAYS, RECRUITING, Stage, trial
from tests.registries import nct


def tallied(tally: Tally, database: Database) -> dict[str, int]:
    """The count, of what there is anything."""
    with database.read() as connection:
        return {severity: count for severity, count in tally.by_severity(connection).items() if count}


def stored(database: Database) -> dict[str, int]:
    with database.read() as connection:
        rows = connection.execute(select(changes.c.severity, func.count()).group_by(changes.c.severity))
        return {severity: count for severity, count in rows}  # noqa: C416  # rows are no pairs to a type checker


def test_what_came_since_is_added(database: Database) -> None:
    tally = Tally()
    nothing = tallied(tally, database)
    with StandIn() as standin:
        stage = Stage(database, standin)
        stage.watch(nct(1), nct(2))
        found = []
        for day, status in zip(DAYS, ("NOT_YET_RECRUITING", RECRUITING, "COMPLETED", RECRUITING), strict=False):
            stage.day(day, trial(nct(1), status), trial(nct(2), status))
            found.append((tallied(tally, database), tallied(tally, database), stored(database)))

    assert nothing == {}
    assert all(first == again == there for first, again, there in found)
    assert sum(found[-1][0].values()) > sum(found[0][0].values()) > 0


def test_an_older_database_in_its_place_is_counted_anew(database: Database, tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'older.sqlite3'}"
    make_tables(url)
    older, tally = Database(url), Tally()
    with StandIn() as standin:
        for stage, days in ((Stage(older, standin), DAYS[:2]), (Stage(database, standin), DAYS)):
            stage.watch(nct(1))
            for number, day in enumerate(days):
                stage.day(day, trial(nct(1), (RECRUITING, "COMPLETED")[number % 2]))

    newest, found = tallied(tally, database), tallied(tally, older)

    assert newest == stored(database) != stored(older)
    assert found == stored(older)
    older.dispose()
