"""Who may take part: what is told about edits of the eligibility module of an invented record."""

from typing import Any

import pytest

from tests.snapshots.protocol import CRITERIA, after, changes, drop, edited, only, put, told

Json = Any


def of(field: str, old: Json, new: Json) -> list[Any]:
    place = ("eligibilityModule", field)
    return changes(edited(put(old, *place)), edited(put(new, *place)))


# --- age, sex, volunteers ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("field", "old", "new", "summary"),
    [
        ("minimumAge", "18 Years", "16 Years", "Minimum age lowered from 18 Years to 16 Years"),
        ("minimumAge", "6 Months", "1 Year", "Minimum age raised from 6 Months to 1 Year"),
        ("maximumAge", "75 Years", "85 Years", "Maximum age raised from 75 Years to 85 Years"),
        ("maximumAge", "75 Years", None, "Maximum age removed (was 75 Years)"),
        ("minimumAge", None, "18 Years", "Minimum age set to 18 Years (there was none)"),
        ("maximumAge", "75 Years", "old enough", "Maximum age changed from 75 Years to old enough"),
    ],
)
def test_an_age_limit_that_moves_is_told(field: str, old: Json, new: Json, summary: str) -> None:
    change = only(of(field, old, new))

    assert (change.kind, change.severity, change.subject) == ("eligibility.age_changed", "major", None)
    assert (change.before, change.after, change.summary) == (old, new, summary)
    assert change.path == f"protocolSection.eligibilityModule.{field}"


def test_both_age_limits_are_one_entry() -> None:
    change = only(
        after(put("16 Years", "eligibilityModule", "minimumAge"), put("80 Years", "eligibilityModule", "maximumAge"))
    )

    assert change.before == {"minimumAge": "18 Years", "maximumAge": "75 Years"}
    assert change.after == {"minimumAge": "16 Years", "maximumAge": "80 Years"}


@pytest.mark.parametrize(
    ("old", "new"),
    [("18 Years", "216 Months"), ("1 Week", "7 Days"), ("18 Years", "18 years"), (None, "N/A"), ("2 Days", "48 Hours")],
)
def test_ages_of_the_same_duration_are_silent(old: Json, new: Json) -> None:
    assert of("minimumAge", old, new) == []


@pytest.mark.parametrize(
    ("old", "new", "summary"),
    [
        ("ALL", "FEMALE", "Sex of participants changed from all to female"),
        ("MALE", "ALL", "Sex of participants changed from male to all"),
        ("ALL", None, "Sex of participants changed from all to not stated"),
    ],
)
def test_another_sex_is_told(old: Json, new: Json, summary: str) -> None:
    change = only(of("sex", old, new))

    assert (change.kind, change.severity, change.summary) == ("eligibility.sex_changed", "major", summary)
    assert (change.before, change.after) == (old, new)


@pytest.mark.parametrize(
    ("old", "new", "summary"),
    [
        (False, True, "Healthy volunteers are accepted now (before: not accepted)"),
        (True, False, "Healthy volunteers are not accepted now (before: accepted)"),
        (None, True, "Healthy volunteers are accepted now (before: not mentioned)"),
    ],
)
def test_healthy_volunteers_are_told(old: Json, new: Json, summary: str) -> None:
    change = only(of("healthyVolunteers", old, new))

    assert (change.kind, change.severity) == ("eligibility.healthy_volunteers_changed", "major")
    assert (change.before, change.after, change.summary) == (old, new, summary)


# --- population -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("field", "old", "new"),
    [
        ("studyPopulation", "Adults with imaginary fever", "Anybody with imaginary fever"),
        ("samplingMethod", "PROBABILITY_SAMPLE", "NON_PROBABILITY_SAMPLE"),
        ("genderBased", None, True),
        ("genderDescription", None, "Persons who identify as women."),
    ],
)
def test_a_field_of_the_population_gives_its_values(field: str, old: Json, new: Json) -> None:
    change = only(after(put(new, "eligibilityModule", field)))

    assert (change.kind, change.severity, change.subject) == ("eligibility.population_changed", "minor", None)
    assert (change.before, change.after) == (old, new)
    assert change.path == f"protocolSection.eligibilityModule.{field}"


def test_several_fields_of_the_population_are_one_entry() -> None:
    found = after(
        put("Anybody", "eligibilityModule", "studyPopulation"),
        put("NON_PROBABILITY_SAMPLE", "eligibilityModule", "samplingMethod"),
    )

    assert told(found) == [
        (
            "eligibility.population_changed",
            None,
            {"studyPopulation": "Adults with imaginary fever", "samplingMethod": "PROBABILITY_SAMPLE"},
            {"studyPopulation": "Anybody", "samplingMethod": "NON_PROBABILITY_SAMPLE"},
        )
    ]
    assert only(found).summary == (
        "Study population changed from “Adults with imaginary fever” to “Anybody”; "
        "sampling method changed from probability sample to non probability sample"
    )


