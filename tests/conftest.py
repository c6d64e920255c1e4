"""What every test may ask for: a fresh database of either kind, with or without tables; a registry to ask."""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import hypothesis
import pytest
import structlog

from monitor.demo.standin import StandIn, Study, read_releases
from snapshots.database import Database
from tests.databases import NoPostgresql, PostgresqlServer, SqliteFiles, postgresql_server
from tests.registries import REAL_RELEASES

# a busy machine is no fault of what is tested: no test is judged by a clock
hypothesis.settings.register_profile(
    "unhurried", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow]
)
hypothesis.settings.load_profile("unhurried")


@pytest.fixture(scope="session")
def sqlite_files(tmp_path_factory: pytest.TempPathFactory) -> SqliteFiles:
    return SqliteFiles(tmp_path_factory.mktemp("sqlite"))


@pytest.fixture(scope="session")
def postgresql() -> Iterator[PostgresqlServer]:
    """One server for the test run (one for each worker of a parallel one), started by the first test that needs it."""
    with ExitStack() as stack:
        try:
            server = stack.enter_context(postgresql_server())
        except NoPostgresql as error:
            pytest.skip(f"PostgreSQL is NOT tested here: {error}")
        yield server


def _fresh_url(request: pytest.FixtureRequest, folder: Path, *, tables: bool) -> Iterator[str]:
    if request.param == "sqlite":
        files: SqliteFiles = request.getfixturevalue("sqlite_files")
        yield files.url(folder, tables=tables)
        return
    server: PostgresqlServer = request.getfixturevalue("postgresql")
    with server.url(tables=tables) as url:
        yield url


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """Where a fresh database with all tables is; the test runs once on SQLite and once on PostgreSQL."""
    yield from _fresh_url(request, tmp_path, tables=True)


@pytest.fixture(params=["sqlite", "postgresql"])
def empty_database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """Where a fresh database without any table is, of both kinds in turn."""
    yield from _fresh_url(request, tmp_path, tables=False)


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    """A fresh database with all tables; the test runs once on SQLite and once on PostgreSQL."""
    opened = Database(database_url)
    yield opened
    opened.dispose()


@pytest.fixture
def sqlite_database(sqlite_files: SqliteFiles, tmp_path: Path) -> Iterator[Database]:
    """A fresh SQLite database with all tables, for tests in which the kind of database plays no part."""
    opened = Database(sqlite_files.url(tmp_path, tables=True))
    yield opened
    opened.dispose()


@pytest.fixture
def standin() -> Iterator[StandIn]:
    """The registry on loopback, empty."""
    with StandIn() as registry:
        yield registry


@pytest.fixture(scope="session")
def real_releases() -> list[tuple[str, dict[str, Study]]]:
    """The recorded releases, oldest first: date, and what is new or different in it. Mark the test `real_records`."""
    if not REAL_RELEASES.exists():
        pytest.skip(f"the recorded releases are not here ({REAL_RELEASES})")
    return list(read_releases(REAL_RELEASES))


@pytest.fixture(autouse=True)
def unconfigured_log() -> Iterator[None]:
    """A command under test sets the log up for its process, which here is that of all tests."""
    yield
    structlog.reset_defaults()
