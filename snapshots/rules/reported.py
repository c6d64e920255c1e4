"""What differs inside posted results, told in a handful of sentences and never as a thousand numbers?

Groups are mapped by their titles first: the ids that the registry gives them (OG000, OG001 …) only count positions, and
every table of the section refers to them.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import msgspec
from msgspec import Struct

from snapshots.canonical import (
    email_key,
    enum_key,
    in_any_order,
    label_key,
    name_key,
    phone_digits,
    text_key,
    value_key,
)
from snapshots.matching import ByKey, match
from snapshots.rules.fields import spelled_out
from snapshots.sentences import capitalised, clipped, counted, enum_words, listed, quoted

Json = Any
Names = Mapping[str, str]
"""The groups of a scope by their ids."""

MEASURES = "outcomeMeasuresModule"
PARTS = {
    "participantFlowModule": "participant flow",
    "baselineCharacteristicsModule": "baseline characteristics",
    MEASURES: "outcome measures",
    "adverseEventsModule": "adverse events",
    "moreInfoModule": "more information (limitations, agreements, contact)",
}
_GROUPS = ("groups", "eventGroups")
_SHOWN = 3
"""So many titles stand in a sentence; of more the number is told."""

_encode = msgspec.json.Encoder(order="deterministic").encode


class Reported(Struct, frozen=True):
    """What differs between two results sections: the registry's names of the parts that do, one sentence for each, and
    the titles of the outcome measures that were added, removed and changed.
    """

    parts: tuple[str, ...]
    sentences: tuple[str, ...]
    measures: Mapping[str, list[str]]


def what_differs(old: Mapping[str, Json], new: Mapping[str, Json]) -> Reported | None:
    """What differs between two results sections; None where they say the same."""
    parts = [part for part in dict.fromkeys([*PARTS, *old, *new]) if not same_results(old.get(part), new.get(part))]
    if not parts:
        return None
    differences = {part: list(_walk(_Both(old.get(part), new.get(part)))) for part in parts}
    sentences = (_sentence(part, old.get(part), new.get(part), found) for part, found in differences.items())
    return Reported(tuple(parts), tuple(sentences), _measures(differences.get(MEASURES, [])))


# --- the same after groups are mapped by title ------------------------------------------------------------------------


def same_results(before: Json, after: Json) -> bool:
    """Whether two parts of results say the same, whatever ids and order their groups have."""
    return bool(before == after) or _encode(_results_key(before, {})) == _encode(_results_key(after, {}))


def _results_key(value: Json, names: Names) -> Json:
    """The key of a part of the results, groups named by what they are and not by the position that their ids count.

    `names` are the groups of the scope by id: a module's, or an outcome measure's own.
    """
    if isinstance(value, Mapping):
        names = {**names, **_group_names(value)}
        keys = {key: _member_key(key, member, names) for key, member in value.items()}
        # what is empty is as good as absent; the rest are keys already, and tables are too large to make keys of keys
        return {key: said for key, said in keys.items() if said is not None and said not in ("", [], {})}
    if isinstance(value, list):
        return in_any_order(_results_key(item, names) for item in value)
    return value_key(value)


def _member_key(key: str, member: Json, names: Names) -> Json:
    if key in ("id", "groupId") and isinstance(member, str):
        return names.get(member, member)
    if key == "groupIds" and isinstance(member, list):
        return in_any_order(names.get(item, item) if isinstance(item, str) else item for item in member)
    if isinstance(member, str) and key in _KEYS:
        return _KEYS[key](member)
    return _results_key(member, names)


_KEYS: Mapping[str, Callable[[str], str | None]] = {
    **dict.fromkeys(("title", "term", "organSystem"), label_key),
    **dict.fromkeys(("type", "reportingStatus", "paramType", "dispersionType", "assessmentType"), enum_key),
    **dict.fromkeys(("nonInferiorityType", "restrictionType", "ciNumSides"), enum_key),
    "organization": name_key,
    "email": email_key,
    "phone": phone_digits,
}


def _group_names(scope: Mapping[str, Json]) -> dict[str, str]:
    """Names of the groups that a scope defines, by id: the title; where it repeats, the description; then a number."""
    groups = [group for key in _GROUPS for group in _objects(scope.get(key))]
    titles = Counter(_group_title(group) for group in groups)
    seen: Counter[str] = Counter()
    names = {}
    for group in groups:
        name = _group_title(group)
        if titles[name] > 1:
            name = f"{name} {text_key(_text(group, 'description'))}"
        seen[name] += 1
        names[str(group.get("id"))] = f"group {name} {seen[name]}"
    return names


def _group_title(group: Mapping[str, Json]) -> str:
    return label_key(_text(group, "title"))


def _objects(value: Json) -> list[Mapping[str, Json]]:
    return [item for item in value if isinstance(item, Mapping)] if isinstance(value, list) else []


def _text(item: Mapping[str, Json], key: str) -> str:
    value = item.get(key)
    return value if isinstance(value, str) else ""


# --- where they differ ------------------------------------------------------------------------------------------------


class _Both(Struct, frozen=True):
    """One place in both versions. `fields` are the registry's names that lead there, `items` in words the items of
    lists that are passed on the way; the ids of groups mean what `old_names` and `new_names` say, and `titles` are the
    groups' titles by these names.
    """

    old: Json
    new: Json
    fields: tuple[str, ...] = ()
    items: tuple[str, ...] = ()
    old_names: Names = {}
    new_names: Names = {}
    titles: Names = {}

    @property
    def field(self) -> str:
        return self.fields[-1] if self.fields else ""

    @property
    def whole(self) -> bool:
        """Whether a whole object comes or goes here."""
        return (self.old is None or self.new is None) and isinstance(self.old or self.new, Mapping)

    def same(self) -> bool:
        keys = [_member_key(self.field, value, names) for value, names in self.sides()]
        return bool(_encode(keys[0]) == _encode(keys[1]))

    def sides(self) -> tuple[tuple[Json, Names], tuple[Json, Names]]:
        return (self.old, self.old_names), (self.new, self.new_names)

    def member(self, key: str) -> "_Both":
        return msgspec.structs.replace(self, old=self.old.get(key), new=self.new.get(key), fields=(*self.fields, key))

    def item(self, old: "_Item | None", new: "_Item | None") -> "_Both":
        words = next(item.words for item in (new, old) if item)
        return msgspec.structs.replace(
            self, old=old and old.value, new=new and new.value, items=(*self.items, *filter(None, [words]))
        )


class _Item(Struct, frozen=True):
    """An item of a list: its value, its whole key, what it is known by, and in words."""

    value: Json
    key: bytes
    identity: str
    words: str


def _walk(both: _Both) -> Iterator[_Both]:
    """The deepest places that differ."""
    if both.same():
        return
    if isinstance(both.old, Mapping) and isinstance(both.new, Mapping):
        scope = _scope(both)
        for key in dict.fromkeys([*both.new, *both.old]):
            yield from _walk(scope.member(key))
    elif _is_list_of_objects(both.old) and _is_list_of_objects(both.new):
        yield from _walk_lists(both)
    else:
        yield both


def _scope(both: _Both) -> _Both:
    """The place with the groups that it defines: mapped by title, and where that was changed by their position."""
    before, after = _group_names(both.old), _group_names(both.new)
    if not (before or after):
        return both
    known, now = set(before.values()), set(after.values())
    retitled = {
        id_: after[id_] for id_, name in before.items() if name not in now and after.get(id_, name) not in known
    }
    before |= {id_: name for id_, name in retitled.items() if name not in known}
    titles = {
        names[str(group.get("id"))]: _text(group, "title")
        for scope, names in ((both.old, before), (both.new, after))
        for key in _GROUPS
        for group in _objects(scope.get(key))
    }
    return msgspec.structs.replace(
        both,
        old_names={**both.old_names, **before},
        new_names={**both.new_names, **after},
        titles={**both.titles, **titles},
    )


def _is_list_of_objects(value: Json) -> bool:
    return value is None or (isinstance(value, list) and all(isinstance(item, Mapping) for item in value))


def _walk_lists(both: _Both) -> Iterator[_Both]:
    old, new = (_items(values, names, both.titles) for values, names in both.sides())
    matched = match(old, new, _ITEM_PASSES)
    for before, after in matched.pairs:
        yield from _walk(both.item(before, after))
    for item in matched.removed:
        yield both.item(item, None)
    for item in matched.added:
        yield both.item(None, item)


def _items(values: Json, names: Names, titles: Names) -> list[_Item]:
    return [
        _Item(value, _encode(_results_key(value, names)), _identity(value, names), _words(value, names, titles))
        for value in values or []
    ]


_ITEM_PASSES = (
    ByKey[_Item](key=lambda item: item.key),
    ByKey[_Item](
        key=lambda item: item.identity,
        # an outcome measure may be reported twice under one title
        prefer=(
            lambda item: enum_key(_text(item.value, "type")),
            lambda item: text_key(_text(item.value, "timeFrame")),
        ),
    ),
)
_TITLES = ("title", "term", "label", "units", "groupId")


def _identity(item: Mapping[str, Json], names: Names) -> str:
    """What tells an item of a list from the others: the group it is, its title, term or group, else type or groups."""
    if _text(item, "id") in names:
        return names[_text(item, "id")]
    known = [_encode(_member_key(key, item[key], names)).decode() for key in _TITLES if item.get(key)]
    others = [] if known else [str(_member_key(key, item[key], names)) for key in ("type", "groupIds") if item.get(key)]
    return " ".join([*known, *others])


def _words(item: Mapping[str, Json], names: Names, titles: Names) -> str:
    group = _text(item, "groupId")
    told = [_text(item, key) for key in ("title", "term", "label", "units")]
    told += [titles.get(names.get(group, ""), group), enum_words(_text(item, "type")) if item.get("type") else ""]
    return clipped(next(filter(None, told), ""), 60)


# --- in words ---------------------------------------------------------------------------------------------------------


def _sentence(part: str, old: Json, new: Json, found: Sequence[_Both]) -> str:
    """One part's sentence: "Adverse events: 2 terms of serious events added; 14 numbers differ"."""
    name = capitalised(PARTS.get(part) or spelled_out(part.removesuffix("Module")))
    if not (old and new):
        return f"{name} {'removed' if old else 'added'}"
    told = _measures_told(found) if part == MEASURES else _told(found)
    return f"{name}: {'; '.join(told) or 'said in another way'}"


