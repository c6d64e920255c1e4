"""How does the archive take less room? A dictionary trained on its own records, and every version stored anew by it.

It may be killed at any moment, and others may append meanwhile: a version's stored form is replaced only by one from
which the received bytes came back, in short transactions, and only where the form is still the one that was read. No
link of the chain changes.
"""

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from typing import Any

from msgspec import Struct
from sqlalchemy import Connection, bindparam, func, insert, select, update

from snapshots.archive import codec, dictionaries
from snapshots.archive.chain import chain_head
from snapshots.archive.dictionaries import Dictionary
from snapshots.archive.reading import Unreadable, read_version
from snapshots.archive.tables import dictionaries as dictionary_rows
from snapshots.archive.tables import repackings, versions
from snapshots.database import Database

VERSIONS_AT_ONCE = 20
"""How many are replaced in one transaction: what appends meanwhile waits some milliseconds."""
DICTIONARY_SIZE = 112_640
"""Bytes. On 761 real records one of 300 KB spared 4 % more and cost three times the time; it is stored in a third."""
SAMPLES_SIZE = 24 << 20
LARGEST_SAMPLE = 256 << 10
FEWEST_SAMPLES = 8
JUDGED_BY = 100
"""So many records decide whether a new dictionary spares more than it takes."""

Progress = Callable[[int, int], None]


class Repacked(Struct, frozen=True, kw_only=True):
    """What a repacking came to: bytes of all stored versions and dictionaries `before` and `after`, how many versions
    were stored anew, and the numbers of those that cannot be read and were left as they are. `resumed`: a run that was
    ended before its end was gone on with, and `before` is from its beginning.
    """

    before: int
    after: int
    versions: int
    stored_anew: int
    unreadable: tuple[int, ...] = ()
    resumed: bool = False


class _Run(Struct, frozen=True, kw_only=True):
    """A run that was begun: for versions up to `last`, done up to `done`."""

    number: int
    dictionary: int | None
    last: int
    done: int
    size_before: int


class _Form(Struct, frozen=True):
    """How a version is to be stored, in place of the form `was`."""

    number: int
    was: bytes
    base: int | None
    dictionary: int | None
    data: bytes


def repack(
    database: Database, now: datetime, progress: Progress = lambda _done, _total: None, stop: Callable[[], bool] = bool
) -> Repacked:
    """Store every version anew, as small as can be; a run that was ended before its end goes on where it was.

    `progress` is told how many versions are done of how many; `stop` is asked between transactions, and the next run
    goes on from there. Memory stays that of a few versions, and of the samples of a dictionary (24 MB) while it is
    trained. Raises DatabaseError.
    """
    begun = _unfinished(database)
    run = begun or _begin(database, now)
    anew = 0
    unreadable: list[int] = []
    with database.read() as connection:
        dictionary = dictionaries.newest(connection)
    done = run.done
    while done < run.last and not stop():
        upto = min(done + VERSIONS_AT_ONCE, run.last)
        forms, failed = _forms(database, range(done + 1, upto + 1), dictionary)
        anew += _replace(database, run, forms, upto)
        unreadable += failed
        done = upto
        progress(done, run.last)
    if done == run.last:
        _finish(database, run, now)
    return Repacked(
        before=run.size_before,
        after=stored_size(database),
        versions=run.last,
        stored_anew=anew,
        unreadable=tuple(unreadable),
        resumed=begun is not None,
    )


def stored_size(database: Database) -> int:
    """Bytes of all stored versions and dictionaries, without what the database itself takes."""
    with database.read() as connection:
        return _stored_size(connection)


def _stored_size(connection: Connection) -> int:
    sizes = (
        select(func.coalesce(func.sum(func.length(column)), 0)) for column in (versions.c.data, dictionary_rows.c.data)
    )
    return sum(int(connection.execute(size).scalar_one()) for size in sizes)


# --- runs ----------------------------------------------------------------------------------------------------------


def _unfinished(database: Database) -> _Run | None:
    r = repackings.c
    wanted = select(r.id.label("number"), r.dictionary, r.last, r.done, r.size_before).where(r.finished_at.is_(None))
    with database.read() as connection:
        row = connection.execute(wanted.order_by(r.id).limit(1)).mappings().one_or_none()
    return None if row is None else _Run(**row)


def _begin(database: Database, now: datetime) -> _Run:
    """Note a new run, with a new dictionary where that spares anything."""
    with database.read() as connection:
        size, last = _stored_size(connection), chain_head(connection).number
        trained = _trained(connection)
    with database.write() as connection:
        dictionary = dictionaries.store(connection, trained, now).number if trained else None
        facts: dict[str, Any] = {"dictionary": dictionary, "last": last, "done": 0, "size_before": size}
        made = insert(repackings).values(started_at=now, **facts).returning(repackings.c.id)
        return _Run(number=connection.execute(made).scalar_one(), **facts)


def _finish(database: Database, run: _Run, now: datetime) -> None:
    with database.write() as connection:
        connection.execute(update(repackings).where(repackings.c.id == run.number).values(finished_at=now))


