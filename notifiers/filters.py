"""Does this subscription want this change, and if not, why not: pure, with a named reason.

All given conditions must hold for one change. How places apply is said in `whereabouts`. Conditions on the record
(`sponsor`) look at the record as it is after the change.

A site that recruits and moves is told as `site.moved` alone, for its status stands still. To whoever asks for sites in
a place it moved into it is a site that begins to recruit there, as much as a newly listed one: so where place
conditions hold for it now and did not where it stood before, it also counts as `site.recruiting` (critical, becomes
RECRUITING). Whoever asks for no place, or for both places, had the site before and is told of a move.
"""

from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from typing import Any, Literal

import msgspec
from msgspec import Struct

from notifiers.conditions import Conditions, Near
from notifiers.whereabouts import (
    asks_for_place,
    failing,
    fits,
    has_words,
    moves_into,
    spot_of,
    spots,
)
from snapshots.canonical import enum_key, interval, shift_days
from snapshots.changes import Change
from snapshots.kind_titles import asked_kinds
from snapshots.kinds import KINDS, SEVERITIES, at_least
from snapshots.places import distance_km
from snapshots.sentences import status_words
from snapshots.trial import Site, Trial

__all__ = [
    "Verdict",
    "asks_for_place",
    "decide",
    "distance_km",
    "in_words",
    "read_as",
    "reasons",
    "severity",
    "wants_kind",
    "wants_site",
    "wants_sponsor",
]

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


class Verdict(Struct, frozen=True):
    """Whether a change is wanted; `reason` is "wanted" or names the first condition that does not hold."""

    wanted: bool
    reason: Reason


_WANTED = Verdict(True, "wanted")


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
    reason = next(reasons(conditions, change, trial, severity_overrides or {}, together), None)
    if reason is not None and change.kind == "site.moved":
        read = read_as(conditions, change, trial)
        if read is not change:
            reason = next(reasons(conditions, read, trial, severity_overrides or {}, together), None)
    return _WANTED if reason is None else Verdict(False, reason)


def read_as(conditions: Conditions, change: Change, trial: Trial | None) -> Change:
    """The change as these conditions see it: a recruiting site's move into the place they ask for begins to recruit."""
    site = moves_into(conditions, change, trial)
    if site is None or enum_key(site.status) != "RECRUITING":
        return change
    kind = KINDS["site.recruiting"]
    return msgspec.structs.replace(change, kind=kind.name, severity=kind.severity, before=None, after=site.status)


def severity(change: Change, overrides: Mapping[str, str]) -> str:
    """How severe the change is to a subscription with these overrides: its kind's, else its group's, else its own."""
    group = change.kind.partition(".")[0] + ".*"
    return overrides.get(change.kind) or overrides.get(group) or change.severity


def in_words(conditions: Conditions) -> str:
    """The conditions in a line for people, e.g. "all about sites; in China"; "" where none is given."""
    parts = [
        asked_kinds(conditions.kinds),
        severe_in_words(conditions.min_severity) if conditions.min_severity else "",
        f"in {', '.join(conditions.countries)}" if conditions.countries else "",
        f"at {', '.join(conditions.sites)}" if conditions.sites else "",
        near_in_words(conditions.near) if conditions.near else "",
        f"dates that move by more than {conditions.shift_days_over} days" if conditions.shift_days_over else "",
        f"becomes {', '.join(map(_value_in_words, conditions.becomes))}" if conditions.becomes else "",
        f"sponsor {', '.join(conditions.sponsor)}" if conditions.sponsor else "",
    ]
    return "; ".join(filter(None, parts))


def severe_in_words(severity: str) -> str:
    """What is at least so severe: "critical only", "major or more severe", "any severity"."""
    if severity == SEVERITIES[-1]:
        return "any severity"
    return "critical only" if severity == SEVERITIES[0] else f"{severity} or more severe"


def _value_in_words(value: str) -> str:
    """A value of the registry's lists, "NOT_YET_RECRUITING", as people say it; others as they are written."""
    return status_words(value) if value.isupper() else value


def wants_site(conditions: Conditions, site: Site) -> bool:
    """Whether a site is in the place that the conditions ask for; any site is where they ask for none."""
    return fits(conditions, spot_of(site))


def wants_kind(conditions: Conditions, kind: str) -> bool:
    """Whether the conditions ask for a kind of change; without `kinds`, or with exclusions only, for all others."""
    return not conditions.kinds or _are_kind(conditions.kinds, kind)


@lru_cache(maxsize=16_384)
def _are_kind(patterns: tuple[str, ...], kind: str) -> bool:
    excluded = [entry[1:] for entry in patterns if entry.startswith("!")]
    asked = [entry for entry in patterns if not entry.startswith("!")]
    if any(_names_kind(pattern, kind) for pattern in excluded):
        return False
    return not asked or any(_names_kind(pattern, kind) for pattern in asked)


def wants_sponsor(conditions: Conditions, names: Iterable[str | None]) -> bool:
    """Whether any of a trial's lead sponsor's names, the present and the former, is one that is asked for."""
    return not conditions.sponsor or any(has_words(name, conditions.sponsor) for name in names)


def reasons(
    conditions: Conditions,
    change: Change,
    trial: Trial | None,
    overrides: Mapping[str, str],
    together: Iterable[Change] = (),
) -> Iterator[Reason]:
    """Why not, one reason for each condition that does not hold, the cheapest to ask first."""
    if not wants_kind(conditions, change.kind):
        yield "another kind"
    if conditions.min_severity and not at_least(severity(change, overrides), conditions.min_severity):
        yield "not severe enough"
    if conditions.becomes and not becomes(conditions.becomes, change.after):
        yield "becomes something else"
    if conditions.shift_days_over is not None and (unshifted := _shift_failing(conditions.shift_days_over, change)):
        yield unshifted
    if not wants_sponsor(conditions, sponsors(change, trial)):
        yield "another sponsor"
    if asks_for_place(conditions):
        elsewhere = failing(conditions, change, spots(change, trial, together))
        if elsewhere:
            yield elsewhere


def _names_kind(pattern: str, kind: str) -> bool:
    return pattern == kind or (pattern.endswith(".*") and kind.startswith(pattern[:-1]))


def near_in_words(near: Near) -> str:
    """Within how far of which place."""
    return f"within {near.km:g} km of {near.place if isinstance(near.place, str) else near.place.called}"


# --- words and values -------------------------------------------------------------------------------------------------


def becomes(asked: Iterable[str], after: Json) -> bool:
    """Whether the new value is one of those asked for."""
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


def sponsors(change: Change, trial: Trial | None) -> list[str | None]:
    """The lead sponsor's names: of today, and where this change replaces it the one before."""
    former = [change.before] if change.kind == "sponsor.changed" and isinstance(change.before, str) else []
    return [trial.lead_sponsor.name if trial and trial.lead_sponsor else None, *former]


def _shift_failing(over: int, change: Change) -> Reason | None:
    days = shift(change)
    if days is None:
        return "no shift of a date"
    return None if abs(days) > over else "too small a shift"


def shift(change: Change) -> int | None:
    """By how many days a date moved, later positive; None where the change is none of a date."""
    if not change.kind.partition(".")[0].endswith("_date"):
        return None
    before, after = (
        interval(value.get("date")) if isinstance(value, Mapping) else None for value in (change.before, change.after)
    )
    return shift_days(before, after) if before and after else None
