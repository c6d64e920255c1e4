"""The past of what is watched comes by itself between the sweeps, is told to nobody, and can be asked for by hand."""

import json
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from monitor.backfilling import REST, due_ids, fill_due
from monitor.cli import trialdelta
from monitor.daemon import Daemon
from monitor.demo.standin import Fault, StandIn
from monitor.questions import recorded
from monitor.settings import load
from monitor.sweep import lease_name
from notifiers import digest, ledger, subscriptions, watches
from snapshots import archive, leases
from snapshots.backfill import Report, back_fill
from snapshots.database import Database
from snapshots.timeline import slips
from tests.monitor.stage import Stage, at
from tests.registries import nct
from tests.snapshots.past_cast import Past, posted, version

ONE, TWO = nct(1), nct(2)
TODAY = posted(5)


@pytest.fixture
def stage(sqlite_database: Database, standin: StandIn) -> Stage:
    """Two trials that are watched, each with five past versions."""
    made = Stage(sqlite_database, standin)
    for record in (ONE, TWO):
        standin.past(record, [version(number, record=record) for number in range(5)])
    made.watch(ONE, TWO)
    made.day(TODAY, *(version(5, record=record) for record in (ONE, TWO)))
    return made


def fill(stage: Stage, stop: Callable[[], bool] = lambda: False) -> list[Report]:
    return fill_due(stage.database, stage.registry, lambda: stage.now, stop)


def due(stage: Stage, later: timedelta = timedelta()) -> list[str]:
    with stage.database.read() as connection:
        return due_ids(connection, "ctgov", stage.now + later)


def test_the_past_of_what_is_watched_comes_once(stage: Stage) -> None:
    assert [(report.registry_id, report.stored) for report in fill(stage)] == [(ONE, 6), (TWO, 6)]
    assert (due(stage), fill(stage)) == ([], [])


def test_nobody_is_told_of_the_past(stage: Stage) -> None:
    daily = {"name": "daily", "to": "mailto:bob@example.org", "deliver": {"digest": "daily", "at": "15:00"}}
    for said in ({"name": "now", "to": "mailto:alice@example.org"}, daily):
        stage.subscribe(subscriptions.from_table(said))

    fill(stage)
    stage.now += timedelta(days=2)

    with stage.database.write() as connection:
        digest.enqueue_due(connection, stage.now)
    with stage.database.read() as connection:
        assert [entry for entry in ledger.listing(connection) if entry.change_ids] == []
    assert any(step.cause == "back-filled" and step.changes for step in stage.history(ONE))


def test_what_happens_after_the_past_came_is_news_as_before(stage: Stage) -> None:
    stage.subscribe(subscriptions.from_table({"name": "all", "to": "mailto:alice@example.org"}))
    fill(stage)

    report = stage.day(posted(6), version(6))

    assert (report.changed, report.first_seen) == (1, 0)
    with stage.database.read() as connection:
        assert len(ledger.listing(connection)) == 1


def test_it_gives_way_to_a_sweep_and_goes_on_after_it(stage: Stage) -> None:
    with stage.database.write() as connection:
        lease = leases.acquire(connection, lease_name("ctgov"), "a sweep", stage.now, 60)
    assert fill(stage) == []

    with stage.database.write() as connection:
        assert lease is not None
        leases.release(connection, lease)
    assert len(fill(stage)) == 2


def test_a_vanished_interface_is_left_alone_for_an_hour_and_sweeps_do_not_mind(stage: Stage) -> None:
    stage.standin.fail(Fault.NOT_FOUND_PAGE, path="/api/int/")

    [report] = fill(stage)

    assert report.outcome == "waiting"
    assert due(stage) == []
    assert due(stage, REST) == [ONE, TWO]
    assert stage.day(posted(6), version(6)).outcome == "finished"


def test_what_is_watched_after_its_past_came_is_joined_to_it(sqlite_database: Database, standin: StandIn) -> None:
    stage = Stage(sqlite_database, standin)
    stage.publish(TODAY, version(5))
    standin.past(ONE, [version(number) for number in range(5)])
    back_fill(stage.database, stage.registry, lambda: stage.now, ONE)
    stage.watch(ONE)
    stage.look()

    fill(stage)

    assert [step.to_version for step in stage.history(ONE) if step.cause == "back-filled"] == [2, 3, 4, 5, 6, 7]
    assert due(stage) == []


