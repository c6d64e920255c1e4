"""Status periods, courses of numbers, slips and outcomes' lives of trials whose answers are known by hand."""

from datetime import date, timedelta
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from snapshots.registries.ctgov.parse import parse
from snapshots.timeline import (
    Dated,
    OutcomeLife,
    Slips,
    answer_words,
    days_by_status,
    enrollment_course,
    move_words,
    outcome_lives,
    sites_course,
    slips,
    slips_words,
    status_periods,
    submitted_on,
    total_words,
    uneven_words,
)
from snapshots.trial import Enrollment, Outcome, Site
from tests.snapshots.histories import actual, outcomes, planned, primary_completions, said, statuses

TODAY = date(2026, 11, 22)
SEEDS = sorted((Path(__file__).parents[1] / "fixtures" / "registry").glob("*.json"))


# --- status ----------------------------------------------------------------------------------------------------------


def test_periods_follow_each_other_without_a_hole_and_the_last_one_lasts_to_today() -> None:
    found = status_periods(statuses(("2026-01-01", "NOT_YET_RECRUITING"), ("2026-03-02", "RECRUITING")), TODAY)

    assert [(period.since, period.until, period.days) for period in found] == [
        ("2026-01-01", "2026-03-02", 60),
        ("2026-03-02", None, 265),
    ]


def test_a_status_that_comes_back_is_a_period_of_its_own_and_its_days_add_up() -> None:
    found = status_periods(
        statuses(("2026-01-01", "RECRUITING"), ("2026-01-11", "SUSPENDED"), ("2026-01-16", "RECRUITING")),
        date(2026, 1, 26),
    )

    assert [period.status for period in found] == ["RECRUITING", "SUSPENDED", "RECRUITING"]
    assert [period.began_by for period in found] == [None, "study.suspended", "recruitment.resumed"]
    assert days_by_status(found) == {"RECRUITING": 20, "SUSPENDED": 5}


def test_versions_that_say_the_same_status_are_one_period() -> None:
    assert len(status_periods(statuses(("2026-01-01", "RECRUITING"), ("2026-02-01", "RECRUITING")), TODAY)) == 1


def test_an_unknown_period_tells_what_was_known_last_and_how_it_ended() -> None:
    versions = said(
        ("2022-01-01", {"overall_status": "RECRUITING"}),
        ("2026-03-02", {"overall_status": "UNKNOWN", "last_known_status": "RECRUITING"}),
        ("2026-04-02", {"overall_status": "RECRUITING", "last_known_status": None}),
    )

    recruiting, unknown, again = status_periods(versions, TODAY)
    assert (unknown.is_unknown, unknown.last_known, unknown.days) == (True, "RECRUITING", 31)
    assert (unknown.began_by, again.began_by) == ("status.unknown", "status.reverified")
    assert not recruiting.is_unknown


def test_a_reversed_stop_is_named_and_the_reason_stays_with_the_stop() -> None:
    versions = said(
        ("2026-01-01", {"overall_status": "TERMINATED", "why_stopped": "Money"}),
        ("2026-01-05", {"why_stopped": "No money"}),
        ("2026-02-01", {"overall_status": "RECRUITING", "why_stopped": None}),
    )

    stopped, resumed = status_periods(versions, TODAY)
    assert (stopped.why_stopped, resumed.why_stopped) == ("No money", None)
    assert resumed.began_by == "study.stop_reversed"


def test_a_history_that_does_not_begin_with_the_registration_says_so() -> None:
    late = said(("2026-01-01", {"overall_status": "RECRUITING"}), registered=False)
    first = {"studyFirstSubmitDate": "2026-01-01", "lastUpdateSubmitDate": "2026-01-01"}
    registration = said(("2026-01-01", {"overall_status": "RECRUITING", "bookkeeping_dates": first}), registered=False)

    assert not status_periods(late, TODAY)[0].since_known
    assert status_periods(registration, TODAY)[0].since_known


