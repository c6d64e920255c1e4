"""What a trial's pages keep in memory of it."""

import pytest

from monitor.demo.standin import StandIn
from monitor.web.trial.known import Known
from snapshots.database import Database
from tests.monitor.stage import DAYS, RECRUITING, Stage, trial
from tests.registries import nct


@pytest.fixture
def stage(sqlite_database: Database, standin: StandIn) -> Stage:
    return Stage(sqlite_database, standin)


def test_a_history_that_grew_takes_the_place_of_what_was_held_of_it(stage: Stage) -> None:
    known, one, two = Known(), nct(1), nct(2)
    stage.watch(one, two)
    stage.day(DAYS[0], trial(one), trial(two))
    before = [said(known, stage.database, each) for each in (one, two)]
    stage.day(DAYS[1], trial(one, RECRUITING, DAYS[0]))

    after = said(known, stage.database, one)

    assert (before, after) == ([1, 1], 2)
    assert len(known) == 2


def test_of_many_records_those_are_held_that_were_read_last(stage: Stage) -> None:
    known, ids = Known(kept=2), [nct(1), nct(2), nct(3)]
    stage.watch(*ids)
    stage.day(DAYS[0], *(trial(each) for each in ids))

    assert [said(known, stage.database, each) for each in ids] == [1, 1, 1]
    assert len(known) == 2


def said(known: Known, database: Database, record: str) -> int:
    """How many versions the record has, as the pages know it."""
    with database.read() as connection:
        found = known.of(connection, record)
    return 0 if found is None else len(found.versions)
