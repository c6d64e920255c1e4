"""What is told together: the changes of one step as lines, most severe first, consequences under their cause."""

from collections.abc import Callable, Container, Iterable, Mapping, Sequence
from difflib import SequenceMatcher
from typing import Any

from msgspec import Struct

from notifiers.clean_text import one_line
from snapshots.archive import StoredChange
from snapshots.changes import Change
from snapshots.kinds import SEVERITIES
from snapshots.sentences import counted, place_words, status_words

Json = Any

MANY = 3
"""From so many entries of one kind with the same words replaced on, a message tells them in one line."""
MANY_SITES = 6
"""The same for sites: each has a place and a contact that somebody may want."""
MANY_ASKED_FOR = 13
"""The same where each is what the subscription asked for by place."""


class Followers(Struct, frozen=True):
    """How many changes of one kind follow from what a line tells; `words` says it: "176 sites are now recruiting"."""

    kind: str
    count: int
    words: str


class Line(Struct, frozen=True):
    """One thing told: a change, or many of one kind with the same words replaced, and what follows from it."""

    changes: tuple[StoredChange, ...]
    followers: tuple[Followers, ...] = ()

    @property
    def lead(self) -> Change:
        return self.changes[0].change

    @property
    def sentence(self) -> str:
        """The change's summary; for many, what happened to how many, and the words that were replaced."""
        if len(self.changes) == 1:
            return self.lead.summary
        if self.lead.kind in _MANY_SITES_DID:
            return _of_many_sites(self.lead, len(self.changes))
        return f"{_number(self.lead, len(self.changes))}: {self.lead.label}{_replacement(self.lead)}"

    @property
    def whom(self) -> tuple[str, ...]:
        """Whom each of the changes is about: a site with its city and country, others by name."""
        return tuple(_whom(stored.change) for stored in self.changes)


def grouped(changes: Sequence[StoredChange], by_place: Container[int] = frozenset()) -> tuple[Line, ...]:
    """The changes of one step as lines, most severe first, among equals what was asked for by place first.

    A change whose cause is told too is counted under that cause, unless it was asked for by place.
    """
    causes = _causes(changes, by_place)
    tops = [stored for stored in changes if _root(stored, causes) is stored]
    followers: dict[int, list[StoredChange]] = {}
    for stored in changes:
        root = _root(stored, causes)
        if root is not stored:
            followers.setdefault(root.id, []).append(stored)
    tops.sort(key=lambda stored: (SEVERITIES.index(stored.change.severity), stored.id not in by_place))
    return tuple(_line(together, followers) for together in _together(tops, by_place))


def _causes(changes: Sequence[StoredChange], by_place: Container[int]) -> dict[int, StoredChange]:
    """For every change that is told under another one, by its id, that other one."""
    exact = {(stored.change.kind, _name(stored.change), stored.change.path): stored for stored in reversed(changes)}
    named = {(stored.change.kind, _name(stored.change)): stored for stored in reversed(changes)}
    found = {}
    for stored in changes:
        cause = stored.change.cause
        if cause is None or stored.id in by_place:
            continue
        told = exact.get((cause.kind, cause.name, cause.path)) or named.get((cause.kind, cause.name))
        if told is not None and told is not stored:
            found[stored.id] = told
    return found


def _root(stored: StoredChange, causes: Mapping[int, StoredChange]) -> StoredChange:
    """The change under which `stored` is told: itself, or the end of its chain of causes (a circle has none)."""
    seen = {stored.id}
    root = stored
    while root.id in causes:
        root = causes[root.id]
        if root.id in seen:
            return stored
        seen.add(root.id)
    return root


def _together(tops: Sequence[StoredChange], by_place: Container[int]) -> list[list[StoredChange]]:
    lines: list[list[StoredChange]] = []
    for kind in _apart_by(tops, lambda stored: (stored.change.kind, stored.change.severity, stored.id in by_place)):
        # what was replaced is searched for only where there may be enough of them
        if len(kind) < min(_many(stored, by_place) for stored in kind):
            lines.extend([stored] for stored in kind)
            continue
        for together in _apart_by(kind, _likeness):
            enough = len(together) >= _many(together[0], by_place)
            lines.extend([together] if enough else [[stored] for stored in together])
    order = {stored.id: number for number, stored in enumerate(tops)}
    return sorted(lines, key=lambda line: order[line[0].id])


def _many(stored: StoredChange, by_place: Container[int]) -> int:
    if stored.id in by_place:
        return MANY_ASKED_FOR
    return MANY_SITES if _is_site(stored.change) else MANY


def _is_site(change: Change) -> bool:
    return change.subject is not None and change.subject.get("type") == "site"


def _apart_by(changes: Iterable[StoredChange], key: Callable[[StoredChange], Json]) -> list[list[StoredChange]]:
    alike: dict[Json, list[StoredChange]] = {}
    for stored in changes:
        alike.setdefault(key(stored), []).append(stored)
    return list(alike.values())


def _likeness(stored: StoredChange) -> Json:
    """What entries of one kind told in one line have in common; an entry that replaces nothing is like no other."""
    change = stored.change
    comes_or_goes = _is_site(change) and change.kind in ("site.added", "site.removed")
    return comes_or_goes or replaced_words(change) or stored.id


