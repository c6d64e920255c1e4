"""What a record said on a day on which nobody looked: the answer says between which looks that was."""

from datetime import date

import pytest

from monitor.as_of import Answer, said_on
from monitor.demo.standin import StandIn
from notifiers import watches
from snapshots.database import Database
from tests.monitor.stage import DAYS, NOT_YET, RECRUITING, Stage, at, trial
from tests.registries import nct

TRIAL = nct(1)
LATER = date(2026, 3, 20)


@pytest.fixture
def stage(sqlite_database: Database, standin: StandIn) -> Stage:
    return looked_at(sqlite_database, standin)


def looked_at(database: Database, standin: StandIn) -> Stage:
    """Looked at on Monday, Tuesday and Friday; on Friday it said something else."""
    made = Stage(database, standin)
    made.watch(TRIAL)
    made.day(DAYS[0], trial(TRIAL, NOT_YET))
    made.day(DAYS[1], trial(TRIAL, NOT_YET))
    made.day(DAYS[4], trial(TRIAL, RECRUITING))
    return made


def asked(stage: Stage, day: str, today: date = LATER) -> Answer:
    with stage.database.read() as connection:
        found = said_on(connection, "ctgov", TRIAL, day, today)
    assert found is not None
    return found


@pytest.mark.parametrize("day", [DAYS[0], DAYS[1]])
def test_a_day_up_to_the_last_look_is_certain(stage: Stage, day: str) -> None:
    told = asked(stage, day)

    assert (told.answer, told.confirmed) == ("stood", day)


@pytest.mark.parametrize("day", [DAYS[2], DAYS[3]])
def test_a_day_on_which_nobody_looked_before_a_change_names_both_looks_and_both_versions(
    stage: Stage, day: str
) -> None:
    told = asked(stage, day)

    assert told.version is not None
    assert told.or_version == told.version.number + 1
    assert (told.answer, told.confirmed, told.next_look) == ("between looks", DAYS[1], DAYS[4])
    assert "last confirmed on 3 March 2026, next seen on 6 March 2026, changed to version" in told.sentence


def test_a_look_that_found_the_same_makes_the_days_before_it_certain(stage: Stage) -> None:
    stage.day("2026-03-12", trial(TRIAL, RECRUITING))

    told = asked(stage, "2026-03-10")

    assert (told.answer, told.confirmed, told.next_look) == ("stood", DAYS[4], "2026-03-12")


def test_both_databases_answer_alike(database: Database, standin: StandIn) -> None:
    stage = looked_at(database, standin)

    assert [asked(stage, day).answer for day in DAYS] == ["stood", "stood", "between looks", "between looks", "stood"]


def test_a_sweep_in_which_the_registry_did_not_answer_for_the_record_confirms_nothing(
    sqlite_database: Database, standin: StandIn
) -> None:
    stage = Stage(sqlite_database, standin)
    stage.watch(TRIAL, nct(2))
    stage.day(DAYS[0], trial(TRIAL), trial(nct(2)))
    stage.standin.remove([TRIAL])
    stage.day(DAYS[1], trial(nct(2), RECRUITING))
    stage.day(DAYS[2], trial(TRIAL, RECRUITING))

    told = asked(stage, DAYS[1])

    assert (told.answer, told.confirmed, told.next_look) == ("between looks", DAYS[0], DAYS[2])


def test_after_the_last_look_nothing_is_confirmed_but_a_weekend_has_no_releases(stage: Stage) -> None:
    saturday, monday = asked(stage, "2026-03-07"), asked(stage, "2026-03-09")

    assert (saturday.answer, monday.answer, monday.confirmed) == ("stood", "not confirmed", DAYS[4])
    assert "has not been looked at since" in monday.sentence


def test_today_is_not_over_before_its_release(stage: Stage) -> None:
    assert asked(stage, "2026-03-09", today=date(2026, 3, 9)).answer == "stood"


def test_sweeps_during_a_pause_confirm_nothing(stage: Stage) -> None:
    with stage.database.write() as connection:
        watches.pause(connection, "ctgov", [TRIAL], at("2026-03-09"))
    stage.watch(nct(2))
    stage.day("2026-03-11", trial(TRIAL, RECRUITING), trial(nct(2)))

    assert asked(stage, "2026-03-10").answer == "not confirmed"


def test_of_a_watch_that_is_gone_the_looks_between_observed_versions_still_count(stage: Stage) -> None:
    with stage.database.write() as connection:
        watches.remove(connection, "ctgov", [TRIAL])

    assert asked(stage, DAYS[1]).confirmed == DAYS[1]
    assert asked(stage, "2026-03-10").answer == "not confirmed"
