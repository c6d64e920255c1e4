"""Which site is which: placeholders, site numbers, alike names, respelt, renamed and moved places."""

import random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from snapshots.matching import is_placeholder, match_sites, site_key, site_number
from snapshots.trial import Contact, Site

HOSPITAL = Site(facility="Northfield Hospital", city="Northfield", state="Vermillion", zip="10001", country="Freedonia")


def site(facility: str, city: str = "Northfield", *, zip: str | None = None, **parts: Any) -> Site:  # noqa: A002
    return Site(facility=facility, city=city, zip=zip, country=parts.pop("country", "Freedonia"), **parts)


def same(old: Site, new: Site) -> bool:
    return bool(match_sites([old], [new]).pairs)


# --- names ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name",
    [
        None,
        "",
        "Research Site",
        "RESEARCH SITE",
        "Research Site 12",
        "Local Institution",
        "Local Institution - 0062",
        "Local Institution (Site 0012)",
        "Example Pharma Investigational Site",
        "Investigational Site Number : 8400012",
        "Example Biotech Study Site",
        "Site 0087",
        "USA02-0",
        "0123",
    ],
)
def test_a_placeholder_names_no_place(name: str | None) -> None:
    assert is_placeholder(name)


@pytest.mark.parametrize(
    "name",
    [
        "Northfield Hospital",
        "Northfield Hospital ( Site 0087)",
        "103rd Example Hospital",
        "Example Clinical Research CEH Clinical Trial Site",
        "Site of Grace Hospital",
    ],
)
def test_a_hospital_is_no_placeholder(name: str) -> None:
    assert not is_placeholder(name)


@pytest.mark.parametrize(
    ("name", "number"),
    [
        ("Northfield Hospital ( Site 0087)", "87"),
        ("Northfield Hospital (site #87)", "87"),
        ("Northfield Hospital /ID# 12345", "12345"),
        ("Investigational Site Number : 8400012", "8400012"),
        ("Local Institution - 0062", "62"),
        ("USA02-0", "usa020"),
        ("103rd Example Hospital", None),
        ("Northfield Hospital", None),
        ("Research Site", None),
    ],
)
def test_a_site_number_is_read_from_the_name(name: str, number: str | None) -> None:
    assert site_number(name) == number


# --- pairs of one old and one new row ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("old", "new"),
    [
        pytest.param(site("Northfield Hospital"), site("NORTHFIELD  hospital."), id="case, blanks, punctuation"),
        pytest.param(site('Hă"Pital Example'), site("Hăpital Example"), id="mojibake quotes"),
        pytest.param(site("Alpha (Site 0087)"), site("Omega (Site 87)", "Eastham"), id="one site number, other city"),
        pytest.param(
            site("Research Site", "Eastham", zip="30003"), site("Research Site", "Westham", zip="30003"), id="zip, name"
        ),
        pytest.param(site("Alpha", zip="10001"), site("Omega", zip="10001"), id="the only one of its zip and city"),
        pytest.param(site("St. Luke Hospital"), site("St Luke's Medical Center"), id="contained letter by letter"),
        pytest.param(
            site("Mercy Hospital, Northfield"), site("Mercy Clinic GmbH"), id="city, legal form, generic words"
        ),
        pytest.param(site("Research Site"), site("Mercy Hospital"), id="a placeholder gets its hospital's name"),
        pytest.param(site("Research Site", zip="1"), site("Research Site", zip="2"), id="the only one of its city"),
        pytest.param(site("Mercy Hospital"), site("Mercy Medical Center", "Eastham"), id="alike, in another city"),
        pytest.param(site("Mercy", country="Turkey"), site("Mercy", country="Turkey (Türkiye)"), id="country respelt"),
    ],
)
def test_the_same_site_is_recognised(old: Site, new: Site) -> None:
    assert same(old, new)
    assert same(new, old)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        pytest.param(site("Mercy (Site 0087)"), site("Mercy (Site 0088)"), id="two site numbers"),
        pytest.param(site("Alpha (Site 1)", zip="1"), site("Omega (Site 2)", zip="1"), id="two numbers in one zip"),
        pytest.param(
            site("Local Institution - 0001"), site("Local Institution - 0002"), id="two numbered placeholders"
        ),
        pytest.param(site("USA02-0"), site("USA03-0"), id="two codes"),
        pytest.param(site("Alpha Hospital"), site("Omega Hospital"), id="other names without zip"),
        pytest.param(site("University Hospital"), site("University Clinic"), id="generic words alone"),
        pytest.param(site("Research Site", "Eastham"), site("Research Site", "Westham"), id="placeholders elsewhere"),
        pytest.param(site("Research Site", "Eastham"), site("Mercy Hospital", "Westham"), id="named in another city"),
        pytest.param(site("Mercy Hospital"), site("Mercy Hospital", country="Sylvania"), id="in another country"),
        pytest.param(site("Alpha (Site 1)"), site("Omega (Site 1)", country="Sylvania"), id="number, other country"),
    ],
)
def test_another_site_is_not_mistaken_for_it(old: Site, new: Site) -> None:
    assert not same(old, new)
    assert not same(new, old)


