"""What of all that is watched a subscription is about, asked so that the cost follows the answer, not the watchlist."""

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import ColumnElement, Connection, Select, func, or_, select, union, union_all

from notifiers import search_members, subscriptions, watches
from notifiers.subscriptions import Selection
from notifiers.tables import search_members as member_rows
from notifiers.tables import watches as watch_rows
from notifiers.watches import Watch, WatchedRecord
from snapshots.archive.tables import record_ids, records, sweep_exceptions, sweeps

IDS_AT_ONCE = 5000
Chosen = Literal["all"] | Selection


def named(selection: Chosen, but: Collection[int] = ()) -> Iterator[Select[Any]]:
    """Queries for the registry and id of every record that is watched, not paused, and selected; no record is in two
    of them. What only the searches (their numbers) in `but` have found is left out.
    """
    here = [watch_rows.c.id.not_in(but)] if but else []
    if isinstance(selection, str):
        yield _union(*here)
    elif selection.ids is not None:
        ids = sorted(set(selection.ids))
        for start in range(0, len(ids), IDS_AT_ONCE):
            yield _union(*here, ids=ids[start : start + IDS_AT_ONCE])
    elif selection.search is not None:
        yield _found(*here, watch_rows.c.name == selection.search, member_rows.c.is_found.is_(True))
    else:
        yield _union(*here, watch_rows.c.group_name == selection.group)


def how_many(connection: Connection, selection: Chosen) -> dict[str, int]:
    """How many records are selected, by registry; registries of which there is none are left out."""
    counts: Counter[str] = Counter()
    for query in named(selection):
        of = query.subquery()
        counted = select(of.c.registry, func.count()).group_by(of.c.registry)
        counts.update({row[0]: row[1] for row in connection.execute(counted)})
    return dict(counts)


def watched(connection: Connection, ids: Iterable[str]) -> set[str]:
    """Those of these ids that are watched, for themselves or because a search has found them; paused ones too."""
    asked, found = sorted(set(ids)), set[str]()
    for start in range(0, len(asked), IDS_AT_ONCE):
        some = asked[start : start + IDS_AT_ONCE]
        for of in (watch_rows.c.record_id, member_rows.c.record_id):
            found.update(connection.execute(select(of).where(of.in_(some))).scalars())
    return found


def watching(connection: Connection, selection: Chosen, *which: ColumnElement[bool]) -> list[Watch]:
    """Those of the watches of which this is true, and which are not paused, that are watching a selected record; in
    order of the first one.
    """
    own, found = _own(*which, also=[watch_rows.c.id]), _found(*which, also=[watch_rows.c.id])
    keys = union_all(own, found).subquery()
    firsts: dict[int, tuple[str, str]] = {}
    for query in named(selection):
        of = query.subquery()
        same = (keys.c.registry == of.c.registry) & (keys.c.record_id == of.c.record_id)
        wanted = select(keys.c.id, keys.c.registry, func.min(keys.c.record_id)).join(of, same)
        for number, *key in connection.execute(wanted.group_by(keys.c.id, keys.c.registry)):
            firsts[number] = min(firsts.get(number, (key[0], key[1])), (key[0], key[1]))
    listed = watches.numbered(connection, firsts).values() if firsts else ()
    return sorted(listed, key=lambda watch: (firsts[watch.id], watch.record_id is None, watch.id))


def is_snoozed(now: datetime) -> ColumnElement[bool]:
    """Whether a watch is snoozed."""
    ends, is_open = watch_rows.c.snooze_until, watch_rows.c.snooze_until_critical.is_(True)
    return or_(func.coalesce(ends > now, False), ends.is_(None) & is_open)


