"""Which versions' bytes may go, and how they go: the row with its hashes stays, the chain holds, the gap is stated.

Never by itself: somebody asks. May be killed at any moment, and others may append meanwhile: one short transaction for
each version takes its bytes away and stores anew what stood on it.
"""

from collections.abc import Callable, Collection, Iterator, Sequence
from datetime import datetime
from typing import Any, Literal

from msgspec import Struct
from sqlalchemy import Connection, bindparam, insert, or_, select, update

from snapshots.archive import codec, order
from snapshots.archive.chain import lock_chain
from snapshots.archive.reading import Unreadable, read_version
from snapshots.archive.records import find_record
from snapshots.archive.tables import prunings, records, versions
from snapshots.database import Database

KeepEvery = Literal["month", "year"]
Progress = Callable[[int, int], None]
TRIES = 20
"""Looks at what stands on one version before it is left as it is: somebody appends without a pause."""
_PERIOD = {"month": 7, "year": 4}


class Wish(Struct, frozen=True, kw_only=True):
    """What may go: versions that stand in history before the ISO day `before`; of the records of `ids` (any of their
    ids; None: of all); `keep_every`: the last version of each month or year stays.
    """

    registry: str
    before: str
    ids: tuple[str, ...] | None = None
    keep_every: KeepEvery | None = None


class Prunable(Struct, frozen=True, kw_only=True):
    """A version that may go. `date` is its ISO day in history; `size` what its stored form takes, in bytes."""

    number: int
    record: int
    registry_id: str
    source: str
    position: int
    date: str
    size: int


class Gone(Struct, frozen=True, kw_only=True):
    """What pruning came to: the numbers of the versions whose bytes went, the bytes that frees (what stood on them is
    stored anew), and the numbers of those that were left because what stands on them cannot be read or changed all the
    time.
    """

    versions: tuple[int, ...]
    freed: int
    left: tuple[int, ...] = ()


class _Form(Struct, frozen=True):
    """How a version that stood on a pruned one is to be stored, in place of the form `was`."""

    number: int
    was: bytes
    base: int
    data: bytes


def prunable(connection: Connection, wish: Wish, kept: Collection[int] = ()) -> list[Prunable]:
    """The versions that may go by `wish`, none of those in `kept`; in the order in which they go.

    Never the first and the last version of a record in history order, nor the first and the last that came in of each
    source, on which others stand, nor the newest observed one.
    """
    found: list[Prunable] = []
    for record in _records(connection, wish):
        found += _of_record(connection, record, wish, kept)
    return found


def freed_by(connection: Connection, chosen: Sequence[Prunable]) -> int:
    """How many bytes it would free to prune these; nothing is changed."""
    going = {each.number for each in chosen}
    freed = 0
    for each in chosen:
        try:
            forms = [_anew(connection, row, going) for row in _standing_on(connection, each) if row.number not in going]
        except Unreadable:
            continue
        freed += _freed(each, forms)
    return freed


def prune(
    database: Database,
    chosen: Sequence[Prunable],
    by: str,
    now: datetime,
    progress: Progress = lambda _done, _total: None,
) -> Gone:
    """Take the bytes of these versions away, in the name of `by`; `now` is aware UTC. Raises DatabaseError."""
    if not chosen:
        return Gone(versions=(), freed=0)
    run = _begin(database, by, now)
    going = {each.number for each in chosen}
    gone, left, freed = [], [], 0
    for done, each in enumerate(chosen, start=1):
        spared = _prune_one(database, run, each, going)
        if spared is None:
            left.append(each.number)
        else:
            gone.append(each.number)
            freed += spared
        progress(done, len(chosen))
    return Gone(versions=tuple(gone), freed=freed, left=tuple(left))


# --- which ----------------------------------------------------------------------------------------------------------

_OF_RECORD = (
    select(
        versions.c.number,
        versions.c.registry_id,
        versions.c.source,
        versions.c.release,
        versions.c.registry_date,
        versions.c.registry_version,
        versions.c.position,
        versions.c.pruned,
        versions.c.data,
        records.c.head_version,
    )
    .join(records, records.c.id == versions.c.record)
    .where(versions.c.record == bindparam("of_record"))
)


def _records(connection: Connection, wish: Wish) -> list[int]:
    """The rows of the records that are meant, with those that were merged into them."""
    wanted = select(records.c.id).where(records.c.registry == wish.registry).order_by(records.c.id)
    if wish.ids is not None:
        found = (find_record(connection, wish.registry, each) for each in wish.ids)
        named = [record.id for record in found if record is not None]
        wanted = wanted.where(or_(records.c.id.in_(named), records.c.merged_into.in_(named)))
    return list(connection.execute(wanted).scalars())


def _of_record(connection: Connection, record: int, wish: Wish, kept: Collection[int]) -> list[Prunable]:
    rows = sorted(connection.execute(_OF_RECORD, {"of_record": record}).all(), key=order.history_key)
    stays = {*_always_kept(rows), *_kept_of_each_period(rows, wish.keep_every)}
    going = [
        _prunable(row, record)
        for row in rows
        if row.pruned is None
        and row.number not in stays
        and row.number not in kept
        and order.history_date(row) < wish.before
    ]
    # what stands on another comes after it in line, and goes before it: so each that stays is stored anew only once
    return sorted(going, key=lambda each: (each.source, -each.position))


