"""The full-text index over the stored records: FTS5 on SQLite, ranked by BM25; tsvector on PostgreSQL.

The index follows the newest observed version of each record. What is merged into another record is not in it.
"""

from collections.abc import Callable, Sequence
from typing import Any

import msgspec
from msgspec import Struct
from sqlalchemy import Connection, delete, func, insert, select, text, update
from sqlalchemy.exc import OperationalError

from snapshots.archive.reading import Unreadable, read_version
from snapshots.archive.tables import records
from snapshots.database import Database
from snapshots.registry import RegistryError
from snapshots.related.tables import likenesses
from snapshots.related.words import (
    CONDITIONS,
    INTERVENTIONS,
    SPONSOR,
    TITLE,
    Wording,
    sponsor_words,
    telling,
    wording,
)
from snapshots.trial import Trial

Parse = Callable[[bytes], Trial]

AT_ONCE = 50
"""Records read into the index in one transaction: some milliseconds."""

_CREATE = text(
    "CREATE VIRTUAL TABLE IF NOT EXISTS likeness_words USING fts5("
    "title, conditions, interventions, sponsor, tokenize = 'porter unicode61 remove_diacritics 2')"
)
_HAS_WORDS = text("SELECT 1 FROM sqlite_master WHERE name = 'likeness_words'")
_FORGET = text("DELETE FROM likeness_words WHERE rowid = :record")
_LEARN = text(
    "INSERT INTO likeness_words (rowid, title, conditions, interventions, sponsor)"
    " VALUES (:record, :title, :conditions, :interventions, :sponsor)"
)
_FORGET_ALL = text("DELETE FROM likeness_words")
_LEARN_ALL = text(
    "INSERT INTO likeness_words (rowid, title, conditions, interventions, sponsor)"
    " SELECT record, title, conditions, interventions, sponsor FROM likenesses"
)
_NEAREST_SQLITE = text(  # numbers of ours alone are put in
    "SELECT rowid AS record FROM likeness_words WHERE likeness_words MATCH :asked"  # noqa: S608
    f" ORDER BY bm25(likeness_words, {TITLE}, {CONDITIONS}, {INTERVENTIONS}, {SPONSOR}) LIMIT :most"
)
_LEARN_ALL_POSTGRESQL = text(
    "UPDATE likenesses SET words ="
    " setweight(to_tsvector('english', conditions), 'A') || setweight(to_tsvector('english', interventions), 'B')"
    " || setweight(to_tsvector('english', title), 'C') || setweight(to_tsvector('english', sponsor), 'D')"
)
_LEARN_POSTGRESQL = text(f"{_LEARN_ALL_POSTGRESQL.text} WHERE record = :record")
_NEAREST_POSTGRESQL = text(
    "SELECT record FROM likenesses, to_tsquery('english', :asked) AS asked WHERE words @@ asked"  # noqa: S608
    f" ORDER BY ts_rank(ARRAY[{SPONSOR / 5}, {TITLE / 5}, {INTERVENTIONS / 5}, {CONDITIONS / 5}]::real[], words, asked)"
    " DESC, record LIMIT :most"
)


class Likeness(Struct, frozen=True, kw_only=True):
    """A trial that is like another. `phases` as the registry spells them; `is_stored`: the archive has it."""

    registry_id: str
    title: str
    status: str | None
    phases: tuple[str, ...]
    is_stored: bool = True


def catch_up(database: Database, registry: str, parse: Parse, most: int = AT_ONCE) -> int:
    """Bring up to `most` records whose newest version is not in the index into it; how many there were."""
    _begin_anew_where_lost(database)
    with database.read() as connection:
        due = connection.execute(_due(connection, registry, most)).all()
        read = [(row.id, row.head_version, _read(connection, row.head_version, parse)) for row in due]
    if due:
        with database.write() as connection:
            for record, version, said in read:
                _learn(connection, record, version, said)
    return len(due)


