"""Enrollment, phase, design, arms, interventions: what is told about edits of an invented record."""

import random
from typing import Any

import pytest

from tests.snapshots.protocol import (
    after,
    append,
    arm,
    changes,
    design,
    drop,
    edited,
    intervention,
    kinds,
    only,
    put,
    record,
    shuffled,
    told,
)

Json = Any


def enrollment(count: Json, kind: str | None = "ESTIMATED") -> dict[str, Json]:
    return {"count": count} | ({"type": kind} if kind else {})


def of_enrollment(old: dict[str, Json], new: dict[str, Json]) -> list[Any]:
    place = design("enrollmentInfo")
    return changes(edited(put(old, *place)), edited(put(new, *place)))


@pytest.mark.parametrize(
    ("old", "new", "severity", "summary"),
    [
        (100, 150, "major", "Enrollment target raised from 100 to 150 (+50 %)"),
        (200, 102, "major", "Enrollment target lowered from 200 to 102 (−49 %)"),
        (100, 119, "minor", "Enrollment target raised from 100 to 119 (+19 %)"),
        (100, 120, "major", "Enrollment target raised from 100 to 120 (+20 %)"),
        (100, 80, "major", "Enrollment target lowered from 100 to 80 (−20 %)"),
        (1000, 1099, "minor", "Enrollment target raised from 1,000 to 1,099 (+10 %)"),
        (1000, 1100, "major", "Enrollment target raised from 1,000 to 1,100 (+10 %)"),
        (1000, 1001, "minor", "Enrollment target raised from 1,000 to 1,001 (+0.1 %)"),
        (0, 5, "major", "Enrollment target raised from 0 to 5"),
    ],
)
def test_a_target_that_moves_is_major_from_20_percent_or_100_participants(
    old: int, new: int, severity: str, summary: str
) -> None:
    change = only(of_enrollment(enrollment(old), enrollment(new)))

    assert (change.kind, change.before, change.after) == ("enrollment.target_changed", old, new)
    assert (change.severity, change.summary) == (severity, summary)
    assert change.path == "protocolSection.designModule.enrollmentInfo"


@pytest.mark.parametrize(
    ("old", "new", "kind", "before", "after_"),
    [
        (enrollment(18), enrollment(8, "ACTUAL"), "enrollment.actual_reported", 18, 8),
        (enrollment(18), enrollment(18, "ACTUAL"), "enrollment.actual_reported", 18, 18),
        (enrollment(18, None), enrollment(18, "ACTUAL"), "enrollment.actual_reported", 18, 18),
        (enrollment(8, "ACTUAL"), enrollment(9, "ACTUAL"), "enrollment.actual_corrected", 8, 9),
        (enrollment(8, "ACTUAL"), enrollment(0, "ACTUAL"), "enrollment.actual_corrected", 8, 0),
        (enrollment(8, "ACTUAL"), enrollment(99999999, "ACTUAL"), "enrollment.actual_corrected", 8, None),
        (enrollment(8, "ACTUAL"), enrollment(30), "enrollment.unreached", 8, 30),
        (enrollment(8, "ACTUAL"), enrollment(8, None), "enrollment.unreached", 8, 8),
        (enrollment(8, "ACTUAL"), enrollment(99999999), "enrollment.unreached", 8, None),
        (enrollment(99999999), enrollment(30), "enrollment.target_changed", None, 30),
        (enrollment(30), enrollment(99999999), "enrollment.target_changed", 30, None),
        (enrollment(99999999), enrollment(12, "ACTUAL"), "enrollment.actual_reported", None, 12),
    ],
)
def test_each_way_an_enrollment_count_changes_has_its_kind(
    old: Json, new: Json, kind: str, before: Json, after_: Json
) -> None:
    assert told(of_enrollment(old, new)) == [(kind, None, before, after_)]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (enrollment(40, None), enrollment(40, "ESTIMATED")),
        (enrollment(40), enrollment(40.0)),
        (enrollment(40), enrollment("40")),
        (enrollment(99999999), enrollment(None)),
        (enrollment(40, "ESTIMATED"), enrollment(40, "Estimated")),
    ],
)
def test_an_enrollment_that_says_the_same_is_silent(old: Json, new: Json) -> None:
    assert of_enrollment(old, new) == []


def test_a_count_that_vanishes_or_appears_is_told() -> None:
    without = edited(drop(*design("enrollmentInfo")))

    assert told(changes(record(), without)) == [("enrollment.target_changed", None, 100, None)]
    assert told(changes(without, record())) == [("enrollment.target_changed", None, None, 100)]


def test_a_count_that_is_no_number_is_told_and_not_computed() -> None:
    assert told(of_enrollment(enrollment(40), enrollment("about 50"))) == [
        ("enrollment.target_changed", None, 40, "about 50")
    ]


