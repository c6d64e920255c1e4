"""What differs between two versions and no section of the page shows, named by where it stands in the record."""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import msgspec
from msgspec.structs import replace

from monitor.web.trial.parts import spaced
from snapshots.sentences import capitalised
from snapshots.trial import Trial

Json = Any

MOST_VALUES = 40
"""Values told of one place; of more it is said how many they are."""

_NEVER_SHOWN = {"id", "registry", "paths", "unknown", "aliases"}
"""What names the record or its source; former ids stand among the identifiers."""
_SHOWN_IN_SHORT = {"results"}
"""What a section sums up: its values are named here even where the sums differ."""

_MOVED = (("Results", "these values", "the same values, at other places"),)


def unshown_values(old: Trial, new: Trial, is_shown: Callable[[Trial], bool]) -> Iterator[tuple[str, str, str]]:
    """(name, before, after) of every value that differs within an attribute that no section tells of; `is_shown` says
    whether a section tells that a version is not the newer one. An order that differs is no difference but in results,
    where it may be that of the groups.
    """
    for attribute in new.__struct_fields__:
        before, after = getattr(old, attribute), getattr(new, attribute)
        if attribute in _NEVER_SHOWN | old.unknown | new.unknown or before == after:
            continue
        if attribute in _SHOWN_IN_SHORT or not is_shown(replace(new, **{attribute: before})):
            found = list(_differing(_named(attribute), before, after))
            yield from found or (_MOVED if attribute in _SHOWN_IN_SHORT else ())


def _differing(name: str, before: Json, after: Json) -> Iterator[tuple[str, str, str]]:
    said, says = (Counter(_leaves(msgspec.to_builtins(value), name)) for value in (before, after))
    went, came = (_by_place(side) for side in (said - says, says - said))
    for place in dict.fromkeys((*went, *came)):
        yield capitalised(place), _lines(went.get(place, ())), _lines(came.get(place, ()))


def _by_place(leaves: Counter[tuple[str, str]]) -> Mapping[str, Sequence[str]]:
    found: dict[str, list[str]] = defaultdict(list)
    for place, value in leaves.elements():
        found[place].append(value)
    return found


def _lines(values: Sequence[str]) -> str:
    more = [f"and {len(values) - MOST_VALUES:,} more"] if len(values) > MOST_VALUES else []
    return "\n".join([*values[:MOST_VALUES], *more])


def _leaves(value: Json, name: str) -> Iterator[tuple[str, str]]:
    """(where, what) of every value, without its places in lists."""
    if isinstance(value, Mapping):
        for key, inner in value.items():
            if key != "position":
                yield from _leaves(inner, name if key == "rest" else f"{name}, {_named(key)}")
    elif isinstance(value, Sequence) and not isinstance(value, str):
        for inner in value:
            yield from _leaves(inner, name)
    elif value is not None:
        yield name, str(value)


def _named(key: str) -> str:
    return spaced(key).replace("_", " ").lower()
