"""Invented sites and people, and what is told about two lists of them."""

from typing import Any

from snapshots.changes import Change
from tests.snapshots.protocol import changes, edited, put

Json = Any

NORTH: Json = {
    "facility": "Northfield Hospital",
    "status": "NOT_YET_RECRUITING",
    "city": "Northfield",
    "state": "Vermillion",
    "zip": "10001",
    "country": "Freedonia",
    "contacts": [{"name": "Kim Roe", "role": "CONTACT", "phone": "+1 555-0101", "email": "kim@example.org"}],
    "geoPoint": {"lat": 10.5, "lon": 20.5},
}
HARBOUR: Json = {
    "facility": "Harbour Medical Center",
    "status": "RECRUITING",
    "city": "Southport",
    "state": "Ochre",
    "zip": "20002",
    "country": "Sylvania",
}
RESEARCH_SITE: Json = {
    "facility": "Research Site",
    "status": "NOT_YET_RECRUITING",
    "city": "Eastham",
    "zip": "30003",
    "country": "Freedonia",
}
"""A placeholder, as sponsors list hospitals that they do not want to name."""


def but(item: Json, **parts: Json) -> Json:
    """The item with other parts; a part that is None is left out."""
    return {key: value for key, value in {**item, **parts}.items() if value is not None}


def between(old: list[Json], new: list[Json], was: str = "RECRUITING", now: str | None = None) -> list[Change]:
    """What is told about a trial whose sites were `old` and are `new`, its own change of status left out."""
    before = edited(put({"locations": old}, "contactsLocationsModule"), put(was, "statusModule", "overallStatus"))
    after = edited(put({"locations": new}, "contactsLocationsModule"), put(now or was, "statusModule", "overallStatus"))
    return [
        change for change in changes(before, after) if change.kind.partition(".")[0] in {"site", "country", "record"}
    ]
