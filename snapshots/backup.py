"""A copy of the whole database in one file, made while it is in use; and the way back. For SQLite."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from snapshots.database import Database, DatabaseError, sqlite_trouble


def backup(database: Database, file: Path) -> None:
    """Copy the database as it stands at one moment into `file`, while others go on reading and writing.

    `file` is replaced only when the copy is whole, and can be read by its owner only: it holds secrets.
    Raises DatabaseError; on PostgreSQL it names the program to use.
    """
    if database.file is None:
        raise DatabaseError(f"{database.name}: PostgreSQL is backed up by its own `pg_dump`, restored by `pg_restore`")
    if not database.file.is_file():
        raise DatabaseError(f"{database.file}: there is no database yet to back up")
    _copy(database.file, file)


def restore(file: Path, database_url: str, *, force: bool = False) -> None:
    """Make the backup `file` the database of `database_url`; nothing else may have that open.

    Raises DatabaseError where `file` is no sound backup, where a database is there already (unless `force`: it is
    lost), and on PostgreSQL.
    """
    target = Database(database_url).file
    if target is None:
        raise DatabaseError("a backup file is a SQLite database: PostgreSQL is restored by its own `pg_restore`")
    if not file.is_file():
        raise DatabaseError(f"{file}: there is no such file")
    if target.exists() and not force:
        raise DatabaseError(f"{target}: a database is there already, and would be lost")
    _copy(file, target)


def _copy(source: Path, target: Path) -> None:
    if target.exists() and target.samefile(source):
        raise DatabaseError(f"{target}: this is the file to copy from")
    draft = target.with_name(f".{target.name}.copying")
    with _clear_errors(source, target):
        target.parent.mkdir(parents=True, exist_ok=True)
        draft.unlink(missing_ok=True)
        draft.touch(mode=0o600)
        try:
            _copy_pages(source, draft)
            _forget_journal(target)
            draft.replace(target)
        finally:
            draft.unlink(missing_ok=True)


def _copy_pages(source: Path, draft: Path) -> None:
    with closing(sqlite3.connect(source, timeout=5)) as old, closing(sqlite3.connect(draft)) as new:
        old.backup(new)
        # the copy is one file: what is in a journal of its own would be lost by moving it
        new.execute("PRAGMA journal_mode=DELETE")
        verdict = new.execute("PRAGMA quick_check(1)").fetchone()[0]
        if verdict != "ok":
            raise DatabaseError(f"{source}: is damaged: {verdict}")


def _forget_journal(target: Path) -> None:
    # a journal of the replaced database would be played into the new one
    for ending in ("-wal", "-shm"):
        target.with_name(target.name + ending).unlink(missing_ok=True)


@contextmanager
def _clear_errors(source: Path, target: Path) -> Iterator[None]:
    try:
        yield
    except sqlite3.Error as error:
        raise DatabaseError(f"{source}: {sqlite_trouble(error)}") from error
    except OSError as error:
        raise DatabaseError(f"{target}: cannot be written: {error.strerror}") from error
