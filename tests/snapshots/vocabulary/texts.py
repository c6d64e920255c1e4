"""Made-up edits of titles, texts, terms, publications, links, and of what no other kind names."""

from tests.snapshots.vocabulary.cases import Case, Json, Still, swap
from tests.snapshots.whole_record import GONE

NAMED = "protocolSection.identificationModule"
TEXTS = "protocolSection.descriptionModule"
TERMS = "protocolSection.conditionsModule"
REFERENCES = "protocolSection.referencesModule.references"
LINKS, IPD_LINKS = "protocolSection.referencesModule.seeAlsoLinks", "protocolSection.referencesModule.availIpds"
IPD, OVERSIGHT = "protocolSection.ipdSharingStatementModule", "protocolSection.oversightModule"
NOTICE = {"pmid": "99000011", "source": "J Ex. 2025;9:1"}
FOUND = {"pmid": "99000007", "type": "DERIVED", "citation": "Noe N. Examplimab again. J Ex. 2026;1:2."}
BOOK = {"type": "BACKGROUND", "citation": "Poe P. On notional cough. Example Books, 2019."}
SECOND = {"pmid": "99000002", "type": "RESULT", "citation": "Roe R. Examplimab, first results. J Ex. 2024;5:10-19."}
ID = {"id": "EX-SECOND", "type": "OTHER_GRANT", "domain": "Example Fund"}


def text(kind: str, place: str, was: Json, now: Json) -> Case:
    return Case(kind, [(place, now)], was=[(place, was)], about=place.rpartition(".")[2], before=was, after=now)


def term(kind: str, was: list[str], now: list[str], about: str) -> Case:
    return Case(kind, [(f"{TERMS}.conditions", now)], was=[(f"{TERMS}.conditions", was)], about=about)


def cited(kind: str, now: list[Json], about: str, was: list[Json] | None = None, severity: str | None = None) -> Case:
    return Case(kind, [(REFERENCES, now)], was=[(REFERENCES, was or [BOOK, SECOND])], about=about, severity=severity)


