"""Which places a change is about, and whether they are those that conditions ask for; pure.

A change about a site looks at that site; one about the record as a whole at all sites of the record, and at those that
left it with this very step: a trial that is withdrawn often takes its sites with it. A site whose coordinates the
registry does not tell is where its city is: as another site of the trial in that city has it, else as the gazetteer.
"""

from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Any, Literal

from msgspec import Struct

from notifiers.conditions import Conditions, Near
from notifiers.countries import NAMES_BY_CODE
from snapshots.canonical import country_key
from snapshots.changes import Change
from snapshots.places import city_point, distance_km, place_key
from snapshots.trial import Site, Trial

Json = Any
PlaceReason = Literal["another place", "no known place"]


class Spot(Struct, frozen=True):
    """What place conditions look at: one site, as far as it is known."""

    name: str | None = None
    city: str | None = None
    state: str | None = None
    country: str | None = None
    latitude: float | None = None
    longitude: float | None = None

    @property
    def called(self) -> str:
        """The site in words: "Example Hospital, Lyon, France"."""
        return ", ".join(part for part in (self.name, self.city, self.country) if part) or "an unnamed site"

    @property
    def point(self) -> tuple[float, float] | None:
        """Where it is in degrees: by its coordinates, else by its city; None where neither is known."""
        if self.latitude is not None and self.longitude is not None:
            return self.latitude, self.longitude
        return city_point(self.city, self.state, self.country)


def asks_for_place(conditions: Conditions) -> bool:
    """Whether any condition is about a place."""
    return bool(conditions.countries or conditions.sites or conditions.near)


def is_about_site(change: Change) -> bool:
    """Whether a change is about one site, not about the record as a whole."""
    return (change.subject or {}).get("type") == "site"


def spots(change: Change, trial: Trial | None, together: Iterable[Change] = ()) -> list[Spot]:
    """The sites that place conditions look at; those that went in the same step (`together`) come last."""
    if is_about_site(change):
        return [_pinned(_spot(change.subject or {}, "name"), trial)]
    gone = [_spot(other.subject, "name") for other in together if other.kind == "site.removed" and other.subject]
    return [*_of_record(change, trial), *gone]


def _of_record(change: Change, trial: Trial | None) -> list[Spot]:
    if trial is not None:
        return [_pinned(spot_of(site), trial) for site in trial.sites]
    # a record that a search found carries its sites with the change
    sites = change.after.get("sites") if isinstance(change.after, Mapping) else None
    return [_spot(site, "facility") for site in sites or () if isinstance(site, Mapping)]


def spot_of(site: Site) -> Spot:
    """A site as place conditions see it."""
    return Spot(site.facility, site.city, site.state, site.country, site.latitude, site.longitude)


def _spot(site: Mapping[str, Json], name: str) -> Spot:
    named = site.get(name) or site.get("name")
    return Spot(named, *(site.get(key) for key in ("city", "state", "country", "latitude", "longitude")))


def _pinned(spot: Spot, trial: Trial | None) -> Spot:
    """The spot with the coordinates that another site of the trial in the same city has, where it has none itself."""
    if trial is None or not spot.city or spot.latitude is not None:
        return spot
    here = (spot.city, spot.state, spot.country)
    for site in trial.sites:
        if site.latitude is not None and (site.city, site.state, site.country) == here:
            return Spot(spot.name, *here, site.latitude, site.longitude)
    return spot


# --- whether a place is the one that is asked for ---------------------------------------------------------------------


def failing(conditions: Conditions, change: Change, found: Sequence[Spot]) -> PlaceReason | None:
    """Why none of the places is the one asked for: it is another, or where a site is that might be is not known."""
    if _is_country_asked_for(conditions, change):
        return None
    if not found:
        return "no known place"
    if any(fits(conditions, spot) for spot in found):
        return None
    return "no known place" if any(might_fit(conditions, spot) for spot in found) else "another place"


def fits(conditions: Conditions, spot: Spot) -> bool:
    """Whether all place conditions hold for one site."""
    return _is_there(conditions, spot) and (conditions.near is None or _is_near(conditions.near, spot))


def might_fit(conditions: Conditions, spot: Spot) -> bool:
    """Whether only its coordinates, which are not known, keep a site from fitting."""
    return conditions.near is not None and _is_there(conditions, spot) and spot.point is None


def _is_there(conditions: Conditions, spot: Spot) -> bool:
    return (not conditions.countries or in_countries(spot.country, conditions.countries)) and (
        not conditions.sites or has_words(spot.name, conditions.sites)
    )


def _is_country_asked_for(conditions: Conditions, change: Change) -> bool:
    """A country that comes or goes answers to its own name: when its last site is gone the record has none there."""
    subject = change.subject or {}
    if subject.get("type") != "country" or conditions.sites or conditions.near:
        return False
    return in_countries(subject.get("name"), conditions.countries)


def in_countries(country: str | None, asked: Iterable[str]) -> bool:
    """Whether a country is one of those, given as names in any spelling or as ISO 3166 codes."""
    key = country_key(country)
    return bool(key) and any(asked_key(name) == key for name in asked)


@lru_cache(maxsize=1024)
def asked_key(country: str) -> str:
    """The key of a country that is asked for by name or code."""
    return country_key(NAMES_BY_CODE.get(country, country))


def kilometres(near: Near, spot: Spot) -> float | None:
    """How far a site is from the place that is asked for; None where it is not known."""
    point = spot.point
    if isinstance(near.place, str) or point is None:
        return None
    return distance_km(near.place.latitude, near.place.longitude, *point)


def _is_near(near: Near, spot: Spot) -> bool:
    away = kilometres(near, spot)
    return away is not None and away <= near.km


def has_words(name: str | None, entries: Iterable[str]) -> bool:
    """Whether all words of any entry stand in a name; case and accents say nothing, people leave them out."""
    present = set(place_key(name or "").split())
    return any(set(place_key(entry).split()) <= present for entry in entries)


# --- a site that moved -----------------------------------------------------------------------------------------------


def moves_into(conditions: Conditions, change: Change, trial: Trial | None) -> Site | None:
    """The site of a `site.moved`, where it stands now in the place that is asked for and stood elsewhere before."""
    site = _moved_site(change, trial)
    if site is None or trial is None or not asks_for_place(conditions):
        return None
    here = fits(conditions, _pinned(spot_of(site), trial))
    return site if here and not fits(conditions, _before_move(change, site)) else None


def _moved_site(change: Change, trial: Trial | None) -> Site | None:
    if change.kind != "site.moved" or trial is None:
        return None
    return next((site for site in trial.sites if trial.path("sites", site.position) == change.path), None)


def _before_move(change: Change, site: Site) -> Spot:
    """Where the site stood: city, state where there is one, zip and country, as the change tells it in one line."""
    parts = [part.strip() for part in str(change.before or "").split(",")]
    country = parts[-1] if len(parts) > 1 else None
    state = parts[1] if len(parts) > 2 else None
    return Spot(site.facility, parts[0] or None, state, country)
