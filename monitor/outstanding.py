"""What is still to be sent, and why it is not sent yet: it is due, was tried in vain, or waits for its time."""

from datetime import datetime
from typing import Any

from msgspec import Struct
from sqlalchemy import ColumnElement, Connection, Select, and_, case, exists, func, not_, or_, select

from notifiers.confirmations import is_awaited
from notifiers.tables import addresses, deliveries


class Outstanding(Struct, frozen=True, kw_only=True):
    """How many deliveries are open in all. `due` may be sent now, and since `due_since` the oldest of them; `put_off`
    were tried in vain: the oldest was first meant to be sent at `put_off_since`, was answered `last_answer`, and the
    first of them is tried again at `next_try`; `timed` wait for quiet hours, limits or a sweep to end, the first until
    `next_time`. What waits for its address (switched off, not confirmed) is only in `open`. Times are aware UTC.
    """

    open: int = 0
    due: int = 0
    due_since: datetime | None = None
    put_off: int = 0
    put_off_since: datetime | None = None
    next_try: datetime | None = None
    last_answer: str | None = None
    timed: int = 0
    next_time: datetime | None = None


def outstanding(connection: Connection, now: datetime) -> Outstanding:
    """What is still to be sent, now."""
    row = connection.execute(_totals(now)).one()
    # a sum is a decimal on one of the databases
    return Outstanding(
        open=row.open,
        due=int(row.due or 0),
        due_since=row.due_since,
        put_off=int(row.put_off or 0),
        put_off_since=row.put_off_since,
        next_try=row.next_try,
        last_answer=_answer(connection, now) if row.put_off else None,
        timed=int(row.timed or 0),
        next_time=row.next_time,
    )


_OPEN = deliveries.c.next_attempt_at.is_not(None)
# what is under way has its lease's end there, and is due until it is done
_UNDER_WAY = deliveries.c.state == "sending"


def _is_due(now: datetime) -> ColumnElement[bool]:
    return and_(or_(deliveries.c.next_attempt_at <= now, _UNDER_WAY), not_(_waits_for_address()))


def _is_put_off(now: datetime) -> ColumnElement[bool]:
    return and_(_is_later(now), deliveries.c.last_answer.is_not(None))


def _is_later(now: datetime) -> ColumnElement[bool]:
    return and_(deliveries.c.next_attempt_at > now, not_(_UNDER_WAY), not_(_waits_for_address()))


def _waits_for_address() -> ColumnElement[bool]:
    off = exists().where(addresses.c.id == deliveries.c.address_id, addresses.c.state == "off")
    return or_(off, is_awaited())


def _totals(now: datetime) -> Select[*tuple[Any, ...]]:
    due, put_off = _is_due(now), _is_put_off(now)
    timed = and_(_is_later(now), deliveries.c.last_answer.is_(None))
    return select(
        func.count().label("open"),
        func.sum(case((due, 1), else_=0)).label("due"),
        func.min(case((due, deliveries.c.planned_at))).label("due_since"),
        func.sum(case((put_off, 1), else_=0)).label("put_off"),
        func.min(case((put_off, deliveries.c.planned_at))).label("put_off_since"),
        func.min(case((put_off, deliveries.c.next_attempt_at))).label("next_try"),
        func.sum(case((timed, 1), else_=0)).label("timed"),
        func.min(case((timed, deliveries.c.next_attempt_at))).label("next_time"),
    ).where(_OPEN)


def _answer(connection: Connection, now: datetime) -> str | None:
    first = select(deliveries.c.last_answer).where(_OPEN, _is_put_off(now))
    found: str | None = connection.execute(first.order_by(deliveries.c.planned_at).limit(1)).scalar()
    return found
