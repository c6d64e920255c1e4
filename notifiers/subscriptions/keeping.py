"""Subscriptions kept, renamed, removed; and which addresses each tells."""

from collections.abc import Collection, Iterable
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import Connection, delete, func, insert, select, update

from notifiers import addresses, feeds, replacing, revisions
from notifiers.calendar import next_due
from notifiers.subscriptions.calling_off import cancel_unwanted
from notifiers.subscriptions.finding import find
from notifiers.subscriptions.wanted import Json, Subscription
from notifiers.tables import addresses as address_table
from notifiers.tables import (
    deliveries,
    delivery_changes,
    delivery_subscriptions,
    subscription_addresses,
    subscriptions,
    wanted_changes,
)
from snapshots.archive.tables import steps


def save(connection: Connection, subscription: Subscription, now: datetime) -> dict[str, str]:
    """Keep a checked subscription under its name, new or in place of the one before.

    Returns the secrets made for web addresses never told before, by URI: the only time they are shown. A subscription
    that is changed keeps when it began; what it wanted already stays wanted, but where it is put to sleep nothing goes
    out that still waits for it: its next digest, if it has any, tells that.
    """
    known = find(connection, subscription.name)
    if known is None:
        feeds.forget(connection, "subscription", subscription.name)
        values = _columns(subscription) | {"created_at": now, "next_digest_at": _first_digest(subscription, now)}
        values |= {"waits_from": now} if subscription.is_snoozed(now) else {}
        made = connection.execute(insert(subscriptions).values(**values).returning(subscriptions.c.id)).scalar_one()
        revisions.touch(connection, made)
        return _set_addresses(connection, made, subscription.to, now)
    values = _columns(subscription)
    if known.subscription.digest != subscription.digest:
        # a digest that is given up has a last one, of what waited for it
        values["next_digest_at"] = _first_digest(subscription, now) or now
    if subscription.is_snoozed(now) and known.waits_from is None:
        values["waits_from"] = _oldest_waiting(connection, known.id, now)
    connection.execute(update(subscriptions).where(subscriptions.c.id == known.id).values(**values))
    revisions.touch(connection, known.id)
    if subscription.paused or subscription.is_snoozed(now):
        cancel_unwanted(connection, known.id, None, now)
    return _set_addresses(connection, known.id, subscription.to, now)


def _oldest_waiting(connection: Connection, subscription_id: int, now: datetime) -> datetime:
    """When the oldest was observed that is queued for it: it is called back, and waits for the snooze's end."""
    link = delivery_subscriptions
    queued = select(link.c.delivery_id).join(deliveries, deliveries.c.id == link.c.delivery_id)
    queued = queued.where(link.c.subscription_id == subscription_id, deliveries.c.state.in_(("pending", "held")))
    told = select(delivery_changes.c.change_id).where(delivery_changes.c.delivery_id.in_(queued))
    mine = (wanted_changes.c.subscription_id == subscription_id) & wanted_changes.c.change_id.in_(told)
    oldest = connection.execute(select(func.min(wanted_changes.c.observed_at)).where(mine)).scalar()
    return min(oldest or now, now)


def wait_from(connection: Connection, subscription_id: int, moment: datetime | None) -> None:
    """What was observed from then on waits (None: nothing does any more, and the subscription's snooze is over)."""
    over = {"snooze_until": None, "snooze_until_critical": False, "silenced_by": None, "silence_reason": None}
    values = {"waits_from": moment, **(over if moment is None else {})}
    connection.execute(update(subscriptions).where(subscriptions.c.id == subscription_id).values(**values))
    revisions.touch(connection, subscription_id)


def rename(connection: Connection, name: str, new_name: str) -> bool:
    """Call a subscription otherwise; whether there is one of that name. What waits for it waits under its new name;
    what was told stays as it was said. Its feed is the same as before.
    """
    known = connection.execute(select(subscriptions.c.id).where(subscriptions.c.name == name)).scalar()
    if known is None:
        return False
    connection.execute(update(subscriptions).where(subscriptions.c.id == known).values(name=new_name))
    if new_name != name:
        feeds.follow(connection, "subscription", name, new_name)
    link = delivery_subscriptions
    still_open = select(deliveries.c.id).where(deliveries.c.next_attempt_at.is_not(None))
    waiting = (link.c.subscription_id == known) & link.c.delivery_id.in_(still_open)
    connection.execute(update(link).where(waiting).values(name=new_name))
    revisions.touch(connection, known)
    return True


