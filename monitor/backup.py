"""A copy of the database that is whole: taken while it is in use, checked before it is put back."""

import shutil
import sqlite3
from contextlib import closing
from datetime import datetime
from pathlib import Path

from monitor import presence
from snapshots import backup as whole_copy
from snapshots.database import Database, DatabaseError


def back_up(database: Database, target: Path) -> int:
    """Copy a SQLite database to `target`, which must not exist, while others use it; its size in bytes.

    Killed at any point it leaves a whole backup or none. Raises DatabaseError.
    """
    _file(database, "pg_dump makes backups of it")
    if target.exists():
        raise DatabaseError(f"{target} exists already; a backup is never written over another")
    whole_copy.backup(database, target)
    return target.stat().st_size


def before_upgrade(database: Database, revision: str) -> Path | None:
    """Keep a SQLite database beside itself before its tables are changed from `revision`; where. None on PostgreSQL.

    One is kept for each revision, the newest: an upgrade that failed has changed nothing. Raises DatabaseError.
    """
    if database.file is None:
        return None
    kept = database.file.with_name(f"{database.file.name}.before-upgrade-from-{revision}")
    whole_copy.backup(database, kept)
    return kept


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

    Killed at any point it leaves the one or the other, whole. Raises DatabaseError, also while a daemon works on it:
    what that writes meanwhile would be lost.
    """
    place = _file(database, "pg_restore restores it")
    _refuse_under_a_daemon(database, now)
    kept = place.with_name(f"{place.name}.before-restore-{now:%Y%m%dT%H%M%SZ}") if place.exists() else None
    if kept is not None:
        _keep(database, place, kept)
    whole_copy.restore(file, database.url, force=True)
    return kept


def _refuse_under_a_daemon(database: Database, now: datetime) -> None:
    if database.file is None or not database.file.exists():
        return
    try:
        with database.read() as connection:
            there = [each for each in presence.listing(connection) if each.may_write(now)]
    except DatabaseError:
        return  # damaged, or of a version that had no such table: that is what backups are for
    finally:
        database.dispose()  # what stays open would go on reading the file that is replaced
    if there:
        words = "; ".join(presence.in_words(each) for each in there)
        raise DatabaseError(f"{database.name}: a daemon works on it: {words}. End it first; nothing was changed")


def _keep(database: Database, place: Path, kept: Path) -> None:
    """The old database under another name; where it is damaged, its files as they are."""
    try:
        whole_copy.backup(database, kept)
        # its journal is taken away when the backup takes its place: nothing may be in it then
        with closing(sqlite3.connect(place)) as old:
            old.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    except (DatabaseError, sqlite3.Error):
        try:
            for ending in ("", "-wal", "-shm"):
                if (source := place.with_name(place.name + ending)).exists():
                    shutil.copy2(source, kept.with_name(kept.name + ending))
        except OSError as error:
            raise DatabaseError(f"{kept} cannot be written: {error.strerror}") from error


def _file(database: Database, instead: str) -> Path:
    if database.file is None:
        raise DatabaseError(f"{database.name} is no SQLite database: {instead}")
    return database.file
