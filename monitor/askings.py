"""When was the registry last asked, and since when has no asking come to a good end?"""

from datetime import datetime

from msgspec import Struct
from sqlalchemy import Connection, select, update

from notifiers.tables import askings
from snapshots.database import insert_if_absent


class Asking(Struct, frozen=True):
    """The last one. `failing_since` is the first of those that failed in a row, `reason` what the last said; None where
    the last came to a good end. Times are aware UTC.
    """

    asked_at: datetime
    failing_since: datetime | None
    reason: str | None


def note(connection: Connection, registry: str, failed_because: str | None, now: datetime) -> None:
    """The registry was asked; None: and all went well."""
    insert_if_absent(connection, askings, {"registry": registry, "asked_at": now})
    here = askings.c.registry == registry
    if failed_because is None:
        values = {"asked_at": now, "failing_since": None, "reason": None}
        connection.execute(update(askings).where(here).values(**values))
        return
    connection.execute(update(askings).where(here).values(asked_at=now, reason=failed_because))
    first = here & askings.c.failing_since.is_(None)
    connection.execute(update(askings).where(first).values(failing_since=now))


def last(connection: Connection, registry: str) -> Asking | None:
    """The last asking; None where there was none."""
    row = connection.execute(select(askings).where(askings.c.registry == registry)).first()
    return Asking(row.asked_at, row.failing_since, row.reason) if row else None
