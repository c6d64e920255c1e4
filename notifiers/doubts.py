"""What can be asked of changes and is probably not meant: countries that no list has, conditions that never hold."""

from collections.abc import Iterator
from difflib import get_close_matches
from functools import cache

from notifiers.conditions import Conditions
from notifiers.countries import NAMES_BY_CODE, OTHER_NAMES
from notifiers.filters import wants_kind
from notifiers.whereabouts import asked_key
from snapshots.canonical import enum_key
from snapshots.kinds import KINDS
from snapshots.places import gazetteer
from snapshots.rules.statuses import STATUSES_OF_KIND
from snapshots.sentences import listed


def impossible(asked: Conditions) -> Iterator[str]:
    """Why no change can ever fulfil these conditions together, a sentence each; none where one may."""
    kinds = [kind for kind in KINDS if wants_kind(asked, kind)]
    if asked.becomes and all(kind in STATUSES_OF_KIND for kind in kinds):
        possible = {status for kind in kinds for status in STATUSES_OF_KIND[kind]}
        if possible.isdisjoint(map(enum_key, asked.becomes)):
            ends = f"{listed(kinds, 3)} {'becomes' if len(kinds) == 1 else 'become'} {' or '.join(sorted(possible))}"
            yield f"this can never hold: {ends}, never {' or '.join(asked.becomes)}"
    if asked.shift_days_over is not None and not any(kind.partition(".")[0].endswith("_date") for kind in kinds):
        yield "this can never hold: only a date moves by days, and none of the kinds asked for is about a date"


def unknown_countries(asked: Conditions) -> Iterator[str]:
    """Each country that no list known here has, with the one that was probably meant; a record may name it all the
    same.
    """
    for country in asked.countries:
        if asked_key(country) not in _known() and asked_key(country) not in _known_to_the_gazetteer():
            yield f"no country is called {country!r} in the lists known here{_meant(country)}"


@cache
def _known() -> frozenset[str]:
    return frozenset(map(asked_key, (*NAMES_BY_CODE.values(), *OTHER_NAMES)))


@cache
def _known_to_the_gazetteer() -> frozenset[str]:
    return frozenset(map(asked_key, gazetteer().countries))


def _meant(country: str) -> str:
    names = {name.casefold(): name for name in NAMES_BY_CODE.values()}
    near = get_close_matches(country.casefold(), names, n=1, cutoff=0.8)
    return f"; did you mean {names[near[0]]!r}?" if near else "; nothing is told unless a record spells one so"
