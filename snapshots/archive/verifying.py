"""Is what is stored still what was appended? Every link of the chain, and the bytes of every version."""

from collections.abc import Iterator
from typing import Any

from sqlalchemy import Connection, and_, or_, select

from snapshots.archive import codec
from snapshots.archive.chain import verify_links
from snapshots.archive.reading import STORED, Corrupt, decoded, read_version
from snapshots.archive.tables import record_ids, records, versions

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
    those received. Reads everything; memory stays that of a few versions.
    """
    yield from verify_links(connection)
    for number, registry_id in connection.execute(_MISPLACED):
        yield f"version {number} ({registry_id}) stands among the versions of another record"
    for record, source in connection.execute(select(versions.c.record, versions.c.source).distinct()).all():
        yield from _verify_line(connection, _line(connection, record, source))


def _line(connection: Connection, record: int, source: str) -> Iterator[Any]:
    wanted = STORED.where(versions.c.record == record, versions.c.source == source).order_by(versions.c.position)
    after = -1
    while rows := connection.execute(wanted.where(versions.c.position > after).limit(VERSIONS_AT_ONCE)).all():
        yield from rows
        after = rows[-1].position


def _verify_line(connection: Connection, line: Iterator[Any]) -> Iterator[str]:
    at_hand: dict[int, tuple[int, bytes]] = {}
    for row in line:
        try:
            raw = decoded(row.number, row, _base(connection, row.base, at_hand))
        except Corrupt as error:
            yield f"version {row.number} cannot be read: {error.why}"
            continue
        at_hand[row.number] = (row.position, raw)
        needed = codec.later_bases(row.position)
        at_hand = {number: kept for number, kept in at_hand.items() if kept[0] in needed}


def _base(connection: Connection, base: int | None, at_hand: dict[int, tuple[int, bytes]]) -> bytes | None:
    if base is None:
        return None
    return at_hand[base][1] if base in at_hand else read_version(connection, base)
