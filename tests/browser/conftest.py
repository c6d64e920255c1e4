"""A real browser, a site that was lived in, and every address of it; without a browser it is said what is missing."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.browser.world import World, lived_in
from tests.databases import SqliteFiles

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
QUIET = ("--no-sandbox", "--disable-background-networking", "--disable-component-update", "--disable-sync")


@pytest.fixture(scope="session")
def browser_type_launch_args() -> dict[str, Any]:
    """The system's own browser."""
    if CHROMIUM is None:
        pytest.skip("there is no Chromium on this machine (apt-get install chromium)")
    return {"executable_path": CHROMIUM, "args": list(QUIET), "headless": True}


@pytest.fixture(scope="session")
def world(sqlite_files: SqliteFiles, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """One site for all tests that only look."""
    with lived_in(sqlite_files.url(tmp_path_factory.mktemp("world"), tables=True)) as made:
        yield made


@pytest.fixture
def empty(sqlite_files: SqliteFiles, tmp_path: Path) -> Iterator[World]:
    """A site of somebody who begins: nothing is watched, nobody is told."""
    with lived_in(sqlite_files.url(tmp_path, tables=True), empty=True) as made:
        yield made