@pytest.mark.parametrize("wanted", [True, False])
def test_the_daemon_does_it_unless_it_is_set_not_to(
    stage: Stage, standin: StandIn, tmp_path: Path, wanted: bool
) -> None:
    given = {
        "TRIALDELTA_DATABASE_URL": stage.database.url,
        "TRIALDELTA_CTGOV_URL": standin.url,
        "TRIALDELTA_REQUEST_INTERVAL": "0",
        "TRIALDELTA_BACKFILL": str(wanted).lower(),
    }
    daemon = Daemon(load(given, tmp_path / "no.env"), stage.database, lambda: stage.now)

    assert daemon.tick_backfill() == (2 if wanted else 0)


def test_after_months_of_watching_the_slips_are_counted_once(sqlite_database: Database, standin: StandIn) -> None:
    past = Past(sqlite_database, standin, [version(number) for number in range(8)])
    past.observe(version(1), posted(1))
    past.observe(version(7), posted(7))
    past.fill()

    with sqlite_database.read() as connection:
        known = recorded(connection, "ctgov", ONE)
    assert known is not None
    [completion] = [slip for slip in slips(known.versions) if slip.date == "completion_date"]

    assert [move.days for move in completion.moves] == [31, 28, 31, 30, 31, 30, 31]
    assert completion.total_days == 212


# --- after a time in which nobody looked ----------------------------------------------------------------------------

DAYS = ("2026-03-02", "2026-03-03", "2026-03-04", "2026-03-05", "2026-03-06")


def dated(number: int, day: str) -> dict[str, Any]:
    """`version(number)`, submitted and posted on a day."""
    status = "protocolSection.statusModule"
    posted_on = (f"{status}.lastUpdatePostDateStruct", {"date": day})
    return version(number, (f"{status}.lastUpdateSubmitDate", day), posted_on, record=ONE)


@pytest.fixture
def filled(database: Database, standin: StandIn) -> Stage:
    """A trial whose past came, and that stood as it was on the day after."""
    made = Stage(database, standin)
    standin.past(ONE, [version(number, record=ONE) for number in range(3)])
    made.watch(ONE)
    made.day(DAYS[0], dated(3, "2026-02-27"))
    fill(made)
    made.day(DAYS[1], dated(3, "2026-02-27"))
    assert due(made) == []
    return made


def missed(stage: Stage) -> None:
    """Two updates that nobody looked at, then one that a sweep saw, which told the move over three versions."""
    past = [*(version(number, record=ONE) for number in range(3)), dated(3, "2026-02-27")]
    stage.standin.past(ONE, [*past, dated(4, DAYS[2]), dated(5, DAYS[3])])
    stage.day("2026-03-09", dated(6, "2026-03-09"))


def test_versions_that_were_missed_while_nobody_looked_are_filled_in(filled: Stage) -> None:
    missed(filled)

    assert due(filled) == [ONE]
    assert [report.outcome for report in fill(filled)] == ["complete"]
    assert due(filled) == []
    assert slips_of(filled) == [31, 28, 31, 30, 31, 30]


def test_the_chain_and_the_told_step_stay_as_they_were(filled: Stage) -> None:
    missed(filled)
    told = [step for step in filled.history(ONE) if step.cause == "observed"]
    with filled.database.read() as connection:
        head = archive.chain_head(connection)

    fill(filled)

    assert [step for step in filled.history(ONE) if step.cause == "observed"] == told
    with filled.database.read() as connection:
        assert list(archive.verify_chain(connection)) == []
        assert archive.find_append(connection, head.hash.hex()) is not None


def test_a_change_from_one_release_to_the_next_skips_nothing(filled: Stage) -> None:
    filled.day(DAYS[2], dated(4, DAYS[2]))

    assert due(filled) == []


def test_a_record_that_stood_still_meanwhile_is_not_asked_for(filled: Stage) -> None:
    filled.day("2026-03-20", dated(3, "2026-02-27"))

    assert due(filled) == []


def test_a_release_in_which_the_registry_did_not_answer_for_the_record_counts_as_not_looked_at(filled: Stage) -> None:
    filled.watch(TWO)
    filled.standin.remove([ONE])
    filled.day(DAYS[2], version(3, record=TWO))
    filled.day(DAYS[3], dated(4, DAYS[2]))

    assert ONE in due(filled)


