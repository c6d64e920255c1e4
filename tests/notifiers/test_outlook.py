"""What is coming for a trial, read once from a version and asked of any day."""

from datetime import date
from typing import Any

import pytest

from notifiers import outlook
from notifiers.outlook import coming, known_dates
from snapshots.database import Database
from snapshots.trial import PartialDate, Trial
from tests.notifiers.cast import ALICE, trial

TODAY = date(2026, 11, 22)


def said(today: date = TODAY, **fields: Any) -> list[tuple[str, int, str]]:
    found = outlook.in_order(coming(ALICE, known_dates(trial(**fields)), today))
    return [(one.what, one.days, one.words) for one in found]


def planned(day: str) -> PartialDate:
    return PartialDate(day, "ESTIMATED")


@pytest.mark.parametrize(
    ("day", "words"),
    [
        ("2026-12-22", "Primary completion planned for 22 December 2026, in 30 days"),
        ("2026-11-22", "Primary completion planned for 22 November 2026, today"),
        ("2026-11", "Primary completion planned for November 2026, whose last day is in 8 days"),
        ("2026-12-23", None),
        ("2026-11-21", None),
    ],
)
def test_a_planned_completion_is_coming_within_thirty_days(day: str, words: str | None) -> None:
    found = said(overall_status="RECRUITING", primary_completion_date=planned(day))

    assert [one[2] for one in found if one[0] == "primary_completion_date"] == ([words] if words else [])


def test_what_has_happened_or_is_over_is_not_coming() -> None:
    actual = PartialDate("2026-12-01", "ACTUAL")

    assert said(overall_status="RECRUITING", completion_date=actual) == []
    assert said(overall_status="TERMINATED", completion_date=planned("2026-12-01")) == []
    assert said(overall_status="WITHHELD", completion_date=planned("2026-12-01")) == []


COVERED: dict[str, Any] = {
    "study_type": "INTERVENTIONAL",
    "phases": ("PHASE3",),
    "oversight": {"isFdaRegulatedDrug": True, "isUsExport": True},
    "overall_status": "COMPLETED",
}


@pytest.mark.parametrize(
    ("closed", "words"),
    [
        ("2025-12-01", "Results due in 9 days, 1 December 2026 (counted by 42 CFR 11.44"),
        ("2025-11-12", "Results overdue by 10 days, 12 November 2026"),
        ("2026-01-01", None),
    ],
)
def test_results_are_due_or_overdue_where_the_law_seems_to_apply(closed: str, words: str | None) -> None:
    closing = PartialDate(closed, "ACTUAL")
    found = said(primary_completion_date=closing, **COVERED)
    elsewhere = said(primary_completion_date=closing, **{**COVERED, "oversight": {}})

    assert [one[2].startswith(words) for one in found] == [True] if words else found == []
    assert elsewhere == []


def test_results_that_were_submitted_are_not_due() -> None:
    closing = PartialDate("2025-12-01", "ACTUAL")
    dates = {"resultsFirstSubmitDate": "2026-06-01"}

    assert said(primary_completion_date=closing, bookkeeping_dates=dates, **COVERED) == []


@pytest.mark.parametrize(
    ("verified", "ends", "expected"),
    [
        ("2024-11", "2026-01-01", [8]),
        ("2024-10", "2026-01-01", [-22]),
        ("2024-10", "2026-12-01", [9]),
        ("2026-10", "2026-01-01", []),
    ],
)
def test_verification_lapses_two_years_after_it_and_not_before_the_study_ends(
    verified: str, ends: str, expected: list[int]
) -> None:
    found = said(
        overall_status="RECRUITING",
        completion_date=PartialDate(ends, "ACTUAL"),
        bookkeeping_dates={"statusVerifiedDate": verified},
    )

    assert [one[1] for one in found if one[0] == "verification"] == expected


def test_what_is_next_stands_before_what_is_past_and_the_newest_past_first() -> None:
    days = ["2026-12-01", "2026-11-23", "2026-11-01", "2024-01-01"]
    known = [outlook.KnownDate(what=outlook.RESULTS, day=day) for day in days]

    found = outlook.in_order(coming(ALICE, known, TODAY))

    assert [one.day for one in found] == ["2026-11-23", "2026-12-01", "2026-11-01", "2024-01-01"]


def test_a_version_is_read_once(database: Database) -> None:
    from tests.notifiers.cast import seen

    reads: list[bytes] = []

    def parse(raw: bytes) -> Trial:
        reads.append(raw)
        return trial(overall_status="RECRUITING", completion_date=planned("2026-12-01"))

    with database.write() as connection:
        seen(connection, ALICE)
    versions = {1: "ctgov"}

    first = outlook.learn(database, {"ctgov": parse}, versions, 10)
    second = outlook.learn(database, {"ctgov": parse}, versions, 10)
    with database.read() as connection:
        (dates,) = outlook.dates_of(connection, {"ctgov": parse}, versions).values()

    assert (first, second, len(reads)) == (1, 0, 1)
    assert [one.what for one in dates] == ["completion_date"]
