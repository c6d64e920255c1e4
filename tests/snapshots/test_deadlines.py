"""Deadlines of invented trials whose answers are known by hand; the rules' texts and sources with them."""

from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from snapshots.deadlines import Finding, compliance, probably_covered, years_after
from snapshots.registries.ctgov.parse import parse
from snapshots.timeline import Dated
from snapshots.trial import PartialDate, Site, SubmissionEvent
from tests.snapshots.histories import actual, planned, said

TODAY = date(2026, 11, 22)
SEEDS = sorted((Path(__file__).parents[1] / "fixtures" / "registry").glob("*.json"))
COVERED = {
    "study_type": "INTERVENTIONAL",
    "phases": ("PHASE3",),
    "oversight": {"isFdaRegulatedDrug": True, "isFdaRegulatedDevice": False},
    "sites": (Site(country="United States"),),
}


def found(question: str, today: date = TODAY, **facts: Any) -> Finding:
    return answers(said(("2026-03-02", {**COVERED, **facts})), today)[question]


def answers(versions: list[Dated], today: date = TODAY) -> dict[str, Finding]:
    return {finding.question: finding for finding in compliance(versions, today)}


def registered(day: str) -> dict[str, str]:
    return {"studyFirstSubmitDate": day}


# --- registration ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("submitted", "start", "answer", "days"),
    [
        ("2026-03-01", actual("2026-03-02"), "yes", -1),
        ("2026-03-02", actual("2026-03-02"), "yes", 0),
        ("2026-03-05", actual("2026-03-02"), "no", 3),
        ("2026-02-28", planned("2026-03"), "yes", -1),
        ("2026-03-01", planned("2026-03"), "yes", 0),
        ("2026-03-15", planned("2026-03"), "cannot be told", None),
        ("2026-04-02", planned("2026-03"), "no", 2),
    ],
)
def test_registration_before_the_start(submitted: str, start: PartialDate, answer: str, days: int | None) -> None:
    told = found("registered before start", start_date=start, bookkeeping_dates=registered(submitted))

    assert (told.answer, told.days) == (answer, days)


def test_the_law_gives_three_weeks_from_the_start_and_a_month_counts_to_its_end() -> None:
    told = found("registered in time", start_date=actual("2026-02"), bookkeeping_dates=registered("2026-03-22"))

    assert (told.answer, told.due, told.days, told.source) == ("no", "2026-03-21", 1, "42 CFR 11.24(a)")


# --- results ---------------------------------------------------------------------------------------------------------

RESULTS, TRACKED = "results submitted in time", "results in time as trackers count"


@pytest.mark.parametrize(
    ("primary_completion", "due", "tracked"),
    [
        ("2025-03-15", "2026-03-15", "2026-04-14"),
        ("2025-03", "2026-03-31", "2026-04-30"),
        ("2024-02", "2025-02-28", "2025-03-30"),
        ("2024", "2025-12-31", "2026-01-30"),
    ],
)
def test_results_are_due_a_year_after_primary_completion(primary_completion: str, due: str, tracked: str) -> None:
    closing = actual(primary_completion)

    assert found(RESULTS, primary_completion_date=closing).due == due
    assert found(TRACKED, primary_completion_date=closing).due == tracked


@pytest.mark.parametrize(
    ("today", "law", "trackers"),
    [
        (date(2026, 3, 31), "not yet", "not yet"),
        (date(2026, 4, 1), "no", "not yet"),
        (date(2026, 4, 30), "no", "not yet"),
        (date(2026, 5, 1), "no", "no"),
    ],
)
def test_results_are_overdue_from_the_day_after(today: date, law: str, trackers: str) -> None:
    closing = actual("2025-03")

    assert found(RESULTS, today, primary_completion_date=closing).answer == law
    assert found(TRACKED, today, primary_completion_date=closing).answer == trackers


def test_a_certificate_of_delay_gives_two_years_from_its_own_day_and_three_to_trackers() -> None:
    facts = {
        "primary_completion_date": actual("2024-03"),
        "delay_certificate_dates": {"dispFirstSubmitDate": "2025-01-02"},
    }

    assert (found(RESULTS, **facts).due, found(RESULTS, **facts).answer) == ("2027-01-02", "not yet")
    assert "earlier where the FDA decided earlier" in found(RESULTS, **facts).summary
    assert found(TRACKED, **facts).due == "2027-04-30"
    assert "certificate of delay" in found(TRACKED, **facts).summary


