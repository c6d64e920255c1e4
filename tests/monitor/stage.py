"""A registry, a database and a clock for tests of the sweep and the program around it."""

import shutil
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from monitor.demo.standin import StandIn
from monitor.sweep import SweepReport, sweep
from notifiers import subscriptions, watches
from notifiers.subscriptions import Subscription
from notifiers.watches import Wish
from snapshots import archive
from snapshots.archive import Step
from snapshots.database import Database
from snapshots.registry import Registry
from tests.databases import SqliteFiles
from tests.registries import Asked, study

DAYS = ("2026-03-02", "2026-03-03", "2026-03-04", "2026-03-05", "2026-03-06")
NOT_YET, RECRUITING = "NOT_YET_RECRUITING", "RECRUITING"


def at(day: str, hour: int = 14) -> datetime:
    """A moment of that day, aware UTC."""
    return datetime.fromisoformat(day).replace(hour=hour, tzinfo=UTC)


def trial(record: str, status: str = NOT_YET, submitted: str = "2026-03-01", **said: Any) -> dict[str, Any]:
    """An invented record with one site, last submitted on a day."""
    made = study(record, sites={"Example Hospital": status}, **said)
    made["protocolSection"]["statusModule"]["lastUpdateSubmitDate"] = submitted
    return made


class Stage:
    """A stand-in registry, a database, and a clock that stands where a test puts it."""

    def __init__(self, database: Database, standin: StandIn, registry: Registry | None = None) -> None:
        self.database = database
        self.standin = standin
        self.registry = registry or Asked(standin)
        self.now = at(DAYS[0])

    def watch(self, *ids: str) -> None:
        with self.database.write() as connection:
            for each in ids:
                watches.add(connection, Wish(registry="ctgov", record_id=each), self.now)

    def subscribe(self, subscription: Subscription) -> None:
        with self.database.write() as connection:
            subscriptions.save(connection, subscription, self.now)

    def publish(self, day: str, *records: dict[str, Any]) -> None:
        by_id = {record["protocolSection"]["identificationModule"]["nctId"]: record for record in records}
        self.standin.publish(day, by_id)
        self.now = at(day)

    def look(self, only: Sequence[str] = (), stop: Callable[[], bool] = lambda: False) -> SweepReport:
        return sweep(self.database, self.registry, lambda: self.now, only=only, stop=stop)

    def day(self, day: str, *records: dict[str, Any]) -> SweepReport:
        """Publish, and look."""
        self.publish(day, *records)
        return self.look()

    def history(self, record: str) -> list[Step]:
        with self.database.read() as connection:
            return archive.steps(connection, "ctgov", record)


def kinds(report: SweepReport) -> list[str]:
    """The kinds that a sweep told, in order."""
    return [stored.change.kind for step in report.steps for stored in step.changes]


def lived_in_file(live: Callable[[Stage], None]) -> Any:
    """A fixture: the file of a SQLite database in which `live` happened, made once for all tests of a module."""

    @pytest.fixture(scope="module")
    def made(sqlite_files: SqliteFiles, tmp_path_factory: pytest.TempPathFactory) -> Path:
        database = Database(sqlite_files.url(tmp_path_factory.mktemp("lived_in"), tables=True))
        with StandIn() as standin:
            live(Stage(database, standin))
        database.dispose()
        assert database.file
        return database.file

    return made


def copied(file: Path, folder: Path) -> Iterator[Database]:
    """A copy of that file, for one test."""
    database = Database(f"sqlite:///{shutil.copy(file, folder / 'archive.sqlite3')}")
    yield database
    database.dispose()
