"""Who may do a thing that only one may do at a time, until when, and with which fencing token.

A lease ends by itself: a worker that died frees it by being late. The token grows with every holder, and is checked in
the writing transaction: a worker that was paused or cut off cannot write late. Times come from the callers' clocks, so
replicas must agree on the time to within a fraction of the lease.
"""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta

from msgspec import Struct
from sqlalchemy import Column, Connection, Integer, String, Table, Update, bindparam, select, update

from snapshots.database import Database, DatabaseError, UtcDateTime, insert_if_absent, metadata
from snapshots.holders import is_dead

leases = Table(
    "leases",
    metadata,
    Column("name", String, primary_key=True),
    Column("holder", String, nullable=False),
    Column("token", Integer, nullable=False),
    Column("until", UtcDateTime, nullable=False),
)

LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)


class Lease(Struct, frozen=True):
    """The right to do `name` until `until` (aware UTC). `token` is greater than that of every earlier holder."""

    name: str
    holder: str
    token: int
    until: datetime


def acquire(connection: Connection, name: str, holder: str, now: datetime, seconds: float) -> Lease | None:
    """The lease `name` for `seconds` from `now`; None while somebody (also this holder itself) has it.

    A holder that is known to be dead (`snapshots.holders`) has it no more.
    """
    until = now + timedelta(seconds=seconds)
    insert_if_absent(connection, leases, {"name": name, "holder": holder, "token": 0, "until": LONG_AGO})
    row = connection.execute(select(leases).where(leases.c.name == name).with_for_update()).one()
    if row.until > now and not is_dead(row.holder):
        return None
    taken = connection.execute(
        update(leases)
        .where(leases.c.name == name, leases.c.token == row.token)
        .values(holder=holder, token=row.token + 1, until=until)
    )
    return Lease(name, holder, row.token + 1, until) if taken.rowcount == 1 else None


def renew(connection: Connection, lease: Lease, now: datetime, seconds: float) -> Lease | None:
    """The same lease for `seconds` from `now`; None where it has passed to another or was released."""
    until = now + timedelta(seconds=seconds)
    kept = connection.execute(_RENEW, {"of": lease.name, "by": lease.token, "from": lease.holder, "to": until})
    return Lease(lease.name, lease.holder, lease.token, until) if kept.rowcount == 1 else None


@contextmanager
def kept(database: Database, lease: Lease, clock: Callable[[], datetime], seconds: float) -> Iterator[None]:
    """Renews the lease, for `seconds` each time, from a thread of its own for as long as the body runs, however long
    one step of it takes. A process that is stopped, dies or is cut off renews nothing, and the lease runs out.
    """
    ended = threading.Event()
    keeper = threading.Thread(target=_keep, args=(database, lease, clock, seconds, ended), name=lease.name, daemon=True)
    keeper.start()
    try:
        yield
    finally:
        ended.set()
        keeper.join()


def _keep(
    database: Database, lease: Lease, clock: Callable[[], datetime], seconds: float, ended: threading.Event
) -> None:
    pause = seconds / 3
    while not ended.wait(pause):
        # where the database fails, the lease runs out in time, and whoever waits for it has it
        with suppress(DatabaseError), database.write() as connection:
            # one that this process itself is writing under is not waited for: if it is stopped there, the server ends
            # that transaction after a while, and one that waited for it would begin to keep others out anew
            if connection.execute(_UNLOCKED, {"of": lease.name}).first() is None:
                pause = min(1.0, seconds / 3)
                continue
            pause = seconds / 3
            if renew(connection, lease, clock(), seconds) is None:
                return


def release(connection: Connection, lease: Lease, free_at: datetime = LONG_AGO) -> None:
    """Give the lease back, to be had from `free_at` on (at once). Nothing happens where it is another's by now."""
    connection.execute(_ours(lease).values(until=free_at, holder=""))


def is_taken(connection: Connection, name: str, now: datetime) -> bool:
    """Whether somebody who is not known to be dead has the lease `name`: a look, which binds nobody."""
    row = connection.execute(select(leases).where(leases.c.name == name)).one_or_none()
    return row is not None and row.until > now and not is_dead(row.holder)


def holder(connection: Connection, name: str) -> str:
    """Who has the lease, or had it last; "" where nobody ever did or it was given back."""
    return connection.execute(select(leases.c.holder).where(leases.c.name == name)).scalar() or ""


def still_held(connection: Connection, lease: Lease, now: datetime) -> bool:
    """Whether the lease is still ours. Where it is, nobody else can get it before this transaction ends: an update,
    not a look, so that what is written in it is written as the holder.
    """
    held = connection.execute(_ours(lease).where(leases.c.until > now).values(token=lease.token))
    return held.rowcount == 1


def alone(connection: Connection, name: str) -> None:
    """Wait until no other transaction does `name`, and keep all others from it until this one ends: for what decides by
    reading what another may be about to write. What those before it wrote is seen by what is read after this.
    """
    insert_if_absent(connection, leases, {"name": name, "holder": "", "token": 0, "until": LONG_AGO})
    connection.execute(select(leases.c.name).where(leases.c.name == name).with_for_update())


def _ours(lease: Lease) -> Update:
    return update(leases).where(
        leases.c.name == lease.name, leases.c.token == lease.token, leases.c.holder == lease.holder
    )


_UNLOCKED = select(leases.c.name).where(leases.c.name == bindparam("of")).with_for_update(skip_locked=True)
_RENEW = (
    update(leases)
    .where(leases.c.name == bindparam("of"), leases.c.token == bindparam("by"), leases.c.holder == bindparam("from"))
    .values(until=bindparam("to"))
)
"""Built once: it stands at the beginning of every transaction of a sweep."""
