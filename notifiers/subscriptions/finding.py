"""Subscriptions as they are kept: by name, by number, what changed since a revision."""

from collections.abc import Collection, Iterable, Sequence
from typing import Any

import msgspec
from sqlalchemy import Connection, Row, bindparam, select

from notifiers.subscriptions.wanted import Stored, Subscription
from notifiers.tables import addresses as address_table
from notifiers.tables import subscription_addresses, subscriptions


def find(connection: Connection, name: str, *, addressed: bool = True) -> Stored | None:
    """The subscription of that name; without its addresses where the caller does not look at them."""
    row = connection.execute(_NAMED, {"named": name}).first()
    if row is None:
        return None
    return _stored(row, _uris(connection, [row.id]).get(row.id, ()) if addressed else ())


def listing(connection: Connection) -> list[Stored]:
    """All subscriptions, by name."""
    return _read(connection)


def with_ids(connection: Connection, ids: Collection[int]) -> list[Stored]:
    """Those of these numbers that are there, by name."""
    found = [one for batch in _batches(sorted(ids)) for one in _stored_of(connection, _WITH_IDS, batch)]
    return sorted(found, key=lambda one: one.subscription.name)


def changed_since(connection: Connection, revision: int) -> list[Stored]:
    """Those that are new or ask for something else since a revision (`revisions`), without their addresses; below 0:
    all of them.
    """
    newer = _ALL.where(subscriptions.c.revision > revision) if revision >= 0 else _ALL
    return [_stored(row, ()) for row in connection.execute(newer)]


IDS_AT_ONCE = 5000

_ALL = select(subscriptions).order_by(subscriptions.c.name)

_NAMED = _ALL.where(subscriptions.c.name == bindparam("named"))

_WITH_IDS = select(subscriptions).where(subscriptions.c.id.in_(bindparam("ids", expanding=True)))

_URIS = (
    select(subscription_addresses.c.subscription_id, address_table.c.uri)
    .join(address_table, address_table.c.id == subscription_addresses.c.address_id)
    .where(subscription_addresses.c.subscription_id.in_(bindparam("ids", expanding=True)))
    .order_by(subscription_addresses.c.subscription_id, subscription_addresses.c.position)
)
"""Built once: these are asked for every changed record, or for every message."""


def _read(connection: Connection, *where: Any) -> list[Stored]:
    rows = connection.execute(_ALL.where(*where) if where else _ALL).all()
    told = _uris(connection, [row.id for row in rows])
    return [_stored(row, told.get(row.id, ())) for row in rows]


def _uris(connection: Connection, ids: Collection[int]) -> dict[int, tuple[str, ...]]:
    uris: dict[int, tuple[str, ...]] = {}
    for batch in _batches(list(ids)):
        for subscription_id, uri in connection.execute(_URIS, {"ids": batch}):
            uris[subscription_id] = (*uris.get(subscription_id, ()), uri)
    return uris


def _batches(ids: Sequence[int]) -> Iterable[Sequence[int]]:
    """No database takes any number of parameters."""
    return (ids[start : start + IDS_AT_ONCE] for start in range(0, len(ids), IDS_AT_ONCE))


def _stored_of(connection: Connection, query: Any, ids: Sequence[int]) -> list[Stored]:
    rows = connection.execute(query, {"ids": ids}).all()
    told = _uris(connection, [row.id for row in rows])
    return [_stored(row, told.get(row.id, ())) for row in rows]


def _stored(row: Row[Any], to: tuple[str, ...]) -> Stored:
    kept = {
        "name": row.name,
        "to": to,
        "watches": row.watches,
        "when": row.conditions,
        "deliver": row.timing,
        "severity": row.severity,
        "quiet": row.quiet,
        "max_per_hour": row.max_per_hour,
        "snooze_until": row.snooze_until,
        "snooze_until_critical": bool(row.snooze_until_critical),
        "templates": row.templates,
        "paused": row.paused,
        "silenced_by": row.silenced_by,
        "silence_reason": row.silence_reason,
    }
    return Stored(
        id=row.id,
        subscription=msgspec.convert(kept, Subscription),
        created_at=row.created_at,
        next_digest_at=row.next_digest_at,
        last_digest_at=row.last_digest_at,
        waits_from=row.waits_from,
    )
