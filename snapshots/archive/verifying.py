"""Is what is stored still what was appended? Every link of the chain, and the bytes of every version."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from msgspec import Struct
from sqlalchemy import Connection, and_, func, or_, select

from snapshots.archive import codec, dictionaries
from snapshots.archive.chain import verify_links
from snapshots.archive.reading import Unreadable, decoded, read_version, stored_forms
from snapshots.archive.tables import prunings, record_ids, records, versions
from snapshots.archive.texts import verify_texts

VERSIONS_AT_ONCE = 100

_SELECTS = and_(record_ids.c.registry == records.c.registry, record_ids.c.registry_id == versions.c.registry_id)
_BELONGS = or_(record_ids.c.record == records.c.id, record_ids.c.record == records.c.merged_into)
_MISPLACED = (
    select(versions.c.number, versions.c.registry_id)
    .join(records, records.c.id == versions.c.record)
    .outerjoin(record_ids, and_(_SELECTS, _BELONGS))
    .where(record_ids.c.record.is_(None))
    .order_by(versions.c.number)
)
"""The chain binds the id under which a version was received, not the row that it stands under."""


def verify_chain(connection: Connection) -> Iterator[str]:
    """What is wrong with the archive, one sentence each; nothing where the chain holds and every version's bytes are
    those received. Reads everything; memory stays that of a few versions. That a version was pruned is not wrong: its
    link still holds (`pruned` counts them).
    """
    yield from verify_links(connection)
    yield from dictionaries.verify(connection)
    for number, registry_id in connection.execute(_MISPLACED):
        yield f"version {number} ({registry_id}) stands among the versions of another record"
    for record, source in connection.execute(select(versions.c.record, versions.c.source).distinct()).all():
        yield from _verify_line(connection, _line(connection, record, source))
    yield from verify_texts(connection)


class PrunedVersions(Struct, frozen=True):
    """The versions whose bytes one run of pruning took away: how many, when (aware UTC), by whom."""

    pruned_at: datetime
    pruned_by: str
    versions: int


def pruned(connection: Connection) -> list[PrunedVersions]:
    """What was pruned so far, the oldest first: the gaps that the archive states."""
    found = (
        select(prunings.c.pruned_at, prunings.c.pruned_by, func.count())
        .join(versions, versions.c.pruned == prunings.c.id)
        .group_by(prunings.c.id, prunings.c.pruned_at, prunings.c.pruned_by)
        .order_by(prunings.c.id)
    )
    return [PrunedVersions(*row) for row in connection.execute(found)]


def _line(connection: Connection, record: int, source: str) -> Iterator[Any]:
    of_line = (versions.c.record == record, versions.c.source == source)
    after = -1
    while rows := connection.execute(stored_forms(*of_line, versions.c.position > after, most=VERSIONS_AT_ONCE)).all():
        yield from rows
        after = rows[-1].position


def _verify_line(connection: Connection, line: Iterator[Any]) -> Iterator[str]:
    at_hand: dict[int, tuple[int, bytes]] = {}
    for row in line:
        if row.pruned is not None:
            yield from _verify_pruned(row)
            continue
        try:
            raw = decoded(connection, row.number, row, _base(connection, row.base, at_hand))
        except Unreadable as error:
            yield f"version {row.number} cannot be read: {error.why}"
            continue
        at_hand[row.number] = (row.position, raw)
        needed = codec.later_bases(row.position)
        at_hand = {number: kept for number, kept in at_hand.items() if kept[0] in needed}


def _verify_pruned(row: Any) -> Iterator[str]:
    if row.pruned_at is None:
        yield f"version {row.number} is marked as pruned, and nothing says when and by whom"
    if row.data or row.base is not None:
        yield f"version {row.number} is marked as pruned, yet bytes of it are there"


def _base(connection: Connection, base: int | None, at_hand: dict[int, tuple[int, bytes]]) -> bytes | None:
    if base is None:
        return None
    return at_hand[base][1] if base in at_hand else read_version(connection, base)
