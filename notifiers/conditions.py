"""What a subscription asks of a change, and what is wrong with an asking that cannot be meant."""

from collections.abc import Callable, Iterable, Mapping
from difflib import get_close_matches
from typing import Any

from msgspec import Struct

from notifiers.countries import NAMES_BY_CODE
from snapshots.canonical import enum_key
from snapshots.kinds import KINDS, SEVERITIES
from snapshots.places import City, UnclearPlace, find_place

Json = Any
FindPlace = Callable[[str], City]
"""Which city a name means; raises UnclearPlace."""

STATUSES = (
    *("RECRUITING", "NOT_YET_RECRUITING", "ENROLLING_BY_INVITATION", "ACTIVE_NOT_RECRUITING", "COMPLETED"),
    *("SUSPENDED", "TERMINATED", "WITHDRAWN", "UNKNOWN", "WITHHELD", "AVAILABLE", "NO_LONGER_AVAILABLE"),
    *("TEMPORARILY_NOT_AVAILABLE", "APPROVED_FOR_MARKETING"),
)
"""The registry's statuses of studies, sites and expanded access."""
_NEARLY = 0.81
"""So alike a status that is spelt wrongly is to the right one; other values that one may ask for are less."""

GROUPS = tuple(dict.fromkeys(kind.partition(".")[0] for kind in KINDS))


class InvalidValue(ValueError):  # noqa: N818  # it says what is wrong
    """Something a person asked for that cannot be meant: `key` says where it stands, the message what is wrong."""

    def __init__(self, key: str, problem: str) -> None:
        super().__init__(f"{key}: {problem}" if key else problem)
        self.key = key
        self.problem = problem

    def under(self, place: str) -> "InvalidValue":
        """The same complaint, its key within `place`."""
        return InvalidValue(f"{place}.{self.key}" if self.key else place, self.problem)


class Place(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """A point on the earth, in degrees (WGS 84); south and west are negative. `name`: what people call it; where it is
    is what the coordinates say.
    """

    latitude: float
    longitude: float
    name: str | None = None

    @property
    def called(self) -> str:
        """Its name, else its coordinates."""
        return self.name or f"{self.latitude:g}, {self.longitude:g}"


class Near(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Within `km` kilometres, as the crow flies, of a place. A name alone is looked up when it is read (`located`)."""

    place: str | Place
    km: float


class Conditions(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """All that are given must hold for one change; a list is any of its members.

    `kinds` are names, `group.*` and, for those left out, `!name` or `!group.*`. `countries` are names as the registry
    spells them, other spellings, or ISO 3166 codes. `sites` and `sponsor` are words, all of which stand in the name of
    the facility or lead sponsor. `shift_days_over` asks for a date that moved by more days than that, either way.
    `becomes` are values of the change's `after` ("RECRUITING"). How places apply is said in `filters`.
    """

    kinds: tuple[str, ...] = ()
    min_severity: str | None = None
    countries: tuple[str, ...] = ()
    sites: tuple[str, ...] = ()
    near: Near | None = None
    shift_days_over: int | None = None
    becomes: tuple[str, ...] = ()
    sponsor: tuple[str, ...] = ()


LISTS = ("kinds", "countries", "sites", "becomes", "sponsor")
"""The conditions that are lists; a single text stands for a list of one."""


def located(when: Mapping[str, Json], find: FindPlace = find_place) -> dict[str, Json]:
    """The table of conditions with the coordinates of the place that it names, so that its meaning never shifts.

    Raises InvalidValue, which offers candidates, for a name that means no place or several.
    """
    near = when.get("near")
    if not isinstance(near, Mapping) or not isinstance(near.get("place"), str):
        return dict(when)
    try:
        city = find(near["place"])
    except UnclearPlace as error:
        raise InvalidValue("near.place", str(error)) from None
    place = {"name": city.label, "latitude": city.latitude, "longitude": city.longitude}
    return {**when, "near": {**near, "place": place}}


def check_conditions(conditions: Conditions) -> None:
    """Raises InvalidValue for the first condition that cannot be meant, naming its key and its value."""
    for entry in conditions.kinds:
        check_kind_pattern("kinds", entry.removeprefix("!"))
    if conditions.min_severity is not None:
        check_severity("min_severity", conditions.min_severity)
    for key in ("countries", "sites", "becomes", "sponsor"):
        _check_words(key, getattr(conditions, key))
    for country in conditions.countries:
        _check_country(country)
    for value in conditions.becomes:
        _check_status(value)
    if conditions.near is not None:
        _check_near(conditions.near)
    if conditions.shift_days_over is not None and conditions.shift_days_over < 0:
        raise InvalidValue("shift_days_over", f"{conditions.shift_days_over} is not a number of days from 0 on")


def check_kind_pattern(key: str, pattern: str) -> None:
    """Raises InvalidValue where `pattern` is neither a kind of change nor `group.*` of a group there is."""
    group, dot, rest = pattern.rpartition(".")
    if dot and rest == "*":
        if group not in GROUPS:
            raise InvalidValue(key, _unknown("group of kinds", pattern, [f"{name}.*" for name in GROUPS]))
    elif pattern not in KINDS:
        name = pattern.casefold()
        groups = [f"{group}.*" for group in GROUPS if group in (name, name.removesuffix("s"))]
        raise InvalidValue(key, _unknown("kind", pattern, groups or KINDS))


def check_severity(key: str, severity: str) -> None:
    """Raises InvalidValue where `severity` is none."""
    if severity not in SEVERITIES:
        raise InvalidValue(key, _unknown(f"severity (of {', '.join(SEVERITIES)})", severity, SEVERITIES))


def _unknown(what: str, value: str, known: Iterable[str]) -> str:
    close = get_close_matches(value.casefold(), list(known), n=1, cutoff=0.6)
    return f"unknown {what} {value!r}" + (f"; did you mean {close[0]!r}?" if close else "")


def _check_words(key: str, entries: tuple[str, ...]) -> None:
    for entry in entries:
        if not any(letter.isalnum() for letter in entry):
            raise InvalidValue(key, f"{entry!r} holds no word")


def _check_country(country: str) -> None:
    if len(country) == 2 and country.isascii() and country.isupper() and country not in NAMES_BY_CODE:
        raise InvalidValue("countries", f"{country!r} is no ISO 3166 code of a country")


def _check_status(value: str) -> None:
    """A new value may be any text; one that is nearly a status can only be meant as that."""
    key = enum_key(value)
    close = get_close_matches(key or "", STATUSES, n=1, cutoff=_NEARLY) if key not in STATUSES else ()
    if close:
        raise InvalidValue("becomes", f"unknown status {value!r}; did you mean {close[0]!r}?")


def _check_near(near: Near) -> None:
    if isinstance(near.place, str):
        raise InvalidValue("near.place", f"{near.place!r} was not looked up")
    if not -90 <= near.place.latitude <= 90:
        raise InvalidValue("near.place.latitude", f"{near.place.latitude:g} is not between -90 and 90")
    if not -180 <= near.place.longitude <= 180:
        raise InvalidValue("near.place.longitude", f"{near.place.longitude:g} is not between -180 and 180")
    if not 0 < near.km <= 20_100:
        raise InvalidValue("near.km", f"{near.km:g} is not a distance on the earth, 0 to 20,100 km")
