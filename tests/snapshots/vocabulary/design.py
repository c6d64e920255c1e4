"""Made-up edits of enrollment, phase, type of study, design, arms and interventions."""

from tests.snapshots.vocabulary.cases import Case, Json, Still, swap
from tests.snapshots.whole_record import GONE

MODULE = "protocolSection.designModule"
INFO = f"{MODULE}.designInfo"
ENROLLED = f"{MODULE}.enrollmentInfo"
ARMS = "protocolSection.armsInterventionsModule.armGroups"
INTERVENTIONS = "protocolSection.armsInterventionsModule.interventions"


def people(
    kind: str,
    was: Json,
    now: Json,
    severity: str | None = None,
    types: tuple[str | None, str | None] = ("ESTIMATED",) * 2,
) -> Case:
    """A case of the number of participants."""
    (before, after) = ({"count": count, "type": kind_} for count, kind_ in zip((was, now), types, strict=True))
    return Case(
        f"enrollment.{kind}",
        [(ENROLLED, after)],
        was=[(ENROLLED, before)],
        severity=severity,
        edge=f"{was} {now} {types}",
    )


REACHED, UNREACHED, BOTH = ("ESTIMATED", "ACTUAL"), ("ACTUAL", "ESTIMATED"), ("ACTUAL", "ACTUAL")
DESIGN_FIELDS = [
    ("allocation", "NON_RANDOMIZED", "major"),
    ("interventionModel", "CROSSOVER", "major"),
    ("primaryPurpose", "PREVENTION", "major"),
    ("interventionModelDescription", "Three arms in parallel.", "minor"),
]
DIARY = {"type": "OTHER", "name": "Questionnaire"}
THIRD = {"label": "No treatment", "type": "NO_INTERVENTION", "description": "Nothing is given."}
PLAIN_ARMS = (ARMS, [{"label": "Alpha", "type": "EXPERIMENTAL"}, {"label": "Omega", "type": "NO_INTERVENTION"}])

