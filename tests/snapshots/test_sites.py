"""Sites: what is told when they recruit, close, come, go, are renamed, move and change contacts."""

import random
import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from snapshots.rules import sites
from snapshots.trial import Site, Trial
from tests.snapshots.places import HARBOUR, NORTH, RESEARCH_SITE, between, but
from tests.snapshots.protocol import kinds, only, shuffled, told

Json = Any

NEWCOMER: Json = {"facility": "Lakeside Clinic", "city": "Lakeside", "zip": "40004", "country": "Freedonia"}
NAMES = [NORTH, HARBOUR]


# --- status -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("before", "after", "kind"),
    [
        ("NOT_YET_RECRUITING", "RECRUITING", "site.recruiting"),
        (None, "RECRUITING", "site.recruiting"),
        ("SUSPENDED", "RECRUITING", "site.recruiting"),
        ("ENROLLING_BY_INVITATION", "RECRUITING", "site.recruiting"),
        ("NOT_YET_RECRUITING", "ENROLLING_BY_INVITATION", "site.invitation_only"),
        ("RECRUITING", "ENROLLING_BY_INVITATION", "site.invitation_only"),
        (None, "ENROLLING_BY_INVITATION", "site.invitation_only"),
        ("RECRUITING", "ACTIVE_NOT_RECRUITING", "site.closed"),
        ("RECRUITING", "COMPLETED", "site.closed"),
        ("ENROLLING_BY_INVITATION", "COMPLETED", "site.closed"),
        ("RECRUITING", "SUSPENDED", "site.suspended"),
        ("NOT_YET_RECRUITING", "SUSPENDED", "site.suspended"),
        (None, "SUSPENDED", "site.suspended"),
        ("RECRUITING", "TERMINATED", "site.terminated"),
        ("COMPLETED", "TERMINATED", "site.terminated"),
        (None, "TERMINATED", "site.terminated"),
        ("RECRUITING", "WITHDRAWN", "site.withdrawn"),
        ("NOT_YET_RECRUITING", "WITHDRAWN", "site.withdrawn"),
        (None, "WITHDRAWN", "site.withdrawn"),
        ("NOT_YET_RECRUITING", "ACTIVE_NOT_RECRUITING", "site.status_changed"),
        ("NOT_YET_RECRUITING", "COMPLETED", "site.status_changed"),
        ("COMPLETED", "ACTIVE_NOT_RECRUITING", "site.status_changed"),
        ("RECRUITING", "NOT_YET_RECRUITING", "site.status_changed"),
        ("RECRUITING", None, "site.status_changed"),
        ("SUSPENDED", None, "site.status_changed"),
        ("RECRUITING", "PAUSED_FOR_TEA", "site.status_changed"),
    ],
)
def test_a_new_site_status_is_told_by_its_kind(before: str | None, after: str | None, kind: str) -> None:
    found = between([HARBOUR, but(NORTH, status=before)], [HARBOUR, but(NORTH, status=after)])

    assert told(found) == [(kind, "Northfield Hospital", before, after)]


@pytest.mark.parametrize(
    ("study", "kind"),
    [
        ("ACTIVE_NOT_RECRUITING", "site.closed"),
        ("COMPLETED", "site.closed"),
        ("SUSPENDED", "site.suspended"),
        ("TERMINATED", "site.terminated"),
        ("WITHDRAWN", "site.withdrawn"),
        ("UNKNOWN", "site.status_changed"),
    ],
)
@pytest.mark.parametrize("was", ["RECRUITING", "ENROLLING_BY_INVITATION"])
def test_an_open_site_that_loses_its_status_shares_the_fate_of_the_study(was: str, study: str, kind: str) -> None:
    change = only(between([but(NORTH, status=was)], [but(NORTH, status=None)], "RECRUITING", study))

    assert (change.kind, change.before, change.after) == (kind, was, None)


def test_a_status_that_vanishes_while_the_study_stands_still_is_just_a_change() -> None:
    assert kinds(between([but(NORTH, status="RECRUITING")], [but(NORTH, status=None)], "COMPLETED")) == [
        "site.status_changed"
    ]