def test_what_follows_missing_versions_says_so() -> None:
    before, after = statuses(("2026-01-01", "RECRUITING"), ("2026-03-01", "COMPLETED"))

    found = status_periods([before, msgspec.structs.replace(after, gap=2)], TODAY)

    assert [period.after_gap for period in found] == [False, True]


def test_no_versions_have_no_periods_slips_or_outcomes() -> None:
    assert status_periods([], TODAY) == ()
    assert [slip.first for slip in slips([])] == [None, None, None]
    assert outcome_lives([]) == ()


# --- numbers ---------------------------------------------------------------------------------------------------------


def test_enrollment_tells_each_number_once_and_by_how_much_it_changed() -> None:
    versions = said(
        ("2026-01-01", {"enrollment": Enrollment(100, "ESTIMATED")}),
        ("2026-02-01", {"enrollment": Enrollment(100)}),
        ("2026-03-01", {"enrollment": Enrollment(140, "ESTIMATED")}),
        ("2026-04-01", {"enrollment": Enrollment(99999999, "ESTIMATED")}),
        ("2026-05-01", {"enrollment": Enrollment(38, "ACTUAL")}),
    )

    found = enrollment_course(versions)

    assert [(point.date, point.count, point.difference) for point in found] == [
        ("2026-01-01", 100, None),
        ("2026-03-01", 140, 40),
        ("2026-04-01", None, None),
        ("2026-05-01", 38, None),
    ]


def test_sites_are_counted_with_the_open_ones_and_their_countries() -> None:
    here = Site(country="Turkey", status="RECRUITING")
    versions = said(
        ("2026-01-01", {"sites": (here,)}),
        ("2026-02-01", {"sites": (here, Site(country="Turkey (Türkiye)", status="NOT_YET_RECRUITING"))}),
        ("2026-03-01", {"overall_status": "WITHHELD", "sites": ()}),
        ("2026-04-01", {"overall_status": "RECRUITING", "sites": (here, Site(country="Chile"))}),
    )

    found = sites_course(versions)

    assert [(point.sites, point.open, point.countries) for point in found] == [(1, 1, 1), (2, 1, 1), (2, 1, 2)]


# --- slips -----------------------------------------------------------------------------------------------------------


def slip(versions: list[Dated]) -> Slips:
    return slips(versions)[1]


def test_each_delay_is_counted_and_the_total_runs_from_the_first_plan() -> None:
    found = slip(
        primary_completions(
            ("2024-01-01", planned("2025-01-31")),
            ("2024-06-01", planned("2025-06-30")),
            ("2025-05-01", planned("2026-01-31")),
            ("2026-01-01", planned("2026-10-31")),
        )
    )

    assert [(move.days, move.total_days, move_words(found, move)) for move in found.moves] == [
        (150, 150, "first delay, +150 days (about 5 months)"),
        (215, 365, "second delay, +215 days (about 7 months)"),
        (273, 638, "third delay, +273 days (about 9 months)"),
    ]
    assert total_words(found, 638) == "+638 days (about 21 months) since first planned"
    assert slips_words(found) == "3 delays, +638 days (about 21 months) since first planned"


def test_where_the_registration_is_not_stored_nothing_is_called_first() -> None:
    moved = {"primary_completion_date": planned("2025-06-30")}
    found = slip(
        said(
            ("2024-01-01", {"primary_completion_date": planned("2025-01-31")}), ("2024-06-01", moved), registered=False
        )
    )

    assert [move_words(found, move) for move in found.moves] == ["first stored delay, +150 days (about 5 months)"]
    assert slips_words(found) == "1 delay, +150 days (about 5 months) since the first version stored here"


