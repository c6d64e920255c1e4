"""Saved searches: what comes in and what leaves is told, once, after the records' own news; the lost stay watched."""

from typing import Any

import pytest
from sqlalchemy import select

from monitor.demo.standin import Fault, StandIn
from notifiers import outbox, search_members, subscriptions, watches
from notifiers.search_members import Member, moves
from notifiers.subscriptions import Selection, Subscription
from notifiers.tables import deliveries
from notifiers.watches import Wish
from snapshots import archive
from snapshots.database import Database
from tests.monitor.stage import DAYS, NOT_YET, RECRUITING, Stage, kinds, trial
from tests.registries import Asked, nct

ONE, TWO, THREE = nct(1), nct(2), nct(3)
EVERYTHING = Subscription(name="everything", to=("mailto:alice@example.org",))


@pytest.fixture
def stage(database: Database, standin: StandIn) -> Stage:
    return Stage(database, standin)


@pytest.fixture
def sqlite_stage(sqlite_database: Database, standin: StandIn) -> Stage:
    return Stage(sqlite_database, standin)


def search(stage: Stage, name: str = "fever", group: str | None = None, **query: str) -> None:
    query = query or {"filter.overallStatus": "RECRUITING"}
    with stage.database.write() as connection:
        watches.add(connection, Wish(registry="ctgov", name=name, search=query, group=group), stage.now)


def of_status(record: str, status: str, **said: Any) -> dict[str, Any]:
    made = trial(record, **said)
    made["protocolSection"]["statusModule"]["overallStatus"] = status
    return made


def ready(stage: Stage, *subscribed: Subscription) -> None:
    """A search that finds ONE, and does not find TWO."""
    search(stage)
    for each in subscribed or (EVERYTHING,):
        stage.subscribe(each)
    stage.day(DAYS[0], of_status(ONE, RECRUITING), of_status(TWO, NOT_YET))


def told_to(stage: Stage, uri: str = "mailto:alice@example.org") -> list[str]:
    """The kinds told to an address, in the order of its messages."""
    with stage.database.read() as connection:
        ids = connection.execute(select(deliveries.c.id).order_by(deliveries.c.number)).scalars().all()
        loaded = [outbox.load(connection, each, stage.now) for each in ids]
    return [
        change.change.kind
        for told in loaded
        if told.address.uri == uri
        for step in told.steps
        for change in step.changes
    ]


def finds(stage: Stage, name: str = "fever") -> dict[str, bool]:
    with stage.database.read() as connection:
        (found,) = watches.searches(connection, "ctgov", [name])
        return {member.record_id: member.is_found for member in search_members.of_search(connection, found.id)}


def troubles(stage: Stage) -> dict[str, str]:
    with stage.database.read() as connection:
        return {each.registry_id: each.reason for each in archive.open_exceptions(connection, "ctgov")}


def test_a_first_run_is_a_baseline_that_tells_nobody(stage: Stage) -> None:
    search(stage)
    stage.subscribe(EVERYTHING)

    report = stage.day(DAYS[0], of_status(ONE, RECRUITING), of_status(TWO, NOT_YET))

    assert kinds(report) == ["record.first_seen"]
    assert finds(stage) == {ONE: True}
    assert told_to(stage) == []
    assert stage.look().outcome == "nothing new"


def test_what_a_search_finds_is_watched_like_any_record(stage: Stage) -> None:
    ready(stage)

    stage.day(DAYS[1], of_status(ONE, RECRUITING, title="Another Title", submitted="2026-03-02"))

    assert told_to(stage) == ["title.changed"]


def test_a_record_that_comes_in_is_told_with_its_status_and_sites(stage: Stage) -> None:
    ready(stage)

    report = stage.day(DAYS[1], of_status(TWO, RECRUITING, title="A Trial of Tea"))

    assert kinds(report) == ["record.first_seen", "record.matched"]
    step = report.steps[-1]
    found = step.changes[0].change
    assert (step.registry_id, step.cause, found.subject) == (TWO, "search", {"type": "search", "name": "fever"})
    assert found.summary == "The saved search “fever” finds A Trial of Tea (recruiting; 1 site)"
    assert found.after["status"] == RECRUITING
    assert found.after["sites"][0]["facility"] == "Example Hospital"
    assert told_to(stage) == ["record.matched"]


