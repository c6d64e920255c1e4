"""All that is wrong with what a form asks for; pure.

Who reads a subscription stops at the first complaint. What that is about gives way to something harmless, and the rest
is looked at again.
"""

import re
from collections.abc import Callable, Mapping
from typing import Any

from notifiers.conditions import InvalidValue

Json = Any
Table = Mapping[str, Json]
Check = Callable[[Table], object]
"""Raises InvalidValue for the first thing that is wrong with a table of the watchlist file's keys."""

_HARMLESS: Table = {"name": "a subscription that is looked at", "to": ["mailto:nobody@example.org"], "watches": "all",
                    "when": {}, "deliver": "immediately", "severity": {}}  # fmt: skip
"""Nothing is wrong with this."""
_INSTEAD: Mapping[str, Json] = {
    "deliver.digest": "daily",
    "deliver.at": "08:00",
    "deliver.timezone": "UTC",
    "quiet.timezone": "UTC",
    "when.near.place": {"latitude": 0, "longitude": 0},
    "when.near.place.latitude": 0,
    "when.near.place.longitude": 0,
    "when.near.km": 1,
}
"""What stands for a part that the rest needs; others are left out."""


def without(table: Table, error: InvalidValue, check: Check) -> tuple[Table | None, list[str]]:
    """The table without what a complaint is about (None where nothing can give way), and all that is to be said of it:
    of several entries, each that is wrong.
    """
    key = re.sub(r"\[\d+\]", "", re.sub(r'^subscription ".*"\.', "", error.key))
    first, *within = key.split(".")
    many = ["severity"] if first == "severity" else [first, *within[:1]] if first == "when" else [first]
    entries = _at(table, many)
    if first in ("to", "severity", "when") and isinstance(entries, list | dict) and many != ["when", "near"]:
        return _sifted(table, many, entries, error, check)
    left = _instead(table, [first, *within])
    return (left if left != table else None), [error.problem]


def _sifted(
    table: Table, path: list[str], entries: list[Json] | dict[str, Json], error: InvalidValue, check: Check
) -> tuple[Table | None, list[str]]:
    """With those entries alone that nothing is wrong with by themselves; where that is all of them, with none."""
    singly = [{key: value} for key, value in entries.items()] if isinstance(entries, dict) else [[e] for e in entries]
    found = [(each, _problem(_put(_HARMLESS, path, each), check)) for each in singly]
    said = [problem for _, problem in found if problem]
    good: Json = {} if isinstance(entries, dict) else []
    for each, problem in found:
        if said and not problem:
            good = good | each if isinstance(each, dict) else good + each
    left = _put(table, path, good or _at(_HARMLESS, path) or good)
    return (left if left != table else None), said or [error.problem]


def _problem(table: Table, check: Check) -> str | None:
    try:
        check(table)
    except InvalidValue as error:
        return error.problem
    return None


def _instead(table: Table, path: list[str]) -> Table:
    """With something harmless there, or nothing."""
    if path in (["quiet", "from"], ["quiet", "to"]):
        other = table["quiet"]["to" if path[1] == "from" else "from"]
        return _put(table, path, "12:00" if other == "00:00" else "00:00")
    if len(path) == 1 and path[0] in _HARMLESS:
        return {**table, path[0]: _HARMLESS[path[0]]}
    if ".".join(path) in _INSTEAD and isinstance(_at(table, path[:-1]), Mapping):
        changed = _put(table, path, _INSTEAD[".".join(path)])
        return _left_out(changed, ["deliver", "on"]) if path == ["deliver", "digest"] else changed
    if path[0] == "watches":
        return {**table, "watches": "all"}
    return _left_out(table, path)


def _at(table: Table, path: list[str]) -> Json:
    found: Json = table
    for key in path:
        found = found.get(key) if isinstance(found, Mapping) else None
    return found


def _put(table: Table, path: list[str], value: Json) -> dict[str, Json]:
    first, *rest = path
    return {**table, first: _put(table.get(first, {}), rest, value) if rest else value}


def _left_out(table: Table, path: list[str]) -> Table:
    first, *rest = path
    if rest and isinstance(table.get(first), Mapping):
        return {**table, first: _left_out(table[first], rest)}
    return {key: value for key, value in table.items() if key != first}
