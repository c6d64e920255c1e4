"""One look at the registry: what it keeps, what it tells, and that nothing is lost or half done."""

from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import func, select, text
from sqlalchemy.exc import IntegrityError

from monitor.demo.standin import Fault, StandIn
from notifiers import watches
from notifiers.subscriptions import Subscription
from notifiers.tables import deliveries
from snapshots import archive, leases
from snapshots.archive.tables import sweeps, versions
from snapshots.database import Database
from snapshots.holders import this_process
from tests.monitor.stage import DAYS, RECRUITING, Stage, at, kinds, trial
from tests.registries import Asked, nct

ONE, TWO, THREE = nct(1), nct(2), nct(3)
EVERYTHING = Subscription(name="everything", to=("mailto:alice@example.org",))


@pytest.fixture
def standin() -> Iterator[StandIn]:
    with StandIn() as running:
        yield running


@pytest.fixture
def stage(database: Database, standin: StandIn) -> Stage:
    return Stage(database, standin)


@pytest.fixture
def sqlite_stage(sqlite_database: Database, standin: StandIn) -> Stage:
    return Stage(sqlite_database, standin)


def count(database: Database, what: Any) -> int:
    with database.read() as connection:
        return int(connection.execute(select(func.count()).select_from(what)).scalar_one())


def exceptions(database: Database) -> dict[str, str]:
    with database.read() as connection:
        return {each.registry_id: each.reason for each in archive.open_exceptions(connection, "ctgov")}


def test_a_first_look_is_a_baseline_that_alerts_nobody(stage: Stage) -> None:
    stage.watch(ONE)
    stage.subscribe(EVERYTHING)

    report = stage.day(DAYS[0], trial(ONE, RECRUITING))

    assert (report.outcome, report.first_seen, report.changed) == ("finished", 1, 0)
    assert kinds(report) == ["record.first_seen"]
    assert count(stage.database, deliveries) == 0


def test_a_site_that_recruits_is_kept_and_put_into_the_outbox_together(stage: Stage) -> None:
    stage.watch(ONE)
    stage.subscribe(EVERYTHING)
    stage.day(DAYS[0], trial(ONE))

    report = stage.day(DAYS[1], trial(ONE, RECRUITING, "2026-03-02"))

    assert kinds(report) == ["site.recruiting"]
    assert count(stage.database, deliveries) == 1
    assert [(step.from_version, step.to_version) for step in stage.history(ONE)] == [(None, 1), (1, 2)]


def test_a_status_that_swings_is_told_every_time(stage: Stage) -> None:
    stage.watch(ONE)
    stage.day(DAYS[0], trial(ONE))

    told = [
        kinds(stage.day(day, trial(ONE, status)))
        for day, status in zip(DAYS[1:], (RECRUITING, "NOT_YET_RECRUITING", RECRUITING), strict=False)
    ]

    assert told == [["site.recruiting"], ["site.status_changed"], ["site.recruiting"]]


def test_unchanged_records_write_nothing(stage: Stage) -> None:
    stage.watch(ONE, TWO)
    stage.day(DAYS[0], trial(ONE), trial(TWO))

    report = stage.day(DAYS[1])

    assert (report.outcome, report.answered, report.changed, report.steps) == ("finished", 2, 0, [])
    assert count(stage.database, versions) == 2


def test_an_unchanged_record_is_not_even_decoded(sqlite_database: Database, standin: StandIn) -> None:
    class Counting(Asked):
        decoded = 0

        def content(self, raw: bytes) -> bytes:
            self.decoded += 1
            return super().content(raw)

    registry = Counting(standin)
    stage = Stage(sqlite_database, standin, registry)
    stage.watch(ONE, TWO)
    stage.day(DAYS[0], trial(ONE), trial(TWO))
    registry.decoded = 0

    stage.day(DAYS[1])

    assert registry.decoded == 0


def test_other_bytes_of_the_same_content_are_no_version_and_known_from_then_on(sqlite_stage: Stage) -> None:
    sqlite_stage.watch(ONE)
    record = trial(ONE)
    sqlite_stage.day(DAYS[0], record)
    turned = dict(reversed(record.items()))

    report = sqlite_stage.day(DAYS[1], turned)

    assert (report.answered, report.steps) == (1, [])
    assert count(sqlite_stage.database, versions) == 1


