"""Moving to another database: every row copied into an empty one, and compared before anything counts as done."""

import hashlib
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any

import msgspec
from msgspec import Struct
from sqlalchemy import Connection, Row, Table, func, insert, literal, select, text, update
from sqlalchemy.exc import DataError, IntegrityError

import monitor.access.tables
import monitor.presence  # noqa: F401
import notifiers.tables  # noqa: F401
import snapshots.leases  # noqa: F401  # imported for its tables, as are those above
from monitor import schema
from snapshots import archive, related
from snapshots.database import Database, DatabaseError, metadata

ROWS_AT_ONCE = 200

Progress = Callable[[str, int], None]


class Copied(Struct, frozen=True):
    """What a copy holds: rows by table, and the archive's head (12 hex digits), the same in both."""

    rows: dict[str, int]
    head: str


class _Sum:
    """How many rows, and a sum of their SHA-256 that does not depend on their order: databases sort texts each in a
    way of their own.
    """

    def __init__(self) -> None:
        self.rows = 0
        self._total = 0

    def add(self, row: Row[Any]) -> None:
        self.rows += 1
        self._total += int.from_bytes(hashlib.sha256(_bytes(row)).digest())

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Sum) and (self.rows, self._total) == (other.rows, other._total)

    __hash__ = None  # type: ignore[assignment]


def copy(source: Database, target: Database, progress: Progress = lambda _table, _rows: None) -> Copied:
    """Copy everything that is in `source` at one moment into `target`, which must be empty; its tables are made.

    All or nothing: the copy counts only when every table was read back and compared, and the chain and every version of
    the archive hold in it. What others write to `source` after the beginning is not in it.
    Raises DatabaseError.
    """
    if schema.state(source) != "current":
        raise DatabaseError(f"{source.name}: nothing of this version's tables is there to copy: trialdelta db upgrade")
    if source.url == target.url:
        raise DatabaseError(f"{target.name}: this is the database to copy from")
    schema.ensure_usable(target)
    with source.read() as old, target.write() as new:
        _refuse_unless_empty(new, target)
        sums: dict[str, _Sum] = {}
        for table in metadata.sorted_tables:
            try:
                sums[table.name] = _copy(old, new, table, progress)
            except (DataError, IntegrityError) as error:
                words = f"{target.name}: a row of {table.name} cannot be stored there: {error.orig}; nothing was kept"
                raise DatabaseError(words) from error
        _compare(new, sums, target)
        related.index_again(new)
        head = archive.chain_head(new)
        if head != archive.chain_head(old):
            raise DatabaseError(f"{target.name}: the copy's archive has another head; nothing was kept")
    return Copied({name: each.rows for name, each in sums.items()}, head.short)


def _refuse_unless_empty(connection: Connection, target: Database) -> None:
    for table in metadata.sorted_tables:
        if connection.execute(select(literal(1)).select_from(table).limit(1)).first() is not None:
            raise DatabaseError(f"{target.name}: is not empty (there are {table.name}); a copy never mixes with others")


def _copy(old: Connection, new: Connection, table: Table, progress: Progress) -> _Sum:
    read = _Sum()
    later: list[dict[str, Any]] = []
    for rows in _batches(old, table):
        copies = [row._asdict() for row in rows]
        later += _without_references_to_itself(table, copies)
        new.execute(insert(table), copies)
        for row in rows:
            read.add(row)
        progress(table.name, read.rows)
    for values in later:
        _point(new, table, values)
    go_on_counting(new, table)
    return read


def _batches(connection: Connection, table: Table) -> Iterator[list[Row[Any]]]:
    ordered = select(table).order_by(*table.primary_key).execution_options(yield_per=ROWS_AT_ONCE)
    with connection.execute(ordered) as result:
        yield from map(list, result.partitions())


def _without_references_to_itself(table: Table, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Take out of the rows what points to rows of the same table, which may come later; the rows that had any."""
    columns = [column.name for column in table.columns for key in column.foreign_keys if key.column.table is table]
    pointing = [dict(row) for row in rows if any(row[column] is not None for column in columns)]
    for row in rows:
        row.update(dict.fromkeys(columns))
    return pointing


def _point(connection: Connection, table: Table, row: dict[str, Any]) -> None:
    columns = {column.name for column in table.columns if any(key.column.table is table for key in column.foreign_keys)}
    itself = [column == row[column.name] for column in table.primary_key]
    connection.execute(update(table).where(*itself).values({name: row[name] for name in columns}))


def go_on_counting(connection: Connection, table: Table) -> None:
    """After rows that brought their numbers with them. PostgreSQL counts apart from the rows: the next row must not get
    a number that one of them has.
    """
    column = table.autoincrement_column
    if column is None or connection.dialect.name != "postgresql":
        return
    last = connection.execute(select(func.max(column))).scalar()
    if last is not None:
        given = {"table": table.name, "column": column.name, "last": last}
        connection.execute(text("SELECT setval(pg_get_serial_sequence(:table, :column), :last)"), given)


def _compare(new: Connection, sums: dict[str, _Sum], target: Database) -> None:
    for table in metadata.sorted_tables:
        written = _Sum()
        for rows in _batches(new, table):
            for row in rows:
                written.add(row)
        if written != sums[table.name]:
            raise DatabaseError(f"{target.name}: {table.name} are not as they were in the copy; nothing was kept")
    problem = next(archive.verify_chain(new), None)
    if problem is not None:
        raise DatabaseError(f"{target.name}: the archive does not hold: {problem}; nothing was kept")


def _bytes(row: Row[Any]) -> bytes:
    return msgspec.json.encode([_plain(value) for value in row], order="sorted")


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat()
    return value.hex() if isinstance(value, bytes) else value
