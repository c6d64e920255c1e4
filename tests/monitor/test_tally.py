"""How many changes are stored is counted once, and what came since is added."""

from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import func, select

from monitor.demo.standin import StandIn
from monitor.tally import Tally
from snapshots.archive.tables import changes
from snapshots.database import Database
from tests.databases import make_tables
from tests.monitor.stage import DAYS, NOT_YET, RECRUITING, Stage, trial
from tests.registries import nct

STATUSES = (NOT_YET, RECRUITING, "COMPLETED")


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


@pytest.mark.parametrize("days", [2, 5])
def test_another_database_in_its_place_is_counted_anew(database: Database, tmp_path: Path, days: int) -> None:
    url = f"sqlite:///{tmp_path / 'other.sqlite3'}"
    make_tables(url)
    other, tally = Database(url), Tally()
    with StandIn() as standin:
        for stage, statuses in ((Stage(other, standin), ("COMPLETED",) * days), (Stage(database, standin), STATUSES)):
            stage.watch(nct(1))
            for number, (day, status) in enumerate(zip(DAYS, statuses, strict=False)):
                stage.publish(day, trial(nct(1), status, title=f"Title {number}"))
                stage.now += timedelta(seconds=len(statuses))  # nothing happens at two places at the same microsecond
                stage.look()

    newest, found, again = tallied(tally, database), tallied(tally, other), tallied(tally, database)

    assert newest == stored(database) != stored(other)
    assert found == stored(other)
    assert again == newest
    other.dispose()