@pytest.mark.parametrize(("before", "after"), [("NOT_YET_RECRUITING", None), (None, "NOT_YET_RECRUITING")])
def test_not_yet_recruiting_says_nothing_new_beside_no_status(before: str | None, after: str | None) -> None:
    assert between([but(NORTH, status=before)], [but(NORTH, status=after)]) == []


def test_the_letter_case_of_a_status_says_nothing() -> None:
    assert between([but(NORTH, status="Recruiting")], [but(NORTH, status="RECRUITING")]) == []


def test_a_site_that_recruits_is_told_in_a_coordinators_words() -> None:
    change = only(between([NORTH], [but(NORTH, status="RECRUITING")]))

    assert change.summary == "Northfield Hospital, Northfield, Freedonia is now recruiting (was: not yet recruiting)"
    assert (change.severity, change.label) == ("critical", "Site recruiting")
    assert change.path == "protocolSection.contactsLocationsModule.locations[0].status"
    assert change.subject == {
        "type": "site",
        "name": "Northfield Hospital",
        "city": "Northfield",
        "state": "Vermillion",
        "zip": "10001",
        "country": "Freedonia",
        "latitude": 10.5,
        "longitude": 20.5,
    }


# --- coming and going -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "kind", "after"),
    [
        ("RECRUITING", "site.recruiting", "RECRUITING"),
        ("ENROLLING_BY_INVITATION", "site.invitation_only", "ENROLLING_BY_INVITATION"),
        ("SUSPENDED", "site.suspended", "SUSPENDED"),
        ("TERMINATED", "site.terminated", "TERMINATED"),
        ("WITHDRAWN", "site.withdrawn", "WITHDRAWN"),
        ("NOT_YET_RECRUITING", "site.added", "Lakeside Clinic"),
        ("COMPLETED", "site.added", "Lakeside Clinic"),
        (None, "site.added", "Lakeside Clinic"),
    ],
)
def test_a_newly_listed_site_is_told_by_the_status_it_has(status: str | None, kind: str, after: str) -> None:
    assert told(between(NAMES, [NORTH, but(NEWCOMER, status=status), HARBOUR])) == [
        (kind, "Lakeside Clinic", None, after)
    ]


def test_a_site_that_goes_is_told_where_it_stood() -> None:
    change = only(between([NEWCOMER, *NAMES], NAMES))

    assert (change.kind, change.before, change.after) == ("site.removed", "Lakeside Clinic", None)
    assert change.path == "protocolSection.contactsLocationsModule.locations[0]"
    assert change.summary == "Lakeside Clinic, Lakeside, Freedonia is no longer listed"


def test_one_research_site_that_becomes_two_is_one_added_row() -> None:
    change = only(between([RESEARCH_SITE], [RESEARCH_SITE, RESEARCH_SITE]))

    assert (change.kind, change.subject and change.subject["ordinal"]) == ("site.added", 2)
    assert change.summary == (
        "Research Site, Eastham 30003, Freedonia (no. 2 of 2 there) is newly listed, not yet recruiting"
    )


def test_a_second_research_site_that_recruits_is_not_the_first_one_opening() -> None:
    change = only(between([RESEARCH_SITE], [but(RESEARCH_SITE, status="RECRUITING"), RESEARCH_SITE]))

    assert (change.kind, change.before) == ("site.recruiting", None)


def test_a_row_without_a_name_is_a_site_too() -> None:
    change = only(between([but(NORTH, facility=None)], [but(NORTH, facility=None, status="RECRUITING")]))

    assert change.summary.startswith("Unnamed site, Northfield 10001, Freedonia is now recruiting")


# --- names and places -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("old", "name"),
    [
        (RESEARCH_SITE, "Eastham General Hospital"),
        (but(NORTH, facility="Northfield Hospital ( Site 0087)"), "Quite Another House ( Site 0087)"),
        (NORTH, "Northfield Academic Hospital"),
        (but(NORTH, zip=None, facility="St. Luke Hospital"), "St Luke's Medical Center"),
    ],
)
def test_the_same_site_under_another_name_is_renamed(old: Json, name: str) -> None:
    change = only(between([old, HARBOUR], [but(old, facility=name), HARBOUR]))

    assert (change.kind, change.severity, change.before, change.after) == (
        "site.renamed",
        "admin",
        old["facility"],
        name,
    )
    assert change.subject is not None and change.subject["name"] == name


