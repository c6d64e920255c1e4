"""Who saw what: an alert that was acknowledged, per address, and the critical changes that nobody has seen yet."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from msgspec import Struct
from sqlalchemy import ColumnElement, Connection, Row, Select, delete, exists, select

from notifiers.message import NotSeen
from notifiers.outbox.by_hand import UnknownDelivery
from notifiers.tables import acknowledgements, addresses, deliveries, delivery_changes
from snapshots import archive
from snapshots.archive import Step, StoredChange
from snapshots.archive.tables import changes as change_rows
from snapshots.archive.tables import records
from snapshots.archive.tables import steps as step_rows
from snapshots.database import insert_if_absent

ALERTS = ("trial.changed", "search.changed", "registry.notice", "summary")
"""The types of message that tell at once; a digest is no alert."""


class Acknowledgement(Struct, frozen=True):
    """Somebody saw what a delivery told: when (aware UTC), and who says so."""

    at: datetime
    by: str


class Unseen(Struct, frozen=True, kw_only=True):
    """A critical change that an address was told (`told_at`, aware UTC) by a delivery that nobody acknowledged.

    `change` is the one, `step` where it happened, with those of its changes alone that nobody has seen. `uri` is the
    address. `number` is the delivery's.
    """

    delivery_id: str
    number: int
    uri: str
    told_at: datetime
    step: Step
    change: StoredChange


def acknowledge(connection: Connection, delivery_id: str, by: str, now: datetime) -> bool:
    """Note that a delivery was seen; whether it was not noted before (the first who says so stays). Raises
    UnknownDelivery.
    """
    address_id = connection.execute(select(deliveries.c.address_id).where(deliveries.c.id == delivery_id)).scalar()
    if address_id is None:
        raise UnknownDelivery(delivery_id)
    row = {"delivery_id": delivery_id, "address_id": address_id, "at": now, "by": by}
    return insert_if_absent(connection, acknowledgements, row)


def withdraw(connection: Connection, delivery_id: str) -> bool:
    """Take an acknowledgement back; whether there was one."""
    here = acknowledgements.c.delivery_id == delivery_id
    return connection.execute(delete(acknowledgements).where(here)).rowcount == 1


def of_delivery(connection: Connection, delivery_id: str) -> Acknowledgement | None:
    """Who saw a delivery; None where nobody said so."""
    row = connection.execute(select(acknowledgements).where(acknowledgements.c.delivery_id == delivery_id)).first()
    return Acknowledgement(row.at, row.by) if row else None


def unseen(connection: Connection, address_id: int | None = None, since: datetime | None = None) -> list[Unseen]:
    """The critical changes that an address (None: any) was told by alerts which arrived and nobody acknowledged, oldest
    first; with `since` (aware UTC) only by those that arrived then or later. A change told twice counts once, and is
    seen as soon as one of the two was.
    """
    return _read(connection, _told_first(connection.execute(_unseen(address_id, since)).all()))


def unseen_in_words(connection: Connection, address_id: int) -> list[NotSeen]:
    """What of it one address was told, as a digest says it: of changes that nobody ever marks there are many."""
    in_words = (change_rows.c.change, step_rows.c.registry, records.c.registry_id)
    wanted = (
        _unseen(address_id, None)
        .add_columns(*in_words)
        .join(step_rows, step_rows.c.id == change_rows.c.step)
        .outerjoin(records, records.c.id == step_rows.c.record)
    )
    return [
        NotSeen(
            id=row.registry_id or row.registry,
            summary=archive.summary(row.change_id, row.change),
            told_at=row.finished_at,
            delivery_id=row.delivery_id,
        )
        for row in _told_first(connection.execute(wanted).all())
    ]


def _told_first(rows: Sequence[Row[Any]]) -> list[Row[Any]]:
    """Of what an address was told twice the first."""
    first = {(row.uri, row.change_id): row for row in reversed(rows)}
    return [row for row in rows if first[row.uri, row.change_id] is row]


def unseen_after(
    connection: Connection, after: tuple[int, int] | None, limit: int, address_id: int | None = None
) -> list[Unseen]:
    """At most so many of what `unseen` gives, in its order: those after the change (its id) of a delivery (its number),
    None: from the oldest on.
    """
    told = delivery_changes
    wanted = _unseen(address_id, None).where(~_told_before()).limit(limit)
    if after is not None:
        number, change = after
        later = (deliveries.c.number == number) & (told.c.change_id > change)
        wanted = wanted.where(deliveries.c.number >= number, (deliveries.c.number > number) | later)
    return _read(connection, connection.execute(wanted).all())


def _unseen(address_id: int | None, since: datetime | None) -> Select[Any]:
    told = delivery_changes
    wanted = (
        select(
            deliveries.c.id.label("delivery_id"),
            deliveries.c.number,
            deliveries.c.finished_at,
            addresses.c.uri,
            told.c.change_id,
            change_rows.c.step,
        )
        .join(addresses, addresses.c.id == deliveries.c.address_id)
        .join(told, told.c.delivery_id == deliveries.c.id)
        .join(change_rows, change_rows.c.id == told.c.change_id)
        .where(deliveries.c.state == "delivered", deliveries.c.type.in_(ALERTS))
        .where(change_rows.c.severity == "critical", ~_seen())
        .order_by(deliveries.c.number, told.c.change_id)
    )
    if address_id is not None:
        wanted = wanted.where(deliveries.c.address_id == address_id)
    return wanted if since is None else wanted.where(deliveries.c.finished_at >= since)


def _seen() -> ColumnElement[bool]:
    """Whether a delivery to the same address that told the change was acknowledged."""
    same = delivery_changes.alias()
    return exists().where(
        acknowledgements.c.address_id == deliveries.c.address_id,
        acknowledgements.c.delivery_id == same.c.delivery_id,
        same.c.change_id == delivery_changes.c.change_id,
    )


def _told_before() -> ColumnElement[bool]:
    """Whether an earlier alert that arrived told the same address the change."""
    same, earlier = delivery_changes.alias(), deliveries.alias()
    return exists().where(
        same.c.change_id == delivery_changes.c.change_id,
        earlier.c.id == same.c.delivery_id,
        earlier.c.address_id == deliveries.c.address_id,
        earlier.c.number < deliveries.c.number,
        earlier.c.state == "delivered",
        earlier.c.type.in_(ALERTS),
    )


def _read(connection: Connection, rows: Sequence[Row[Any]]) -> list[Unseen]:
    steps = archive.steps_of_changes(connection, {row.change_id for row in rows})
    told = {stored.id: (step, stored) for step in steps for stored in step.changes}
    return [_of_row(row, *told[row.change_id]) for row in rows]


def _of_row(row: Row[Any], step: Step, change: StoredChange) -> Unseen:
    return Unseen(
        delivery_id=row.delivery_id, number=row.number, uri=row.uri, told_at=row.finished_at, step=step, change=change
    )
