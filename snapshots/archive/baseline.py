"""What is known of records before they are asked for again: cheap, in one query for a whole batch."""

from collections.abc import Mapping, Sequence

from msgspec import Struct
from sqlalchemy import Connection, and_, bindparam, select, update

from snapshots.archive.tables import record_ids, records

IDS_AT_ONCE = 5000
"""Both databases take many more parameters; a sweep asks for far fewer."""


class Head(Struct, frozen=True):
    """What is known of a record before it is asked for again.

    `version` is the newest observed version (None: only back-filled ones are stored, or none), `raw_hash` and
    `content_hash` are that version's. `absent_since` is the release from which on the record was not answered.
    """

    registry_id: str
    record: int
    version: int | None
    raw_hash: bytes | None
    content_hash: bytes | None
    absent_since: str | None = None


_HEADS = (
    select(
        record_ids.c.registry_id,
        records.c.registry_id,
        records.c.id,
        records.c.head_version,
        records.c.head_raw_hash,
        records.c.head_content_hash,
        records.c.absent_since,
    )
    .join(records, records.c.id == record_ids.c.record)
    .where(
        record_ids.c.registry == bindparam("registry"), record_ids.c.registry_id.in_(bindparam("ids", expanding=True))
    )
)


def heads(connection: Connection, registry: str, ids: Sequence[str]) -> dict[str, Head]:
    """The heads of those of `ids` that were ever stored, by the id asked for; former ids answer for the kept record."""
    found: dict[str, Head] = {}
    for start in range(0, len(ids), IDS_AT_ONCE):
        rows = connection.execute(_HEADS, {"registry": registry, "ids": ids[start : start + IDS_AT_ONCE]})
        found.update((asked, Head(*head)) for asked, *head in rows)
    return found


def known_hashes(heads: Mapping[str, Head]) -> dict[bytes, str]:
    """The raw hash of each head and the id it was stored under, as `Registry.fetch` wants them."""
    return {head.raw_hash: head.registry_id for head in heads.values() if head.raw_hash is not None}


def remember_raw_hash(connection: Connection, head: Head, raw_hash: bytes) -> None:
    """Note that the head's content also comes in bytes of this hash (keys in another order, say), so that the next
    sweep knows it at a glance. No version, no step: nothing was said anew.
    """
    same = and_(records.c.id == head.record, records.c.head_version == head.version)
    connection.execute(update(records).where(same).values(head_raw_hash=raw_hash))