# --- phase, type, other fields ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("phases", "summary"),
    [
        (["PHASE2", "PHASE3"], "Phase changed from phase 2 to phase 2/phase 3"),
        (["PHASE3"], "Phase changed from phase 2 to phase 3"),
        (["NA"], "Phase changed from phase 2 to not applicable"),
        (["EARLY_PHASE1"], "Phase changed from phase 2 to early phase 1"),
        ([], "Phase changed from phase 2 to none"),
    ],
)
def test_another_set_of_phases_is_told(phases: list[str], summary: str) -> None:
    change = only(after(put(phases, *design("phases"))))

    assert (change.kind, change.severity, change.summary) == ("phase.changed", "major", summary)
    assert (change.before, change.after) == (["PHASE2"], phases)


@pytest.mark.parametrize("new", ["OBSERVATIONAL", "EXPANDED_ACCESS", "SOMETHING_NEW"])
def test_another_type_of_study_is_critical(new: str) -> None:
    change = only(after(put(new, *design("studyType"))))

    assert (change.kind, change.severity) == ("study_type.changed", "critical")
    assert (change.before, change.after) == ("INTERVENTIONAL", new)


@pytest.mark.parametrize(
    ("place", "new", "field", "severity", "summary"),
    [
        (
            ("designInfo", "allocation"),
            "NON_RANDOMIZED",
            "allocation",
            "major",
            "Allocation changed from randomized to non randomized",
        ),
        (
            ("designInfo", "maskingInfo", "masking"),
            "NONE",
            "masking",
            "major",
            "Masking changed from double to none",
        ),
        (
            ("designInfo", "maskingInfo", "whoMasked"),
            ["INVESTIGATOR", "OUTCOMES_ASSESSOR"],
            "whoMasked",
            "major",
            "Who is masked: outcomes assessor added, participant removed",
        ),
        (
            ("designInfo", "interventionModelDescription"),
            "Three arms in parallel.",
            "interventionModelDescription",
            "minor",
            "Description of the intervention model changed from “Two arms in parallel.” to “Three arms in parallel.”",
        ),
        (("targetDuration",), "2 Years", "targetDuration", "major", "Target duration of follow-up added: “2 Years”"),
        (("patientRegistry",), True, "patientRegistry", "major", "Patient registry added: yes"),
        (("neverHeardOf",), "X", "neverHeardOf", "major", "Never heard of added: “X”"),
    ],
)
def test_each_other_field_of_the_design_is_an_entry_of_its_own(
    place: tuple[str, ...], new: Json, field: str, severity: str, summary: str
) -> None:
    change = only(after(put(new, *design(*place))))

    assert (change.kind, change.subject) == ("design.changed", {"type": "field", "name": field})
    assert (change.severity, change.summary, change.after) == (severity, summary, new)
    assert change.path == f"protocolSection.designModule.{'.'.join(place)}"


def test_two_fields_of_the_design_are_two_entries() -> None:
    found = after(
        put("CROSSOVER", *design("designInfo", "interventionModel")),
        put("SINGLE", *design("designInfo", "maskingInfo", "masking")),
    )

    assert kinds(found) == ["design.changed", "design.changed"]


@pytest.mark.parametrize(
    ("place", "old", "new"),
    [
        (("designInfo", "allocation"), "RANDOMIZED", "Randomized"),
        (("designInfo", "maskingInfo", "whoMasked"), ["PARTICIPANT", "INVESTIGATOR"], ["INVESTIGATOR", "PARTICIPANT"]),
        (("targetDuration",), "24 Months", "2 Years"),
        (("designInfo", "interventionModelDescription"), "Two  arms\nin parallel", "Two arms in parallel"),
        (("designInfo", "interventionModelDescription"), "Age \\> 5", "Age &gt; 5"),
    ],
)
def test_a_design_that_says_the_same_is_silent(place: tuple[str, ...], old: Json, new: Json) -> None:
    assert changes(edited(put(old, *design(*place))), edited(put(new, *design(*place)))) == []


# --- arms -------------------------------------------------------------------------------------------------------------

HIGH_DOSE = {
    "label": "Examplimab 20 mg",
    "type": "EXPERIMENTAL",
    "description": "Examplimab twice a day.",
    "interventionNames": ["Drug: Examplimab"],
}


def test_an_added_arm_with_its_echo_among_the_interventions_is_one_change() -> None:
    found = after(
        append(HIGH_DOSE, "armsInterventionsModule", "armGroups"),
        append("Examplimab 20 mg", *intervention(0, "armGroupLabels")),
    )

    change = only(found)
    assert told(found) == [("arm.added", "Examplimab 20 mg", None, "Examplimab 20 mg")]
    assert change.severity == "major"
    assert change.summary == "Arm added: “Examplimab 20 mg” (experimental)"
    assert change.path == "protocolSection.armsInterventionsModule.armGroups[2]"


