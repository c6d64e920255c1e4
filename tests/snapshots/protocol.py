"""An invented record with every part of a protocol, ways to edit it, and what is told about two versions of it."""

import copy
import json
import random
from collections.abc import Callable
from typing import Any

from snapshots.changes import Change
from snapshots.registries.ctgov.parse import parse
from snapshots.rules import changes_between

Json = Any
Edit = Callable[[dict[str, Json]], None]

CRITERIA = """Inclusion Criteria:

* Diagnosis of imaginary fever for at least 6 months
* Body temperature \\> 38 °C at screening
* Written informed consent

Exclusion Criteria:

1. Pregnancy or breastfeeding
2. Any of the following within 4 weeks:

   * Live vaccination
   * Major surgery
3. Known allergy to examplimab"""


def record() -> dict[str, Json]:
    """The protocol section of an invented trial; each call gives a new one, to be edited freely."""
    return copy.deepcopy(_PROTOCOL)


def edited(*edits: Edit) -> dict[str, Json]:
    """The invented record after `edits`, each a function that changes the protocol section in place."""
    protocol = record()
    for edit in edits:
        edit(protocol)
    return protocol


def put(value: Json, *place: str | int) -> Edit:
    """An edit that puts `value` at the place."""

    def edit(protocol: Json) -> None:
        for key in place[:-1]:
            protocol = protocol[key]
        protocol[place[-1]] = value

    return edit


def drop(*place: str | int) -> Edit:
    """An edit that removes what is at the place."""

    def edit(protocol: Json) -> None:
        for key in place[:-1]:
            protocol = protocol[key]
        del protocol[place[-1]]

    return edit


def append(value: Json, *place: str | int) -> Edit:
    """An edit that appends `value` to the list at the place."""

    def edit(protocol: Json) -> None:
        for key in place:
            protocol = protocol[key]
        protocol.append(value)

    return edit


def changes(old: dict[str, Json], new: dict[str, Json]) -> list[Change]:
    """What is told about two protocol sections."""
    before, after = (parse(json.dumps({"protocolSection": section}).encode()) for section in (old, new))
    return list(changes_between(before, after))


def after(*edits: Edit) -> list[Change]:
    """What is told about the invented record and itself after `edits`."""
    return changes(record(), edited(*edits))


def told(found: list[Change]) -> list[tuple[str, str | None, Json, Json]]:
    """The kinds with name of the subject, before and after, in a stable order."""
    told = [(each.kind, each.subject and each.subject["name"], each.before, each.after) for each in found]
    return sorted(told, key=repr)


def kinds(found: list[Change]) -> list[str]:
    """The kinds alone, sorted."""
    return sorted(each.kind for each in found)


def only(found: list[Change]) -> Change:
    """The one change there is."""
    assert len(found) == 1, [each.summary for each in found]
    return found[0]


def shuffled(value: Json, chance: random.Random) -> Json:
    """The same JSON with every list in another order."""
    if isinstance(value, dict):
        return {key: shuffled(member, chance) for key, member in value.items()}
    if isinstance(value, list):
        return chance.sample([shuffled(member, chance) for member in value], len(value))
    return value


def design(*place: str | int) -> tuple[str | int, ...]:
    """A place in the design module."""
    return ("designModule", *place)


def arm(number: int, *place: str | int) -> tuple[str | int, ...]:
    """A place in an arm."""
    return ("armsInterventionsModule", "armGroups", number, *place)


def intervention(number: int, *place: str | int) -> tuple[str | int, ...]:
    """A place in an intervention."""
    return ("armsInterventionsModule", "interventions", number, *place)


def outcome(level: str, number: int, *place: str | int) -> tuple[str | int, ...]:
    """A place in an outcome of the list `level`."""
    return ("outcomesModule", f"{level}Outcomes", number, *place)


