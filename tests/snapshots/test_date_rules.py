"""What is told about the start, the primary completion and the completion of an invented trial."""

from typing import Any

import pytest

from tests.snapshots.whole_record import STATUS, between

PLACES = {
    "start_date": f"{STATUS}.startDateStruct",
    "primary_completion_date": f"{STATUS}.primaryCompletionDateStruct",
    "completion_date": f"{STATUS}.completionDateStruct",
}
DATES = pytest.mark.parametrize("date", PLACES)

Json = Any


def day(date: str | None, kind: str | None = "ESTIMATED") -> dict[str, str] | None:
    return ({"date": date} | ({"type": kind} if kind else {})) if date else None


def moved(date: str, before: Json, now: Json) -> tuple[str, str, str]:
    (change,) = between(PLACES[date], before, now)
    assert change.path == PLACES[date]
    return change.kind.removeprefix(date), change.severity, change.summary


@DATES
@pytest.mark.parametrize(
    ("before", "now", "days"),
    [
        ("2026-03-01", "2026-03-02", 1),
        ("2026-03", "2026-05-29", 61),
        ("2026-03-01", "2026-05-29", 89),
        ("2026-03-01", "2026-05-30", 90),
        ("2026-03", "2026-06-30", 92),
        ("2026", "2027-02", 365),
    ],
)
def test_a_delay_is_told_with_its_days(date: str, before: str, now: str, days: int) -> None:
    ending, severity, summary = moved(date, day(before), day(now))

    assert ending == ".delayed"
    assert severity == ("major" if days >= 90 or date == "primary_completion_date" else "minor")
    assert f"delayed by {days} day" in summary


def test_a_delay_is_said_in_words() -> None:
    _, _, summary = moved("primary_completion_date", day("2026-03"), day("2026-06-30"))

    assert summary == "Primary completion date delayed by 92 days, from March 2026 to 30 June 2026"


@DATES
@pytest.mark.parametrize(
    ("before", "now"), [("2026-06-30", "2026-03"), ("2026-03-02", "2026-03-01"), ("2028", "2026-12-31")]
)
def test_a_date_brought_forward(date: str, before: str, now: str) -> None:
    ending, severity, summary = moved(date, day(before), day(now))

    assert (ending, severity) == (".advanced", "minor" if date == "start_date" else "major")
    assert "brought forward by" in summary


@DATES
@pytest.mark.parametrize(
    ("before", "now", "words"),
    [
        ("2026-03-01", "2026-03-01", "reached: 1 March 2026, as planned"),
        ("2026-03", "2026-03-15", "reached: 15 March 2026, as planned (March 2026)"),
        ("2026-03-01", "2026-04-02", "reached: 2 April 2026, 32 days later than planned (1 March 2026)"),
        ("2026-03-31", "2026-01-31", "reached: 31 January 2026, 59 days earlier than planned (31 March 2026)"),
    ],
)
def test_a_date_reached_says_whether_the_day_moved(date: str, before: str, now: str, words: str) -> None:
    ending, severity, summary = moved(date, day(before), day(now, "ACTUAL"))

    assert (ending, severity) == (".reached", "minor" if date == "start_date" else "major")
    assert words in summary


@DATES
def test_a_date_without_type_was_planned(date: str) -> None:
    assert moved(date, day("2026-03-01", None), day("2026-03-01", "ACTUAL"))[0] == ".reached"
    assert moved(date, day("2026-03-01", None), day("2026-03-02"))[0] == ".delayed"


@DATES
@pytest.mark.parametrize("kind", ["ESTIMATED", None, "FORESEEN"])
def test_a_date_that_is_no_longer_actual(date: str, kind: str | None) -> None:
    ending, severity, summary = moved(date, day("2026-03-01", "ACTUAL"), day("2026-04-01", kind))

    assert (ending, severity) == (".unreached", "major")
    assert "31 days later than the actual date (1 March 2026)" in summary