CASES = [
    people("target_changed", 100, 119, "minor"),
    people("target_changed", 100, 120, "major"),
    people("target_changed", 100, 80, "major"),
    people("target_changed", 1000, 1099, "minor"),
    people("target_changed", 1000, 1100, "major"),
    people("target_changed", 100, 110, "minor", (None, "ESTIMATED")),
    Case("enrollment.target_changed", [(f"{ENROLLED}.count", 99999999)], before=100, after=None, severity="major"),
    people("actual_reported", 100, 97, types=REACHED),
    people("actual_reported", 100, 100, types=REACHED),
    people("actual_reported", 100, 0, types=(None, "ACTUAL")),
    people("actual_corrected", 97, 98, types=BOTH),
    people("actual_corrected", 97, 0, types=BOTH),
    people("actual_corrected", 97, 970, types=BOTH),
    people("unreached", 97, 120, types=UNREACHED),
    people("unreached", 97, 97, types=UNREACHED),
    people("unreached", 97, 97, types=("ACTUAL", None)),
    *swap(
        "phase.changed",
        f"{MODULE}.phases",
        (["PHASE2"], ["PHASE2", "PHASE3"]),
        (["PHASE1", "PHASE2"], ["PHASE2"]),
        (["NA"], ["PHASE4"]),
        ([], ["EARLY_PHASE1"]),
    ),
    *swap(
        "study_type.changed",
        f"{MODULE}.studyType",
        ("INTERVENTIONAL", "OBSERVATIONAL"),
        ("OBSERVATIONAL", "INTERVENTIONAL"),
        (None, "INTERVENTIONAL"),
    ),
    *(
        Case("design.changed", [(f"{INFO}.{name}", now)], about=name, after=now, severity=severity)
        for name, now, severity in DESIGN_FIELDS
    ),
    Case("design.changed", [(f"{INFO}.maskingInfo.masking", "NONE")], about="masking", before="DOUBLE", after="NONE"),
    Case("design.changed", [(f"{INFO}.maskingInfo.whoMasked", ["PARTICIPANT"])], about="whoMasked"),
    Case("design.changed", [(f"{MODULE}.patientRegistry", True)], about="patientRegistry", after=True),
    Case("arm.added", [(f"{ARMS}[2]", THIRD)], about="No treatment", before=None, after="No treatment"),
    Case("arm.added", [(f"{ARMS}[2]", {"label": "Open label"})], about="Open label"),
    Case("arm.added", [(ARMS, [{"label": "One arm"}])], was=[(ARMS, []), (INTERVENTIONS, [])], about="One arm"),
    Case("arm.removed", [(f"{ARMS}[2]", GONE)], was=[(f"{ARMS}[2]", THIRD)], about="No treatment", after=None),
    Case("arm.removed", [(f"{ARMS}[2]", GONE)], was=[(f"{ARMS}[2]", {"label": "Open label"})], about="Open label"),
    Case("arm.removed", [(ARMS, [])], was=[(ARMS, [{"label": "One arm"}]), (INTERVENTIONS, [])], about="One arm"),
    Case(
        "arm.changed",
        [
            (f"{ARMS}[1].label", "Placebo tablet"),
            (f"{INTERVENTIONS}[1].armGroupLabels[0]", "Placebo tablet"),
            (f"{INTERVENTIONS}[2].armGroupLabels[1]", "Placebo tablet"),
        ],
        about="Placebo tablet",
        before="Placebo",
        after="Placebo tablet",
        edge="relabelled, echoes and all",
    ),
    Case("arm.changed", [(f"{ARMS}[0].type", "ACTIVE_COMPARATOR")], about="Examplimab 10 mg"),
    Case("arm.changed", [(f"{ARMS}[0].description", "Examplimab twice a day.")], about="Examplimab 10 mg"),
    Case("arm.changed", [(f"{ARMS}[0].type", "SHAM_COMPARATOR")], was=[PLAIN_ARMS, (INTERVENTIONS, [])], about="Alpha"),
    Case("intervention.added", [(f"{INTERVENTIONS}[3]", DIARY)], about="Questionnaire", after="Questionnaire"),
    Case(
        "intervention.added",
        [
            (f"{INTERVENTIONS}[3]", {**DIARY, "armGroupLabels": ["Placebo"]}),
            (f"{ARMS}[1].interventionNames[2]", "Other: Questionnaire"),
        ],
        about="Questionnaire",
        edge="the arm's echo is no change of its own",
    ),
    Case(
        "intervention.added", [(f"{INTERVENTIONS}[3]", {"type": "DEVICE", "name": "Thermometer"})], about="Thermometer"
    ),
    Case(
        "intervention.removed",
        [(f"{INTERVENTIONS}[3]", GONE)],
        was=[(f"{INTERVENTIONS}[3]", DIARY)],
        about="Questionnaire",
    ),
    Case(
        "intervention.removed",
        [
            (f"{INTERVENTIONS}[2]", GONE),
            (f"{ARMS}[0].interventionNames[1]", GONE),
            (f"{ARMS}[1].interventionNames[1]", GONE),
        ],
        about="Diary",
        before="Diary",
        edge="the arms' echoes are no changes of their own",
    ),
    Case(
        "intervention.removed",
        [(f"{INTERVENTIONS}[3]", GONE)],
        was=[(f"{INTERVENTIONS}[3]", {"type": "DEVICE", "name": "Thermometer"})],
        about="Thermometer",
    ),
    Case("intervention.changed", [(f"{INTERVENTIONS}[0].description", "Tablet, 20 mg")], about="Examplimab"),
    Case("intervention.changed", [(f"{INTERVENTIONS}[0].otherNames", ["EX-17"])], about="Examplimab"),
    Case(
        "intervention.changed",
        [(f"{INTERVENTIONS}[0].name", "Exampla"), (f"{ARMS}[0].interventionNames[0]", "Drug: Exampla")],
        about="Exampla",
        before="Examplimab",
        after="Exampla",
        edge="renamed to another of its names, echo and all",
    ),
]
STILL = [
    Still(
        "phases in another order",
        [(f"{MODULE}.phases", ["PHASE3", "PHASE2"])],
        [(f"{MODULE}.phases", ["PHASE2", "PHASE3"])],
    ),
    Still("no type of enrollment and estimated", [(ENROLLED, {"count": 100})]),
    Still("an arm's label in other letters", [(f"{ARMS}[1].label", "PLACEBO.")]),
    Still("an intervention's name in other letters", [(f"{INTERVENTIONS}[0].name", "EXAMPLIMAB")]),
    Still("the case of a design", [(f"{INFO}.allocation", "randomized")]),
]