def test_how_often_a_date_was_moved_is_one_phrase() -> None:
    moved = slip(primary_completions(("2024-01-01", planned("2025-01-31")), ("2024-06-01", planned("2025-06-30"))))
    still = slip(primary_completions(("2024-01-01", planned("2025-01-31"))))

    assert answer_words(moved) == "1 delay, 150 days (about 5 months) later in all; now 30 June 2025 (estimated)"
    assert answer_words(still) == "not moved in the versions stored here; now 31 January 2025 (estimated)"
    reached = slip(primary_completions(("2024-01-01", planned("2025-01")), ("2025-02-01", actual("2025-01-20"))))
    assert answer_words(reached) == "not moved in the versions stored here; now 20 January 2025 (actual)"
    assert answer_words(slip(statuses(("2024-01-01", "RECRUITING")))) == "not stated"


def test_delays_and_dates_brought_forward_are_counted_each_and_what_moves_nothing_is_not() -> None:
    there_and_back = slip(
        primary_completions(
            ("2024-01-01", planned("2025-06-30")),
            ("2024-02-01", planned("2025-09-30")),
            ("2024-03-01", planned("2025-05-30")),
            ("2024-04-01", planned("2025-03-30")),
        )
    )
    on_time = slip(
        primary_completions(
            ("2024-01-01", planned("2025-06")),
            ("2024-02-01", planned("2025-06-30")),
            ("2024-03-01", planned("2025-05-30")),
            ("2025-06-01", actual("2025-05-30")),
        )
    )
    refined = slip(primary_completions(("2024-01-01", planned("2025-06")), ("2024-02-01", planned("2025-06-30"))))

    told = "1 delay and 2 brought forward, 92 days earlier in all; now 30 March 2025 (estimated)"
    assert answer_words(there_and_back) == told
    assert slips_words(there_and_back) == "1 delay and 2 brought forward, −92 days since first planned"
    assert answer_words(on_time).startswith("1 brought forward, 31 days earlier in all")
    assert slips_words(refined) == "not moved in the versions stored here"


def test_a_date_taken_out_and_stated_again_later_is_moved_once() -> None:
    stated = (("2024-01-01", planned("2025-01-01")), ("2024-02-01", None), ("2024-03-01", planned("2025-02-01")))

    assert answer_words(slip(primary_completions(*stated))).startswith("1 move, 31 days later in all")
    assert answer_words(slip(primary_completions(*stated[:2]))) == "1 move; taken out by now"


def test_where_steps_do_not_add_up_to_the_total_the_month_that_is_to_blame_is_named() -> None:
    found = slip(
        primary_completions(
            ("2024-01-01", planned("2025-05")),
            ("2024-06-01", planned("2025-06-15")),
            ("2025-05-01", planned("2025-07-20")),
            ("2025-06-01", planned("2025-08-20")),
        )
    )

    assert [move.days for move in found.moves] == [31, 35, 31]
    assert [move.total_days for move in found.moves] == [31, 61, 92]
    assert found.uneven == (False, True, False)
    assert uneven_words(found, found.moves[1]).endswith("May 2025 names no day, and is compared by its month")


@given(st.lists(st.dates(date(2020, 1, 1), date(2030, 1, 1)), min_size=1, max_size=6))
def test_steps_between_whole_days_always_add_up(days: list[date]) -> None:
    stated = [(f"2024-01-{number:02}", planned(day.isoformat())) for number, day in enumerate(days, 1)]

    assert not any(slip(primary_completions(*stated)).uneven)


def test_there_and_back_again_is_two_moves_and_no_slip() -> None:
    found = slip(
        primary_completions(
            ("2024-01-01", planned("2025-01")), ("2024-02-01", planned("2025-04")), ("2024-03-01", planned("2025-01"))
        )
    )

    assert [(move.kind, move.days) for move in found.moves] == [
        ("primary_completion_date.delayed", 90),
        ("primary_completion_date.advanced", -90),
    ]
    assert (found.total_days, found.delays) == (0, 1)


