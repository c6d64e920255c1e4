"""What an address was not told yet of what a subscription wanted, by whatever message."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, and_, exists, or_, select

from notifiers import watches
from notifiers.tables import deliveries, delivery_changes, wanted_changes
from notifiers.watches import WatchedRecord
from snapshots import archive

Link = Row[Any]
"""A row of `subscription_addresses`: a subscription and one of its addresses."""


def changes(
    connection: Connection,
    link: Link,
    asleep: Collection[str] = (),
    *,
    since: datetime | None = None,
    records: Collection[str] | None = None,
) -> tuple[int, ...]:
    """The ids of the changes, in order, that the subscription wanted and the address was not told; of `records` only,
    where given, and none of records that are `asleep`. `since`: observed then or later.
    """
    wanted = wanted_changes
    found = select(wanted.c.change_id, wanted.c.record_id).where(_is_mine(link), ~_is_told(link))
    if since is not None:
        found = found.where(wanted.c.observed_at >= since)
    rows = connection.execute(found.order_by(wanted.c.step_id, wanted.c.change_id))
    return tuple(
        row.change_id for row in rows if row.record_id not in asleep and (records is None or row.record_id in records)
    )


def told_meanwhile(connection: Connection, link: Link, since: datetime) -> int:
    """How many of the changes that were observed since then the address was told by other messages."""
    wanted = wanted_changes
    found = select(wanted.c.change_id).where(_is_mine(link), _is_told(link), wanted.c.observed_at > since)
    return len(connection.execute(found).all())


def asleep(connection: Connection, now: datetime, watched: Sequence[WatchedRecord] | None = None) -> set[str]:
    """The ids, as steps know them, of all records whose watches are all snoozed: told after that, not now. `watched`
    are all that are watched, where they were read already.
    """
    every = watches.records(connection) if watched is None else watched
    sleeping = [record for record in every if record.is_snoozed(now)]
    found = (archive.find_record(connection, record.registry, record.record_id) for record in sleeping)
    return {record.record_id for record in sleeping} | {record.registry_id for record in found if record}


def _is_mine(link: Link) -> ColumnElement[bool]:
    """Wanted since the address was added: by the order in which things were stored, for clocks are set back."""
    wanted = wanted_changes
    began = (
        wanted.c.step_id > link.added_after if link.added_after is not None else wanted.c.observed_at >= link.added_at
    )
    return and_(wanted.c.subscription_id == link.subscription_id, began)


def _is_told(link: Link) -> ColumnElement[bool]:
    """Whether the address, or one whose place it took, is told the change by a message that arrived or still may."""
    told = [deliveries.c.address_id == link.address_id]
    for former, until in link.in_place_of or ():
        before = deliveries.c.created_at <= datetime.fromisoformat(until)
        told.append(and_(deliveries.c.address_id == former, before))
    return exists().where(
        delivery_changes.c.change_id == wanted_changes.c.change_id,
        delivery_changes.c.delivery_id == deliveries.c.id,
        deliveries.c.state.not_in(("failed", "cancelled")),
        or_(*told),
    )
