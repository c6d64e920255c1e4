"""Do made-up edits of real records tell exactly what was edited? Random records, seeded; needs the real records."""

import copy
import json
import random
import time
from collections.abc import Callable
from typing import Any

from snapshots.canonical import label_key, name_key
from snapshots.changes import Change
from snapshots.matching import site_key
from snapshots.registries.ctgov.parse import parse
from snapshots.rules import changes_between
from snapshots.trial import Site
from tests.campaigns import records
from tests.campaigns.results import Result

Json = Any
Said = tuple[str, str | None]
"""A kind and the name of its subject."""
Edit = Callable[[Json, random.Random], list[Said] | None]
"""Edits the protocol section in place; what must be told then, None where the record has nothing to edit."""

_EDITS: dict[str, Edit] = {}


def edit(made: Edit) -> Edit:
    _EDITS[made.__name__.replace("_", " ")] = made
    return made


def run(seed: int, budget: int) -> Result:
    """`budget` edits of random real records, one each. Case n of a seed is the same whatever the budget."""
    began, failures, done = time.monotonic(), [], 0
    real = records.real()
    names = sorted(real)
    for number in range(budget if names else 0):
        chance = random.Random(f"{seed}/{number}")
        name = chance.choice(names)
        told = _case(records.decoded(real[name]), chance)
        done += told is not None
        if told:
            failures.append(f"case {number} of seed {seed} on {name}: {told}")
    return Result(
        name="edits",
        database="none",
        claim="made-up edits of real records tell exactly what was edited"
        + ("" if names else " (NOT TRIED: no records)"),
        counts={"records": len(names), "kinds of edit": len(_EDITS), "cases": budget, "edits made": done},
        failures=failures,
        seconds=time.monotonic() - began,
    )


def _case(old: Json, chance: random.Random) -> str | None:
    """What went wrong with one edited record; "" where nothing did, None where the record had nothing to edit."""
    new = copy.deepcopy(old)
    chosen = chance.choice(list(_EDITS))
    try:
        expected = _EDITS[chosen](new["protocolSection"], chance)
    except (AttributeError, TypeError):
        return None  # some of the odd records have an object where a list should be: nothing to edit there
    if expected is None:
        return None
    found = changes_between(*(parse(json.dumps(record).encode()) for record in (old, new)))
    told = sorted(map(_said, found), key=repr)
    wanted = sorted(expected, key=repr)
    return "" if told == wanted else f"{chosen}: told {told}, edited {wanted}"


def _said(change: Change) -> Said:
    return change.kind, change.subject.get("name") if change.subject else None


# --- where things stand -----------------------------------------------------------------------------------------------


def _module(protocol: Json, name: str) -> Json:
    return protocol.setdefault(name, {})


def _list(protocol: Json, module: str, name: str) -> list[Json]:
    value = protocol.get(module, {}).get(name)
    return value if isinstance(value, list) else []


def _sites(protocol: Json) -> list[Json]:
    return _list(protocol, "contactsLocationsModule", "locations")


def _lone_site(protocol: Json, chance: random.Random) -> Json | None:
    """A named site that shares its name, its city and its zip with no other: what happens to it cannot be mistaken."""
    sites = _sites(protocol)
    keys = [
        site_key(Site(**{part: site.get(part) for part in ("facility", "city", "state", "zip", "country")}))
        for site in sites
    ]

    def alone(at: int) -> bool:
        others = [key for index, key in enumerate(keys) if index != at]
        name, city, _, code, country = keys[at]
        return bool(name and city and country) and not any(
            key[0] == name or (key[1] == city and key[4] == country) or (code and key[3] == code) for key in others
        )

    lone = [site for at, site in enumerate(sites) if alone(at)]
    return chance.choice(lone) if lone else None


# --- edits ------------------------------------------------------------------------------------------------------------


@edit
def a_site_that_starts_recruiting(protocol: Json, chance: random.Random) -> list[Said] | None:
    site = _lone_site(protocol, chance)
    if site is None or site.get("status") == "RECRUITING":
        return None
    site["status"] = "RECRUITING"
    return [("site.recruiting", site["facility"])]


@edit
def a_site_that_is_withdrawn(protocol: Json, chance: random.Random) -> list[Said] | None:
    site = _lone_site(protocol, chance)
    if site is None or site.get("status") == "WITHDRAWN":
        return None
    site["status"] = "WITHDRAWN"
    return [("site.withdrawn", site["facility"])]


