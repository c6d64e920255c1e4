"""Which named fields of two matched items say something else, and in what words is that told?"""

import re
from collections.abc import Callable, Container, Hashable, Iterable, Mapping, Sequence
from typing import Any, Generic, TypeVar

import msgspec
from msgspec import Struct

from snapshots.canonical import enum_key, enum_value_key, label_key, text_key, value_key
from snapshots.diff import differences
from snapshots.prose import rewording
from snapshots.sentences import capitalised, clipped, enum_words, listed, quoted
from snapshots.trial import Trial

Json = Any
Item = TypeVar("Item")
Key = Callable[[Any], Hashable | None]

SHORT = 80
"""Values up to this length are told whole, longer ones by what was reworded."""


class Field(Struct, frozen=True):
    """A field of an item: the attribute it stands in, the words it is told with, and when two values say the same.

    `key_after` is the key of the newer item's value where names mean different things in the two versions;
    `enumerated` values are told as words.
    """

    name: str
    words: str
    key: Key
    key_after: Key | None = None
    enumerated: bool = False


def spelled_out(name: str) -> str:
    """A key of the registry as words: "genderBased" is "gender based"."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", name).lower()


def text_field(name: str, words: str) -> Field:
    """A field that holds free text: letter case and words count."""
    return Field(name, words, text_key)


def label_field(name: str, words: str) -> Field:
    """A field that holds a label: letter case and punctuation say nothing."""
    return Field(name, words, label_key)


def enum_field(name: str, words: str) -> Field:
    """A field that holds an enumerated value."""
    return Field(name, words, enum_key, enumerated=True)


def names_key(names: Iterable[str]) -> frozenset[str]:
    """The key of a list of names whose order says nothing."""
    return frozenset(map(label_key, names))


class Compared(Struct, Generic[Item], frozen=True):
    """Two matched items and those of their fields that say something else, in the order they were asked for."""

    old: Item
    new: Item
    fields: tuple[Field, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.fields)

    def has(self, name: str) -> bool:
        """Whether the field of this name differs."""
        return any(field.name == name for field in self.fields)

    def values(self, field: Field) -> tuple[Json, Json]:
        """The field's value in the older and in the newer item, as plain JSON."""
        return _value(self.old, field), _value(self.new, field)


def compared(pairs: Sequence[tuple[Item, Item]], fields: Sequence[Field]) -> list[Compared[Item]]:
    """Every pair with the fields in which it differs, in the order given."""
    before: dict[str, Json] = {}
    after: dict[str, Json] = {}
    for index, (old, new) in enumerate(pairs):
        for field in fields:
            one, other = getattr(old, field.name), getattr(new, field.name)
            if one != other or field.key_after is not None:
                before[f"{index} {field.name}"] = _plain(field.key(one))
                after[f"{index} {field.name}"] = _plain((field.key_after or field.key)(other))
    found = {difference.place[0] for difference in differences(before, after)}
    return [
        Compared(old, new, tuple(field for field in fields if f"{index} {field.name}" in found))
        for index, (old, new) in enumerate(pairs)
    ]


def _plain(key: Hashable | None) -> Json:
    """A key as one value without parts, so that a difference in it is one difference."""
    if isinstance(key, frozenset | tuple):
        return msgspec.json.encode(sorted(key)).decode()
    return key


def _value(item: Any, field: Field) -> Json:
    value = getattr(item, field.name)
    return list(value) if isinstance(value, tuple) else value


def before_and_after(item: Compared[Any], trial: Trial, attribute: str, named: str) -> tuple[Json, Json]:
    """`before` and `after` of an item that differs: the names where the field `named` differs, the values of a single
    other field, or objects of all differing fields under the registry's spelling.
    """
    if item.has(named):
        return getattr(item.old, named), getattr(item.new, named)
    if len(item.fields) == 1:
        return item.values(item.fields[0])
    spelled = {trial.paths.get(f"{attribute}.{field.name}", field.name): field for field in item.fields}
    return (
        {name: _value(item.old, field) for name, field in spelled.items()},
        {name: _value(item.new, field) for name, field in spelled.items()},
    )


# --- words ------------------------------------------------------------------------------------------------------------


