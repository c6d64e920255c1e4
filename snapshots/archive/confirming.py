"""When were many records last confirmed? A few questions for all of them together, the same answers as one by one."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from msgspec import Struct
from sqlalchemy import Connection, select

from snapshots.archive.coverage import Confirmation, Sweep, last_confirmed, last_finished
from snapshots.archive.tables import record_ids, records, sweep_exceptions, versions

Stored = Any

AT_ONCE = 500


class Watched(Struct, frozen=True):
    """A record that sweeps ask for under this id, since and until when (aware UTC; None: until now)."""

    registry_id: str
    since: datetime
    until: datetime | None = None


def all_last_confirmed(connection: Connection, registry: str, asked: Sequence[Watched]) -> dict[str, Confirmation]:
    """As `coverage.last_confirmed`, by id, of all these records; those that were never observed are left out.

    Nearly all of them were confirmed by the newest sweep; only those that were not are asked about one by one.
    """
    newest = last_finished(connection, registry)
    excepted = _excepted(connection, newest)
    found: dict[str, Confirmation] = {}
    for batch in (asked[start : start + AT_ONCE] for start in range(0, len(asked), AT_ONCE)):
        stored = _stored(connection, registry, [one.registry_id for one in batch])
        names = _names(connection, {row.record for row in stored.values()} if excepted else ())
        for one in batch:
            row = stored.get(one.registry_id)
            confirmed = row and _by_newest(row, one, newest, excepted.intersection(names.get(row.record, ())))
            confirmed = confirmed or (row and last_confirmed(connection, registry, *_question(one)))
            if confirmed:
                found[one.registry_id] = confirmed
    return found


def _question(one: Watched) -> tuple[str, datetime, datetime | None]:
    return one.registry_id, one.since, one.until


def _by_newest(row: Stored, one: Watched, newest: Sweep | None, excepted: set[str]) -> Confirmation | None:
    """What the newest sweep says; None where an earlier one may."""
    if newest is None:
        return Confirmation(row.release, row.observed_at, None)
    began = newest.started_at
    if excepted or began < max(row.first_seen_at, one.since) or (one.until is not None and began >= one.until):
        return None
    if began < row.observed_at:
        return Confirmation(row.release, row.observed_at, None)
    return Confirmation(newest.release, began, newest.id)


def _excepted(connection: Connection, newest: Sweep | None) -> set[str]:
    if newest is None:
        return set()
    here = select(sweep_exceptions.c.registry_id).where(sweep_exceptions.c.sweep == newest.id)
    return set(connection.execute(here).scalars())


def _stored(connection: Connection, registry: str, ids: Sequence[str]) -> dict[str, Stored]:
    wanted = (
        select(
            record_ids.c.registry_id,
            record_ids.c.record,
            records.c.first_seen_at,
            versions.c.release,
            versions.c.observed_at,
        )
        .join(records, records.c.id == record_ids.c.record)
        .join(versions, versions.c.number == records.c.head_version)
        .where(record_ids.c.registry == registry, record_ids.c.registry_id.in_(ids))
    )
    return {row.registry_id: row for row in connection.execute(wanted)}


def _names(connection: Connection, numbers: Iterable[int]) -> dict[int, set[str]]:
    wanted = select(record_ids.c.record, record_ids.c.registry_id).where(record_ids.c.record.in_(list(numbers)))
    names: dict[int, set[str]] = {}
    for row in connection.execute(wanted):
        names.setdefault(row.record, set()).add(row.registry_id)
    return names
