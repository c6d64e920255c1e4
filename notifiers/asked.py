"""When did sweeps ask for a record, and under which of its ids? What was paused is not asked for."""

from collections.abc import Collection
from datetime import datetime

from msgspec import Struct
from sqlalchemy import Connection, literal, select

from notifiers.tables import search_members, watches


class Window(Struct, frozen=True):
    """A time in which sweeps asked for a record under this id; aware UTC, `until` None: they still do."""

    record_id: str
    since: datetime
    until: datetime | None


def windows(connection: Connection, registry: str, ids: Collection[str]) -> list[Window]:
    """The times in which these ids were asked for, by watches of theirs and by searches that have found them. When a
    watch that is gone ended nobody has written down.
    """
    fields = (watches.c.asked_since, watches.c.created_at, watches.c.asked_until)
    here = watches.c.registry == literal(registry)
    own = select(watches.c.record_id, *fields).where(here, watches.c.record_id.in_(list(ids)))
    found = select(search_members.c.record_id, *fields).join(watches, watches.c.id == search_members.c.watch_id)
    rows = [*connection.execute(own), *connection.execute(found.where(here, search_members.c.record_id.in_(list(ids))))]
    all_of_them = [Window(row.record_id, row.asked_since or row.created_at, row.asked_until) for row in rows]
    return [each for each in all_of_them if each.until is None or each.until > each.since]