def _told(found: Sequence[_Both]) -> list[str]:
    """What differs in a part, most telling first: what comes and goes, texts, then how many numbers."""
    numbers = [both for both in found if _is_number(both)]
    others = [both for both in found if not _is_number(both)]
    come_or_gone = [both for both in others if both.whole and both.items]
    texts = [both for both in others if not (both.whole and both.items)]
    return [*_comings_and_goings(come_or_gone), *_texts_told(texts), *_numbers_told(numbers)]


_NUMBERS = frozenset({"value", "spread", "lowerLimit", "upperLimit", "frequencyThreshold"})
_NUMBERED = frozenset({"measurements", "achievements", "stats", "counts", "reasons"})
_NOUNS = {
    "groups": "group",
    "eventGroups": "group",
    "periods": "period",
    "milestones": "milestone",
    "dropWithdraws": "reason for withdrawal",
    "measures": "measure",
    "seriousEvents": "term of serious events",
    "otherEvents": "term of other events",
    "analyses": "statistical analysis",
    "classes": "row",
    "categories": "category",
}
_PLURALS = {
    "reason for withdrawal": "reasons for withdrawal",
    "term of serious events": "terms of serious events",
    "term of other events": "terms of other events",
    "statistical analysis": "statistical analyses",
    "category": "categories",
}


