"""When the registry was last looked through, and what it did not answer: sweeps, and one row per exception.

An unchanged record leaves no row: that it was confirmed follows from a finished sweep without an exception for it.
"""

from collections.abc import Collection, Iterable
from datetime import datetime
from typing import Any

from msgspec import Struct
from sqlalchemy import ColumnElement, Connection, Select, and_, exists, func, insert, or_, select, update

from snapshots.archive.merges import Name, names
from snapshots.archive.records import find_record
from snapshots.archive.tables import sweep_exceptions, sweeps
from snapshots.archive.tables import versions as stored

ALL, NEW = "all", "new"
"""What a sweep asks for: every watched record at a new release; or watches without a baseline, and retries."""
RUNNING, FINISHED, FAILED = "running", "finished", "failed"


class Sweep(Struct, frozen=True, kw_only=True):
    """One pass over what is watched. `state` is running, finished or failed (`reason` says why); `ended_at` is when."""

    id: int
    registry: str
    release: str
    scope: str
    state: str
    reason: str | None
    started_at: datetime
    ended_at: datetime | None
    asked: int
    answered: int
    changed: int
    failed: int


class OpenException(Struct, frozen=True):
    """A record (or a saved search, by what it is called) that the registry still owes an answer for: why, in a
    sentence; in which sweep it was asked for in vain last, and `since` which release it could not be checked.
    """

    registry_id: str
    reason: str
    detail: str
    sweep: int
    release: str
    noted_at: datetime
    since: str


class Unanswered(Struct, frozen=True):
    """A record (or a saved search, by what it is called) that one sweep asked for in vain, and why; `settled_by` is the
    later sweep that was answered, or that said the newer trouble.
    """

    registry_id: str
    reason: str
    detail: str
    settled_by: int | None


class Confirmation(Struct, frozen=True):
    """That a record stood as it is stored: at which release, looked at when, in which sweep (None: when stored)."""

    release: str
    at: datetime
    sweep: int | None


def begin_sweep(connection: Connection, registry: str, release: str, scope: str, now: datetime) -> int:
    """Open a sweep for `release` and return its number. `scope` is "all" or "new"."""
    if scope not in (ALL, NEW):
        raise ValueError(f"{scope!r} is no scope of a sweep")
    values = {"registry": registry, "release": release, "scope": scope, "state": RUNNING, "started_at": now}
    return int(connection.execute(insert(sweeps).values(values).returning(sweeps.c.id)).scalar_one())


def note_exception(connection: Connection, sweep: int, registry_id: str, reason: str, detail: str) -> None:
    """The record was asked for in `sweep` and not answered as data, for `reason`. Said again, the last word counts."""
    this = and_(sweep_exceptions.c.sweep == sweep, sweep_exceptions.c.registry_id == registry_id)
    changed = connection.execute(update(sweep_exceptions).where(this).values(reason=reason, detail=detail))
    if changed.rowcount == 0:
        since = _unanswered_since(connection, sweep, registry_id)
        values = {"sweep": sweep, "registry_id": registry_id, "reason": reason, "detail": detail, "since": since}
        connection.execute(insert(sweep_exceptions).values(values))
    _settle(connection, sweep, sweep_exceptions.c.registry_id == registry_id)


def settle_exceptions(connection: Connection, sweep: int, registry_ids: Collection[str]) -> None:
    """The registry answered for these records in `sweep`: earlier exceptions are settled.

    A finished sweep over everything settles by itself what it did not except.
    """
    _settle(connection, sweep, sweep_exceptions.c.registry_id.in_(list(registry_ids)))


def finish_sweep(
    connection: Connection, sweep: int, *, asked: int, answered: int, changed: int, failed: int, now: datetime
) -> None:
    """The sweep came to its end, with these numbers of records."""
    counts = {"asked": asked, "answered": answered, "changed": changed, "failed": failed}
    _end(connection, sweep, now, state=FINISHED, **counts)
    whole = select(sweeps.c.id).where(sweeps.c.id == sweep, sweeps.c.scope == ALL)
    _settle(connection, sweep, exists(whole))


def fail_sweep(connection: Connection, sweep: int, reason: str, now: datetime) -> None:
    """The sweep was given up: `reason` is a sentence for the operator. It confirms nothing."""
    _end(connection, sweep, now, state=FAILED, reason=reason)


