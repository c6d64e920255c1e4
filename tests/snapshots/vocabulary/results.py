"""Made-up edits of results, their submission, documents and FDA notices."""

from tests.snapshots.vocabulary.cases import Case, Json, Still
from tests.snapshots.whole_record import DOCUMENTS, GONE, STATUS, TRACKING, UNPOSTED, VIOLATIONS, results

POSTED = [("hasResults", True), ("resultsSection", results())]
MEASURES = "resultsSection.outcomeMeasuresModule.outcomeMeasures"
INFOS = f"{TRACKING}.submissionInfos"
EVENTS = f"{VIOLATIONS}.violationEvents"
FLAG = "protocolSection.oversightModule.fdaaa801Violation"
SAP = {"typeAbbrev": "SAP", "label": "Analysis Plan", "date": "2025-06-01", "filename": "SAP_001.pdf", "size": 10}
NOTICE = {"type": "VIOLATION_IDENTIFIED", "description": "Results are late.", "issuedDate": "2026-02-01"}


def updated(place: str, value: Json) -> Case:
    return Case("results.updated", [(f"resultsSection.{place}", value)], was=POSTED)


def events(kind: str, tracked: str, annotated: str) -> list[Case]:
    """A new event in the tracking, in the annotation, and of a day not known."""
    return [
        Case(kind, [(f"{INFOS}[1]", {tracked: "2026-03-02"})], after="2026-03-02", edge="tracked"),
        Case(
            kind, [(f"{UNPOSTED}[1]", {"type": annotated, "date": "2026-03-02"})], after="2026-03-02", edge="annotated"
        ),
        Case(kind, [(f"{INFOS}[1]", {f"{tracked}Unknown": True})], after=None, edge="of a day not known"),
        Case(
            kind,
            [(f"{INFOS}[1]", {tracked: "2026-03-02"}), (f"{UNPOSTED}[1]", {"type": annotated, "date": "2026-03-02"})],
            after="2026-03-02",
            edge="in both places at once",
        ),
    ]


CERTIFIED, CERTIFICATE = f"{STATUS}.dispFirstSubmitDate", f"{STATUS}.dispFirstPostDateStruct"

CASES = [
    Case("results.posted", POSTED, before=False, after=True),
    Case("results.posted", [*POSTED, ("annotationSection", GONE), (TRACKING, GONE)], edge="the tracking ends with it"),
    Case("results.posted", [POSTED[0]], edge="the mark alone"),
    Case("results.removed", [("hasResults", False), ("resultsSection", GONE)], was=POSTED, before=True, after=False),
    Case("results.removed", [("hasResults", False)], was=POSTED, edge="the mark alone"),
    Case("results.removed", [("hasResults", GONE), ("resultsSection", GONE)], was=POSTED, edge="mark and section"),
    updated("outcomeMeasuresModule.outcomeMeasures[0].classes[0].categories[0].measurements[1].value", "38.9"),
    updated("outcomeMeasuresModule.outcomeMeasures[1]", GONE),
    updated("participantFlowModule.groups[0].title", "Examplimab 20 mg"),
    updated("adverseEventsModule.otherEvents[0].stats[0].numAffected", 4),
    updated("moreInfoModule", {"limitationsAndCaveats": {"description": "Few took part."}}),
    updated("aModuleOfTomorrow", {"x": 1}),
    *events("results.submitted", "releaseDate", "RELEASE"),
    *events("results.returned", "resetDate", "RESET"),
    *events("results.submission_cancelled", "unreleaseDate", "UNRELEASE"),
    Case("results.delay_certified", [(CERTIFIED, "2026-02-19")], after="2026-02-19"),
    Case("results.delay_certified", [(CERTIFICATE, {"date": "2026-02-20"})], after="2026-02-20"),
    Case("results.delay_certified", [(CERTIFIED, "2026-02-19"), (CERTIFICATE, {"date": "2026-02-20"})]),
    Case("document.posted", [(f"{DOCUMENTS}[1]", SAP)], about="Analysis Plan", after="Analysis Plan"),
    Case("document.posted", [(f"{DOCUMENTS}[1]", {**SAP, "label": None})], about="SAP_001.pdf"),
    Case(
        "document.posted",
        [("documentSection", {"largeDocumentModule": {"largeDocs": [SAP]}})],
        was=[("documentSection", GONE)],
        about="Analysis Plan",
    ),
    Case("document.removed", [("documentSection", GONE)], about="Study Protocol", before="Study Protocol"),
    Case("document.removed", [(DOCUMENTS, [])], about="Study Protocol", before="Study Protocol"),
    Case("document.removed", [(f"{DOCUMENTS}[1]", GONE)], was=[(f"{DOCUMENTS}[1]", SAP)], about="Analysis Plan"),
    *(
        Case("document.replaced", [(f"{DOCUMENTS}[0].{field}", value)], about=about)
        for field, value, about in (
            ("date", "2025-09-01", "Study Protocol"),
            ("size", 1200, "Study Protocol"),
            ("filename", "Prot_002.pdf", "Study Protocol"),
            ("uploadDate", "2025-09-09T10:00", "Study Protocol"),
            ("label", "Study Protocol, Amendment 1", "Study Protocol, Amendment 1"),
        )
    ),
    Case("fda_notice.changed", [(EVENTS, [NOTICE])], before=None),
    Case("fda_notice.changed", [(EVENTS, [])], was=[(EVENTS, [NOTICE])], after=None),
    Case("fda_notice.changed", [(f"{EVENTS}[0].postedDate", "2026-02-09")], was=[(EVENTS, [NOTICE])]),
    Case("fda_notice.changed", [(FLAG, True)], before=False, after=True),
    Case("fda_notice.changed", [(FLAG, True), (EVENTS, [NOTICE])], edge="mark and notice are one entry"),
]

_SEEN = (f"{INFOS}[1]", {"resetDate": "2026-03-02"})
STILL = [
    Still(
        "the same event seen in the second place later",
        [(f"{UNPOSTED}[1]", {"type": "RESET", "date": "2026-03-02"})],
        [_SEEN],
    ),
    Still("no results and no word of them", [("hasResults", GONE)]),
    Still("the case of a group's title", [("resultsSection.participantFlowModule.groups[1].title", "PLACEBO")], POSTED),
    Still("no mark of a violation and no word of it", [(FLAG, False)], [(FLAG, None)]),
]
