"""Invented trials with a past, as the tests of a trial's pages look at them."""

from typing import Any

from monitor.demo.standin import StandIn
from snapshots import related
from snapshots.database import Database
from snapshots.registries.ctgov.parse import parse
from tests.monitor.stage import DAYS, Stage
from tests.registries import nct

TRIAL = nct(1)


def record(number: int = 1, *, submitted: str = "2026-03-01", **said: Any) -> dict[str, Any]:
    """A whole invented record; what is special is said by name."""
    protocol: dict[str, Any] = {
        "identificationModule": {
            "nctId": nct(number),
            "orgStudyIdInfo": {"id": "EX-001"},
            "briefTitle": said.get("title", "Example Cells in Imaginary Fever"),
            "officialTitle": "A Single-Arm Study of Example Cells",
        },
        "statusModule": {
            "overallStatus": said.get("status", "RECRUITING"),
            "startDateStruct": {"date": "2026-01-10", "type": "ACTUAL"},
            "primaryCompletionDateStruct": {"date": said.get("completion", "2027-05"), "type": "ESTIMATED"},
            "completionDateStruct": {"date": said.get("completion", "2027-05"), "type": "ESTIMATED"},
            "studyFirstSubmitDate": "2026-01-02",
            "lastUpdateSubmitDate": submitted,
        },
        "sponsorCollaboratorsModule": {
            "leadSponsor": {"name": said.get("sponsor", "Example University"), "class": "OTHER"},
            "responsibleParty": {"type": "PRINCIPAL_INVESTIGATOR", "investigatorFullName": "Dr Example"},
        },
        "descriptionModule": {"briefSummary": said.get("summary", "Whether example cells help.")},
        "conditionsModule": {"conditions": [said.get("condition", "Imaginary Fever")]},
        "designModule": {
            "studyType": "INTERVENTIONAL",
            "phases": ["PHASE2"],
            "designInfo": {"allocation": "NA", "interventionModel": "SINGLE_GROUP"},
            "enrollmentInfo": {"count": said.get("enrollment", 120), "type": "ESTIMATED"},
        },
        "armsInterventionsModule": {
            "armGroups": [{"label": "Cells", "type": "EXPERIMENTAL", "interventionNames": ["Drug: Example Cells"]}],
            "interventions": [{"type": "DRUG", "name": said.get("intervention", "Example Cells")}],
        },
        "outcomesModule": {
            "primaryOutcomes": said.get("outcomes", [{"measure": "Temperature", "timeFrame": "12 weeks"}])
        },
        "eligibilityModule": {
            "eligibilityCriteria": said.get(
                "criteria", "Inclusion Criteria:\n\n1. Adults\n\nExclusion Criteria:\n\n1. Pregnancy"
            ),
            "minimumAge": said.get("age", "18 Years"),
            "sex": "ALL",
            "healthyVolunteers": False,
        },
        "contactsLocationsModule": {
            "centralContacts": [{"name": "Ann Example", "phone": "+1 555 0100", "email": "ann@example.org"}],
            "locations": said.get("sites", [site("Example Hospital", "RECRUITING")]),
        },
    }
    return {"protocolSection": protocol, "hasResults": False}


def site(facility: str, status: str, city: str = "Berlin", country: str = "Germany", **said: Any) -> dict[str, Any]:
    return {"facility": facility, "status": status, "city": city, "country": country, **said}


def lived(database: Database, *days: list[dict[str, Any]]) -> None:
    """Each day's records published and looked at; all of the first day's are watched."""
    with StandIn() as standin:
        stage = Stage(database, standin)
        stage.watch(*(each["protocolSection"]["identificationModule"]["nctId"] for each in days[0]))
        for day, records in zip(DAYS, days, strict=False):
            stage.day(day, *records)


def indexed(database: Database) -> None:
    """All records are read into the index of like trials."""
    for _ in range(20):
        if not related.catch_up(database, "ctgov", parse, 500):
            return