# --- the dictionary ------------------------------------------------------------------------------------------------


def _trained(connection: Connection) -> bytes:
    """A new dictionary of what the records have in common; b"" where it would spare less than it takes."""
    total, samples = _samples(connection)
    if len(samples) < FEWEST_SAMPLES:
        return b""
    made = codec.train(samples, min(DICTIONARY_SIZE, sum(map(len, samples)) // 4))
    if not made:
        return b""
    judges = samples[:: max(1, len(samples) // JUDGED_BY)]
    current = dictionaries.newest(connection)
    now = sum(len(codec.encode(each, None, current.opened if current else None)) for each in judges)
    then = sum(len(codec.encode(each, None, codec.opened(made))) for each in judges)
    spared = (now - then) * total // sum(map(len, judges))
    return made if spared > len(dictionaries.packed(made)) else b""


def _samples(connection: Connection) -> tuple[int, list[bytes]]:
    """How many bytes all whole versions have that can be read, about, and some of them, evenly chosen."""
    v = versions.c
    whole = select(v.number, v.raw_size).where(v.base.is_(None), v.pruned.is_(None)).order_by(v.number)
    sizes = [(row.number, min(row.raw_size, LARGEST_SAMPLE)) for row in connection.execute(whole)]
    total = sum(size for _, size in sizes)
    samples = []
    for number, _ in sizes[:: max(1, -(-total // SAMPLES_SIZE))]:
        try:
            samples.append(read_version(connection, number)[:LARGEST_SAMPLE])
        except Unreadable:
            continue
    return total, samples


# --- the versions --------------------------------------------------------------------------------------------------

_STORED = select(
    versions.c.number,
    versions.c.record,
    versions.c.position,
    versions.c.base,
    versions.c.dictionary,
    versions.c.data,
).where(
    versions.c.number.between(bindparam("first"), bindparam("upto")),
    versions.c.pruned.is_(None),
)
_FIRST = select(func.min(versions.c.number)).where(
    versions.c.record == bindparam("of_record"), versions.c.position == 0
)
_REPLACE = (
    update(versions)
    # a form that another process made meanwhile is left as it is
    .where(
        versions.c.number == bindparam("of_number"), versions.c.data == bindparam("was"), versions.c.pruned.is_(None)
    )
    .values({name: bindparam(name) for name in ("base", "dictionary", "data")})
)


def _forms(database: Database, numbers: range, dictionary: Dictionary | None) -> tuple[Sequence[_Form], Sequence[int]]:
    """Better forms for those of the versions that have one, and the numbers of those that cannot be read."""
    found, unreadable = [], []
    with database.read() as connection:
        for row in connection.execute(_STORED, {"first": numbers.start, "upto": numbers.stop - 1}).all():
            try:
                best = min(_candidates(connection, row, dictionary), key=lambda form: len(form.data))
            except Unreadable:
                unreadable.append(row.number)
                continue
            if len(best.data) < len(row.data):
                found.append(best)
    return found, unreadable


def _candidates(connection: Connection, row: Any, dictionary: Dictionary | None) -> Iterator[_Form]:
    """Every form that is worth a try, each proven to give the received bytes back. Raises Unreadable."""
    raw = read_version(connection, row.number)
    base = row.base
    if base is None:
        yield _made(row, raw, None, None)
        if dictionary is not None:
            yield _made(row, raw, None, dictionary)
        base = _first_of_record(connection, row)
    if base is not None:
        yield _made(row, raw, (base, read_version(connection, base)), None)


def _first_of_record(connection: Connection, row: Any) -> int | None:
    """For a whole version the record's first one: what was back-filled and what was observed say much the same, each
    in a form of its own. That one stays whole and is never pruned, so that nothing goes round in a circle.
    """
    first = connection.execute(_FIRST, {"of_record": row.record}).scalar()
    return None if first is None or first >= row.number else int(first)


def _made(row: Any, raw: bytes, base: tuple[int, bytes] | None, dictionary: Dictionary | None) -> _Form:
    number, base_raw = base or (None, None)
    by = dictionary.opened if dictionary else None
    data = codec.encode(raw, base_raw, by, codec.BEST_LEVEL)
    if codec.decode(data, base_raw, len(raw), by) != raw:
        raise AssertionError(f"version {row.number}: its new form does not give its bytes back; nothing was replaced")
    return _Form(row.number, row.data, number, dictionary.number if dictionary else None, data)


def _replace(database: Database, run: _Run, forms: Sequence[_Form], upto: int) -> int:
    """Store the forms, and that the run has come so far; how many were stored."""
    stored = 0
    with database.write() as connection:
        for form in forms:
            values = {"of_number": form.number, "was": form.was, "base": form.base}
            values |= {"dictionary": form.dictionary, "data": form.data}
            stored += connection.execute(_REPLACE, values).rowcount
        connection.execute(update(repackings).where(repackings.c.id == run.number).values(done=upto))
    return stored
