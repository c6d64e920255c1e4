"""What a sentence cannot hold of a change: long texts with their changes marked, lists item by item."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from msgspec import Struct

from notifiers.clean_text import clip, one_line
from snapshots.changes import Change
from snapshots.prose import word_differences
from snapshots.sentences import enum_words

Json = Any

PASSAGE = 1500
"""Characters of one text, about; the rest is in the record."""
SHOWN_ITEMS = 20


class Piece(Struct, frozen=True):
    """A run of words of a passage: "same", "removed", "added" or "left out"."""

    kind: str
    text: str


class Detail(Struct, frozen=True):
    """What a sentence cannot hold: a passage with its changes marked, or items under a heading."""

    term: str
    pieces: tuple[Piece, ...] = ()
    items: tuple[str, ...] = ()


_IN_THE_SENTENCE = 120  # what is shorter stands in the summary already


def details(change: Change) -> tuple[Detail, ...]:
    """What changed in long texts and lists, beyond what the summary says."""
    before, after = change.before, change.after
    if change.kind == "record.matched":
        return ()  # what it found stands in the sentence and among the trial's facts
    if change.kind == "eligibility.criteria_changed":
        return tuple(_criteria(before, after))
    if max(len(str(before)), len(str(after))) <= _IN_THE_SENTENCE:
        return ()
    if _is_text(before) and _is_text(after):
        return (_passage("The text now", before, after),)
    return (*_parts("Before", before), *_parts("Now", after))


def _is_text(value: Json) -> bool:
    return value is None or isinstance(value, str)


def _criteria(before: Json, after: Json) -> Iterator[Detail]:
    """Criteria by section: those removed and added as lists, those reworded each with its words marked."""
    for section in ("inclusion", "exclusion"):
        words = f"{section.capitalize()} criteria"
        yield from _parts(f"{words} removed", _member(before, section, "removed"))
        yield from _parts(f"{words} added", _member(after, section, "added"))
        pairs = zip(_member(before, section, "reworded"), _member(after, section, "reworded"), strict=False)
        for number, (old, new) in enumerate(pairs):
            if number < SHOWN_ITEMS:
                yield _passage(f"{section.capitalize()} criterion reworded", str(old), str(new))


def _member(value: Json, section: str, part: str) -> Sequence[Json]:
    inner = value.get(section) if isinstance(value, Mapping) else None
    found = inner.get(part) if isinstance(inner, Mapping) else None
    return found if isinstance(found, list | tuple) else ()


def _passage(term: str, before: str | None, after: str | None) -> Detail:
    """The newer text with its changes marked; one that only came or went, as it is."""
    if not before or not after:
        return Detail("In full", (Piece("same", one_line(before or after or "", PASSAGE)),))
    found = word_differences(before, after)
    pieces: list[Piece] = []
    while len(pieces) < len(found) and sum(len(piece.text) for piece in pieces) < PASSAGE:
        pieces.append(_shortened(found[len(pieces)].kind, found[len(pieces)].text))
    if len(pieces) < len(found) or any(piece.text.endswith("…") for piece in pieces):
        pieces.append(Piece("left out", " … (the whole text is in the record)"))
    return Detail(term, tuple(pieces))


def _shortened(kind: str, text: str) -> Piece:
    """A run of words; where nothing changed, only its two ends."""
    words = _flowing(text)
    if kind != "same":
        return Piece(kind, clip(words, PASSAGE // 2))
    if len(words) <= 200:
        return Piece(kind, words)
    return Piece(kind, f"{words[:90].rpartition(' ')[0]} … {words[-90:].partition(' ')[2]}")


def _flowing(text: str) -> str:
    """One line, but with the blanks at its ends, which part it from its neighbours."""
    words = one_line(text)
    lead = " " if text[:1].isspace() else ""
    return f"{lead}{words}{' ' if text[-1:].isspace() and words else ''}"


def _parts(term: str, value: Json) -> list[Detail]:
    if isinstance(value, Mapping):
        named = [(f"{term}, {enum_words(str(key))}".replace("_", " "), inner) for key, inner in value.items()]
        return [detail for name, inner in named if inner for detail in _parts(name, inner)]
    items = value if isinstance(value, list | tuple) else [value]
    shown = some([_item(item) for item in items if item not in (None, "", [], {})], SHOWN_ITEMS)
    return [Detail(term, items=shown)] if shown else []


def _item(item: Json) -> str:
    if isinstance(item, Mapping):
        item = "; ".join(f"{key}: {inner}" for key, inner in item.items() if inner)
    elif isinstance(item, list | tuple):
        item = " → ".join(str(inner) for inner in item if inner)
    return one_line(str(item), 400)


def some(texts: Sequence[str], limit: int) -> tuple[str, ...]:
    """The first texts, and how many more there are."""
    if len(texts) <= limit + 1:
        return tuple(texts)
    return (*texts[:limit], f"and {len(texts) - limit} more")
