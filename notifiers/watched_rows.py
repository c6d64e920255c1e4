"""Which rows of the archive are watched, as a query that others narrow their own by."""

from collections.abc import Collection
from typing import Any

from sqlalchemy import ColumnElement, Select, Text, and_, cast, exists, select, union

from notifiers.tables import search_members, watches
from snapshots.archive.tables import record_ids, records


def watched_rows(group: str | None = None, but: Collection[int] = ()) -> Select[Any]:
    """The rows of records that are watched, for themselves or because a search has found them, also of those that were
    merged into them; paused watches too. With `group`: those that are watched in it. Where everything is watched, all
    are. `but`: searches (their numbers) that do not count.
    """
    here: list[ColumnElement[bool]] = [watches.c.id.not_in(but)] if but else []
    here += [] if group is None else [watches.c.group_name == group]
    is_everything = and_(watches.c.search.is_not(None), cast(watches.c.search, Text) == "{}")
    alone = select(watches.c.registry, watches.c.record_id).where(watches.c.record_id.is_not(None), *here)
    found = (
        select(watches.c.registry, search_members.c.record_id)
        .join(search_members, search_members.c.watch_id == watches.c.id)
        .where(~is_everything, *here)
    )
    named = union(alone, found).subquery()
    same = (record_ids.c.registry == named.c.registry) & (record_ids.c.registry_id == named.c.record_id)
    kept = select(record_ids.c.record).join(named, same)
    absorbed = select(records.c.id).where(records.c.merged_into.in_(kept))
    # one list that is made once: with OR it would be made for each row that is looked at
    everything = select(records.c.id).where(exists().where(is_everything, *here))
    rows = union(kept, absorbed, everything).subquery()
    return select(rows.c.record)