def test_a_month_made_precise_moves_nothing_and_is_no_head_start() -> None:
    found = slip(
        primary_completions(
            ("2024-01-01", planned("2025-05")),
            ("2024-02-01", planned("2025-05-31")),
            ("2024-03-01", planned("2025-06")),
        )
    )

    assert [(move.kind.partition(".")[2], move.days, move.precision) for move in found.moves] == [
        ("refined", 0, "month"),
        ("delayed", 31, "month"),
    ]
    assert found.total_days == 31


def test_a_date_that_comes_late_adds_to_the_total_and_is_no_delay() -> None:
    found = slip(primary_completions(("2024-01-01", planned("2025-01-01")), ("2025-03-01", actual("2025-02-20"))))

    assert [(move.kind, move.days, move.delays) for move in found.moves] == [("primary_completion_date.reached", 50, 0)]
    assert found.total_days == 50


def test_a_date_that_was_taken_out_is_compared_with_what_it_was_when_it_returns() -> None:
    found = slip(
        primary_completions(
            ("2024-01-01", planned("2025-01-01")), ("2024-02-01", None), ("2024-03-01", planned("2025-02-01"))
        )
    )

    assert [(move.kind.partition(".")[2], move.days, move.total_days) for move in found.moves] == [
        ("removed", None, None),
        ("added", 31, 31),
    ]


def test_a_first_date_that_was_actual_is_no_plan() -> None:
    found = slip(primary_completions(("2024-01-01", actual("2024-01-01")), ("2024-02-01", actual("2024-01-03"))))

    assert slips_words(found) == "1 move, +2 days since first known"
    assert [move_words(found, move) for move in found.moves] == ["actual date corrected, +2 days"]


def test_a_date_that_is_none_moves_by_no_days() -> None:
    found = slip(primary_completions(("2024-01-01", planned("2025-01")), ("2024-02-01", planned("next spring"))))

    assert [(move.kind, move.days, move.total_days) for move in found.moves] == [("record.changed", None, None)]


def test_a_withheld_record_has_not_lost_its_dates() -> None:
    versions = said(
        ("2024-01-01", {"overall_status": "RECRUITING", "completion_date": planned("2025-01")}),
        ("2024-02-01", {"overall_status": "WITHHELD", "completion_date": None}),
        ("2024-03-01", {"overall_status": "RECRUITING", "completion_date": planned("2025-02")}),
    )

    assert [move.days for move in slips(versions)[2].moves] == [31]


DAYS = st.dates(date(2000, 1, 1), date(2040, 12, 31)).map(date.isoformat)
MONTHS = DAYS.map(lambda day: day[:7])


@given(st.lists(DAYS, min_size=1, max_size=8))
def test_days_of_full_dates_add_up_to_the_total(dates: list[str]) -> None:
    versions = primary_completions(*((f"2020-01-{at + 1:02d}", planned(known)) for at, known in enumerate(dates)))

    found = slip(versions)

    assert sum(move.days or 0 for move in found.moves) == found.total_days
    assert found.delays == sum((move.days or 0) > 0 for move in found.moves)


@given(st.lists(DAYS | MONTHS, min_size=1, max_size=8))
def test_the_total_depends_on_the_first_and_the_latest_date_alone(dates: list[str]) -> None:
    every = primary_completions(*((f"2020-01-{at + 1:02d}", planned(known)) for at, known in enumerate(dates)))

    assert slip(every).total_days == slip([every[0], every[-1]]).total_days


# --- outcomes --------------------------------------------------------------------------------------------------------

PAIN, SLEEP, DEATH = "Pain on a scale of ten", "Hours of sleep each night", "Death from any cause"
DATES = {"start_date": actual("2023-01-01"), "primary_completion_date": actual("2024-05")}


def what(life: OutcomeLife) -> list[tuple[str, str]]:
    return [(event.what, event.when) for event in life.events]


