"""The long texts that changes quote, kept once each: what replaced a text is stored as what differs from it.

A criteria text of 40 KB that is edited 200 times would else be stored 400 times, whole. A change that quotes long texts
is stored as a JSON array: the change with nulls in their places, then each place and the number of its text. A change
in JSON is always an object, so that nothing a registry says can be taken for such a reference. Short texts stay where
they are, and so does whatever was stored before there was this.
"""

import hashlib
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

import msgspec
from msgspec import Struct
from sqlalchemy import Column, Connection, Row, Select, bindparam, insert, select

from snapshots.archive import codec
from snapshots.archive.chain import hold_chain
from snapshots.archive.reading import Corrupt
from snapshots.archive.tables import changes as change_rows
from snapshots.archive.tables import texts as stored

Json = Any
Place = tuple[str | int, ...]
"""Where a text stands in a change: ("before",), ("after", "description"), ("after", 3, "title")."""

LONG = 300
"""Characters from which on a text is kept apart. One costs about 150 bytes beside its own, with its hash and index."""
ROWS_AT_ONCE = 5000
VERIFIED_AT_ONCE = 200


class CorruptChange(Corrupt):
    """A stored change cannot be read; `change` is its id, `why` says what is wrong. It is about no version (0)."""

    def __init__(self, change: int, why: str) -> None:
        Exception.__init__(self, f"change {change} cannot be read: {why}")
        self.version, self.change, self.why = 0, change, why


