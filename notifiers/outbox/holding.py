"""What waits for the sweep's end: it may be that the registry reformatted its records and nothing else happened."""

from collections import defaultdict
from collections.abc import Collection, Sequence
from datetime import datetime

from msgspec import Struct
from sqlalchemy import ColumnElement, Connection, case, delete, select, update

from notifiers.outbox.enqueuing import thread_of, type_of
from notifiers.outbox.rows import Asker, Due, askers_of, batches, call_off, put
from notifiers.tables import deliveries, wanted_changes
from snapshots.archive import Step
from snapshots.database import insert_if_absent


class Held(Struct, frozen=True):
    """A delivery that is held, and the step it tells."""

    delivery_id: str
    address_id: int
    step_id: int


def held(connection: Connection) -> list[Held]:
    """All deliveries that are held, in order."""
    wanted = select(deliveries.c.id, deliveries.c.address_id, deliveries.c.step_id)
    rows = connection.execute(wanted.where(deliveries.c.state == "held", _is_open()).order_by(deliveries.c.number))
    return [Held(*row) for row in rows]


def release_held(connection: Connection, now: datetime) -> int:
    """Let everything go that is held, each at its planned time; how many. What nobody releases comes due by itself."""
    at = case((deliveries.c.planned_at > now, deliveries.c.planned_at), else_=now)
    freed = update(deliveries).where(deliveries.c.state == "held", _is_open())
    return connection.execute(freed.values(state="pending", next_attempt_at=at)).rowcount


def replace_held(connection: Connection, notice: Step, steps: Collection[int], now: datetime) -> list[str]:
    """Tell these steps as one `notice` (a step of the registry's own). The new deliveries' ids.

    Each address that waits for any of what is held of them gets the notice once, for all subscriptions that waited;
    what was held is cancelled. Digests tell the notice in place of the steps.
    """
    _replace_wanted(connection, notice, sorted(steps))
    replaced = [one for one in held(connection) if one.step_id in steps]
    askers = askers_of(connection, [one.delivery_id for one in replaced])
    planned = _planned(connection, [one.delivery_id for one in replaced])
    waiting: dict[int, dict[str, Asker]] = defaultdict(dict)
    soonest: dict[int, datetime] = {}
    told = tuple(stored.id for stored in notice.changes)
    for one in replaced:
        if not call_off(connection, one.delivery_id, f"told as one notice, step {notice.id}", now):
            continue  # its hold ran out while this was decided, and it is being sent
        at = max(planned[one.delivery_id], now)
        soonest[one.address_id] = min(soonest.get(one.address_id, at), at)
        for asker in askers.get(one.delivery_id, ()):
            waiting[one.address_id][asker.name] = Asker(asker.id, asker.name, told)
    written = [
        put(connection, _notice(notice, address_id, tuple(asked.values()), soonest[address_id]), now)
        for address_id, asked in waiting.items()
    ]
    return [delivery_id for delivery_id in written if delivery_id]


def _replace_wanted(connection: Connection, notice: Step, steps: Sequence[int]) -> None:
    wanted = wanted_changes
    who: set[int] = set()
    for ids in batches(steps):
        who.update(connection.execute(select(wanted.c.subscription_id).where(wanted.c.step_id.in_(ids))).scalars())
        connection.execute(delete(wanted).where(wanted.c.step_id.in_(ids)))
    for subscription_id in sorted(who):
        for stored in notice.changes:
            row = {
                "subscription_id": subscription_id,
                "change_id": stored.id,
                "step_id": notice.id,
                "registry": notice.registry,
                "record_id": notice.registry_id,
                "observed_at": notice.observed_at,
            }
            insert_if_absent(connection, wanted, row)


def _planned(connection: Connection, delivery_ids: Sequence[str]) -> dict[str, datetime]:
    """When each of these may be sent: quiet hours hold for what takes their place too."""
    found: dict[str, datetime] = {}
    for ids in batches(delivery_ids):
        rows = select(deliveries.c.id, deliveries.c.planned_at).where(deliveries.c.id.in_(ids))
        found.update((row.id, row.planned_at) for row in connection.execute(rows))
    return found


def _notice(notice: Step, address_id: int, askers: tuple[Asker, ...], planned_at: datetime) -> Due:
    return Due(
        type=type_of(notice),
        address_id=address_id,
        due_key=f"step:{notice.id}",
        thread=thread_of(notice),
        step_id=notice.id,
        askers=askers,
        planned_at=planned_at,
    )


def _is_open() -> ColumnElement[bool]:
    # says nothing new of what is held, but lets the index of open deliveries answer
    return deliveries.c.next_attempt_at.is_not(None)