def test_the_one_that_left_is_told_after_its_own_change_and_stays_watched(stage: Stage) -> None:
    ready(stage)

    left = stage.day(DAYS[1], of_status(ONE, "COMPLETED", submitted="2026-03-02"), of_status(THREE, RECRUITING))
    later = stage.day(DAYS[2], of_status(ONE, "TERMINATED", submitted="2026-03-03"))

    mine = [stored.change.kind for step in left.steps if step.registry_id == ONE for stored in step.changes]
    assert (mine[0], mine[-1]) == ("study.completed", "record.unmatched")
    assert kinds(later) == ["study.terminated"]
    assert finds(stage) == {ONE: False, THREE: True}


def test_place_filters_work_on_what_a_search_finds(sqlite_stage: Stage) -> None:
    def to_bob(country: str, who: str) -> Subscription:
        table = {"name": who, "to": f"mailto:{who}@example.org", "when": {"countries": [country]}}
        return subscriptions.from_table(table)

    ready(sqlite_stage, to_bob("Belgium", "bob"), to_bob("China", "charlie"))

    sqlite_stage.day(DAYS[1], of_status(TWO, RECRUITING))

    assert told_to(sqlite_stage, "mailto:bob@example.org") == ["record.matched"]
    assert told_to(sqlite_stage, "mailto:charlie@example.org") == []


def test_a_subscription_to_a_search_hears_of_its_members_and_of_who_comes_and_goes(stage: Stage) -> None:
    mine = Subscription(name="mine", to=("mailto:alice@example.org",), watches=Selection(search="fever"))
    ready(stage, mine)
    search(stage, "other", **{"query.cond": "imaginary"})
    stage.look()

    stage.day(
        DAYS[1],
        of_status(ONE, "COMPLETED", submitted="2026-03-02"),
        of_status(TWO, NOT_YET, title="Not Mine", submitted="2026-03-02"),
        of_status(THREE, RECRUITING),
    )
    stage.day(DAYS[2], of_status(ONE, "TERMINATED", submitted="2026-03-03"))

    told = told_to(stage)
    assert sorted(told[-2:]) == ["record.matched", "record.unmatched"]
    assert "study.completed" in told
    assert not {"title.changed", "study.terminated"} & set(told)


def test_two_searches_that_find_a_record_tell_it_in_one_message(stage: Stage) -> None:
    search(stage)
    search(stage, "titles", **{"query.titles": "tea"})
    stage.subscribe(EVERYTHING)
    stage.day(DAYS[0], of_status(TWO, RECRUITING))

    stage.day(DAYS[1], of_status(ONE, RECRUITING, title="A Trial of Tea"))

    with stage.database.read() as connection:
        assert len(connection.execute(select(deliveries.c.id)).all()) == 1
    assert told_to(stage) == ["record.matched", "record.matched"]


def test_a_search_that_fails_is_an_exception_that_spoils_nothing_and_is_asked_again(
    stage: Stage, standin: StandIn
) -> None:
    ready(stage)
    stage.watch(TWO)
    stage.look()
    standin.fail(Fault.WRONG_SHAPE, times=4, path="/studies")

    report = stage.day(DAYS[1], of_status(TWO, RECRUITING, submitted="2026-03-02"))
    seen = troubles(stage)
    again = stage.look()

    assert report.outcome == "finished"
    assert "recruitment.opened" in kinds(report)
    assert seen == {"search fever": "not fetched"}
    assert kinds(again) == ["record.matched"]
    assert troubles(stage) == {}


def test_a_search_that_the_registry_refuses_says_so(sqlite_stage: Stage) -> None:
    search(sqlite_stage, "wrong", **{"filter.overallStatus": "OPEN"})

    sqlite_stage.day(DAYS[0], of_status(ONE, RECRUITING))

    assert troubles(sqlite_stage) == {"search wrong": "refused"}


def test_a_found_record_that_cannot_be_fetched_is_told_when_it_can(stage: Stage, standin: StandIn) -> None:
    search(stage, **{"query.titles": "tea"})
    stage.day(DAYS[0], of_status(ONE, RECRUITING, title="Tea"))
    standin.fail(Fault.UNAVAILABLE, ids=[TWO])

    first = stage.day(DAYS[1], of_status(TWO, RECRUITING, title="More Tea"))
    standin.clear()
    second = stage.look()

    assert "record.matched" not in kinds(first)
    assert kinds(second) == ["record.first_seen", "record.matched"]


def test_an_answer_without_any_record_is_believed_when_the_next_release_gives_it_too(
    stage: Stage, standin: StandIn
) -> None:
    ready(stage)
    gone = of_status(ONE, NOT_YET, submitted="2026-03-02")

    first = kinds(stage.day(DAYS[1], gone))
    doubted = troubles(stage)
    second = kinds(stage.day(DAYS[2]))

    assert "record.unmatched" not in first
    assert doubted == {"search fever": "doubted"}
    assert second == ["record.unmatched"]
    assert troubles(stage) == {}


