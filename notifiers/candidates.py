"""Which subscriptions may want anything of a step: found without asking each of them; pure.

An index by what a subscription is about (records, group, saved search, all) and within that by kinds of change and by
place. It may name too many, never too few: whoever it names is then asked by `filters`. So what a subscription no
longer asks for may stay in it, and a changed one is only added.
"""

import math
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache

from msgspec import Struct

from notifiers.conditions import Conditions, Near
from notifiers.filters import wants_kind
from notifiers.subscriptions import Subscription
from notifiers.whereabouts import Spot, asked_key, is_about_site, spots
from snapshots.canonical import country_key
from snapshots.changes import Change
from snapshots.kinds import KINDS, SEVERITIES, at_least
from snapshots.trial import Trial

ANY = "*"
MOVED, RECRUITING = "site.moved", KINDS["site.recruiting"]
CELL = 2.0
"""Degrees: a place's surroundings of 50 km lie in one to four cells, but for the far north and south."""
MANY_CELLS = 64
"""A subscription to the surroundings of more cells counts as one to any place."""
FEW = 32
"""So many subscriptions about one thing are all asked: looking closer would cost more."""

Key = tuple[str, str]
PlaceKey = str | tuple[int, int]


class About(Struct, frozen=True):
    """What a step is about: all ids of its record, the groups it is watched in, the searches that find it."""

    ids: Iterable[str] = ()
    groups: Iterable[str] = ()
    searches: Iterable[str] = ()

    @property
    def keys(self) -> Iterator[Key]:
        """Where the subscriptions to it are found."""
        yield "all", ""
        yield from (("id", each) for each in self.ids)
        yield from (("group", each) for each in self.groups)
        yield from (("search", each) for each in self.searches)


class _Shelf:
    """The subscriptions about one thing, by kind, least severity and place."""

    def __init__(self) -> None:
        self.all: set[int] = set()
        self._by_kind: dict[tuple[str, str], dict[PlaceKey, set[int]]] = defaultdict(lambda: defaultdict(set))

    def add(self, number: int, kinds: Iterable[str], floor: str, places: Sequence[PlaceKey]) -> None:
        self.all.add(number)
        for kind in kinds:
            by_place = self._by_kind[kind, floor]
            for place in places:
                by_place[place].add(number)

    def wanting(self, kind: str, severity: str, places: Iterable[PlaceKey]) -> Iterator[set[int]]:
        for floor in (ANY, *(each for each in SEVERITIES if at_least(severity, each))):
            for named in (kind, ANY):
                by_place = self._by_kind.get((named, floor))
                if by_place:
                    yield from (by_place[place] for place in places if place in by_place)


class Candidates:
    """The index. Subscriptions have numbers of their own, such as their rows' ids."""

    def __init__(self) -> None:
        self._shelves: dict[Key, _Shelf] = defaultdict(_Shelf)

    def add(self, number: int, subscription: Subscription) -> None:
        """Know a subscription, new or changed."""
        kinds, places = _kinds(subscription.when.kinds), _places(subscription.when)
        # whoever gives kinds another severity of its own is asked about all
        floor = ANY if subscription.severity else subscription.when.min_severity or ANY
        for key in _keys(subscription):
            self._shelves[key].add(number, kinds, floor, places)

    def among(
        self, about: About, changes: Sequence[Change], trial: Trial | None, *, everyone: bool = False
    ) -> frozenset[int]:
        """The numbers of those that may want any of the changes of one step of `trial`, as it is after them.

        `everyone`: the step is about no record, so it concerns all, whatever they are about.
        """
        keys = list(self._shelves) if everyone else about.keys
        shelves = [shelf for key in keys if (shelf := self._shelves.get(key))]
        found: set[int] = set()
        found.update(*(shelf.all for shelf in shelves if len(shelf.all) <= FEW))
        large = [shelf for shelf in shelves if len(shelf.all) > FEW]
        if large:
            for (kind, severity), places in _asked(changes, trial).items():
                for shelf in large:
                    found.update(*shelf.wanting(kind, severity, places))
        return frozenset(found)


def _asked(changes: Sequence[Change], trial: Trial | None) -> dict[tuple[str, str], set[PlaceKey]]:
    """The places where each kind, as severe as it was, happened."""
    found: dict[tuple[str, str], set[PlaceKey]] = defaultdict(lambda: {ANY})
    whole: set[PlaceKey] | None = None
    for change in changes:
        places = found[change.kind, change.severity]
        if is_about_site(change):
            here = _where(spots(change, trial))
        elif trial is None:
            here = _where(spots(change, None, changes))
        else:
            whole = here = _where(spots(change, trial, changes)) if whole is None else whole
        places |= here
        if (change.subject or {}).get("type") == "country":
            places.add(country_key((change.subject or {}).get("name")))
        if change.kind == MOVED:  # into a place it begins to recruit there: see `filters`
            found[RECRUITING.name, RECRUITING.severity] |= places
    return found


def _where(found: Iterable[Spot]) -> set[PlaceKey]:
    places: set[PlaceKey] = set()
    for spot in found:
        places.add(country_key(spot.country))
        point = spot.point
        if point is not None:
            places.add(_cell(*point))
    return places


def _keys(subscription: Subscription) -> Iterator[Key]:
    about = subscription.watches
    if isinstance(about, str):
        yield "all", ""
    elif about.ids is not None:
        yield from (("id", each) for each in about.ids)
    elif about.search is not None:
        yield "search", about.search
    elif about.group is not None:
        yield "group", about.group


@lru_cache(maxsize=1024)
def _kinds(asked: tuple[str, ...]) -> tuple[str, ...]:
    """The kinds that patterns ask for, each; `ANY` where they leave none or few out."""
    wanted = tuple(kind for kind in KINDS if wants_kind(Conditions(kinds=asked), kind))
    return wanted if 2 * len(wanted) < len(KINDS) else (ANY,)


def _places(when: Conditions) -> list[PlaceKey]:
    """Where the subscription looks, by the narrowest that it says."""
    cells = _cells(when.near) if when.near else []
    return cells or [asked_key(country) for country in when.countries] or [ANY]


def _cell(latitude: float, longitude: float) -> tuple[int, int]:
    columns = round(360 / CELL)
    return math.floor(latitude / CELL), math.floor(longitude / CELL) % columns


def _cells(near: Near) -> list[PlaceKey]:
    """The cells that a circle touches; none where they are too many to list."""
    if isinstance(near.place, str):
        return []
    return _around(near.place.latitude, near.place.longitude, near.km)


@lru_cache(maxsize=4096)
def _around(latitude: float, longitude: float, km: float) -> list[PlaceKey]:
    high = km / 110.0  # a degree of latitude is 110.6 km at least; on the round earth of `distance_km` 111.2
    south, north = latitude - high, latitude + high
    if south < -85 or north > 85:
        return []
    wide = high / math.cos(math.radians(max(abs(south), abs(north))))
    rows = range(math.floor(south / CELL), math.floor(north / CELL) + 1)
    columns = range(math.floor((longitude - wide) / CELL), math.floor((longitude + wide) / CELL) + 1)
    if len(rows) * len(columns) > MANY_CELLS:
        return []
    turn = round(360 / CELL)
    return [(row, column % turn) for row in rows for column in columns]


def indexed(subscriptions: Mapping[int, Subscription]) -> Candidates:
    """An index of all of these."""
    index = Candidates()
    for number, subscription in subscriptions.items():
        index.add(number, subscription)
    return index
