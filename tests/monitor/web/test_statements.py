"""What a page asks of the database is made ready once, not at each visit."""

import logging
from collections.abc import Iterator
from pathlib import Path

import pytest

from monitor.web.doors import doors
from tests.monitor.stage import copied
from tests.monitor.web.browsing import OWN_TOKEN, SiteUnderTest, serving
from tests.monitor.web.lived_in import lived_in

__all__ = ["lived_in"]

ENGINE = logging.getLogger("sqlalchemy.engine.Engine")
VISITS = 3


@pytest.fixture
def site(lived_in: Path, tmp_path: Path) -> Iterator[SiteUnderTest]:
    for database in copied(lived_in, tmp_path):
        with serving(database) as running:
            yield running


@pytest.fixture
def statements(caplog: pytest.LogCaptureFixture) -> Iterator[pytest.LogCaptureFixture]:
    """What SQLAlchemy says of each statement: made anew ("generated in"), or known ("cached since")."""
    with caplog.at_level(logging.INFO, ENGINE.name):
        yield caplog


def test_a_page_that_was_opened_before_has_every_statement_at_hand(
    site: SiteUnderTest, statements: pytest.LogCaptureFixture
) -> None:
    pages = [door.path for door in doors() if door.get is not None and "{" not in door.path]
    client, made = site.client(OWN_TOKEN), []
    for _ in range(VISITS):
        statements.clear()
        for page in pages:
            assert client.get(page).status_code in (200, 303), page
        made.append([each for each in statements.messages if each.startswith(("[generated", "[no key"))])

    assert len(made[0]) > 50
    assert made[-1] == []