@pytest.mark.parametrize(
    ("certified", "due", "words"),
    [
        ("2025-03-31", "2027-03-31", "2 years after the certificate"),
        ("2025-04-01", "2025-03-31", "too late to count"),
        ("2022-11-01", "2025-03-31", "2 years after the certificate"),
    ],
)
def test_a_certificate_counts_only_before_results_were_due_and_never_shortens_the_year(
    certified: str, due: str, words: str
) -> None:
    told = found(
        RESULTS,
        primary_completion_date=actual("2024-03"),
        delay_certificate_dates={"dispFirstSubmitDate": certified},
    )

    assert told.due == due
    assert words in told.summary


def test_submitted_results_are_judged_by_the_day_they_came_not_by_today() -> None:
    early = found(
        RESULTS,
        primary_completion_date=actual("2020-03-31"),
        has_results=True,
        bookkeeping_dates={"resultsFirstSubmitDate": "2021-03-31"},
    )
    late = found(
        RESULTS,
        primary_completion_date=actual("2020-03-31"),
        submission_events=(SubmissionEvent("RELEASE", "2021-05-01"),),
    )

    assert (early.answer, early.days) == ("yes", 0)
    assert (late.answer, late.days) == ("no", 31)


def test_posted_results_of_an_unknown_day_are_not_called_late() -> None:
    told = found(RESULTS, primary_completion_date=actual("2020-03-31"), has_results=True)

    assert (told.answer, told.days, told.due) == ("cannot be told", None, "2021-03-31")


def test_a_plan_counts_as_long_as_nothing_else_is_said_and_says_so() -> None:
    told = found(RESULTS, primary_completion_date=planned("2025-10"))

    assert told.answer == "no"
    assert "planned primary completion date, October 2025" in told.summary


def test_without_primary_completion_the_completion_date_stands_in_and_that_is_said() -> None:
    told = found(RESULTS, completion_date=planned("2028-05-15"))

    assert (told.answer, told.due) == ("not yet", "2029-05-15")
    assert "states no primary completion date" in told.summary
    assert found(RESULTS).answer == "cannot be told"


def test_a_withdrawn_study_owes_nothing() -> None:
    facts = {
        "overall_status": "WITHDRAWN",
        "primary_completion_date": planned("2020-01"),
        "start_date": planned("2019-01"),
    }
    told = answers(said(("2026-03-02", {**COVERED, **facts})))

    assert told[RESULTS].answer == told[TRACKED].answer == told["start date updated in time"].answer == "does not apply"


# --- does the law apply ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("facts", "applies"),
    [
        ({}, "likely"),
        ({"study_type": "OBSERVATIONAL"}, "not likely"),
        ({"phases": ("EARLY_PHASE1",)}, "not likely"),
        ({"phases": ("PHASE1", "PHASE2")}, "likely"),
        ({"design": {"designInfo": {"primaryPurpose": "DEVICE_FEASIBILITY"}}}, "not likely"),
        ({"oversight": {"isFdaRegulatedDrug": False, "isFdaRegulatedDevice": False}}, "not likely"),
        ({"oversight": {"isFdaRegulatedDrug": False}}, "cannot be told"),
        ({"study_type": None, "oversight": {}}, "cannot be told"),
        ({"sites": (Site(country="France"),)}, "cannot be told"),
        ({"sites": (Site(country="France"), Site(country="Puerto Rico"))}, "likely"),
        ({"sites": (), "oversight": {"isFdaRegulatedDrug": True, "isUsExport": True}}, "likely"),
    ],
)
def test_whether_the_law_applies_is_a_guess_from_the_record(facts: dict[str, Any], applies: str) -> None:
    assert probably_covered(said(("2026-03-02", {**COVERED, **facts}))[0].trial) == applies


def test_studies_that_ended_before_the_rule_are_left_open() -> None:
    assert found(RESULTS, primary_completion_date=actual("2016-05-01")).applies == "cannot be told"


# --- verification and updates ----------------------------------------------------------------------------------------

VERIFIED = "status verified in time"


@pytest.mark.parametrize(
    ("today", "answer", "days"),
    [(date(2026, 2, 28), "not yet", 0), (date(2026, 3, 2), "no", 2)],
)
def test_verification_lapses_two_years_after_the_month(today: date, answer: str, days: int) -> None:
    """As the registry does it: verified February 2024 and past its completion, it became UNKNOWN on 2 March 2026."""
    told = found(
        VERIFIED,
        today,
        overall_status="NOT_YET_RECRUITING",
        completion_date=planned("2025-11-04"),
        bookkeeping_dates={"statusVerifiedDate": "2024-02"},
    )

    assert (told.answer, told.due, told.days) == (answer, "2026-02-28", days)


def test_a_study_that_is_not_past_its_completion_does_not_lapse() -> None:
    told = found(
        VERIFIED,
        overall_status="RECRUITING",
        completion_date=planned("2028"),
        bookkeeping_dates={"statusVerifiedDate": "2021-02"},
    )

    assert told.answer == "yes"


