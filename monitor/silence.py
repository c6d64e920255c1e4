"""Behind which silence is there trouble? What doctor, health and the operator hear of, from the tables and the disk."""

import shutil
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path

from sqlalchemy import Connection, and_, exists, func, or_, select

from monitor import askings
from notifiers import addresses, template_folders
from notifiers.conditions import InvalidValue
from notifiers.tables import addresses as address_rows
from notifiers.tables import deliveries, delivery_subscriptions
from notifiers.troubles import Seen
from snapshots import archive
from snapshots.archive.coverage import ALL, FINISHED
from snapshots.archive.tables import sweeps
from snapshots.database import Database
from snapshots.sentences import counted, date_words

RELEASES = 2
"""A record that was not confirmed for so many releases is trouble."""
REGISTRY_DOWN = timedelta(days=1)
NOT_ASKED = timedelta(hours=3)
"""Nobody asked the registry for so long, or for three times the schedule: nothing is scheduled."""
DIGEST_LATE = timedelta(hours=6)
"""A digest that was due so long ago and is not sent counts as one that could not be sent."""
LEAST_FREE = 256 * 1024 * 1024
"""Bytes; below, the disk is nearly full. A SQLite database needs room for its journal besides what it keeps."""

FreeBytes = Callable[[Path], int]


def free_bytes(folder: Path) -> int:
    """How much may still be written there."""
    return shutil.disk_usage(folder).free


def look(
    database: Database,
    registry: str,
    now: datetime,
    *,
    schedule_seconds: float,
    free: FreeBytes = free_bytes,
) -> list[Seen]:
    """All trouble there is now. Raises DatabaseError."""
    with database.read() as connection:
        found = [
            *_asking(connection, registry, now, max(NOT_ASKED, 3 * timedelta(seconds=schedule_seconds))),
            *_unconfirmed(connection, registry),
            *_digests(connection, now),
            *_addresses(connection),
            *_templates(connection),
        ]
    return [*found, *_disk(database, free)]


def operator_uri(operator: str | None) -> str | None:
    """The operator's address as those of subscriptions are written: a bare mail address is one too."""
    if operator is None:
        return None
    return addresses.canonical(operator if ":" in operator else f"mailto:{operator}")


def _asking(connection: Connection, registry: str, now: datetime, longest: timedelta) -> Iterator[Seen]:
    last = askings.last(connection, registry)
    if last is None:
        return
    if now - last.asked_at > longest:
        since = f"{last.asked_at:%Y-%m-%d %H:%M} UTC"
        words = f"Nothing is scheduled: nobody asked the registry since {since}. Is `trialdelta run` running?"
        yield Seen(key=f"schedule:{registry}", words=words)
    elif last.failing_since is not None and now - last.failing_since >= REGISTRY_DOWN:
        since = f"{last.failing_since:%Y-%m-%d %H:%M} UTC"
        words = f"The registry does not answer as it should: every sweep since {since} failed ({last.reason})."
        yield Seen(key=f"registry:{registry}", words=f"{words} Sweeps go on trying; nothing is lost meanwhile.")


def _unconfirmed(connection: Connection, registry: str) -> Iterator[Seen]:
    for owed in archive.open_exceptions(connection, registry):
        releases = connection.execute(
            select(func.count(sweeps.c.release.distinct())).where(
                sweeps.c.registry == registry,
                sweeps.c.state == FINISHED,
                sweeps.c.scope == ALL,
                sweeps.c.release >= owed.since,
            )
        ).scalar_one()
        if releases >= RELEASES:
            words = f"{owed.registry_id} could not be checked for {releases} releases"
            since = f"since that of {date_words(owed.since[:10])} ({owed.detail})"
            advice = f"Look its id up at the registry, or `trialdelta watch remove {owed.registry_id}`."
            yield Seen(key=f"watch:{registry}/{owed.registry_id}", words=f"{words}: {since}. {advice}")


def _digests(connection: Connection, now: datetime) -> Iterator[Seen]:
    later = deliveries.alias()
    replaced = exists().where(
        later.c.address_id == deliveries.c.address_id,
        later.c.thread == deliveries.c.thread,
        later.c.type == "digest",
        later.c.number > deliveries.c.number,
        later.c.state == "delivered",
    )
    late = and_(deliveries.c.next_attempt_at.is_not(None), deliveries.c.planned_at <= now - DIGEST_LATE)
    name = select(func.min(delivery_subscriptions.c.name)).where(
        delivery_subscriptions.c.delivery_id == deliveries.c.id
    )
    asked = (
        select(deliveries, address_rows.c.uri, name.scalar_subquery().label("subscription"))
        .join(address_rows, address_rows.c.id == deliveries.c.address_id)
        .where(deliveries.c.type == "digest", or_(deliveries.c.state == "failed", late), ~replaced)
        .order_by(deliveries.c.number)
    )
    newest = {(row.address_id, row.thread): row for row in connection.execute(asked)}
    for (address_id, thread), row in newest.items():
        whose, uri = row.subscription or "a removed subscription", addresses.shown(row.uri)
        words = f"A digest could not be sent: that of {whose} to {uri}"
        why = f"due {row.planned_at:%Y-%m-%d %H:%M} UTC: {row.last_answer or 'not tried yet'}"
        advice = f"`trialdelta deliveries retry {row.id}` tries it again."
        yield Seen(key=f"digest:{address_id}:{thread}", words=f"{words}; {why}. {advice}", dead=(row.uri,))


def _addresses(connection: Connection) -> Iterator[Seen]:
    for row in connection.execute(
        select(address_rows).where(address_rows.c.state == "off").order_by(address_rows.c.id)
    ):
        waits = select(func.count()).where(deliveries.c.address_id == row.id, deliveries.c.next_attempt_at.is_not(None))
        count = connection.execute(waits).scalar_one()
        uri = addresses.shown(row.uri)
        words = f"{uri} is switched off: {row.state_reason or 'by hand'}; {counted(count, 'message')} to be sent"
        advice = f"Put it right, then `trialdelta address on {uri}`."
        owner = _owner(row.owner)
        yield Seen(key=f"address:{row.uri}", words=f"{words}. {advice}", concerns=owner, dead=(row.uri,))


def _templates(connection: Connection) -> Iterator[Seen]:
    for name, why in template_folders.unused(connection):
        words = f"The templates of {name} cannot be used, and its last message went out in ours: {why}"
        advice = f"Mend them, then `trialdelta subscription test {name}`."
        yield Seen(key=f"templates:{name}", words=f"{words.rstrip('.')}. {advice}")


def _owner(owner: str | None) -> tuple[str, ...]:
    """The owner as an address, where what is noted of the owner is one."""
    uri = operator_uri(owner) if owner and " " not in owner and "@" in owner else owner
    try:
        addresses.check_uri(uri or "")
    except InvalidValue:
        return ()
    return (addresses.canonical(uri or ""),)


def _disk(database: Database, free: FreeBytes) -> Iterator[Seen]:
    if database.file is None:
        return  # where PostgreSQL keeps its files is not for us to see
    left = free(database.file.parent)
    if left < LEAST_FREE:
        words = f"The disk of {database.file} is nearly full: {left // (1024 * 1024)} MB are left."
        yield Seen(key="disk", words=f"{words} When it is full, nothing is kept and nothing sent; make room.")
