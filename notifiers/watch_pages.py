"""What is watched, page by page: however many there are, a page costs the same."""

from sqlalchemy import Connection, case, func, select, tuple_

from notifiers.tables import watches
from notifiers.watches import Watch, from_row

Place = tuple[int, str]
"""Where a watch stands in the order: records (0) by id, then searches (1) by name."""


def place(watch: Watch) -> Place:
    """The place of a watch."""
    return (0, watch.record_id) if watch.record_id is not None else (1, watch.name or "")


def page(connection: Connection, group: str | None, after: Place, limit: int) -> list[Watch]:
    """At most so many watches (of a group), those that stand after that place."""
    is_search = case((watches.c.record_id.is_(None), 1), else_=0)
    called = func.coalesce(watches.c.record_id, watches.c.name)
    wanted = select(watches).where(tuple_(is_search, called) > after).order_by(is_search, called).limit(limit)
    if group is not None:
        wanted = wanted.where(watches.c.group_name == group)
    return [from_row(row) for row in connection.execute(wanted)]


def named(connection: Connection, registry: str, name: str) -> Watch | None:
    """The watch of that record's id, or of that name."""
    here = (watches.c.record_id == name) | (watches.c.name == name)
    wanted = select(watches).where(watches.c.registry == registry, here).order_by(watches.c.record_id.is_(None))
    row = connection.execute(wanted).first()
    return from_row(row) if row else None
