"""What is watched: records by id and saved searches, in groups, with pauses and snoozes."""

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from typing import Any, Literal

from msgspec import Struct
from sqlalchemy import (
    BindParameter,
    ColumnElement,
    Connection,
    Row,
    and_,
    bindparam,
    delete,
    func,
    insert,
    or_,
    select,
    update,
)

from notifiers.silences import Silence
from notifiers.tables import search_members, search_pages, watches
from snapshots.database import UtcDateTime

State = Literal["watched", "waiting", "paused", "snoozed"]

EVERYTHING = "everything"
"""What the search without a condition is called where nobody names it."""

BATCH = 500
"""Ids in one query: SQLite takes 32,766 parameters, other builds of it 999."""


class Watch(Struct, frozen=True, kw_only=True):
    """One thing that is watched: a record (`record_id`, as the registry writes it) or a saved search (`search`, the
    registry's own parameters), never both.

    A paused watch is not asked for. A snoozed one is asked for and its history kept, but until then nothing of it is
    sent; what was observed `waits_from` then on is told at its end, in the digest or in one summary. `baseline_sweep`
    is the sweep in which the registry first answered for it, None before; `searched_release` the release for which it
    last said what a search finds. Sweeps ask for it since `asked_since`, and of a paused one until `asked_until`. Times
    are aware UTC.
    """

    id: int
    registry: str
    record_id: str | None
    search: dict[str, str] | None
    name: str | None
    group: str | None
    note: str | None
    paused: bool
    snooze_until: datetime | None
    created_at: datetime
    baseline_sweep: int | None
    searched_release: str | None = None
    resumed_at: datetime | None = None
    asked_until: datetime | None = None
    snooze_until_critical: bool = False
    silenced_by: str | None = None
    silence_reason: str | None = None
    waits_from: datetime | None = None

    @property
    def silence(self) -> Silence:
        """Its pause or snooze, who said so and why."""
        return Silence(
            paused=self.paused,
            until=self.snooze_until,
            until_critical=self.snooze_until_critical,
            by=self.silenced_by,
            reason=self.silence_reason,
        )

    @property
    def asked_since(self) -> datetime:
        """Since when sweeps ask for it."""
        return self.resumed_at or self.created_at

    @property
    def is_everything(self) -> bool:
        """Whether it is a search without any condition: every record of the registry is watched."""
        return self.search == {}

    @property
    def called(self) -> str:
        """What to call it in a table and in a sentence: the record's id, or "search" and its name."""
        return self.record_id or f"search {self.name}"

    def state(self, now: datetime) -> State:
        """How it stands; "waiting" for the registry's first answer."""
        if self.paused:
            return "paused"
        if self.is_snoozed(now):
            return "snoozed"
        return "watched" if self.baseline_sweep is not None else "waiting"

    def is_snoozed(self, now: datetime) -> bool:
        return self.silence.is_snoozed(now)


Called = str | Watch
"""A watch, or what a person calls it: an id is that record, whatever else has it for a name."""


class WatchedRecord(Struct, frozen=True):
    """A record that is watched, and why: `watches` are those of the record itself and the searches that have ever found
    it, `searches` the names of those that find it now.
    """

    registry: str
    record_id: str
    watches: tuple[Watch, ...]
    searches: tuple[str, ...]

    @property
    def groups(self) -> tuple[str, ...]:
        """The groups it is watched in."""
        return tuple(dict.fromkeys(watch.group for watch in self.watches if watch.group))

    @property
    def is_waiting(self) -> bool:
        """Whether the registry has not answered for it yet."""
        return all(watch.baseline_sweep is None for watch in self.watches)

    def is_snoozed(self, now: datetime) -> bool:
        return all(watch.is_snoozed(now) for watch in self.watches)


class Wish(Struct, frozen=True, kw_only=True):
    """What a person asks to have watched: the id (as the registry writes it) or the search, and what they say of it."""

    registry: str
    record_id: str | None = None
    search: dict[str, str] | None = None
    name: str | None = None
    group: str | None = None
    note: str | None = None
    paused: bool = False
    snooze_until: datetime | None = None
    snooze_until_critical: bool = False
    silenced_by: str | None = None
    silence_reason: str | None = None

    @property
    def called(self) -> str:
        """What to call it in a sentence."""
        return self.record_id or f"search {self.name!r}"


def as_wish(watch: Watch, **said: str | None) -> Wish:
    """What a watch says, as a wish, but for what is `said` anew: `change` then changes only that."""
    names = [name for name in Wish.__struct_fields__ if name not in said]
    return Wish(**{name: getattr(watch, name) for name in names}, **said)  # type: ignore[arg-type]


def add(connection: Connection, wish: Wish, now: datetime) -> bool:
    """Watch it; whether it is new. One that is watched already is left as it is. A search needs a name."""
    if wish.search is not None and not wish.name:
        raise ValueError("a saved search needs a name")
    if find(connection, wish) is not None:
        return False
    connection.execute(insert(watches), new_row(wish, now))
    return True


