"""What is told about results, their submission, documents and FDA notices of an invented trial."""

import copy
from typing import Any

import pytest

from tests.snapshots.whole_record import (
    DOCUMENTS,
    GONE,
    STATUS,
    TRACKING,
    UNPOSTED,
    VIOLATIONS,
    after,
    between,
    kinds,
    results,
    told,
    whole,
    with_results,
)

Json = Any
MEASURES = "resultsSection.outcomeMeasuresModule.outcomeMeasures"


# --- results ----------------------------------------------------------------------------------------------------------


def test_results_that_are_posted() -> None:
    (change,) = told(whole(), with_results())

    assert (change.kind, change.severity, change.path) == ("results.posted", "critical", "hasResults")
    assert (change.before, change.after) == (False, True)


def test_results_that_are_no_longer_posted() -> None:
    (change,) = told(with_results(), whole())

    assert (change.kind, change.severity) == ("results.removed", "critical")


@pytest.mark.parametrize("before", [False, None, GONE])
def test_no_results_and_no_word_of_them_are_the_same(before: Json) -> None:
    assert told(whole(("hasResults", before)), whole()) == []


@pytest.mark.parametrize(
    ("place", "value", "words"),
    [
        (f"{MEASURES}[0].classes[0].categories[0].measurements[1].value", "38.3", "1 outcome measure changed (“Body"),
        (
            f"{MEASURES}[1].populationDescription",
            "All who began.",
            "1 outcome measure changed (“Days without fever”: population description: none → All who began.)",
        ),
        (f"{MEASURES}[0].analyses[0].pValue", "0.05", "1 outcome measure changed"),
        (f"{MEASURES}[0].analyses[0].groupIds[1]", "OG000", "1 outcome measure changed"),
        (f"{MEASURES}[0].classes[0].categories[0].measurements[1].groupId", "OG000", "1 outcome measure changed"),
        (f"{MEASURES}[1]", GONE, "1 outcome measure removed (“Days without fever”)"),
        (f"{MEASURES}[2]", {"type": "SECONDARY", "title": "Cough"}, "1 outcome measure added (“Cough”)"),
        (
            "resultsSection.participantFlowModule.recruitmentDetails",
            "In 2025.",
            "updated. Participant flow: recruitment details: none → In 2025.",
        ),
        (
            "resultsSection.participantFlowModule.groups[0].title",
            "Examplimab 20 mg",
            "title of a group: Examplimab 10 mg → Examplimab 20 mg",
        ),
        (
            "resultsSection.adverseEventsModule.otherEvents[0].stats[0].numAffected",
            4,
            "Adverse events: 1 number differs (Headache, Examplimab 10 mg): 3 → 4",
        ),
        (
            "resultsSection.adverseEventsModule.eventGroups[1].deathsNumAffected",
            "1",
            "Adverse events: 1 number differs (Placebo): none → 1",
        ),
        (
            "resultsSection.moreInfoModule",
            {"limitationsAndCaveats": {"description": "x"}},
            "More information (limitations, agreements, contact) added",
        ),
        ("resultsSection.aModuleOfTomorrow", {"x": 1}, "updated. A module of tomorrow added"),
    ],
)
def test_an_update_of_results_is_one_entry_that_names_the_part(place: str, value: Json, words: str) -> None:
    (change,) = told(with_results(), with_results((place, value)))

    assert (change.kind, change.severity) == ("results.updated", "major")
    assert words in change.summary
    assert (change.path or "").startswith("resultsSection.")


def test_an_update_of_many_parts_is_still_one_entry() -> None:
    (change,) = told(
        with_results(),
        with_results(
            (f"{MEASURES}[0].title", "Temperature"),
            ("resultsSection.participantFlowModule.recruitmentDetails", "In 2025."),
            ("resultsSection.adverseEventsModule.frequencyThreshold", "1"),
        ),
    )

    assert change.after["parts"] == ["participantFlowModule", "outcomeMeasuresModule", "adverseEventsModule"]
    assert change.after["outcome_measures"] == {
        "added": ["Temperature"],
        "removed": ["Body temperature"],
        "changed": [],
    }
    assert change.path == "resultsSection"


def regrouped() -> dict[str, Json]:
    """The invented results with the two groups in the other order, so that their ids are swapped everywhere."""
    swap = {f"{prefix}00{one}": f"{prefix}00{1 - one}" for prefix in ("OG", "FG", "EG", "BG") for one in (0, 1)}

    def swapped(value: Json) -> Json:
        if isinstance(value, dict):
            return {key: swapped(member) for key, member in value.items()}
        if isinstance(value, list):
            return [swapped(member) for member in reversed(value)]
        return swap.get(value, value) if isinstance(value, str) else value

    return swapped(results())  # type: ignore[no-any-return]


def test_the_order_of_groups_and_their_ids_say_nothing() -> None:
    assert regrouped() != results()
    assert told(with_results(), with_results(("resultsSection", regrouped()))) == []


