"""How each watch stands, many at once: a few questions for a whole page of a watchlist, whatever its length."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any, Literal

from msgspec import Struct
from sqlalchemy import ColumnElement, Connection, Integer, Select, and_, case, exists, func, literal, or_, select

from notifiers import outlook, watches
from notifiers.news import CAUSES, FIRST_SEEN
from notifiers.outlook import NextDate, Parse
from notifiers.tables import search_members
from notifiers.tables import watches as watch_rows
from notifiers.watches import Watch
from snapshots import archive
from snapshots.archive import Confirmation, OpenException
from snapshots.archive.confirming import Watched, all_last_confirmed
from snapshots.archive.tables import changes as change_rows
from snapshots.archive.tables import record_ids, records, sweep_exceptions
from snapshots.archive.tables import steps as step_rows
from snapshots.kinds import SEVERITIES

State = Literal["watched", "waiting", "paused", "snoozed", "trouble"]
AT_ONCE = 1000
STATES: tuple[State, ...] = ("watched", "waiting", "paused", "snoozed", "trouble")


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


class LastChange(Struct, frozen=True):
    """The newest moment at which something changed: the most severe change of it. `observed_at` is aware UTC."""

    kind: str
    severity: str
    release: str | None
    observed_at: datetime


class Standing(Struct, frozen=True, kw_only=True):
    """A watch and how it stands. `record_id` is the record's id of today, another than the watch's where the registry
    merged it; `status` is the recruitment status as the registry writes it. Of a search: `finds` records now,
    `found_ever` in all. What is not known is None.
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
    asked = [Watched(one.record_id, one.asked_since, one.asked_until) for one in listed if one.record_id in stored]
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
        )

    return [standing(one) for one in listed]


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
    open_end = and_(of.snooze_until.is_(None), of.snooze_until_critical.is_(True))
    snoozed = or_(func.coalesce(of.snooze_until > now, False), open_end)
    calm, awake = ~trouble, of.paused.is_(False)
    return {
        "trouble": trouble,
        "paused": and_(calm, of.paused),
        "snoozed": and_(calm, awake, snoozed),
        "waiting": and_(calm, awake, ~snoozed, of.baseline_sweep.is_(None)),
        "watched": and_(calm, awake, ~snoozed, of.baseline_sweep.is_not(None)),
    }[state]


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
