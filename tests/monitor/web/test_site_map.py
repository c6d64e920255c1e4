"""The map of a trial's sites: where it is cut, and where its points lead."""

import re
from html import unescape

import pytest

from monitor.web.trial.site_map import SiteMap, site_map
from monitor.web.trial.sites import Asked, sites_shown
from snapshots.trial import Site
from tests.monitor.web.browsing import SiteUnderTest
from tests.monitor.web.test_trial_page import page, words
from tests.monitor.web.trials import TRIAL, lived, record
from tests.monitor.web.trials import site as place

CITIES = {
    "Tokyo": (35.7, 139.7),
    "Auckland": (-36.8, 174.8),
    "Honolulu": (21.3, -157.9),
    "Boston": (42.4, -71.1),
    "Madrid": (40.4, -3.7),
    "Vienna": (48.2, 16.4),
    "Suva": (-18.1, 178.4),
    "Apia": (-13.8, -171.8),
}


def sites_in(*cities: str) -> tuple[Site, ...]:
    return tuple(
        Site(facility=f"{city} Clinic", city=city, latitude=CITIES[city][0], longitude=CITIES[city][1], position=at)
        for at, city in enumerate(cities)
    )


def drawn(*cities: str) -> SiteMap:
    made = site_map(sites_shown(sites_in(*cities), Asked()).points)
    assert made
    return made


def from_the_west(*cities: str) -> list[str]:
    """The cities as they stand on the map, from left to right."""
    dots = sorted(drawn(*cities).dots, key=lambda dot: dot.x)
    return [cities[dot.position] for dot in dots]


@pytest.mark.parametrize(
    "cities",
    [
        ["Boston", "Madrid", "Vienna", "Tokyo"],
        ["Honolulu", "Boston", "Madrid", "Tokyo", "Auckland"],
        ["Boston", "Vienna", "Auckland"],
        ["Tokyo", "Honolulu", "Boston"],  # the Pacific is between them, not the rest of the world
        ["Suva", "Apia"],
    ],
)
def test_the_map_is_cut_where_maps_of_the_world_are_or_beside_the_sites(cities: list[str]) -> None:
    assert from_the_west(*cities) == cities
    assert all(0 < dot.x < 720 for dot in drawn(*cities).dots)


@pytest.mark.parametrize("cities", [["Vienna", "Vienna", "Madrid"], ["Suva", "Apia"], ["Tokyo", "Boston", "Vienna"]])
def test_a_point_s_area_holds_its_sites_and_no_others(cities: list[str]) -> None:
    sites = sites_in(*cities)

    for dot in drawn(*cities).dots:
        found = sites_shown(sites, Asked(area=dot.area)).listed
        assert len(found) == dot.sites
        assert dot.position in [each.site.position for each in found]


def test_a_point_of_many_sites_has_room_for_its_number() -> None:
    crowded, single = sorted(drawn(*["Vienna"] * 120, "Madrid").dots, key=lambda dot: -dot.sites)

    assert (crowded.sites, single.sites) == (120, 1)
    assert 2 * crowded.radius > 13 * 0.6 * len("120")
    assert min(dot.radius for dot in drawn("Vienna", "Vienna", "Madrid").dots if dot.sites == 2) >= 9
    assert single.radius == 4


@pytest.mark.parametrize("area", ["", "x", "1,2,3", "nan,1,2,3", ",,,"])
def test_what_is_no_area_narrows_nothing(area: str) -> None:
    assert sites_shown(sites_in("Vienna", "Tokyo"), Asked(area=area)).found == 2


def test_a_point_of_several_sites_leads_to_all_of_them_and_to_those_that_were_asked_for(site: SiteUnderTest) -> None:
    near = [("Baden", 48.0, 16.23), ("Traiskirchen", 48.01, 16.24)]
    sites = [
        place(f"{city} Clinic", status, city, "Austria", geoPoint={"lat": latitude, "lon": longitude})
        for city, latitude, longitude in near
        for status in ("RECRUITING", "COMPLETED")
    ]
    far = [
        place("Far Clinic", "RECRUITING", city, country, geoPoint={"lat": latitude, "lon": longitude})
        for city, country, latitude, longitude in (("Boston", "USA", 42.4, -71.1), ("Cairo", "Egypt", 30.0, 31.2))
    ]
    lived(site.database, [record(sites=[*sites, *far])])

    def names(query: str, of: int) -> set[str]:
        shown = page(site, f"/trials/{TRIAL}{query}")
        (link,) = re.findall(rf'<a href="([^"]+)" tabindex="-1" aria-label="{of} sites in ', shown.text)
        led = page(site, unescape(link))
        assert f"{of} sites fit what you asked for" in words(led)
        return set(re.findall(r'class="site"><strong>(\w+) Clinic', led.text))

    assert names("", 4) == {"Baden", "Traiskirchen"}
    assert names("?status=RECRUITING", 2) == {"Baden", "Traiskirchen"}