@edit
def a_site_with_another_zip(protocol: Json, chance: random.Random) -> list[Said] | None:
    site = _lone_site(protocol, chance)
    if site is None or not site.get("zip"):
        return None
    site["zip"] = "ZZ 99999"
    return [("site.moved", site["facility"])]


@edit
def a_site_with_another_contact(protocol: Json, chance: random.Random) -> list[Said] | None:
    site = _lone_site(protocol, chance)
    if site is None:
        return None
    site["contacts"] = [{"name": "Kim Invented", "role": "CONTACT", "phone": "555-0142"}]
    return [("site.contact_changed", site["facility"])]


@edit
def a_new_site_in_a_new_country(protocol: Json, chance: random.Random) -> list[Said] | None:
    if not any(site.get("country") for site in _sites(protocol)):
        return None
    site = {"facility": "Invented Hospital of Freedonia", "city": "Northfield", "country": "Freedonia"}
    status = chance.choice([None, "NOT_YET_RECRUITING", "RECRUITING"])
    _sites(protocol).insert(
        chance.randrange(len(_sites(protocol)) + 1), {**site, **({"status": status} if status else {})}
    )
    kind = "site.recruiting" if status == "RECRUITING" else "site.added"
    return [(kind, site["facility"]), ("country.added", "Freedonia")]


@edit
def a_site_that_goes(protocol: Json, chance: random.Random) -> list[Said] | None:
    site = _lone_site(protocol, chance)
    if site is None:
        return None
    _sites(protocol).remove(site)
    told: list[Said] = [("site.removed", site["facility"])]
    left = {name_key((other.get("country") or "").partition("(")[0]) for other in _sites(protocol)}
    if left and name_key(site["country"].partition("(")[0]) not in left:
        told.append(("country.removed", site["country"]))
    return told


@edit
def a_date_that_slips(protocol: Json, chance: random.Random) -> list[Said] | None:
    field, kind = chance.choice(
        [("primaryCompletionDateStruct", "primary_completion_date"), ("completionDateStruct", "completion_date")]
    )
    date = protocol.get("statusModule", {}).get(field)
    if not date or date.get("type") == "ACTUAL":
        return None
    date["date"] = "2049-07"
    return [(f"{kind}.delayed", None)]


@edit
def another_enrollment(protocol: Json, chance: random.Random) -> list[Said] | None:
    info = protocol.get("designModule", {}).get("enrollmentInfo")
    if not info or not isinstance(info.get("count"), int):
        return None
    info["count"] += chance.choice([1, 100])
    kind = "actual_corrected" if info.get("type") == "ACTUAL" else "target_changed"
    return [(f"enrollment.{kind}", None)]


@edit
def a_new_outcome(protocol: Json, chance: random.Random) -> list[Said] | None:
    level = chance.choice(["primary", "secondary", "other"])
    outcomes = _module(protocol, "outcomesModule").setdefault(f"{level}Outcomes", [])
    outcome = {"measure": "Zymurgic quotient of invented xylophones", "timeFrame": "Day 3"}
    outcomes.insert(chance.randrange(len(outcomes) + 1), outcome)
    return [(f"{level}_outcome.added", outcome["measure"])]


@edit
def a_primary_outcome_demoted(protocol: Json, chance: random.Random) -> list[Said] | None:
    primary = _list(protocol, "outcomesModule", "primaryOutcomes")
    levels = ("primaryOutcomes", "secondaryOutcomes", "otherOutcomes")
    measures = [label_key(each.get("measure")) for level in levels for each in _list(protocol, "outcomesModule", level)]
    single = [outcome for outcome in primary if measures.count(label_key(outcome.get("measure"))) == 1]
    if not single:
        return None
    outcome = chance.choice(single)
    primary.remove(outcome)
    protocol["outcomesModule"].setdefault("secondaryOutcomes", []).append(outcome)
    return [("primary_outcome.demoted", outcome["measure"])]


@edit
def another_time_frame(protocol: Json, chance: random.Random) -> list[Said] | None:
    primary = _list(protocol, "outcomesModule", "primaryOutcomes")
    measures = [label_key(each.get("measure")) for each in primary]
    single = [each for each in primary if measures.count(label_key(each.get("measure"))) == 1 and each.get("timeFrame")]
    if not single:
        return None
    outcome = chance.choice(single)
    outcome["timeFrame"] = "Up to 4711 invented days"
    return [("primary_outcome.time_frame_changed", outcome["measure"])]