def last_finished(connection: Connection, registry: str, scope: str | None = ALL) -> Sweep | None:
    """The newest sweep of `scope` (None: of any) that came to its end."""
    return _newest(connection, registry, sweeps.c.state == FINISHED, *_of_scope(scope))


def last_sweep(connection: Connection, registry: str, scope: str | None = None) -> Sweep | None:
    """The newest sweep of `scope` (None: of any), whatever became of it."""
    return _newest(connection, registry, *_of_scope(scope))


def recent_sweeps(
    connection: Connection, registry: str, limit: int, before: int | None = None
) -> list[tuple[Sweep, int]]:
    """The newest sweeps of any scope and fate (earlier than that of the number `before`), each with how many records it
    asked for in vain.
    """
    wanted = select(*(sweeps.c[field] for field in Sweep.__struct_fields__)).where(sweeps.c.registry == registry)
    if before is not None:
        wanted = wanted.where(sweeps.c.id < before)
    found = [Sweep(**row) for row in connection.execute(wanted.order_by(sweeps.c.id.desc()).limit(limit)).mappings()]
    counting = (
        select(sweep_exceptions.c.sweep, func.count())
        .where(sweep_exceptions.c.sweep.in_([sweep.id for sweep in found]))
        .group_by(sweep_exceptions.c.sweep)
    )
    counts: dict[int, int] = {row[0]: row[1] for row in connection.execute(counting)}
    return [(sweep, counts.get(sweep.id, 0)) for sweep in found]


def find_sweep(connection: Connection, number: int) -> Sweep | None:
    """The sweep of that number."""
    wanted = select(*(sweeps.c[field] for field in Sweep.__struct_fields__)).where(sweeps.c.id == number)
    row = connection.execute(wanted).mappings().one_or_none()
    return Sweep(**row) if row else None


def unanswered(connection: Connection, sweep: int, limit: int, after: str = "") -> list[Unanswered]:
    """What a sweep asked for in vain, by id, after that id."""
    wanted = select(*(sweep_exceptions.c[field] for field in Unanswered.__struct_fields__))
    here = wanted.where(sweep_exceptions.c.sweep == sweep, sweep_exceptions.c.registry_id > after)
    return [Unanswered(*row) for row in connection.execute(here.order_by(sweep_exceptions.c.registry_id).limit(limit))]


def abandon_running(connection: Connection, registry: str, reason: str, now: datetime) -> int:
    """Give up the sweeps that a dead process left running; how many. For the holder of the sweep's lease only."""
    running = and_(sweeps.c.registry == registry, sweeps.c.state == RUNNING)
    ended = {"state": FAILED, "reason": reason, "ended_at": now}
    return int(connection.execute(update(sweeps).where(running).values(ended)).rowcount)


def open_exceptions(connection: Connection, registry: str) -> list[OpenException]:
    """What no later sweep has settled, by id."""
    found = (OpenException(*row) for row in connection.execute(_open(registry)))
    return sorted(found, key=lambda one: one.registry_id)


def open_exception(connection: Connection, registry: str, registry_id: str) -> OpenException | None:
    """What the registry still owes for this id, as the newest sweep that asked for it in vain has it."""
    this = _open(registry).where(sweep_exceptions.c.registry_id == registry_id)
    row = connection.execute(this.order_by(sweeps.c.id.desc()).limit(1)).one_or_none()
    return OpenException(*row) if row else None


def _open(registry: str) -> Select[Any]:
    return (
        select(
            sweep_exceptions.c.registry_id,
            sweep_exceptions.c.reason,
            sweep_exceptions.c.detail,
            sweep_exceptions.c.sweep,
            sweeps.c.release,
            sweeps.c.started_at,
            func.coalesce(sweep_exceptions.c.since, sweeps.c.release),
        )
        .join(sweeps, sweeps.c.id == sweep_exceptions.c.sweep)
        .where(sweeps.c.registry == registry, sweep_exceptions.c.settled_by.is_(None))
    )