@pytest.mark.parametrize(
    "name", ["NORTHFIELD HOSPITAL", "Northfield-Hospital", "“Northfield” Hospital", "North field Hospital."]
)
def test_a_name_in_other_letters_is_the_same_name(name: str) -> None:
    assert between([NORTH], [but(NORTH, facility=name)]) == []


WHERE = "Northfield, Vermillion, 10001, Freedonia"


@pytest.mark.parametrize(
    ("site", "parts", "before", "after"),
    [
        (NORTH, {"zip": "10002"}, WHERE, "Northfield, Vermillion, 10002, Freedonia"),
        (NORTH, {"city": "Eastham"}, WHERE, "Eastham, Vermillion, 10001, Freedonia"),
        (NORTH, {"state": "Ochre"}, WHERE, "Northfield, Ochre, 10001, Freedonia"),
        (NORTH, {"zip": None}, WHERE, "Northfield, Vermillion, Freedonia"),
        (NORTH, {"state": None}, WHERE, "Northfield, 10001, Freedonia"),
        (but(HARBOUR, zip=None), {"city": "Westport"}, "Southport, Ochre, Sylvania", "Westport, Ochre, Sylvania"),
        (RESEARCH_SITE, {"zip": "30009"}, "Eastham, 30003, Freedonia", "Eastham, 30009, Freedonia"),
        (RESEARCH_SITE, {"city": "Westham"}, "Eastham, 30003, Freedonia", "Westham, 30003, Freedonia"),
    ],
)
def test_the_same_site_at_another_address_is_moved(site: Json, parts: Json, before: str, after: str) -> None:
    change = only(between([site], [but(site, **parts)]))

    assert (change.kind, change.severity, change.before, change.after) == ("site.moved", "admin", before, after)


@pytest.mark.parametrize("part", ["state", "zip", "city"])
@pytest.mark.parametrize("site", [NORTH, HARBOUR])
def test_a_part_of_the_address_that_is_filled_in_is_no_change(site: Json, part: str) -> None:
    assert [found for found in between([but(site, **{part: None})], [site]) if found.kind == "site.moved"] == []


@pytest.mark.parametrize(
    "respelt",
    [
        {"zip": "100 01"},
        {"city": "NORTHFIELD"},
        {"state": "Vermillion."},
        {"geoPoint": {"lat": 11.0, "lon": 21.0}},
        {"geoPoint": None},
    ],
)
def test_places_respelt_and_geo_points_are_silent(respelt: Json) -> None:
    assert between([NORTH], [but(NORTH, **respelt)]) == []


def test_a_site_may_be_renamed_and_moved_and_open_at_once() -> None:
    new = but(HARBOUR, facility="Old Harbour Clinic", zip="20009", status="SUSPENDED")

    assert told(between([HARBOUR], [new])) == [
        ("site.moved", "Old Harbour Clinic", "Southport, Ochre, 20002, Sylvania", "Southport, Ochre, 20009, Sylvania"),
        ("site.renamed", "Old Harbour Clinic", "Harbour Medical Center", "Old Harbour Clinic"),
        ("site.suspended", "Old Harbour Clinic", "RECRUITING", "SUSPENDED"),
    ]


def test_two_different_site_numbers_are_one_site_gone_and_one_come() -> None:
    old, new = (but(NORTH, facility=f"Northfield Hospital ( Site {number})") for number in ("0087", "0088"))

    assert kinds(between([old], [new])) == ["site.added", "site.removed"]


# --- contacts ---------------------------------------------------------------------------------------------------------

KIM = NORTH["contacts"][0]


