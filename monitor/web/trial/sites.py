"""The sites of a trial as a table: those that are asked for, recruiting ones first, how far away, and page by page."""

import math
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from msgspec import Struct

from notifiers.archive_places import city_of
from snapshots.canonical import country_key, enum_key, name_key
from snapshots.places import City, UnclearPlace, city_point, distance_km, find_place, place_key
from snapshots.rules.status import OPEN
from snapshots.sentences import capitalised, status_words
from snapshots.trial import Contact, Site

ON_ONE_PAGE = 50
NO_COUNTRY = "Country not stated"
NO_STATUS = "none"
"""How a form asks for sites whose status the registry does not show: it does only while the study recruits."""

_ORDER = ("RECRUITING", "ENROLLING_BY_INVITATION", "AVAILABLE", "NOT_YET_RECRUITING", "ACTIVE_NOT_RECRUITING")
_POINT = re.compile(r"\s*([+-]?\d+(?:\.\d+)?)\s*[,; ]\s*([+-]?\d+(?:\.\d+)?)\s*")
_MOST_KM = 20_100
"""No two places on the earth are further apart."""

Point = tuple[float, float]


class Asked(Struct, frozen=True, kw_only=True):
    """What a reader asks of the sites; "" asks nothing. `place` is a name or "latitude, longitude"; `km` how far;
    `area` is "south,west,north,east" in degrees, as a point of the map asks for its sites.
    """

    words: str = ""
    country: str = ""
    status: str = ""
    place: str = ""
    km: str = ""
    area: str = ""
    page: int = 1

    @property
    def is_anything(self) -> bool:
        return any((self.words, self.country, self.status, self.place, self.area))


class Place(Struct, frozen=True):
    """Where distances are counted from. `trouble` says why a place that was asked for is not known, `offered` what may
    have been meant.
    """

    name: str = ""
    point: Point | None = None
    trouble: str | None = None
    offered: tuple[str, ...] = ()


class Listed(Struct, frozen=True, kw_only=True):
    """A site of the table. `km` from the place that was asked for, `point` where it is as far as that is known."""

    site: Site
    status: str
    is_open: bool
    where: str
    km: float | None
    point: Point | None
    contacts: tuple[Contact, ...]


class Country(Struct, frozen=True, kw_only=True):
    """A country with its number of sites, in all and by status in words, open ones first."""

    name: str
    sites: int
    open: int
    by_status: tuple[tuple[str, int], ...]


class SitesShown(Struct, frozen=True, kw_only=True):
    """What a page shows of the sites. `found` is how many fit what was asked, `first` the number of the first one shown
    (from 1), `pages` how many pages there are; `points` are those of all that were found. `bad_km` says why the
    distance that was asked for is none; then, as where the place is not known, no site is left out for it.
    """

    listed: tuple[Listed, ...]
    found: int
    total: int
    open: int
    page: int
    pages: int
    place: Place
    countries: tuple[Country, ...]
    statuses: tuple[tuple[str, str], ...]
    points: tuple[Listed, ...]
    bad_km: str | None = None

    @property
    def is_answer(self) -> bool:
        """Whether all that was asked could be understood."""
        return not (self.place.trouble or self.bad_km)