def last_confirmed(
    connection: Connection,
    registry: str,
    registry_id: str,
    watched_since: datetime | None = None,
    watched_until: datetime | None = None,
) -> Confirmation | None:
    """When a record was last known to stand as it is stored; None where it was never observed.

    That is the newest of: its head's own observation, and the newest finished sweep over everything that began after
    the record was first seen (and after `watched_since`, before `watched_until`, where it was not watched all the
    time) without an exception for it, under any id that was its name then. Ask it of watched records only: a sweep
    does not ask for others.
    """
    record = find_record(connection, registry, registry_id)
    if record is None or record.head_version is None:
        return None
    own = connection.execute(
        select(stored.c.release, stored.c.observed_at).where(stored.c.number == record.head_version)
    ).one()
    known = names(connection, record)
    since = max(record.first_seen_at, watched_since or record.first_seen_at)
    before = [] if watched_until is None else [sweeps.c.started_at < watched_until]
    sweep = _newest(connection, registry, *_confirming(known, since), *before)
    if sweep is None or sweep.started_at < own.observed_at:
        return Confirmation(own.release, own.observed_at, None)
    return Confirmation(sweep.release, sweep.started_at, sweep.id)


def _unanswered_since(connection: Connection, sweep: int, registry_id: str) -> str | None:
    """Since which release this record was not answered before this sweep; None where it was."""
    registry = select(sweeps.c.registry).where(sweeps.c.id == sweep).scalar_subquery()
    earlier = (
        select(func.coalesce(sweep_exceptions.c.since, sweeps.c.release))
        .join(sweeps, sweeps.c.id == sweep_exceptions.c.sweep)
        .where(sweeps.c.registry == registry, sweep_exceptions.c.registry_id == registry_id)
        .where(sweep_exceptions.c.settled_by.is_(None), sweeps.c.id < sweep)
    )
    return connection.execute(earlier.order_by(sweeps.c.id.desc()).limit(1)).scalar()


def is_excepted(known: Iterable[Name]) -> ColumnElement[bool]:
    """Whether a sweep (a row of `sweeps`) asked in vain for the record that has these names."""
    return exists(select(sweep_exceptions.c.sweep).where(sweep_exceptions.c.sweep == sweeps.c.id, under(known)))


def under(known: Iterable[Name]) -> ColumnElement[bool]:
    """Whether an exception of a sweep is for the record that has these names. What was asked for under the id of a
    record that came to be merged into it says nothing of it before.
    """
    return or_(*map(_is_named, known))


def _is_named(name: Name) -> ColumnElement[bool]:
    since, until = name.since.at, name.until.at if name.until else None
    began = [] if since is None else [sweeps.c.started_at >= since]
    ended = [] if until is None else [sweeps.c.started_at < until]
    return and_(sweep_exceptions.c.registry_id == name.id, *began, *ended)


def _confirming(known: Iterable[Name], since: datetime) -> list[Any]:
    whole = (sweeps.c.state == FINISHED, sweeps.c.scope == ALL, sweeps.c.started_at >= since)
    return [*whole, ~is_excepted(known)]


def _of_scope(scope: str | None) -> list[Any]:
    return [] if scope is None else [sweeps.c.scope == scope]


def _newest(connection: Connection, registry: str, *conditions: Any) -> Sweep | None:
    wanted: Select[Any] = select(*(sweeps.c[field] for field in Sweep.__struct_fields__))
    newest = wanted.where(sweeps.c.registry == registry, *conditions).order_by(sweeps.c.id.desc()).limit(1)
    row = connection.execute(newest).mappings().one_or_none()
    return Sweep(**row) if row else None


def _end(connection: Connection, sweep: int, now: datetime, **values: Any) -> None:
    running = and_(sweeps.c.id == sweep, sweeps.c.state == RUNNING)
    ended = connection.execute(update(sweeps).where(running).values(ended_at=now, **values))
    if ended.rowcount != 1:
        raise LookupError(f"there is no running sweep {sweep}")


def _settle(connection: Connection, sweep: int, which: Any) -> None:
    """Earlier open exceptions of the same registry among `which` are settled by `sweep`."""
    registry = select(sweeps.c.registry).where(sweeps.c.id == sweep).scalar_subquery()
    earlier = select(sweeps.c.id).where(sweeps.c.registry == registry, sweeps.c.id < sweep)
    connection.execute(
        update(sweep_exceptions)
        .where(sweep_exceptions.c.sweep.in_(earlier), sweep_exceptions.c.settled_by.is_(None), which)
        .values(settled_by=sweep)
    )
