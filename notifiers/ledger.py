"""Who was told what, when, and with what answer: read only."""

import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from msgspec import Struct
from sqlalchemy import ColumnElement, Connection, Row, Select, func, literal_column, select

from notifiers.acknowledgements import Acknowledgement
from notifiers.addresses import shown
from notifiers.outbox.rows import Asker, askers_of, batches
from notifiers.tables import acknowledgements, addresses, attempts, deliveries, delivery_changes
from snapshots import archive
from snapshots.archive.tables import changes as archive_changes
from snapshots.archive.tables import records, steps

STATES = ("pending", "held", "sending", "delivered", "failed", "cancelled")


class Try(Struct, frozen=True, kw_only=True):
    """One try. `outcome` is delivered, retry or failed; None where the worker is at it or never came back."""

    number: int
    worker: str
    started_at: datetime
    finished_at: datetime | None
    outcome: str | None
    answer: str | None


class Entry(Struct, frozen=True, kw_only=True):
    """One delivery: what it told (the step and ids of changes), to whom and for whom, and what became of it.

    `uri` is the address as it may be shown, `whole_uri` all of it, which may hold secrets and is never to be shown.
    `acknowledged`: somebody said that it was seen. `about` is the record's id; for what is not about one record, the
    type of message. `number` rises with every delivery.
    `due_at` is when it comes due (again); None when nothing more is to be done. Times are aware UTC.
    """

    delivery_id: str
    type: str
    about: str
    uri: str
    state: str
    askers: tuple[Asker, ...]
    step_id: int | None
    change_ids: tuple[int, ...]
    created_at: datetime
    planned_at: datetime
    due_at: datetime | None
    finished_at: datetime | None
    last_answer: str | None
    tries: tuple[Try, ...]
    whole_uri: str
    acknowledged: Acknowledgement | None = None
    number: int = 0
    address_id: int = 0


class Asked(Struct, frozen=True, kw_only=True):
    """Which deliveries are asked for: in a state, made since then (aware UTC), that told a change (by its id) or
    anything of a record (registry and any of its ids), to an address (by its id), of a type of message, made earlier
    than the one of that number; None: any.
    """

    state: str | None = None
    since: datetime | None = None
    change: int | None = None
    record: tuple[str, str] | None = None
    address: int | None = None
    type: str | None = None
    before: int | None = None


def listing(
    connection: Connection, state: str | None = None, since: datetime | None = None, limit: int = 100
) -> list[Entry]:
    """The newest deliveries first: all, or those in a state, or made since then."""
    return found(connection, Asked(state=state, since=since), limit)


def found(connection: Connection, asked: Asked, limit: int = 100) -> list[Entry]:
    """The deliveries that are asked for, the newest first."""
    wanted = _DELIVERIES.order_by(deliveries.c.number.desc()).limit(limit)
    if asked.state is not None:
        wanted = wanted.where(deliveries.c.state == asked.state)
    if asked.since is not None:
        wanted = wanted.where(deliveries.c.created_at >= asked.since)
    if asked.address is not None:
        # the second condition always holds; it is that of the index
        wanted = wanted.where(deliveries.c.address_id == asked.address, deliveries.c.number > literal_column("0"))
    if asked.type is not None:
        wanted = wanted.where(deliveries.c.type == asked.type)
    if asked.before is not None:
        wanted = wanted.where(deliveries.c.number < asked.before)
    if asked.change is not None:
        wanted = wanted.where(_told([asked.change]))
    if asked.record is not None:
        wanted = wanted.where(_told(_changes_of(connection, *asked.record)))
    return _entries(connection, wanted)


def waiting(connection: Connection) -> dict[int, int]:
    """How many messages are still to be sent, by the number of their address."""
    still_open = select(deliveries.c.address_id, func.count()).where(deliveries.c.next_attempt_at.is_not(None))
    return {row[0]: row[1] for row in connection.execute(still_open.group_by(deliveries.c.address_id))}


def _told(changes: Any) -> ColumnElement[bool]:
    telling = select(delivery_changes.c.delivery_id).where(delivery_changes.c.change_id.in_(changes))
    return deliveries.c.id.in_(telling)


def _changes_of(connection: Connection, registry: str, any_id: str) -> Any:
    """The ids of all changes of a record and of those that were merged into it; none of one that is not stored."""
    record = archive.find_record(connection, registry, any_id)
    if record is None:
        return []
    mine = select(records.c.id).where((records.c.id == record.id) | (records.c.merged_into == record.id))
    return (
        select(archive_changes.c.id).join(steps, steps.c.id == archive_changes.c.step).where(steps.c.record.in_(mine))
    )