def test_a_pause_counts_as_not_looked_at(filled: Stage) -> None:
    with filled.database.write() as connection:
        watches.pause(connection, "ctgov", [ONE], at(DAYS[1], 20))
    filled.publish(DAYS[2], dated(4, DAYS[2]))
    with filled.database.write() as connection:
        watches.pause(connection, "ctgov", [ONE], at(DAYS[2], 12), paused=False)
    filled.look()

    assert due(filled) == [ONE]


def slips_of(stage: Stage) -> list[int | None]:
    with stage.database.read() as connection:
        known = recorded(connection, "ctgov", ONE)
    assert known is not None
    return [move.days for slip in slips(known.versions) if slip.date == "completion_date" for move in slip.moves]


# --- by hand ----------------------------------------------------------------------------------------------------------

Run = Callable[..., Result]


@pytest.fixture
def run(stage: Stage, standin: StandIn, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Run]:
    monkeypatch.chdir(tmp_path)
    environ = {
        "TRIALDELTA_DATABASE_URL": stage.database.url,
        "TRIALDELTA_CTGOV_URL": standin.url,
        "TRIALDELTA_REQUEST_INTERVAL": "0",
        "NO_COLOR": "1",
    }

    def invoke(*words: str, exits: int = 0) -> Result:
        result = CliRunner(env=environ).invoke(trialdelta, list(words))
        assert result.exit_code == exits, result.output
        return result

    yield invoke


def as_json(result: Result) -> Any:
    return json.loads(result.stdout)


def test_the_newest_difference_is_not_hidden_by_the_past_form_of_the_newest_version(run: Run) -> None:
    """The registry's history holds today's content too: compared with that, nothing would ever have changed."""
    run("backfill", ONE)

    assert as_json(run("diff", ONE, "--format", "json"))


def test_the_command_says_what_came_and_the_history_shows_it_in_order(run: Run) -> None:
    said = run("backfill", ONE)

    assert f"{ONE}: 6 of 6 past versions fetched; they tell" in said.stdout
    told = [
        change for change in as_json(run("history", ONE, "--format", "json")) if change["kind"] != "record.first_seen"
    ]
    spans = [(change["from_version"], change["to_version"]) for change in told]
    assert spans == sorted(spans)
    shown = run("history", ONE).stdout
    assert posted(1) in shown
    assert posted(5) in shown


def test_the_command_names_what_could_not_be_had(run: Run, standin: StandIn) -> None:
    standin.fail(Fault.NOT_FOUND, path="/history/2")

    said = run("backfill", ONE)
    [told] = as_json(run("backfill", ONE, "--format", "json"))

    assert "Version 2 of 2025-01-30 could not be had: ClinicalTrials.gov was asked for version 2" in said.stderr
    assert (told["outcome"], [gap["registry_version"] for gap in told["gaps"]]) == ("complete", [2])


def test_where_the_interface_is_gone_the_command_says_so_and_fails(run: Run, standin: StandIn) -> None:
    standin.fail(Fault.NOT_FOUND, path="/api/int/")

    said = run("backfill", "--all", exits=2)

    assert "ClinicalTrials.gov was asked for the history of" in said.stderr
    assert "Traceback" not in said.output


def test_one_whose_past_is_asked_for_is_named_by_its_id(run: Run) -> None:
    assert "not a ClinicalTrials.gov id: 'nothing'" in run("backfill", "nothing", exits=2).output


def test_the_doctor_says_whose_past_did_not_come(stage: Stage, run: Run) -> None:
    stage.standin.fail(Fault.NOT_FOUND_PAGE, path="/api/int/")
    fill(stage)

    # the story is of 2025, and nobody has asked the registry since
    found = {each["check"]: each for each in as_json(run("doctor", "--format", "json", exits=2))}

    told = found["past versions"]
    assert told["verdict"] == "note"
    assert told["found"].startswith("those of 1 record did not come whole: ClinicalTrials.gov was asked")


def test_the_moment_of_the_next_try_is_a_time(stage: Stage) -> None:
    stage.standin.fail(Fault.NOT_FOUND, path="/history/2")
    stage.standin.fail(Fault.SERVER_ERROR, path="/history/3")
    fill(stage)

    with stage.database.read() as connection:
        kept = archive.filling(connection, "ctgov", [ONE])[ONE]

    assert isinstance(kept.next_at, datetime)
    assert kept.next_at > at(TODAY)
