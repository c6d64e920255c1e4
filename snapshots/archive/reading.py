"""What a record said, version by version: never altered, given back byte for byte."""

import hashlib
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from msgspec import Struct
from sqlalchemy import Connection, Row, bindparam, or_, select

from snapshots.archive import codec, order
from snapshots.archive.records import find_record
from snapshots.archive.tables import records
from snapshots.archive.tables import versions as stored


class VersionInfo(Struct, frozen=True, kw_only=True):
    """One stored version without its bytes. `number` is its place in the chain of appends, and its name everywhere;
    `registry_id` the id under which it was received.
    """

    number: int
    registry: str
    registry_id: str
    source: str
    release: str | None
    registry_date: str | None
    registry_version: int | None
    observed_at: datetime
    content_hash: bytes
    raw_sha256: bytes
    raw_size: int
    chain_hash: bytes


class AsOf(Struct, frozen=True):
    """The version that stood on a date, and by which of its dates that was decided: `dated_by` is "release" or
    "registry date", `date` that date.
    """

    version: VersionInfo
    dated_by: str
    date: str


class Corrupt(Exception):  # noqa: N818  # it says what happened
    """The stored bytes of `version` are not those that were appended; `why` says what is wrong, and where."""

    def __init__(self, version: int, why: str) -> None:
        super().__init__(f"version {version} cannot be read: {why}")
        self.version = version
        self.why = why


class NoSuchVersion(LookupError):  # noqa: N818  # it says what happened
    """The archive has no version of that number."""


STORED = select(
    stored.c.number, stored.c.position, stored.c.base, stored.c.raw_sha256, stored.c.raw_size, stored.c.data
)
_BASES_CTE = STORED.where(stored.c.number == bindparam("number")).cte("bases", recursive=True)
_BASES = select(_BASES_CTE.union_all(STORED.where(stored.c.number == _BASES_CTE.c.base)))
_INFO = select(
    *(records.c.registry if field == "registry" else stored.c[field] for field in VersionInfo.__struct_fields__)
).join(records, records.c.id == stored.c.record)


def read_version(connection: Connection, number: int) -> bytes:
    """The exact bytes of version `number`. Raises Corrupt naming it, NoSuchVersion."""
    links = {row.number: row for row in connection.execute(_BASES, {"number": number})}
    if number not in links:
        raise NoSuchVersion(f"there is no version {number}")
    raw: bytes | None = None
    for row in reversed(list(_bases(number, links))):
        raw = decoded(number, row, raw)
    return raw or b""


def _bases(number: int, links: Mapping[int, Row[Any]]) -> Iterator[Row[Any]]:
    at: int | None = number
    while at is not None:
        if at not in links:
            raise Corrupt(number, f"version {at}, which it is stored against, is missing")
        yield links[at]
        at = links[at].base


def decoded(number: int, row: Row[Any], base: bytes | None) -> bytes:
    """The bytes of the stored `row` (`STORED`), read for the sake of version `number`. Raises Corrupt naming that."""
    where = "" if row.number == number else f"version {row.number}, which it is stored against: "
    try:
        raw = codec.decode(row.data, base, row.raw_size)
    except codec.DecodeError as error:
        raise Corrupt(number, f"{where}{error}") from error
    if hashlib.sha256(raw).digest() != row.raw_sha256:
        raise Corrupt(number, f"{where}the SHA-256 of its bytes is not that of the bytes received")
    return raw


def versions(connection: Connection, registry: str, registry_id: str, *, merged: bool = True) -> list[VersionInfo]:
    """The versions of a record (by any of its ids) in history order, with those of records merged into it unless they
    are not wanted: across a merge nothing is compared.
    """
    return _selected(connection, registry, registry_id, merged=merged)


def version_info(connection: Connection, number: int) -> VersionInfo:
    """What is known of version `number` without its bytes. Raises NoSuchVersion."""
    row = connection.execute(_INFO.where(stored.c.number == number)).mappings().one_or_none()
    if row is None:
        raise NoSuchVersion(f"there is no version {number}")
    return VersionInfo(**row)


def version_as_of(connection: Connection, registry: str, registry_id: str, date: str) -> AsOf | None:
    """The version of a record (by any of its ids) that stood on the ISO `date`; None: nothing is known of that time.

    A record that another was merged into answers with its own versions.
    """
    version = order.as_of(_selected(connection, registry, registry_id, merged=False), date)
    if version is None:
        return None
    dated_by = "registry date" if order.is_back_filled(version.source) else "release"
    return AsOf(version, dated_by, order.history_date(version))


def _selected(connection: Connection, registry: str, registry_id: str, *, merged: bool) -> list[VersionInfo]:
    record = find_record(connection, registry, registry_id)
    if record is None:
        return []
    itself = records.c.id == record.id
    wanted = or_(itself, records.c.merged_into == record.id) if merged else itself
    found = [VersionInfo(**row) for row in connection.execute(_INFO.where(wanted)).mappings()]
    return sorted(found, key=order.history_key)
