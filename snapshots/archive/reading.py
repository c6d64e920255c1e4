"""What a record said, version by version: never altered, given back byte for byte."""

import hashlib
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from msgspec import Struct
from sqlalchemy import ColumnElement, Connection, Row, bindparam, or_, select

from snapshots.archive import codec, dictionaries, order
from snapshots.archive.records import Record, find_record
from snapshots.archive.tables import dictionaries as dictionary_rows
from snapshots.archive.tables import prunings, records
from snapshots.archive.tables import versions as stored


class VersionInfo(Struct, frozen=True, kw_only=True):
    """One stored version without its bytes. `number` is its place in the chain of appends, and its name everywhere;
    `registry_id` the id under which it was received. Where its bytes were taken away on purpose, `pruned_at` (aware
    UTC) and `pruned_by` say when and by whom.
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
    pruned_at: datetime | None = None
    pruned_by: str | None = None

    @property
    def pruned(self) -> str | None:
        """What became of its bytes, where they are gone: "pruned on 2026-11-22 by alice"; None where they are kept."""
        return None if self.pruned_at is None else pruned_words(self.pruned_at, self.pruned_by)


class AsOf(Struct, frozen=True):
    """The version that stood on a date, and by which of its dates that was decided: `dated_by` is "release" or
    "registry date", `date` that date.
    """

    version: VersionInfo
    dated_by: str
    date: str


class Unreadable(Exception):  # noqa: N818  # it says what is so
    """The bytes of `version` cannot be given; `why` says what is so."""

    def __init__(self, version: int, why: str) -> None:
        super().__init__(f"version {version} cannot be read: {why}")
        self.version = version
        self.why = why


class Corrupt(Unreadable):
    """The stored bytes of `version` are not those that were appended; `why` says what is wrong, and where."""


class Pruned(Unreadable):
    """The bytes of `version` were taken away on purpose; `why` says when and by whom."""


class NoSuchVersion(LookupError):  # noqa: N818  # it says what happened
    """The archive has no version of that number."""


_FORM = ("number", "position", "base", "raw_sha256", "raw_size", "data", "dictionary", "pruned")


def _beside(form: Any) -> Any:
    """The rows of `form`, each with the dictionary it needs and, where its bytes are gone, who took them."""
    facts = (dictionary_rows.c.sha256.label("dictionary_sha256"), prunings.c.pruned_at, prunings.c.pruned_by)
    return (
        select(*form.c, *facts)
        .outerjoin(dictionary_rows, dictionary_rows.c.id == form.c.dictionary)
        .outerjoin(prunings, prunings.c.id == form.c.pruned)
    )


_FORMS = select(*(stored.c[name] for name in _FORM))
_START = _FORMS.where(stored.c.number == bindparam("number")).cte("bases", recursive=True)
_BASES = _beside(_START.union_all(_FORMS.where(stored.c.number == _START.c.base)))
_OTHER_FACTS: dict[str, Any] = {
    "registry": records.c.registry,
    "pruned_at": prunings.c.pruned_at,
    "pruned_by": prunings.c.pruned_by,
}
_INFO = (
    select(*(_OTHER_FACTS[name] if name in _OTHER_FACTS else stored.c[name] for name in VersionInfo.__struct_fields__))
    .join(records, records.c.id == stored.c.record)
    .outerjoin(prunings, prunings.c.id == stored.c.pruned)
)


def stored_forms(*conditions: Any, most: int) -> Any:
    """The query for how versions are stored: up to `most` of those that fit, each row as `decoded` takes it."""
    chosen = _FORMS.where(*conditions).order_by(stored.c.position, stored.c.number).limit(most).subquery()
    return _beside(chosen).order_by(chosen.c.position, chosen.c.number)


def read_version(connection: Connection, number: int) -> bytes:
    """The exact bytes of version `number`. Raises Pruned, Corrupt naming it, NoSuchVersion."""
    links = {row.number: row for row in connection.execute(_BASES, {"number": number})}
    if number not in links:
        raise NoSuchVersion(f"there is no version {number}")
    if links[number].pruned is not None:
        raise Pruned(number, f"it was {pruned_words(links[number].pruned_at, links[number].pruned_by)}")
    raw: bytes | None = None
    for row in reversed(list(_bases(number, links))):
        raw = decoded(connection, number, row, raw)
    return raw or b""


def _bases(number: int, links: Mapping[int, Row[Any]]) -> Iterator[Row[Any]]:
    at: int | None = number
    while at is not None:
        if at not in links:
            raise Corrupt(number, f"version {at}, which it is stored against, is missing")
        yield links[at]
        at = links[at].base


def pruned_words(at: datetime | None, by: str | None) -> str:
    """When a version's bytes were taken away, and by whom; also where nothing says so any more."""
    return f"pruned on {at:%Y-%m-%d} by {by}" if at else "pruned, it is not known when"


def decoded(connection: Connection, number: int, row: Row[Any], base: bytes | None) -> bytes:
    """The bytes of the stored `row` (`stored_forms`), read for the sake of version `number`. Raises Corrupt naming
    that.
    """
    where = "" if row.number == number else f"version {row.number}, which it is stored against: "
    try:
        by = None if row.dictionary is None else dictionaries.opened(connection, row.dictionary, row.dictionary_sha256)
        raw = codec.decode(row.data, base, row.raw_size, by)
    except (codec.DecodeError, dictionaries.DictionaryTrouble) as error:
        raise Corrupt(number, f"{where}{error}") from error
    if hashlib.sha256(raw).digest() != row.raw_sha256:
        raise Corrupt(number, f"{where}the SHA-256 of its bytes is not that of the bytes received")
    return raw


def versions(connection: Connection, registry: str, registry_id: str, *, merged: bool = True) -> list[VersionInfo]:
    """The versions of a record (by any of its ids) in history order, with those of records merged into it unless they
    are not wanted: across a merge nothing is compared.
    """
    return _selected(connection, registry, registry_id, merged=merged)


def versions_of(connection: Connection, record: Record) -> list[VersionInfo]:
    """The versions of this very record in history order; also of one that was merged into another."""
    return _of_rows(connection, records.c.id == record.id)


def newest_version(connection: Connection, record: Record) -> VersionInfo | None:
    """What the record says now: the version that was observed last, of one that was only back-filled the last one of
    its history; never one of a record that was merged into it. None where none is stored.
    """
    if record.head_version is not None:
        return version_info(connection, record.head_version)
    return next(reversed(versions_of(connection, record)), None)


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
    return _of_rows(connection, or_(itself, records.c.merged_into == record.id) if merged else itself)


def _of_rows(connection: Connection, wanted: ColumnElement[bool]) -> list[VersionInfo]:
    found = [VersionInfo(**row) for row in connection.execute(_INFO.where(wanted)).mappings()]
    return sorted(found, key=order.history_key)