def test_without_a_new_release_only_new_watches_are_asked_for(stage: Stage, standin: StandIn) -> None:
    stage.watch(ONE)
    stage.day(DAYS[0], trial(ONE), trial(TWO))
    assert stage.look().outcome == "nothing new"
    stage.watch(TWO)
    standin.requests.clear()

    report = stage.look()

    assert (report.asked, report.first_seen) == (1, 1)
    assert [request.ids for request in standin.requests if request.ids] == [[TWO]]


def test_a_registry_that_is_down_fails_the_sweep_and_the_next_look_catches_up(stage: Stage, standin: StandIn) -> None:
    stage.watch(ONE)
    stage.day(DAYS[0], trial(ONE))
    standin.fail(Fault.UNAVAILABLE)
    down = stage.day(DAYS[1], trial(ONE, RECRUITING))
    standin.clear()

    report = stage.look()

    assert down.outcome == "failed"
    assert "503" in (down.reason or "")
    assert kinds(report) == ["site.recruiting"]


@pytest.mark.parametrize("fault", [Fault.HTML_200, Fault.EMPTY, Fault.CUT_JSON, Fault.GARBAGE, Fault.RESET])
def test_what_is_not_data_stores_nothing(sqlite_stage: Stage, standin: StandIn, fault: Fault) -> None:
    sqlite_stage.watch(ONE)
    sqlite_stage.day(DAYS[0], trial(ONE))
    standin.fail(fault, path="/studies")

    report = sqlite_stage.day(DAYS[1], trial(ONE, RECRUITING))

    assert report.changed == 0
    assert count(sqlite_stage.database, versions) == 1
    assert report.outcome == "failed" or report.exceptions


def test_a_registry_that_goes_back_in_time_is_not_believed(sqlite_stage: Stage) -> None:
    sqlite_stage.watch(ONE)
    sqlite_stage.day(DAYS[1], trial(ONE))

    back = sqlite_stage.day(DAYS[0], trial(ONE, RECRUITING))
    forth = sqlite_stage.day(DAYS[2])

    assert back.outcome == "failed"
    assert f"shows release {DAYS[0]}" in (back.reason or "")
    assert kinds(forth) == ["site.recruiting"]


def test_a_release_of_a_day_to_come_is_not_believed_and_the_true_one_after_it_is(sqlite_stage: Stage) -> None:
    sqlite_stage.watch(ONE)
    sqlite_stage.day(DAYS[0], trial(ONE))
    sqlite_stage.publish("2031-01-01", trial(ONE, RECRUITING))
    sqlite_stage.now = at(DAYS[1])

    doubted = sqlite_stage.look()
    believed = sqlite_stage.day(DAYS[1], trial(ONE, RECRUITING))

    assert doubted.outcome == "failed"
    assert "this machine's clock says 2026-03-03" in str(doubted.reason)
    assert kinds(believed) == ["site.recruiting"]


def test_a_release_that_a_zone_of_the_earth_has_already_is_believed(sqlite_stage: Stage) -> None:
    sqlite_stage.watch(ONE)
    sqlite_stage.publish(DAYS[1], trial(ONE))
    sqlite_stage.now = at(DAYS[0])

    assert sqlite_stage.look().outcome == "finished"


def test_a_failed_sweep_is_to_be_seen(sqlite_stage: Stage, standin: StandIn) -> None:
    sqlite_stage.watch(ONE)
    standin.fail(Fault.FORBIDDEN)

    sqlite_stage.day(DAYS[0], trial(ONE))

    with sqlite_stage.database.read() as connection:
        last = archive.last_sweep(connection, "ctgov")
    assert last is not None
    assert last.state == "failed"
    assert "403" in (last.reason or "")


def test_one_unreadable_record_is_an_exception_and_stops_no_other(stage: Stage, standin: StandIn) -> None:
    stage.watch(ONE, TWO)
    stage.day(DAYS[0], trial(ONE), trial(TWO))
    stage.publish(DAYS[1], trial(TWO, RECRUITING))
    standin.publish(DAYS[1], {ONE: b'{"protocolSection": 7}'})

    report = stage.look()

    assert kinds(report) == ["site.recruiting"]
    assert list(exceptions(stage.database)) == [ONE]


