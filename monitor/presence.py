"""Which daemons work on this database: by what name, at what, since when, and when each was last heard.

Each says so itself every few seconds. Nobody's work hangs on it (that is what leases are for): it is there for people,
and for what must not be done under a running daemon, such as putting a backup in its place.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta

import msgspec
from msgspec import Struct
from sqlalchemy import Column, Connection, String, Table, delete, select, update

from snapshots.database import UtcDateTime, insert_if_absent, metadata
from snapshots.holders import SEPARATOR, is_alive, is_dead

ROLES = ("sweep", "deliver", "web")
"""What a daemon can be there for: "deliver" also writes digests and tells the operator of trouble."""

HEARD_WITHIN = timedelta(seconds=60)
"""A daemon that was not heard for so long is silent: dead, stopped, or cut off from the database."""
FORGOTTEN_AFTER = timedelta(days=1)
"""So long a silent one is still shown."""

daemons = Table(
    "daemons",
    metadata,
    Column("holder", String, primary_key=True),
    Column("name", String, nullable=False),
    Column("roles", String, nullable=False),
    Column("version", String, nullable=False),
    Column("started_at", UtcDateTime, nullable=False),
    Column("heard_at", UtcDateTime, nullable=False),
)


class Present(Struct, frozen=True, kw_only=True):
    """A daemon. `holder` is its process (`snapshots.holders`), `roles` are of `ROLES`; times are aware UTC."""

    holder: str
    name: str
    roles: tuple[str, ...]
    version: str
    started_at: datetime
    heard_at: datetime

    def is_there(self, now: datetime) -> bool:
        """Whether it was heard lately and is not known to be dead."""
        return now - self.heard_at <= HEARD_WITHIN and not is_dead(self.holder)

    def may_write(self, now: datetime) -> bool:
        """Whether it is there, or could wake up any moment: a process that was stopped is silent and not dead."""
        return self.is_there(now) or is_alive(self.holder)


def say(connection: Connection, me: Present, now: datetime) -> None:
    """`me` is there, now. What is silent under the same name was its predecessor, and is forgotten."""
    row = {**msgspec.structs.asdict(me), "roles": ",".join(me.roles), "heard_at": now}
    if not insert_if_absent(connection, daemons, row):
        connection.execute(update(daemons).where(daemons.c.holder == me.holder).values(**row))
    for each in listing(connection):
        superseded = each.name == me.name and not each.is_there(now)
        if each.holder != me.holder and (superseded or now - each.heard_at > FORGOTTEN_AFTER):
            leave(connection, each.holder)


def leave(connection: Connection, holder: str) -> None:
    """The daemon ended, as it was told to."""
    connection.execute(delete(daemons).where(daemons.c.holder == holder))


def listing(connection: Connection) -> list[Present]:
    """All that said they were there and did not say that they ended, in order of their names."""
    rows = connection.execute(select(daemons).order_by(daemons.c.name, daemons.c.started_at))
    return [
        Present(
            holder=row.holder,
            name=row.name,
            roles=tuple(row.roles.split(",")),
            version=row.version,
            started_at=row.started_at,
            heard_at=row.heard_at,
        )
        for row in rows
    ]


def in_words(present: Present) -> str:
    """A daemon in a sentence: "a (sweep, deliver, web) since 2026-03-02 14:00 UTC, version 0.2.0"."""
    roles = ", ".join(present.roles)
    return f"{present.name} ({roles}) since {present.started_at:%Y-%m-%d %H:%M} UTC, version {present.version}"


def default_name(host: str, pid: int) -> str:
    """The name of a daemon that was given none."""
    return f"{host}-{pid}"


def same_process(holder: str, other: str) -> bool:
    """Whether two names of holders are of one process, whatever each holds."""
    return bool(holder) and holder.split(SEPARATOR)[:3] == other.split(SEPARATOR)[:3]


def twins(found: Sequence[Present], now: datetime) -> list[str]:
    """Names by which more than one of those that are there goes."""
    names = [each.name for each in found if each.is_there(now)]
    return sorted({name for name in names if names.count(name) > 1})
