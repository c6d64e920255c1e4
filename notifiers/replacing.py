"""An address that takes another's place in a subscription is told what that one was not."""

import secrets
from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, insert, select, update

from notifiers.tables import deliveries, delivery_changes, delivery_subscriptions, subscription_addresses
from snapshots.database import insert_if_absent

UNTOLD = ("pending", "held", "failed")
"""States of what an address was not told: a mail to a misspelt address has often failed already."""


def take_places(
    connection: Connection, subscription_id: int, added: Sequence[int], kept: Collection[int], now: datetime
) -> None:
    """Addresses were `added` to a subscription, of which only those `kept` stay: each new one takes the place of one
    that goes, in their order, so that what waited there is told here, by alerts and by digests.
    """
    link = subscription_addresses
    mine = select(link).where(link.c.subscription_id == subscription_id, link.c.address_id.not_in(kept))
    gone = connection.execute(mine.order_by(link.c.position)).all()
    for number, former in enumerate(gone):
        _inherit(connection, former, added[min(number, len(added) - 1)], now)
        _move(connection, former, added[min(number, len(added) - 1)], now)


def _inherit(connection: Connection, former: Row[Any], address_id: int, now: datetime) -> None:
    """Digests tell the new address what they would have told the former one, and nothing that they did tell it."""
    link = subscription_addresses
    here = (link.c.subscription_id == former.subscription_id) & (link.c.address_id == address_id)
    before = connection.execute(select(link.c.in_place_of).where(here)).scalar() or []
    places = [*before, *(former.in_place_of or []), [former.address_id, now.isoformat()]]
    values = {"added_at": former.added_at, "added_after": former.added_after, "in_place_of": places}
    connection.execute(update(link).where(here).values(**values))


def _move(connection: Connection, former: Row[Any], address_id: int, now: datetime) -> None:
    asked = delivery_subscriptions
    waiting = (
        select(deliveries, asked.c.name, asked.c.wanted)
        .join(asked, asked.c.delivery_id == deliveries.c.id)
        .where(asked.c.subscription_id == former.subscription_id, deliveries.c.address_id == former.address_id)
        .where(deliveries.c.state.in_(UNTOLD), deliveries.c.type != "test")
        .order_by(deliveries.c.number)
    )
    for row in connection.execute(waiting).all():
        wanted = [change for change in row.wanted if not _is_told(connection, address_id, change)]
        if wanted or not row.wanted:
            _put(connection, row, former.subscription_id, address_id, wanted, now)


def _is_told(connection: Connection, address_id: int, change_id: int) -> bool:
    told = (
        select(deliveries.c.id)
        .join(delivery_changes, delivery_changes.c.delivery_id == deliveries.c.id)
        .where(deliveries.c.address_id == address_id, delivery_changes.c.change_id == change_id, _counts())
    )
    return connection.execute(told.limit(1)).first() is not None


def _counts() -> ColumnElement[bool]:
    return deliveries.c.state.not_in(("failed", "cancelled"))


def _put(  # noqa: PLR0917 - the row of a delivery, written for another address
    connection: Connection, row: Row[Any], subscription_id: int, address_id: int, wanted: list[int], now: datetime
) -> None:
    if row.state == "failed" and not wanted:
        return  # a digest without news that failed is no news
    delivery_id = "dlv_" + secrets.token_hex(16)
    same = ("type", "thread", "step_id", "facts", "planned_at", "summary_at", "as_of")
    copied = {name: getattr(row, name) for name in same}
    state = "held" if row.state == "held" else "pending"
    due = row.next_attempt_at if row.next_attempt_at and not row.tries else now
    values = {"id": delivery_id, "address_id": address_id, "state": state, "created_at": now, "next_attempt_at": due}
    told = {**copied, **values}
    # another subscription may tell this address of the same step: then what only this one wanted goes beside it
    keys = (row.due_key, f"{row.due_key}:{subscription_id}")
    if not any(insert_if_absent(connection, deliveries, {**told, "due_key": key}) for key in keys):
        return
    asker = {"delivery_id": delivery_id, "name": row.name, "subscription_id": subscription_id, "wanted": wanted}
    connection.execute(insert(delivery_subscriptions).values(**asker))
    if wanted:
        rows = [{"delivery_id": delivery_id, "change_id": change} for change in wanted]
        connection.execute(insert(delivery_changes), rows)
