"""Outcomes: what is told when they are added, removed, moved and reworded, in an invented record."""

import random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.snapshots.protocol import (
    after,
    append,
    changes,
    drop,
    edited,
    kinds,
    only,
    outcome,
    put,
    record,
    shuffled,
    told,
)

Json = Any

SLEEP = {"measure": "Quality of sleep", "timeFrame": "Week 8"}
PULSE = {"measure": "Resting pulse", "description": "By hand."}
DEATHS = {"measure": "All-cause mortality (%)", "timeFrame": "1 year", "description": "Any death."}


@pytest.mark.parametrize("new", [SLEEP, PULSE, DEATHS], ids=lambda new: new["measure"])
@pytest.mark.parametrize(("level", "severity"), [("primary", "critical"), ("secondary", "minor"), ("other", "minor")])
def test_an_added_outcome_is_told(level: str, severity: str, new: dict[str, str]) -> None:
    change = only(after(append(new, "outcomesModule", f"{level}Outcomes")))

    frame = f" (time frame: “{new['timeFrame']}”)" if "timeFrame" in new else ""
    assert (change.kind, change.severity) == (f"{level}_outcome.added", severity)
    assert (change.before, change.after) == (None, new["measure"])
    assert change.subject == {"type": "outcome", "name": new["measure"], "list": level}
    assert change.summary == f"{level.capitalize()} outcome added: “{new['measure']}”{frame}"


@pytest.mark.parametrize("gone", [SLEEP, PULSE, DEATHS], ids=lambda gone: gone["measure"])
@pytest.mark.parametrize(("level", "severity"), [("primary", "critical"), ("secondary", "major"), ("other", "minor")])
def test_a_removed_outcome_is_told_where_it_stood(level: str, severity: str, gone: dict[str, str]) -> None:
    listed = ("outcomesModule", f"{level}Outcomes")

    change = only(
        changes(edited(put([gone, {"measure": "Stays"}], *listed)), edited(put([{"measure": "Stays"}], *listed)))
    )

    assert (change.kind, change.severity) == (f"{level}_outcome.removed", severity)
    assert (change.before, change.after) == (gone["measure"], None)
    assert change.path == f"protocolSection.outcomesModule.{level}Outcomes[0]"


@pytest.mark.parametrize("level", ["secondary", "other"])
def test_a_primary_outcome_in_another_list_is_demoted(level: str) -> None:
    moved = record()["outcomesModule"]["primaryOutcomes"][0]

    change = only(after(drop(*outcome("primary", 0)), append(moved, "outcomesModule", f"{level}Outcomes")))

    assert (change.kind, change.severity) == ("primary_outcome.demoted", "critical")
    assert (change.before, change.after) == ("primary", level)
    article = "an" if level == "other" else "a"
    assert change.summary == f"Primary outcome “Body temperature” is {article} {level} outcome now"


@pytest.mark.parametrize("level", ["secondary", "other"])
def test_an_outcome_that_became_primary_is_promoted(level: str) -> None:
    moved = record()["outcomesModule"][f"{level}Outcomes"][0]

    change = only(after(drop(*outcome(level, 0)), append(moved, "outcomesModule", "primaryOutcomes")))

    assert (change.kind, change.severity) == ("primary_outcome.promoted", "critical")
    assert (change.before, change.after) == (level, "primary")
    assert change.summary == f"{level.capitalize()} outcome “{moved['measure']}” is a primary outcome now"


def test_a_switch_of_primary_and_secondary_is_a_demotion_and_a_promotion() -> None:
    outcomes = record()["outcomesModule"]

    found = after(
        put(outcomes["secondaryOutcomes"][0], *outcome("primary", 0)),
        put(outcomes["primaryOutcomes"][0], *outcome("secondary", 0)),
    )

    assert kinds(found) == ["primary_outcome.demoted", "primary_outcome.promoted"]


def test_a_demoted_outcome_whose_time_frame_changed_too_tells_both() -> None:
    moved = record()["outcomesModule"]["primaryOutcomes"][0] | {"timeFrame": "Week 4"}

    found = after(drop(*outcome("primary", 0)), append(moved, "outcomesModule", "secondaryOutcomes"))

    assert told(found) == [
        ("primary_outcome.demoted", "Body temperature", "primary", "secondary"),
        ("secondary_outcome.changed", "Body temperature", "Week 12", "Week 4"),
    ]


