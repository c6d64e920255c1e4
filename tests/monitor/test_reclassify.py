"""Looking at stored versions again: what differs is shown, stored when asked, and never alerts."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from msgspec.structs import replace
from sqlalchemy import func, select

from monitor import reclassify
from monitor.cli import trialdelta
from monitor.demo.standin import StandIn
from notifiers.subscriptions import Subscription
from notifiers.tables import deliveries
from snapshots import archive
from snapshots.archive import Step, StepFacts
from snapshots.changes import Change, from_json, to_json
from snapshots.database import Database
from snapshots.rules import changes_between
from tests import labels
from tests.monitor.stage import DAYS, RECRUITING, Stage, trial
from tests.registries import nct

ALICE, BOB = nct(1), nct(2)


@pytest.fixture
def stage(sqlite_database: Database, standin: StandIn) -> Iterator[Stage]:
    """Alice's record with one change, told to one address."""
    here = Stage(sqlite_database, standin)
    here.watch(ALICE)
    here.subscribe(Subscription(name="all", to=("mailto:bob@example.org",), watches="all"))
    here.day(DAYS[0], trial(ALICE))
    here.day(DAYS[1], trial(ALICE, RECRUITING, "2026-03-02"))
    yield here


def differences(stage: Stage, record: str = ALICE) -> list[reclassify.Difference]:
    found = list(reclassify.look(stage.database, stage.registry, record))
    assert all(isinstance(each, reclassify.Difference) for each in found)
    return found  # type: ignore[return-value]


def told_by_older_rules(stage: Stage) -> Step:
    """The record's last step, as rules that knew only one kind would have told it."""
    step = stage.history(ALICE)[-1]
    older = replace(step.changes[0].change, kind="record.changed", label="Record changed", summary="Something changed")
    facts = StepFacts(
        registry=step.registry,
        registry_id=step.registry_id,
        from_version=step.from_version,
        to_version=step.to_version,
        release=step.release,
        observed_at=step.observed_at,
    )
    with stage.database.write() as connection:
        return archive.record_step(connection, facts, [older], supersedes=step.id)


def counted_deliveries(stage: Stage) -> int:
    with stage.database.read() as connection:
        return connection.execute(select(func.count()).select_from(deliveries)).scalar_one()


def test_what_the_same_rules_told_does_not_differ(stage: Stage) -> None:
    assert differences(stage) == []


def test_what_older_rules_told_is_shown_beside_what_todays_say(stage: Stage) -> None:
    older = told_by_older_rules(stage)

    (found,) = differences(stage)

    assert found.step.id == older.id
    assert [change.kind for change in found.gone] == ["record.changed"]
    assert [change.kind for change in found.come] == ["site.recruiting"]


def test_looking_stores_nothing(stage: Stage) -> None:
    told_by_older_rules(stage)
    before = stage.history(ALICE)

    differences(stage)

    assert stage.history(ALICE) == before


def test_applied_the_newer_telling_stands_in_the_history_and_the_older_is_kept(stage: Stage) -> None:
    older = told_by_older_rules(stage)

    assert reclassify.apply(stage.database, differences(stage)) == 1

    last = stage.history(ALICE)[-1]
    assert [stored.change.kind for stored in last.changes] == ["site.recruiting"]
    assert (last.from_version, last.to_version, last.release) == (older.from_version, older.to_version, older.release)
    with stage.database.read() as connection:
        assert archive.find_step(connection, older.id).superseded_by == last.id
        assert archive.find_step(connection, older.id).changes == older.changes
    assert differences(stage) == []


def test_a_step_is_superseded_once_whoever_applies_it_twice(stage: Stage) -> None:
    told_by_older_rules(stage)
    found = differences(stage)

    assert [reclassify.apply(stage.database, found) for _ in range(2)] == [1, 0]


def test_recomputed_changes_are_no_news(stage: Stage) -> None:
    told_by_older_rules(stage)
    before = counted_deliveries(stage)

    reclassify.apply(stage.database, differences(stage))

    assert counted_deliveries(stage) == before == 1


def test_a_first_look_and_a_record_that_went_missing_are_left_alone(stage: Stage) -> None:
    stage.standin.remove([ALICE])
    for day in DAYS[2:4]:
        stage.day(day)

    kinds = [stored.change.kind for step in stage.history(ALICE) for stored in step.changes]
    assert kinds == ["record.first_seen", "site.recruiting", "record.missing"]
    assert differences(stage) == []


@pytest.mark.real_records
@pytest.mark.skipif(not labels.LABELS, reason=labels.ABSENT)
def test_a_real_change_that_was_stored_reads_back_as_it_was_told() -> None:
    """What differs from itself after the database would be shown as told otherwise for ever."""
    for label in labels.LABELS:
        for change in changes_between(*labels.pair(label)):
            assert stored_and_read(change) == change


def stored_and_read(change: Change) -> Change:
    return from_json(json.loads(json.dumps(to_json(change))))


# --- the command ------------------------------------------------------------------------------------------------------


@pytest.fixture
def run(stage: Stage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.chdir(tmp_path)
    environ = {"TRIALDELTA_DATABASE_URL": stage.database.url, "NO_COLOR": "1"}

    def invoke(*words: str, exits: int = 0) -> Any:
        result = CliRunner(env=environ).invoke(trialdelta, ["reclassify", *words])
        assert result.exit_code == exits, result.output
        return result

    return invoke


def test_the_command_shows_first_and_stores_when_asked(stage: Stage, run: Any) -> None:
    told_by_older_rules(stage)

    shown = run(ALICE)
    assert "- Record changed: Something changed" in shown.stdout
    assert "+ Site recruiting: Example Hospital" in shown.stdout
    assert "1 step would be told otherwise" in shown.stderr

    assert "1 step told anew" in run("--apply").stderr
    assert "today's rules say what is stored" in run().stderr


def test_the_command_gives_json_alone_on_stdout(stage: Stage, run: Any) -> None:
    told_by_older_rules(stage)

    (row,) = json.loads(run("--format", "json").stdout)

    assert (row["id"], row["stored"]) == (ALICE, False)
    assert [change["kind"] for change in row["after"]] == ["site.recruiting"]


def test_the_command_names_a_record_of_which_nothing_is_stored(run: Any) -> None:
    assert f"nothing is stored of {BOB}" in run(BOB, exits=2).stderr