def test_a_quirk_of_one_release_invents_nothing(stage: Stage, standin: StandIn) -> None:
    ready(stage)
    standin.fail(Fault.NO_STUDIES, times=1)

    told = kinds(stage.day(DAYS[1])) + kinds(stage.day(DAYS[2]))

    assert told == []
    assert finds(stage) == {ONE: True}


def test_a_member_that_was_merged_neither_left_nor_came(stage: Stage, standin: StandIn) -> None:
    ready(stage)
    standin.publish(DAYS[1], {TWO: of_status(TWO, RECRUITING)})
    standin.merge(ONE, TWO)

    told = kinds(stage.day(DAYS[1]))
    after = kinds(stage.day(DAYS[2]))

    assert (told, after) == (["record.first_seen", "record.merged"], [])
    assert finds(stage) == {TWO: True}


def test_a_search_with_other_parameters_begins_anew(sqlite_stage: Stage) -> None:
    ready(sqlite_stage)
    other = Wish(registry="ctgov", name="fever", search={"filter.overallStatus": NOT_YET})
    with sqlite_stage.database.write() as connection:
        watches.change(connection, other, sqlite_stage.now)

    report = sqlite_stage.day(DAYS[1])

    assert kinds(report) == ["record.first_seen"]
    assert finds(sqlite_stage) == {ONE: False, TWO: True}


def test_a_search_that_is_removed_while_it_is_asked_is_nobodys_news(
    sqlite_database: Database, standin: StandIn
) -> None:
    class Removing(Asked):
        def walk(self, *asked: Any) -> Any:
            for page in super().walk(*asked):
                if ask_once.pop():
                    with sqlite_database.write() as connection:
                        watches.remove(connection, "ctgov", ["fever"])
                yield page

    ask_once = [True, False]
    stage = Stage(sqlite_database, standin, Removing(standin))
    ready(stage)

    report = stage.day(DAYS[1], of_status(TWO, RECRUITING))

    assert report.outcome == "finished"
    assert "record.matched" not in kinds(report)


def test_a_sweep_that_is_ended_before_it_told_a_search_tells_it_next_time(sqlite_stage: Stage) -> None:
    ready(sqlite_stage)
    sqlite_stage.publish(DAYS[1], of_status(TWO, RECRUITING))

    stopped = sqlite_stage.look(stop=lambda: True)
    rest = sqlite_stage.look()

    assert stopped.outcome == "stopped"
    assert (kinds(stopped) + kinds(rest)).count("record.matched") == 1


def test_a_paused_search_is_not_asked_and_neither_are_its_members(sqlite_stage: Stage) -> None:
    ready(sqlite_stage)
    with sqlite_stage.database.write() as connection:
        watches.pause(connection, "ctgov", ["fever"], sqlite_stage.now)

    assert sqlite_stage.day(DAYS[1]).outcome == "nothing new"


# --- what an answer changes -----------------------------------------------------------------------------------------

MANY = [nct(number) for number in range(1, 101)]
MEMBERS = {each: Member(each, is_found=True) for each in MANY}


def test_who_is_owed_an_answer_is_neither_matched_nor_unmatched() -> None:
    answer = moves({*MANY[1:], nct(200)}, MEMBERS, MANY[1:], DAYS[0])

    assert (answer.matched, answer.unmatched, answer.doubted) == ((), (), ())


@pytest.mark.parametrize(("lost", "told", "doubted"), [(5, 5, 0), (10, 10, 0), (11, 0, 11), (100, 0, 100)])
def test_many_that_leave_at_once_are_doubted(lost: int, told: int, doubted: int) -> None:
    answer = moves(set(MANY[lost:]), MEMBERS, MANY, DAYS[0])

    assert (len(answer.unmatched), len(answer.doubted)) == (told, doubted)


def test_a_doubt_ends_with_the_next_release_one_way_or_the_other() -> None:
    doubted = {each: Member(each, is_found=True, doubted_since=DAYS[0]) for each in MANY}

    same, left, back = (
        moves(found, doubted, MANY, day) for found, day in ((set(), DAYS[0]), (set(), DAYS[1]), (MANY, DAYS[1]))
    )

    assert (len(same.doubted), len(same.unmatched)) == (100, 0)
    assert (len(left.doubted), len(left.unmatched)) == (0, 100)
    assert (len(back.well), back.doubted, back.unmatched) == (100, (), ())