def like(connection: Connection, registry: str, registry_id: str, asked: Wording, most: int) -> list[Likeness]:
    """Up to `most` stored trials that are like this one, the likest first; none where nothing is indexed yet."""
    numbers = _nearest(connection, asked, most + 1)
    wanted = select(likenesses, records.c.registry_id, records.c.title.label("called")).join(
        records, records.c.id == likenesses.c.record
    )
    here = (records.c.registry == registry, records.c.merged_into.is_(None), records.c.registry_id != registry_id)
    rows = {row.record: row for row in connection.execute(wanted.where(likenesses.c.record.in_(numbers), *here))}
    found = [rows[number] for number in numbers if number in rows]
    return [
        Likeness(registry_id=row.registry_id, title=row.called, status=row.status, phases=tuple(row.phases.split()))
        for row in found[:most]
    ]


def index_again(connection: Connection) -> None:
    """Index what the records are compared by as it is kept: a copy brings the texts, and the words of one database are
    of no use to the other.
    """
    if connection.dialect.name == "sqlite":
        connection.execute(_CREATE)
        connection.execute(_FORGET_ALL)
        connection.execute(_LEARN_ALL)
        connection.execute(update(likenesses).values(words=None))
    else:
        connection.execute(_LEARN_ALL_POSTGRESQL)


def _nearest(connection: Connection, asked: Wording, most: int) -> Sequence[int]:
    words, sponsor = telling(asked), sponsor_words(asked)
    if not words and not sponsor:
        return []
    if connection.dialect.name != "sqlite":
        query = " | ".join([*words, " <-> ".join(f"{word}:D" for word in sponsor)][: None if sponsor else -1])
        return list(connection.execute(_NEAREST_POSTGRESQL, {"asked": query, "most": most}).scalars())
    try:
        return list(connection.execute(_NEAREST_SQLITE, {"asked": _match(words, sponsor), "most": most}).scalars())
    except OperationalError as error:
        if "no such table" in str(error):  # nothing was ever indexed
            return []
        raise


def _match(words: Sequence[str], sponsor: Sequence[str]) -> str:
    """The question in FTS5's language; words are letters and digits, quoted so that none is taken for an operator."""
    parts = []
    if words:
        parts.append("({title conditions interventions} : (" + " OR ".join(f'"{word}"' for word in words) + "))")
    if sponsor:
        parts.append(f'(sponsor : "{" ".join(sponsor)}")')
    return " OR ".join(parts)


def _read(connection: Connection, version: int, parse: Parse) -> Wording:
    """What a version is compared by; one that cannot be read is compared by nothing."""
    try:
        return wording(parse(read_version(connection, version)))
    except (Unreadable, RegistryError):
        return Wording(title="", conditions="", interventions="", sponsor="", status=None, phases="")


def _begin_anew_where_lost(database: Database) -> None:
    """On SQLite the words are in a table that copies of the database may lack: then all are read anew."""
    if not database.is_sqlite:
        return
    with database.read() as connection:
        there = connection.execute(_HAS_WORDS).first()
    if there is None:
        with database.write() as connection:
            connection.execute(_CREATE)
            connection.execute(delete(likenesses))


def _learn(connection: Connection, record: int, version: int, said: Wording) -> None:
    values: dict[str, Any] = {"version": version, **msgspec.structs.asdict(said)}
    known = connection.execute(update(likenesses).where(likenesses.c.record == record).values(**values)).rowcount
    if not known:
        connection.execute(insert(likenesses).values(record=record, **values))
    if connection.dialect.name == "sqlite":
        connection.execute(_FORGET, {"record": record})
        texts = {name: values[name] for name in ("title", "conditions", "interventions", "sponsor")}
        connection.execute(_LEARN, {"record": record, **texts})
    else:
        connection.execute(_LEARN_POSTGRESQL, {"record": record})


def _due(connection: Connection, registry: str, most: int) -> Any:
    """The records whose newest version is not in the index; a copy from SQLite has no words on PostgreSQL."""
    stale = func.coalesce(likenesses.c.version, 0) != records.c.head_version
    unread = stale if connection.dialect.name == "sqlite" else stale | likenesses.c.words.is_(None)
    return (
        select(records.c.id, records.c.head_version)
        .outerjoin(likenesses, likenesses.c.record == records.c.id)
        .where(records.c.registry == registry, records.c.head_version.is_not(None), records.c.merged_into.is_(None))
        .where(unread)
        .order_by(records.c.id)
        .limit(most)
    )
