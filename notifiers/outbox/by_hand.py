"""What a person does about deliveries: try one again, call one off, send all since a time once more, send a test."""

import secrets
from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, Connection, select, update

from notifiers.outbox.quiet import BY_HAND
from notifiers.outbox.rows import Asker, Due, batches, call_off, put
from notifiers.tables import addresses, deliveries, delivery_subscriptions, subscription_addresses, subscriptions


class UnknownDelivery(LookupError):  # noqa: N818  # it says what is wrong
    """There is no delivery of that id."""

    def __init__(self, delivery_id: str) -> None:
        super().__init__(f"there is no delivery {delivery_id!r}")


def retry(connection: Connection, delivery_id: str, now: datetime) -> None:
    """Try a delivery again now, whatever became of it, under the same id and on a new schedule; its address is switched
    on. One that is being sent right now is left alone. Raises UnknownDelivery.
    """
    row = connection.execute(
        select(deliveries.c.state, deliveries.c.address_id).where(deliveries.c.id == delivery_id)
    ).first()
    if row is None:
        raise UnknownDelivery(delivery_id)
    connection.execute(
        update(deliveries).where(deliveries.c.id == delivery_id, deliveries.c.state != "sending").values(**_again(now))
    )
    # after the delivery, as whoever records an attempt does: two that lock in one order never wait for each other
    _switch_on(connection, [row.address_id], now)


def cancel(connection: Connection, delivery_id: str, reason: str, now: datetime) -> bool:
    """Call off a delivery that is not under way and not done; whether it was. Raises UnknownDelivery."""
    known = select(deliveries.c.number).where(deliveries.c.id == delivery_id)
    if connection.execute(known).scalar() is None:
        raise UnknownDelivery(delivery_id)
    return call_off(connection, delivery_id, reason, now)


def replayable(connection: Connection, since: datetime, uri: str | None = None) -> list[str]:
    """The deliveries, in order, that `replay` sends again: made since then, delivered or failed, to one address or to
    all, for a subscription that still tells that address: who does not want it any more is left alone.
    """
    here = [deliveries.c.created_at >= since, deliveries.c.state.in_(("delivered", "failed")), _still_told()]
    if uri is not None:
        address = select(addresses.c.id).where(addresses.c.uri == uri).scalar_subquery()
        here.append(deliveries.c.address_id == address)
    return list(connection.execute(select(deliveries.c.id).where(*here).order_by(deliveries.c.number)).scalars())


def replay(connection: Connection, since: datetime, now: datetime, uri: str | None = None) -> list[str]:
    """Send again what is `replayable`, in its old order and under the old ids, by which receivers know what they have
    already. The ids.
    """
    chosen = replayable(connection, since, uri)
    for ids in batches(chosen):
        connection.execute(update(deliveries).where(deliveries.c.id.in_(ids)).values(**_again(now)))
    return chosen


def _still_told() -> ColumnElement[bool]:
    # by name: a subscription that was removed and made anew is the same one to people
    asker, link = delivery_subscriptions, subscription_addresses
    return (
        select(asker.c.name)
        .join(subscriptions, subscriptions.c.name == asker.c.name)
        .join(link, link.c.subscription_id == subscriptions.c.id)
        .where(asker.c.delivery_id == deliveries.c.id, link.c.address_id == deliveries.c.address_id)
        .where(link.c.stopped_at.is_(None))
        .exists()
    )


def enqueue_test(connection: Connection, name: str, now: datetime) -> list[str]:
    """A test message to every address of a subscription, due now; the ids, none where there is no such subscription.

    An address that is off is switched on for it: who asks for a test wants to know whether it can be told by now. It is
    tried once; where it does not arrive, such an address is off again.
    """
    link = subscription_addresses
    rows = connection.execute(
        select(subscriptions.c.id, link.c.address_id, addresses.c.state, addresses.c.state_reason)
        .join(link, link.c.subscription_id == subscriptions.c.id)
        .join(addresses, addresses.c.id == link.c.address_id)
        .where(subscriptions.c.name == name, link.c.stopped_at.is_(None))
        .order_by(link.c.position)
    ).all()
    _switch_on(connection, [row.address_id for row in rows], now)
    key = f"test:{secrets.token_hex(8)}"
    written = [
        put(
            connection,
            Due(
                type="test",
                address_id=row.address_id,
                due_key=key,
                thread=key,
                facts={"was_off": row.state_reason or "by hand"} if row.state == "off" else None,
                askers=[Asker(row.id, name, ())],
                planned_at=now,
            ),
            now,
        )
        for row in rows
    ]
    return [delivery_id for delivery_id in written if delivery_id]


def _switch_on(connection: Connection, address_ids: Sequence[int], now: datetime) -> None:
    off = addresses.c.id.in_(address_ids) & (addresses.c.state == "off")
    on = {"state": "on", "state_reason": None, "state_since": now}
    connection.execute(update(addresses).where(off).values(**on))


def _again(now: datetime) -> dict[str, object]:
    # under its own id: it waits for no summary any more
    due = {"state": "pending", "next_attempt_at": now, "tries": 0, "summary_at": None}
    return {**due, "finished_at": None, "lease_holder": BY_HAND}