def test_a_removed_arm_with_its_echo_is_one_change_and_stands_where_it_stood() -> None:
    found = after(
        drop(*arm(1)),
        put([], *intervention(1, "armGroupLabels")),
        put(["Examplimab 10 mg"], *intervention(2, "armGroupLabels")),
    )

    assert told(found) == [("arm.removed", "Placebo", "Placebo", None)]
    assert only(found).path == "protocolSection.armsInterventionsModule.armGroups[1]"


@pytest.mark.parametrize(
    "new",
    [
        {"label": "Open label extension"},
        {"label": "No treatment", "type": "NO_INTERVENTION"},
        {"label": "Diary alone", "type": "OTHER", "interventionNames": ["Other: Diary"]},
    ],
    ids=lambda new: new["label"],
)
def test_an_arm_comes_and_goes(new: dict[str, Json]) -> None:
    more = edited(append(new, "armsInterventionsModule", "armGroups"))

    assert told(changes(record(), more)) == [("arm.added", new["label"], None, new["label"])]
    assert told(changes(more, record())) == [("arm.removed", new["label"], new["label"], None)]


@pytest.mark.parametrize(
    "new",
    [
        {"type": "DEVICE", "name": "Thermometer"},
        {"type": "PROCEDURE", "name": "Cooling", "armGroupLabels": ["Placebo"]},
        {"name": "Rest"},
    ],
    ids=lambda new: new["name"],
)
def test_an_intervention_comes_and_goes(new: dict[str, Json]) -> None:
    more = edited(append(new, "armsInterventionsModule", "interventions"))

    assert told(changes(record(), more)) == [("intervention.added", new["name"], None, new["name"])]
    assert told(changes(more, record())) == [("intervention.removed", new["name"], new["name"], None)]


def test_a_relabelled_arm_whose_interventions_echo_it_is_one_change() -> None:
    found = after(
        put("Treatment A", *arm(0, "label")),
        put(["Treatment A"], *intervention(0, "armGroupLabels")),
        put(["Treatment A", "Placebo"], *intervention(2, "armGroupLabels")),
    )

    assert told(found) == [("arm.changed", "Treatment A", "Examplimab 10 mg", "Treatment A")]
    assert only(found).summary == "Arm “Treatment A”: label changed from “Examplimab 10 mg” to “Treatment A”"


def test_a_relabelled_arm_with_a_stale_echo_is_one_change_too() -> None:
    assert kinds(after(put("Treatment A", *arm(0, "label")))) == ["arm.changed"]


def test_two_relabelled_arms_keep_their_identity_by_what_they_get() -> None:
    found = after(put("A", *arm(0, "label")), put("B", *arm(1, "label")))

    assert told(found) == [
        ("arm.changed", "A", "Examplimab 10 mg", "A"),
        ("arm.changed", "B", "Placebo", "B"),
    ]


@pytest.mark.parametrize(
    ("field", "new", "before", "summary"),
    [
        (
            "description",
            "Examplimab twice a day.",
            "Examplimab once a day.",
            "Arm “Examplimab 10 mg”: description changed from “Examplimab once a day.” to “Examplimab twice a day.”",
        ),
        (
            "type",
            "ACTIVE_COMPARATOR",
            "EXPERIMENTAL",
            "Arm “Examplimab 10 mg”: type changed from experimental to active comparator",
        ),
        (
            "interventionNames",
            ["Drug: Examplimab"],
            ["Drug: Examplimab", "Other: Diary"],
            "Arm “Examplimab 10 mg”: interventions: “Other: Diary” removed",
        ),
    ],
)
def test_a_changed_field_of_an_arm_gives_its_values(field: str, new: Json, before: Json, summary: str) -> None:
    change = only(after(put(new, *arm(0, field))))

    assert (change.kind, change.before, change.after, change.summary) == ("arm.changed", before, new, summary)
    assert change.path == f"protocolSection.armsInterventionsModule.armGroups[0].{field}"


def test_several_fields_of_an_arm_are_one_entry_that_names_them() -> None:
    change = only(after(put("ACTIVE_COMPARATOR", *arm(0, "type")), put("Other words.", *arm(0, "description"))))

    assert change.before == {"type": "EXPERIMENTAL", "description": "Examplimab once a day."}
    assert change.after == {"type": "ACTIVE_COMPARATOR", "description": "Other words."}


def test_cohorts_without_type_and_interventions_are_not_the_same_for_that() -> None:
    cohorts = ("armsInterventionsModule", "armGroups")
    old = edited(put([{"label": "Bakers"}, {"label": "Millers"}, {"label": "Farmers"}], *cohorts))
    new = edited(put([{"label": "Bakers"}, {"label": "Nurses"}], *cohorts))

    assert kinds(changes(old, new)) == ["arm.added", "arm.removed", "arm.removed"]


