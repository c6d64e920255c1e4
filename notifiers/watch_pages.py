"""Which watches are wanted, page by page: however many there are, a page costs the same."""

from datetime import datetime
from typing import Any

from msgspec import Struct
from sqlalchemy import ColumnElement, Connection, Integer, Select, and_, case, exists, func, literal, or_, select

from notifiers import scope, watches
from notifiers.tables import watches as watch_rows
from notifiers.watches import Watch, from_row
from snapshots.archive.tables import record_ids, records, sweep_exceptions

STATES = ("watched", "waiting", "paused", "snoozed", "trouble")
"""The states that watches can be asked for by."""


class Wanted(Struct, frozen=True, kw_only=True):
    """Which watches: of a group ("": of none; None: any), in a state, with these words in id, title, name or note."""

    group: str | None = None
    state: str | None = None
    words: str = ""


class Place(Struct, frozen=True):
    """Where a page ends: whether it is among the searches, the id or name, the watch's number."""

    is_search: int
    name: str
    id: int


def page(  # noqa: PLR0917 - what is wanted, from where, how much, as of now
    connection: Connection, registry: str, wanted: Wanted, after: Place | None, limit: int, now: datetime
) -> tuple[list[Watch], Place | None]:
    """At most `limit` watches, records by id, then searches by name; and where the next page begins."""
    is_search, name, number = _order()
    found = _wanted(registry, wanted, now).order_by(is_search, name, number).limit(limit + 1)
    if after is not None:
        later = or_(
            is_search > after.is_search,
            and_(is_search == after.is_search, name > after.name),
            and_(is_search == after.is_search, name == after.name, number > after.id),
        )
        found = found.where(later)
    rows = connection.execute(found).all()
    shown = watches.numbered(connection, [row.id for row in rows[:limit]])
    last = rows[limit - 1] if len(rows) > limit else None
    return [shown[row.id] for row in rows[:limit]], Place(last.is_search, last.name, last.id) if last else None


def how_many(connection: Connection, registry: str, wanted: Wanted, now: datetime) -> int:
    """How many watches are wanted."""
    found = _wanted(registry, wanted, now).subquery()
    return connection.execute(select(func.count()).select_from(found)).scalar_one()


def named(connection: Connection, registry: str, name: str) -> Watch | None:
    """The watch of that record's id, else of that name."""
    here = (watch_rows.c.record_id == name) | (watch_rows.c.name == name)
    found = select(watch_rows).where(watch_rows.c.registry == registry, here)
    is_other = case((watch_rows.c.record_id == name, 0), else_=1)
    row = connection.execute(found.order_by(is_other)).first()
    return from_row(row) if row else None


def _order() -> tuple[ColumnElement[int], ColumnElement[str], ColumnElement[int]]:
    is_search = case((watch_rows.c.record_id.is_(None), 1), else_=0).cast(Integer)
    return is_search, func.coalesce(watch_rows.c.record_id, watch_rows.c.name), watch_rows.c.id


def _wanted(registry: str, wanted: Wanted, now: datetime) -> Select[Any]:
    is_search, name, number = _order()
    same = and_(record_ids.c.registry == watch_rows.c.registry, record_ids.c.registry_id == watch_rows.c.record_id)
    found: Any = select(number, is_search.label("is_search"), name.label("name")).where(
        watch_rows.c.registry == registry
    )
    if wanted.words:
        joined = watch_rows.outerjoin(record_ids, same).outerjoin(records, records.c.id == record_ids.c.record)
        found = found.select_from(joined).where(*(_says(word) for word in wanted.words.split()))
    if wanted.group is not None:
        found = found.where(func.coalesce(watch_rows.c.group_name, "") == wanted.group)
    narrowed: Select[Any] = found if wanted.state is None else found.where(_is(wanted.state, now))
    return narrowed


def _says(word: str) -> ColumnElement[bool]:
    places = (watch_rows.c.record_id, watch_rows.c.name, watch_rows.c.note, records.c.title)
    return or_(*(place.icontains(word, autoescape=True) for place in places))


def _is(state: str, now: datetime) -> ColumnElement[bool]:
    of = watch_rows.c
    called = func.coalesce(of.record_id, literal("search ").concat(of.name))
    trouble = exists().where(sweep_exceptions.c.settled_by.is_(None), sweep_exceptions.c.registry_id == called)
    snoozed = scope.is_snoozed(now)
    calm, awake = ~trouble, of.paused.is_(False)
    return {
        "trouble": trouble,
        "paused": and_(calm, of.paused),
        "snoozed": and_(calm, awake, snoozed),
        "waiting": and_(calm, awake, ~snoozed, of.baseline_sweep.is_(None)),
        "watched": and_(calm, awake, ~snoozed, of.baseline_sweep.is_not(None)),
    }[state]
