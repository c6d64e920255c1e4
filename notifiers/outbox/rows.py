"""A delivery's rows, written together: the delivery, its changes, and who wanted them."""

import secrets
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, TypeVar

import structlog
from msgspec import Struct
from sqlalchemy import Connection, bindparam, insert, select, update

from notifiers.tables import addresses, deliveries, delivery_changes, delivery_subscriptions
from snapshots.archive import chain_head
from snapshots.archive.tables import changes as change_rows
from snapshots.archive.tables import records, steps
from snapshots.database import insert_if_absent

Json = Any
T = TypeVar("T")

log = structlog.get_logger()

IDS_AT_ONCE = 5000

_INSERT_CHANGES = insert(delivery_changes)
_INSERT_ASKERS = insert(delivery_subscriptions)
_NAMED = select(steps.c.id, records.c.registry_id, records.c.title).join(records, records.c.id == steps.c.record)
_NAMED_BY_STEP = _NAMED.where(steps.c.id == bindparam("step"))
_NAMED_BY_CHANGES = (
    _NAMED.join(change_rows, change_rows.c.step == steps.c.id)
    .where(change_rows.c.id.in_(bindparam("changes", expanding=True)))
    .distinct()
)


class Asker(Struct, frozen=True):
    """A subscription behind a delivery, and the ids of those changes of the delivery that it wanted."""

    id: int | None
    name: str
    wanted: tuple[int, ...]


class Due(Struct, frozen=True, kw_only=True):
    """A delivery to be: see the table's columns. `planned_at` is when it may be sent, `held_until` when it must no
    longer be held (None: it is not held), `summary_at` when it is told in a summary (None: it is told by itself).
    `named`: id and title of the step's record, where they are at hand.
    """

    type: str
    address_id: int
    due_key: str
    thread: str
    step_id: int | None = None
    named: tuple[str, str | None] | None = None
    facts: Json = None
    askers: Sequence[Asker] = ()
    planned_at: datetime
    held_until: datetime | None = None
    summary_at: datetime | None = None


def put(connection: Connection, due: Due, now: datetime) -> str | None:
    """Write a delivery; its id, or None where the address is told the same already."""
    delivery_id = "dlv_" + secrets.token_hex(16)
    held = due.held_until is not None
    row = {
        "id": delivery_id,
        "type": due.type,
        "address_id": due.address_id,
        "due_key": due.due_key,
        "thread": due.thread,
        "step_id": due.step_id,
        "facts": due.facts,
        "as_of": _as_of(connection, due),
        "state": "held" if held else "pending",
        "created_at": now,
        "planned_at": due.planned_at,
        "summary_at": due.summary_at,
        "next_attempt_at": max(due.planned_at, due.held_until or due.planned_at),
    }
    if not insert_if_absent(connection, deliveries, row):
        return None
    _put_askers(connection, delivery_id, due.askers)
    log.debug("queued", delivery=delivery_id, type=due.type, address=due.address_id)
    return delivery_id


def _as_of(connection: Connection, due: Due) -> Json:
    """What the message says of the archive, at every try the same: a receiver that got an earlier one too sees that it
    is one message. Records are retitled, merged and appended to meanwhile.
    """
    named: Sequence[Any]
    if due.named is not None:
        named = [(due.step_id, *due.named)]
    elif due.step_id is not None:
        named = list(connection.execute(_NAMED_BY_STEP, {"step": due.step_id}))
    else:
        changes = sorted({change for asker in due.askers for change in asker.wanted})
        named = [row for ids in batches(changes) for row in connection.execute(_NAMED_BY_CHANGES, {"changes": ids})]
    return {"head": chain_head(connection).short, "records": {str(step): list(name) for step, *name in named}}


def _put_askers(connection: Connection, delivery_id: str, askers: Sequence[Asker]) -> None:
    changes = sorted({change for asker in askers for change in asker.wanted})
    if changes:
        rows = [{"delivery_id": delivery_id, "change_id": change} for change in changes]
        connection.execute(_INSERT_CHANGES, rows)
    if askers:
        connection.execute(
            _INSERT_ASKERS,
            [
                {"delivery_id": delivery_id, "name": asker.name, "subscription_id": asker.id, "wanted": asker.wanted}
                for asker in askers
            ],
        )


def askers_of(connection: Connection, delivery_ids: Sequence[str]) -> Mapping[str, tuple[Asker, ...]]:
    """Who wanted each of these deliveries, by name."""
    link = delivery_subscriptions
    found: dict[str, tuple[Asker, ...]] = {}
    for ids in batches(delivery_ids):
        for row in connection.execute(select(link).where(link.c.delivery_id.in_(ids)).order_by(link.c.name)):
            asker = Asker(row.subscription_id, row.name, tuple(row.wanted))
            found[row.delivery_id] = (*found.get(row.delivery_id, ()), asker)
    return found


def batches(ids: Sequence[T]) -> Iterator[Sequence[T]]:
    """Ids in portions that a query takes: no database takes any number of parameters."""
    return (ids[start : start + IDS_AT_ONCE] for start in range(0, len(ids), IDS_AT_ONCE))


_CLOSE = (
    update(deliveries)
    .where(deliveries.c.id == bindparam("delivery"))
    .values(
        state=bindparam("becomes"),
        next_attempt_at=None,
        finished_at=bindparam("now"),
        last_answer=bindparam("answered"),
        lease_holder=None,
    )
)
_CALL_OFF = _CLOSE.where(deliveries.c.state.in_(("pending", "held")))


def close(connection: Connection, delivery_id: str, state: str, answer: str, now: datetime) -> None:
    """Nothing more is to be done for a delivery: it was delivered, failed or cancelled, as `answer` says."""
    connection.execute(_CLOSE, {"delivery": delivery_id, "becomes": state, "answered": answer, "now": now})
    (log.error if state == "failed" else log.info)(state, delivery=delivery_id, reason=answer)


def call_off(connection: Connection, delivery_id: str, reason: str, now: datetime) -> bool:
    """Cancel a delivery that is neither under way nor done; whether it was. The condition is part of the update: a
    worker may have claimed it since it was read.
    """
    values = {"delivery": delivery_id, "becomes": "cancelled", "answered": reason, "now": now}
    is_called_off = connection.execute(_CALL_OFF, values).rowcount == 1
    if is_called_off:
        log.info("cancelled", delivery=delivery_id, reason=reason)
    return is_called_off


def switch_off(connection: Connection, address_id: int, reason: str, now: datetime) -> None:
    """Tell an address nothing until a person switches it on again; what is due to it waits."""
    log.error("an address is switched off", address=address_id, reason=reason)
    values = {"state": "off", "state_reason": reason, "state_since": now}
    connection.execute(update(addresses).where(addresses.c.id == address_id).values(**values))