def sites_shown(sites: Sequence[Site], asked: Asked) -> SitesShown:
    """What a page shows of the sites that are asked for."""
    place = place_of(asked.place, sites)
    _, bad_km = _limit(asked.km)
    found = sites_found(sites, asked, place)
    pages = max(1, -(-len(found) // ON_ONE_PAGE))
    page = min(max(asked.page, 1), pages)
    return SitesShown(
        listed=tuple(found[(page - 1) * ON_ONE_PAGE : page * ON_ONE_PAGE]),
        found=len(found),
        total=len(sites),
        open=sum(_is_open(site) for site in sites),
        page=page,
        pages=pages,
        place=place,
        countries=tuple(_countries(sites)),
        statuses=_statuses(sites),
        points=tuple(each for each in found if each.point),
        bad_km=bad_km,
    )


def sites_found(sites: Sequence[Site], asked: Asked, place: Place) -> list[Listed]:
    """The sites that fit what is asked: open ones first, then the nearest, else by country, city and name."""
    limit, _ = _limit(asked.km)
    within = limit if place.point else None
    return sorted(
        (each for each in (_listed(site, place.point) for site in sites) if _fits(each, asked, within)),
        key=lambda each: _sorting(each, by_distance=place.point is not None),
    )


def place_of(text: str, sites: Sequence[Site]) -> Place:
    """Where a place is: by its coordinates, by its name in the list of places, or as a city of one of these sites."""
    if not text.strip():
        return Place()
    point = _POINT.fullmatch(text)
    if point:
        return _at(text.strip(), float(point[1]), float(point[2]))
    try:
        city = find_place(text, lambda name: _cities(name, sites))
    except UnclearPlace as error:
        return Place(text.strip(), None, error.problem, error.candidates)
    return Place(city.label, (city.latitude, city.longitude))


def _at(text: str, latitude: float, longitude: float) -> Place:
    if abs(latitude) > 90:
        return Place(text, None, f"{latitude:g} is no latitude, -90 to 90")
    if abs(longitude) > 180:
        return Place(text, None, f"{longitude:g} is no longitude, -180 to 180")
    return Place(text, (latitude, longitude))


def _cities(name: str, sites: Iterable[Site]) -> Iterable[City]:
    for site in sites:
        if site.latitude is not None and site.longitude is not None and place_key(site.city or "") == place_key(name):
            yield city_of(site)


def _listed(site: Site, origin: Point | None) -> Listed:
    point = _point(site)
    return Listed(
        site=site,
        status=capitalised(status_words(site.status)) if site.status else "",
        is_open=_is_open(site),
        where=", ".join(each for each in (site.city, site.state, site.zip, site.country) if each),
        km=distance_km(*origin, *point) if origin and point else None,
        point=point,
        contacts=tuple(each for each in site.contacts if each.name or each.phone or each.email),
    )


def _point(site: Site) -> Point | None:
    if site.latitude is not None and site.longitude is not None:
        return site.latitude, site.longitude
    return city_point(site.city, site.state, site.country)


def _is_open(site: Site) -> bool:
    return enum_key(site.status) in OPEN


def _fits(each: Listed, asked: Asked, within: float | None) -> bool:
    site = each.site
    if asked.country and country_key(site.country or NO_COUNTRY) != country_key(asked.country):
        return False
    if asked.status and (enum_key(site.status) or NO_STATUS) != asked.status:
        return False
    if asked.words and not _has_words(site, asked.words):
        return False
    if asked.area and not _is_within(each.point, asked.area):
        return False
    return within is None or (each.km is not None and each.km <= within)


def _is_within(point: Point | None, area: str) -> bool:
    """Whether a point lies in an area; everything does in what is none."""
    try:
        south, west, north, east = (float(each) for each in area.split(","))
    except ValueError:
        return True
    if not all(map(math.isfinite, (south, west, north, east))):
        return True
    return point is not None and south <= point[0] <= north and (point[1] - west) % 360 <= (east - west) % 360


def _has_words(site: Site, words: str) -> bool:
    names = (each.name for each in site.contacts)
    said = place_key(" ".join(filter(None, (site.facility, site.city, site.state, site.zip, site.country, *names))))
    return all(word in said for word in place_key(words).split())


def _limit(text: str) -> tuple[float | None, str | None]:
    """The distance in kilometres, None for any; or why it is none."""
    if not text.strip():
        return None, None
    try:
        found = float(text)
    except ValueError:
        found = 0.0
    if 0 < found <= _MOST_KM:
        return found, None
    return None, f"{text.strip()[:20]!r} is no distance: kilometres up to {_MOST_KM:,}"


def _sorting(each: Listed, *, by_distance: bool) -> tuple[object, ...]:
    site = each.site
    status = enum_key(site.status) or ""
    rank = _ORDER.index(status) if status in _ORDER else len(_ORDER)
    far = (each.km if each.km is not None else float("inf")) if by_distance else 0
    return (rank, far, country_key(site.country), name_key(site.city), name_key(site.facility), site.position)


def _countries(sites: Sequence[Site]) -> Iterable[Country]:
    by_country: dict[str, list[Site]] = {}
    for site in sites:
        by_country.setdefault(site.country or NO_COUNTRY, []).append(site)
    made = [_country(name, found) for name, found in by_country.items()]
    return sorted(made, key=lambda country: (-country.open, -country.sites, country.name))


def _country(name: str, sites: Sequence[Site]) -> Country:
    counts = Counter(site.status or "" for site in sites)
    ranked = sorted(counts.items(), key=lambda each: (each[0] not in OPEN, -each[1]))
    words = tuple((capitalised(status_words(status)) if status else "Status not shown", n) for status, n in ranked)
    return Country(name=name, sites=len(sites), open=sum(map(_is_open, sites)), by_status=words)


def _statuses(sites: Sequence[Site]) -> tuple[tuple[str, str], ...]:
    """The statuses to choose from: (what a form asks, words)."""
    found: Mapping[str, None] = dict.fromkeys(enum_key(site.status) or NO_STATUS for site in sites)
    ranked = sorted(found, key=lambda each: (_ORDER.index(each) if each in _ORDER else len(_ORDER), each))
    return tuple(
        (each, "Status not shown" if each == NO_STATUS else capitalised(status_words(each))) for each in ranked
    )
