"""The registry's own history comes into the archive once, in order, whatever interrupts it, and is never news."""

import random
from datetime import date
from itertools import pairwise, takewhile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import update

from monitor.demo.standin import Fault, StandIn
from snapshots import archive
from snapshots.archive import finest_steps
from snapshots.archive.tables import versions
from snapshots.backfill import Seen, standing_date
from snapshots.database import Database
from snapshots.registry import PastVersion
from tests.databases import SqliteFiles
from tests.snapshots.past_cast import FORTY, NOW, STATUS, TRIAL, Past, posted, stop_after, version


@pytest.fixture
def past(sqlite_database: Database, standin: StandIn) -> Past:
    return Past(sqlite_database, standin)


def few(past: Past, count: int = 4) -> Past:
    past.publish("2026-06-01", FORTY[:count])
    return past


# --- what comes -------------------------------------------------------------------------------------------------------


def test_all_past_versions_come_in_order_with_what_each_changed(database: Database, standin: StandIn) -> None:
    past = Past(database, standin)

    report = past.fill()

    assert (report.outcome, report.listed, report.stored, report.steps) == ("complete", 40, 40, 39)
    stored = past.versions()
    assert [each.registry_version for each in stored] == list(range(40))
    assert [each.registry_date for each in stored] == [posted(number) for number in range(40)]
    assert [each.number for each in stored] == list(range(1, 41))
    assert all("completion_date.delayed" in kinds(step) for step in past.steps())
    assert past.everything()


def kinds(step: archive.Step) -> list[str]:
    return [each.change.kind for each in step.changes]


def test_a_past_version_reads_like_a_present_one(past: Past) -> None:
    few(past, 2).fill()

    criteria = next(
        each.change
        for step in past.steps()
        for each in step.changes
        if each.change.kind == "eligibility.criteria_changed"
    )
    assert "&" not in criteria.summary
    assert "<li>" not in str(criteria.before) + str(criteria.after)
    assert "More than 1 falls" in str(criteria.after)


def test_what_is_stored_is_never_asked_for_again(past: Past) -> None:
    few(past).fill()
    past.standin.clear()

    again = past.fill()

    assert (again.outcome, again.stored, again.steps) == ("complete", 0, 0)
    assert [request.path for request in past.standin.requests] == [f"/api/int/studies/{TRIAL}/history"]


def test_the_records_head_stays_what_was_observed(past: Past) -> None:
    observed = past.observe(FORTY[-1], "2026-05-04")
    past.fill()

    with past.database.read() as connection:
        head = archive.heads(connection, "ctgov", [TRIAL])[TRIAL]
    assert head.version == observed


# --- the seam ---------------------------------------------------------------------------------------------------------


def test_the_record_of_the_same_content_tells_no_change_at_the_seam(past: Past) -> None:
    past.fill()
    baseline = past.observe(FORTY[-1], "2026-06-01")

    report = past.fill()

    seam = past.steps()[-1]
    assert (seam.from_version, seam.to_version, seam.cause) == (40, baseline, "back-filled")
    assert seam.changes == ()
    assert (report.steps, report.changes) == (1, 0)


def test_the_same_content_observed_first_tells_no_change_either(past: Past) -> None:
    baseline = past.observe(FORTY[-1], "2026-06-01")

    past.fill()

    seam = next(step for step in past.steps() if step.to_version == baseline and step.cause == "back-filled")
    assert seam.changes == ()
    assert past.order() == [*(f"h{number}" for number in range(40)), "2026-06-01"]


def test_what_changed_between_history_and_the_first_look_is_told_as_back_filled(past: Past) -> None:
    few(past)
    past.observe(version(3, (f"{STATUS}.overallStatus", "UNKNOWN")), "2026-06-01")

    past.fill()

    assert past.told()[-1] == "status.unknown"


def test_after_months_of_watching_history_takes_its_place_and_the_told_steps_stay(past: Past) -> None:
    few(past, 9)
    first = past.observe(version(2), posted(2))
    second = past.observe(version(3), posted(3))
    third = past.observe(version(7), posted(7))

    past.fill()

    days = [posted(2), posted(3), posted(7)]
    assert past.order() == ["h0", "h1", "h2", days[0], "h3", days[1], "h4", "h5", "h6", "h7", days[2], "h8"]
    spans = [(step.from_version, step.to_version) for step in past.steps() if step.cause == "observed"]
    assert spans == [(None, first), (first, second), (second, third)]
    assert past.everything()