def test_groups_of_one_title_are_told_apart_by_their_description() -> None:
    same = [("title", "Arm"), ("title", "Arm")]
    place = f"{MEASURES}[0].groups"
    one = with_results(*((f"{place}[{number}].title", title) for number, (_, title) in enumerate(same)))
    other = copy.deepcopy(one)
    measure = other["resultsSection"]["outcomeMeasuresModule"]["outcomeMeasures"][0]
    measure["groups"] = [{**group, "id": f"OG00{1 - n}"} for n, group in enumerate(measure["groups"])]
    for measurement in measure["classes"][0]["categories"][0]["measurements"]:
        measurement["groupId"] = {"OG000": "OG001", "OG001": "OG000"}[measurement["groupId"]]
    measure["analyses"][0]["groupIds"].reverse()

    assert told(one, other) == []


def test_layout_case_of_labels_and_of_enumerated_values_say_nothing_in_results() -> None:
    noisy = with_results(
        (f"{MEASURES}[0].title", "BODY  TEMPERATURE"),
        (f"{MEASURES}[0].paramType", "mean"),
        (f"{MEASURES}[0].groups[0].description", "Examplimab  once a day.\n"),
        ("resultsSection.adverseEventsModule.otherEvents[0].term", "headache"),
    )

    assert told(with_results(), noisy) == []


# --- submission -------------------------------------------------------------------------------------------------------

TRACKED = f"{TRACKING}.submissionInfos"


@pytest.mark.parametrize(
    ("info", "kind", "severity", "date"),
    [
        ({"releaseDate": "2026-01-02", "resetDate": "2026-02-01"}, "results.returned", "minor", "2026-02-01"),
        (
            {"releaseDate": "2026-01-02", "unreleaseDate": "2026-01-20"},
            "results.submission_cancelled",
            "major",
            "2026-01-20",
        ),
        (
            {"releaseDate": "2026-01-02", "unreleaseDateUnknown": True},
            "results.submission_cancelled",
            "major",
            None,
        ),
    ],
)
def test_a_new_date_of_the_tracking_is_told(info: Json, kind: str, severity: str, date: str | None) -> None:
    (change,) = after((TRACKED, [info]))

    assert (change.kind, change.severity, change.after) == (kind, severity, date)


def test_results_submitted_again_are_told() -> None:
    (change,) = after((f"{TRACKED}[1]", {"releaseDate": "2026-03-02"}))

    assert (change.kind, change.severity, change.after) == ("results.submitted", "major", "2026-03-02")
    assert change.summary == "Results were submitted to the registry's quality control on 2 March 2026"


@pytest.mark.parametrize(
    ("event", "kind"),
    [
        ({"type": "RELEASE", "date": "2026-03-02"}, "results.submitted"),
        ({"type": "RESET", "date": "2026-03-02"}, "results.returned"),
        ({"type": "reset", "date": "2026-03-02"}, "results.returned"),
        ({"type": "UNRELEASE", "date": "2026-03-02"}, "results.submission_cancelled"),
        ({"type": "AN_EVENT_OF_TOMORROW", "date": "2026-03-02"}, "record.changed"),
    ],
)
def test_a_new_event_of_the_annotation_is_told(event: Json, kind: str) -> None:
    (change,) = after((f"{UNPOSTED}[1]", event))

    assert (change.kind, change.after) == (kind, "2026-03-02")


def test_the_same_event_in_the_second_place_is_no_news() -> None:
    tracked = (f"{TRACKED}[1]", {"releaseDate": "2026-03-02"})
    both = (tracked, (f"{UNPOSTED}[1]", {"type": "RELEASE", "date": "2026-03-02"}))

    assert kinds(told(whole(), whole(tracked))) == ["results.submitted"]
    assert told(whole(tracked), whole(*both)) == []


def test_the_annotation_that_follows_the_tracking_is_no_news() -> None:
    assert told(whole(("annotationSection", GONE)), whole()) == []


def test_a_first_submission_is_one_entry() -> None:
    before = whole(("annotationSection", GONE), (TRACKING, GONE))

    assert kinds(told(before, whole())) == ["results.submitted"]


def test_an_event_of_the_same_day_and_another_type_is_news() -> None:
    assert kinds(after((f"{UNPOSTED}[1]", {"type": "RESET", "date": "2026-01-02"}))) == ["results.returned"]


def test_an_event_that_is_gone_is_not_dropped() -> None:
    (change,) = told(whole(), whole(("annotationSection", GONE), (TRACKED, GONE)))

    assert change.kind == "record.changed"
    assert change.before == {"type": "RELEASE", "date": "2026-01-02"}


def test_the_tracking_ends_with_the_posting() -> None:
    assert kinds(told(whole(), with_results(("annotationSection", GONE), (TRACKING, GONE)))) == ["results.posted"]


# --- certificate of delay ---------------------------------------------------------------------------------------------

SUBMITTED, POSTED = f"{STATUS}.dispFirstSubmitDate", f"{STATUS}.dispFirstPostDateStruct"