def _line(together: Sequence[StoredChange], followers: Mapping[int, Sequence[StoredChange]]) -> Line:
    following = [stored for top in together for stored in followers.get(top.id, ())]
    kinds = dict.fromkeys(stored.change.kind for stored in following)
    counts = [_followers([stored.change for stored in following if stored.change.kind == kind]) for kind in kinds]
    return Line(tuple(together), tuple(counts))


def _followers(changes: Sequence[Change]) -> Followers:
    lead, count = changes[0], len(changes)
    return Followers(lead.kind, count, _follows(lead, count))


def _follows(lead: Change, count: int) -> str:
    if count == 1:
        return lead.label if lead.subject is None else f"{lead.label} ({one_line(_whom(lead), 120)})"
    if lead.kind in _MANY_SITES_DID:
        return f"{_number(lead, count)} {_MANY_SITES_DID[lead.kind]}"
    return f"{lead.label} ({_number(lead, count)})"


def _name(change: Change) -> str | None:
    return None if change.subject is None else change.subject.get("name")


def _whom(change: Change) -> str:
    subject = change.subject or {}
    return place_words([subject.get("name"), subject.get("city"), subject.get("country")]) or change.label


_MANY_SITES_DID = {
    "site.recruiting": "are now recruiting",
    "site.invitation_only": "now enroll by invitation",
    "site.closed": "are now closed to enrollment",
    "site.suspended": "are now suspended",
    "site.terminated": "are now terminated",
    "site.withdrawn": "are now withdrawn",
    "site.status_changed": "have another status now",
    "site.added": "are newly listed",
    "site.removed": "are no longer listed",
}


def _of_many_sites(lead: Change, count: int) -> str:
    """What a coordinator would say of many sites at once: "25 sites are now recruiting (were: not yet recruiting)"."""
    told = f"{_number(lead, count)} {_MANY_SITES_DID[lead.kind]}"
    if lead.kind in ("site.added", "site.removed"):
        return told
    if lead.kind == "site.status_changed":
        return f"{told} ({_status(lead.after)}; before: {_status(lead.before)})"
    return f"{told} (were: {_status(lead.before)})" if lead.before else f"{told} (newly listed, or no status before)"


def _status(value: Json) -> str:
    return status_words(value) if isinstance(value, str) else "no status"


_NOUNS = {"country": ("country", "countries")}


def _number(change: Change, count: int) -> str:
    kind = str(change.subject.get("type")) if change.subject else "entry"
    noun, nouns = {"entry": ("entry", "entries"), **_NOUNS}.get(kind, (kind, f"{kind}s"))
    return counted(count, noun, nouns)


# --- the words that were replaced -----------------------------------------------------------------------------------


def replaced_words(change: Change) -> tuple[tuple[str, str], ...]:
    """The (old, new) runs of words in which `before` and `after` differ; empty where either side is missing a text
    altogether in a way that only its own words could tell (something added or removed).
    """
    before, after = _flat(change.before), _flat(change.after)
    runs: list[tuple[str, str]] = []
    for key in [*before, *(key for key in after if key not in before)]:
        old, new = before.get(key, ""), after.get(key, "")
        if old != new:
            runs.extend(_runs(old, new))
    return tuple(runs)


def _runs(old: str, new: str) -> list[tuple[str, str]]:
    if len(old) + len(new) > 20_000:  # two books have no words in common that a line could tell
        return [(old, new)]
    left, right = old.split(), new.split()
    matcher = SequenceMatcher(None, left, right, autojunk=False)
    blocks = [block for block in matcher.get_opcodes() if block[0] != "equal"]
    return [_with_unit(left[a:b], left[b : b + 1], right[c:d], right[d : d + 1]) for _, a, b, c, d in blocks]


def _with_unit(old: list[str], after_old: list[str], new: list[str], after_new: list[str]) -> tuple[str, str]:
    """The words of a run, without the punctuation that both end with; a number takes its unit along, which stands
    after it on both sides.
    """
    unit = after_old if after_old == after_new and old and old[-1].isdigit() else []
    left, right = " ".join(old + unit), " ".join(new + unit)
    while left and right and left[-1] == right[-1] and not left[-1].isalnum():
        left, right = left[:-1], right[:-1]
    return left, right


def _flat(value: Json, key: str = "") -> dict[str, str]:
    if isinstance(value, Mapping):
        return {name: text for part, inner in value.items() for name, text in _flat(inner, f"{key}.{part}").items()}
    if isinstance(value, (list, tuple)):
        return {name: text for at, inner in enumerate(value) for name, text in _flat(inner, f"{key}[{at}]").items()}
    return {} if value is None else {key: str(value)}


def _replacement(change: Change) -> str:
    """The replaced words as they end a line that tells many; statuses as people say them."""
    runs = replaced_words(change)
    if change.kind in ("site.added", "site.removed"):
        return ""
    if len(runs) != 1 or max(map(len, runs[0])) > 80:
        return ""
    old, new = (status_words(text) if text.isupper() else text for text in runs[0])
    if old and new:
        return f", “{old}” became “{new}”"
    return f", now “{new}”" if new else f", no longer “{old}”"
