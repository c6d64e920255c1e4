"""Does the room that was freed go back to the disk? A SQLite file keeps its free pages until it is written anew."""

import sqlite3
from contextlib import closing

from msgspec import Struct

from snapshots.database import Database, DatabaseError, sqlite_trouble

WAITS = 30
"""Seconds to wait for others that write."""


class Room(Struct, frozen=True):
    """Bytes of the database's files before and after; the same where nothing was given back."""

    before: int
    after: int


def file_size(database: Database) -> int | None:
    """Bytes that a SQLite database takes on disk, its journal with it; None on PostgreSQL."""
    if database.file is None:
        return None
    files = (database.file, database.file.with_name(f"{database.file.name}-wal"))
    return sum(each.stat().st_size for each in files if each.exists())


def give_back(database: Database) -> Room | None:
    """Write a SQLite file anew without its free pages; None on PostgreSQL, which uses free room again by itself.

    As much room again is needed meanwhile, others can read, and who writes waits. All or nothing.
    Raises DatabaseError where others write all the time, or the disk is full; nothing is lost then.
    """
    before = file_size(database)
    if before is None:
        return None
    assert database.file is not None
    database.dispose()
    try:
        with closing(sqlite3.connect(database.file, timeout=WAITS, isolation_level=None)) as connection:
            connection.execute("VACUUM")
            # what is still read by others is shortened by a later checkpoint
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
    except sqlite3.Error as error:
        raise DatabaseError(f"{database.name}: {sqlite_trouble(error)}") from error
    return Room(before, file_size(database) or 0)
