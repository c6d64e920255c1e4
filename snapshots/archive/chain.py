"""Was the archive altered since its head was known elsewhere? A hash chain over all appends, in append order.

The hash after append n is the SHA-256 of this JSON array, as UTF-8 without white space (hashes in lower-case hex; the
hash before the first append is 64 zeros):

    ["trialdelta-chain-1", hash after append n-1, n, digest of what was appended]

and that digest the SHA-256 of this one (times RFC 3339 in UTC with six decimals and "Z"):

    ["trialdelta-link-1", n, registry, id, SHA-256 of the raw bytes, content hash, source, release or null,
     registry date or null, registry's version number or null, observed at]

Two steps, so that an export of one record can carry the chain past the appends of other records by their digests alone.

It proves that, and no more: not that what the registry said was true, nor that nothing was cut off after the head that
is known elsewhere.
"""

import hashlib
import re
from collections.abc import Iterator
from datetime import UTC, datetime

import msgspec
from msgspec import Struct
from sqlalchemy import Connection, RowMapping, bindparam, select, update

from snapshots.archive.tables import chain, records, versions
from snapshots.database import insert_if_absent

FORM = "trialdelta-chain-1"
LINK_FORM = "trialdelta-link-1"
START = bytes(32)
BATCH = 500

_HEAD = select(chain.c.number, chain.c.hash).where(chain.c.id == 1)
_HEAD_LOCKED = _HEAD.with_for_update()
_ADVANCE = (
    update(chain)
    .where(chain.c.id == 1, chain.c.number == bindparam("was"))
    .values(number=bindparam("number"), hash=bindparam("hash"))
)


class ChainHead(Struct, frozen=True):
    """The last append: its number (0: none yet) and hash."""

    number: int
    hash: bytes

    @property
    def short(self) -> str:
        """The first 12 hex digits, as messages print them."""
        return self.hash.hex()[:12]


class Link(Struct, frozen=True, kw_only=True):
    """What the hash of one append binds together."""

    number: int
    registry: str
    registry_id: str
    raw_sha256: bytes
    content_hash: bytes
    source: str
    release: str | None
    registry_date: str | None
    registry_version: int | None
    observed_at: datetime


def link_digest(link: Link) -> bytes:
    """What stands in the chain for one append: it binds the link's facts together without saying them."""
    moment = link.observed_at.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
    bound = [
        LINK_FORM,
        link.number,
        link.registry,
        link.registry_id,
        link.raw_sha256.hex(),
        link.content_hash.hex(),
        link.source,
        link.release,
        link.registry_date,
        link.registry_version,
        moment,
    ]
    return hashlib.sha256(msgspec.json.encode(bound)).digest()


def chained(previous: bytes, number: int, digest: bytes) -> bytes:
    """The chain's hash after append `number`, after an append whose hash was `previous`."""
    return hashlib.sha256(msgspec.json.encode([FORM, previous.hex(), number, digest.hex()])).digest()


def link_hash(previous: bytes, link: Link) -> bytes:
    """The chain's hash at `link`, after an append whose hash was `previous`."""
    return chained(previous, link.number, link_digest(link))


def chain_head(connection: Connection) -> ChainHead:
    """The archive's head; number 0 where nothing was appended yet."""
    return _head(connection, lock=False) or ChainHead(0, START)


def lock_chain(connection: Connection) -> ChainHead:
    """The head, kept from all other writers until this transaction ends: appends queue up here, they never fork."""
    head = _head(connection, lock=True)
    if head is None:
        # two first appends at once: the second waits here for the first
        insert_if_absent(connection, chain, {"id": 1, "number": 0, "hash": START})
        head = _head(connection, lock=True)
    return head or ChainHead(0, START)


def hold_chain(connection: Connection) -> None:
    """As `lock_chain`, where nobody asks for the head: a transaction that writes is alone on SQLite anyway."""
    if connection.dialect.name != "sqlite":
        lock_chain(connection)


def advance(connection: Connection, head: ChainHead, link: Link) -> ChainHead:
    """Put `link` after `head`. The caller holds the chain (`lock_chain`), so the head cannot have moved."""
    following = ChainHead(link.number, link_hash(head.hash, link))
    moved = connection.execute(_ADVANCE, {"was": head.number, "number": following.number, "hash": following.hash})
    if moved.rowcount != 1:
        raise AssertionError(f"the chain moved on from append {head.number} while it was held")
    return following


def find_append(connection: Connection, hash_prefix: str) -> int | None:
    """The number of the append whose chain hash begins with these hex digits (the 12 that messages print, say); None
    where this archive never had such a head. Raises ValueError for what is not hex or too short to tell heads apart.
    """
    digits = hash_prefix.strip().lower()
    if not re.fullmatch("[0-9a-f]{8,64}", digits):
        raise ValueError(f"not the head of an archive (8 to 64 hex digits): {hash_prefix!r}")
    low, high = (bytes.fromhex(digits.ljust(64, filler)) for filler in "0f")
    found = (
        select(versions.c.number).where(versions.c.chain_hash.between(low, high)).order_by(versions.c.number).limit(1)
    )
    return connection.execute(found).scalar()


class Digest(Struct, frozen=True):
    """One append as the chain has it: its number, the digest of what was appended, the chain's hash after it."""

    number: int
    digest: bytes
    chain_hash: bytes


def digests(connection: Connection, first: int) -> Iterator[Digest]:
    """Every append from number `first` on, in append order: what carries the chain on to its head."""
    for row in _links(connection, first - 1):
        yield Digest(row["number"], link_digest(_link(row)), row["chain_hash"])


def verify_links(connection: Connection) -> Iterator[str]:
    """What is wrong with the chain's links, the bytes not looked at; nothing where every link holds."""
    head, expected = START, 1
    for row in _links(connection):
        if row["number"] != expected:
            yield f"append {expected} is missing"
        if link_hash(head, _link(row)) != row["chain_hash"]:
            yield f"append {row['number']} ({row['registry_id']}) is not what was appended: its chain hash differs"
        head, expected = row["chain_hash"], row["number"] + 1
    last = chain_head(connection)
    if (last.number, last.hash) != (expected - 1, head):
        yield f"the chain's head names append {last.number}, the last one stored is {expected - 1}"


def _links(connection: Connection, after: int = 0) -> Iterator[RowMapping]:
    v = versions.c
    wanted = (
        select(
            v.number,
            records.c.registry,
            v.registry_id,
            v.raw_sha256,
            v.content_hash,
            v.source,
            v.release,
            v.registry_date,
            v.registry_version,
            v.observed_at,
            v.chain_hash,
        )
        .join(records, records.c.id == v.record)
        .order_by(v.number)
        .limit(BATCH)
    )
    while rows := connection.execute(wanted.where(v.number > after)).mappings().all():
        yield from rows
        after = rows[-1]["number"]


def _link(row: RowMapping) -> Link:
    return Link(**{field: row[field] for field in Link.__struct_fields__})


def _head(connection: Connection, *, lock: bool) -> ChainHead | None:
    row = connection.execute(_HEAD_LOCKED if lock else _HEAD).one_or_none()
    return ChainHead(row.number, row.hash) if row else None
