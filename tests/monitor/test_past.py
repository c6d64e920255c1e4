"""Whoever reads how often a date was moved is told whether all of the past was counted, and how to bring it in."""

import csv
import io
import json
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from monitor.backfilling import fill_due, fill_wished
from monitor.cli import trialdelta
from monitor.daemon import Daemon
from monitor.demo.standin import Fault, StandIn
from monitor.past import Past, past_for
from monitor.settings import load
from snapshots import archive
from snapshots.archive.tables import fillings
from snapshots.database import Database
from tests.monitor.stage import Stage
from tests.registries import nct
from tests.snapshots.past_cast import posted, version

TRIAL = nct(1)
QUESTIONS = ("timeline", "slips", "outcomes", "compliance")
Run = Callable[..., Result]


@pytest.fixture
def stage(sqlite_database: Database, standin: StandIn) -> Stage:
    """A trial that was just begun to be watched; the registry lists five versions from before."""
    made = Stage(sqlite_database, standin)
    standin.past(TRIAL, [version(number) for number in range(5)])
    made.watch(TRIAL)
    made.day(posted(5), version(5))
    return made


@pytest.fixture
def run(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> Run:
    monkeypatch.setenv("TRIALDELTA_DATABASE_URL", stage.database.url)

    def invoke(*words: str) -> Result:
        return CliRunner().invoke(trialdelta, words)

    return invoke


def past(stage: Stage) -> Past:
    with stage.database.read() as connection:
        return past_for(connection, "ctgov", TRIAL)


def fill(stage: Stage) -> None:
    fill_due(stage.database, stage.registry, lambda: stage.now, lambda: False)


def wish(stage: Stage) -> None:
    with stage.database.write() as connection:
        archive.wish_filling(connection, "ctgov", TRIAL, stage.now)


@pytest.mark.parametrize("question", [*QUESTIONS, "history"])
def test_the_first_line_says_that_the_past_is_not_whole_and_what_to_do(run: Run, question: str) -> None:
    said = " ".join(run(question, TRIAL).stdout.split())

    assert said.startswith(f"The past of {TRIAL} is not whole yet: what it said before ")
    assert f"Bring it in with: trialdelta backfill {TRIAL}" in said


@pytest.mark.parametrize("question", [*QUESTIONS, "history"])
def test_a_whole_past_is_not_spoken_of(stage: Stage, run: Run, question: str) -> None:
    fill(stage)

    assert "whole" not in run(question, TRIAL).stdout
    assert past(stage).is_whole


@pytest.mark.parametrize("question", QUESTIONS)
def test_json_has_a_flag_and_says_why_and_standard_error_tells_a_person(stage: Stage, run: Run, question: str) -> None:
    told = run(question, TRIAL, "--format", "json")
    (before,) = json.loads(told.stdout)
    fill(stage)
    (after,) = json.loads(run(question, TRIAL, "--format", "json").stdout)

    assert (before["past_is_whole"], after["past_is_whole"], after["past"]) == (False, True, None)
    assert before["past"].startswith(f"The past of {TRIAL} is not whole yet: ")
    assert f"trialdelta backfill {TRIAL}" in told.stderr


@pytest.mark.parametrize("question", QUESTIONS)
def test_the_last_column_of_a_table_says_whether_the_past_is_whole(stage: Stage, run: Run, question: str) -> None:
    def column() -> set[str]:
        table = csv.DictReader(io.StringIO(run(question, TRIAL, "--format", "csv").stdout))
        assert (table.fieldnames or [])[-1] == "past_is_whole"
        return {row["past_is_whole"] for row in table}

    before = column()
    fill(stage)

    assert before <= {"False"}
    assert column() == {"True"}


def test_a_past_that_did_not_come_whole_says_why_and_when_it_is_asked_for_again(stage: Stage) -> None:
    stage.standin.fail(Fault.NOT_FOUND_PAGE, path="/api/int/")

    fill(stage)

    assert past(stage).state == "waiting"
    assert "; it is asked for again on " in past(stage).sentence


def test_a_change_after_a_time_in_which_nobody_looked_makes_the_past_doubtful(stage: Stage) -> None:
    fill(stage)
    stage.standin.past(TRIAL, [version(number) for number in range(7)])

    stage.day(posted(40), version(40))

    assert past(stage).state == "skipped"


def test_a_gap_that_is_final_says_so_and_asks_nobody_to_do_anything(stage: Stage) -> None:
    fill(stage)
    with stage.database.write() as connection:
        given = {"registry": "ctgov", "registry_id": TRIAL, "registry_version": 3, "registry_date": "2026-01-01"}
        archive.note_gap(connection, archive.Gap(**given, reason="answered 500", is_final=True, noted_at=stage.now))

    assert past(stage).state == "gaps"
    assert past(stage).todo is None


def test_what_somebody_wishes_is_brought_in_once_also_while_the_interface_rests(stage: Stage) -> None:
    stage.standin.fail(Fault.NOT_FOUND_PAGE, path="/api/int/")
    fill(stage)
    stage.standin.clear()
    stage.now += timedelta(minutes=1)
    wish(stage)
    assert past(stage).is_wished

    (report,) = fill_wished(stage.database, stage.registry, lambda: stage.now, lambda: False)

    assert (report.registry_id, report.outcome) == (TRIAL, "complete")
    assert (past(stage).is_whole, past(stage).is_wished) == (True, False)
    assert fill_wished(stage.database, stage.registry, lambda: stage.now, lambda: False) == []


def test_the_daemon_grants_a_wish_also_where_it_fetches_no_past_by_itself(stage: Stage) -> None:
    environ: dict[str, Any] = {
        "TRIALDELTA_DATABASE_URL": stage.database.url,
        "TRIALDELTA_CTGOV_URL": stage.standin.url,
        "TRIALDELTA_BACKFILL": "false",
        "TRIALDELTA_REQUEST_INTERVAL": "0",
    }
    daemon = Daemon(load(environ, Path("no-such.env")), stage.database, lambda: stage.now)
    assert daemon.tick_backfill() == 0
    wish(stage)

    assert daemon.tick_backfill() == 1

    with stage.database.read() as connection:
        assert connection.execute(fillings.select()).one().state == "complete"