def unanswered(connection: Connection) -> list[WatchedRecord]:
    """The records that may have no answer: whose last asking brought none, or one of whose watches had none yet. What
    only searches that are too broad to be gone through have found does not wait by itself.
    """
    troubled = (
        select(sweeps.c.registry, sweep_exceptions.c.registry_id)
        .join(sweep_exceptions, sweep_exceptions.c.sweep == sweeps.c.id)
        .where(sweep_exceptions.c.settled_by.is_(None))
    )
    narrow = watch_rows.c.id.not_in(search_members.broad(connection))
    wait = _union(watch_rows.c.baseline_sweep.is_(None), narrow)
    return _records(connection, [tuple(row) for query in (troubled, wait) for row in connection.execute(query)])


def asleep(connection: Connection, ids: Iterable[str], now: datetime) -> set[str]:
    """Those of these records (by their ids, as steps know them) whose watches are all snoozed, under today's id or a
    former one.
    """
    asked = sorted(set(ids))
    snoozed = select(watch_rows.c.id).where(watch_rows.c.paused.is_(False), is_snoozed(now)).limit(1)
    if not asked or connection.execute(snoozed).first() is None:
        return set()
    return {each for start in range(0, len(asked), IDS_AT_ONCE)
            for each in _asleep(connection, asked[start : start + IDS_AT_ONCE], now)}  # fmt: skip


def selected(found: Iterable[WatchedRecord], selection: Chosen) -> list[WatchedRecord]:
    """Those of these records that are selected."""
    return [one for one in found if subscriptions.selects(selection, [one.record_id], one.groups, one.searches)]


def _asleep(connection: Connection, ids: Sequence[str], now: datetime) -> set[str]:
    same = (
        select(record_ids.c.registry_id, records.c.registry_id.label("today"))
        .join(records, records.c.id == record_ids.c.record)
        .where(records.c.registry_id.in_(ids))
    )
    pairs = {(row.registry_id, row.today) for row in connection.execute(same)} | {(each, each) for each in ids}
    among = _among(connection, sorted({former for former, _ in pairs}))
    sleeping = {record.record_id for record in among if record.is_snoozed(now)}
    return {today for former, today in pairs if former in sleeping}


def _union(*which: ColumnElement[bool], ids: Sequence[str] | None = None) -> Any:
    """Registry and id of the records watched by those of the watches that are not paused of which this is true."""
    alone, found = _own(*which), _found(*which)
    if ids is not None:
        alone, found = alone.where(watch_rows.c.record_id.in_(ids)), found.where(member_rows.c.record_id.in_(ids))
    return union(alone, found)


def _own(*which: ColumnElement[bool], also: Iterable[ColumnElement[Any]] = ()) -> Select[Any]:
    of = select(*also, watch_rows.c.registry, watch_rows.c.record_id.label("record_id"))
    return of.where(watch_rows.c.record_id.is_not(None), watch_rows.c.paused.is_(False), *which)


def _found(*which: ColumnElement[bool], also: Iterable[ColumnElement[Any]] = ()) -> Select[Any]:
    of = select(*also, watch_rows.c.registry, member_rows.c.record_id)
    joined = of.join(member_rows, member_rows.c.watch_id == watch_rows.c.id)
    return joined.where(watch_rows.c.paused.is_(False), *which)


def _records(connection: Connection, keys: Iterable[tuple[str, str]]) -> list[WatchedRecord]:
    """Those of these records that are watched and not paused, in order."""
    wanted = set(keys)
    ids = sorted({record_id for _, record_id in wanted})
    batches = (ids[start : start + IDS_AT_ONCE] for start in range(0, len(ids), IDS_AT_ONCE))
    found = [one for batch in batches for one in _among(connection, batch)]
    return sorted((one for one in found if (one.registry, one.record_id) in wanted), key=_order)


def _order(record: WatchedRecord) -> tuple[str, str]:
    return record.registry, record.record_id


def _among(connection: Connection, ids: Sequence[str]) -> list[WatchedRecord]:
    member = member_rows.c.record_id.in_(ids)
    finding = watch_rows.c.id.in_(select(member_rows.c.watch_id).where(member))
    rows = connection.execute(select(watch_rows).where(or_(watch_rows.c.record_id.in_(ids), finding)))
    return watches.records(connection, watches.in_order(map(watches.from_row, rows)), member)