def test_a_single_cohort_under_a_new_label_is_relabelled() -> None:
    cohorts = ("armsInterventionsModule", "armGroups")
    old = edited(put([{"label": "Bakers"}, {"label": "Millers"}], *cohorts))
    new = edited(put([{"label": "Bakers"}, {"label": "Nurses"}], *cohorts))

    assert told(changes(old, new)) == [("arm.changed", "Nurses", "Millers", "Nurses")]


# --- interventions ----------------------------------------------------------------------------------------------------


def test_an_added_intervention_with_its_echo_among_the_arms_is_one_change() -> None:
    found = after(
        append(
            {"type": "DIETARY_SUPPLEMENT", "name": "Vitamin X", "armGroupLabels": ["Placebo"]},
            "armsInterventionsModule",
            "interventions",
        ),
        append("Dietary Supplement: Vitamin X", *arm(1, "interventionNames")),
    )

    assert told(found) == [("intervention.added", "Vitamin X", None, "Vitamin X")]
    assert only(found).summary == "Intervention added: “Vitamin X” (dietary supplement)"


def test_a_removed_intervention_with_its_echo_is_one_change() -> None:
    found = after(
        drop(*intervention(2)),
        put(["Drug: Examplimab"], *arm(0, "interventionNames")),
        put(["Drug: Placebo"], *arm(1, "interventionNames")),
    )

    assert told(found) == [("intervention.removed", "Diary", "Diary", None)]


def test_a_renamed_intervention_that_kept_an_other_name_is_changed() -> None:
    found = after(
        put("EX-17", *intervention(0, "name")),
        put(["Drug: EX-17", "Other: Diary"], *arm(0, "interventionNames")),
    )

    change = only(found)
    assert (change.kind, change.before, change.after) == ("intervention.changed", "Examplimab", "EX-17")


def test_an_intervention_of_another_type_is_changed_once() -> None:
    found = after(
        put("BIOLOGICAL", *intervention(0, "type")),
        put(["Biological: Examplimab", "Other: Diary"], *arm(0, "interventionNames")),
    )

    assert told(found) == [("intervention.changed", "Examplimab", "DRUG", "BIOLOGICAL")]


@pytest.mark.parametrize(
    ("field", "new", "before"),
    [
        ("description", "Tablet, 20 mg", "Tablet, 10 mg"),
        ("otherNames", ["EX-17"], ["EX-17", "Exampla"]),
        ("armGroupLabels", ["Examplimab 10 mg", "Placebo"], ["Examplimab 10 mg"]),
    ],
)
def test_a_changed_field_of_an_intervention_gives_its_values(field: str, new: Json, before: Json) -> None:
    assert told(after(put(new, *intervention(0, field)))) == [("intervention.changed", "Examplimab", before, new)]


def test_an_arm_and_its_drug_that_are_replaced_are_not_taken_for_a_new_label() -> None:
    found = after(
        put(
            {
                "label": "Notionol 5 mg",
                "type": "EXPERIMENTAL",
                "description": "Weekly.",
                "interventionNames": ["Drug: Notionol"],
            },
            *arm(0),
        ),
        put({"type": "DRUG", "name": "Notionol", "armGroupLabels": ["Notionol 5 mg"]}, *intervention(0)),
        put(["Placebo"], *intervention(2, "armGroupLabels")),
    )

    assert kinds(found) == ["arm.added", "arm.removed", "intervention.added", "intervention.removed"]


def test_a_field_of_an_arm_that_no_rule_names_is_not_dropped() -> None:
    found = after(put("blue", *arm(0, "colour")))

    assert told(found) == [("record.changed", None, None, "blue")]
    assert only(found).path == "protocolSection.armsInterventionsModule.armGroups[0].colour"


# --- silence ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(10))
def test_the_order_of_lists_says_nothing(seed: int) -> None:
    assert changes(record(), shuffled(record(), random.Random(seed))) == []


@pytest.mark.parametrize(
    ("place", "new"),
    [
        (arm(0, "label"), "examplimab  10 MG"),
        (arm(0, "label"), "“Examplimab” 10 mg"),
        (arm(0, "description"), "Examplimab once\na day."),
        (arm(0, "type"), "Experimental"),
        (intervention(0, "name"), "EXAMPLIMAB"),
        (intervention(0, "otherNames"), ["Exampla", "ex-17"]),
    ],
)
def test_letter_case_and_layout_of_names_say_nothing(place: tuple[str | int, ...], new: Json) -> None:
    assert after(put(new, *place)) == []


def test_a_symbol_in_a_label_is_told() -> None:
    assert told(after(put("Examplimab ≥10 mg", *arm(0, "label")))) == [
        ("arm.changed", "Examplimab ≥10 mg", "Examplimab 10 mg", "Examplimab ≥10 mg")
    ]
