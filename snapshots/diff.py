"""Structured differences between two comparable parts of a record, by DeepDiff.

A *comparable part* is plain data in which lists without order are dictionaries under matched keys and every value is in
its canonical form (`snapshots.canonical`): what differs there really says something else. Equal parts never reach
DeepDiff, whose cost on equal input is that of a full walk.
"""

from collections.abc import Mapping
from typing import Any

from deepdiff import DeepDiff
from msgspec import Struct

Json = Any


class Difference(Struct, frozen=True):
    """One place that differs: `place` are the keys to it, `before` and `after` the values there (None: absent)."""

    place: tuple[str | int, ...]
    before: Json
    after: Json


def differences(before: Mapping[Any, Json], after: Mapping[Any, Json]) -> list[Difference]:
    """What differs between two comparable parts, in order of place.

    Only what differs at the first level is handed on: a thousand equal sites cost one comparison each.
    """
    if before == after:
        return []
    changed = [key for key in before.keys() | after.keys() if before.get(key) != after.get(key)]
    tree = DeepDiff(
        {key: before[key] for key in changed if key in before},
        {key: after[key] for key in changed if key in after},
        view="tree",
        threshold_to_diff_deeper=0,
        ignore_private_variables=False,  # a registry may name a field "__x"
        verbose_level=2,
    )
    found = [_difference(level) for levels in tree.values() for level in levels]
    return sorted(found, key=lambda difference: [str(key) for key in difference.place])


def _difference(level: Any) -> Difference:
    place = tuple(level.path(output_format="list"))
    return Difference(place, _value(level.t1), _value(level.t2))


def _value(value: Any) -> Json:
    return None if type(value).__name__ == "NotPresent" else value
