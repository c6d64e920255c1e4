"""Whether a mail address wants what it is told: a new one gets one question first, and nothing else until it says yes.

So nobody is sent mails by a typing error or by somebody else's wish. Whether it is asked at all is the installation's
decision, kept in the database for all that add addresses. What is wanted meanwhile waits, and is told when the address
confirms; what has waited for `WAITS` is called off.
"""

from datetime import datetime, timedelta

import structlog
from msgspec import Struct
from sqlalchemy import ColumnElement, Connection, delete, exists, insert, select, update

from notifiers.tables import addresses, confirmations, decisions, deliveries
from snapshots.database import insert_if_absent

WAITS = timedelta(days=14)
"""How long what is wanted waits for an address to confirm."""
ALWAYS_TOLD = ("confirmation", "operator.notice")
"""The types of message that need no confirmation: the question itself, and what the operator must hear."""

REQUIRED = "confirm_addresses"

log = structlog.get_logger()


class Confirmation(Struct, frozen=True, kw_only=True):
    """A new mail address: when it was added, asked and confirmed, and by whom; times are aware UTC."""

    address_id: int
    uri: str
    added_at: datetime
    asked_at: datetime | None
    confirmed_at: datetime | None
    by: str | None


def require(connection: Connection, required: bool, now: datetime) -> None:
    """Decide for the installation whether new mail addresses are asked. Where they are asked no more, those that wait
    count as confirmed.
    """
    if is_required(connection) == required:
        return
    connection.execute(delete(decisions).where(decisions.c.name == REQUIRED))
    connection.execute(insert(decisions).values(name=REQUIRED, is_on=required, decided_at=now))
    if not required:
        waiting = confirmations.c.confirmed_at.is_(None)
        confirmed = {"confirmed_at": now, "by": "TRIALDELTA_CONFIRM_ADDRESSES=false"}
        connection.execute(update(confirmations).where(waiting).values(**confirmed))


def is_required(connection: Connection) -> bool:
    """Whether new mail addresses are asked."""
    found = connection.execute(select(decisions.c.is_on).where(decisions.c.name == REQUIRED)).scalar()
    return bool(found)


def ask_new(connection: Connection, address_id: int, uri: str, now: datetime) -> str | None:
    """Ask an address that was just added; the id of the question's delivery. None where it is not asked: it is no mail
    address, or nobody is asked here.
    """
    if not uri.casefold().startswith("mailto:") or not is_required(connection):
        return None
    insert_if_absent(connection, confirmations, {"address_id": address_id, "added_at": now})
    return ask(connection, address_id, now)


def ask(connection: Connection, address_id: int, now: datetime) -> str | None:
    """Put the question into the outbox; its delivery's id. None where the address has confirmed."""
    # the outbox reads addresses, and those ask here
    from notifiers.outbox.rows import Due, put

    unconfirmed = (confirmations.c.address_id == address_id) & confirmations.c.confirmed_at.is_(None)
    if not connection.execute(update(confirmations).where(unconfirmed).values(asked_at=now)).rowcount:
        return None
    key = f"confirmation:{now.isoformat()}"
    due = Due(type="confirmation", address_id=address_id, due_key=key, thread="confirmation", planned_at=now)
    return put(connection, due, now)


def confirm(connection: Connection, address_id: int, by: str, now: datetime) -> bool:
    """Note that the address wants to be told; whether that was not known before. What waited is due from now on."""
    unconfirmed = (confirmations.c.address_id == address_id) & confirmations.c.confirmed_at.is_(None)
    return connection.execute(update(confirmations).where(unconfirmed).values(confirmed_at=now, by=by)).rowcount == 1


def find(connection: Connection, address_id: int) -> Confirmation | None:
    """What an address was asked and said; None where it never was to be asked, which counts as confirmed."""
    return next(iter(_read(connection, confirmations.c.address_id == address_id)), None)


def waiting(connection: Connection) -> list[Confirmation]:
    """The addresses that have not confirmed, by URI."""
    return _read(connection, confirmations.c.confirmed_at.is_(None))


def give_up(connection: Connection, now: datetime) -> int:
    """Call off what has waited too long for an address to confirm; how many messages. The address can confirm still,
    and is told what comes after that.
    """
    late = deliveries.c.state.in_(("pending", "held")) & is_awaited() & (deliveries.c.created_at <= now - WAITS)
    answer = f"the address did not confirm within {WAITS.days} days"
    values = {"state": "cancelled", "next_attempt_at": None, "finished_at": now, "last_answer": answer}
    ended = connection.execute(update(deliveries).where(late).values(**values).returning(deliveries.c.id))
    called_off = list(ended.scalars())
    for delivery_id in called_off:
        log.warning("cancelled", delivery=delivery_id, reason=answer)
    return len(called_off)


def is_awaited() -> ColumnElement[bool]:
    """The condition that a row of `deliveries` waits for its address to confirm."""
    asked = exists().where(
        confirmations.c.address_id == deliveries.c.address_id, confirmations.c.confirmed_at.is_(None)
    )
    return asked & deliveries.c.type.not_in(ALWAYS_TOLD)


def _read(connection: Connection, *where: ColumnElement[bool]) -> list[Confirmation]:
    rows = connection.execute(
        select(confirmations, addresses.c.uri)
        .join(addresses, addresses.c.id == confirmations.c.address_id)
        .where(*where)
        .order_by(addresses.c.uri)
    )
    return [
        Confirmation(
            address_id=row.address_id,
            uri=row.uri,
            added_at=row.added_at,
            asked_at=row.asked_at,
            confirmed_at=row.confirmed_at,
            by=row.by,
        )
        for row in rows
    ]
