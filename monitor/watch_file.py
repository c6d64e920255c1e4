"""A file of what to watch: the ids that stand in it, the group and note that it gives each, and keeping them."""

import re
from collections.abc import Sequence
from datetime import datetime

from msgspec import Struct
from sqlalchemy import Connection

from monitor.lengths import too_long
from monitor.wiring import REGISTRY
from notifiers import many_watches
from notifiers.watches import Watch, Wish
from snapshots.registries.ctgov.ids import normalise

FILE_LIMIT = 2 * 1024 * 1024
COLUMNS = "id, group, note"
_ID_NAMES = {"nct id": "id", "nct number": "id", "nct": "id", "nctid": "id", "trial": "id", "record": "id"}
_READ = ("id", "group", "note", "search")
_SEPARATORS = re.compile(r"[,;\t]")


class Line(Struct, frozen=True):
    """A line of a file: its number there, the id, and what it says of it ("" where it says nothing)."""

    number: int
    id: str
    group: str
    note: str


class Kept(Struct, frozen=True):
    """The ids that are watched now and were not; those that were; and of these the ones that say something else now."""

    added: tuple[str, ...]
    already: tuple[str, ...]
    changed: tuple[str, ...]


def lines_of(rows: Sequence[Sequence[str]]) -> tuple[list[Line], list[tuple[int, str]]]:
    """The lines with an id, each id once, and those with something else: number and why. Empty lines, lines that begin
    with #, a heading and the searches of an export are passed over. A heading says which column holds what; without
    one the id stands first and nothing else is read.
    """
    columns, begin = _columns(rows)
    lines: dict[str, Line] = {}
    wrong: list[tuple[int, str]] = []
    for number, row in enumerate(rows[begin:], start=begin + 1):
        said = {name: row[at] if at < len(row) else "" for name, at in columns.items()}
        # an export has a line for each search, too: those have no id
        if _says_nothing(row) or (not said["id"] and said.get("search")):
            continue
        try:
            record = _id(said["id"])
        except ValueError as error:
            wrong.append((number, str(error)))
            continue
        wrong += [(number, f"{name}: {why}") for name, why in too_long(said).items()]
        lines.setdefault(record, Line(number, record, said.get("group", ""), said.get("note", "")))
    return list(lines.values()), wrong


def wishes_of(lines: Sequence[Line], group: str | None) -> list[Wish]:
    """What these lines ask for; `group` is for those that name none."""
    return [
        Wish(registry=REGISTRY, record_id=line.id, group=line.group or group or None, note=line.note or None)
        for line in lines
    ]


def keep(connection: Connection, wishes: Sequence[Wish], now: datetime, *, renew: bool = False) -> Kept:
    """Watch records. What is watched already stays as it is; with `renew` it is given the group and note of its wish,
    where that has any.
    """
    asked = {wish.record_id: wish for wish in wishes if wish.record_id is not None}
    known = many_watches.of_ids(connection, REGISTRY, list(asked))
    added = [wish for each, wish in asked.items() if each not in known]
    already = tuple(each for each in asked if each in known)
    many_watches.add(connection, added, now)
    words = {each: _words(asked[each], known[each]) for each in already if renew}
    changed = {each: said for each, said in words.items() if said != (known[each].group, known[each].note)}
    many_watches.reword(connection, {known[each].id: said for each, said in changed.items()})
    return Kept(tuple(wish.record_id or "" for wish in added), already, tuple(changed))


def _words(wish: Wish, watch: Watch) -> tuple[str | None, str | None]:
    """The group and note of a wish, of a watch where the wish has none."""
    return wish.group or watch.group, wish.note or watch.note


def _id(cell: str) -> str:
    """The id in a cell, of a line that another mark may separate than the first. Raises ValueError."""
    return normalise(_SEPARATORS.split(cell)[0].strip())


def _columns(rows: Sequence[Sequence[str]]) -> tuple[dict[str, int], int]:
    """Which column holds what, and where the lines begin."""
    begin = next((at for at, row in enumerate(rows) if not _says_nothing(row)), None)
    if begin is None:
        return {"id": 0}, 0
    if _is_heading(rows[begin]):
        return {"id": 0, **_named(rows[begin])}, begin + 1
    # the first column may be one of numbers, called "#": then the heading begins as a comment does
    above = _named(rows[begin - 1]) if begin else {}
    has_id = "id" in above and above["id"] < len(rows[begin]) and _is_id(rows[begin][above["id"]])
    return above if has_id else {"id": 0}, begin


def _says_nothing(row: Sequence[str]) -> bool:
    """Whether a line is empty or a comment."""
    return not any(cell.strip(",;\t") for cell in row) or row[0].startswith("#")


def _named(cells: Sequence[str]) -> dict[str, int]:
    """The columns that are read, by what a heading calls them; of two alike the first."""
    names = [cell.casefold().lstrip("# ") for cell in cells]
    known = {_ID_NAMES.get(name, name): at for at, name in reversed(list(enumerate(names)))}
    return {name: at for name, at in known.items() if name in _READ}


def _is_heading(cells: Sequence[str]) -> bool:
    """Whether a first line names columns: a column may be called “Phase 2”, but no id stands in the line."""
    return not any(map(str.isdigit, cells[0])) and not any(_is_id(cell) for cell in cells)


def _is_id(cell: str) -> bool:
    try:
        _id(cell)
    except ValueError:
        return False
    return True
