"""Two versions side by side: whatever differs is shown, or named as what no section shows."""

import copy
import re
from collections.abc import Iterator
from html import unescape
from typing import Any

import pytest

from monitor.web.trial.comparing import compared, sites_compared
from tests.monitor.web.browsing import SiteUnderTest
from tests.monitor.web.test_trial_page import page, words
from tests.monitor.web.trials import TRIAL, lived, record
from tests.monitor.web.trials import site as place
from tests.snapshots.whole_record import SITES, VIOLATIONS, edited, read, with_results

Json = Any

REFERENCES = "protocolSection.referencesModule"
WHOLE = with_results(
    (f"{REFERENCES}.references", [{"pmid": "1", "type": "RESULT", "citation": "Example A. Of fever. 2025.",
        "retractions": [{"pmid": "2", "source": "J Ex. 2026"}]}]),
    (f"{REFERENCES}.seeAlsoLinks", [{"label": "The study's page", "url": "https://example.org/a"}]),
    (f"{REFERENCES}.availIpds", [{"id": "7", "type": "Dataset", "url": "https://example.org/b", "comment": "All"}]),
    (f"{VIOLATIONS}.violationEvents", [{"type": "VIOLATION_IDENTIFIED", "description": "Late",
        "creationDate": "2026-01-02"}]),
    ("protocolSection.oversightModule", {"oversightHasDmc": True, "fdaaa801Violation": True}),
    ("protocolSection.ipdSharingStatementModule", {"ipdSharing": "YES", "infoTypes": ["SAP"]}),
    ("protocolSection.identificationModule.organization", {"fullName": "Example Pharma", "class": "INDUSTRY"}),
    ("protocolSection.identificationModule.secondaryIdInfos", [{"id": "2025-1", "type": "EUDRACT_NUMBER"}]),
    ("protocolSection.sponsorCollaboratorsModule.responsibleParty", {"type": "PRINCIPAL_INVESTIGATOR",
        "investigatorFullName": "Ada Example", "investigatorTitle": "Dr", "investigatorAffiliation": "Example"}),
    ("documentSection.largeDocumentModule.largeDocs[0].hasSap", False),
    ("documentSection.largeDocumentModule.largeDocs[0].hasIcf", False),
    (f"{SITES}[0].contacts[0].pager", "555-0199"),
    ("moduleOfTomorrow", {"list": [["deep", 1]], "flag": False}),
)  # fmt: skip


