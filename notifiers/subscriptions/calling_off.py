"""What waits for a subscription is called off: for itself alone, or leaving to others what they want."""

from collections.abc import Collection
from datetime import datetime

import structlog
from sqlalchemy import Connection, delete, select, update

from notifiers.tables import deliveries, delivery_changes, delivery_subscriptions

log = structlog.get_logger()


def cancel_unwanted(connection: Connection, subscription_id: int, address_id: int | None, now: datetime) -> None:
    """Cancel what waits for this subscription alone; what is being sent right now can no longer be called back."""
    link = delivery_subscriptions
    other = link.alias()
    for_it = select(link.c.delivery_id).where(link.c.subscription_id == subscription_id)
    for_others = select(other.c.delivery_id).where(
        other.c.delivery_id == deliveries.c.id, other.c.subscription_id != subscription_id
    )
    where = [deliveries.c.id.in_(for_it), ~for_others.exists(), deliveries.c.state.in_(("pending", "held"))]
    if address_id is not None:
        where.append(deliveries.c.address_id == address_id)
    values = {"state": "cancelled", "next_attempt_at": None, "finished_at": now, "last_answer": "no longer wanted"}
    cancelled = update(deliveries).where(*where).values(**values).returning(deliveries.c.id)
    for delivery_id in connection.execute(cancelled).scalars():
        log.info("cancelled", delivery=delivery_id, reason=values["last_answer"])
    _leave_to_others(connection, subscription_id, address_id)


def call_back(connection: Connection, delivery_id: str, ids: Collection[int], now: datetime) -> bool:
    """Take back what these subscriptions want of a delivery that is not on its way yet; whether that was all of it."""
    link = delivery_subscriptions
    others = link.c.subscription_id.not_in(ids) | link.c.subscription_id.is_(None)
    here = select(link.c.name).where(link.c.delivery_id == delivery_id)
    if not ids or connection.execute(here.where(link.c.subscription_id.in_(ids))).first() is None:
        return False
    if connection.execute(here.where(others)).first() is not None:
        for subscription_id in ids:
            _leave_to_others(connection, subscription_id, None, delivery_id)
        return True
    values = {"state": "cancelled", "next_attempt_at": None, "finished_at": now, "summary_at": None}
    mine = deliveries.c.id == delivery_id
    connection.execute(update(deliveries).where(mine).values(**values, last_answer="called back: snoozed"))
    log.info("cancelled", delivery=delivery_id, reason="called back: snoozed")
    return True


def _leave_to_others(
    connection: Connection, subscription_id: int, address_id: int | None, delivery_id: str | None = None
) -> None:
    """What waits for other subscriptions too tells only what those want."""
    link = delivery_subscriptions
    here = [link.c.subscription_id == subscription_id, deliveries.c.state.in_(("pending", "held"))]
    if address_id is not None:
        here.append(deliveries.c.address_id == address_id)
    if delivery_id is not None:
        here.append(link.c.delivery_id == delivery_id)
    shared = select(link.c.delivery_id).join(deliveries, deliveries.c.id == link.c.delivery_id).where(*here)
    for shared_id in connection.execute(shared).scalars().all():
        mine = (link.c.delivery_id == shared_id) & (link.c.subscription_id == subscription_id)
        connection.execute(delete(link).where(mine))
        wanted = connection.execute(select(link.c.wanted).where(link.c.delivery_id == shared_id)).scalars()
        kept = {change for ids in wanted for change in ids}
        told = delivery_changes.c.delivery_id == shared_id
        connection.execute(delete(delivery_changes).where(told, delivery_changes.c.change_id.not_in(kept)))