def test_an_outcome_dropped_and_one_added_after_primary_completion_are_seen_as_switched() -> None:
    versions = said(
        ("2022-06-01", {**DATES, "primary_outcomes": outcomes(PAIN), "secondary_outcomes": outcomes(SLEEP)}),
        ("2024-07-01", {"primary_outcomes": outcomes(DEATH)}),
    )

    pain, death, sleep = outcome_lives(versions)

    assert what(pain) == [("listed", "before start"), ("dropped", "before results")]
    assert what(death) == [("added", "before results")]
    assert (pain.until, death.since, sleep.until) == ("2024-07-01", "2024-07-01", None)
    assert [life.is_switched for life in (pain, death, sleep)] == [True, True, False]


@pytest.mark.parametrize(
    ("day", "results", "moment"),
    [
        ("2022-12-31", False, "before start"),
        ("2023-01-01", False, "before primary completion"),
        ("2024-05-31", False, "before primary completion"),  # all of the month
        ("2024-06-01", False, "before results"),
        ("2024-06-01", True, "with results"),
    ],
)
def test_the_moment_is_judged_by_the_dates_known_last(day: str, results: bool, moment: str) -> None:
    versions = said(
        ("2022-06-01", {"primary_outcomes": outcomes(PAIN), "primary_completion_date": planned("2023-02")}),
        (day, {"primary_outcomes": outcomes(DEATH), "has_results": results}),
        ("2025-01-01", {**DATES, "has_results": True}),
    )

    assert {event.when for life in outcome_lives(versions) for event in life.events if event.on == day} == {moment}


def test_what_changes_after_results_were_posted_is_after_them() -> None:
    versions = said(
        ("2025-01-01", {**DATES, "primary_outcomes": outcomes(PAIN), "has_results": True}),
        ("2025-02-01", {"primary_outcomes": outcomes(PAIN, DEATH)}),
    )

    assert what(outcome_lives(versions)[1]) == [("added", "after results")]


def test_without_dates_the_moment_is_unknown() -> None:
    assert what(outcome_lives(said(("2024-01-01", {"primary_outcomes": outcomes(PAIN)})))[0]) == [("listed", "unknown")]


def test_a_demoted_and_promoted_outcome_is_one_life() -> None:
    versions = said(
        ("2023-06-01", {**DATES, "primary_outcomes": outcomes(PAIN), "secondary_outcomes": outcomes(SLEEP)}),
        ("2024-01-01", {"primary_outcomes": outcomes(SLEEP), "secondary_outcomes": outcomes(PAIN)}),
        ("2024-06-01", {"primary_outcomes": outcomes(PAIN), "secondary_outcomes": outcomes(SLEEP)}),
    )

    pain, sleep = outcome_lives(versions)

    assert [event.what for event in pain.events] == ["listed", "demoted", "promoted"]
    assert [event.what for event in sleep.events] == ["listed", "promoted", "demoted"]
    assert (pain.first_level, pain.level) == ("primary", "primary")


def test_rewording_time_frame_and_description_are_told_apart() -> None:
    first = Outcome(measure="Change in pain on a scale of ten", time_frame="12 weeks", description="By the patient")
    second = Outcome(measure="Change in pain on a scale of 100", time_frame="24 weeks", description="By the nurse")
    versions = said(
        ("2023-06-01", {**DATES, "other_outcomes": (first,)}), ("2023-07-01", {"other_outcomes": (second,)})
    )

    (life,) = outcome_lives(versions)

    assert [event.what for event in life.events] == [
        "listed",
        "reworded",
        "time frame changed",
        "description changed",
    ]
    assert (life.measure, life.first_measure) == (second.measure, first.measure)


def test_an_outcome_that_returns_lives_on() -> None:
    versions = said(
        ("2023-06-01", {**DATES, "primary_outcomes": outcomes(PAIN, DEATH)}),
        ("2023-07-01", {"primary_outcomes": outcomes(DEATH)}),
        ("2023-08-01", {"primary_outcomes": outcomes(DEATH), "secondary_outcomes": outcomes(PAIN.upper())}),
    )

    pain, _ = outcome_lives(versions)

    assert [event.what for event in pain.events] == ["listed", "dropped", "returned"]
    assert (pain.until, pain.level, len(outcome_lives(versions))) == (None, "secondary", 2)