def leaves(value: Json, place: str = "") -> Iterator[tuple[str, Json]]:
    """(place, value) of every leaf of a record."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from leaves(inner, f"{place}.{key}" if place else key)
    elif isinstance(value, list):
        for number, inner in enumerate(value):
            yield from leaves(inner, f"{place}[{number}]")
    else:
        yield place, value


def another(value: Json) -> Json:
    """Something else of the same kind."""
    if isinstance(value, bool):
        return not value
    return value + 1 if isinstance(value, int | float) else f"{value}X" if isinstance(value, str) else "X"


PLACES = [place for place, _ in leaves(WHOLE) if not place.endswith("identificationModule.nctId")]


@pytest.mark.parametrize("leaf", PLACES)
def test_whatever_is_changed_is_shown_or_named(leaf: str) -> None:
    (value,) = (value for at, value in leaves(WHOLE) if at == leaf)
    old, new = read(copy.deepcopy(WHOLE)), read(edited(WHOLE, (leaf, another(value))))

    shown = [part for section in compared(old, new) for part in section.parts]

    assert shown or sites_compared(old, new).differing or old == new
    assert all(part.sides.before != part.sides.after for part in shown if part.differs)


def test_a_whole_record_is_the_same_as_itself() -> None:
    old, new = read(copy.deepcopy(WHOLE)), read(copy.deepcopy(WHOLE))

    assert compared(old, new) == []
    assert not any(part.differs for section in compared(old, new, everything=True) for part in section.parts)


@pytest.mark.parametrize(
    ("place", "before", "now", "section"),
    [
        ("protocolSection.identificationModule.briefTitle", None, "Another Title", "Basic information"),
        (f"{REFERENCES}.references[0].citation", "Of fever. 2025", "Of fever. 2025. Erratum",
         "Publications, links and documents"),
        (f"{REFERENCES}.seeAlsoLinks[0].label", "The study's page", "The page", "Publications, links and documents"),
        ("documentSection.largeDocumentModule.largeDocs[0].hasSap", False, True, "Publications, links and documents"),
        ("resultsSection.adverseEventsModule.frequencyThreshold", "5", "3", "Beside that, in what no section shows"),
    ],
)  # fmt: skip
def test_it_stands_in_its_section(place: str, before: Json, now: Json, section: str) -> None:
    base = edited(WHOLE, (place, before))

    assert [each.title for each in compared(read(base), read(edited(base, (place, now))))] == [section]


def test_an_order_that_differs_is_no_difference() -> None:
    both = ["Imaginary Fever", "Chills"]
    place = "protocolSection.conditionsModule.conditions"

    assert compared(read(edited(WHOLE, (place, both))), read(edited(WHOLE, (place, both[::-1])))) == []


def test_values_of_results_that_changed_places_are_told() -> None:
    place = "resultsSection.outcomeMeasuresModule.outcomeMeasures[0].classes[0].categories[0].measurements"
    values = ((f"{place}[0].value", "38.2"), (f"{place}[1].value", "37.1"))

    (section,) = compared(read(copy.deepcopy(WHOLE)), read(edited(WHOLE, *values)))

    assert [part.name for part in section.parts] == ["Results"]


def test_the_page_shows_a_new_title_and_never_says_the_same_below_a_change(site_on_each: SiteUnderTest) -> None:
    days = [record(title="Old Title")], [record(title="New Title", submitted="2026-03-03")]
    lived(site_on_each.database, *days)

    said = words(page(site_on_each, f"/trials/{TRIAL}/compare"))

    assert "Brief title" in said
    assert "say the same" not in said


def many_sites(site_: SiteUnderTest) -> None:
    """150 sites: 70 of them go, 60 say something else, and one comes."""
    before = [place(f"Example {number:03}", "RECRUITING") for number in range(150)]
    after = [*({**each, "status": "COMPLETED"} for each in before[:60]), *before[60:80], place("New", "RECRUITING")]
    lived(site_.database, [record(sites=before)], [record(sites=after, submitted="2026-03-03")])


def test_every_site_that_differs_can_be_reached_those_that_went_first(site: SiteUnderTest) -> None:
    many_sites(site)

    first = page(site, f"/trials/{TRIAL}/compare")
    (onward,) = re.findall(r'rel="next" href="([^"]+)"', first.text)
    second = page(site, unescape(onward))

    assert "131 sites differ; 150 were listed, 81 are." in words(first)
    assert "70 not listed any more · 1 newly listed · 60 say something else Page 1 of 2." in words(first)
    names = [name for each in (first, second) for name in re.findall(r'class="site">(\w+ ?\d*),', each.text)]
    assert len(names) == len(set(names)) == 131
    assert names[:2] == ["Example 080", "Example 081"]


def test_sites_are_narrowed_to_those_that_came_or_went(site: SiteUnderTest) -> None:
    many_sites(site)
    shown = page(site, f"/trials/{TRIAL}/compare")

    found = {}
    for which in ("gone", "new", "changed"):
        (link,) = re.findall(rf'href="([^"]+sites={which}#locations)"', shown.text)
        found[which] = page(site, unescape(link)).text.count('class="site">')

    assert found == {"gone": 70, "new": 1, "changed": 60}


def test_changes_beyond_the_first_are_folded_and_all_there(site: SiteUnderTest) -> None:
    many_sites(site)

    said = words(page(site, f"/trials/{TRIAL}/compare"))

    assert "And 71 more" in said
    assert said.count("is no longer listed") == 70
