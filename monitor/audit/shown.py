"""One change as a page shows it: what is said of it, then its values, short ones in a line, longer side by side."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import zip_longest
from typing import Any

from msgspec import Struct

from snapshots.archive import StoredChange
from snapshots.changes import Change
from snapshots.prose import SECTIONS, Piece, word_differences
from snapshots.sentences import beside_label

Json = Any


class Pair(Struct, frozen=True):
    """Two texts side by side, the words that differ marked; `term` says which part of the record, "" for the whole."""

    term: str
    before: tuple[Piece, ...]
    after: tuple[Piece, ...]


class Shown(Struct, frozen=True, kw_only=True):
    """One change: what is said of it, then its values: short ones in one line, longer ones side by side."""

    id: int
    severity: str
    label: str
    summary: str
    path: str
    values: str
    pairs: tuple[Pair, ...]


def shown(stored: StoredChange) -> Shown:
    """The change as a page shows it; nothing in it is markup."""
    change = stored.change
    short = _short(change.before), _short(change.after)
    is_short = None not in short and change.kind != "eligibility.criteria_changed"
    return Shown(
        id=stored.id,
        severity=change.severity,
        label=change.label,
        summary=beside_label(change.label, change.summary),
        path=change.path or "",
        values=f"{short[0] or '–'} → {short[1] or '–'}" if is_short and any(short) else "",
        # of a record that was submitted again the sentence says all
        pairs=() if is_short or change.kind == "record.verified" else tuple(_pairs(change)),
    )


_SHORT = 60


def _short(value: Json) -> str | None:
    """The value where it fits a line, "" for none; None where it is longer."""
    lines = list(_value_lines(value))
    words = ", ".join(lines)
    return words if len(lines) <= 2 and len(words) <= _SHORT else None


def _pairs(change: Change) -> Iterator[Pair]:
    if change.kind == "eligibility.criteria_changed":
        yield from _criteria(change.before, change.after)
    else:
        yield pair("", *("\n".join(_value_lines(value)) for value in (change.before, change.after)))


def _criteria(before: Json, after: Json) -> Iterator[Pair]:
    """One pair for each criterion."""
    for section in SECTIONS:
        old, new = (value.get(section) or {} if isinstance(value, Mapping) else {} for value in (before, after))
        name = f"{section.capitalize()} criterion"
        yield from (pair(f"{name} removed", text, "") for text in old.get("removed", ()))
        yield from (pair(f"{name} added", "", text) for text in new.get("added", ()))
        for one, other in zip_longest(old.get("reworded", ()), new.get("reworded", ()), fillvalue=""):
            yield pair(f"{name} reworded", one, other)


def pair(term: str, before: str, after: str) -> Pair:
    """Two texts side by side, the words that differ marked."""
    pieces = word_differences(before, after)
    sides = ([piece for piece in pieces if piece.kind != other] for other in ("added", "removed"))
    return Pair(term, *(tuple(_trimmed(side)) for side in sides))


def _trimmed(side: Sequence[Piece]) -> Iterator[Piece]:
    """Without the line's end at the end, which would show as an empty line."""
    for number, piece in enumerate(side, start=1):
        yield Piece(piece.kind, piece.text.rstrip()) if number == len(side) else piece


def _value_lines(value: Json, name: str = "") -> Iterator[str]:
    """Any JSON value as lines of text, inner names before their values."""
    if value is None or value in ("", [], {}):
        return
    if isinstance(value, Mapping):
        for key, inner in value.items():
            yield from _value_lines(inner, f"{name}{key}: ")
    elif isinstance(value, Sequence) and not isinstance(value, str):
        for inner in value:
            yield from _value_lines(inner, name)
    else:
        yield f"{name}{_plain(value)}"


def _plain(value: Json) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return str(value)