def test_an_id_that_nobody_knows_is_trouble_of_the_watch(stage: Stage) -> None:
    stage.watch(ONE, TWO)

    report = stage.day(DAYS[0], trial(ONE))

    assert [(each.id, each.reason) for each in report.exceptions] == [(TWO, "absent")]
    assert report.first_seen == 1
    assert stage.look().outcome == "nothing new"


def test_an_absence_is_believed_in_the_second_release_and_the_return_is_told(stage: Stage, standin: StandIn) -> None:
    stage.watch(ONE, TWO)
    stage.subscribe(EVERYTHING)
    stage.day(DAYS[0], trial(ONE), trial(TWO))
    standin.remove([ONE])

    told = [kinds(stage.day(day)) for day in DAYS[1:4]]
    back = kinds(stage.day(DAYS[4], trial(ONE)))

    assert told == [[], ["record.missing"], []]
    assert back == ["record.returned"]
    assert count(stage.database, deliveries) == 2


def test_many_absences_at_once_are_not_believed(sqlite_stage: Stage, standin: StandIn) -> None:
    ids = [nct(number) for number in range(1, 13)]
    sqlite_stage.watch(*ids)
    sqlite_stage.day(DAYS[0], *map(trial, ids))
    standin.remove(ids[:7])

    told = [kinds(sqlite_stage.day(day)) for day in DAYS[1:4]]

    assert told == [[], [], []]
    assert set(exceptions(sqlite_stage.database)) == set(ids[:7])


def test_a_merged_record_is_told_once_and_nothing_is_compared_across(stage: Stage, standin: StandIn) -> None:
    stage.watch(ONE)
    stage.subscribe(EVERYTHING)
    stage.day(DAYS[0], trial(ONE))
    standin.publish(DAYS[1], {TWO: trial(TWO, RECRUITING)})
    standin.merge(ONE, TWO)
    stage.now = at(DAYS[1])

    merged, after = stage.look(), stage.day(DAYS[2])

    assert kinds(merged) == ["record.merged"]
    assert (after.outcome, after.steps) == ("finished", [])
    assert {step.registry_id for step in stage.history(ONE)} == {TWO}


def test_nothing_is_compared_across_a_merge_that_a_killed_sweep_had_noted(stage: Stage, standin: StandIn) -> None:
    stage.watch(ONE)
    stage.subscribe(EVERYTHING)
    stage.day(DAYS[0], trial(ONE))
    standin.publish(DAYS[1], {TWO: trial(TWO, RECRUITING)})
    standin.merge(ONE, TWO)
    with stage.database.write() as connection:
        archive.merge(connection, "ctgov", ONE, TWO)  # the last thing that the killed one did
    stage.now = at(DAYS[1])

    assert kinds(stage.look()) == []
    after = kinds(stage.day(DAYS[2], trial(TWO, RECRUITING, title="Another Title")))
    assert after == ["title.changed", "identifier.removed"]  # as published now, it names its former id no more


def test_many_unexplained_texts_become_one_notice(sqlite_stage: Stage) -> None:
    ids = [nct(number) for number in range(1, 25)]
    sqlite_stage.watch(*ids)
    sqlite_stage.subscribe(EVERYTHING)
    sqlite_stage.day(DAYS[0], *map(trial, ids))

    report = sqlite_stage.day(DAYS[1], *(trial(each, title=f"Another Title of {each}") for each in ids))

    assert kinds(report).count("title.changed") == 24
    assert kinds(report)[-1] == "registry.reformatted"
    open_ones = select(deliveries.c.type).where(deliveries.c.state == "pending")
    with sqlite_stage.database.read() as connection:
        assert list(connection.execute(open_ones).scalars()) == ["registry.notice"]


def test_a_few_unexplained_texts_are_told_when_the_sweep_ends(sqlite_stage: Stage) -> None:
    sqlite_stage.watch(ONE, TWO)
    sqlite_stage.subscribe(EVERYTHING)
    sqlite_stage.day(DAYS[0], trial(ONE), trial(TWO))

    sqlite_stage.day(DAYS[1], trial(ONE, title="Another Title"))

    with sqlite_stage.database.read() as connection:
        assert list(connection.execute(select(deliveries.c.state)).scalars()) == ["pending"]


