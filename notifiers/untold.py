"""What an address was not told yet of what a subscription wanted, by whatever message."""

from collections.abc import Collection
from datetime import datetime
from typing import Any

from msgspec import Struct
from sqlalchemy import ColumnElement, Connection, Row, and_, exists, func, or_, select

from notifiers import scope
from notifiers.tables import deliveries, delivery_changes, wanted_changes
from snapshots import leases

Link = Row[Any]
"""A row of `subscription_addresses`: a subscription and one of its addresses."""


def tell_alone(connection: Connection) -> None:
    """To be called before `changes` by who writes a message of what it finds: of two who looked at the same moment,
    neither would see what the other tells. Nobody else does, from here to the end of the transaction.
    """
    leases.alone(connection, "telling")


class Untold(Struct, frozen=True):
    """The ids of changes, in order: those to be `told` now, and how many are `waiting` for the end of a snooze."""

    told: tuple[int, ...]
    waiting: int


def changes(
    connection: Connection,
    link: Link,
    now: datetime,
    *,
    since: datetime | None = None,
    records: Collection[str] | None = None,
) -> Untold:
    """The changes that the subscription wanted and the address was not told; of `records` only, where given. Those of
    records whose watches are all snoozed wait. `since`: observed then or later.
    """
    wanted = wanted_changes
    found = select(wanted.c.change_id, wanted.c.record_id).where(_is_mine(link), ~_is_told(link))
    if since is not None:
        found = found.where(wanted.c.observed_at >= since)
    rows = connection.execute(found.order_by(wanted.c.step_id, wanted.c.change_id)).all()
    mine = [row for row in rows if records is None or row.record_id in records]
    asleep = scope.asleep(connection, (row.record_id for row in mine if row.record_id is not None), now)
    told = tuple(row.change_id for row in mine if row.record_id not in asleep)
    return Untold(told, len(mine) - len(told))


def told_meanwhile(connection: Connection, link: Link, since: datetime) -> int:
    """How many of the changes that were observed since then the address was told by other messages."""
    wanted = wanted_changes
    found = select(func.count()).where(_is_mine(link), _is_told(link), wanted.c.observed_at > since)
    return connection.execute(found).scalar_one()


def _is_mine(link: Link) -> ColumnElement[bool]:
    """Wanted since the address was added: by the order in which things were stored, for clocks are set back."""
    wanted = wanted_changes
    began = (
        wanted.c.step_id > link.added_after if link.added_after is not None else wanted.c.observed_at >= link.added_at
    )
    return and_(wanted.c.subscription_id == link.subscription_id, began)


def _is_told(link: Link) -> ColumnElement[bool]:
    """Whether the address, or one whose place it took, is told the change by a message that arrived or still may."""
    # reckoned with, it is no way into an index: SQLite would walk all that the address was ever told, for each change
    address = deliveries.c.address_id + 0
    told = [address == link.address_id]
    for former, until in link.in_place_of or ():
        before = deliveries.c.created_at <= datetime.fromisoformat(until)
        told.append(and_(address == former, before))
    return exists().where(
        delivery_changes.c.change_id == wanted_changes.c.change_id,
        delivery_changes.c.delivery_id == deliveries.c.id,
        deliveries.c.state.not_in(("failed", "cancelled")),
        or_(*told),
    )
