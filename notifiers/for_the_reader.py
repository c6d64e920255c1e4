"""A step's changes as the subscriptions behind a message see them: how severe to them, how far from where they ask."""

from collections.abc import Callable, Iterable, Mapping, Sequence

from msgspec.structs import replace

from notifiers import filters
from notifiers.conditions import Near
from notifiers.message import Distance
from notifiers.outbox.loading import ToldBecause
from snapshots.archive import StoredChange
from snapshots.changes import Change
from snapshots.kinds import SEVERITIES
from snapshots.places import city_point, distance_km
from snapshots.trial import Trial

Point = tuple[float, float]
"""Latitude and longitude in degrees."""

MOVED_IN = "Recruiting site moved in"
"""How a site's move is told to whoever waits for sites in the place that it moved into."""


def as_severe_as_asked(
    changes: Iterable[StoredChange], because: Sequence[ToldBecause], trial_after: Callable[[], Trial | None]
) -> tuple[StoredChange, ...]:
    """The changes with the severities of the subscriptions that wanted them; of several, the most severe. A recruiting
    site that moved into the place that one of them asks for is told as that; `trial_after` reads the record for it.
    """
    stored = tuple(changes)
    by_place = any(filters.asks_for_place(one.when) for one in because)
    trial = trial_after() if by_place and any(one.change.kind == "site.moved" for one in stored) else None
    return tuple(_as_read(one, because, trial) for one in stored)


def distances(changes: Iterable[StoredChange], because: Iterable[ToldBecause]) -> dict[int, Distance]:
    """How far the sites that changes are about are from the places that were asked for, by the id of the change."""
    asked = [(one, one.near) for one in because if one.near is not None]
    found: dict[int, Distance] = {}
    for stored in changes if asked else ():
        near = next((near for one, near in asked if stored.id in one.wanted), None)
        distance = _distance(near, stored.change) if near else None
        if distance is not None:
            found[stored.id] = distance
    return found


def _as_read(stored: StoredChange, because: Iterable[ToldBecause], trial: Trial | None) -> StoredChange:
    change = stored.change
    asked = [one for one in because if stored.id in one.wanted]
    read = [(filters.read_as(one.when, change, trial), one.severity) for one in asked]
    moved_in = any(each is not change for each, _ in read)
    seen = [filters.severity(each, own) for found, own in read for each in (change, found)]
    severity = min(seen, key=SEVERITIES.index, default=change.severity)
    label = MOVED_IN if moved_in else change.label
    if (severity, label) == (change.severity, change.label):
        return stored
    return replace(stored, change=replace(change, severity=severity, label=label))


def _distance(near: Near, change: Change) -> Distance | None:
    site = _point_of_site(change.subject)
    if isinstance(near.place, str) or site is None:
        return None
    return Distance(distance_km(near.place.latitude, near.place.longitude, *site), near.place.called)


def _point_of_site(subject: Mapping[str, object] | None) -> Point | None:
    if not subject or subject.get("type") != "site":
        return None
    latitude, longitude = subject.get("latitude"), subject.get("longitude")
    if isinstance(latitude, int | float) and isinstance(longitude, int | float):
        return float(latitude), float(longitude)
    city, state, country = (_text(subject.get(key)) for key in ("city", "state", "country"))
    return city_point(city, state, country)


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None