def test_a_promoted_outcome_whose_time_frame_changed_too_tells_both() -> None:
    moved = record()["outcomesModule"]["secondaryOutcomes"][0] | {"timeFrame": "Week 4"}

    found = after(drop(*outcome("secondary", 0)), append(moved, "outcomesModule", "primaryOutcomes"))

    assert kinds(found) == ["primary_outcome.promoted", "primary_outcome.time_frame_changed"]


@pytest.mark.parametrize(("level", "to"), [("secondary", "other"), ("other", "secondary")])
def test_a_move_between_secondary_and_other_is_a_change_of_the_new_list(level: str, to: str) -> None:
    moved = record()["outcomesModule"][f"{level}Outcomes"][0]

    change = only(after(drop(*outcome(level, 0)), append(moved, "outcomesModule", f"{to}Outcomes")))

    assert (change.kind, change.severity, change.before, change.after) == (f"{to}_outcome.changed", "minor", level, to)
    assert change.summary.endswith(f": moved here from the {level} outcomes")


@pytest.mark.parametrize(
    ("field", "new", "kind", "severity", "summary"),
    [
        (
            "measure",
            "Body temperature at rest",
            "primary_outcome.reworded",
            "major",
            "Primary outcome reworded from “Body temperature” to “Body temperature at rest”",
        ),
        (
            "timeFrame",
            "Week 16",
            "primary_outcome.time_frame_changed",
            "major",
            "Primary outcome “Body temperature”: time frame changed from “Week 12” to “Week 16”",
        ),
        (
            "description",
            "Measured in the ear.",
            "primary_outcome.description_changed",
            "minor",
            "Primary outcome “Body temperature”: description changed from “Measured under the tongue.” to "
            "“Measured in the ear.”",
        ),
    ],
)
def test_each_field_of_a_primary_outcome_is_an_entry_of_its_own(
    field: str, new: str, kind: str, severity: str, summary: str
) -> None:
    change = only(after(put(new, *outcome("primary", 0, field))))

    assert (change.kind, change.severity, change.summary) == (kind, severity, summary)
    assert (change.before, change.after) == (record()["outcomesModule"]["primaryOutcomes"][0][field], new)
    assert change.path == f"protocolSection.outcomesModule.primaryOutcomes[0].{field}"


def test_three_fields_of_a_primary_outcome_are_three_entries() -> None:
    found = after(
        put(
            {"measure": "Mean body temperature", "timeFrame": "Week 16", "description": "In the ear."},
            *outcome("primary", 0),
        )
    )

    assert kinds(found) == [
        "primary_outcome.description_changed",
        "primary_outcome.reworded",
        "primary_outcome.time_frame_changed",
    ]


@pytest.mark.parametrize(
    ("new", "before", "now"),
    [
        ({"timeFrame": "Week 48"}, "Week 24", "Week 48"),
        ({"measure": "Number of days without any fever"}, "Days without fever", "Number of days without any fever"),
        (
            {"timeFrame": "Week 48", "description": "By phone."},
            {"timeFrame": "Week 24", "description": "From a diary."},
            {"timeFrame": "Week 48", "description": "By phone."},
        ),
    ],
)
def test_a_secondary_outcome_has_one_entry_for_all_its_fields(new: dict[str, str], before: Json, now: Json) -> None:
    changed = record()["outcomesModule"]["secondaryOutcomes"][0] | new

    found = after(put(changed, *outcome("secondary", 0)))

    assert told(found) == [("secondary_outcome.changed", changed["measure"], before, now)]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("Objective Response Rate (ORR)", "Overall response rate (ORR)"),
        ("Overall survival", "Overall Survival (OS)"),
        ("Mean haemoglobin", "Mean hemoglobin"),
        ("Change from baseline in HbA1c at week 24", "Change from baseline in HbA1c at week 26"),
        ("Part 1 (Arm 5): Duration of response (DOR)", "Part 1 (Arm 5 and Arm 8): Duration of response (DOR)"),
        ("Number of participants with adverse events", "Number of patients with treatment-emergent adverse events"),
    ],
)
def test_a_similar_measure_is_the_same_outcome_reworded(old: str, new: str) -> None:
    place = outcome("primary", 0, "measure")

    assert told(changes(edited(put(old, *place)), edited(put(new, *place)))) == [
        ("primary_outcome.reworded", new, old, new)
    ]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("Progression-free survival (PFS)", "Overall survival (OS)"),
        ("Event-free survival (EFS)", "Disease-free survival (DFS)"),
        ("Change from baseline in HbA1c at week 24", "Change from baseline in body weight at week 24"),
        ("Systolic blood pressure", "Diastolic blood pressure"),
        ("Severe hypoglycemia", "Severe hyperglycemia"),
        ("Change in serum IgG4", "Change in serum IgG1"),
        ("Number of participants who die", "Number of participants who relapse"),
    ],
)
def test_an_outcome_that_was_swapped_is_removed_and_added(old: str, new: str) -> None:
    place = outcome("primary", 0, "measure")

    assert kinds(changes(edited(put(old, *place)), edited(put(new, *place)))) == [
        "primary_outcome.added",
        "primary_outcome.removed",
    ]