def change(connection: Connection, wish: Wish, now: datetime) -> bool:
    """Let a watch say all that `wish` says; whether it is there. A search with other parameters begins anew: what it
    finds first is its baseline.
    """
    known = find(connection, wish)
    if known is None:
        return False
    anew: dict[str, Any] = {"baseline_sweep": None, "searched_release": None} if known.search != wish.search else {}
    if anew:
        connection.execute(delete(search_pages).filter_by(watch_id=known.id))
    if known.paused != wish.paused:
        anew |= _pausing(wish.paused, now)
    if (wish.snooze_until or wish.snooze_until_critical) and known.waits_from is None:
        anew["waits_from"] = now
    connection.execute(update(watches).where(watches.c.id == known.id).values(**_columns(wish), **anew))
    return True


def remove(connection: Connection, registry: str, names: Collection[Called]) -> list[str]:
    """Watch these ids or named watches no more; those of them that were watched. Their history stays."""
    return _among(connection, registry, names, delete(watches))


def pause(  # noqa: PLR0917 - as people say it: pause these from now on, by whom, why
    connection: Connection,
    registry: str,
    names: Collection[Called],
    now: datetime,
    paused: bool = True,
    by: str | None = None,
    reason: str | None = None,
) -> list[str]:
    """Pause these ids or named watches from `now` on (or let them go on); those of them that are watched."""
    turned = update(watches).where(watches.c.paused.is_(not paused))
    values = {"paused": paused, "silenced_by": by, "silence_reason": reason, **_pausing(paused, now)}
    return _among(connection, registry, names, turned.values(**values))


def snooze(
    connection: Connection, registry: str, names: Collection[Called], silence: Silence, now: datetime
) -> list[str]:
    """Send nothing of these ids or named watches until the snooze ends (one of nothing: wake them); those of them that
    are watched. What waits is told when it ends: `outbox.call_back` takes back what is queued already.
    """
    values: dict[str, Any] = {
        "snooze_until": silence.until,
        "snooze_until_critical": silence.until_critical,
        "silenced_by": silence.by,
        "silence_reason": silence.reason,
    }
    if silence.is_snooze:
        values["waits_from"] = func.coalesce(watches.c.waits_from, bindparam("waits_from", now, UtcDateTime()))
    return _among(connection, registry, names, update(watches).values(**values))


def wait_from(connection: Connection, watch_id: int, moment: datetime | None) -> None:
    """What was observed of it from then on waits (None: nothing does any more, and its snooze is over)."""
    over = {"snooze_until": None, "snooze_until_critical": False, "silenced_by": None, "silence_reason": None}
    values = {"waits_from": moment, **(over if moment is None else {})}
    connection.execute(update(watches).where(watches.c.id == watch_id).values(**values))


def listing(connection: Connection, group: str | None = None) -> list[Watch]:
    """All watches, or those of a group: records by id, then searches by name."""
    where = [watches.c.group_name == group] if group is not None else []
    return in_order(map(from_row, connection.execute(select(watches).where(*where))))


def in_order(listed: Iterable[Watch]) -> list[Watch]:
    """Records by id, then searches by name."""
    return sorted(
        listed, key=lambda watch: (watch.record_id is None, watch.registry, watch.record_id or "", watch.name or "")
    )


def numbered(connection: Connection, numbers: Collection[int]) -> dict[int, Watch]:
    """The watches of these numbers."""
    queries = (select(watches).where(watches.c.id.in_(batch)) for batch in _batches(list(numbers)))
    return {row.id: from_row(row) for query in queries for row in connection.execute(query)}


def of_record(connection: Connection, registry: str, ids: Collection[str]) -> list[Watch]:
    """The watches of a record that is known by `ids` (its own and its former ones) and that are not paused: those of
    the record itself, and the searches that have found it, also those that have lost it since.
    """
    return list(map(from_row, connection.execute(_OF_RECORD, {"registry": registry, "ids": list(ids)})))


def baselines(connection: Connection, registry: str, ids: Collection[str]) -> list[int | None]:
    """Of each of the watches that `of_record` gives, the sweep that gave it its baseline; None: none has yet."""
    return list(connection.execute(_BASELINES, {"registry": registry, "ids": list(ids)}).scalars())


_IDS: BindParameter[list[str]] = bindparam("ids", expanding=True)
_OF_RECORD = (
    select(watches)
    .where(watches.c.registry == bindparam("registry"), watches.c.paused.is_(False))
    .where(
        or_(
            watches.c.record_id.in_(_IDS),
            watches.c.id.in_(select(search_members.c.watch_id).where(search_members.c.record_id.in_(_IDS))),
        )
    )
    .order_by(watches.c.id)
)
_BASELINES = _OF_RECORD.with_only_columns(watches.c.baseline_sweep)
"""Built once: these are asked for every changed record."""


