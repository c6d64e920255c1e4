"""What one delivery tells, and to whom: everything a message is made of, read back from the tables."""

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from typing import Any

import msgspec
from msgspec import Struct
from sqlalchemy import Connection, select

from notifiers import addresses, filters, subscriptions
from notifiers.addresses import Address
from notifiers.message import Coverage
from notifiers.outbox.by_hand import UnknownDelivery
from notifiers.outbox.rows import Asker, askers_of, batches
from notifiers.tables import addresses as address_rows
from notifiers.tables import deliveries, delivery_changes
from snapshots import archive
from snapshots.archive import Step, StoredChange
from snapshots.archive.tables import changes as change_rows


class ToldBecause(Struct, frozen=True, kw_only=True):
    """A subscription behind a message: why it fits, in words ("" where it asks for everything, or is gone), its folder
    of templates, and the ids of the changes that it wanted.
    """

    name: str
    reason: str = ""
    templates: str | None = None
    wanted: frozenset[int] = frozenset()


class ToldStep(Struct, frozen=True):
    """A step, and those of its changes that are told."""

    step: Step
    changes: tuple[StoredChange, ...]


class Told(Struct, frozen=True, kw_only=True):
    """Everything that one delivery tells. `created_at` (aware UTC) and `delivery_id` stay the same over retries.

    `steps` is one for alerts, none for a test, any number for a digest (records in order of id, oldest first).
    `by_place` are ids of changes that fit a subscription by their place. `coverage` comes with digests only.
    """

    delivery_id: str
    type: str
    created_at: datetime
    address: Address
    because: tuple[ToldBecause, ...]
    steps: tuple[ToldStep, ...] = ()
    by_place: frozenset[int] = frozenset()
    coverage: Coverage | None = None


def load(connection: Connection, delivery_id: str, now: datetime) -> Told:
    """What the delivery tells; `now` decides which secrets sign. Raises UnknownDelivery."""
    row = connection.execute(select(deliveries).where(deliveries.c.id == delivery_id)).first()
    if row is None:
        raise UnknownDelivery(delivery_id)
    address = connection.execute(select(address_rows).where(address_rows.c.id == row.address_id)).one()
    told = select(delivery_changes.c.change_id).where(delivery_changes.c.delivery_id == delivery_id)
    return assemble(
        connection,
        delivery_id=delivery_id,
        type=row.type,
        created_at=row.created_at,
        address=addresses.from_row(address, now),
        askers=askers_of(connection, [delivery_id]).get(delivery_id, ()),
        change_ids=set(connection.execute(told).scalars()),
        step_ids=[row.step_id] if row.step_id is not None else None,
        coverage=msgspec.convert(row.facts, Coverage) if row.facts else None,
    )


def assemble(
    connection: Connection,
    *,
    askers: Sequence[Asker],
    change_ids: Collection[int],
    step_ids: Iterable[int] | None = None,
    **told: Any,
) -> Told:
    """`Told` of these changes for these askers; `step_ids` are looked up where they are not given."""
    because = [(asker, subscriptions.find(connection, asker.name)) for asker in askers]
    return Told(
        because=tuple(_because(asker, stored) for asker, stored in because),
        steps=_steps(connection, change_ids, step_ids),
        by_place=frozenset(
            change
            for asker, stored in because
            if stored and filters.asks_for_place(stored.subscription.when)
            for change in asker.wanted
        ),
        **told,
    )


def _because(asker: Asker, stored: subscriptions.Stored | None) -> ToldBecause:
    if stored is None:
        return ToldBecause(name=asker.name, wanted=frozenset(asker.wanted))
    return ToldBecause(
        name=asker.name,
        reason=filters.in_words(stored.subscription.when),
        templates=stored.subscription.templates,
        wanted=frozenset(asker.wanted),
    )


def _steps(connection: Connection, change_ids: Collection[int], step_ids: Iterable[int] | None) -> tuple[ToldStep, ...]:
    if step_ids is None:
        step_ids = _steps_of(connection, sorted(change_ids))
    found = [archive.find_step(connection, step_id) for step_id in sorted(step_ids)]
    found.sort(key=lambda step: (step.registry, step.registry_id or ""))
    told = [ToldStep(step, tuple(one for one in step.changes if one.id in change_ids)) for step in found]
    return tuple(step for step in told if step.changes)


def _steps_of(connection: Connection, change_ids: Sequence[int]) -> set[int]:
    found: set[int] = set()
    for ids in batches(change_ids):
        found.update(connection.execute(select(change_rows.c.step).where(change_rows.c.id.in_(ids))).scalars())
    return found