def remove(connection: Connection, name: str, now: datetime) -> bool:
    """Remove a subscription; whether there was one. What is still due for nobody else is cancelled; the ledger of what
    was told stays.
    """
    known = connection.execute(select(subscriptions.c.id).where(subscriptions.c.name == name)).scalar()
    if known is None:
        return False
    cancel_unwanted(connection, known, None, now)
    connection.execute(delete(subscriptions).where(subscriptions.c.id == known))
    return True


def unsubscribe(connection: Connection, name: str, uri: str, now: datetime) -> bool:
    """Tell one address no more of one subscription; whether it was told. What is still due to it for nobody else is
    cancelled.
    """
    pair = connection.execute(
        select(subscriptions.c.id, address_table.c.id)
        .join(subscription_addresses, subscription_addresses.c.subscription_id == subscriptions.c.id)
        .join(address_table, subscription_addresses.c.address_id == address_table.c.id)
        .where(subscriptions.c.name == name, address_table.c.uri == uri)
    ).first()
    if pair is None:
        return False
    cancel_unwanted(connection, pair[0], pair[1], now)
    connection.execute(delete(subscription_addresses).where(_pair(pair[0], pair[1])))
    return True


def _columns(subscription: Subscription) -> dict[str, Json]:
    return {
        "name": subscription.name,
        "watches": msgspec.to_builtins(subscription.watches),
        "conditions": msgspec.to_builtins(subscription.when),
        "timing": msgspec.to_builtins(subscription.deliver),
        "severity": subscription.severity,
        "quiet": msgspec.to_builtins(subscription.quiet),
        "max_per_hour": subscription.max_per_hour,
        "snooze_until": subscription.snooze_until,
        "snooze_until_critical": subscription.snooze_until_critical,
        "templates": subscription.templates,
        "paused": subscription.paused,
        "silenced_by": subscription.silenced_by,
        "silence_reason": subscription.silence_reason,
    }


def _first_digest(subscription: Subscription, now: datetime) -> datetime | None:
    return next_due(subscription.digest, now) if subscription.digest else None


def _set_addresses(connection: Connection, subscription_id: int, to: Iterable[str], now: datetime) -> dict[str, str]:
    secrets: dict[str, str] = {}
    link = subscription_addresses
    kept: list[int] = []
    added: list[int] = []
    for position, uri in enumerate(to):
        address_id, secret = addresses.ensure(connection, uri, now)
        kept.append(address_id)
        if secret:
            secrets[uri] = secret
        here = _pair(subscription_id, address_id)
        if not connection.execute(update(link).where(here).values(position=position)).rowcount:
            values = {"subscription_id": subscription_id, "address_id": address_id, "position": position}
            connection.execute(insert(link).values(**values, added_at=now, added_after=_newest_step(connection)))
            added.append(address_id)
    if added:
        replacing.take_places(connection, subscription_id, added, kept, now)
    _drop_addresses(connection, subscription_id, kept, now)
    return secrets


def _newest_step(connection: Connection) -> int:
    return connection.execute(select(func.max(steps.c.id))).scalar() or 0


def _drop_addresses(connection: Connection, subscription_id: int, kept: Collection[int], now: datetime) -> None:
    link = subscription_addresses
    gone = (link.c.subscription_id == subscription_id) & link.c.address_id.not_in(kept)
    for address_id in connection.execute(select(link.c.address_id).where(gone)).scalars().all():
        cancel_unwanted(connection, subscription_id, address_id, now)
    connection.execute(delete(link).where(gone))


def _pair(subscription_id: int, address_id: int) -> Any:
    link = subscription_addresses
    return (link.c.subscription_id == subscription_id) & (link.c.address_id == address_id)
