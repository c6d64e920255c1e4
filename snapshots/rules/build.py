"""How a rule makes a change: the kind's label and usual severity come from the vocabulary, the rest from the rule."""

from collections.abc import Mapping
from typing import Any

import msgspec

from snapshots.canonical import members_key, value_key
from snapshots.changes import Change, Subject
from snapshots.diff import differences
from snapshots.kinds import KINDS, Severity
from snapshots.sentences import clipped, quoted

Json = Any

_canonical = msgspec.json.Encoder(order="deterministic").encode


def change(
    kind: str,
    *,
    summary: str,
    subject: Subject | None = None,
    before: Json = None,
    after: Json = None,
    path: str | None = None,
    severity: Severity | None = None,
) -> Change:
    """A change of `kind`; `severity` where the table lets values decide it. Raises KeyError for an unknown kind."""
    known = KINDS[kind]
    return Change(
        kind=kind,
        severity=severity or known.severity,
        label=known.label,
        summary=" ".join(summary.split()),  # a sentence is one line, whatever line breaks a name or a date holds
        subject=subject,
        before=before,
        after=after,
        path=path,
    )


def leftovers(
    before: Mapping[str, Json], after: Mapping[str, Json], path: str | None, *, levels: int = 1
) -> list[Change]:
    """`record.changed` for every place where two objects of which no rule speaks (a `rest`) say something else.

    The place is the deepest one with a name: members of objects are told apart, lists are told as a whole, because
    their order says nothing. An object that comes or goes is one entry, but on the first `levels` (a record's sections
    and modules) its members are. `path` is where the objects stand in the registry's record; null, "", [] and {} are
    as good as absent.
    """
    if before == after:
        return []
    return [
        _leftover(
            ".".join(filter(None, (path, *map(str, found.place)))), _at(before, found.place), _at(after, found.place)
        )
        for found in differences(_comparable(before, after, levels), _comparable(after, before, levels))
    ]


def _comparable(value: Json, other: Json, levels: int) -> Json:
    """Objects as they are, everything under them as its key; lists as one value each, so that no index is a place.

    Down to `levels` an object that only `other` has stands here empty.
    """
    if not isinstance(value, Mapping):
        return _canonical(value_key(value)).decode() if isinstance(value, list | tuple) else value_key(value)
    others = other if isinstance(other, Mapping) else {}
    spine = levels > 0
    members = dict(value)
    if spine:
        members |= {name: {} for name, member in others.items() if _absent_object(name, member, value)}
    return {
        name: _comparable(member, others.get(name), levels - 1)
        for name, member in members.items()
        if (spine and isinstance(member, Mapping)) or members_key({name: member})
    }


def _absent_object(name: str, member: Json, value: Mapping[str, Json]) -> bool:
    return isinstance(member, Mapping) and value.get(name) is None


def _at(value: Json, place: tuple[str | int, ...]) -> Json:
    for key in place:
        value = value.get(key) if isinstance(value, Mapping) else None
    return value


def _leftover(path: str, before: Json, after: Json) -> Change:
    field = path.rpartition(".")[2] or "the record"
    return change("record.changed", summary=_told(field, before, after), before=before, after=after, path=path or None)


def _told(field: str, before: Json, after: Json) -> str:
    if before is None:
        return f"{field} was added: {_shown(after)}"
    if after is None:
        return f"{field} was removed (was: {_shown(before)})"
    return f"{field} changed from {_shown(before)} to {_shown(after)}"


def _shown(value: Json) -> str:
    return quoted(value, 80) if isinstance(value, str) else clipped(msgspec.json.encode(value).decode(), 80)
