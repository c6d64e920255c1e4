"""How a version enters the archive: compared with the head, stored against an earlier one, bound into the chain."""

import hashlib
from datetime import datetime
from typing import Any

from msgspec import Struct
from sqlalchemy import Connection, bindparam, func, insert, select, update

from snapshots.archive import codec, dictionaries, order
from snapshots.archive.chain import ChainHead, Link, advance, lock_chain
from snapshots.archive.reading import read_version
from snapshots.archive.tables import record_ids, records, versions


class Observation(Struct, frozen=True, kw_only=True):
    """One content of a record as received.

    `raw` are its bytes, `raw_hash` the fast path's hash of them (restamped parts masked), `content_hash` the SHA-256 of
    `Registry.content(raw)`. `source` is "history" for what was back-filled, anything else was observed and has a
    `release` (`snapshots.registry.Release.timestamp`). `registry_date` is the posting date where known, else the
    submission date; `registry_version` the registry's own count, where it has one. `observed_at` is aware.
    """

    registry: str
    registry_id: str
    title: str
    raw: bytes
    raw_hash: bytes
    content_hash: bytes
    observed_at: datetime
    source: str = "v2"
    release: str | None = None
    registry_date: str | None = None
    registry_version: int | None = None


class HeadMoved(Exception):  # noqa: N818  # it says what happened
    """The record's newest observed version is not the one that was compared against: start over with the record."""

    def __init__(self, registry_id: str, expected: int | None, found: int | None) -> None:
        super().__init__(f"{registry_id}: compared with version {expected}, but its newest is {found} by now")
        self.expected = expected
        self.found = found


class OlderRelease(Exception):  # noqa: N818  # it says what happened
    """What was observed belongs to a release before the newest one observed: the registry went back in time."""


_RECORD = (
    select(
        records.c.id,
        records.c.head_version,
        records.c.head_content_hash,
        versions.c.release.label("head_release"),
        versions.c.source.label("head_source"),
        versions.c.position.label("head_position"),
        versions.c.raw_sha256.label("head_sha256"),
    )
    .join(record_ids, record_ids.c.record == records.c.id)
    .outerjoin(versions, versions.c.number == records.c.head_version)
    .where(record_ids.c.registry == bindparam("registry"), record_ids.c.registry_id == bindparam("id"))
)
_LINE = (versions.c.record == bindparam("of_record"), versions.c.source == bindparam("of_source"))
_LAST_POSITION = select(func.max(versions.c.position)).where(*_LINE)
_AT_POSITION = select(versions.c.number, versions.c.raw_sha256, versions.c.pruned).where(
    *_LINE, versions.c.position == bindparam("at_position")
)
_NEW_HEAD = (
    update(records)
    .where(records.c.id == bindparam("of_record"))
    .values({name: bindparam(name) for name in ("head_version", "head_raw_hash", "head_content_hash", "title")})
)
_OTHER_BYTES = (
    update(records).where(records.c.id == bindparam("of_record")).values(head_raw_hash=bindparam("head_raw_hash"))
)
_INSERT_RECORD = insert(records).returning(records.c.id)
_INSERT_ID = insert(record_ids)
_INSERT_VERSION = insert(versions)
"""Built once: every changed record runs through these, and building one costs as much as running it."""


class _Base(Struct, frozen=True):
    """The stored version that a new one is a delta on, and the SHA-256 of its bytes."""

    number: int
    sha256: bytes


class _NewRecord(Struct, frozen=True):
    """A record of which nothing was stored yet, as `_RECORD` would give it."""

    id: int
    head_version: int | None = None
    head_content_hash: bytes | None = None
    head_release: str | None = None
    head_source: str | None = None


def append(
    connection: Connection, observation: Observation, expected_head: int | None, head_raw: bytes | None = None
) -> int:
    """Store `observation` as its record's next version, and return its number.

    `expected_head` is the version that it was compared with (`Head.version`; not looked at for what is back-filled),
    `head_raw` its bytes where the caller has them at hand, which spares reading them again.
    Where the head already has this content, its number is returned and nothing is stored; likewise for a version of the
    registry's history that is stored already. (Back-filled versions are not compared with their neighbours: one that
    belongs between them may still come.)
    Raises HeadMoved, OlderRelease; ValueError for what is observed without a release.
    """
    chain = lock_chain(connection)
    record = _record_of(connection, observation)
    if order.is_back_filled(observation.source):
        stored = _filled_already(connection, record.id, observation)
        return stored or _store(connection, chain, record, observation, head_raw)
    _check_head(record, observation, expected_head)
    if record.head_content_hash == observation.content_hash:
        connection.execute(_OTHER_BYTES, {"of_record": record.id, "head_raw_hash": observation.raw_hash})
        return int(record.head_version)
    number = _store(connection, chain, record, observation, head_raw)
    connection.execute(_NEW_HEAD, _head_values(record.id, number, observation))
    return number