@DATES
@pytest.mark.parametrize(
    ("before", "now"), [("2026-03-01", "2026-03-02"), ("2026-03", "2026-04-01"), ("2026-03-01", "2025-11")]
)
def test_an_actual_date_is_corrected(date: str, before: str, now: str) -> None:
    ending, severity, summary = moved(date, day(before, "ACTUAL"), day(now, "ACTUAL"))

    assert (ending, severity) == (".corrected", "major")
    assert "corrected by" in summary


@DATES
@pytest.mark.parametrize("kind", ["ESTIMATED", "ACTUAL", None])
@pytest.mark.parametrize(
    ("before", "now", "word"),
    [("2026-03", "2026-03-15", "more"), ("2026-03-15", "2026-03", "less"), ("2026", "2026-12", "more")],
)
def test_a_date_within_the_other_is_refined(date: str, before: str, now: str, word: str, kind: str | None) -> None:
    ending, severity, summary = moved(date, day(before, kind), day(now, kind))

    assert (ending, severity) == (".refined", "admin")
    assert f"made {word} precise without a shift" in summary


@DATES
@pytest.mark.parametrize(("before", "now", "ending"), [(None, "2026-03", ".added"), ("2026-03", None, ".removed")])
def test_a_date_that_comes_or_goes(date: str, before: str | None, now: str | None, ending: str) -> None:
    assert moved(date, day(before), day(now))[:2] == (ending, "minor")


def test_a_date_is_told_with_its_type_and_precision() -> None:
    (change,) = between(PLACES["start_date"], day("2026-03", None), day("2026-05-04"))

    assert change.before == {"date": "2026-03", "type": None}
    assert change.after == {"date": "2026-05-04", "type": "ESTIMATED"}


@DATES
@pytest.mark.parametrize(
    ("before", "now"),
    [
        (day("2026-03", None), day("2026-03", "ESTIMATED")),
        (day("2026-03", "ESTIMATED"), day("2026-03", None)),
        (day("2026-03", "ESTIMATED"), day("2026-03", "estimated")),
        (day("2026-03"), day("2026-3")),
        (day("2026-03-01"), day("2026-03-01T00:00")),
        ({"type": "ESTIMATED"}, None),
    ],
)
def test_the_same_day_otherwise_written_says_nothing(date: str, before: Json, now: Json) -> None:
    assert between(PLACES[date], before, now) == []


@DATES
@pytest.mark.parametrize(
    ("before", "now"),
    [("2026-13-77", "2026-05"), ("someday", "2026-05"), ("2026-05", "0000-00"), ("someday", "some other day")],
)
def test_an_absurd_date_is_told_as_it_stands(date: str, before: str, now: str) -> None:
    (change,) = between(PLACES[date], day(before), day(now))

    assert (change.kind, change.path) == ("record.changed", PLACES[date])
    assert (change.before, change.after) == (
        {"date": before, "type": "ESTIMATED"},
        {"date": now, "type": "ESTIMATED"},
    )


def test_an_absurd_date_can_still_be_reached() -> None:
    ending, _, summary = moved("completion_date", day("someday"), day("2026-03-01", "ACTUAL"))

    assert ending == ".reached"
    assert "not comparable" in summary


def test_a_type_never_heard_of_is_told() -> None:
    (change,) = between(PLACES["start_date"], day("2026-03"), day("2026-03", "FORESEEN"))

    assert change.kind == "record.changed"


def test_a_date_struct_of_another_shape_is_told() -> None:
    found = between(PLACES["start_date"], day("2026-03"), "2026-03")

    assert sorted(change.kind for change in found) == ["record.changed", "start_date.removed"]


def test_a_date_goes_with_its_whole_struct() -> None:
    (change,) = between(PLACES["start_date"], day("2026-03"), None)

    assert change.summary == "Start date removed: March 2026 (estimated)"
