"""What one delivery tells, and to whom: everything a message is made of, read back from the tables."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

import msgspec
from msgspec import Struct
from sqlalchemy import Connection, bindparam, select

from notifiers import addresses, filters, subscriptions
from notifiers.addresses import Address
from notifiers.conditions import Conditions, Near
from notifiers.message import Coverage
from notifiers.outbox.by_hand import UnknownDelivery
from notifiers.outbox.rows import Asker
from notifiers.tables import addresses as address_rows
from notifiers.tables import deliveries, delivery_changes, delivery_subscriptions
from snapshots import archive
from snapshots.archive import Step, StoredChange


class ToldBecause(Struct, frozen=True, kw_only=True):
    """A subscription behind a message: why it fits, in words ("" where it asks for everything, or is gone), its folder
    of templates, the ids of the changes that it wanted, its severities by kind, the place that it asks for, and all
    that it asks for.
    """

    name: str
    reason: str = ""
    templates: str | None = None
    wanted: frozenset[int] = frozenset()
    severity: Mapping[str, str] = {}
    near: Near | None = None
    when: Conditions = Conditions()


class ToldStep(Struct, frozen=True):
    """A step, and those of its changes that are told."""

    step: Step
    changes: tuple[StoredChange, ...]


class Told(Struct, frozen=True, kw_only=True):
    """Everything that one delivery tells. `created_at` (aware UTC) and `delivery_id` stay the same over retries.

    `steps` is one for alerts, none for a test, any number for a digest (records in order of id, oldest first).
    `by_place` are ids of changes that fit a subscription by their place. `coverage` comes with digests only,
    `title` and `notice` with notices.
    `archive_head`, and the ids and titles of records, are those of when the delivery was made; None: it was not kept.
    """

    delivery_id: str
    type: str
    created_at: datetime
    address: Address
    because: tuple[ToldBecause, ...]
    steps: tuple[ToldStep, ...] = ()
    by_place: frozenset[int] = frozenset()
    coverage: Coverage | None = None
    title: str | None = None
    notice: str | None = None
    archive_head: str | None = None


def load(connection: Connection, delivery_id: str, now: datetime) -> Told:
    """What the delivery tells; `now` decides which secrets sign. Raises UnknownDelivery."""
    here = {"delivery": delivery_id}
    row = connection.execute(_DELIVERY, here).first()
    if row is None:
        raise UnknownDelivery(delivery_id)
    askers = [Asker(*asker) for asker in connection.execute(_ASKERS, here)]
    told = assemble(
        connection,
        delivery_id=delivery_id,
        type=row.type,
        created_at=row.made_at,
        address=addresses.from_row(row, now),
        askers=askers,
        # what a delivery tells is what its askers want; one that nobody asked for has changes of its own
        change_ids={change for asker in askers for change in asker.wanted}
        or set(connection.execute(_CHANGES, here).scalars()),
        step_ids=[row.step_id] if row.step_id is not None else None,
        **_facts(row.type, row.facts),
    )
    return _as_of(told, row.as_of) if row.as_of else told


def _facts(type_: str, facts: Any) -> dict[str, Any]:
    """What a delivery holds besides its changes: a digest how far it looked, a notice its own words."""
    if not facts or type_ == "test":  # what a test holds is for when it fails
        return {}
    if type_ in ("operator.notice", "standing"):
        return {"title": facts["title"], "notice": facts["notice"]}
    return {"coverage": msgspec.convert(facts, Coverage)}


def _as_of(told: Told, kept: Mapping[str, Any]) -> Told:
    """The same with the archive's head and each record's id and title as they were when the delivery was made."""
    steps = tuple(_named(each, kept["records"].get(str(each.step.id))) for each in told.steps)
    return msgspec.structs.replace(told, steps=steps, archive_head=kept["head"])


def _named(told: ToldStep, name: Sequence[str] | None) -> ToldStep:
    if name is None:
        return told
    registry_id, title = name
    return ToldStep(msgspec.structs.replace(told.step, registry_id=registry_id, title=title), told.changes)


# built once: every attempt asks these
_DELIVERY = (
    select(
        address_rows,
        deliveries.c.type,
        deliveries.c.created_at.label("made_at"),
        deliveries.c.step_id,
        deliveries.c.facts,
        deliveries.c.as_of,
    )
    .join(address_rows, address_rows.c.id == deliveries.c.address_id)
    .where(deliveries.c.id == bindparam("delivery"))
)
_ASKERS = (
    select(delivery_subscriptions.c.subscription_id, delivery_subscriptions.c.name, delivery_subscriptions.c.wanted)
    .where(delivery_subscriptions.c.delivery_id == bindparam("delivery"))
    .order_by(delivery_subscriptions.c.name)
)
_CHANGES = select(delivery_changes.c.change_id).where(delivery_changes.c.delivery_id == bindparam("delivery"))


def assemble(
    connection: Connection,
    *,
    askers: Sequence[Asker],
    change_ids: Collection[int],
    step_ids: Iterable[int] | None = None,
    **told: Any,
) -> Told:
    """`Told` of these changes for these askers; `step_ids` are looked up where they are not given."""
    because = [(asker, subscriptions.find(connection, asker.name, addressed=False)) for asker in askers]
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
        severity=stored.subscription.severity,
        near=stored.subscription.when.near,
        when=stored.subscription.when,
    )


def _steps(connection: Connection, change_ids: Collection[int], step_ids: Iterable[int] | None) -> tuple[ToldStep, ...]:
    if step_ids is None:
        found = archive.steps_of_changes(connection, change_ids)
    else:
        found = archive.find_steps(connection, set(step_ids))
    found.sort(key=lambda step: (step.registry, step.registry_id or ""))
    told = [ToldStep(step, tuple(one for one in step.changes if one.id in change_ids)) for step in found]
    return tuple(step for step in told if step.changes)