def _is_number(both: _Both) -> bool:
    field = both.field
    return field in _NUMBERS or field in _NUMBERED or field.startswith("num") or "Num" in field


def _comings_and_goings(found: Sequence[_Both]) -> Iterator[str]:
    by_noun: dict[tuple[str, str], list[str]] = {}
    for both in found:
        noun = _NOUNS.get(both.field) or spelled_out(both.field).removesuffix("s")
        by_noun.setdefault((noun, "added" if both.old is None else "removed"), []).append(" ".join(both.items[-1:]))
    for (noun, verb), titles in by_noun.items():
        shown = [quoted(title, 60) for title in titles if title]
        names = f" ({listed(shown, _SHOWN)})" if shown else ""
        yield f"{counted(len(titles), noun, _PLURALS.get(noun))} {verb}{names}"


def _texts_told(found: Sequence[_Both]) -> Iterator[str]:
    """Texts by the field they stand in; where one alone differs and is short, what it said and says."""
    if len(found) == 1 and _is_short(found[0]):
        both = found[0]
        yield f"{_field_words(both)}{_of(both)}: {_shown(both.old)} → {_shown(both.new)}"
        return
    fields = Counter(_field_words(both) for both in found)
    if fields:
        yield listed((f"{words} ({count} times)" if count > 1 else words for words, count in fields.items()), 4)