def test_an_unknown_status_has_lapsed_and_a_completed_one_cannot() -> None:
    verified = {"statusVerifiedDate": "2024-02"}
    unknown = found(VERIFIED, overall_status="UNKNOWN", last_known_status="RECRUITING", bookkeeping_dates=verified)

    assert unknown.answer == "no"
    assert "last known: recruiting" in unknown.summary
    assert found(VERIFIED, overall_status="COMPLETED", bookkeeping_dates=verified).answer == "does not apply"


@pytest.mark.parametrize(("last", "answer"), [("2025-11-22", "yes"), ("2025-11-21", "no")])
def test_a_record_is_updated_once_a_year(last: str, answer: str) -> None:
    told = found("updated within a year", overall_status="RECRUITING", bookkeeping_dates={"lastUpdateSubmitDate": last})

    assert told.answer == answer


PRIMARY = "primary completion date updated in time"


@pytest.mark.parametrize(("told_on", "answer", "days"), [("2026-04-19", "yes", 0), ("2026-05-01", "no", 12)])
def test_a_reached_date_is_told_within_thirty_days(told_on: str, answer: str, days: int) -> None:
    versions = said(
        ("2025-01-02", {**COVERED, "primary_completion_date": planned("2026-03-31")}),
        (
            "2026-05-04",
            {"primary_completion_date": actual("2026-03-20"), "bookkeeping_dates": {"lastUpdateSubmitDate": told_on}},
        ),
        ("2026-06-01", {"bookkeeping_dates": {"lastUpdateSubmitDate": "2026-06-01"}}),
    )
    told = answers(versions)[PRIMARY]

    assert (told.answer, told.days, told.source) == (answer, days, "42 CFR 11.64(a)(1)")


def test_a_plan_that_goes_by_without_a_word_is_late_after_thirty_days() -> None:
    assert found(PRIMARY, date(2026, 4, 30), primary_completion_date=planned("2026-03")).answer == "not yet"
    assert found(PRIMARY, date(2026, 5, 1), primary_completion_date=planned("2026-03")).answer == "no"


def test_a_date_that_was_actual_when_first_seen_is_left_open_unless_that_was_the_registration() -> None:
    facts = {**COVERED, "start_date": actual("2026-01-01")}
    question = "start date updated in time"

    assert answers(said(("2026-03-02", facts), registered=False))[question].answer == "cannot be told"
    assert answers(said(("2026-03-02", facts)))[question].answer == "no"


def test_studies_that_began_before_the_rule_owe_the_thirty_days_for_primary_completion_alone() -> None:
    told = answers(said(("2026-03-02", {**COVERED, "start_date": actual("2016-05-01")})))

    assert told["start date updated in time"].applies == told["completion date updated in time"].applies == "not likely"
    assert told["completion date updated in time"].source == "42 CFR 11.64(a)(1)(ii)"
    assert told[PRIMARY].applies == "likely"


def test_a_date_without_a_type_is_neither_planned_nor_reached() -> None:
    assert found("start date updated in time", start_date=PartialDate("2005-09")).answer == "cannot be told"


# --- all of it -------------------------------------------------------------------------------------------------------


def test_while_a_record_is_withheld_the_last_public_version_counts() -> None:
    versions = said(
        ("2026-01-01", {**COVERED, "primary_completion_date": actual("2025-01-31")}),
        ("2026-02-01", {"overall_status": "WITHHELD", "primary_completion_date": None}),
    )

    assert answers(versions)[RESULTS].due == "2026-01-31"
    assert compliance(versions[1:], TODAY) == ()


@pytest.mark.parametrize("seed", SEEDS, ids=lambda path: path.stem)
def test_a_record_without_whole_modules_has_an_answer_to_every_question(seed: Path) -> None:
    findings = compliance([Dated("2026-03-02", parse(seed.read_bytes()), 1)], TODAY)

    assert len({finding.question for finding in findings}) == 9
    for finding in findings:
        assert finding.rule
        assert finding.source
        assert finding.summary.endswith(".")
        assert finding.computed


DAYS = st.dates(date(2018, 1, 1), date(2025, 12, 31))


@given(closing=DAYS, today=DAYS)
def test_due_dates_never_depend_on_today_and_trackers_are_thirty_days_later(closing: date, today: date) -> None:
    facts = {"primary_completion_date": actual(closing.isoformat())}
    law, tracked = found(RESULTS, today, **facts), found(TRACKED, today, **facts)

    assert date.fromisoformat(law.due or "") == years_after(closing, 1)
    assert date.fromisoformat(tracked.due or "") - years_after(closing, 1) == timedelta(days=30)
    assert (law.answer == "no") == (today > years_after(closing, 1))