@edit
def a_new_criterion(protocol: Json, chance: random.Random) -> list[Said] | None:
    module = protocol.get("eligibilityModule", {})
    if not module.get("eligibilityCriteria"):
        return None
    module["eligibilityCriteria"] += "\n* Allergic to invented xylophones"
    return [("eligibility.criteria_changed", None)]


@edit
def another_age(protocol: Json, chance: random.Random) -> list[Said] | None:
    module = _module(protocol, "eligibilityModule")
    module["minimumAge"] = "47 Months" if module.get("minimumAge") != "47 Months" else "48 Months"
    return [("eligibility.age_changed", None)]


@edit
def another_sponsor(protocol: Json, chance: random.Random) -> list[Said] | None:
    _module(protocol, "sponsorCollaboratorsModule").setdefault("leadSponsor", {})["name"] = "Invented Biotech"
    return [("sponsor.changed", None)]


@edit
def a_new_collaborator(protocol: Json, chance: random.Random) -> list[Said] | None:
    _module(protocol, "sponsorCollaboratorsModule").setdefault("collaborators", []).append({"name": "Invented Fund"})
    return [("collaborator.added", "Invented Fund")]


@edit
def a_new_condition(protocol: Json, chance: random.Random) -> list[Said] | None:
    _module(protocol, "conditionsModule").setdefault("conditions", []).append("Invented Fever")
    return [("condition.added", "Invented Fever")]


@edit
def other_keywords(protocol: Json, chance: random.Random) -> list[Said] | None:
    _module(protocol, "conditionsModule").setdefault("keywords", []).append("invented xylophones")
    return [("keyword.changed", None)]


@edit
def another_title(protocol: Json, chance: random.Random) -> list[Said] | None:
    field = chance.choice(["briefTitle", "officialTitle"])
    module = protocol["identificationModule"]
    module[field] = f"{module.get(field, '')} in Freedonia".strip()
    return [("title.changed", field)]


@edit
def a_new_publication(protocol: Json, chance: random.Random) -> list[Said] | None:
    found = {
        "pmid": "99000042",
        "type": chance.choice(["RESULT", "BACKGROUND", "DERIVED"]),
        "citation": "Doe J. Xylophones.",
    }
    _module(protocol, "referencesModule").setdefault("references", []).append(found)
    return [("publication.added", "99000042")]


@edit
def a_retraction(protocol: Json, chance: random.Random) -> list[Said] | None:
    cited = [each for each in _list(protocol, "referencesModule", "references") if each.get("pmid")]
    pmids = [each["pmid"] for each in cited]
    single = [each for each in cited if pmids.count(each["pmid"]) == 1]
    if not single:
        return None
    publication = chance.choice(single)
    publication.setdefault("retractions", []).append({"pmid": "99000043", "source": "Xylophones. 2026"})
    return [("publication.retracted", publication["pmid"])]


@edit
def another_phase(protocol: Json, chance: random.Random) -> list[Said] | None:
    module = _module(protocol, "designModule")
    module["phases"] = ["PHASE4"] if module.get("phases") != ["PHASE4"] else ["PHASE3", "PHASE4"]
    return [("phase.changed", None)]


@edit
def a_new_arm(protocol: Json, chance: random.Random) -> list[Said] | None:
    arm = {"label": "Xylophone group", "type": "OTHER", "description": "Participants listen to invented xylophones."}
    _module(protocol, "armsInterventionsModule").setdefault("armGroups", []).append(arm)
    return [("arm.added", "Xylophone group")]


@edit
def a_new_intervention(protocol: Json, chance: random.Random) -> list[Said] | None:
    music = {"type": "OTHER", "name": "Invented xylophone"}
    _module(protocol, "armsInterventionsModule").setdefault("interventions", []).append(music)
    return [("intervention.added", "Invented xylophone")]


@edit
def a_field_of_tomorrow(protocol: Json, chance: random.Random) -> list[Said] | None:
    # these three have a kind for any of their fields
    whole_modules = {"designModule", "oversightModule", "ipdSharingStatementModule"}
    chance.choice([module for name, module in protocol.items() if name not in whole_modules])["aFieldOfTomorrow"] = "x"
    return [("record.changed", None)]


@edit
def nothing_but_a_new_submission(protocol: Json, chance: random.Random) -> list[Said] | None:
    _module(protocol, "statusModule")["lastUpdateSubmitDate"] = "2049-07-01"
    return [("record.verified", None)]
