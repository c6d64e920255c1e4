"""Does this subscription want this change, and if not, why not: pure, with a named reason.

All given conditions must hold for one change. Place conditions (`countries`, `sites`, `near`) on a change that is about
a site look at that site; on a change about the record as a whole they look at whether the record has a site for which
all of them hold, or had one until this very step: a trial that is withdrawn often takes its sites with it. A country
that comes or goes also answers to its own name, for when its last site is gone the record has no site there. Conditions
on the record (`sponsor`) look at the record as it is after the change.
"""

import math
import unicodedata
from collections.abc import Iterable, Mapping
from typing import Any, Literal

from msgspec import Struct

from notifiers.conditions import Conditions, Near
from notifiers.countries import NAMES_BY_CODE
from snapshots.canonical import country_key, enum_key, interval, shift_days
from snapshots.changes import Change
from snapshots.kinds import at_least
from snapshots.trial import Site, Trial

Json = Any

Reason = Literal[
    "wanted",
    "another kind",
    "not severe enough",
    "another place",
    "no known place",
    "no shift of a date",
    "too small a shift",
    "becomes something else",
    "another sponsor",
]

EARTH_KM = 6371.0088
"""Mean radius of the earth (IUGG)."""


class Verdict(Struct, frozen=True):
    """Whether a change is wanted; `reason` is "wanted" or names the first condition that does not hold."""

    wanted: bool
    reason: Reason


class _Spot(Struct, frozen=True):
    """What place conditions look at: one site, as far as it is known."""

    name: str | None
    country: str | None
    latitude: float | None
    longitude: float | None


def decide(
    conditions: Conditions,
    change: Change,
    trial: Trial | None,
    severity_overrides: Mapping[str, str] | None = None,
    together: Iterable[Change] = (),
) -> Verdict:
    """Whether `conditions` hold for `change` of `trial` (as it is after the change; None where no record is known).

    `severity_overrides` are severities by kind or `group.*`; they count before `min_severity` is asked. `together` are
    all changes of the same step: the sites that it removed still say where the record was.
    """
    reason = _first_failing(conditions, change, trial, severity_overrides or {})
    if reason in ("another place", "no known place") and _was_there(conditions, change, together):
        reason = None
    return Verdict(reason is None, reason or "wanted")


def severity(change: Change, overrides: Mapping[str, str]) -> str:
    """How severe the change is to a subscription with these overrides: its kind's, else its group's, else its own."""
    group = change.kind.partition(".")[0] + ".*"
    return overrides.get(change.kind) or overrides.get(group) or change.severity


def in_words(conditions: Conditions) -> str:
    """The conditions in a line for the foot of a message, e.g. "kinds site.*; in China"; "" where none is given."""
    parts = [
        f"kinds {', '.join(conditions.kinds)}" if conditions.kinds else "",
        f"{conditions.min_severity} or more severe" if conditions.min_severity else "",
        f"in {', '.join(conditions.countries)}" if conditions.countries else "",
        f"at {', '.join(conditions.sites)}" if conditions.sites else "",
        _near_in_words(conditions.near) if conditions.near else "",
        f"dates that move by more than {conditions.shift_days_over} days" if conditions.shift_days_over else "",
        f"becomes {', '.join(conditions.becomes)}" if conditions.becomes else "",
        f"sponsor {', '.join(conditions.sponsor)}" if conditions.sponsor else "",
    ]
    return "; ".join(filter(None, parts))


def asks_for_place(conditions: Conditions) -> bool:
    """Whether any condition is about a place."""
    return bool(conditions.countries or conditions.sites or conditions.near)


def wants_site(conditions: Conditions, site: Site) -> bool:
    """Whether a site is in the place that the conditions ask for; any site is where they ask for none."""
    return _fits(conditions, _Spot(site.facility, site.country, site.latitude, site.longitude))


def wants_kind(conditions: Conditions, kind: str) -> bool:
    """Whether the conditions ask for a kind of change; without `kinds`, or with exclusions only, for all others."""
    excluded = [entry[1:] for entry in conditions.kinds if entry.startswith("!")]
    asked = [entry for entry in conditions.kinds if not entry.startswith("!")]
    if any(_names_kind(pattern, kind) for pattern in excluded):
        return False
    return not asked or any(_names_kind(pattern, kind) for pattern in asked)


def wants_sponsor(conditions: Conditions, names: Iterable[str | None]) -> bool:
    """Whether any of a trial's lead sponsor's names, the present and the former, is one that is asked for."""
    return not conditions.sponsor or any(_has_words(name, conditions.sponsor) for name in names)


def _first_failing(
    conditions: Conditions, change: Change, trial: Trial | None, overrides: Mapping[str, str]
) -> Reason | None:
    if not wants_kind(conditions, change.kind):
        return "another kind"
    if conditions.min_severity and not at_least(severity(change, overrides), conditions.min_severity):
        return "not severe enough"
    if conditions.becomes and not _becomes(conditions.becomes, change.after):
        return "becomes something else"
    if not wants_sponsor(conditions, _sponsors(change, trial)):
        return "another sponsor"
    return _shift_failing(conditions, change) or _place_failing(conditions, change, trial)


def _names_kind(pattern: str, kind: str) -> bool:
    return pattern == kind or (pattern.endswith(".*") and kind.startswith(pattern[:-1]))


