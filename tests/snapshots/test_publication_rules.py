"""Publications, links, sharing of participant data, oversight: what is told about edits of an invented record."""

import random
from typing import Any

import pytest

from tests.snapshots.protocol import after, append, changes, drop, edited, kinds, only, put, record, shuffled, told

Json = Any

REFERENCES = ("referencesModule", "references")


# --- publications -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "severity", "words"),
    [
        ("RESULT", "major", "with results of the trial"),
        ("DERIVED", "minor", "found by the registry itself"),
        ("BACKGROUND", "minor", "as background"),
    ],
)
def test_a_publication_that_is_linked_is_told_by_its_pmid(kind: str, severity: str, words: str) -> None:
    change = only(after(append({"pmid": "99000009", "type": kind, "citation": "Low L. New. 2026."}, *REFERENCES)))

    assert (change.kind, change.severity) == ("publication.added", severity)
    assert change.subject and change.subject["name"] == "99000009"
    assert change.summary == f"Publication linked: PMID 99000009 (“Low L. New. 2026.”), {words}"
    assert change.path == "protocolSection.referencesModule.references[3]"


def test_a_publication_without_pmid_is_told_by_its_citation() -> None:
    change = only(after(drop(*REFERENCES, 2)))

    assert (change.kind, change.severity) == ("publication.removed", "minor")
    assert change.subject and change.subject["name"] == "Poe P. On notional cough. Example Books, 2019."


def test_a_publication_with_results_that_goes_is_major() -> None:
    assert only(after(drop(*REFERENCES, 1))).severity == "major"


def test_an_erratum_in_a_citation_is_a_change() -> None:
    citation = record()["referencesModule"]["references"][0]["citation"] + " Erratum in: J Ex. 2021;2:3;4-6."

    change = only(after(put(citation, *REFERENCES, 0, "citation")))

    assert (change.kind, change.severity, change.after) == ("publication.changed", "minor", citation)
    assert change.summary == "Publication PMID 99000001: citation reworded (“Erratum in: J Ex. 2021;2:3;4-6.” added)"


@pytest.mark.parametrize(("kind", "severity"), [("RESULT", "major"), ("DERIVED", "minor")])
def test_another_type_of_publication_is_a_change(kind: str, severity: str) -> None:
    change = only(after(put(kind, *REFERENCES, 0, "type")))

    assert (change.kind, change.severity) == ("publication.changed", severity)
    assert (change.before, change.after) == ("BACKGROUND", kind)


def test_a_publication_that_got_its_pmid_is_the_same() -> None:
    change = only(after(put("99000003", *REFERENCES, 2, "pmid")))

    assert (change.kind, change.before, change.after) == ("publication.changed", None, "99000003")


def test_a_citation_that_was_tidied_is_the_same_publication() -> None:
    citation = "Poe P. On notional cough. Example Books, London, 2019."

    assert told(after(put(citation, *REFERENCES, 2, "citation"))) == [
        ("publication.changed", citation, "Poe P. On notional cough. Example Books, 2019.", citation)
    ]


def test_a_new_retraction_is_critical() -> None:
    notice = {"pmid": "99000050", "source": "J Ex. 2026;7:1"}

    change = only(after(put([notice], *REFERENCES, 1, "retractions")))

    assert (change.kind, change.severity) == ("publication.retracted", "critical")
    assert change.subject and change.subject["name"] == "99000002"
    assert (change.before, change.after) == ([], [notice])
    assert change.summary == (
        "Publication retracted: PMID 99000002 (“Roe R. Examplimab, first results. J Ex. 2024;5:10-19.”); "
        "notice: J Ex. 2026;7:1"
    )


def test_a_second_retraction_notice_is_told_again_and_its_order_is_not() -> None:
    one, two = ({"pmid": f"9900005{number}", "source": f"J Ex. {number}"} for number in (0, 1))
    old = edited(put([one], *REFERENCES, 1, "retractions"))
    both = edited(put([one, two], *REFERENCES, 1, "retractions"))
    turned = edited(put([two, one], *REFERENCES, 1, "retractions"))

    assert kinds(changes(old, both)) == ["publication.retracted"]
    assert changes(both, turned) == []
    assert kinds(changes(both, old)) == ["publication.changed"]


def test_a_retraction_with_a_new_citation_is_two_entries() -> None:
    found = after(
        put([{"pmid": "99000050", "source": "J Ex. 2026;7:1"}], *REFERENCES, 1, "retractions"),
        put("Roe R. RETRACTED: Examplimab, first results. J Ex. 2024;5:10-19.", *REFERENCES, 1, "citation"),
    )

    assert kinds(found) == ["publication.changed", "publication.retracted"]


def test_a_publication_that_is_retracted_when_linked_says_so() -> None:
    new = {"pmid": "99000009", "type": "DERIVED", "retractions": [{"pmid": "99000051", "source": "J Ex."}]}

    assert only(after(append(new, *REFERENCES))).summary == (
        "Publication linked: PMID 99000009, found by the registry itself, already retracted"
    )


