"""Which record an id selects, under which ids it was known before, and whether the registry still answers for it."""

from datetime import datetime
from typing import Any, Literal

from msgspec import Struct
from sqlalchemy import Connection, Row, bindparam, insert, or_, select, update

from snapshots.archive.chain import lock_chain
from snapshots.archive.tables import record_ids, records, versions


class Record(Struct, frozen=True, kw_only=True):
    """A record that is in the archive. `id` is its row; `former_ids` also select it. `head_version` is the newest
    observed version. `absent_since` is the release at which it was first not answered, `missing_since` the later one at
    which that was believed.
    """

    id: int
    registry: str
    registry_id: str
    former_ids: tuple[str, ...]
    title: str
    first_seen_at: datetime
    head_version: int | None
    absent_since: str | None
    missing_since: str | None


class Merge(Struct, frozen=True):
    """The record that both ids select now; `is_new`: they did not before."""

    record: int
    is_new: bool


Absence = Literal["never seen", "first", "again", "missing", "known missing"]


_asked = record_ids.alias()
_RECORD = (
    select(records, record_ids.c.registry_id.label("any_id"))
    .join(_asked, _asked.c.record == records.c.id)
    .join(record_ids, record_ids.c.record == records.c.id)
    .where(_asked.c.registry == bindparam("registry"), _asked.c.registry_id == bindparam("id"))
)
"""A row for each id of the record that an id selects. Built once: it stands on the way of every changed record."""


def find_record(connection: Connection, registry: str, any_id: str) -> Record | None:
    """The record that an id selects, be it its own or a former one; None where the archive never saw it."""
    rows = connection.execute(_RECORD, {"registry": registry, "id": any_id}).all()
    if not rows:
        return None
    row = rows[0]
    return _record(row, {each.any_id for each in rows})


def find_absorbed(connection: Connection, kept: Record, former_id: str) -> Record | None:
    """The record that `former_id` selected before it was merged into `kept`, as it was left then; None where nothing
    was ever stored of that id apart from `kept`.
    """
    received = select(versions.c.record).where(versions.c.registry_id == former_id)
    itself = or_(records.c.registry_id == former_id, records.c.id.in_(received))
    wanted = select(records).where(records.c.merged_into == kept.id, itself).order_by(records.c.id.desc())
    row = connection.execute(wanted).first()
    return None if row is None else _record(row, set())


def _record(row: Row[Any], ids: set[str]) -> Record:
    return Record(
        id=row.id,
        registry=row.registry,
        registry_id=row.registry_id,
        former_ids=tuple(sorted(ids - {row.registry_id})),
        title=row.title,
        first_seen_at=row.first_seen_at,
        head_version=row.head_version,
        absent_since=row.absent_since,
        missing_since=row.missing_since,
    )


def records_after(connection: Connection, registry: str, registry_id: str, limit: int) -> list[Record]:
    """At most so many records of the archive, by id, those whose id comes after this one."""
    wanted = select(records.c.registry_id).where(records.c.registry == registry, records.c.merged_into.is_(None))
    ids = wanted.where(records.c.registry_id > registry_id).order_by(records.c.registry_id).limit(limit)
    found = (find_record(connection, registry, each) for each in connection.execute(ids).scalars().all())
    return [record for record in found if record is not None]


def stored_ids(connection: Connection, registry: str) -> list[str]:
    """The ids of today of all records in the archive, in order; of merged ones that of the record that was kept."""
    wanted = select(records.c.registry_id).where(records.c.registry == registry, records.c.merged_into.is_(None))
    return list(connection.execute(wanted.order_by(records.c.registry_id)).scalars())


def merge(connection: Connection, registry: str, former_id: str, kept_id: str) -> Merge | None:
    """The registry answers for `former_id` under `kept_id`: from now on both select the kept record.

    A record whose new id was never seen takes it on and stays the same record. Where both were seen, the former
    record's versions and steps stay as they are and are told in the kept one's history. None where neither was seen.
    """
    lock_chain(connection)  # two merges, or a merge and an append, of one record wait for each other
    former, kept = (_selected(connection, registry, either) for either in (former_id, kept_id))
    if former is None and kept is None:
        return None
    if former == kept:
        return Merge(former or 0, is_new=False)
    if former is None and kept is not None:
        connection.execute(insert(record_ids).values(registry=registry, registry_id=former_id, record=kept))
        return Merge(kept, is_new=True)
    if kept is None:
        return Merge(_rename(connection, registry, former or 0, kept_id), is_new=True)
    return Merge(_absorb(connection, former or 0, kept), is_new=True)


def _rename(connection: Connection, registry: str, record: int, new_id: str) -> int:
    connection.execute(insert(record_ids).values(registry=registry, registry_id=new_id, record=record))
    connection.execute(update(records).where(records.c.id == record).values(registry_id=new_id))
    return record


def _absorb(connection: Connection, former: int, kept: int) -> int:
    connection.execute(update(record_ids).where(record_ids.c.record == former).values(record=kept))
    absorbed = (records.c.id == former) | (records.c.merged_into == former)
    connection.execute(update(records).where(absorbed).values(merged_into=kept))
    return kept


def note_absent(connection: Connection, registry: str, registry_id: str, release: str) -> Absence:
    """The registry did not answer for the record, asked for by itself, at `release`. What that means:

    "never seen" (trouble of the watch), "first" (may be anything), "again" (the same release), "missing" (believed from
    now on: absent in two releases running), "known missing" (believed before).
    """
    record = find_record(connection, registry, registry_id)
    if record is None:
        return "never seen"
    if record.missing_since is not None:
        return "known missing"
    if record.absent_since is None:
        _set_absence(connection, record.id, release, None)
        return "first"
    if record.absent_since == release:
        return "again"
    _set_absence(connection, record.id, record.absent_since, release)
    return "missing"


def note_present(connection: Connection, registry: str, registry_id: str) -> bool:
    """The registry answers for the record again; whether it had been believed missing. Needed only where
    `Head.absent_since` is set.
    """
    record = find_record(connection, registry, registry_id)
    if record is None or record.absent_since is None:
        return False
    _set_absence(connection, record.id, None, None)
    return record.missing_since is not None


def _set_absence(connection: Connection, record: int, absent: str | None, missing: str | None) -> None:
    values = {"absent_since": absent, "missing_since": missing}
    connection.execute(update(records).where(records.c.id == record).values(values))


def _selected(connection: Connection, registry: str, registry_id: str) -> int | None:
    by_id = (record_ids.c.registry == registry, record_ids.c.registry_id == registry_id)
    return connection.execute(select(record_ids.c.record).where(*by_id)).scalar()
