"""What a record said on a day on which nobody looked: the answer says between which looks that was."""

from datetime import date

import pytest

from monitor.as_of import Answer, said_on
from monitor.demo.standin import StandIn
from notifiers import watches
from snapshots import archive
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


def asked(stage: Stage, day: str, today: date = LATER, record: str = TRIAL) -> Answer:
    with stage.database.read() as connection:
        found = said_on(connection, "ctgov", record, day, today)
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


def absent_and_back(database: Database, standin: StandIn) -> Stage:
    """Seen on the 2nd and 3rd, not listed on the 4th, 5th and 6th, listed again on the 9th."""
    stage = Stage(database, standin)
    stage.watch(TRIAL, nct(2))
    for day in DAYS[:2]:
        stage.day(day, trial(TRIAL), trial(nct(2)))
    stage.standin.remove([TRIAL])
    for day in DAYS[2:]:
        stage.day(day, trial(nct(2), submitted=day))
    stage.day("2026-03-09", trial(TRIAL), trial(nct(2)))
    return stage


def test_while_the_registry_did_not_list_a_record_it_did_not_stand(database: Database, standin: StandIn) -> None:
    stage = absent_and_back(database, standin)

    for day in (*DAYS[2:], "2026-03-08"):
        told = asked(stage, day)
        assert (told.answer, told.next_look) == ("missing", "2026-03-09")
        assert "any more, on 4 March 2026; it answered for it again on 9 March 2026." in told.sentence
    assert [asked(stage, day).answer for day in (DAYS[1], "2026-03-09")] == ["stood", "stood"]


def test_an_absence_that_nobody_believes_yet_is_no_day_on_which_it_stood(
    sqlite_database: Database, standin: StandIn
) -> None:
    stage = Stage(sqlite_database, standin)
    stage.watch(TRIAL, nct(2))
    stage.day(DAYS[0], trial(TRIAL), trial(nct(2)))
    stage.standin.remove([TRIAL])
    stage.day(DAYS[3], trial(nct(2), RECRUITING))

    absent, before = asked(stage, DAYS[3]), asked(stage, DAYS[1])
    assert (absent.answer, absent.confirmed) == ("not answered", DAYS[0])
    assert "last confirmed on 2 March 2026; on 5 March 2026 the registry did not answer for it." in absent.sentence
    assert before.answer == "not confirmed"
    assert "it was asked for next on 5 March 2026, when the registry did not answer for it" in before.sentence

    stage.day(DAYS[4], trial(TRIAL), trial(nct(2)))
    told = asked(stage, DAYS[3])
    assert (told.answer, told.next_look) == ("not answered", DAYS[4])
    assert "did not answer for it, and said the same again on 6 March 2026." in told.sentence


def test_between_a_look_and_a_change_it_is_said_that_the_registry_was_asked_in_vain(
    sqlite_database: Database, standin: StandIn
) -> None:
    stage = Stage(sqlite_database, standin)
    stage.watch(TRIAL, nct(2))
    stage.day(DAYS[0], trial(TRIAL), trial(nct(2)))
    stage.standin.remove([TRIAL])
    stage.day(DAYS[1], trial(nct(2), RECRUITING))
    stage.day(DAYS[2], trial(TRIAL, RECRUITING))

    assert "In between the registry was asked in vain, on 3 March 2026" in asked(stage, DAYS[1]).sentence


@pytest.mark.parametrize("later", [DAYS[1], DAYS[2]])
def test_a_day_that_was_confirmed_stays_certain_when_the_record_was_asked_for_in_vain_later_that_day(
    database: Database, standin: StandIn, later: str
) -> None:
    stage = Stage(database, standin)
    stage.watch(TRIAL, nct(2))
    stage.day(DAYS[0], trial(TRIAL), trial(nct(2)))
    stage.standin.remove([TRIAL])
    stage.now = at(DAYS[0], 16)
    stage.look(only=[TRIAL])
    unanswered = asked(stage, DAYS[0])
    stage.day(later, trial(TRIAL), trial(nct(2)))

    told = asked(stage, DAYS[0])
    assert (unanswered.answer, unanswered.confirmed) == ("stood", DAYS[0])
    assert (told.answer, told.confirmed, told.next_look) == ("stood", DAYS[0], later)
    if later == DAYS[2]:
        between = asked(stage, DAYS[1])
        assert (between.answer, between.confirmed, between.next_look) == ("not answered", DAYS[0], later)


def test_a_confirmed_day_is_certain_whatever_was_asked_in_vain_before_the_next_change(
    sqlite_database: Database, standin: StandIn
) -> None:
    stage = Stage(sqlite_database, standin)
    stage.watch(TRIAL, nct(2))
    stage.day(DAYS[0], trial(TRIAL), trial(nct(2)))
    stage.standin.remove([TRIAL])
    stage.day(DAYS[1], trial(nct(2), RECRUITING))
    alone = asked(stage, DAYS[0])
    stage.day(DAYS[2], trial(TRIAL, RECRUITING))

    assert [(each.answer, each.confirmed) for each in (alone, asked(stage, DAYS[0]))] == [("stood", DAYS[0])] * 2