# --- places -----------------------------------------------------------------------------------------------------------


def _place_failing(conditions: Conditions, change: Change, trial: Trial | None) -> Reason | None:
    if not asks_for_place(conditions):
        return None
    if _is_country_asked_for(conditions, change):
        return None
    spots = list(_spots(change, trial))
    if not spots:
        return "no known place"
    return None if any(_fits(conditions, spot) for spot in spots) else "another place"


def _was_there(conditions: Conditions, change: Change, together: Iterable[Change]) -> bool:
    """Whether a change of the record as a whole comes with the end of a site in the place that is asked for."""
    if (change.subject or {}).get("type") == "site":
        return False
    gone = (other.subject for other in together if other.kind == "site.removed" and other.subject)
    return any(_fits(conditions, _spot(subject, "name")) for subject in gone)


def _is_country_asked_for(conditions: Conditions, change: Change) -> bool:
    subject = change.subject or {}
    if subject.get("type") != "country" or conditions.sites or conditions.near:
        return False
    return _in_countries(subject.get("name"), conditions.countries)


def _spots(change: Change, trial: Trial | None) -> Iterable[_Spot]:
    subject = change.subject or {}
    if subject.get("type") == "site":
        return [_spot(subject, "name")]
    if trial is not None:
        return [_Spot(site.facility, site.country, site.latitude, site.longitude) for site in trial.sites]
    # a record that a search found carries its sites with the change
    sites = change.after.get("sites") if isinstance(change.after, Mapping) else None
    return [_spot(site, "facility") for site in sites or () if isinstance(site, Mapping)]


def _spot(site: Mapping[str, Json], name: str) -> _Spot:
    return _Spot(site.get(name) or site.get("name"), site.get("country"), site.get("latitude"), site.get("longitude"))


def _fits(conditions: Conditions, spot: _Spot) -> bool:
    return (
        (not conditions.countries or _in_countries(spot.country, conditions.countries))
        and (not conditions.sites or _has_words(spot.name, conditions.sites))
        and (conditions.near is None or _is_near(conditions.near, spot))
    )


def _in_countries(country: str | None, asked: Iterable[str]) -> bool:
    key = country_key(country)
    return bool(key) and any(country_key(NAMES_BY_CODE.get(name, name)) == key for name in asked)


def _is_near(near: Near, spot: _Spot) -> bool:
    if isinstance(near.place, str) or spot.latitude is None or spot.longitude is None:
        return False
    return distance_km(near.place.latitude, near.place.longitude, spot.latitude, spot.longitude) <= near.km


def distance_km(latitude: float, longitude: float, other_latitude: float, other_longitude: float) -> float:
    """Kilometres between two points (degrees) along a great circle of a round earth: right to half a per cent."""
    north, other_north = math.radians(latitude), math.radians(other_latitude)
    east = math.radians(other_longitude - longitude)
    chord = math.sin((other_north - north) / 2) ** 2
    chord += math.cos(north) * math.cos(other_north) * math.sin(east / 2) ** 2
    return 2 * EARTH_KM * math.asin(math.sqrt(min(1.0, chord)))


def _near_in_words(near: Near) -> str:
    place = near.place if isinstance(near.place, str) else f"{near.place.latitude:g}, {near.place.longitude:g}"
    return f"within {near.km:g} km of {place}"


# --- words and values -------------------------------------------------------------------------------------------------


def _has_words(name: str | None, entries: Iterable[str]) -> bool:
    present = _words(name or "")
    return any(_words(entry) <= present for entry in entries)


def _words(text: str) -> frozenset[str]:
    """The words of a name: case and accents say nothing, people leave them out when they type."""
    letters = unicodedata.normalize("NFKD", text).casefold()
    plain = "".join(letter for letter in letters if not unicodedata.combining(letter))
    return frozenset("".join(letter if letter.isalnum() else " " for letter in plain).split())


def _becomes(asked: Iterable[str], after: Json) -> bool:
    values = {_value_key(value) for value in _plain_values(after)}
    return any(_value_key(value) in values for value in asked)


def _plain_values(after: Json) -> list[Json]:
    """The values that `after` can be said to be: itself, its members, or the status or date that an object carries."""
    if isinstance(after, Mapping):
        return [after[key] for key in ("status", "date", "count", "value") if after.get(key) is not None]
    return list(after) if isinstance(after, list | tuple) else [after]


def _value_key(value: Json) -> str:
    text = str(value).lower() if isinstance(value, bool) else str(value)
    return enum_key(text) or ""


def _sponsors(change: Change, trial: Trial | None) -> list[str | None]:
    former = [change.before] if change.kind == "sponsor.changed" and isinstance(change.before, str) else []
    return [trial.lead_sponsor.name if trial and trial.lead_sponsor else None, *former]


def _shift_failing(conditions: Conditions, change: Change) -> Reason | None:
    if conditions.shift_days_over is None:
        return None
    days = _shift(change)
    if days is None:
        return "no shift of a date"
    return None if abs(days) > conditions.shift_days_over else "too small a shift"


def _shift(change: Change) -> int | None:
    if not change.kind.partition(".")[0].endswith("_date"):
        return None
    before, after = (
        interval(value.get("date")) if isinstance(value, Mapping) else None for value in (change.before, change.after)
    )
    return shift_days(before, after) if before and after else None
