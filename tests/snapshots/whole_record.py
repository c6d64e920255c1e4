"""An invented record with every section a registry record can have, and what is told about an edit of it."""

import copy
import json
import re
from typing import Any

from snapshots.changes import Change
from snapshots.registries.ctgov.parse import parse
from snapshots.rules import changes_between
from snapshots.trial import Trial
from tests.snapshots.protocol import record

Json = Any
Edit = tuple[str, Json]


class _Gone:
    """One object whose name is the same in every process: it stands in the names of tests."""

    def __repr__(self) -> str:
        return "GONE"

    def __deepcopy__(self, _: Json) -> "_Gone":
        return self


GONE = _Gone()
"""Stands for "take it out" in an edit."""

STATUS = "protocolSection.statusModule"
SITES = "protocolSection.contactsLocationsModule.locations"
DOCUMENTS = "documentSection.largeDocumentModule.largeDocs"
UNPOSTED = "annotationSection.annotationModule.unpostedAnnotation.unpostedEvents"
TRACKING = "derivedSection.miscInfoModule.submissionTracking"
VIOLATIONS = "annotationSection.annotationModule.violationAnnotation"


def whole(*edits: tuple[str, Json]) -> dict[str, Json]:
    """The invented record after `edits`, each a place ("a.b[0].c", made where it is not) and the value to put there."""
    return edited({**_WHOLE, "protocolSection": {**record(), **_MODULES}}, *edits)


def edited(study: dict[str, Json], *edits: Edit) -> dict[str, Json]:
    """A copy of any record after `edits`."""
    study = copy.deepcopy(study)
    for place, value in edits:
        _put(study, place, value)
    return study


def read(study: dict[str, Json]) -> Trial:
    """The record as the program reads it."""
    return parse(json.dumps(study).encode())


def told(old: dict[str, Json], new: dict[str, Json]) -> list[Change]:
    """What is told about two records."""
    return list(changes_between(read(old), read(new)))


def after(*edits: tuple[str, Json]) -> list[Change]:
    """What is told about the invented record and itself after `edits`."""
    return told(whole(), whole(*edits))


def between(place: str, before: Json, now: Json) -> list[Change]:
    """What is told where one place held `before` and holds `now`."""
    return told(whole((place, before)), whole((place, now)))


def kinds(found: list[Change]) -> list[str]:
    """The kinds alone, sorted."""
    return sorted(each.kind for each in found)


def _put(study: Json, place: str, value: Json) -> None:
    keys: list[str | int] = [
        int(number) if number else name for name, number in re.findall(r"([^.\[\]]+)|\[(\d+)\]", place)
    ]
    for key in keys[:-1]:
        study = study.setdefault(key, {}) if isinstance(key, str) else study[key]
    if value is GONE:
        del study[keys[-1]]
    elif isinstance(keys[-1], int) and keys[-1] == len(study):
        study.append(copy.deepcopy(value))
    else:
        study[keys[-1]] = copy.deepcopy(value)


def site(facility: str, city: str, country: str, status: str | None = "RECRUITING", **more: Json) -> dict[str, Json]:
    """A location of an invented record."""
    return {"facility": facility, "city": city, "country": country, **({"status": status} if status else {}), **more}


def contact(name: str, number: int) -> dict[str, Json]:
    """A contact of an invented record, with an invented phone number."""
    return {"name": name, "role": "CONTACT", "phone": f"555-01{number:02}"}