@pytest.mark.parametrize(
    ("edits", "date"),
    [
        ([(SUBMITTED, "2026-02-19"), (POSTED, {"date": "2026-02-20", "type": "ACTUAL"})], "2026-02-19"),
        ([(SUBMITTED, "2026-02-19")], "2026-02-19"),
        ([(POSTED, {"date": "2026-02-20", "type": "ESTIMATED"})], "2026-02-20"),
    ],
)
def test_a_certificate_of_delay_that_appears_is_one_entry(edits: list[tuple[str, Json]], date: str) -> None:
    (change,) = after(*edits)

    assert (change.kind, change.severity, change.after) == ("results.delay_certified", "major", date)


def test_the_posting_of_a_known_certificate_is_bookkeeping() -> None:
    (change,) = told(
        whole((SUBMITTED, "2026-02-19")), whole((SUBMITTED, "2026-02-19"), (POSTED, {"date": "2026-02-20"}))
    )

    assert change.kind == "record.verified"


@pytest.mark.parametrize("now", ["2026-02-21", GONE])
def test_a_certificate_that_changes_or_goes_is_not_dropped(now: Json) -> None:
    (change,) = told(whole((SUBMITTED, "2026-02-19")), whole((SUBMITTED, "x"), (SUBMITTED, now)))

    assert (change.kind, change.before) == ("record.changed", "2026-02-19")


# --- documents --------------------------------------------------------------------------------------------------------

SAP = {"typeAbbrev": "SAP", "label": "Statistical Analysis Plan", "date": "2025-06-01", "filename": "SAP_001.pdf"}


def test_a_document_that_is_posted() -> None:
    (change,) = after((f"{DOCUMENTS}[1]", SAP))

    assert (change.kind, change.severity, change.path) == ("document.posted", "major", f"{DOCUMENTS}[1]")
    assert change.subject == {"type": "document", "name": "Statistical Analysis Plan", "filename": "SAP_001.pdf"}
    assert change.summary == "Document posted: Statistical Analysis Plan of 1 June 2025"


def test_a_document_that_is_removed() -> None:
    (change,) = after(("documentSection", GONE))

    assert (change.kind, change.severity, change.before) == ("document.removed", "major", "Study Protocol")


@pytest.mark.parametrize(
    "edits",
    [
        [("filename", "Prot_002.pdf")],
        [("date", "2025-09-01")],
        [("uploadDate", "2025-09-09T10:00"), ("size", 1200)],
        [("filename", "Prot_002.pdf"), ("date", "2025-09-01"), ("uploadDate", "2025-09-09T10:00")],
        [("typeAbbrev", "Prot_SAP"), ("label", "Study Protocol and Statistical Analysis Plan")],
    ],
)
def test_a_document_that_is_replaced_is_one_entry(edits: list[tuple[str, str]]) -> None:
    (change,) = after(*((f"{DOCUMENTS}[0].{field}", value) for field, value in edits))

    assert (change.kind, change.severity) == ("document.replaced", "minor")
    assert change.before["filename"] == "Prot_000.pdf"


def test_a_document_of_another_name_date_and_label_is_another_one() -> None:
    assert kinds(after((f"{DOCUMENTS}[0]", SAP))) == ["document.posted", "document.removed"]


def test_the_order_of_documents_says_nothing() -> None:
    both = whole((f"{DOCUMENTS}[1]", SAP))
    turned = copy.deepcopy(both)
    turned["documentSection"]["largeDocumentModule"]["largeDocs"].reverse()

    assert told(both, turned) == []


# --- FDA --------------------------------------------------------------------------------------------------------------

EVENTS = f"{VIOLATIONS}.violationEvents"
NOTICE = {"type": "VIOLATION_IDENTIFIED", "description": "Results are late.", "issuedDate": "2026-02-01"}
FLAG = "protocolSection.oversightModule.fdaaa801Violation"


@pytest.mark.parametrize(
    ("before", "now"),
    [
        ([], [NOTICE]),
        ([NOTICE], []),
        ([NOTICE], [{**NOTICE, "description": "Results are very late."}]),
        ([NOTICE], [{**NOTICE, "postedDate": "2026-02-09"}]),
        ([NOTICE], [NOTICE, {"type": "CORRECTION_CONFIRMED", "issuedDate": "2026-05-01"}]),
    ],
)
def test_a_notice_of_the_fda_is_critical(before: Json, now: Json) -> None:
    (change,) = between(EVENTS, before, now)

    assert (change.kind, change.severity) == ("fda_notice.changed", "critical")


def test_a_notice_is_said_in_words() -> None:
    (change,) = between(EVENTS, [], [NOTICE])

    assert change.summary == "New FDA notice: violation identified, 1 February 2026, “Results are late.”"


def test_the_mark_of_a_violation_speaks_where_no_notice_does() -> None:
    assert kinds(between(FLAG, False, True)) == ["fda_notice.changed"]
    assert kinds(between(FLAG, True, False)) == ["fda_notice.changed"]
    assert kinds(told(whole(), whole((FLAG, True), (EVENTS, [NOTICE])))) == ["fda_notice.changed"]
    assert between(FLAG, None, False) == []


def test_the_layout_of_a_notice_says_nothing() -> None:
    assert (
        between(EVENTS, [NOTICE], [{**NOTICE, "type": "violation_identified", "description": "Results  are late."}])
        == []
    )
