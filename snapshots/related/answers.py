"""What the registry said when it was asked for trials like one: asked once, on demand, and kept."""

from collections.abc import Sequence
from datetime import datetime

import msgspec
from msgspec import Struct
from sqlalchemy import ColumnElement, Connection, select, update

from snapshots.database import insert_if_absent
from snapshots.related.tables import related_answers
from snapshots.related.words import Listed


class Answer(Struct, frozen=True, kw_only=True):
    """What is known of the registry's answer. `is_wanted`: it is to be asked, which takes a moment; `asked_at` (aware
    UTC) None: it never was; `reason` why the last asking failed.
    """

    is_wanted: bool
    asked_at: datetime | None
    reason: str | None
    found: tuple[Listed, ...]


def answer_of(connection: Connection, registry: str, registry_id: str) -> Answer | None:
    """What the registry answered for this trial; None where nobody has wanted to know yet."""
    row = connection.execute(select(related_answers).where(*_here(registry, registry_id))).first()
    if row is None:
        return None
    found = msgspec.json.decode(row.found, type=tuple[Listed, ...]) if row.found else ()
    return Answer(is_wanted=row.wanted_at is not None, asked_at=row.asked_at, reason=row.reason, found=found)


def want(connection: Connection, registry: str, registry_id: str, now: datetime) -> None:
    """Somebody wants to know: the registry is asked by whoever asks it next. Wanting it twice asks once."""
    insert_if_absent(connection, related_answers, {"registry": registry, "registry_id": registry_id, "wanted_at": now})
    here = (*_here(registry, registry_id), related_answers.c.wanted_at.is_(None))
    connection.execute(update(related_answers).where(*here).values(wanted_at=now))


def wanted(connection: Connection, registry: str, most: int) -> list[str]:
    """The ids of trials for which the registry is to be asked, who waits longest first."""
    due = select(related_answers.c.registry_id).where(
        related_answers.c.registry == registry, related_answers.c.wanted_at.is_not(None)
    )
    return list(connection.execute(due.order_by(related_answers.c.wanted_at).limit(most)).scalars())


def keep(connection: Connection, registry: str, registry_id: str, found: Sequence[Listed], now: datetime) -> None:
    """Keep what the registry answered; nobody waits any more."""
    values = {"wanted_at": None, "asked_at": now, "reason": None, "found": msgspec.json.encode(found).decode()}
    connection.execute(update(related_answers).where(*_here(registry, registry_id)).values(**values))


def keep_trouble(connection: Connection, registry: str, registry_id: str, reason: str, now: datetime) -> None:
    """The registry did not answer; what it answered before stays, and who still wants to know asks again."""
    values = {"wanted_at": None, "asked_at": now, "reason": reason}
    connection.execute(update(related_answers).where(*_here(registry, registry_id)).values(**values))


def _here(registry: str, registry_id: str) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    return (related_answers.c.registry == registry, related_answers.c.registry_id == registry_id)