def test_a_record_that_is_watched_again_is_compared_and_alerts_nobody(sqlite_stage: Stage) -> None:
    sqlite_stage.watch(ONE)
    sqlite_stage.subscribe(EVERYTHING)
    sqlite_stage.day(DAYS[0], trial(ONE))
    with sqlite_stage.database.write() as connection:
        watches.remove(connection, "ctgov", [ONE])
    sqlite_stage.watch(ONE)

    report = sqlite_stage.day(DAYS[1], trial(ONE, RECRUITING))

    assert kinds(report) == ["site.recruiting"]
    assert count(sqlite_stage.database, deliveries) == 0


def test_a_crash_while_enqueuing_leaves_no_version(sqlite_stage: Stage) -> None:
    sqlite_stage.watch(ONE)
    sqlite_stage.subscribe(EVERYTHING)
    sqlite_stage.day(DAYS[0], trial(ONE))
    with sqlite_stage.database.write() as connection:
        connection.execute(
            text("CREATE TRIGGER full BEFORE INSERT ON deliveries BEGIN SELECT RAISE(FAIL, 'full'); END")
        )
    sqlite_stage.publish(DAYS[1], trial(ONE, RECRUITING))

    with pytest.raises(IntegrityError, match="full"):
        sqlite_stage.look()

    assert count(sqlite_stage.database, versions) == 1
    assert len(sqlite_stage.history(ONE)) == 1
    with sqlite_stage.database.write() as connection:
        connection.execute(text("DROP TRIGGER full"))
    assert kinds(sqlite_stage.look()) == ["site.recruiting"]
    assert count(sqlite_stage.database, deliveries) == 1


def test_a_fault_of_our_own_costs_one_record_and_not_the_sweep(sqlite_database: Database, standin: StandIn) -> None:
    class Stumbling(Asked):
        def parse(self, raw: bytes) -> Any:
            trial = super().parse(raw)
            if trial.id == ONE:
                raise IndexError("a bug")
            return trial

    stage = Stage(sqlite_database, standin, Stumbling(standin))
    stage.watch(ONE, TWO)

    report = stage.day(DAYS[0], trial(ONE), trial(TWO))

    assert (report.outcome, report.first_seen) == ("finished", 1)
    assert [(each.id, each.reason) for each in report.exceptions] == [(ONE, "unreadable")]


def test_a_sweep_under_way_keeps_others_out(sqlite_stage: Stage) -> None:
    with sqlite_stage.database.write() as connection:
        leases.acquire(connection, "sweep:ctgov", this_process("another"), sqlite_stage.now, 60)

    assert sqlite_stage.look().outcome == "busy"


def test_a_sweep_that_lost_its_lease_writes_nothing_more(sqlite_database: Database, standin: StandIn) -> None:
    class Overtaken(Asked):
        def parse(self, raw: bytes) -> Any:
            with sqlite_database.write() as connection:
                connection.execute(text("UPDATE leases SET token = token + 1, holder = 'another'"))
            return super().parse(raw)

    stage = Stage(sqlite_database, standin, Overtaken(standin))
    stage.watch(ONE)

    report = stage.day(DAYS[0], trial(ONE))

    assert report.outcome == "failed"
    assert count(sqlite_database, versions) == 0


def test_a_sweep_that_is_ended_finishes_the_record_in_hand_and_the_next_goes_on(stage: Stage) -> None:
    stage.watch(ONE, TWO, THREE)
    stage.publish(DAYS[0], trial(ONE), trial(TWO), trial(THREE))

    stopped = stage.look(stop=lambda: True)
    rest = stage.look()

    assert (stopped.outcome, stopped.first_seen) == ("stopped", 1)
    assert (rest.outcome, rest.first_seen, rest.answered) == ("finished", 2, 3)


def test_a_sweep_that_died_is_given_up_by_the_next(sqlite_stage: Stage) -> None:
    with sqlite_stage.database.write() as connection:
        archive.begin_sweep(connection, "ctgov", DAYS[0], "all", sqlite_stage.now)
    sqlite_stage.watch(ONE)

    sqlite_stage.day(DAYS[1], trial(ONE))

    with sqlite_stage.database.read() as connection:
        states = list(connection.execute(select(sweeps.c.state).order_by(sweeps.c.id)).scalars())
    assert states == ["failed", "finished"]