class Quoting(Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    """A change as it is stored where it quotes long texts: with null in their places, and the number of each."""

    change: dict[str, Json]
    texts: tuple[tuple[Place, int], ...]


class Read(Struct, frozen=True):
    """Texts by their numbers; `lost` says of those that cannot be read why."""

    found: Mapping[int, str]
    lost: Mapping[int, str]


class _Quote(Struct, frozen=True):
    """A long text to keep, and the one that it replaces."""

    text: str
    replaces: str | None = None


class _Row(Struct, frozen=True):
    id: int
    position: int


class _Summed(Struct):
    summary: str


class _SummedQuoting(Struct, array_like=True):
    change: _Summed


_READER = msgspec.json.Decoder(Quoting | dict[str, Json])
_SUMMED = msgspec.json.Decoder(_Summed)
_SUMMED_QUOTING = msgspec.json.Decoder(_SummedQuoting)
_BY_HASH = select(stored.c.sha256, stored.c.id, stored.c.position).where(
    stored.c.sha256.in_(bindparam("hashes", expanding=True))
)
_WANTED = (
    select(stored.c.id, stored.c.base)
    .where(stored.c.id.in_(bindparam("ids", expanding=True)))
    .cte("wanted", recursive=True)
)
_LINES = _WANTED.union(select(stored.c.id, stored.c.base).join(_WANTED, _WANTED.c.base == stored.c.id))
_WITH_BASES = select(stored).where(stored.c.id.in_(select(_LINES.c.id))).order_by(stored.c.id)
_INSERT = insert(stored).returning(stored.c.id)
"""Built once, as in `appending`."""


# --- writing ----------------------------------------------------------------------------------------------------------


def put_away(connection: Connection, told: Sequence[dict[str, Json]]) -> list[str]:
    """Each of these changes as it is stored; the long texts that they quote are kept."""
    places = [dict(_long_texts(change)) for change in told]
    numbers = _keep(connection, [quote for quoted in places for quote in _quotes(quoted)])
    return [_encoded(change, quoted, numbers) for change, quoted in zip(told, places, strict=True)]


def _encoded(change: dict[str, Json], quoted: Mapping[Place, str], numbers: Mapping[bytes, _Row]) -> str:
    if not quoted:
        return msgspec.json.encode(change).decode()
    emptied = {name: _emptied(value, (name,), quoted) for name, value in change.items()}
    references = tuple((place, numbers[_hash(text)].id) for place, text in quoted.items())
    return msgspec.json.encode(Quoting(emptied, references)).decode()


def _long_texts(change: dict[str, Json]) -> Iterator[tuple[Place, str]]:
    for side in ("before", "after"):
        yield from _long_in(change.get(side), (side,))


def _long_in(value: Json, place: Place) -> Iterator[tuple[Place, str]]:
    if isinstance(value, str):
        if len(value) >= LONG:
            yield place, value
    elif isinstance(value, dict):
        for name, inner in value.items():
            yield from _long_in(inner, (*place, name))
    elif isinstance(value, (list, tuple)):
        for number, inner in enumerate(value):
            yield from _long_in(inner, (*place, number))


def _quotes(quoted: Mapping[Place, str]) -> Iterator[_Quote]:
    """What was replaced comes before what replaces it."""
    for place, text in quoted.items():
        yield _Quote(text, quoted.get(("before", *place[1:])) if place[0] == "after" else None)


def _emptied(value: Json, place: Place, quoted: Mapping[Place, str]) -> Json:
    if place in quoted:
        return None
    if isinstance(value, dict):
        return {name: _emptied(inner, (*place, name), quoted) for name, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [_emptied(inner, (*place, number), quoted) for number, inner in enumerate(value)]
    return value


def _keep(connection: Connection, quotes: Sequence[_Quote]) -> dict[bytes, _Row]:
    """Number and place in line of each text, by its hash.

    Those who keep texts queue up where those who append do: two at once would wait for each other's texts.
    """
    if not quotes:
        return {}
    hold_chain(connection)
    hashes = list({_hash(quote.text) for quote in quotes})
    kept: dict[bytes, _Row] = {}
    for some in _batches(hashes):
        rows = connection.execute(_BY_HASH, {"hashes": some})
        kept.update({bytes(row.sha256): _Row(row.id, row.position) for row in rows})
    for quote in quotes:
        own = _hash(quote.text)
        if own not in kept:
            kept[own] = _insert(connection, quote, kept[_hash(quote.replaces)] if quote.replaces else None)
    return kept


def _insert(connection: Connection, quote: _Quote, replaced: _Row | None) -> _Row:
    raw = quote.text.encode()
    position, base, base_raw = _base_of(connection, quote.replaces or "", replaced)
    values = {
        "sha256": hashlib.sha256(raw).digest(),
        "size": len(raw),
        "position": position,
        "base": base,
        "data": codec.encode(raw, base_raw),
    }
    return _Row(connection.execute(_INSERT, values).scalar_one(), position)


def _base_of(connection: Connection, text: str, replaced: _Row | None) -> tuple[int, int | None, bytes | None]:
    """The place in line of what replaces `text`, and what it is stored against: as with versions (`codec`), but that
    several texts may follow on one. The base is always among those that the replaced one is stored against.
    """
    if replaced is None:
        return 0, None, None
    position = replaced.position + 1
    base = codec.base_position(position)
    if base == replaced.position:
        return position, replaced.id, text.encode()
    if base is None:
        return position, None, None
    rows = connection.execute(_WITH_BASES, {"ids": [replaced.id]}).all()
    raws, _ = _decoded(rows)
    for row in rows:
        if row.position == base and row.id in raws:
            return position, row.id, raws[row.id]
    # what is damaged is found by `doctor`; it must cost room, not the step
    return 0, None, None


# --- reading ----------------------------------------------------------------------------------------------------------


def opened(row: str) -> Quoting:
    """A change as it is stored, with the texts that it quotes. Raises ValueError for what is no change."""
    try:
        found = _READER.decode(row)
    except (msgspec.MsgspecError, RecursionError) as error:
        raise ValueError(f"what is stored is no change: {error}") from error
    return found if isinstance(found, Quoting) else Quoting(found, ())


def summary(row: str) -> str:
    """What happened in one sentence, of a change as it is stored: the rest of it is passed over. Raises ValueError for
    what is no change.
    """
    try:
        return _SUMMED_QUOTING.decode(row).change.summary if row.startswith("[") else _SUMMED.decode(row).summary
    except (msgspec.MsgspecError, RecursionError) as error:
        raise ValueError(f"what is stored is no change: {error}") from error


def read(connection: Connection, numbers: Collection[int]) -> Read:
    """These texts, with one query however many there are (some thousands at least)."""
    found: dict[int, str] = {}
    lost: dict[int, str] = {}
    for some in _batches(sorted(numbers)):
        raws, unreadable = _decoded(connection.execute(_WITH_BASES, {"ids": some}).all())
        found.update({number: raws[number].decode() for number in some if number in raws})
        lost.update({number: unreadable.get(number, f"text {number} is missing") for number in some})
    return Read(found, {number: why for number, why in lost.items() if number not in found})


def filled(change: Quoting, texts: Read) -> Json:
    """The change with its texts in their places. Raises ValueError where one of them cannot be had."""
    for place, number in change.texts:
        if number in texts.lost:
            raise ValueError(texts.lost[number])
        try:
            _put(change.change, place, texts.found[number])
        except (LookupError, TypeError) as error:
            raise ValueError(f"it has no place {list(place)} for text {number}") from error
    return change.change


def _put(value: Json, place: Place, text: str) -> None:
    for part in place[:-1]:
        value = value[part]
    if value[place[-1]] is not None:
        raise TypeError
    value[place[-1]] = text


def _decoded(rows: Sequence[Row[Any]]) -> tuple[dict[int, bytes], dict[int, str]]:
    """The bytes of stored texts, given with all that they are stored against in order of number; and why others lack
    theirs.
    """
    raws: dict[int, bytes] = {}
    lost: dict[int, str] = {}
    for row in rows:
        if row.base is not None and row.base not in raws:
            lost[row.id] = f"text {row.base}, which text {row.id} is stored against, cannot be read"
            continue
        try:
            raws[row.id] = _checked(row, raws.get(row.base))
        except ValueError as error:
            lost[row.id] = f"text {row.id}: {error}"
    return raws, lost


def _checked(row: Row[Any], base: bytes | None) -> bytes:
    try:
        raw = codec.decode(row.data, base, row.size)
    except codec.DecodeError as error:
        raise ValueError(str(error)) from error
    if hashlib.sha256(raw).digest() != row.sha256:
        raise ValueError("the SHA-256 of its bytes is not that of the text that was kept")
    return raw


def verify_texts(connection: Connection) -> Iterator[str]:
    """What is wrong with the texts that changes quote, and with the changes that quote them, one sentence each."""
    lost: dict[int, str] = {}
    known: set[int] = set()
    for rows in _portions(connection, select(stored.c.id), stored.c.id):
        numbers = [row.id for row in rows]
        known.update(numbers)
        lost.update(read(connection, numbers).lost)
    quoted: set[int] = set()
    quoting = select(change_rows.c.id, change_rows.c.change)
    for rows in _portions(connection, quoting, change_rows.c.id):
        for row in rows:
            yield from _verify_change(row, known, lost, quoted)
    yield from (f"{why}; no change quotes it" for number, why in lost.items() if number not in quoted)


def _verify_change(row: Row[Any], known: Collection[int], lost: Mapping[int, str], quoted: set[int]) -> Iterator[str]:
    try:
        texts = [number for _, number in opened(row.change).texts]
    except ValueError as error:
        yield str(CorruptChange(row.id, str(error)))
        return
    quoted.update(texts)
    missing = [number for number in texts if number not in known or number in lost]
    if missing:
        yield str(CorruptChange(row.id, lost.get(missing[0], f"text {missing[0]} is missing")))


def _portions(connection: Connection, wanted: Select[Any], number: Column[int]) -> Iterator[Sequence[Row[Any]]]:
    after = 0
    while rows := connection.execute(wanted.where(number > after).order_by(number).limit(VERIFIED_AT_ONCE)).all():
        yield rows
        after = rows[-1].id


def _hash(text: str) -> bytes:
    return hashlib.sha256(text.encode()).digest()


def _batches(listed: Sequence[Any]) -> Iterator[Sequence[Any]]:
    return (listed[start : start + ROWS_AT_ONCE] for start in range(0, len(listed), ROWS_AT_ONCE))
