"""Which place a name means, where it is, and how far two places are apart.

A name is looked up in a gazetteer of the cities with over 15,000 inhabitants, condensed from GeoNames' lists (CC BY
4.0) by `snapshots.places.build`, and among further cities that the caller knows. Accents, case and punctuation say
nothing; what follows a comma is a region or a country, in words or by its code ("Springfield, IL").
"""

import math
from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache

from rapidfuzz import process

from snapshots.canonical import country_key
from snapshots.places.gazetteer import City, gazetteer
from snapshots.places.spelling import place_key

__all__ = ["City", "UnclearPlace", "city_point", "distance_km", "find_place", "gazetteer", "noting", "place_key"]

EARTH_KM = 6371.0088
"""Mean radius of the earth (IUGG)."""
CLEARLY_LARGER = 10
"""A city with so many times the inhabitants of any other of its name is the one that is meant."""
SAME_PLACE_KM = 30.0
"""Cities of one name that are no further apart are one place, listed twice."""
OFFERED = 6

_UMLAUTS = (("ae", "a"), ("oe", "o"), ("ue", "u"))


class UnclearPlace(ValueError):  # noqa: N818  # it says what is wrong
    """A name that means no place, or several. `candidates` are labels to choose from, the likeliest first; `problem` is
    what is wrong, for who lists them beside it: the message names the first of them itself. `is_known`: all of them
    have that name; else theirs are like it.
    """

    def __init__(self, problem: str, candidates: Sequence[str], offer: str = "", *, is_known: bool = False) -> None:
        super().__init__(f"{problem}{offer}")
        self.problem = problem
        self.candidates = tuple(candidates)
        self.is_known = is_known


def find_place(text: str, others: Callable[[str], Iterable[City]] = lambda _: ()) -> City:
    """The one city that a person means by `text`: "Beijing", "Springfield, Illinois", "Cambridge, MA, US".

    Of several that fit, the one with ten times the inhabitants of any other is meant. `others` gives further cities of
    a name; it is asked only where the gazetteer knows none. Raises UnclearPlace, which offers candidates.
    """
    name, *within = (part.strip() for part in text.split(","))
    spelt_so = _spelt(name) or list(others(name))
    found = _apart([city for city in spelt_so if all(_is_within(city, each) for each in within)])
    if not found:
        raise _unknown(text, name, spelt_so)
    if len(found) > 1 and found[0].population < CLEARLY_LARGER * max(1, found[1].population):
        offer = f" {_offered([city.label for city in found])}"
        raise UnclearPlace(f"{text}: which one?", _labels(found), offer, is_known=True)
    return found[0]


def noting(find: Callable[[str], City], offered: list[str]) -> Callable[[str], City]:
    """The same search for a place; of a name that is not clear it notes what may be meant in `offered`."""

    def asked(text: str) -> City:
        try:
            return find(text)
        except UnclearPlace as error:
            offered.extend(error.candidates)
            raise

    return asked


@lru_cache(maxsize=4096)
def city_point(city: str | None, state: str | None, country: str | None) -> tuple[float, float] | None:
    """Where a city is that a record names without coordinates: latitude and longitude, or None where it is not known
    or several fit. The state counts where it tells cities of the name apart.
    """
    found = [one for one in _spelt(city or "") if not country or country_key(one.country) == country_key(country)]
    in_state = [one for one in found if state and _is_within(one, state)]
    found = _apart(in_state or found)
    if not found or (len(found) > 1 and found[0].population < CLEARLY_LARGER * max(1, found[1].population)):
        return None
    return found[0].latitude, found[0].longitude


def distance_km(latitude: float, longitude: float, other_latitude: float, other_longitude: float) -> float:
    """Kilometres between two points (degrees) along a great circle of a round earth: right to half a per cent."""
    north, other_north = math.radians(latitude), math.radians(other_latitude)
    east = math.radians(other_longitude - longitude)
    chord = math.sin((other_north - north) / 2) ** 2
    chord += math.cos(north) * math.cos(other_north) * math.sin(east / 2) ** 2
    return 2 * EARTH_KM * math.asin(math.sqrt(min(1.0, chord)))


def _spelt(name: str) -> list[City]:
    found = gazetteer().named(name)
    if found:
        return found
    key = place_key(name)
    for written, letter in _UMLAUTS:
        key = key.replace(written, letter)
    return gazetteer().named(key)


def _apart(cities: Iterable[City]) -> list[City]:
    """Without those that stand beside a larger one of the list."""
    kept: list[City] = []
    for city in cities:
        if not any(_km(city, other) <= SAME_PLACE_KM for other in kept):
            kept.append(city)
    return kept


def _km(one: City, other: City) -> float:
    return distance_km(one.latitude, one.longitude, other.latitude, other.longitude)


def _is_within(city: City, named: str) -> bool:
    """Whether a city is in the region or country that is named, in words or by a code."""
    codes = {city.country_code, city.country_code3, city.region_code.partition(".")[2]}
    if named.upper() in codes or country_key(named) == country_key(city.country):
        return True
    asked, region = place_key(named).split(), place_key(city.region).split()
    shorter = min(len(asked), len(region))
    return bool(shorter) and asked[:shorter] == region[:shorter]


def _unknown(text: str, name: str, spelt_so: Sequence[City]) -> UnclearPlace:
    if spelt_so:
        labels = _labels(spelt_so)
        return UnclearPlace(f"{text}: no such place", labels, f"; {name} is there as {_offered(labels)}")
    near = [key for key, _, _ in process.extract(place_key(name), gazetteer().keys, limit=3, score_cutoff=80)]
    candidates = [gazetteer().named(key)[0] for key in near]
    problem = f"{text}: no place of that name is known (cities over 15,000 inhabitants, and those of the stored trials)"
    if not candidates:
        return UnclearPlace(f"{problem}; latitude and longitude do as well", ())
    return UnclearPlace(problem, _labels(candidates), f"; did you mean {_offered(_labels(candidates))}")


def _labels(cities: Sequence[City]) -> list[str]:
    return list(dict.fromkeys(city.label for city in cities))


def _offered(labels: Sequence[str]) -> str:
    shown = ", ".join(f"'{label}'" for label in list(dict.fromkeys(labels))[:OFFERED])
    return shown + (", …" if len(labels) > OFFERED else "?" if len(labels) == 1 else "")
