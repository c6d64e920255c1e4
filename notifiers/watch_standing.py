"""How each watch stands, many at once: a few questions for a whole page of a watchlist, whatever its length."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any, Literal

from msgspec import Struct
from sqlalchemy import Connection, and_, case, exists, func, select

from notifiers import outlook
from notifiers.news import CAUSES, FIRST_SEEN
from notifiers.outlook import NextDate, Parse
from notifiers.tables import search_members
from notifiers.tables import watches as watch_rows
from notifiers.watches import Watch
from snapshots import archive
from snapshots.archive import Confirmation, OpenException
from snapshots.archive.confirming import Watched, all_last_confirmed
from snapshots.archive.tables import changes as change_rows
from snapshots.archive.tables import record_ids, records
from snapshots.archive.tables import steps as step_rows
from snapshots.kinds import SEVERITIES

State = Literal["watched", "waiting", "paused", "snoozed", "trouble"]
AT_ONCE = 1000


class LastChange(Struct, frozen=True):
    """The newest moment at which something changed: the most severe change of it. `observed_at` is aware UTC."""

    kind: str
    severity: str
    release: str | None
    observed_at: datetime


class Standing(Struct, frozen=True, kw_only=True):
    """A watch and how it stands. `record_id` is the record's id of today, another than the watch's where the registry
    merged it; `status` is the recruitment status as the registry writes it. Of a search: `finds` records now,
    `found_ever` in all. `is_still_asked_for`: the watch is paused, and a search that is not has found its record, which
    is looked at and confirmed all the same. What is not known is None.
    """

    watch: Watch
    state: State
    record_id: str | None = None
    title: str | None = None
    status: str | None = None
    next_date: NextDate | None = None
    last_change: LastChange | None = None
    confirmed: Confirmation | None = None
    trouble: OpenException | None = None
    finds: int | None = None
    found_ever: int | None = None
    is_still_asked_for: bool = False


class Counts(Struct, frozen=True):
    """How many records are watched by their ids, how many of these wait for the first answer, how many searches there
    are and how many records only they find. Paused ones count too.
    """

    records: int
    waiting: int
    searches: int
    found: int

    @property
    def is_empty(self) -> bool:
        return not self.records and not self.searches


def counts(connection: Connection) -> Counts:
    """What is watched, in numbers."""
    is_record = watch_rows.c.record_id.is_not(None)
    waits = and_(is_record, watch_rows.c.baseline_sweep.is_(None), watch_rows.c.paused.is_(False))
    sums = [func.coalesce(func.sum(case((each, 1), else_=0)), 0) for each in (is_record, waits, ~is_record)]
    alone = select(watch_rows.c.record_id).where(is_record)
    members = select(func.count(search_members.c.record_id.distinct())).where(
        search_members.c.record_id.not_in(alone), search_members.c.is_found.is_(True)
    )
    records_, waiting, searches = connection.execute(select(*sums)).one()
    return Counts(records_, waiting, searches, connection.execute(members).scalar_one())


def standings(
    connection: Connection,
    registry: str,
    listed: Sequence[Watch],
    now: datetime,
    parse: Mapping[str, Parse] | None = None,
) -> list[Standing]:
    """How these watches stand, in their order. Without `parse` their status and next date are left out."""
    batches = (listed[start : start + AT_ONCE] for start in range(0, len(listed), AT_ONCE))
    return [one for batch in batches for one in _standings(connection, registry, batch, now, parse)]


def _standings(
    connection: Connection, registry: str, listed: Sequence[Watch], now: datetime, parse: Mapping[str, Parse] | None
) -> list[Standing]:
    stored = _stored(connection, registry, [watch.record_id for watch in listed if watch.record_id])
    troubles = {each.registry_id: each for each in archive.open_exceptions(connection, registry)}
    still = _asked_by_searches(connection, stored, [one.record_id for one in listed if one.record_id and one.paused])
    asked = [
        Watched(one.record_id, still[one.record_id])
        if one.record_id in still
        else Watched(one.record_id, one.asked_since, one.asked_until)
        for one in listed
        if one.record_id in stored
    ]
    confirmed = all_last_confirmed(connection, registry, asked)
    last = _last_changes(connection, [row.record for row in stored.values()])
    heads = {row.head_version: registry for row in stored.values() if row.head_version is not None}
    facts = outlook.facts_of(connection, parse, heads) if parse is not None else {}
    finds = _finds(connection, [watch.id for watch in listed if watch.search is not None])

    def standing(one: Watch) -> Standing:
        row = stored.get(one.record_id or "")
        known = facts.get(row.head_version) if row else None
        trouble = troubles.get(one.called)
        now_found, ever = finds.get(one.id, (0, 0)) if one.search is not None else (None, None)
        return Standing(
            watch=one,
            state="trouble" if trouble else one.state(now),
            record_id=row.today if row else None,
            title=row.title if row else None,
            status=known.status if known else None,
            next_date=outlook.next_date(known.dates, now.date()) if known else None,
            last_change=last.get(row.record) if row else None,
            confirmed=confirmed.get(one.record_id or ""),
            trouble=trouble,
            finds=now_found,
            found_ever=ever,
            is_still_asked_for=one.record_id in still,
        )

    return [standing(one) for one in listed]


def _stored(connection: Connection, registry: str, ids: Sequence[str]) -> dict[str, Any]:
    wanted = (
        select(
            record_ids.c.registry_id,
            record_ids.c.record,
            records.c.registry_id.label("today"),
            records.c.title,
            records.c.head_version,
        )
        .join(records, records.c.id == record_ids.c.record)
        .where(record_ids.c.registry == registry, record_ids.c.registry_id.in_(ids))
    )
    return {row.registry_id: row for row in connection.execute(wanted)}


def _asked_by_searches(
    connection: Connection, stored: Mapping[str, Any], paused: Collection[str]
) -> dict[str, datetime]:
    """Those of the paused ids whose records a search that is not paused has found, and since when it asks for them."""
    if not paused:
        return {}
    today = {stored[each].today if each in stored else each: each for each in paused}
    names = {**today, **{each: each for each in paused}}
    since = func.coalesce(watch_rows.c.asked_since, watch_rows.c.created_at)
    wanted = (
        select(search_members.c.record_id, since)
        .join(watch_rows, watch_rows.c.id == search_members.c.watch_id)
        .where(search_members.c.record_id.in_(list(names)), watch_rows.c.paused.is_(False))
        .order_by(since.desc())
    )
    return {names[row[0]]: row[1] for row in connection.execute(wanted)}


def _last_changes(connection: Connection, numbers: Collection[int]) -> dict[int, LastChange]:
    of = step_rows.c
    is_news = exists().where(change_rows.c.step == of.id, change_rows.c.kind != FIRST_SEEN)
    newest = (
        select(func.max(of.id).label("id"))
        .where(of.record.in_(numbers), of.cause.in_(CAUSES), of.superseded_by.is_(None), is_news)
        .group_by(of.record)
        .subquery()
    )
    told = (
        select(of.record, change_rows.c.kind, change_rows.c.severity, of.release, of.observed_at)
        .join(newest, newest.c.id == of.id)
        .join(change_rows, change_rows.c.step == of.id)
        .where(change_rows.c.kind != FIRST_SEEN)
        .order_by(of.record, change_rows.c.position)
    )
    found: dict[int, LastChange] = {}
    for record, *said in connection.execute(told):
        one = LastChange(*said)
        known = found.get(record)
        if known is None or SEVERITIES.index(one.severity) < SEVERITIES.index(known.severity):
            found[record] = one
    return found


def _finds(connection: Connection, numbers: Sequence[int]) -> dict[int, tuple[int, int]]:
    now = func.sum(case((search_members.c.is_found, 1), else_=0))
    wanted = select(search_members.c.watch_id, now, func.count()).where(search_members.c.watch_id.in_(numbers))
    rows = connection.execute(wanted.group_by(search_members.c.watch_id))
    return {number: (found, ever) for number, found, ever in rows}