def test_alike_outcomes_keep_lives_of_their_own() -> None:
    versions = said(
        ("2023-06-01", {**DATES, "primary_outcomes": outcomes(PAIN, PAIN)}),
        ("2023-07-01", {"primary_outcomes": outcomes(PAIN)}),
    )

    assert sorted(len(life.events) for life in outcome_lives(versions)) == [1, 2]


MEASURES = st.lists(st.sampled_from((PAIN, PAIN.upper(), SLEEP, DEATH, "Change in pain on a scale of 100")), max_size=3)


@given(st.lists(st.tuples(MEASURES, MEASURES), min_size=1, max_size=5))
def test_every_outcome_listed_last_is_one_standing_life_and_events_tell_how_it_came_there(
    lists: list[tuple[list[str], list[str]]],
) -> None:
    versions = said(
        *(
            (f"2023-01-{at:02d}", {"primary_outcomes": outcomes(*first), "secondary_outcomes": outcomes(*second)})
            for at, (first, second) in enumerate(lists, 1)
        )
    )

    lives = outcome_lives(versions)
    standing = sorted((life.level, life.measure or "") for life in lives if life.until is None)
    first, second = lists[-1]
    assert standing == sorted([*(("primary", each) for each in first), *(("secondary", each) for each in second)])
    for life in lives:
        assert life.events[0].what in ("listed", "added")
        came_and_went = [event.what for event in life.events if event.what in ("dropped", "returned")]
        assert came_and_went == ["dropped", "returned"] * (len(came_and_went) // 2) + ["dropped"] * (
            life.until is not None
        )


def test_the_layout_of_the_history_interface_is_no_change() -> None:
    html = Outcome(measure="Pain", time_frame="<p>12 &gt; 4 weeks</p>")
    plain = Outcome(measure="Pain", time_frame="12 \\> 4 weeks")

    (life,) = outcome_lives(
        said(("2023-06-01", {"primary_outcomes": (html,)}), ("2023-07-01", {"primary_outcomes": (plain,)}))
    )

    assert len(life.events) == 1


def test_the_sponsors_own_date_decides_where_the_record_tells_it() -> None:
    """A version is seen some days after it was submitted: what counts is when it was said."""
    versions = said(
        ("2024-05-01", {**DATES, "primary_outcomes": outcomes(PAIN)}),
        (
            "2024-06-03",
            {"primary_outcomes": outcomes(DEATH), "bookkeeping_dates": {"lastUpdateSubmitDate": "2024-05-30"}},
        ),
    )

    assert submitted_on(versions[1]) == "2024-05-30"
    assert what(outcome_lives(versions)[1]) == [("added", "before primary completion")]


# --- the seed trials -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", SEEDS, ids=lambda path: path.stem)
def test_a_record_without_whole_modules_has_answers_too(seed: Path) -> None:
    trial = parse(seed.read_bytes())
    versions = [Dated("2026-03-02", trial, 1), Dated("2026-03-03", trial, 2)]

    assert len(status_periods(versions, TODAY)) == 1
    assert all(found.moves == () for found in slips(versions))
    assert all(len(life.events) == 1 for life in outcome_lives(versions))
    assert len(enrollment_course(versions)) == len(sites_course(versions)) == 1


def test_the_seed_trials_completion_date_slips_as_any_other() -> None:
    seed = next(path for path in SEEDS if path.stem == "NCT06969807")
    trial = parse(seed.read_bytes())
    later = msgspec.structs.replace(trial, completion_date=planned("2028-08"))

    start, primary, completion = slips([Dated("2026-03-02", trial), Dated("2026-03-09", later)])

    assert (start.total_days, primary.total_days, completion.total_days) == (0, None, 92)
    assert timedelta(days=92) == date(2028, 8, 1) - date(2028, 5, 1)