@pytest.mark.parametrize(
    ("contacts", "before", "after", "words"),
    [
        ([but(KIM, name="Lee Doe")], "Kim Roe", "Lee Doe", "now Lee Doe (was: Kim Roe)"),
        (
            [but(KIM, phone="555-0102")],
            "Kim Roe, contact, +1 555-0101, kim@example.org",
            "Kim Roe, contact, 555-0102, kim@example.org",
            "Kim Roe: phone 555-0102 (was: +1 555-0101)",
        ),
        ([], "Kim Roe", None, "Kim Roe, contact, +1 555-0101, kim@example.org is no longer listed"),
        ([KIM, {"name": "Lee Doe"}], "Kim Roe", "Kim Roe; Lee Doe", "Lee Doe was added"),
        (
            [but(KIM, role="PRINCIPAL_INVESTIGATOR")],
            "Kim Roe, contact, +1 555-0101, kim@example.org",
            "Kim Roe, principal investigator, +1 555-0101, kim@example.org",
            "Kim Roe: role principal investigator (was: contact)",
        ),
    ],
)
def test_a_sites_contacts_are_one_entry(contacts: Json, before: str | None, after: str | None, words: str) -> None:
    change = only(between([NORTH], [but(NORTH, contacts=contacts)]))

    assert (change.kind, change.severity, change.before, change.after) == (
        "site.contact_changed",
        "admin",
        before,
        after,
    )
    assert change.summary == f"Contact at Northfield Hospital, Northfield, Freedonia: {words}"


@pytest.mark.parametrize(
    "respelt",
    [
        {"phone": "1 (555) 0101"},
        {"name": "KIM ROE"},
        {"name": "Kim  Roe."},
        {"email": "Kim@Example.org"},
        {"role": "contact"},
    ],
)
def test_a_contact_in_other_letters_is_silent(respelt: Json) -> None:
    assert between([NORTH], [but(NORTH, contacts=[but(KIM, **respelt)])]) == []


# --- countries --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("old", [[NORTH], [NORTH, RESEARCH_SITE], [NORTH, NEWCOMER]])
def test_a_country_comes_and_goes_with_its_sites(old: list[Json]) -> None:
    come, gone = between(old, [*old, HARBOUR]), between([*old, HARBOUR], old)

    assert told(come) == [
        ("country.added", "Sylvania", None, "Sylvania"),
        ("site.recruiting", "Harbour Medical Center", None, "RECRUITING"),
    ]
    assert told(gone) == [
        ("country.removed", "Sylvania", "Sylvania", None),
        ("site.removed", "Harbour Medical Center", "Harbour Medical Center", None),
    ]


def test_a_country_is_told_with_the_number_of_its_sites() -> None:
    second = but(HARBOUR, facility="Ocean Clinic", zip="20009", status=None)

    added, *_ = [change for change in between([NORTH], [NORTH, HARBOUR, second]) if change.kind == "country.added"]

    assert added.summary == "Sylvania is a country of the study now, with 2 sites"
    assert added.subject == {"type": "country", "name": "Sylvania"}
    assert added.severity == "major"


def test_a_respelt_country_is_the_same() -> None:
    turkish = but(NORTH, country="Turkey")

    assert between([turkish], [but(turkish, country="Turkey (Türkiye)")]) == []


@pytest.mark.parametrize(("old", "new", "kind"), [([], [NORTH], "site.added"), ([NORTH], [], "site.removed")])
def test_the_first_sites_and_no_sites_at_all_tell_nothing_of_countries(old: Json, new: Json, kind: str) -> None:
    assert kinds(between(old, new)) == [kind]


# --- fields that no rule knows ----------------------------------------------------------------------------------------


def test_an_unknown_field_of_a_site_is_told_with_its_path() -> None:
    change = only(between([HARBOUR, NORTH], [HARBOUR, {**NORTH, "beds": 12}]))

    assert (change.kind, change.before, change.after) == ("record.changed", None, 12)
    assert change.path == "protocolSection.contactsLocationsModule.locations[1].beds"


def test_an_unknown_field_of_a_contact_is_told_with_its_path() -> None:
    change = only(between([NORTH], [but(NORTH, contacts=[{**KIM, "fax": "555-0109"}])]))

    assert (change.kind, change.after) == ("record.changed", "555-0109")
    assert change.path == "protocolSection.contactsLocationsModule.locations[0].contacts[0].fax"


# --- lists in other orders, unknown sources, cost ---------------------------------------------------------------------