def test_a_former_id_says_what_its_own_record_said_before_the_merge(database: Database, standin: StandIn) -> None:
    stage = Stage(database, standin)
    stage.watch(TRIAL, nct(2))
    stage.day(DAYS[0], trial(TRIAL, title="The Former One"), trial(nct(2)))
    stage.day(DAYS[1], trial(TRIAL, title="The Former One"), trial(nct(2), RECRUITING))
    stage.publish(DAYS[2], trial(nct(2), RECRUITING))
    stage.standin.merge(TRIAL, nct(2))
    stage.look()

    before, since = asked(stage, DAYS[1]), asked(stage, DAYS[2])
    assert before.version is not None
    assert (before.version.registry_id, before.answer, before.confirmed) == (TRIAL, "stood", DAYS[1])
    under = f"the registry answers for it under {nct(2)} since 4 March 2026. Version "
    assert before.sentence.startswith(f"{TRIAL} was a record of its own then; {under}")
    assert since.version is not None
    assert (since.version.registry_id, since.answer) == (nct(2), "stood")
    assert since.sentence.startswith(f"{TRIAL} is a record of its own no more: {under}")
    kept = asked(stage, DAYS[1], record=nct(2))
    assert kept.version is not None
    assert kept.version.registry_id == nct(2)
    assert kept.sentence.startswith("Version ")


def test_of_a_former_id_that_was_never_stored_by_itself_that_is_said(stage: Stage) -> None:
    with stage.database.write() as connection:
        archive.merge(connection, "ctgov", nct(7), TRIAL)

    told = asked(stage, DAYS[1], record=nct(7))

    words = f"Nothing is stored of {nct(7)} by itself: the registry answers for it under {TRIAL}. Version "
    assert (told.answer, told.sentence.startswith(words)) == ("stood", True)


@pytest.fixture
def chain(database: Database, standin: StandIn) -> Stage:
    """All three seen on the 2nd; the first merged into the second on the 3rd, that into the third on the 5th."""
    stage = Stage(database, standin)
    stage.watch(TRIAL, nct(2), nct(3))
    stage.day(DAYS[0], trial(TRIAL, title="A"), trial(nct(2), title="B"), trial(nct(3), title="C"))
    for day, former, kept in ((DAYS[1], TRIAL, nct(2)), (DAYS[3], nct(2), nct(3))):
        stage.standin.publish(day)
        stage.standin.merge(former, kept)
        stage.now = at(day)
        stage.look()
    return stage


def version_of(told: Answer) -> str:
    assert told.version is not None
    return told.version.registry_id


def test_after_a_chain_of_merges_every_id_names_the_record_that_it_named_on_that_day(chain: Stage) -> None:
    named = {
        known: [version_of(asked(chain, day, record=known)) for day in DAYS[:4]] for known in (TRIAL, nct(2), nct(3))
    }

    assert named == {
        TRIAL: [TRIAL, nct(2), nct(2), nct(3)],
        nct(2): [nct(2), nct(2), nct(2), nct(3)],
        nct(3): [nct(3)] * 4,
    }


def test_after_a_chain_of_merges_each_is_dated(chain: Stage) -> None:
    under = f"the registry answers for it under {nct(3)} since 5 March 2026. Version "
    own, then, since = (asked(chain, day, record=TRIAL).sentence for day in (DAYS[0], DAYS[2], DAYS[3]))

    assert own.startswith(f"{TRIAL} was a record of its own then; {under}")
    assert then.startswith(f"On that day the registry answered for {TRIAL} under {nct(2)}; {under}")
    assert since.startswith(f"{TRIAL} is a record of its own no more: {under}")
    assert asked(chain, DAYS[2], record=nct(2)).sentence.startswith(f"{nct(2)} was a record of its own then; {under}")


def test_what_was_asked_in_vain_under_another_id_leaves_days_before_the_merge_certain(
    database: Database, standin: StandIn
) -> None:
    stage = Stage(database, standin)
    stage.watch(TRIAL, nct(2))
    stage.day(DAYS[0], trial(TRIAL), trial(nct(2)))
    stage.standin.remove([TRIAL])
    for day in DAYS[1:3]:
        stage.day(day, trial(nct(2)))
    before = [(each.answer, each.confirmed) for each in (asked(stage, day, record=nct(2)) for day in DAYS[:3])]
    stage.publish(DAYS[3], trial(nct(2), RECRUITING, submitted=DAYS[3]))
    stage.standin.merge(TRIAL, nct(2))
    stage.look()

    after = [(each.answer, each.confirmed) for each in (asked(stage, day, record=nct(2)) for day in DAYS[:3])]
    assert after == before == [("stood", day) for day in DAYS[:3]]


def test_what_was_asked_under_another_id_before_the_merge_confirms_nothing(
    sqlite_database: Database, standin: StandIn
) -> None:
    stage = Stage(sqlite_database, standin)
    stage.watch(TRIAL, nct(2))
    stage.day(DAYS[0], trial(TRIAL), trial(nct(2)))
    with stage.database.write() as connection:
        watches.pause(connection, "ctgov", [nct(2)], at(DAYS[0], 16))
    for day in DAYS[1:3]:
        stage.day(day, trial(TRIAL, submitted=day), trial(nct(2)))
    stage.publish(DAYS[3], trial(nct(2), RECRUITING, submitted=DAYS[3]))
    stage.standin.merge(TRIAL, nct(2))
    stage.look()

    told = asked(stage, DAYS[2], record=nct(2))
    assert (told.answer, told.confirmed, told.next_look) == ("between looks", DAYS[0], DAYS[3])