def test_what_one_observed_step_told_already_is_not_told_a_second_time(past: Past) -> None:
    few(past)
    first, second = past.observe(version(2), posted(2)), past.observe(version(3), posted(3))

    past.fill()

    led_to_the_second = [step for step in past.steps() if step.to_version == second]
    assert [(step.from_version, step.cause) for step in led_to_the_second] == [(first, "observed")]
    assert past.told().count("completion_date.delayed") == 2


def test_sums_over_the_finest_steps_count_each_delay_once(past: Past) -> None:
    few(past, 8)
    past.observe(version(1), posted(1))
    past.observe(version(7), posted(7))

    past.fill()

    fine = finest_steps(past.steps())
    delays = [kind for step in fine for kind in kinds(step) if kind == "completion_date.delayed"]
    assert len(delays) == 7


def test_what_was_submitted_after_the_last_look_is_left_to_the_next_one(past: Past) -> None:
    few(past, 6)
    past.observe(version(3), posted(3))

    report = past.fill(leave_newer=True)

    assert (report.outcome, report.listed, report.stored) == ("complete", 6, 4)
    assert past.order()[-2:] == ["h3", posted(3)]


def test_a_posting_date_that_an_observation_contradicts_does_not_turn_history_around(past: Past) -> None:
    few(past, 4)
    past.observe(version(2), "2025-03-20")  # version 3 was posted ten days before by its own word

    past.observe(version(3), "2025-03-25")
    past.fill()

    assert past.order() == ["h0", "h1", "h2", "2025-03-20", "h3", "2025-03-25"]


@pytest.mark.parametrize("posting", ["9999-12-31", "2025-01-09", "2025-01", "soon", "", None])
def test_an_absurd_posting_date_does_not_move_a_version(posting: str | None) -> None:
    assert standing_date(PastVersion(0, "2025-01-10"), posting, "", []) == "2025-01-10"


days = st.dates(date(2024, 12, 1), date(2025, 2, 1)).map(str)


@given(st.lists(days, min_size=1, max_size=6).map(sorted), st.lists(st.tuples(days, days), max_size=5), st.data())
def test_days_in_history_never_go_back(submitted: list[str], seen: list[tuple[str, str]], data: st.DataObject) -> None:
    looks = [Seen(*pair) for pair in zip(sorted(day for day, _ in seen), sorted(said for _, said in seen), strict=True)]
    stands = [""]
    for number, day in enumerate(submitted):
        posting = data.draw(st.none() | days | st.just("soon"))
        stands.append(standing_date(PastVersion(number, day), posting, stands[-1], looks))

    assert stands == sorted(stands)


# --- gaps and trouble -------------------------------------------------------------------------------------------------


def test_a_version_that_cannot_be_had_is_a_stated_gap(past: Past) -> None:
    few(past)
    past.standin.fail(Fault.NOT_FOUND, path="/history/2")

    report = past.fill()

    assert report.outcome == "complete"
    assert past.order() == ["h0", "h1", "h3"]
    [gap] = report.gaps
    assert (gap.registry_version, gap.registry_date, gap.is_final) == (2, "2025-01-30", True)
    assert "asked for version 2 of NCT99000001 and answered 404" in gap.reason
    assert [(step.from_version, step.to_version) for step in past.steps()] == [(1, 2), (2, 3)]


def test_a_gap_that_is_filled_later_adds_finer_steps_and_is_a_gap_no_more(past: Past) -> None:
    few(past)
    past.standin.fail(Fault.SERVER_ERROR, path="/history/2")
    waiting = past.fill()
    past.standin.clear()

    report = past.fill()

    assert [gap.is_final for gap in waiting.gaps] == [False]
    assert (report.stored, report.gaps) == (1, [])
    assert past.order() == ["h0", "h1", "h2", "h3"]
    assert sorted((step.from_version, step.to_version) for step in finest_steps(past.steps())) == [
        (1, 2),
        (2, 4),
        (4, 3),
    ]
    assert past.everything()


@pytest.mark.parametrize(
    "fault", [Fault.NOT_FOUND_PAGE, Fault.NOT_FOUND, Fault.FORBIDDEN, Fault.WRONG_SHAPE, Fault.HTML_200, Fault.REDIRECT]
)
def test_a_vanished_interface_is_one_clear_sentence_and_nothing_else(past: Past, fault: Fault) -> None:
    past.standin.fail(fault, path="/api/int/")

    report = past.fill()

    assert (report.outcome, report.stored) == ("waiting", 0)
    assert report.trouble is not None
    assert report.trouble.startswith(f"ClinicalTrials.gov was asked for the history of {TRIAL} and ")
    assert past.registry.release().date == "2026-06-01"
    assert len(list(past.registry.fetch([TRIAL], {}))) == 1