def _is_short(both: _Both) -> bool:
    return all(value is None or (isinstance(value, str) and len(value) <= 60) for value in (both.old, both.new))


def _field_words(both: _Both) -> str:
    """The field in words, with the object that it is a part of where its own name tells little."""
    names = [name for name in both.fields[-2:] if name not in _NOUNS]
    telling = names if names[-1:] in (["description"], ["title"], ["details"]) else names[-1:]
    within = _NOUNS.get(both.fields[-2]) if len(both.fields) > 1 else None
    words = " ".join(map(_spelled, telling)) or _spelled(both.field)
    return f"{words} of a {within}" if within and len(telling) < 2 else words


def _spelled(field: str) -> str:
    return {"paramType": "kind of value", "dispersionType": "kind of dispersion"}.get(field) or spelled_out(field)


def _of(both: _Both) -> str:
    names = [item for item in both.items[-2:] if item != both.new]
    return f" ({', '.join(names)})" if names else ""


def _numbers_told(found: Sequence[_Both]) -> Iterator[str]:
    if len(found) == 1 and not found[0].whole:
        both = found[0]
        yield f"1 number differs{_of(both)}: {_shown(both.old)} → {_shown(both.new)}"
    elif found:
        yield counted(len(found), "number differs", "numbers differ")


def _shown(value: Json) -> str:
    return "none" if value is None else clipped(str(value), 60)


# --- outcome measures -------------------------------------------------------------------------------------------------


def _of_measure(found: Sequence[_Both]) -> dict[str, list[_Both]]:
    """What differs in the matched outcome measures, by their titles; elsewhere in the module under ""."""
    by_title: dict[str, list[_Both]] = {}
    for both in found:
        if not (both.whole and both.fields == ("outcomeMeasures",)):
            by_title.setdefault(both.items[0] if both.items else "", []).append(both)
    return by_title


def _measures(found: Sequence[_Both]) -> dict[str, list[str]]:
    """Titles of the outcome measures that were added, removed, and that say something else; {} where none is."""
    whole = [both for both in found if both.whole and both.fields == ("outcomeMeasures",)]
    titles = {
        "added": [_text(both.new, "title") for both in whole if both.old is None],
        "removed": [_text(both.old, "title") for both in whole if both.new is None],
        "changed": [title for title in _of_measure(found) if title],
    }
    return titles if any(titles.values()) else {}


def _measures_told(found: Sequence[_Both]) -> Iterator[str]:
    for word, titles in _measures(found).items():
        if titles and word != "changed":
            yield f"{counted(len(titles), 'outcome measure')} {word} ({_titles(titles)})"
    changed = _of_measure(found)
    elsewhere = changed.pop("", [])
    if len(changed) == 1:
        title, those = next((title, [_within(both) for both in those]) for title, those in changed.items())
        yield f"1 outcome measure changed ({quoted(title, 80)}: {'; '.join(_told(those))})"
    elif changed:
        what = "; ".join(_told([both for those in changed.values() for both in those]))
        yield f"{len(changed):,} outcome measures changed ({_titles(list(changed))}: {what})"
    yield from _told(elsewhere)


def _within(both: _Both) -> _Both:
    """The place as told behind its measure's title."""
    return msgspec.structs.replace(both, items=both.items[1:])


def _titles(titles: Sequence[str]) -> str:
    return listed((quoted(title, 80) for title in titles), _SHOWN)