def test_only_the_records_asked_for_are_looked_at(sqlite_stage: Stage) -> None:
    sqlite_stage.watch(ONE, TWO)
    sqlite_stage.day(DAYS[0], trial(ONE), trial(TWO))
    sqlite_stage.publish(DAYS[1], trial(ONE, RECRUITING), trial(TWO, RECRUITING))

    report = sqlite_stage.look(only=[TWO])

    assert [step.registry_id for step in report.steps] == [TWO]
    assert [step.registry_id for step in sqlite_stage.look().steps] == [ONE]


def test_a_sweep_that_another_took_over_ends_quietly_and_leaves_its_end_to_the_other(
    sqlite_database: Database, standin: StandIn
) -> None:
    class TakenOver(Asked):
        def parse(self, raw: bytes) -> Any:
            with sqlite_database.write() as connection:
                connection.execute(text("UPDATE leases SET token = token + 1, holder = 'another'"))
                archive.abandon_running(connection, "ctgov", "it was silent for too long", stage.now)
            return super().parse(raw)

    stage = Stage(sqlite_database, standin, TakenOver(standin))
    stage.watch(ONE)

    report = stage.day(DAYS[0], trial(ONE))

    assert (report.outcome, report.reason) == ("failed", "another process took the sweep over")
    with sqlite_database.read() as connection:
        last = archive.last_sweep(connection, "ctgov")
    assert last is not None
    assert last.reason == "it was silent for too long"


@pytest.mark.parametrize("fault", [Fault.CUT_JSON, Fault.NOT_FOUND, Fault.CUT_GZIP])
def test_what_passed_is_asked_again_in_the_same_release(sqlite_stage: Stage, standin: StandIn, fault: Fault) -> None:
    ids = [nct(number) for number in range(1, 13)]
    sqlite_stage.watch(*ids)
    sqlite_stage.day(DAYS[0], *map(trial, ids))
    standin.fail(fault, path="/studies")
    failing = sqlite_stage.day(DAYS[1], trial(ONE, RECRUITING))
    standin.clear()

    told = [kinds(sqlite_stage.look()), kinds(sqlite_stage.look())]

    assert failing.changed == 0
    assert sorted(told) == [[], ["site.recruiting"]]
    assert exceptions(sqlite_stage.database) == {}


def test_many_that_are_absent_at_once_are_asked_again_in_the_same_release(
    sqlite_stage: Stage, standin: StandIn
) -> None:
    ids = [nct(number) for number in range(1, 13)]
    sqlite_stage.watch(*ids)
    sqlite_stage.day(DAYS[0], *map(trial, ids))
    standin.remove(ids[:7])
    sqlite_stage.day(DAYS[1])
    standin.publish(DAYS[1], {each: trial(each, RECRUITING) for each in ids[:7]})

    told = kinds(sqlite_stage.look())

    assert told == ["site.recruiting"] * 7
    assert exceptions(sqlite_stage.database) == {}


def test_one_broken_study_of_a_thousand_is_isolated(sqlite_stage: Stage, standin: StandIn) -> None:
    ids = [nct(number) for number in range(1, 1001)]
    sqlite_stage.watch(*ids)
    sqlite_stage.publish(DAYS[0], *map(trial, ids))
    standin.publish(DAYS[0], {nct(500): b'{"protocolSection": {"identificationModule": {"nctId": 7}}}'})

    report = sqlite_stage.look()

    assert (report.outcome, report.first_seen) == ("finished", 999)
    assert list(exceptions(sqlite_stage.database)) == [nct(500)]


def test_a_sweep_that_was_taken_over_before_it_began_writes_nothing(
    sqlite_database: Database, standin: StandIn
) -> None:
    class TakenOver(Asked):
        def release(self) -> Any:
            with sqlite_database.write() as connection:
                connection.execute(text("UPDATE leases SET token = token + 1, holder = 'another'"))
            return super().release()

    stage = Stage(sqlite_database, standin, TakenOver(standin))
    stage.watch(ONE)

    report = stage.day(DAYS[0], trial(ONE))

    assert (report.outcome, report.reason) == ("failed", "another process took the sweep over")
    assert count(sqlite_database, sweeps) == 0