# --- several rows -----------------------------------------------------------------------------------------------------


def test_rows_that_read_alike_are_matched_by_status_first_then_by_contacts() -> None:
    kim, lee = (Contact(name="Kim Roe", phone="555-0101"),), (Contact(name="Lee Doe", phone="555-0102"),)
    old = [site("Research Site", status="RECRUITING", contacts=kim), site("Research Site", status="WITHDRAWN")]
    new = [
        site("Research Site", status="WITHDRAWN", contacts=kim),
        site("Research Site", status="RECRUITING", contacts=lee),
        site("Research Site", status="RECRUITING", contacts=kim),
    ]

    matched = match_sites(old, new)

    assert matched.pairs == ((old[1], new[0]), (old[0], new[2]))
    assert matched.added == (new[1],)


def test_two_new_names_at_one_zip_are_not_guessed() -> None:
    matched = match_sites([site("Alpha", zip="1")], [site("Beta", zip="1"), site("Gamma", zip="1")])

    assert matched.pairs == ()


def test_a_placeholder_among_two_new_hospitals_of_its_city_is_not_guessed() -> None:
    assert match_sites([site("Research Site")], [site("Beta"), site("Gamma")]).pairs == ()


def test_the_more_alike_name_is_matched_first() -> None:
    old = site("Mercy North Hospital")

    matched = match_sites([old], [site("Mercy"), site("Mercy North Clinic"), site("Mercy North Wing")])

    assert matched.pairs == ((old, site("Mercy North Clinic")),)


def test_a_site_in_its_own_city_is_preferred_to_one_elsewhere() -> None:
    old = site("Mercy North Hospital")

    matched = match_sites([old], [site("Mercy North Hospital", "Eastham"), site("Mercy")])

    assert matched.pairs == ((old, site("Mercy")),)


def test_several_placeholders_of_a_city_whose_zips_are_filled_in_stay_the_same_sites() -> None:
    old = [site("Research Site", status=status) for status in ("RECRUITING", "SUSPENDED")]
    new = [site("Research Site", status=status, zip=code) for status, code in (("SUSPENDED", "1"), ("RECRUITING", "2"))]

    assert match_sites(old, new).pairs == ((old[1], new[0]), (old[0], new[1]))


def test_several_placeholders_of_a_city_with_other_zips_are_other_sites() -> None:
    old, new = ([site("Research Site", zip=code) for code in codes] for codes in ("12", "34"))

    assert match_sites(old, new).pairs == ()


# --- chains: one name in several cities -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("Mercy Clinic Northfield", "Mercy Clinic Eastham"),
        ("Mercy Clinic - Northfield", "Mercy Clinic North - Eastham"),
        ("Northfield Mercy Hospital", "Mercy Hospital of Eastham"),
    ],
)
def test_branches_that_each_hold_their_city_are_two_sites(old: str, new: str) -> None:
    assert not same(site(old), site(new, "Eastham"))


