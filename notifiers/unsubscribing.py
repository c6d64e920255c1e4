"""Whoever reads at an address stops what is told there, and can take that back: it needs nobody who runs the program.

The address stays listed at the subscription, marked as stopped, so that applying the watchlist file again does not tell
somebody who did not want it any more.
"""

from collections.abc import Collection, Sequence
from datetime import datetime

from msgspec import Struct
from sqlalchemy import Connection, select, update

from notifiers import subscriptions
from notifiers.tables import addresses, deliveries, delivery_subscriptions, subscription_addresses
from notifiers.tables import subscriptions as subscription_rows


class Told(Struct, frozen=True):
    """A subscription that tells an address: since when its reader wants no more of it (None: it is told), and whether
    the message at hand came for it.
    """

    name: str
    stopped_at: datetime | None
    is_named: bool


class Reader(Struct, frozen=True):
    """Whoever got a delivery: the address, and every subscription that tells it, by name."""

    address_id: int
    uri: str
    told: tuple[Told, ...]

    @property
    def named(self) -> list[str]:
        """The subscriptions that the message came for and that tell the address still."""
        return [each.name for each in self.told if each.is_named and each.stopped_at is None]

    @property
    def stopped(self) -> list[str]:
        """The subscriptions that were stopped."""
        return [each.name for each in self.told if each.stopped_at is not None]


def reader_of(connection: Connection, delivery_id: str) -> Reader | None:
    """Who got a delivery; None where there is none of that id."""
    row = connection.execute(
        select(addresses.c.id, addresses.c.uri)
        .join(deliveries, deliveries.c.address_id == addresses.c.id)
        .where(deliveries.c.id == delivery_id)
    ).first()
    if row is None:
        return None
    asked = delivery_subscriptions
    named = set(connection.execute(select(asked.c.name).where(asked.c.delivery_id == delivery_id)).scalars())
    link = subscription_addresses
    rows = connection.execute(
        select(subscription_rows.c.name, link.c.stopped_at)
        .join(link, link.c.subscription_id == subscription_rows.c.id)
        .where(link.c.address_id == row.id)
        .order_by(subscription_rows.c.name)
    )
    return Reader(row.id, row.uri, tuple(Told(each.name, each.stopped_at, each.name in named) for each in rows))


def stop(connection: Connection, reader: Reader, names: Collection[str], now: datetime) -> list[str]:
    """Tell the reader's address no more of these subscriptions; those that it was told of until now. What is still due
    to it for nobody else is cancelled.
    """
    told = [each.name for each in reader.told if each.name in names and each.stopped_at is None]
    for _, subscription_id in _ids(connection, told):
        subscriptions.cancel_unwanted(connection, subscription_id, reader.address_id, now)
        _mark(connection, subscription_id, reader.address_id, now)
    return told


def resume(connection: Connection, reader: Reader, names: Collection[str]) -> list[str]:
    """Tell the reader's address of these subscriptions again; those that were stopped. What was seen meanwhile comes in
    their digests, where they have any.
    """
    stopped = [each.name for each in reader.told if each.name in names and each.stopped_at is not None]
    for _, subscription_id in _ids(connection, stopped):
        _mark(connection, subscription_id, reader.address_id, None)
    return stopped


def _ids(connection: Connection, names: Sequence[str]) -> list[tuple[str, int]]:
    found = select(subscription_rows.c.name, subscription_rows.c.id).where(subscription_rows.c.name.in_(names))
    return [(row.name, row.id) for row in connection.execute(found)]


def _mark(connection: Connection, subscription_id: int, address_id: int, stopped_at: datetime | None) -> None:
    link = subscription_addresses
    here = (link.c.subscription_id == subscription_id) & (link.c.address_id == address_id)
    connection.execute(update(link).where(here).values(stopped_at=stopped_at))