def _prunable(row: Any, record: int) -> Prunable:
    return Prunable(
        number=row.number,
        record=record,
        registry_id=row.registry_id,
        source=row.source,
        position=row.position,
        date=order.history_date(row),
        size=len(row.data),
    )


def _always_kept(rows: Sequence[Any]) -> Iterator[int]:
    if not rows:
        return
    yield from (rows[0].number, rows[-1].number)
    if rows[0].head_version is not None:
        yield rows[0].head_version
    for source in {row.source for row in rows}:
        line = sorted((row for row in rows if row.source == source), key=lambda row: row.position)
        yield from (line[0].number, line[-1].number)


def _kept_of_each_period(rows: Sequence[Any], every: KeepEvery | None) -> Collection[int]:
    if every is None:
        return ()
    # of several of one period the last stays, which stood when the period ended
    return {order.history_date(row)[: _PERIOD[every]]: row.number for row in rows if row.pruned is None}.values()


# --- how ------------------------------------------------------------------------------------------------------------

_STANDING_ON = (
    select(versions.c.number, versions.c.record, versions.c.source, versions.c.position, versions.c.data)
    # all versions of one record stand on each other: the record's index finds them
    .where(versions.c.record == bindparam("of_record"), versions.c.base == bindparam("on"))
    .order_by(versions.c.number)
)
_AT_PLACE = select(versions.c.number, versions.c.pruned).where(
    versions.c.record == bindparam("of_record"),
    versions.c.source == bindparam("of_source"),
    versions.c.position == bindparam("at_position"),
)
_REPLACE = (
    update(versions)
    .where(versions.c.number == bindparam("of_number"))
    .values({name: bindparam(name) for name in ("base", "dictionary", "data", "pruned")})
)


def _begin(database: Database, by: str, now: datetime) -> int:
    made = insert(prunings).values(pruned_at=now, pruned_by=by).returning(prunings.c.id)
    with database.write() as connection:
        return int(connection.execute(made).scalar_one())


def _prune_one(database: Database, run: int, one: Prunable, going: Collection[int]) -> int | None:
    """Take the bytes of one version away; how many bytes that freed, None where it was left as it is."""
    for _ in range(TRIES):
        try:
            with database.read() as connection:
                forms = [_anew(connection, row, going) for row in _standing_on(connection, one)]
        except Unreadable:
            return None
        with database.write() as connection:
            # who appends holds the chain: nothing begins to stand on this version now
            lock_chain(connection)
            if _is_as_read(connection, one, forms):
                _take_away(connection, run, one, forms)
                return _freed(one, forms)
    return None


def _standing_on(connection: Connection, one: Prunable) -> Sequence[Any]:
    return connection.execute(_STANDING_ON, {"of_record": one.record, "on": one.number}).all()


def _anew(connection: Connection, row: Any, going: Collection[int]) -> _Form:
    """The version on the next best base that stays. Raises Unreadable where its bytes cannot be read."""
    raw = read_version(connection, row.number)
    base = _next_base(connection, row, going)
    base_raw = read_version(connection, base)
    data = codec.encode(raw, base_raw, level=codec.BEST_LEVEL)
    if codec.decode(data, base_raw, len(raw)) != raw:
        raise AssertionError(f"version {row.number}: its new form does not give its bytes back; nothing was replaced")
    return _Form(row.number, row.data, base, data)


def _next_base(connection: Connection, row: Any, going: Collection[int]) -> int:
    of_line = {"of_record": row.record, "of_source": row.source}
    for place in codec.earlier_bases(row.position):
        found = connection.execute(_AT_PLACE, {**of_line, "at_position": place}).one_or_none()
        if found is not None and found.pruned is None and found.number not in going:
            return int(found.number)
    raise Unreadable(row.number, "the first version of its source, which is never pruned, is missing")


def _is_as_read(connection: Connection, one: Prunable, forms: Sequence[_Form]) -> bool:
    at_place = {"of_record": one.record, "of_source": one.source, "at_position": one.position}
    is_there = connection.execute(_AT_PLACE, at_place).one().pruned is None
    now = [(row.number, row.data) for row in _standing_on(connection, one)]
    return is_there and now == [(form.number, form.was) for form in forms]


def _take_away(connection: Connection, run: int, one: Prunable, forms: Sequence[_Form]) -> None:
    for form in forms:
        stored = {"of_number": form.number, "base": form.base, "data": form.data}
        connection.execute(_REPLACE, {**stored, "dictionary": None, "pruned": None})
    gone = {"of_number": one.number, "base": None, "data": b"", "dictionary": None, "pruned": run}
    connection.execute(_REPLACE, gone)


def _freed(one: Prunable, forms: Sequence[_Form]) -> int:
    return one.size - sum(len(form.data) - len(form.was) for form in forms)