def told(item: Compared[Any]) -> str:
    """What differs in an item, for the end of a sentence: "time frame changed from “59 months” to “58 months”"."""
    return "; ".join(field_told(field.words, *item.values(field), enumerated=field.enumerated) for field in item.fields)


def field_told(words: str, before: Json, after: Json, *, enumerated: bool = False) -> str:
    """What happened to one field: it was added, removed, changed or, where it is long, reworded."""
    if isinstance(before, list) or isinstance(after, list):
        return _list_told(words, before or [], after or [], enumerated)
    if before in (None, ""):
        return f"{words} added: {shown(after, enumerated=enumerated)}"
    if after in (None, ""):
        return f"{words} removed (was {shown(before, enumerated=enumerated)})"
    if isinstance(before, str) and isinstance(after, str) and max(len(before), len(after)) > SHORT:
        return f"{words} reworded ({rewording(before, after)})"
    return f"{words} changed from {shown(before, enumerated=enumerated)} to {shown(after, enumerated=enumerated)}"


def _list_told(words: str, before: Json, after: Json, enumerated: bool) -> str:
    old, new = _members(before), _members(after)
    parts = [
        f"{listed((shown(value, enumerated=enumerated) for value in those), 3)} {verb}"
        for those, verb in (
            ([value for key, value in new.items() if key not in old], "added"),
            ([value for key, value in old.items() if key not in new], "removed"),
        )
        if those
    ]
    return f"{words}: {', '.join(parts) or 'listed in another way'}"


def _members(values: Json) -> dict[Hashable, Json]:
    """A list's values by what they say; a value that should be a list is one of one."""
    those = values if isinstance(values, list) else [values]
    return {label_key(value) if isinstance(value, str) else repr(value): value for value in those}


def shown(value: Json, *, enumerated: bool = False) -> str:
    """A value in a sentence: texts in quotation marks, enumerated ones and flags in words."""
    if enumerated or value is None or isinstance(value, bool):
        return enum_words(value)
    if isinstance(value, str):
        return quoted(value, SHORT)
    return clipped(str(value) if isinstance(value, int | float) else msgspec.json.encode(value).decode(), SHORT)


# --- objects as they stand in the record ------------------------------------------------------------------------------

_MOST_TOLD = 3


class Members(Struct, frozen=True):
    """The members of an object that say something else, with their values; None where absent."""

    before: Mapping[str, Json]
    after: Mapping[str, Json]

    def __bool__(self) -> bool:
        return bool(self.before)

    @property
    def only(self) -> str | None:
        """The name of the member that differs, if it is just one."""
        return next(iter(self.before)) if len(self.before) == 1 else None

    def values(self) -> tuple[Json, Json]:
        """`before` and `after`: the values of a single member, else objects of those that differ."""
        return (self.before[self.only], self.after[self.only]) if self.only else (dict(self.before), dict(self.after))

    def told(self, words: Mapping[str, str], enumerated: Container[str]) -> str:
        """A sentence of all that differs; `words` by the registry's key, `enumerated` the keys of enumerated values."""
        parts = [
            field_told(words.get(name) or spelled_out(name), before, self.after[name], enumerated=name in enumerated)
            for name, before in self.before.items()
        ]
        more = [f"{len(parts) - _MOST_TOLD} more fields differ"] if len(parts) > _MOST_TOLD + 1 else []
        return capitalised("; ".join([*parts[: _MOST_TOLD if more else None], *more]))


def differing_members(before: Mapping[str, Json], after: Mapping[str, Json], enumerated: Container[str]) -> Members:
    """The members of two objects that differ, in the order of `after`, then of `before`; lists are without order."""
    if before == after:
        return Members({}, {})
    found = differences(_member_keys(before, enumerated), _member_keys(after, enumerated))
    names = {str(difference.place[0]) for difference in found}
    ordered = [name for name in {**after, **before} if name in names]
    return Members({name: before.get(name) for name in ordered}, {name: after.get(name) for name in ordered})


def _member_keys(members: Mapping[str, Json], enumerated: Container[str]) -> dict[str, Json]:
    keys = {name: enum_value_key(value) if name in enumerated else value_key(value) for name, value in members.items()}
    return {name: key for name, key in keys.items() if key not in (None, "", [], {})}