FACILITIES = ["Research Site", "Mercy Hospital", "Mercy (Site 1)", "Local Institution - 1", "University Hospital"]
LOCATIONS = st.lists(
    st.fixed_dictionaries(
        {"facility": st.sampled_from(FACILITIES), "country": st.sampled_from(["Freedonia", "Turkey"])},
        optional={
            "status": st.sampled_from(["RECRUITING", "COMPLETED", "NOT_YET_RECRUITING"]),
            "city": st.sampled_from(["Northfield", "Eastham"]),
            "zip": st.sampled_from(["1", "2"]),
            "contacts": st.lists(st.sampled_from([KIM, {"name": "Lee Doe", "phone": "555-0102"}]), max_size=2),
        },
    ),
    max_size=8,
)


def noised(site: Json, chance: random.Random) -> Json:
    """The same site as a registry may write it another time."""
    other = but(site, geoPoint={"lat": chance.random(), "lon": chance.random()})
    other["facility"] = chance.choice([str.upper, str.lower, str])(other["facility"]).replace(
        " ", chance.choice([" ", "  "])
    )
    if other["country"] == "Turkey":
        other["country"] = chance.choice(["Turkey", "Turkey (Türkiye)"])
    return other


@given(LOCATIONS, st.randoms(use_true_random=False))
def test_sites_in_another_order_and_other_letters_are_silent(locations: list[Json], chance: random.Random) -> None:
    assert between(locations, [noised(site, chance) for site in shuffled(locations, chance)]) == []


@given(LOCATIONS, LOCATIONS)
def test_every_site_that_comes_or_goes_is_told_once(old: list[Json], new: list[Json]) -> None:
    found = between(old, new)

    come = [change for change in found if change.kind.startswith("site.") and (change.path or "").endswith("]")
            and change.before is None]  # fmt: skip
    gone = [change for change in found if change.kind == "site.removed"]
    assert len(come) - len(gone) == len(new) - len(old)
    assert len({(change.kind, change.path) for change in found}) == len(found)


def test_sites_of_which_a_source_knows_nothing_are_not_compared() -> None:
    known = many(1, "Mercy Hospital", "RECRUITING")
    unknown = Trial(registry="ctgov", id=known.id, paths={}, unknown=frozenset({"sites"}))

    assert sites.changes(known, unknown) == []
    assert sites.changes(unknown, known) == []


def many(count: int, facility: str, status: str, city: str = "Town") -> Trial:
    listed = tuple(
        Site(
            position=number,
            facility=facility.format(number),
            status=status,
            city=f"{city} {number % 50}",
            zip=str(10000 + number % 700),
            country=("Freedonia", "Sylvania", "Osterlich")[number % 3],
        )
        for number in range(count)
    )
    return Trial(registry="ctgov", id="NCT99000001", paths={}, sites=listed)


def seconds(old: Trial, new: Trial) -> float:
    started = time.process_time()
    sites.changes(old, new)
    return time.process_time() - started


def test_a_thousand_sites_that_open_at_once_cost_little() -> None:
    old, new = many(1000, "Mercy {} Hospital", "NOT_YET_RECRUITING"), many(1000, "Mercy {} Hospital", "RECRUITING")

    assert min(seconds(old, new) for _ in range(3)) < 0.15


@pytest.mark.parametrize(
    ("old", "new", "city"),
    [
        ("Mercy {} Hospital", "Grace {} Clinic", "Town"),
        ("Mercy {} Hospital", "Mercy {} North Hospital", "Village"),
        ("Research Site", "Mercy {} Hospital", "Town"),
        ("Research Site", "Research Site", "Village"),
        ("Mercy Hospital (Site 1{})", "Mercy Hospital (Site 2{})", "Town"),
    ],
)
def test_thousands_of_sites_that_are_all_others_do_not_cost_the_square(old: str, new: str, city: str) -> None:
    few = seconds(many(500, old, "RECRUITING"), many(500, new, "RECRUITING", city))

    assert seconds(many(5_000, old, "RECRUITING"), many(5_000, new, "RECRUITING", city)) < 40 * max(few, 0.03)
