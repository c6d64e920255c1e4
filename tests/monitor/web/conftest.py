"""What tests of the page and the API may ask for."""

from collections.abc import Iterator

import pytest

from snapshots.database import Database
from tests.monitor.web.browsing import SiteUnderTest, serving


@pytest.fixture
def site(sqlite_database: Database) -> Iterator[SiteUnderTest]:
    """A running site over an empty SQLite database, at a clock that a test can set."""
    with serving(sqlite_database) as running:
        yield running


@pytest.fixture
def site_on_each(database: Database) -> Iterator[SiteUnderTest]:
    """The same, once on SQLite and once on PostgreSQL."""
    with serving(database) as running:
        yield running