def test_of_two_similar_measures_the_one_with_the_same_time_frame_is_the_same() -> None:
    listed = ("outcomesModule", "secondaryOutcomes")
    old = edited(put([{"measure": "Overall survival", "timeFrame": "2 years"}], *listed))
    new = edited(
        put(
            [
                {"measure": "Overall survival rate", "timeFrame": "5 years"},
                {"measure": "Overall survival (OS)", "timeFrame": "2 years"},
            ],
            *listed,
        )
    )

    assert told(changes(old, new)) == [
        ("secondary_outcome.added", "Overall survival rate", None, "Overall survival rate"),
        ("secondary_outcome.changed", "Overall survival (OS)", "Overall survival", "Overall survival (OS)"),
    ]


def test_the_same_measure_at_two_times_keeps_both_apart() -> None:
    listed = ("outcomesModule", "secondaryOutcomes")
    both = [{"measure": "Response", "timeFrame": "Week 12"}, {"measure": "Response", "timeFrame": "Week 24"}]

    assert told(changes(edited(put(both, *listed)), edited(put([both[1]], *listed)))) == [
        ("secondary_outcome.removed", "Response", "Response", None)
    ]


@pytest.mark.parametrize(
    ("field", "new"),
    [
        ("measure", "BODY  temperature."),
        ("measure", "Body-temperature".replace("-", " ")),
        ("timeFrame", "Week\n12"),
        ("description", "Measured under&nbsp;the tongue."),
    ],
)
def test_letter_case_of_measures_and_layout_say_nothing(field: str, new: str) -> None:
    assert after(put(new, *outcome("primary", 0, field))) == []


@pytest.mark.parametrize("seed", range(10))
def test_the_order_of_outcomes_says_nothing(seed: int) -> None:
    assert changes(record(), shuffled(record(), random.Random(seed))) == []


OUTCOMES = st.lists(
    st.fixed_dictionaries(
        {},
        optional={
            "measure": st.sampled_from(["Fever", "fever", "Cough score", "Cough score (CS)", "Sleep", ""]),
            "timeFrame": st.sampled_from(["Week 1", "Week 2", "week 2"]),
            "description": st.sampled_from(["By phone.", "By letter."]),
            "odd": st.integers(0, 1),
        },
    ),
    max_size=5,
)
MODULES = st.fixed_dictionaries({f"{level}Outcomes": OUTCOMES for level in ("primary", "secondary", "other")})


@settings(max_examples=60)
@given(MODULES, st.integers())
def test_no_list_of_outcomes_differs_from_its_own_shuffle(module: Json, seed: int) -> None:
    old = edited(put(module, "outcomesModule"))

    assert changes(old, shuffled(old, random.Random(seed))) == []


@settings(max_examples=60)
@given(MODULES, MODULES)
def test_the_balance_of_added_and_removed_outcomes_is_that_of_the_lists(before: Json, now: Json) -> None:
    found = kinds(changes(edited(put(before, "outcomesModule")), edited(put(now, "outcomesModule"))))

    gained = sum(kind.endswith(".added") for kind in found) - sum(kind.endswith(".removed") for kind in found)
    assert gained == sum(map(len, now.values())) - sum(map(len, before.values()))
