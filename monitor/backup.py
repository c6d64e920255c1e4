"""A copy of the database that is whole: taken while it is in use, checked before it is put back."""

import sqlite3
from contextlib import closing
from datetime import datetime
from pathlib import Path

from snapshots.database import Database, DatabaseError


def back_up(database: Database, target: Path) -> int:
    """Copy a SQLite database to `target`, which must not exist, while others use it; its size in bytes.

    Raises DatabaseError.
    """
    source = _file(database, "pg_dump makes backups of it")
    if target.exists():
        raise DatabaseError(f"{target} exists already; a backup is never written over another")
    try:
        with closing(sqlite3.connect(source)) as here, closing(sqlite3.connect(target)) as there:
            here.backup(there)
        check_backup(target)
        return target.stat().st_size
    except (sqlite3.Error, OSError, DatabaseError) as error:
        target.unlink(missing_ok=True)
        raise DatabaseError(f"{target} could not be written: {error}") from error


def check_backup(file: Path) -> None:
    """Raises DatabaseError where `file` is no whole database of this program."""
    if not file.is_file():
        raise DatabaseError(f"{file} is no file")
    try:
        with closing(sqlite3.connect(f"{file.resolve().as_uri()}?mode=ro", uri=True)) as backup:
            verdict = backup.execute("PRAGMA integrity_check(1)").fetchone()[0]
            tables = {name for (name,) in backup.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    except sqlite3.Error as error:
        raise DatabaseError(f"{file} is no backup of this program: {error}") from error
    if verdict != "ok":
        raise DatabaseError(f"{file} is damaged: {verdict}")
    if not {"versions", "watches", "alembic_version"} <= tables:
        raise DatabaseError(f"{file} is no backup of this program: it has other tables")


def restore(database: Database, file: Path, now: datetime) -> Path | None:
    """Put a checked backup in the database's place; where the former one is kept, None where there was none.

    Raises DatabaseError.
    """
    place = _file(database, "pg_restore restores it")
    kept = place.with_name(f"{place.name}.before-restore-{now:%Y%m%dT%H%M%SZ}") if place.exists() else None
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        if kept is not None:
            _set_aside(place, kept)
        with closing(sqlite3.connect(file)) as backup, closing(sqlite3.connect(place)) as here:
            backup.backup(here)
    except (sqlite3.Error, OSError) as error:
        raise DatabaseError(f"{place} could not be restored: {error}") from error
    return kept


def _set_aside(place: Path, kept: Path) -> None:
    """The old database under another name, with what its write-ahead log still held."""
    with closing(sqlite3.connect(place)) as old:
        old.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    place.rename(kept)
    for suffix in ("-wal", "-shm"):
        place.with_name(place.name + suffix).unlink(missing_ok=True)


def _file(database: Database, instead: str) -> Path:
    if database.file is None:
        raise DatabaseError(f"{database.name} is no SQLite database: {instead}")
    return database.file