_PROTOCOL: dict[str, Json] = {
    "identificationModule": {
        "nctId": "NCT99000001",
        "nctIdAliases": ["NCT99000090"],
        "orgStudyIdInfo": {"id": "EX-001"},
        "secondaryIdInfos": [
            {"id": "2025-500001-11-00", "type": "CTIS", "domain": "Example Agency"},
            {"id": "U1111-0000-0001", "type": "REGISTRY", "domain": "Example Registry"},
        ],
        "organization": {"fullName": "Example Pharma", "class": "INDUSTRY"},
        "briefTitle": "Examplimab in Imaginary Fever",
        "officialTitle": "A Randomized Study of Examplimab Versus Placebo in Adults With Imaginary Fever",
        "acronym": "EXAMPLE-1",
    },
    "statusModule": {
        "statusVerifiedDate": "2026-01",
        "overallStatus": "RECRUITING",
        "lastUpdateSubmitDate": "2026-01-05",
    },
    "sponsorCollaboratorsModule": {"leadSponsor": {"name": "Example Pharma", "class": "INDUSTRY"}},
    "oversightModule": {"oversightHasDmc": True, "isFdaRegulatedDrug": True, "isFdaRegulatedDevice": False},
    "descriptionModule": {
        "briefSummary": "The study tests whether examplimab lowers the temperature.",
        "detailedDescription": "Participants get examplimab or placebo.\n\nThey are seen every 4 weeks.",
    },
    "conditionsModule": {"conditions": ["Imaginary Fever", "Notional Cough"], "keywords": ["fever", "examplimab"]},
    "designModule": {
        "studyType": "INTERVENTIONAL",
        "phases": ["PHASE2"],
        "designInfo": {
            "allocation": "RANDOMIZED",
            "interventionModel": "PARALLEL",
            "interventionModelDescription": "Two arms in parallel.",
            "primaryPurpose": "TREATMENT",
            "maskingInfo": {"masking": "DOUBLE", "whoMasked": ["PARTICIPANT", "INVESTIGATOR"]},
        },
        "enrollmentInfo": {"count": 100, "type": "ESTIMATED"},
    },
    "armsInterventionsModule": {
        "armGroups": [
            {
                "label": "Examplimab 10 mg",
                "type": "EXPERIMENTAL",
                "description": "Examplimab once a day.",
                "interventionNames": ["Drug: Examplimab", "Other: Diary"],
            },
            {
                "label": "Placebo",
                "type": "PLACEBO_COMPARATOR",
                "description": "Placebo once a day.",
                "interventionNames": ["Drug: Placebo", "Other: Diary"],
            },
        ],
        "interventions": [
            {
                "type": "DRUG",
                "name": "Examplimab",
                "description": "Tablet, 10 mg",
                "armGroupLabels": ["Examplimab 10 mg"],
                "otherNames": ["EX-17", "Exampla"],
            },
            {"type": "DRUG", "name": "Placebo", "description": "Tablet", "armGroupLabels": ["Placebo"]},
            {"type": "OTHER", "name": "Diary", "armGroupLabels": ["Examplimab 10 mg", "Placebo"]},
        ],
    },
    "outcomesModule": {
        "primaryOutcomes": [
            {"measure": "Body temperature", "timeFrame": "Week 12", "description": "Measured under the tongue."},
            {"measure": "Number of participants with adverse events", "timeFrame": "Up to 24 weeks"},
        ],
        "secondaryOutcomes": [
            {"measure": "Days without fever", "timeFrame": "Week 24", "description": "From a diary."},
            {"measure": "Cough score (CS)", "timeFrame": "Week 12"},
        ],
        "otherOutcomes": [{"measure": "Trough concentration of examplimab", "timeFrame": "Week 4"}],
    },
    "eligibilityModule": {
        "eligibilityCriteria": CRITERIA,
        "healthyVolunteers": False,
        "sex": "ALL",
        "minimumAge": "18 Years",
        "maximumAge": "75 Years",
        "stdAges": ["ADULT", "OLDER_ADULT"],
        "studyPopulation": "Adults with imaginary fever",
        "samplingMethod": "PROBABILITY_SAMPLE",
    },
    "referencesModule": {
        "references": [
            {
                "pmid": "99000001",
                "type": "BACKGROUND",
                "citation": "Doe J, Moe M. Imaginary fever and its signs. J Ex. 2020;1:1-9.",
            },
            {"pmid": "99000002", "type": "RESULT", "citation": "Roe R. Examplimab, first results. J Ex. 2024;5:10-19."},
            {"type": "BACKGROUND", "citation": "Poe P. On notional cough. Example Books, 2019."},
        ],
        "seeAlsoLinks": [{"label": "Study site", "url": "https://example.org/study"}],
        "availIpds": [{"id": "D1", "type": "Individual Participant Data Set", "url": "https://example.org/data"}],
    },
    "ipdSharingStatementModule": {
        "ipdSharing": "YES",
        "description": "On request.",
        "infoTypes": ["STUDY_PROTOCOL", "SAP"],
    },
}
