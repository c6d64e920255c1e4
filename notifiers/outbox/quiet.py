"""Is it quiet where a message is about to go, and until when: asked again where it goes later than it was meant to."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row, bindparam, select, update

from notifiers import subscriptions
from notifiers.calendar import quiet_until
from notifiers.tables import deliveries, delivery_subscriptions
from snapshots.database import UtcDateTime

LATE = timedelta(minutes=5)
"""What goes no later than this after it was meant to be sent was judged when it was planned, and goes."""

BY_HAND = "by hand"
"""Who has in hand what a person wants to go now."""


def ends(connection: Connection, subscription_ids: Iterable[int | None], now: datetime) -> datetime:
    """When the first of these subscriptions may be told: now, or when its quiet time ends."""
    asked = subscriptions.with_ids(connection, sorted({each for each in subscription_ids if each is not None}))
    return min((quiet_until(each.subscription.quiet, now) or now for each in asked), default=now)


def put_off(connection: Connection, row: Row[Any], now: datetime) -> bool:
    """Let a delivery that is due, a further try or one that comes late, wait for the end of the quiet time it would
    fall into; whether it does. `row` has its id, address_id, thread, planned_at, lease_holder and tries.

    What goes again by hand goes now. Who else is to be told of the record has a say too: the order within it would
    make them wait.
    """
    if row.lease_holder == BY_HAND or not (row.tries or now - row.planned_at > LATE):
        return False
    here = {"address": row.address_id, "of_thread": row.thread, "now": now}
    until = ends(connection, connection.execute(_ASKERS, here).scalars(), now)
    if until <= now:
        return False
    connection.execute(_PUT_OFF, {"delivery": row.id, "until": until})
    return True


_ASKERS = (
    select(delivery_subscriptions.c.subscription_id)
    .join(deliveries, deliveries.c.id == delivery_subscriptions.c.delivery_id)
    .where(deliveries.c.address_id == bindparam("address"), deliveries.c.thread == bindparam("of_thread"))
    .where(deliveries.c.next_attempt_at <= bindparam("now", type_=UtcDateTime()))
)
# planned anew: what is told of the record meanwhile, and may be told, takes it along (`enqueuing._SOONER`)
_PUT_OFF = (
    update(deliveries)
    .where(deliveries.c.id == bindparam("delivery"))
    .values(
        state="pending",
        planned_at=bindparam("until", type_=UtcDateTime()),
        next_attempt_at=bindparam("until", type_=UtcDateTime()),
        lease_holder=None,
    )
)