def test_an_interface_that_breaks_on_the_way_keeps_what_came_and_says_so(past: Past) -> None:
    for number in (2, 3, 4):
        past.standin.fail(Fault.NOT_FOUND, path=f"/history/{number}")

    report = past.fill()

    assert (report.outcome, report.stored, report.gaps) == ("waiting", 2, [])
    assert report.trouble is not None
    assert f"version 4 of {TRIAL}" in report.trouble
    assert len(past.steps()) == 1
    past.standin.clear()
    assert (past.fill().outcome, len(past.versions()), len(past.steps())) == ("complete", 40, 39)


def test_the_list_is_also_found_where_the_page_has_it(past: Past) -> None:
    few(past)
    past.standin.fail(Fault.NOT_FOUND, 1, path="/history")

    assert past.fill().stored == 4


def test_how_it_ended_is_kept_and_the_pauses_grow(past: Past) -> None:
    past.standin.fail(Fault.FORBIDDEN, path="/api/int/")
    pauses = []
    for _ in range(3):
        past.fill()
        with past.database.read() as connection:
            kept = archive.filling(connection, "ctgov", [TRIAL])[TRIAL]
        assert kept.next_at is not None
        pauses.append((kept.next_at - NOW).total_seconds() / 3600)

    assert pauses == [1, 2, 4]
    assert (kept.state, kept.is_joined) == ("waiting", False)
    past.standin.clear()
    past.fill()
    with past.database.read() as connection:
        kept = archive.filling(connection, "ctgov", [TRIAL])[TRIAL]
    assert (kept.state, kept.failures, kept.listed) == ("complete", 0, 40)


def test_a_stored_version_that_cannot_be_read_is_told_and_harms_no_other_record(past: Past) -> None:
    observed = past.observe(version(3), posted(3))
    with past.database.write() as connection:
        connection.execute(update(versions).where(versions.c.number == observed).values(data=b"damaged"))

    report = past.fill()

    assert report.outcome == "waiting"
    assert report.trouble is not None
    assert report.trouble.startswith(f"version {observed} cannot be read")


def test_stopping_while_the_interface_fails_loses_nothing(past: Past) -> None:
    past.standin.fail(Fault.FORBIDDEN, path=f"{TRIAL}/history/")

    assert past.fill(stop=stop_after(4)).outcome == "waiting"
    past.standin.clear()
    assert (past.fill().outcome, len(past.versions())) == ("complete", 40)


# --- interrupted ------------------------------------------------------------------------------------------------------


def test_stopped_anywhere_and_resumed_it_is_the_same_archive(
    sqlite_files: SqliteFiles, tmp_path: Path, standin: StandIn
) -> None:
    def fresh(name: str) -> Past:
        (tmp_path / name).mkdir()
        made = Past(Database(sqlite_files.url(tmp_path / name, tables=True)), standin, FORTY[:12])
        made.observe(version(11), "2026-06-01")
        return made

    whole = fresh("whole")
    whole.fill()
    chance = random.Random(3)
    for number in range(4):
        broken = fresh(str(number))
        tries = (broken.fill(stop=stop_after(chance.randint(1, 8))) for _ in range(100))
        assert sum(1 for _ in takewhile(lambda report: report.outcome == "stopped", tries)) >= 3
        assert broken.everything() == whole.everything()
        broken.database.dispose()
    whole.database.dispose()


@pytest.mark.kill
@pytest.mark.chaos
def test_killed_at_any_moment_and_resumed_it_is_the_same_archive(
    database: Database, sqlite_files: SqliteFiles, tmp_path: Path, standin: StandIn
) -> None:
    (tmp_path / "unbroken").mkdir()
    unbroken = Past(Database(sqlite_files.url(tmp_path / "unbroken", tables=True)), standin)
    unbroken.fill()
    killed = Past(database, standin)

    assert killed.fill_and_kill(times=20, chance=random.Random(5)) >= 15
    assert killed.fill().outcome == "complete"

    assert killed.everything() == unbroken.everything()
    unbroken.database.dispose()
    killed.observe(FORTY[-1], "2026-06-01")
    killed.fill()
    assert killed.steps()[-1].cause == "back-filled"
    assert killed.steps()[-1].changes == ()


def test_neighbours_in_history_are_joined_step_by_step(past: Past) -> None:
    past.observe(FORTY[-1], "2026-06-01")
    past.fill()

    spans = [(step.from_version, step.to_version) for step in past.steps() if step.cause == "back-filled"]
    assert all(before[1] == after[0] for before, after in pairwise(spans))
    assert len(spans) == 40
