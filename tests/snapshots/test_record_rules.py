"""What is told where no other rule speaks: leftovers, resubmissions, and what one source never carries."""

import json
from typing import Any

import pytest

from snapshots.registries.ctgov.parse import parse
from snapshots.rules import changes_between
from tests.snapshots.whole_record import (
    GONE,
    SITES,
    STATUS,
    TRACKING,
    UNPOSTED,
    VIOLATIONS,
    after,
    between,
    kinds,
    read,
    told,
    whole,
)

Json = Any


@pytest.mark.parametrize(
    ("place", "before", "now"),
    [
        (f"{STATUS}.delayedPosting", GONE, True),
        (f"{STATUS}.resultsWaived", True, GONE),
        ("sectionOfTomorrow.module.text", "a", "b"),
        ("protocolSection.moduleOfTomorrow.list", [1, 2], [1, 2, 3]),
        (f"{SITES}[1].wing", "B", "C"),
        (f"{SITES}[0].contacts[0].pager", "555-0150", "555-0151"),
        ("documentSection.largeDocumentModule.noSap", True, False),
        ("protocolSection.identificationModule.nctId", "NCT99000001", "NCT99000002"),
    ],
)
def test_a_field_that_no_rule_names_is_told_with_its_place(place: str, before: Json, now: Json) -> None:
    (change,) = told(whole((place, None), (place, before)), whole((place, None), (place, now)))

    assert (change.kind, change.severity, change.path) == ("record.changed", "minor", place)
    assert (change.before, change.after) == tuple(None if value is GONE else value for value in (before, now))


def test_leftovers_are_told_at_the_deepest_named_place() -> None:
    before = {"a": {"b": 1, "c": 2}, "d": [{"e": 1}]}
    now = {"a": {"b": 1, "c": 3}, "d": [{"e": 2}]}

    found = between("protocolSection.moduleOfTomorrow", before, now)

    assert [(change.path, change.before, change.after) for change in found] == [
        ("protocolSection.moduleOfTomorrow.a.c", 2, 3),
        ("protocolSection.moduleOfTomorrow.d", [{"e": 1}], [{"e": 2}]),
    ]


@pytest.mark.parametrize(
    ("before", "now"),
    [([1, 2], [2, 1]), ("a  b", "a b"), (None, []), ({"x": None}, {}), ({}, GONE), ("“a”", '"a"')],
)
def test_leftovers_that_say_the_same_are_silent(before: Json, now: Json) -> None:
    place = "protocolSection.moduleOfTomorrow"

    assert told(whole((place, before)), whole((place, 1), (place, now))) == []


def test_a_place_in_a_key_with_dots_and_quotes_is_still_told() -> None:
    (change,) = between("odd", {'it\'s [0]."x"': 1}, {'it\'s [0]."x"': 2})

    assert (change.before, change.after) == (1, 2)


def test_the_age_groups_follow_the_age_limits() -> None:
    groups = ("protocolSection.eligibilityModule.stdAges", ["ADULT"])
    limit = ("protocolSection.eligibilityModule.maximumAge", "60 Years")

    assert kinds(after(limit, groups)) == ["eligibility.age_changed"]
    assert kinds(after(groups)) == ["record.changed"]


# --- resubmission -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("statusVerifiedDate", "2026-02"),
        ("lastUpdateSubmitDate", "2026-02-05"),
        ("lastUpdatePostDateStruct", {"date": "2026-02-07", "type": "ACTUAL"}),
        ("studyFirstSubmitQcDate", "2026-02-07"),
        ("studyFirstPostDateStruct", {"date": "2025-01-16", "type": "ACTUAL"}),
        ("resultsFirstPostDateStruct", {"date": "2026-02-07"}),
    ],
)
def test_a_date_of_the_registry_that_moves_alone_is_told_as_such(field: str, value: Json) -> None:
    (change,) = after((f"{STATUS}.{field}", value))

    assert (change.kind, change.severity, change.path) == ("record.verified", "admin", f"{STATUS}.{field}")
    assert list(change.after) == [field]


def test_a_resubmission_is_said_in_words() -> None:
    (change,) = after((f"{STATUS}.lastUpdateSubmitDate", "2026-02-05"), (f"{STATUS}.statusVerifiedDate", "2026-02"))

    assert change.summary == (
        "The record was submitted again, nothing else changed "
        "(last update submitted 5 February 2026, before that 5 January 2026)"
    )


def test_the_dates_are_not_told_beside_anything_else() -> None:
    found = after((f"{STATUS}.lastUpdateSubmitDate", "2026-02-05"), ("protocolSection.eligibilityModule.sex", "FEMALE"))

    assert kinds(found) == ["eligibility.sex_changed"]


def test_the_type_of_a_posting_date_says_nothing() -> None:
    assert after((f"{STATUS}.lastUpdatePostDateStruct.type", "ACTUAL")) == []


def test_the_dates_of_the_tracking_are_bookkeeping() -> None:
    (change,) = after((f"{TRACKING}.firstMcpInfo", {"postDateStruct": {"date": "2026-02-01", "type": "ACTUAL"}}))

    assert (change.kind, change.path) == ("record.verified", f"{TRACKING}.firstMcpInfo.postDateStruct")


# --- unknown is not absent --------------------------------------------------------------------------------------------


def past(study: dict[str, Json]) -> bytes:
    """The record as the history interface gives it: wrapped, without what it never carries."""
    kept = {key: value for key, value in study.items() if key not in ("derivedSection", "annotationSection")}
    return json.dumps({"studyVersion": 4, "study": kept}).encode()


def test_what_a_past_version_never_carries_is_not_compared() -> None:
    noticed = whole((f"{VIOLATIONS}.violationEvents", [{"type": "VIOLATION_IDENTIFIED"}]))

    assert changes_between(parse(past(noticed)), read(noticed)) == ()
    assert changes_between(read(noticed), parse(past(noticed))) == ()


def test_what_a_past_version_carries_is_compared() -> None:
    (change,) = changes_between(parse(past(whole())), read(whole((f"{STATUS}.startDateStruct.date", "2025-04-01"))))

    assert change.kind == "start_date.corrected"


def test_an_event_is_news_where_both_records_may_carry_it() -> None:
    assert kinds(told(whole((UNPOSTED, []), (TRACKING, {})), whole())) == ["results.submitted"]