_MODULES: dict[str, Json] = {
    "statusModule": {
        "statusVerifiedDate": "2026-01",
        "overallStatus": "RECRUITING",
        "expandedAccessInfo": {"hasExpandedAccess": False},
        "startDateStruct": {"date": "2025-03-01", "type": "ACTUAL"},
        "primaryCompletionDateStruct": {"date": "2026-03", "type": "ESTIMATED"},
        "completionDateStruct": {"date": "2027-06-30", "type": "ESTIMATED"},
        "studyFirstSubmitDate": "2025-01-10",
        "studyFirstPostDateStruct": {"date": "2025-01-15", "type": "ACTUAL"},
        "lastUpdateSubmitDate": "2026-01-05",
        "lastUpdatePostDateStruct": {"date": "2026-01-07", "type": "ESTIMATED"},
    },
    "contactsLocationsModule": {
        "overallOfficials": [{"name": "Ada Example", "affiliation": "Example Pharma", "role": "STUDY_DIRECTOR"}],
        "centralContacts": [contact("Study Desk", 1)],
        "locations": [
            site("North Example Hospital", "Aarhus", "Denmark", contacts=[contact("Bo North", 2)]),
            site("South Sample Clinic", "Bologna", "Italy", "NOT_YET_RECRUITING", geoPoint={"lat": 44.4, "lon": 11.3}),
            site("Research Site", "Lyon", "France", zip="69000"),
        ],
    },
}

_GROUPS = [
    {"title": "Examplimab 10 mg", "description": "Examplimab once a day."},
    {"title": "Placebo", "description": "Placebo once a day."},
]


def _groups(prefix: str) -> list[dict[str, Json]]:
    return [{"id": f"{prefix}{number:03}", **group} for number, group in enumerate(_GROUPS)]


def _measure(title: str, kind: str, values: tuple[str, str]) -> dict[str, Json]:
    measurements = [{"groupId": f"OG00{number}", "value": value} for number, value in enumerate(values)]
    return {
        "type": kind,
        "title": title,
        "timeFrame": "Week 12",
        "reportingStatus": "POSTED",
        "paramType": "MEAN",
        "unitOfMeasure": "°C",
        "groups": _groups("OG"),
        "classes": [{"categories": [{"measurements": measurements}]}],
        "analyses": [{"groupIds": ["OG000", "OG001"], "pValue": "0.04"}],
    }


def results() -> dict[str, Json]:
    """An invented results section."""
    started = [{"groupId": "FG000", "numSubjects": "50"}, {"groupId": "FG001", "numSubjects": "49"}]
    return {
        "participantFlowModule": {
            "groups": _groups("FG"),
            "periods": [{"title": "Overall Study", "milestones": [{"type": "STARTED", "achievements": started}]}],
        },
        "outcomeMeasuresModule": {
            "outcomeMeasures": [
                _measure("Body temperature", "PRIMARY", ("37.1", "38.2")),
                _measure("Days without fever", "SECONDARY", ("12", "5")),
            ]
        },
        "adverseEventsModule": {
            "frequencyThreshold": "5",
            "eventGroups": [{**group, "seriousNumAffected": str(number)} for number, group in enumerate(_groups("EG"))],
            "otherEvents": [{"term": "Headache", "stats": [{"groupId": "EG000", "numAffected": 3}]}],
        },
    }


def with_results(*edits: tuple[str, Json]) -> dict[str, Json]:
    """The invented record with posted results, after `edits`."""
    return whole(("hasResults", True), ("resultsSection", results()), *edits)


_WHOLE: dict[str, Json] = {
    "documentSection": {
        "largeDocumentModule": {
            "largeDocs": [
                {
                    "typeAbbrev": "Prot",
                    "hasProtocol": True,
                    "label": "Study Protocol",
                    "date": "2025-01-02",
                    "uploadDate": "2025-01-09T10:00",
                    "filename": "Prot_000.pdf",
                    "size": 1000,
                }
            ]
        }
    },
    "annotationSection": {
        "annotationModule": {
            "unpostedAnnotation": {
                "unpostedResponsibleParty": "Example Pharma",
                "unpostedEvents": [{"type": "RELEASE", "date": "2026-01-02"}],
            }
        }
    },
    "derivedSection": {
        "miscInfoModule": {
            "versionHolder": "2026-01-08",
            "submissionTracking": {
                "estimatedResultsFirstSubmitDate": "2026-01-02",
                "submissionInfos": [{"releaseDate": "2026-01-02"}],
            },
        }
    },
    "hasResults": False,
}
