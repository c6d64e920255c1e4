"""What do whole versions have in common? Dictionaries trained on this archive's own records, kept for ever.

A dictionary holds fragments of records. It is read back byte for byte, like the versions that need it.
"""

import hashlib
from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime
from threading import Lock
from typing import Any

from msgspec import Struct
from sqlalchemy import Connection, bindparam, insert, select

from snapshots.archive import codec
from snapshots.archive.tables import dictionaries, versions

KEPT_OPEN = 4
"""Opening one takes a millisecond; few are in use at a time."""


class DictionaryTrouble(Exception):  # noqa: N818  # it says what is so
    """A dictionary is missing, or is not the one that was stored; the message says which and why."""


class Dictionary(Struct, frozen=True):
    """A stored dictionary: its number, the SHA-256 of its bytes, and those as `codec` takes them."""

    number: int
    sha256: bytes
    opened: Any


_NEWEST = select(dictionaries.c.id, dictionaries.c.sha256).order_by(dictionaries.c.id.desc()).limit(1)
_STORED = select(dictionaries.c.size, dictionaries.c.sha256, dictionaries.c.data).where(
    dictionaries.c.id == bindparam("number")
)
_open: dict[bytes, Any] = {}
_lock = Lock()


def newest(connection: Connection) -> Dictionary | None:
    """The one to store whole versions by; None before the first repacking, and where it is damaged: what is appended
    must not suffer from what `verify` tells.
    """
    row = connection.execute(_NEWEST).one_or_none()
    if row is None:
        return None
    with suppress(DictionaryTrouble, codec.DecodeError):
        return Dictionary(row.id, row.sha256, opened(connection, row.id, row.sha256))
    return None


def opened(connection: Connection, number: int, sha256: bytes | None) -> Any:
    """Dictionary `number`, whose bytes have this SHA-256 (None: no row says so), as `codec` takes it.

    Raises DictionaryTrouble.
    """
    if sha256 is None:
        raise DictionaryTrouble(f"dictionary {number} is missing")
    if sha256 not in _open:
        made = codec.opened(_content(connection, number))
        with _lock:
            while len(_open) >= KEPT_OPEN:
                del _open[next(iter(_open))]
            _open[sha256] = made
    return _open.get(sha256) or codec.opened(_content(connection, number))


def store(connection: Connection, content: bytes, now: datetime) -> Dictionary:
    """Keep a trained dictionary; whole versions that are appended from now on are stored by it."""
    sha256 = hashlib.sha256(content).digest()
    row = {"created_at": now, "sha256": sha256, "size": len(content), "data": packed(content)}
    number = connection.execute(insert(dictionaries).values(row).returning(dictionaries.c.id)).scalar_one()
    return Dictionary(number, sha256, codec.opened(content))


def packed(content: bytes) -> bytes:
    """A dictionary as it is stored."""
    return codec.encode(content, None, level=codec.BEST_LEVEL)


def verify(connection: Connection) -> Iterator[str]:
    """What is wrong with the stored dictionaries, one sentence each."""
    for number in connection.execute(select(dictionaries.c.id).order_by(dictionaries.c.id)).scalars().all():
        try:
            codec.opened(_content(connection, number))
        except (DictionaryTrouble, codec.DecodeError) as error:
            yield f"dictionary {number} cannot be used: {error}"
    needed = select(versions.c.dictionary).where(versions.c.dictionary.is_not(None)).distinct()
    lost = needed.where(versions.c.dictionary.not_in(select(dictionaries.c.id)))
    for number in connection.execute(lost).scalars():
        yield f"dictionary {number} is missing, and versions are stored by it"


def _content(connection: Connection, number: int) -> bytes:
    row = connection.execute(_STORED, {"number": number}).one_or_none()
    if row is None:
        raise DictionaryTrouble(f"dictionary {number} is missing")
    try:
        content = codec.decode(row.data, None, row.size)
    except codec.DecodeError as error:
        raise DictionaryTrouble(f"dictionary {number}: {error}") from error
    if hashlib.sha256(content).digest() != row.sha256:
        raise DictionaryTrouble(f"the SHA-256 of dictionary {number} is not the one that was stored")
    return content