def _head_values(record: int, number: int, observation: Observation) -> dict[str, object]:
    return {
        "of_record": record,
        "head_version": number,
        "head_raw_hash": observation.raw_hash,
        "head_content_hash": observation.content_hash,
        "title": observation.title,
    }


def _record_of(connection: Connection, observation: Observation) -> Any:
    wanted = {"registry": observation.registry, "id": observation.registry_id}
    row = connection.execute(_RECORD, wanted).one_or_none()
    return _create_record(connection, observation) if row is None else row


def _create_record(connection: Connection, observation: Observation) -> _NewRecord:
    naming = {"registry": observation.registry, "registry_id": observation.registry_id}
    said = {"title": observation.title, "first_seen_at": observation.observed_at}
    record = connection.execute(_INSERT_RECORD, {**naming, **said}).scalar_one()
    connection.execute(_INSERT_ID, {**naming, "record": record})
    return _NewRecord(record)


def _check_head(record: Any, observation: Observation, expected: int | None) -> None:
    if observation.release is None:
        raise ValueError(f"{observation.registry_id}: what is observed has a release")
    if record.head_version != expected:
        raise HeadMoved(observation.registry_id, expected, record.head_version)
    if record.head_release is not None and observation.release < record.head_release:
        raise OlderRelease(
            f"{observation.registry_id}: release {observation.release} is older than {record.head_release}, "
            "which was seen already"
        )


def _filled_already(connection: Connection, record: int, observation: Observation) -> int | None:
    v = versions.c
    same = [v.record == record, v.source == observation.source, v.content_hash == observation.content_hash]
    if observation.registry_version is not None:
        same.append(v.registry_version == observation.registry_version)
    else:
        same.append(v.registry_date == observation.registry_date)
    return connection.execute(select(v.number).where(*same).limit(1)).scalar()


def _store(
    connection: Connection, chain: ChainHead, record: Any, observation: Observation, head_raw: bytes | None
) -> int:
    position, base = _place(connection, record, observation.source)
    base_raw = None if base is None else _base_bytes(connection, base, head_raw)
    dictionary = dictionaries.newest(connection) if base is None else None
    sha256 = hashlib.sha256(observation.raw).digest()
    link = _link(chain.number + 1, observation, sha256)
    head = advance(connection, chain, link)
    values = {
        "number": head.number,
        "record": record.id,
        "registry_id": link.registry_id,
        "source": link.source,
        "release": link.release,
        "registry_date": link.registry_date,
        "registry_version": link.registry_version,
        "observed_at": link.observed_at,
        "content_hash": link.content_hash,
        "raw_sha256": sha256,
        "raw_size": len(observation.raw),
        "chain_hash": head.hash,
        "position": position,
        "base": None if base is None else base.number,
        "dictionary": dictionary.number if dictionary else None,
        "data": codec.encode(observation.raw, base_raw, dictionary.opened if dictionary else None),
    }
    connection.execute(_INSERT_VERSION, values)
    return head.number


def _link(number: int, observation: Observation, sha256: bytes) -> Link:
    return Link(
        number=number,
        registry=observation.registry,
        registry_id=observation.registry_id,
        raw_sha256=sha256,
        content_hash=observation.content_hash,
        source=observation.source,
        release=observation.release,
        registry_date=observation.registry_date,
        registry_version=observation.registry_version,
        observed_at=observation.observed_at,
    )


def _place(connection: Connection, record: Any, source: str) -> tuple[int, _Base | None]:
    """The next place among the record's versions of this source, and the version to store against.

    Sources differ in form from end to end, so each has a line of its own; the head is the last of its own line.
    """
    if isinstance(record, _NewRecord):
        return 0, None
    line = {"of_record": record.id, "of_source": source}
    last = record.head_position if record.head_source == source else connection.execute(_LAST_POSITION, line).scalar()
    position = 0 if last is None else last + 1
    base = codec.base_position(position)
    if base is None:
        return position, None
    if record.head_source == source and base == record.head_position:
        return position, _Base(record.head_version, record.head_sha256)
    return position, _kept_base(connection, line, position)


def _kept_base(connection: Connection, line: dict[str, object], position: int) -> _Base | None:
    """The best version of the line to store against that was not pruned."""
    for place in codec.earlier_bases(position):
        row = connection.execute(_AT_POSITION, {**line, "at_position": place}).one()
        if row.pruned is None:
            return _Base(row.number, row.raw_sha256)
    return None


def _base_bytes(connection: Connection, base: _Base, head_raw: bytes | None) -> bytes:
    if head_raw is not None and hashlib.sha256(head_raw).digest() == base.sha256:
        return head_raw
    return read_version(connection, base.number)