def show(connection: Connection, delivery_id: str) -> Entry | None:
    """One delivery; None where there is none of that id."""
    return next(iter(_entries(connection, _DELIVERIES.where(deliveries.c.id == delivery_id))), None)


def delivery_id(text: str) -> str:
    """The id of the delivery that `text` names: its own id, or a mail's Message-ID header or part of one."""
    found = _DELIVERY_ID.search(text)
    return found[0] if found else text.strip()


_DELIVERY_ID = re.compile(r"dlv_[0-9a-f]+", re.ASCII)


def of_change(connection: Connection, change_id: int) -> list[Entry]:
    """The deliveries that told a change, oldest first."""
    return _entries(connection, _DELIVERIES.where(_told([change_id])).order_by(deliveries.c.number))


def of_step(connection: Connection, step_id: int) -> list[Entry]:
    """The deliveries that told any change of a step, digests too, oldest first."""
    changes = [stored.id for stored in archive.find_step(connection, step_id).changes]
    mine = _told(changes) | (deliveries.c.step_id == step_id)
    return _entries(connection, _DELIVERIES.where(mine).order_by(deliveries.c.number))


def of_record(connection: Connection, registry: str, any_id: str) -> list[Entry]:
    """The deliveries that told anything of a record (by any of its ids), digests too, oldest first."""
    told = _changes_of(connection, registry, any_id)
    return _entries(connection, _DELIVERIES.where(_told(told)).order_by(deliveries.c.number))


_DELIVERIES = select(deliveries, addresses.c.uri).join(addresses, addresses.c.id == deliveries.c.address_id)


def _entries(connection: Connection, wanted: Select[Any]) -> list[Entry]:
    rows = connection.execute(wanted).all()
    return [entry for batch in batches(rows) for entry in _batch(connection, batch)]


def _batch(connection: Connection, rows: Sequence[Row[Any]]) -> list[Entry]:
    ids = [row.id for row in rows]
    askers = askers_of(connection, ids)
    changes = _changes(connection, ids)
    tries = _tries(connection, ids)
    seen = _acknowledged(connection, ids)
    return [
        _entry(row, askers.get(row.id, ()), tuple(changes.get(row.id, ())), tuple(tries.get(row.id, ())), seen)
        for row in rows
    ]


def _changes(connection: Connection, ids: Sequence[str]) -> dict[str, list[int]]:
    link = delivery_changes
    found: dict[str, list[int]] = {}
    for row in connection.execute(select(link).where(link.c.delivery_id.in_(ids)).order_by(link.c.change_id)):
        found.setdefault(row.delivery_id, []).append(row.change_id)
    return found


def _tries(connection: Connection, ids: Sequence[str]) -> dict[str, list[Try]]:
    found: dict[str, list[Try]] = {}
    rows = select(attempts).where(attempts.c.delivery_id.in_(ids)).order_by(attempts.c.delivery_id, attempts.c.number)
    for row in connection.execute(rows):
        found.setdefault(row.delivery_id, []).append(
            Try(
                number=row.number,
                worker=row.worker,
                started_at=row.started_at,
                finished_at=row.finished_at,
                outcome=row.outcome,
                answer=row.answer,
            )
        )
    return found


def _acknowledged(connection: Connection, ids: Sequence[str]) -> dict[str, Acknowledgement]:
    rows = connection.execute(select(acknowledgements).where(acknowledgements.c.delivery_id.in_(ids)))
    return {row.delivery_id: Acknowledgement(row.at, row.by) for row in rows}


def _entry(
    row: Row[Any],
    askers: tuple[Asker, ...],
    changes: tuple[int, ...],
    tries: tuple[Try, ...],
    seen: Mapping[str, Acknowledgement],
) -> Entry:
    return Entry(
        delivery_id=row.id,
        type=row.type,
        about=row.thread.rpartition("/")[2] if row.thread.startswith("record:") else row.type,
        uri=shown(row.uri),
        state=row.state,
        askers=askers,
        step_id=row.step_id,
        change_ids=changes,
        created_at=row.created_at,
        planned_at=row.planned_at,
        due_at=row.next_attempt_at,
        finished_at=row.finished_at,
        last_answer=row.last_answer,
        tries=tries,
        whole_uri=row.uri,
        acknowledged=seen.get(row.id),
        number=row.number,
        address_id=row.address_id,
    )
