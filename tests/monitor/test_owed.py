"""An id of which nothing came says why: the registry lists no such record, was not asked yet, or did not answer."""

from collections.abc import Callable

import pytest
from click.testing import CliRunner, Result

from monitor import owed
from monitor.cli import trialdelta
from monitor.demo.standin import StandIn
from snapshots import archive
from snapshots.database import Database
from tests.monitor.stage import DAYS, Stage, trial
from tests.monitor.web.browsing import OWN_TOKEN, serving
from tests.registries import nct

LISTED, UNLISTED = nct(1), nct(404)
SAID = f"the registry lists no record {UNLISTED} (asked 2 March 2026, 14:00 UTC)"
Run = Callable[..., Result]


@pytest.fixture
def stage(sqlite_database: Database, standin: StandIn) -> Stage:
    """Two trials are watched, of which the registry lists one."""
    made = Stage(sqlite_database, standin)
    made.watch(LISTED, UNLISTED)
    made.day(DAYS[0], trial(LISTED))
    return made


@pytest.fixture
def run(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> Run:
    monkeypatch.setenv("TRIALDELTA_DATABASE_URL", stage.database.url)

    def invoke(*words: str) -> Result:
        result = CliRunner().invoke(trialdelta, words)
        assert result.exit_code == 2
        return result

    return invoke


@pytest.mark.parametrize("command", ["show", "history", "slips", "diff"])
def test_the_command_line_says_so_and_how_to_stop_watching_it(run: Run, command: str) -> None:
    said = " ".join(run(command, UNLISTED).stderr.split())

    assert SAID in said
    assert f"`trialdelta watch remove {UNLISTED}`" in said


def test_what_nobody_watches_is_to_be_watched_first(run: Run) -> None:
    assert f"run `trialdelta watch add {nct(5)}`" in " ".join(run("show", nct(5)).stderr.split())


def test_the_api_says_so_too(stage: Stage) -> None:
    with serving(stage.database) as site:
        answer = site.client().get(f"/api/v1/records/{UNLISTED}", headers={"Authorization": f"Bearer {OWN_TOKEN}"})

    assert answer.status_code == 404
    assert answer.json()["title"] == SAID[:1].upper() + SAID[1:]
    assert "DELETE /api/v1/watches/" in answer.json()["detail"]


def test_a_registry_that_did_not_answer_is_not_said_to_list_nothing(stage: Stage) -> None:
    with stage.database.write() as connection:
        sweep = archive.begin_sweep(connection, "ctgov", DAYS[1], "all", stage.now)
        archive.note_exception(connection, sweep, UNLISTED, "not fetched", "it answered 503")
        found = archive.open_exception(connection, "ctgov", UNLISTED)

    assert found is not None
    assert owed.owed_words(found).endswith("(asked 2 March 2026, 14:00 UTC): it answered 503")