CASES = [
    text("title.changed", f"{NAMED}.briefTitle", "Examplimab in Fever", "Examplimab in Imaginary Fever"),
    text("title.changed", f"{NAMED}.officialTitle", "A Study", "A Randomized Study"),
    text("title.changed", f"{NAMED}.acronym", "EXAMPLE-1", "EXAMPLE-2"),
    text("title.changed", f"{NAMED}.acronym", None, "EXAMPLE-1"),
    text("description.changed", f"{TEXTS}.briefSummary", "It is tested.", "It is tested twice."),
    text("description.changed", f"{TEXTS}.detailedDescription", "Seen weekly.", "Seen monthly."),
    text("description.changed", f"{TEXTS}.detailedDescription", "Seen weekly.", None),
    text("description.changed", f"{TEXTS}.briefSummary", "it is tested", "It is tested"),
    term("condition.added", ["Fever"], ["Fever", "Cough"], "Cough"),
    term("condition.added", [], ["Fever"], "Fever"),
    term("condition.added", ["FEVER"], ["Cough", "Fever"], "Cough"),
    term("condition.removed", ["Fever", "Cough"], ["Fever"], "Cough"),
    term("condition.removed", ["Fever"], [], "Fever"),
    term("condition.removed", ["Cough", "Fever"], ["fever."], "Cough"),
    *swap(
        "keyword.changed",
        f"{TERMS}.keywords",
        (["fever"], ["fever", "cough"]),
        (["fever"], []),
        ([], ["fever"]),
        (["fever"], ["cough"]),
    ),
    Case("identifier.added", [(f"{NAMED}.secondaryIdInfos[2]", ID)], about="EX-SECOND", after="EX-SECOND"),
    Case("identifier.added", [(f"{NAMED}.nctIdAliases[1]", "NCT99000091")], about="NCT99000091"),
    Case(
        "identifier.added",
        [(f"{NAMED}.orgStudyIdInfo", {"id": "EX-001"})],
        was=[(f"{NAMED}.orgStudyIdInfo", GONE)],
        about="EX-001",
    ),
    Case(
        "identifier.removed",
        [(f"{NAMED}.secondaryIdInfos[1]", GONE)],
        about="U1111-0000-0001",
        before="U1111-0000-0001",
    ),
    Case("identifier.removed", [(f"{NAMED}.nctIdAliases", [])], about="NCT99000090"),
    Case("identifier.removed", [(f"{NAMED}.orgStudyIdInfo", GONE)], about="EX-001"),
    cited("publication.added", [BOOK, SECOND, FOUND], "99000007"),
    cited("publication.added", [BOOK, SECOND, {**FOUND, "type": "RESULT"}], "99000007", severity="major"),
    cited("publication.added", [BOOK, SECOND, {"citation": "Unnamed. Talk, 2026."}], "Unnamed. Talk, 2026."),
    cited("publication.removed", [SECOND], BOOK["citation"]),
    cited("publication.removed", [BOOK], "99000002", severity="major"),
    cited("publication.removed", [], BOOK["citation"], was=[BOOK]),
    cited(
        "publication.changed",
        [{**BOOK, "citation": BOOK["citation"] + " Erratum in: 2020."}, SECOND],
        BOOK["citation"] + " Erratum in: 2020.",
    ),
    cited("publication.changed", [BOOK, {**SECOND, "type": "BACKGROUND"}], "99000002", severity="major"),
    cited("publication.changed", [{**BOOK, "pmid": "99000009"}, SECOND], "99000009"),
    cited(
        "publication.changed",
        [BOOK, SECOND],
        "99000002",
        was=[BOOK, {**SECOND, "retractions": [NOTICE]}],
        severity="major",
    ),
    cited("publication.retracted", [BOOK, {**SECOND, "retractions": [NOTICE]}], "99000002"),
    cited("publication.retracted", [{**BOOK, "retractions": [NOTICE]}, SECOND], BOOK["citation"]),
    cited(
        "publication.retracted",
        [{**FOUND, "retractions": [NOTICE, {"pmid": "99000012"}]}],
        "99000007",
        was=[{**FOUND, "retractions": [NOTICE]}],
    ),
    Case("link.changed", [(f"{LINKS}[1]", {"url": "https://example.org/other"})], about="https://example.org/other"),
    Case("link.changed", [(f"{LINKS}[0].label", "Page of the study")], about="https://example.org/study"),
    Case("link.changed", [(LINKS, [])], about="https://example.org/study"),
    Case("link.changed", [(f"{IPD_LINKS}[1]", {"id": "D2", "type": "Study Protocol"})], about="D2"),
    Case("ipd_sharing.changed", [(f"{IPD}.ipdSharing", "NO")], before="YES", after="NO", severity="major"),
    Case("ipd_sharing.changed", [(f"{IPD}.ipdSharing", "UNDECIDED")], before="YES", after="UNDECIDED"),
    Case(
        "ipd_sharing.changed",
        [(f"{IPD}.ipdSharing", "YES")],
        was=[(f"{IPD}.ipdSharing", "NO")],
        before="NO",
        after="YES",
    ),
    Case(
        "ipd_sharing.changed",
        [(f"{IPD}.infoTypes", ["SAP"]), (f"{IPD}.timeFrame", "A year")],
        edge="one entry for the module",
    ),
    *(
        Case("oversight.changed", [(f"{OVERSIGHT}.{field}", now)], after=now)
        for field, now in (("oversightHasDmc", False), ("isFdaRegulatedDevice", True), ("isUsExport", True))
    ),
    Case("record.changed", [("protocolSection.aModuleOfTomorrow", {"x": 1})], edge="a module that nobody knows"),
    Case(
        "record.changed", [(f"{NAMED}.aFieldOfTomorrow", "x")], edge="a field that nobody knows", before=None, after="x"
    ),
    Case("record.changed", [("aSectionOfTomorrow.aModule.aField", 7)], edge="a section that nobody knows", after=7),
    Case("record.changed", [(f"{LINKS}[0].aFieldOfTomorrow", True)], edge="a field of an item", after=True),
    Case("record.changed", [(f"{NAMED}.briefTitle", 7)], was=[(f"{NAMED}.briefTitle", 5)], edge="a number for a title"),
]
STILL = [
    Still("keywords in another order", [(f"{TERMS}.keywords", ["examplimab", "Fever"])]),
    Still("conditions in another order and case", [(f"{TERMS}.conditions", ["NOTIONAL COUGH", "Imaginary fever"])]),
    Still(
        "white space and dashes of a text",
        [(f"{TEXTS}.briefSummary", "A – b\r\n\r\nc")],
        [(f"{TEXTS}.briefSummary", "A - b c")],
    ),
    Still("typographic quotes of a title", [(f"{NAMED}.briefTitle", "“Fever”")], [(f"{NAMED}.briefTitle", '"Fever"')]),
    Still("an empty module", [("protocolSection.aModuleOfTomorrow", {})]),
    Still(
        "the derived section",
        [
            ("derivedSection.miscInfoModule.versionHolder", "2031-01-01"),
            ("derivedSection.conditionBrowseModule", {"meshes": []}),
        ],
    ),
]
