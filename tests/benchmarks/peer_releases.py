"""Two releases of invented trials for a comparison with other programs, and what is really new in the second."""

from collections.abc import Mapping
from copy import deepcopy
from typing import Any

from msgspec import Struct

from tests.benchmarks.synthetic.studies import Studies, record_id
from tests.benchmarks.synthetic.wording import Wording

Json = Any
DAYS = ("2026-03-02", "2026-03-03")
EVERY = 20
"""Every twentieth record says something new in the second release; another twentieth says the same in another order."""
QUOTED = record_id(0)
"""The trial whose message is quoted: 50 sites, of which one begins to recruit while the list comes in another order."""
SITES, OPENING = 50, 17
OPENED = f"Example Hospital {OPENING}"


class Releases(Struct, frozen=True):
    """What each release publishes (of the second: only what is not as before but for the release's stamp, which every
    record bears), and the ids of those that changed, and of those that were only listed in another order.
    """

    first: Mapping[str, dict[str, Json]]
    second: Mapping[str, dict[str, Json]]
    changed: frozenset[str]
    reordered: frozenset[str]


def releases(count: int) -> Releases:
    """Of so many trials."""
    made = Studies(Wording())
    first = {record_id(nth): _prepared(made.study(nth)) for nth in range(count)}
    first[QUOTED] = _many_sites(first[QUOTED])
    ids = list(first)
    changed, reordered = ids[::EVERY], ids[EVERY // 2 :: EVERY]
    second = {each: deepcopy(first[each]) for each in (*changed, *reordered)}
    for number, each in enumerate(changed):
        _EDITS[number % len(_EDITS)](second[each]["protocolSection"])
        _resubmitted(second[each]["protocolSection"])
    for each in (QUOTED, *reordered):
        _reorder(second[each]["protocolSection"])
    return Releases(first, second, frozenset(changed), frozenset(reordered))


def _prepared(study: dict[str, Json]) -> dict[str, Json]:
    """Open, with two sites or more and the stamp that the registry puts on every record at each release."""
    section = study["protocolSection"]
    section["statusModule"]["overallStatus"] = "RECRUITING"
    section["conditionsModule"]["keywords"] = ["infusion of tea", "rest", "walking"]
    section["eligibilityModule"]["minimumAge"] = "18 Years"
    section["designModule"]["enrollmentInfo"] = {"count": 240, "type": "ESTIMATED"}
    section["statusModule"]["primaryCompletionDateStruct"] = {"date": "2027-06", "type": "ESTIMATED"}
    sites = section["contactsLocationsModule"].setdefault("locations", [])
    sites[:0] = [_site(1, "RECRUITING"), _site(2, "NOT_YET_RECRUITING")]
    study["derivedSection"] = {"miscInfoModule": {"versionHolder": ""}}
    return study


def _many_sites(study: dict[str, Json]) -> dict[str, Json]:
    section = study["protocolSection"]
    section["identificationModule"]["briefTitle"] = "Green Tea Against Tiredness in Adults"
    section["contactsLocationsModule"]["locations"] = [
        _site(number, "NOT_YET_RECRUITING" if number == OPENING else "RECRUITING") for number in range(1, SITES + 1)
    ]
    return study


def _site(number: int, status: str) -> dict[str, Json]:
    return {
        "facility": f"Example Hospital {number}",
        "status": status,
        "city": f"Exampleton {number}",
        "zip": f"{10_000 + number}",
        "country": "Belgium",
        "geoPoint": {"lat": 50.0 + number / 100, "lon": 4.0 + number / 100},
    }


# --- what is new in the second ----------------------------------------------------------------------------------------


def _a_site_opens(section: Json) -> None:
    sites = section["contactsLocationsModule"]["locations"]
    next(site for site in sites if site["status"] == "NOT_YET_RECRUITING")["status"] = "RECRUITING"


def _more_participants(section: Json) -> None:
    section["designModule"]["enrollmentInfo"]["count"] = 300


def _a_date_slips(section: Json) -> None:
    section["statusModule"]["primaryCompletionDateStruct"]["date"] = "2028-03"


def _the_young_may_come(section: Json) -> None:
    section["eligibilityModule"]["minimumAge"] = "16 Years"


_EDITS = (_a_site_opens, _more_participants, _a_date_slips, _the_young_may_come)


def _resubmitted(section: Json) -> None:
    section["statusModule"]["lastUpdateSubmitDate"] = "2026-03-01"
    section["statusModule"]["lastUpdatePostDateStruct"] = {"date": "2026-03-03", "type": "ESTIMATED"}


def _reorder(section: Json) -> None:
    section["contactsLocationsModule"]["locations"].reverse()
    section["conditionsModule"]["keywords"].reverse()
