"""The whole registry is watched: page by page, resumable, nothing told of the first look, nothing missed later."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from msgspec.structs import replace
from sqlalchemy import event, func, select

from monitor import backfilling, walking
from monitor.demo.standin import Fault, StandIn
from monitor.sweep import sweep
from notifiers import due_watches, outbox, outlook, search_members, watches
from notifiers.silences import Silence
from notifiers.subscriptions import Subscription
from notifiers.tables import deliveries, search_pages
from notifiers.watches import Wish
from snapshots import archive
from snapshots.archive.tables import records, versions
from snapshots.database import Database
from snapshots.registry import RawRecord, RecordPage
from tests.campaigns import whole_registry
from tests.monitor.stage import DAYS, RECRUITING, Stage, at, kinds, trial
from tests.registries import Asked, nct

ON_PAGE = 3
COUNT = 10
EVERYONE = tuple(nct(number) for number in range(1, COUNT + 1))
ALICE = Subscription(name="alice", to=("mailto:alice@example.org",))


class Dies(BaseException):
    """The process is gone: nothing after this is done."""


class Dying(Asked):
    """A registry whose asker dies before question number `after` for a page."""

    def __init__(self, standin: StandIn, after: int) -> None:
        super().__init__(standin, page_size=ON_PAGE)
        self._left = after
        self._get, self._wire.get = self._wire.get, self._die  # type: ignore[method-assign]

    def _die(self, path: str, params: Any, asked: str) -> Any:
        if path.endswith("/studies"):
            self._left -= 1
            if self._left < 0:
                raise Dies
        return self._get(path, params, asked)


@pytest.fixture
def stage(database: Database, standin: StandIn) -> Stage:
    return whole(database, standin)


@pytest.fixture
def sqlite_stage(sqlite_database: Database, standin: StandIn) -> Stage:
    return whole(sqlite_database, standin)


def whole(database: Database, standin: StandIn) -> Stage:
    """The whole registry is watched, three records on a page, and Alice wants to hear of everything."""
    stage = Stage(database, standin, Asked(standin, page_size=ON_PAGE))
    with database.write() as connection:
        watches.add(connection, Wish(registry="ctgov", name="everything", search={}), stage.now)
    stage.subscribe(ALICE)
    stage.publish(DAYS[0], *(trial(each) for each in EVERYONE))
    return stage


def count(stage: Stage, table: Any) -> int:
    with stage.database.read() as connection:
        return connection.execute(select(func.count()).select_from(table)).scalar_one()


def members(stage: Stage) -> list[str]:
    with stage.database.read() as connection:
        (watch,) = watches.searches(connection, "ctgov", ["everything"])
        return list(search_members.present(connection, watch.id))


def asked_pages(standin: StandIn) -> int:
    return sum(each.path == "/api/v2/studies" and "filter.ids" not in each.query for each in standin.requests)


@contextmanager
def writes(database: Database) -> Iterator[list[str]]:
    """The statements that write, in the order they are sent."""
    sent: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        if statement.split(maxsplit=1)[0] in ("INSERT", "UPDATE", "DELETE"):
            sent.append(" ".join(statement.split()[:3]))

    event.listen(database._writers, "before_cursor_execute", note)
    yield sent
    event.remove(database._writers, "before_cursor_execute", note)


# --- the first look -------------------------------------------------------------------------------------------------


def test_the_first_look_keeps_every_record_and_tells_nobody(stage: Stage, standin: StandIn) -> None:
    told: list[tuple[int, int]] = []

    report = sweep(stage.database, stage.registry, lambda: stage.now, progress=lambda done, of: told.append((done, of)))

    assert report.outcome == "finished"
    assert report.numbers() == {"asked": COUNT, "answered": COUNT, "first_seen": COUNT, "changed": 0, "failed": 0}
    assert members(stage) == list(EVERYONE)
    assert count(stage, deliveries) == count(stage, search_pages) == 0
    assert told == [(3, 10), (6, 10), (9, 10), (10, 10)]
    assert asked_pages(standin) == 4
    assert stage.look().outcome == "nothing new"


@pytest.mark.parametrize("died_before", [0, 1, 3])
def test_a_first_look_that_dies_at_any_page_goes_on_from_it(stage: Stage, standin: StandIn, died_before: int) -> None:
    whole_registry, stage.registry = stage.registry, Dying(standin, died_before)
    with pytest.raises(Dies):
        stage.look()
    standin.requests.clear()
    stage.registry = whole_registry

    report = stage.look()

    assert report.outcome == "finished"
    assert asked_pages(standin) == 4 - died_before
    assert count(stage, versions) == count(stage, records) == COUNT
    assert members(stage) == list(EVERYONE)
    assert count(stage, deliveries) == count(stage, search_pages) == 0


def test_a_look_that_is_ended_within_a_page_takes_that_page_again(stage: Stage, standin: StandIn) -> None:
    stops = iter([False, False, False, False, True])

    stopped = stage.look(stop=lambda: next(stops))
    standin.requests.clear()
    report = stage.look()

    assert (stopped.outcome, report.outcome) == ("stopped", "finished")
    assert asked_pages(standin) == 3
    assert count(stage, versions) == COUNT


def test_pages_of_a_release_that_is_over_are_taken_anew(stage: Stage, standin: StandIn) -> None:
    whole_registry, stage.registry = stage.registry, Dying(standin, 2)
    with pytest.raises(Dies):
        stage.look()
    stage.registry = whole_registry
    standin.requests.clear()

    report = stage.day(DAYS[1], trial(EVERYONE[0], RECRUITING))

    assert report.outcome == "finished"
    assert asked_pages(standin) == 4
    assert count(stage, versions) == COUNT + 1
    assert count(stage, deliveries) == 0


# --- each later release ---------------------------------------------------------------------------------------------


def test_an_unchanged_record_is_not_written(stage: Stage) -> None:
    stage.look()
    stage.publish(DAYS[1])

    with writes(stage.database) as sent:
        report = stage.look()

    assert report.numbers()["answered"] == COUNT
    assert sent.count("INSERT INTO search_pages") == 4
    of_a_sweep = ("leases", "search_pages", "sweeps", "sweep_exceptions", "deliveries", "watches", "askings")
    assert [each for each in sent if not any(table in each for table in of_a_sweep)] == []


def test_what_changed_came_and_left_is_told(stage: Stage, standin: StandIn) -> None:
    stage.look()
    standin.remove([EVERYONE[3]])

    first = stage.day(DAYS[1], trial(EVERYONE[0], RECRUITING, submitted="2026-03-02"), trial(nct(77)))
    second = stage.day(DAYS[2])

    assert kinds(first) == ["site.recruiting", "record.first_seen", "record.matched"]
    assert [each.id for each in first.exceptions] == [EVERYONE[3]]
    assert kinds(second) == ["record.missing"]
    assert nct(77) in members(stage)


def test_a_record_that_is_also_watched_by_its_id_is_fetched_once(stage: Stage, standin: StandIn) -> None:
    stage.watch(EVERYONE[0])

    stage.look()

    assert not any("filter.ids" in each.query for each in standin.requests)
    with stage.database.read() as connection:
        assert not due_watches.is_any_waiting(connection, "ctgov", None)


def test_a_merged_record_is_followed(stage: Stage, standin: StandIn) -> None:
    stage.look()
    standin.merge(EVERYONE[1], EVERYONE[2])

    told = kinds(stage.day(DAYS[1]))
    after = kinds(stage.day(DAYS[2]))

    assert "record.merged" in told
    assert after == []
    assert members(stage) == [each for each in EVERYONE if each != EVERYONE[1]]


def test_the_past_is_fetched_only_of_what_is_also_watched_otherwise(sqlite_stage: Stage) -> None:
    sqlite_stage.watch(EVERYONE[2])
    sqlite_stage.look()

    with sqlite_stage.database.read() as connection:
        assert backfilling.due_ids(connection, "ctgov", sqlite_stage.now) == [EVERYONE[2]]
        assert list(outlook.unread_heads(connection, None)) == [EVERYONE.index(EVERYONE[2]) + 1]


def test_a_snoozed_registry_tells_what_waited_when_the_snooze_ends(sqlite_stage: Stage) -> None:
    stage, until = sqlite_stage, at(DAYS[2])
    stage.look()
    with stage.database.write() as connection:
        watches.snooze(connection, "ctgov", ["everything"], Silence(until=until), stage.now)
    stage.day(DAYS[1], trial(EVERYONE[0], RECRUITING, submitted="2026-03-02"))
    before = count(stage, deliveries)

    with stage.database.write() as connection:
        outbox.wake_due(connection, at(DAYS[3]))

    assert (before, count(stage, deliveries)) == (0, 1)


# --- a registry that misbehaves -------------------------------------------------------------------------------------


def test_half_the_registry_missing_is_not_believed(stage: Stage, standin: StandIn) -> None:
    more = [trial(nct(number)) for number in range(100, 120)]
    stage.publish(DAYS[0], *more)
    stage.look()
    standin.remove([nct(number) for number in range(100, 115)])

    report = stage.day(DAYS[1])
    stage.publish(DAYS[2], *more)
    after = stage.look()

    assert report.outcome == "failed"
    assert "lists 15 of 30 known records no more" in (report.reason or "")
    assert (after.outcome, kinds(after)) == ("finished", [])


@pytest.mark.parametrize("fault", [Fault.HTML_200, Fault.CUT, Fault.CUT_JSON, Fault.TOO_FAST, Fault.EMPTY])
def test_a_bad_page_ends_the_sweep_and_the_next_goes_on(sqlite_stage: Stage, standin: StandIn, fault: Fault) -> None:
    sqlite_stage.registry = Dying(standin, 2)
    with pytest.raises(Dies):
        sqlite_stage.look()
    sqlite_stage.registry = Asked(standin, page_size=ON_PAGE)
    standin.requests.clear()
    standin.fail(fault, path="/studies")

    failed = sqlite_stage.look()
    standin.clear()
    report = sqlite_stage.look()

    assert (failed.outcome, report.outcome) == ("failed", "finished")
    assert asked_pages(standin) == 2
    assert count(sqlite_stage, versions) == COUNT


def test_a_registry_that_lists_nothing_is_no_baseline(sqlite_stage: Stage, standin: StandIn) -> None:
    standin.fail(Fault.NO_STUDIES, times=1, path="/studies")

    failed = sqlite_stage.look()
    report = sqlite_stage.look()

    assert (failed.outcome, report.outcome) == ("failed", "finished")
    assert len(members(sqlite_stage)) == COUNT


def test_a_registry_that_says_it_has_more_than_it_lists_is_not_believed(sqlite_stage: Stage, standin: StandIn) -> None:
    class Forgetful(Asked):
        def walk(self, *asked: Any) -> Iterator[RecordPage]:
            yield replace(next(super().walk(*asked)), next=None)

    sqlite_stage.registry = Forgetful(standin, page_size=ON_PAGE)

    assert "listed 3 of the 10 records that it has" in (sqlite_stage.look().reason or "")


def test_many_records_that_are_new_at_once_are_not_believed(
    sqlite_stage: Stage, standin: StandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    sqlite_stage.look()
    monkeypatch.setattr(walking, "FEW_NEW", 4)

    report = sqlite_stage.day(DAYS[1], *(trial(nct(number)) for number in range(50, 60)))

    assert report.outcome == "failed"
    assert "records that are new beside 10 known" in (report.reason or "")
    assert count(sqlite_stage, deliveries) == 0


def test_a_record_on_two_pages_is_taken_as_it_came_first(sqlite_stage: Stage, standin: StandIn) -> None:
    class Twice(Asked):
        def walk(self, *asked: Any) -> Iterator[RecordPage]:
            last: list[Any] = []
            for page in super().walk(*asked):
                answers = list(page.answers)
                yield replace(page, answers=iter(last + answers))
                standin.publish(DAYS[0], {EVERYONE[0]: trial(EVERYONE[0], RECRUITING)})
                last = [
                    RawRecord(each.id, each.raw.replace(b"NOT_YET", b"QUITE_YET"), b"another", each.id)
                    for each in answers
                ]

    sqlite_stage.registry = Twice(standin, page_size=ON_PAGE)

    report = sqlite_stage.look()

    assert report.numbers()["answered"] == count(sqlite_stage, versions) == COUNT


def test_a_release_that_appears_in_the_middle_ends_the_sweep_and_is_taken_next(stage: Stage, standin: StandIn) -> None:
    stage.look()
    stage.publish(DAYS[1])

    class Overtaken(Asked):
        def walk(self, *asked: Any) -> Iterator[RecordPage]:
            for number, page in enumerate(super().walk(*asked)):
                yield page
                if number == 1:
                    standin.publish(DAYS[2], {EVERYONE[0]: trial(EVERYONE[0], RECRUITING, submitted="2026-03-03")})

    stage.registry = Overtaken(standin, page_size=ON_PAGE)
    failed = stage.look()
    stage.registry, stage.now = Asked(standin, page_size=ON_PAGE), at(DAYS[2])
    report = stage.look()

    assert (failed.outcome, report.outcome) == ("failed", "finished")
    assert kinds(report) == ["site.recruiting"]
    assert count(stage, search_pages) == 0


def test_pages_of_two_releases_are_not_believed_even_where_the_registry_gives_them(
    sqlite_stage: Stage, standin: StandIn
) -> None:
    class Sliding(Asked):
        def walk(self, *asked: Any) -> Iterator[RecordPage]:
            yield from list(super().walk(*asked))
            standin.publish(DAYS[1])

    sqlite_stage.registry = Sliding(standin, page_size=ON_PAGE)

    assert "a new release appeared" in (sqlite_stage.look().reason or "")


def test_a_record_that_cannot_be_read_is_an_exception_and_asked_for_by_itself(stage: Stage, standin: StandIn) -> None:
    stage.look()
    odd = {"protocolSection": {"identificationModule": {"nctId": EVERYONE[4], "nctIdAliases": 7}}}
    standin.publish(DAYS[1], {EVERYONE[4]: odd})
    stage.now = at(DAYS[1])

    ill = stage.look()
    standin.publish(DAYS[1], {EVERYONE[4]: trial(EVERYONE[4])})
    standin.requests.clear()
    well = stage.look()

    assert [(each.id, each.reason) for each in ill.exceptions] == [(EVERYONE[4], "unreadable")]
    assert (ill.outcome, well.outcome, asked_pages(standin)) == ("finished", "finished", 0)
    with stage.database.read() as connection:
        assert list(archive.open_exceptions(connection, "ctgov")) == []


@pytest.mark.kill
@pytest.mark.chaos
def test_a_look_killed_at_every_page_loses_and_doubles_nothing(database_url: str) -> None:
    result = whole_registry.run(database_url, rounds=2)

    assert result.failures == []
    assert result.counts["kills"] == whole_registry.PAGES - 1 + 2
