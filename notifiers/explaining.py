"""Why a subscription wants a change or does not, condition by condition, in words a coordinator understands; pure."""

from collections.abc import Iterator, Mapping, Sequence

from msgspec import Struct

from notifiers import filters
from notifiers.conditions import Conditions, Near
from notifiers.whereabouts import (
    Spot,
    asks_for_place,
    failing,
    fits,
    has_words,
    in_countries,
    is_about_site,
    kilometres,
    might_fit,
    spots,
)
from snapshots.changes import Change
from snapshots.kind_titles import asked_kinds
from snapshots.kinds import KINDS, at_least
from snapshots.trial import Trial


class Check(Struct, frozen=True):
    """One thing asked of a change: under which key of the watchlist file, whether it holds, and why, in words."""

    condition: str
    holds: bool
    words: str


def explain(
    conditions: Conditions,
    change: Change,
    trial: Trial | None,
    overrides: Mapping[str, str],
    together: Sequence[Change] = (),
) -> tuple[Check, ...]:
    """Every condition that is given, as `filters.decide` reads it; all hold where that says yes."""
    read = _as_decided(conditions, change, trial, overrides, together)
    return (
        *_what(conditions, read, overrides, moved=read is not change),
        *_whose(conditions, read, trial),
        *_where(conditions, read, trial, together),
    )


def _as_decided(
    conditions: Conditions,
    change: Change,
    trial: Trial | None,
    overrides: Mapping[str, str],
    together: Sequence[Change],
) -> Change:
    if next(filters.reasons(conditions, change, trial, overrides, together), None) is None:
        return change
    return filters.read_as(conditions, change, trial)


def _what(conditions: Conditions, change: Change, overrides: Mapping[str, str], *, moved: bool) -> Iterator[Check]:
    if conditions.kinds:
        yield _kind(conditions, change, moved=moved)
    if conditions.min_severity:
        severity = filters.severity(change, overrides)
        holds = at_least(severity, conditions.min_severity)
        own = f" (to this subscription; usually {change.severity})" if severity != change.severity else ""
        yield Check(
            "min_severity", holds, f"it is {severity}{own}; asked for: {conditions.min_severity} or more severe"
        )
    if conditions.becomes:
        holds = filters.becomes(conditions.becomes, change.after)
        yield Check("becomes", holds, f"the new value is {_value(change.after)}; asked for: {_any(conditions.becomes)}")
    if conditions.shift_days_over is not None:
        yield _shift(conditions.shift_days_over, change)


def _kind(conditions: Conditions, change: Change, *, moved: bool) -> Check:
    told = f"the change is “{KINDS[change.kind].label}” ({change.kind})" if change.kind in KINDS else change.kind
    if moved:
        told = (
            f"a recruiting site moved into the place asked for, which counts as “{change.kind}” to whoever waits there"
        )
    holds = filters.wants_kind(conditions, change.kind)
    return Check("kinds", holds, f"{told}; asked for: {asked_kinds(conditions.kinds)}")


def _shift(over: int, change: Change) -> Check:
    days = filters.shift(change)
    if days is None:
        return Check("shift_days_over", False, "no date moved with this change; asked for: a date that moves")
    return Check(
        "shift_days_over", abs(days) > over, f"the date moved by {abs(days)} days; asked for: more than {over}"
    )


def _whose(conditions: Conditions, change: Change, trial: Trial | None) -> Iterator[Check]:
    if conditions.sponsor:
        names = [name for name in filters.sponsors(change, trial) if name]
        told = (
            f"the lead sponsor is {' (before: '.join(names)}{')' * (len(names) - 1)}" if names else "no sponsor known"
        )
        holds = filters.wants_sponsor(conditions, names)
        yield Check("sponsor", holds, f"{told}; asked for, as words in it: {_any(conditions.sponsor)}")


# --- places -----------------------------------------------------------------------------------------------------------


def _where(conditions: Conditions, change: Change, trial: Trial | None, together: Sequence[Change]) -> Iterator[Check]:
    if not asks_for_place(conditions):
        return
    found = spots(change, trial, together)
    if is_about_site(change):
        yield from _of_site(conditions, found[0])
    else:
        holds = failing(conditions, change, found) is None
        yield Check(_place_keys(conditions), holds, _of_record(conditions, change, found))


def _of_site(conditions: Conditions, spot: Spot) -> Iterator[Check]:
    if conditions.countries:
        holds = in_countries(spot.country, conditions.countries)
        told = f"the site is in {spot.country or 'no known country'}"
        yield Check("countries", holds, f"{told}; asked for: {_any(conditions.countries)}")
    if conditions.sites:
        holds = has_words(spot.name, conditions.sites)
        told = f"the site is called {spot.name}" if spot.name else "the site has no name"
        yield Check("sites", holds, f"{told}; asked for, as words in it: {_any(conditions.sites)}")
    if conditions.near:
        holds = fits(Conditions(near=conditions.near), spot)
        yield Check("near", holds, f"{_distance(conditions.near, spot)}; asked for: {_radius(conditions.near)}")


def _of_record(conditions: Conditions, change: Change, found: Sequence[Spot]) -> str:
    """A change of the record as a whole looks at all its sites."""
    asked = f"asked for: a site {filters.in_words(_only_place(conditions))}"
    if (change.subject or {}).get("type") == "country" and failing(conditions, change, ()) is None:
        return f"the country itself, {(change.subject or {}).get('name')}, is asked for"
    if not found:
        return f"the record lists no site; {asked}"
    fitting = [spot for spot in found if fits(conditions, spot)]
    if fitting:
        away = _kilometres(conditions.near, fitting[0]) if conditions.near else ""
        more = f" and {len(fitting) - 1:,} more" if len(fitting) > 1 else ""
        return f"the change is about the whole record, which has {fitting[0].called}{away}{more}; {asked}"
    unknown = [spot.called for spot in found if might_fit(conditions, spot)]
    if unknown:
        where = f"where {_any(unknown[:3])} is, is not known"
        return f"none of its {len(found):,} sites is known to be there; {where}; {asked}"
    return f"none of its {len(found):,} sites is there{_nearest(conditions.near, found)}; {asked}"


def _nearest(near: Near | None, found: Sequence[Spot]) -> str:
    known = [(away, spot) for spot in found if near and (away := kilometres(near, spot)) is not None]
    if not known:
        return ""
    away, spot = min(known, key=lambda one: one[0])
    return f" (the nearest, {spot.called}, is {away:,.0f} km away)"


def _distance(near: Near, spot: Spot) -> str:
    away = kilometres(near, spot)
    if away is None:
        return f"where {spot.called} is, is not known: the registry tells no coordinates, and the city is in no list"
    by_city = " by its city, for the registry tells no coordinates" if spot.latitude is None else ""
    return f"{spot.called} is {away:,.0f} km away{by_city}"


def _kilometres(near: Near, spot: Spot) -> str:
    away = kilometres(near, spot)
    return f", {away:,.0f} km away" if away is not None else ""


def _radius(near: Near) -> str:
    return filters.near_in_words(near)


def _place_keys(conditions: Conditions) -> str:
    return ", ".join(key for key in ("countries", "sites", "near") if getattr(conditions, key))


def _only_place(conditions: Conditions) -> Conditions:
    return Conditions(countries=conditions.countries, sites=conditions.sites, near=conditions.near)


def _any(entries: Sequence[str]) -> str:
    return " or ".join(entries)


def _value(after: object) -> str:
    return str(after) if isinstance(after, str | int) else "none" if after is None else "not a single one"
