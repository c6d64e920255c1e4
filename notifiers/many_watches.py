"""Many records at once: which of them are watched already, watching others, and giving many another group and note."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, bindparam, insert, select, update

from notifiers.tables import watches
from notifiers.watches import BATCH, Watch, Wish, from_row, new_row

WRITTEN = 5000
"""Rows that are handed to the database at once."""


def of_ids(connection: Connection, registry: str, ids: Sequence[str]) -> dict[str, Watch]:
    """The watches of these records themselves, by id."""
    here = select(watches).where(watches.c.registry == registry)
    # for many, one look at the whole list costs less than a search for each part of them
    here = here.where(watches.c.record_id.in_(ids) if len(ids) <= BATCH else watches.c.record_id.is_not(None))
    asked = set(ids)
    return {row.record_id: from_row(row) for row in connection.execute(here) if row.record_id in asked}


def add(connection: Connection, wishes: Sequence[Wish], now: datetime) -> None:
    """Watch records of which none is watched yet, and none asked for twice."""
    for batch in _batches(wishes, WRITTEN):
        connection.execute(insert(watches), [new_row(wish, now) for wish in batch])


def reword(connection: Connection, words: Mapping[int, tuple[str | None, str | None]]) -> None:
    """Give watches, by their numbers, another group and note."""
    said = update(watches).values(group_name=bindparam("group"), note=bindparam("words"))
    said = said.where(watches.c.id == bindparam("watch"))
    rows = [{"watch": number, "group": group, "words": note} for number, (group, note) in words.items()]
    for batch in _batches(rows, WRITTEN):
        connection.execute(said, batch)


def _batches(items: Sequence[Any], size: int) -> Iterable[Any]:
    return (items[start : start + size] for start in range(0, len(items), size))
