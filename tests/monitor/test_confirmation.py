""" "Last confirmed" and "not checked since" are true at every moment, wherever they are said."""

import json
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from monitor import schema
from monitor.as_of import said_on
from monitor.cli import trialdelta
from monitor.demo.standin import Fault, StandIn
from monitor.questions import recorded
from notifiers import watches
from notifiers.watches import Wish
from snapshots.database import Database
from tests.monitor.stage import DAYS, RECRUITING, Stage, at, trial
from tests.monitor.web.browsing import serving
from tests.monitor.web.test_api import get
from tests.monitor.web.test_trial_page import words
from tests.registries import nct

ONE, TWO = nct(1), nct(2)


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'trialdelta.sqlite3'}"


@pytest.fixture
def stage(url: str, standin: StandIn) -> Iterator[Stage]:
    database = Database(url)
    schema.upgrade(database)
    yield Stage(database, standin)
    database.dispose()


def run(stage: Stage, *words: str) -> Result:
    environ = {
        "TRIALDELTA_DATABASE_URL": stage.database.url,
        "TRIALDELTA_CTGOV_URL": stage.standin.url,
        "TRIALDELTA_REQUEST_INTERVAL": "0",
    }
    return CliRunner(env=environ).invoke(trialdelta, list(words))


def listed(stage: Stage) -> dict[str, dict[str, object]]:
    return {row["id"] or row["name"]: row for row in json.loads(run(stage, "watch", "list", "--format", "json").stdout)}


def test_check_says_since_when_a_record_could_not_be_checked_and_when_it_was(stage: Stage, standin: StandIn) -> None:
    stage.watch(ONE, TWO)
    stage.day(DAYS[0], trial(ONE), trial(TWO))
    standin.publish(DAYS[1], {ONE: b'{"protocolSection": 7}'})
    stage.look()
    standin.publish(DAYS[2])

    said = run(stage, "check")
    told = json.loads(run(stage, "check", "--format", "json").stdout)

    assert f"not checked since release {DAYS[1]}, last confirmed at release {DAYS[0]}" in said.stderr
    assert f"Last confirmed: everything at release {DAYS[2]}" in said.stderr
    assert "but for 1 without an answer" in said.stderr
    assert [(each["id"], each["since"][:10], each["last_confirmed"][:10]) for each in told["unchecked"]] == [
        (ONE, DAYS[1], DAYS[0])
    ]


def test_a_failed_check_says_what_was_confirmed_last(stage: Stage, standin: StandIn) -> None:
    stage.watch(ONE)
    stage.day(DAYS[0], trial(ONE))
    standin.fail(Fault.FORBIDDEN)
    standin.publish(DAYS[1])

    said = run(stage, "check")

    assert said.exit_code == 2
    assert f"Last confirmed: everything at release {DAYS[0]}" in said.stderr


def test_before_the_first_sweep_nothing_is_confirmed(stage: Stage, standin: StandIn) -> None:
    stage.watch(ONE)
    standin.fail(Fault.FORBIDDEN)

    assert "Nothing is confirmed yet" in run(stage, "check").stderr


def test_what_was_paused_is_not_confirmed_by_the_sweeps_of_others(stage: Stage) -> None:
    stage.watch(ONE, TWO)
    stage.day(DAYS[0], trial(ONE), trial(TWO))
    with stage.database.write() as connection:
        watches.pause(connection, "ctgov", [ONE], stage.now)
    stage.day(DAYS[1])
    paused = listed(stage)[ONE]["release"]
    stage.now = at(DAYS[1], 15)
    with stage.database.write() as connection:
        watches.pause(connection, "ctgov", [ONE], stage.now, paused=False)
    resumed = listed(stage)
    stage.day(DAYS[2])

    assert (paused, resumed[ONE]["release"], resumed[TWO]["release"]) == (
        f"{DAYS[0]}T09:00:05",
        f"{DAYS[0]}T09:00:05",
        f"{DAYS[1]}T09:00:05",
    )
    assert listed(stage)[ONE]["release"] == f"{DAYS[2]}T09:00:05"


def test_of_a_paused_record_everything_says_the_same_day_on_which_it_was_last_confirmed(
    database: Database, standin: StandIn
) -> None:
    stage = Stage(database, standin)
    with database.write() as connection:
        watches.add(connection, Wish(registry="ctgov", record_id=ONE, group="tea"), stage.now)
        watches.add(connection, Wish(registry="ctgov", record_id=TWO), stage.now)
    for day in DAYS[:3]:
        stage.day(day, trial(ONE), trial(TWO, submitted=day))
    with database.write() as connection:
        watches.pause(connection, "ctgov", [ONE], at(DAYS[2], 16))
    stage.day(DAYS[3], trial(ONE), trial(TWO, submitted=DAYS[3]))

    with database.read() as connection:
        known, then = recorded(connection, "ctgov", ONE), said_on(connection, "ctgov", ONE, DAYS[4], date(2026, 3, 20))
    with serving(database) as site:
        client = site.client(site.token())
        watched, one = (get(client, path) for path in (f"/records/{ONE}/watches", f"/watches/{ONE}"))
        page = words(site.signed_in().get(f"/trials/{ONE}"))
    assert known and then
    assert (known.confirmed_on, then.confirmed) == (date.fromisoformat(DAYS[2]), DAYS[2])
    assert watched["confirmed_at"] == one["confirmed_at"] == f"{DAYS[2]}T14:00:00Z"
    assert watched["release"] == one["release"] == f"{DAYS[2]}T09:00:05"
    assert (watched["items"], watched["groups"], watched["is_paused"]) == ([one], ["tea"], True)
    assert "Last confirmed 4 March 2026, 14:00 UTC" in page


def test_of_a_paused_record_that_a_search_finds_the_sweeps_for_the_search_count(
    sqlite_database: Database, standin: StandIn
) -> None:
    stage = Stage(sqlite_database, standin)
    with sqlite_database.write() as connection:
        watches.add(connection, Wish(registry="ctgov", name="all of it", search={"query.term": "Study"}), stage.now)
    stage.watch(ONE)
    stage.day(DAYS[0], trial(ONE))
    with sqlite_database.write() as connection:
        watches.pause(connection, "ctgov", [ONE], stage.now)
    stage.day(DAYS[1], trial(ONE))
    with sqlite_database.write() as connection:
        watches.pause(connection, "ctgov", ["all of it"], at(DAYS[1], 16))
    stage.watch(TWO)
    stage.day(DAYS[2], trial(ONE), trial(TWO))

    with sqlite_database.read() as connection:
        known = recorded(connection, "ctgov", ONE)
    assert known and known.confirmed_on == date.fromisoformat(DAYS[1])


def test_the_list_says_what_a_search_finds_and_what_ails_it(stage: Stage, standin: StandIn) -> None:
    with stage.database.write() as connection:
        for name, query in (("open", {"filter.overallStatus": RECRUITING}), ("wrong", {"filter.overallStatus": "X"})):
            watches.add(connection, Wish(registry="ctgov", name=name, search=query), stage.now)
    open_one = trial(ONE)
    open_one["protocolSection"]["statusModule"]["overallStatus"] = RECRUITING
    waiting = listed(stage)["open"]["state"]
    stage.day(DAYS[0], open_one)

    found = listed(stage)

    assert waiting == "waiting"
    assert (found["open"]["state"], found["open"]["finds"], found["open"]["found_ever"]) == ("watched", 1, 1)
    assert str(found["wrong"]["trouble"]).startswith("refused: ")
    assert "finds 1 record" in run(stage, "watch", "list").stdout
