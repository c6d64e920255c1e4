"""Titles, descriptions, conditions, keywords, identifiers: what is told about edits of an invented record."""

import random
from typing import Any

import pytest

from tests.snapshots.protocol import after, append, changes, drop, kinds, only, put, record, shuffled, told

Json = Any


@pytest.mark.parametrize(
    ("field", "new", "summary"),
    [
        (
            "briefTitle",
            "Examplimab in Notional Fever",
            "Brief title changed from “Examplimab in Imaginary Fever” to “Examplimab in Notional Fever”",
        ),
        (
            "officialTitle",
            "A Randomized Study of Examplimab Versus Placebo in Children With Imaginary Fever",
            "Official title changed from "
            "“A Randomized Study of Examplimab Versus Placebo in Adults With Imaginary Fever” to "
            "“A Randomized Study of Examplimab Versus Placebo in Children With Imaginary Fever”",
        ),
        ("acronym", "EXAMPLE-2", "Acronym changed from “EXAMPLE-1” to “EXAMPLE-2”"),
        ("acronym", None, "Acronym removed (was “EXAMPLE-1”)"),
    ],
)
def test_each_title_is_an_entry_with_its_field(field: str, new: Json, summary: str) -> None:
    change = only(after(put(new, "identificationModule", field)))

    assert (change.kind, change.severity) == ("title.changed", "minor")
    assert change.subject == {"type": "field", "name": field}
    assert (change.before, change.after) == (record()["identificationModule"][field], new)
    assert (change.summary, change.path) == (summary, f"protocolSection.identificationModule.{field}")


@pytest.mark.parametrize(
    ("field", "new", "summary"),
    [
        (
            "briefSummary",
            "The study tests whether examplimab lowers the pulse.",
            "Brief summary changed from “The study tests whether examplimab lowers the temperature.” to "
            "“The study tests whether examplimab lowers the pulse.”",
        ),
        (
            "detailedDescription",
            "Participants get examplimab or placebo.\n\nThey are seen every 2 weeks, by phone or in person.",
            "Detailed description reworded (“4 weeks.” became “2 weeks, by phone or in person.”)",
        ),
        (
            "detailedDescription",
            None,
            "Detailed description removed (was “Participants get examplimab or placebo. They are seen every 4 weeks.”)",
        ),
    ],
)
def test_each_description_is_an_entry_with_its_field(field: str, new: Json, summary: str) -> None:
    change = only(after(put(new, "descriptionModule", field)))

    assert (change.kind, change.severity) == ("description.changed", "minor")
    assert change.subject == {"type": "field", "name": field}
    assert (change.after, change.summary) == (new, summary)


@pytest.mark.parametrize("new", ["Imaginary Fevers", "Fever", "Notional Cold"])
def test_a_condition_that_is_replaced_is_removed_and_added(new: str) -> None:
    found = after(put(new, "conditionsModule", "conditions", 0))

    assert told(found) == [
        ("condition.added", new, None, new),
        ("condition.removed", "Imaginary Fever", "Imaginary Fever", None),
    ]
    assert {change.severity for change in found} == {"major"}
    assert {change.subject["type"] for change in found if change.subject} == {"condition"}


def test_a_condition_more_is_told_with_its_place() -> None:
    change = only(after(append("Mythical Rash", "conditionsModule", "conditions")))

    assert change.summary == "Condition added: “Mythical Rash”"
    assert change.path == "protocolSection.conditionsModule.conditions[2]"


@pytest.mark.parametrize(
    ("new", "summary"),
    [
        (["fever", "examplimab", "cough"], "Keywords: “cough” added"),
        (["fever"], "Keywords: “examplimab” removed"),
        (["heat", "examplimab"], "Keywords: “heat” added, “fever” removed"),
        ([], "Keywords: “fever” and “examplimab” removed"),
    ],
)
def test_keywords_are_one_entry(new: list[str], summary: str) -> None:
    change = only(after(put(new, "conditionsModule", "keywords")))

    assert (change.kind, change.severity, change.subject) == ("keyword.changed", "admin", None)
    assert (change.before, change.after, change.summary) == (["fever", "examplimab"], new, summary)


# --- identifiers ------------------------------------------------------------------------------------------------------

IDENTIFICATION = "identificationModule"


def test_another_study_id_of_the_organization_is_removed_and_added() -> None:
    found = after(put({"id": "EX-002"}, IDENTIFICATION, "orgStudyIdInfo"))

    assert told(found) == [
        ("identifier.added", "EX-002", None, "EX-002"),
        ("identifier.removed", "EX-001", "EX-001", None),
    ]
    assert found[0].path == "protocolSection.identificationModule.orgStudyIdInfo"


def test_a_secondary_id_comes_and_goes() -> None:
    added = only(after(append({"id": "X-9", "domain": "Example Trust"}, IDENTIFICATION, "secondaryIdInfos")))
    removed = only(after(drop(IDENTIFICATION, "secondaryIdInfos", 1)))

    assert (added.kind, added.severity, added.summary) == (
        "identifier.added",
        "minor",
        "Secondary ID added: “X-9” (Example Trust)",
    )
    assert (removed.kind, removed.before) == ("identifier.removed", "U1111-0000-0001")
    assert removed.path == "protocolSection.identificationModule.secondaryIdInfos[1]"


def test_a_new_alias_is_an_identifier() -> None:
    change = only(after(append("NCT99000091", IDENTIFICATION, "nctIdAliases")))

    assert (change.kind, change.after) == ("identifier.added", "NCT99000091")
    assert change.summary == "Former registry ID added: “NCT99000091”"


def test_an_id_that_another_body_issues_now_is_neither_added_nor_removed_and_not_dropped() -> None:
    change = only(after(put("Other Agency", IDENTIFICATION, "secondaryIdInfos", 0, "domain")))

    assert change.kind == "record.changed"
    assert change.path == "protocolSection.identificationModule.secondaryIdInfos[0].domain"


# --- silence ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(10))
def test_the_order_of_terms_says_nothing(seed: int) -> None:
    assert changes(record(), shuffled(record(), random.Random(seed))) == []


@pytest.mark.parametrize(
    ("place", "new"),
    [
        (("conditionsModule", "conditions", 0), "imaginary fever"),
        (("conditionsModule", "conditions"), ["Imaginary Fever", "Notional Cough", "Notional Cough."]),
        (("conditionsModule", "keywords", 0), "Fever"),
        (("identificationModule", "briefTitle"), "Examplimab in  Imaginary Fever"),
        (("identificationModule", "secondaryIdInfos", 0, "domain"), "EXAMPLE agency"),
        (
            ("descriptionModule", "detailedDescription"),
            "<p>Participants get examplimab or placebo.</p><p>They are seen every 4 weeks.</p>",
        ),
        (("descriptionModule", "briefSummary"), "The study tests whether examplimab lowers the temperature.\n"),
    ],
)
def test_what_says_the_same_is_silent(place: tuple[str | int, ...], new: Json) -> None:
    assert after(put(new, *place)) == []


def test_letter_case_of_a_title_is_told() -> None:
    assert kinds(after(put("EXAMPLIMAB IN IMAGINARY FEVER", IDENTIFICATION, "briefTitle"))) == ["title.changed"]


def test_a_symbol_in_a_condition_is_told() -> None:
    assert kinds(after(put("Imaginary Fever +", "conditionsModule", "conditions", 0))) == [
        "condition.added",
        "condition.removed",
    ]