# --- links ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("edits", "before", "now", "summary"),
    [
        (
            append({"label": "Summary", "url": "https://example.org/s"}, "referencesModule", "seeAlsoLinks"),
            None,
            "https://example.org/s",
            "Link added: https://example.org/s (“Summary”)",
        ),
        (
            drop("referencesModule", "seeAlsoLinks"),
            "https://example.org/study",
            None,
            "Link removed: https://example.org/study (“Study site”)",
        ),
        (
            put("Website", "referencesModule", "seeAlsoLinks", 0, "label"),
            "Study site",
            "Website",
            "Link changed: https://example.org/study (“Study site”): label changed from “Study site” to “Website”",
        ),
        (
            drop("referencesModule", "availIpds"),
            "https://example.org/data",
            None,
            "Place of participant data removed: https://example.org/data",
        ),
    ],
)
def test_each_link_is_an_entry(edits: Any, before: Json, now: Json, summary: str) -> None:
    change = only(after(edits))

    assert (change.kind, change.severity) == ("link.changed", "admin")
    assert change.subject and change.subject["name"] == (
        now if before is None else before if now is None else change.subject["name"]
    )
    assert (change.before, change.after, change.summary) == (before, now, summary)


def test_two_links_that_go_are_two_entries() -> None:
    found = after(drop("referencesModule", "seeAlsoLinks"), drop("referencesModule", "availIpds"))

    assert kinds(found) == ["link.changed", "link.changed"]


def test_a_comment_on_participant_data_is_told_under_its_url() -> None:
    change = only(after(put("Ask first", "referencesModule", "availIpds", 0, "comment")))

    assert (change.kind, change.after) == ("link.changed", "Ask first")
    assert change.subject and change.subject["name"] == "https://example.org/data"


# --- sharing of participant data --------------------------------------------------------------------------------------

SHARING = "ipdSharingStatementModule"


@pytest.mark.parametrize(
    ("old", "new", "severity"),
    [("YES", "NO", "major"), ("NO", "YES", "minor"), ("YES", "UNDECIDED", "minor"), ("UNDECIDED", "NO", "minor")],
)
def test_a_plan_to_share_that_turns_into_no_is_major(old: str, new: str, severity: str) -> None:
    found = changes(edited(put(old, SHARING, "ipdSharing")), edited(put(new, SHARING, "ipdSharing")))

    assert told(found) == [("ipd_sharing.changed", None, old, new)]
    assert only(found).severity == severity


def test_the_sharing_module_is_one_entry() -> None:
    change = only(after(put({"ipdSharing": "NO"}, SHARING)))

    assert (change.kind, change.before, change.after) == ("ipd_sharing.changed", "YES", "NO")
    assert change.summary == (
        "Plan to share participant data changed from yes to no; "
        "description of the plan to share participant data removed (was “On request.”); "
        "supporting information to be shared: study protocol and SAP removed"
    )


@pytest.mark.parametrize(
    ("edit", "before", "now"),
    [
        (put("After 2 years", SHARING, "timeFrame"), None, "After 2 years"),
        (put(["SAP"], SHARING, "infoTypes"), ["STUDY_PROTOCOL", "SAP"], ["SAP"]),
        (put("Never.", SHARING, "description"), "On request.", "Never."),
    ],
)
def test_another_field_of_the_plan_gives_its_values(edit: Any, before: Json, now: Json) -> None:
    assert told(after(edit)) == [("ipd_sharing.changed", None, before, now)]


def test_a_whole_plan_that_appears_says_yes() -> None:
    found = changes(edited(drop(SHARING)), record())

    assert told(found) == [("ipd_sharing.changed", None, None, "YES")]


# --- oversight --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("field", "before", "new", "summary"),
    [
        ("oversightHasDmc", True, False, "Data monitoring committee changed from yes to no"),
        ("isFdaRegulatedDevice", False, True, "FDA-regulated device product changed from no to yes"),
        ("isUsExport", None, True, "Product exported from the U.S. added: yes"),
    ],
)
def test_a_field_of_oversight_gives_its_values(field: str, before: Json, new: Json, summary: str) -> None:
    change = only(after(put(new, "oversightModule", field)))

    assert (change.kind, change.severity, change.subject) == ("oversight.changed", "minor", None)
    assert (change.before, change.after, change.summary) == (before, new, summary)
    assert change.path == f"protocolSection.oversightModule.{field}"


# --- silence ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(10))
def test_the_order_of_references_says_nothing(seed: int) -> None:
    assert changes(record(), shuffled(record(), random.Random(seed))) == []


@pytest.mark.parametrize(
    ("place", "new"),
    [
        ((*REFERENCES, 0, "citation"), "Doe J, Moe M.  Imaginary fever and its\nsigns. J Ex. 2020;1:1–9."),
        ((*REFERENCES, 0, "type"), "background"),
        ((*REFERENCES, 0, "pmid"), " 99000001"),
        ((*REFERENCES, 0, "retractions"), []),
        ((SHARING, "infoTypes"), ["SAP", "STUDY_PROTOCOL"]),
        ((SHARING, "ipdSharing"), "Yes"),
        ((SHARING, "url"), None),
        (("referencesModule", "seeAlsoLinks", 0, "url"), "https://example.org/study "),
    ],
)
def test_what_says_the_same_is_silent(place: tuple[str | int, ...], new: Json) -> None:
    assert after(put(new, *place)) == []