def test_a_name_that_stands_in_several_cities_tells_no_branch_from_another() -> None:
    stays = site("Mercy Clinic", "Westham")

    matched = match_sites([stays, site("Mercy Clinic")], [stays, site("Mercy Clinic", "Eastham")])

    assert matched.removed == (site("Mercy Clinic"),)
    assert matched.added == (site("Mercy Clinic", "Eastham"),)


def test_a_branch_with_its_site_number_or_zip_is_known_in_another_city_too() -> None:
    stays = site("Mercy Clinic", "Westham")
    for old, new in (
        (site("Mercy Clinic (Site 7)"), site("Mercy Clinic (Site 7)", "Eastham")),
        (site("Mercy Clinic", zip="7"), site("Mercy Clinic", "Eastham", zip="7")),
    ):
        assert (old, new) in match_sites([stays, old], [stays, new]).pairs


# --- whatever the lists hold ------------------------------------------------------------------------------------------

FACILITIES = [
    "Research Site",
    "Mercy Hospital",
    "Mercy Clinic",
    "Mercy (Site 1)",
    "Alpha (Site 2)",
    "Local Institution - 1",
    "St",
    "University Hospital",
    None,
]
SITES = st.builds(
    Site,
    facility=st.sampled_from(FACILITIES),
    status=st.sampled_from(["RECRUITING", "COMPLETED", None]),
    city=st.sampled_from(["Northfield", "Eastham", None]),
    zip=st.sampled_from(["1", "2", None]),
    country=st.sampled_from(["Freedonia", "Sylvania"]),
)


def numbered(sites: list[Site]) -> list[Site]:
    return [replace(one, position=position) for position, one in enumerate(sites)]


@given(st.lists(SITES, max_size=10), st.lists(SITES, max_size=10))
def test_matching_is_one_to_one_and_says_the_same_twice(old: list[Site], new: list[Site]) -> None:
    old, new = numbered(old), numbered(new)

    matched = match_sites(old, new)

    assert sorted([one.position for one, _ in matched.pairs] + [one.position for one in matched.removed]) == [
        *range(len(old))
    ]
    assert sorted([one.position for _, one in matched.pairs] + [one.position for one in matched.added]) == [
        *range(len(new))
    ]
    assert match_sites(old, new) == matched


@given(st.lists(SITES, max_size=10), st.lists(SITES, max_size=10))
def test_two_different_site_numbers_never_match(old: list[Site], new: list[Site]) -> None:
    numbers = [
        (site_number(before.facility), site_number(after.facility)) for before, after in match_sites(old, new).pairs
    ]

    assert not [pair for pair in numbers if None not in pair and pair[0] != pair[1]]


@given(st.lists(SITES, max_size=10), st.lists(SITES, max_size=10))
def test_no_site_changes_its_country(old: list[Site], new: list[Site]) -> None:
    assert all(before.country == after.country for before, after in match_sites(old, new).pairs)


@given(st.lists(SITES, max_size=14), st.randoms(use_true_random=False))
def test_a_shuffled_list_matches_row_by_row(sites: list[Site], chance: random.Random) -> None:
    matched = match_sites(sites, chance.sample(sites, len(sites)))

    assert all(old == new for old, new in matched.pairs)
    assert not matched.removed and not matched.added


@given(st.lists(SITES, max_size=10, unique_by=site_key), st.randoms(use_true_random=False))
def test_rows_that_differ_in_status_alone_match_in_whatever_order(sites: list[Site], chance: random.Random) -> None:
    closed = [replace(one, status="WITHDRAWN") for one in sites]

    matched = match_sites(sites, chance.sample(closed, len(closed)))

    assert {(site_key(before), site_key(after)) for before, after in matched.pairs} == {
        (key, key) for key in map(site_key, sites)
    }