# --- criteria ---------------------------------------------------------------------------------------------------------

NOTHING_BEFORE: dict[str, list[str]] = {"removed": [], "reworded": []}
NOTHING_AFTER: dict[str, list[str]] = {"added": [], "reworded": []}


@pytest.mark.parametrize(
    ("text", "instead", "before", "now", "summary"),
    [
        (
            "* Written informed consent",
            "* Written informed consent\n* Weight of 50 kg or more",
            {"inclusion": NOTHING_BEFORE, "exclusion": NOTHING_BEFORE},
            {"inclusion": {"added": ["Weight of 50 kg or more"], "reworded": []}, "exclusion": NOTHING_AFTER},
            "Eligibility criteria changed: 1 inclusion criterion added (“Weight of 50 kg or more”)",
        ),
        (
            "   * Live vaccination\n",
            "",
            {"inclusion": NOTHING_BEFORE, "exclusion": {"removed": ["Live vaccination"], "reworded": []}},
            {"inclusion": NOTHING_AFTER, "exclusion": NOTHING_AFTER},
            "Eligibility criteria changed: 1 exclusion criterion removed (“Live vaccination”)",
        ),
        (
            "at least 6 months",
            "at least 3 months",
            {
                "inclusion": {"removed": [], "reworded": ["Diagnosis of imaginary fever for at least 6 months"]},
                "exclusion": NOTHING_BEFORE,
            },
            {
                "inclusion": {"added": [], "reworded": ["Diagnosis of imaginary fever for at least 3 months"]},
                "exclusion": NOTHING_AFTER,
            },
            "Eligibility criteria changed: 1 inclusion criterion reworded "
            "(“Diagnosis of imaginary fever for at least 3 months”)",
        ),
    ],
)
def test_criteria_are_told_one_by_one(text: str, instead: str, before: Json, now: Json, summary: str) -> None:
    change = only(after(put(CRITERIA.replace(text, instead), "eligibilityModule", "eligibilityCriteria")))

    assert (change.kind, change.severity) == ("eligibility.criteria_changed", "major")
    assert (change.before, change.after, change.summary) == (before, now, summary)
    assert change.path == "protocolSection.eligibilityModule.eligibilityCriteria"


def test_many_changes_of_criteria_are_counted_in_one_entry() -> None:
    new = CRITERIA.replace("6 months", "3 months").replace("38 °C", "37.5 °C").replace("3. Known", "3. Hives\n4. Known")

    assert only(after(put(new, "eligibilityModule", "eligibilityCriteria"))).summary == (
        "Eligibility criteria changed: 2 inclusion criteria reworded and 1 exclusion criterion added (“Hives”)"
    )


def test_criteria_that_vanish_are_all_removed() -> None:
    change = only(after(drop("eligibilityModule", "eligibilityCriteria")))

    assert len(change.before["inclusion"]["removed"]) == 3
    assert len(change.before["exclusion"]["removed"]) == 5


def test_a_new_order_or_heading_is_told_though_no_criterion_changed() -> None:
    change = only(
        after(
            put(
                CRITERIA.replace("Inclusion Criteria", "Key Inclusion Criteria"),
                "eligibilityModule",
                "eligibilityCriteria",
            )
        )
    )

    assert change.kind == "eligibility.criteria_changed"
    assert change.summary.endswith("no criterion changed")


@pytest.mark.parametrize(
    "text",
    [
        CRITERIA.replace("* ", "- ").replace("1.", "1)").replace("2.", "2)").replace("3.", "3)"),
        CRITERIA.replace("* ", "\\* "),
        CRITERIA.replace("\\>", "&gt;"),
        CRITERIA.replace("\n", "\n\n"),
        CRITERIA.replace("\n", "\r\n"),
        (
            "<p>Inclusion Criteria:</p><ul><li>Diagnosis of imaginary fever for at least 6 months</li>"
            "<li>Body temperature &gt; 38 °C at screening</li><li>Written informed consent</li></ul>"
            "<p>Exclusion Criteria:</p><ol><li>Pregnancy or breastfeeding</li>"
            "<li><p>Any of the following within\n4 weeks:</p>"
            "<ul><li>Live vaccination</li><li>Major surgery</li></ul></li>"
            "<li>Known allergy to examplimab</li></ol>"
        ),
    ],
    ids=["bullets", "escaped bullets", "entities", "blank lines", "line ends", "HTML"],
)
def test_another_layout_of_the_same_criteria_is_silent(text: str) -> None:
    assert after(put(text, "eligibilityModule", "eligibilityCriteria")) == []


def test_letter_case_inside_a_criterion_is_told() -> None:
    change = only(after(put(CRITERIA.replace("Written", "WRITTEN"), "eligibilityModule", "eligibilityCriteria")))

    assert change.after["inclusion"]["reworded"] == ["WRITTEN informed consent"]