def records(
    connection: Connection, listed: Iterable[Watch] | None = None, *members: ColumnElement[bool]
) -> list[WatchedRecord]:
    """Every record that is watched and not paused, by registry and id: for itself, or because a search has found it.
    `listed` are all watches, where they were read already; `members` says which members of searches are looked at.
    """
    by_id = {watch.id: watch for watch in (listing(connection) if listed is None else listed) if not watch.paused}
    watching: dict[tuple[str, str], list[Watch]] = {}
    finding: dict[tuple[str, str], list[str]] = {}
    for watch in by_id.values():
        if watch.record_id is not None:
            watching.setdefault((watch.registry, watch.record_id), []).append(watch)
    for row in connection.execute(select(search_members).where(*members).order_by(search_members.c.watch_id)):
        search = by_id.get(row.watch_id)
        if search is not None:
            key = (search.registry, row.record_id)
            watching.setdefault(key, []).append(search)
            finding.setdefault(key, []).extend([search.name or ""] if row.is_found else [])
    return [WatchedRecord(*key, tuple(found), tuple(finding.get(key, ()))) for key, found in sorted(watching.items())]


def searches(connection: Connection, registry: str, names: Collection[str]) -> list[Watch]:
    """The saved searches of these names that are not paused."""
    here = and_(watches.c.registry == registry, watches.c.search.is_not(None), watches.c.paused.is_(False))
    found = select(watches).where(here, watches.c.name.in_(names)).order_by(watches.c.id)
    return list(map(from_row, connection.execute(found)))


def paused_of_record(connection: Connection, registry: str, ids: Collection[str]) -> list[Watch]:
    """The watches of these ids themselves that are paused."""
    here = [watches.c.registry == registry, watches.c.record_id.in_(list(ids)), watches.c.paused.is_(True)]
    return [from_row(row) for row in connection.execute(select(watches).where(*here).order_by(watches.c.id))]


def search_names(connection: Connection) -> list[str]:
    """The names of all saved searches."""
    named = select(watches.c.name).where(watches.c.record_id.is_(None)).order_by(watches.c.name)
    return list(connection.execute(named).scalars())


def groups(connection: Connection) -> list[str]:
    """The names of all groups that watches are in."""
    named = select(watches.c.group_name).where(watches.c.group_name.is_not(None)).distinct()
    return sorted(connection.execute(named).scalars())


def _pausing(paused: bool, now: datetime) -> dict[str, Any]:
    return {"asked_until": now} if paused else {"asked_until": None, "asked_since": now}


def find(connection: Connection, wish: Wish) -> Watch | None:
    """The watch that a wish is of: of that record, else of that name."""
    same = watches.c.record_id == wish.record_id if wish.record_id is not None else watches.c.name == wish.name
    here = select(watches).where(watches.c.registry == wish.registry, same)
    return next(map(from_row, connection.execute(here)), None)


def new_row(wish: Wish, now: datetime) -> dict[str, Any]:
    """The row of what is watched from now on; it waits for its baseline."""
    since = {"asked_until": now if wish.paused else None}
    since |= {"waits_from": now if wish.snooze_until or wish.snooze_until_critical else None}
    return {**_columns(wish), "created_at": now, **since}


def _columns(wish: Wish) -> dict[str, Any]:
    return {
        "registry": wish.registry,
        "record_id": wish.record_id,
        "search": wish.search,
        "name": wish.name,
        "group_name": wish.group,
        "note": wish.note,
        "paused": wish.paused,
        "snooze_until": wish.snooze_until,
        "snooze_until_critical": wish.snooze_until_critical,
        "silenced_by": wish.silenced_by,
        "silence_reason": wish.silence_reason,
    }


def meant(connection: Connection, registry: str, names: Collection[Called]) -> dict[str, int]:
    """The number of each watch that is meant, by what it was called."""
    found = {each.record_id or each.name or "": each.id for each in names if isinstance(each, Watch)}
    for batch in _batches(sorted({each for each in names if isinstance(each, str)})):
        for called in (watches.c.name, watches.c.record_id):
            here = select(called, watches.c.id).where(watches.c.registry == registry, called.in_(batch))
            found |= {row[0]: row[1] for row in connection.execute(here)}
    return found


def _among(connection: Connection, registry: str, names: Collection[Called], statement: Any) -> list[str]:
    found = meant(connection, registry, names)
    for batch in _batches(sorted(found.values())):
        connection.execute(statement.where(watches.c.id.in_(batch)))
    return sorted(found)


def _batches(items: Sequence[Any]) -> Iterable[Sequence[Any]]:
    return (items[start : start + BATCH] for start in range(0, len(items), BATCH))


def from_row(row: Row[Any]) -> Watch:
    """The watch in a row of its table."""
    return Watch(
        id=row.id,
        registry=row.registry,
        record_id=row.record_id,
        search=row.search,
        name=row.name,
        group=row.group_name,
        note=row.note,
        paused=row.paused,
        snooze_until=row.snooze_until,
        created_at=row.created_at,
        baseline_sweep=row.baseline_sweep,
        searched_release=row.searched_release,
        resumed_at=row.asked_since,
        asked_until=row.asked_until,
        snooze_until_critical=bool(row.snooze_until_critical),
        silenced_by=row.silenced_by,
        silence_reason=row.silence_reason,
        waits_from=row.waits_from,
    )
