"""Which rows of the archive are watched, as a query that others narrow their own by, or as a question to each row."""

from collections.abc import Collection
from typing import Any

from sqlalchemy import ColumnElement, FromClause, Select, Text, and_, cast, exists, or_, select, union

from notifiers.tables import search_members, watches
from snapshots.archive.tables import record_ids, records


def watched_rows(group: str | None = None, but: Collection[int] = ()) -> Select[Any]:
    """The rows of records that are watched, for themselves or because a search has found them, also of those that were
    merged into them; paused watches too. With `group`: those that are watched in it. Where everything is watched, all
    are. `but`: searches (their numbers) that do not count.
    """
    here: list[ColumnElement[bool]] = [watches.c.id.not_in(but)] if but else []
    here += [] if group is None else [watches.c.group_name == group]
    alone = select(watches.c.registry, watches.c.record_id).where(watches.c.record_id.is_not(None), *here)
    found = (
        select(watches.c.registry, search_members.c.record_id)
        .join(search_members, search_members.c.watch_id == watches.c.id)
        .where(~_is_everything(watches), *here)
    )
    named = union(alone, found).subquery()
    same = (record_ids.c.registry == named.c.registry) & (record_ids.c.registry_id == named.c.record_id)
    kept = select(record_ids.c.record).join(named, same)
    absorbed = select(records.c.id).where(records.c.merged_into.in_(kept))
    # one list that is made once: with OR it would be made for each row that is looked at
    everything = select(records.c.id).where(exists().where(_is_everything(watches), *here))
    rows = union(kept, absorbed, everything).subquery()
    return select(rows.c.record)


def is_watched(record: ColumnElement[int]) -> ColumnElement[bool]:
    """Whether the record of a row (`record` holds its number) is one of all `watched_rows`: some looks into indexes,
    where there are few rows and their list would be as long as the watchlist.
    """
    gone = records.alias()
    absorbed = select(gone.c.id).where(gone.c.id == record, _is_named(gone.c.merged_into)).correlate_except(gone)
    everything = and_(record.is_not(None), exists().where(_is_everything(watches)))
    return or_(_is_named(record), absorbed.exists(), everything)


def _is_named(record: ColumnElement[int]) -> ColumnElement[bool]:
    """Whether an id of the record is watched. One look inside the other: in one, SQLite would begin with the watches,
    and go through all of them for each row.
    """
    known, alone, search = record_ids.alias(), watches.alias(), watches.alias()
    is_alone = select(alone.c.id).where(alone.c.registry == known.c.registry, alone.c.record_id == known.c.registry_id)
    is_search = select(search.c.id).where(
        search.c.id == search_members.c.watch_id, search.c.registry == known.c.registry, ~_is_everything(search)
    )
    is_found = select(search_members.c.watch_id).where(
        search_members.c.record_id == known.c.registry_id, is_search.correlate_except(search).exists()
    )
    ids = select(known.c.record).where(
        known.c.record == record,
        or_(is_alone.correlate_except(alone).exists(), is_found.correlate_except(search_members).exists()),
    )
    return ids.correlate_except(known).exists()


def _is_everything(watch: FromClause) -> ColumnElement[bool]:
    return and_(watch.c.search.is_not(None), cast(watch.c.search, Text) == "{}")
