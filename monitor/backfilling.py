"""Whose past is wanted still? It is brought in between the sweeps, one question at a time, and never in their way."""

from collections.abc import Callable
from datetime import datetime, timedelta

import structlog
from sqlalchemy import Connection

from monitor.skipped import skipped_ids
from monitor.sweep import lease_name
from notifiers import due_watches, search_members
from snapshots import archive, leases
from snapshots.archive import Filling
from snapshots.backfill import Report, back_fill
from snapshots.database import Database
from snapshots.registry import Registry

REST = timedelta(hours=1)
"""How long the history interface is left alone after it did not even list a record's versions."""

Clock = Callable[[], datetime]

log = structlog.get_logger()


def fill_wished(database: Database, registry: Registry, clock: Clock, stop: Callable[[], bool]) -> list[Report]:
    """Bring in the past of the records for which somebody asked for it, watched or not, also while the interface rests;
    what was tried, in order. A wish is over once it was tried.
    """
    with database.read() as connection:
        wished = archive.wished_fillings(connection, registry.name)
        watched = set(due_watches.watched_ids(connection, registry.name)) if wished else set()
    tried: list[Report] = []
    for record in wished:
        if stop() or _is_sweeping(database, registry.name, clock()):
            break
        report = back_fill(database, registry, clock, record, leave_newer=record in watched, stop=stop)
        with database.write() as connection:
            archive.grant_filling(connection, registry.name, record)
        tried.append(report)
        _log(report)
    return tried


def fill_due(database: Database, registry: Registry, clock: Clock, stop: Callable[[], bool]) -> list[Report]:
    """Bring in the past of all watched records whose past is wanted; what was tried, in order.

    Ends early where `stop` says so, where a sweep begins, and where the interface is in trouble: then it rests.
    """

    def give_way() -> bool:
        return stop() or _is_sweeping(database, registry.name, clock())

    tried: list[Report] = []
    with database.read() as connection:
        due = due_ids(connection, registry.name, clock())
    for record in due:
        if give_way():
            break
        report = back_fill(database, registry, clock, record, leave_newer=True, stop=give_way)
        tried.append(report)
        _log(report)
        if report.trouble is not None:
            break
    return tried


def due_ids(connection: Connection, registry: str, now: datetime) -> list[str]:
    """The watched records, by their ids of today, that have a baseline and whose past was never asked for, or is to be
    asked for again by `now`, or of which versions may have been missed since; none while the interface rests. What only
    a broad search has found (`search_members.broad`) is not among them: its past comes when somebody asks for it.
    """
    failed = archive.last_filling_failure(connection, registry)
    if failed is not None and now < failed + REST:
        return []
    narrowly = due_watches.watched_ids(connection, registry, but=search_members.broad(connection))
    heads = archive.heads(connection, registry, [*narrowly]).values()
    ids = sorted({head.registry_id for head in heads if head.version is not None})
    known = archive.filling(connection, registry, ids)
    skipped = skipped_ids(connection, registry)
    return [each for each in ids if each in skipped or _is_wanted(known.get(each), now)]


def _is_wanted(known: Filling | None, now: datetime) -> bool:
    if known is None:
        return True
    if known.state == "complete":
        return not known.is_joined
    return known.next_at is None or known.next_at <= now


def _is_sweeping(database: Database, registry: str, now: datetime) -> bool:
    with database.read() as connection:
        return leases.is_taken(connection, lease_name(registry), now)


def _log(report: Report) -> None:
    facts = {"record": report.registry_id, "outcome": report.outcome, "stored": report.stored, "gaps": len(report.gaps)}
    if report.outcome == "waiting":
        log.warning("history", **facts, reason=report.trouble)
    else:
        log.info("history", **facts)
