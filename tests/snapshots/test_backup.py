"""Backups: a whole copy made in use, and a way back that loses nothing unasked."""

import sqlite3
import stat
import threading
from pathlib import Path

import pytest

from snapshots import archive
from snapshots.backup import backup, restore
from snapshots.database import Database, DatabaseError
from tests.snapshots.archive_cast import add


def content(database: Database) -> int:
    with database.read() as connection:
        assert list(archive.verify_chain(connection)) == []
        return archive.chain_head(connection).number


def append(database: Database, day: int = 2) -> None:
    with database.write() as connection:
        add(connection, {"day": day}, day=day)


def at(file: Path) -> Database:
    return Database(f"sqlite:///{file}")


def test_a_backup_restored_elsewhere_holds_what_was_there(sqlite_database: Database, tmp_path: Path) -> None:
    append(sqlite_database)
    backup(sqlite_database, tmp_path / "copies" / "one.backup")
    append(sqlite_database, day=3)

    restore(tmp_path / "copies" / "one.backup", f"sqlite:///{tmp_path}/elsewhere/archive.sqlite3")

    assert content(at(tmp_path / "elsewhere" / "archive.sqlite3")) == 1
    assert content(sqlite_database) == 2


def test_a_backup_made_while_others_write_is_sound(sqlite_database: Database, tmp_path: Path) -> None:
    stop = threading.Event()

    def write() -> None:
        for day in range(2, 29):
            if stop.is_set():
                return
            append(sqlite_database, day)

    writer = threading.Thread(target=write)
    writer.start()
    try:
        for number in range(5):
            backup(sqlite_database, tmp_path / f"{number}.backup")
    finally:
        stop.set()
        writer.join(timeout=20)

    copies = [content(at(tmp_path / f"{number}.backup")) for number in range(5)]
    assert copies == sorted(copies)


def test_a_backup_is_one_file_that_only_its_owner_can_read(sqlite_database: Database, tmp_path: Path) -> None:
    folder = tmp_path / "copies"
    backup(sqlite_database, folder / "one.backup")

    assert [file.name for file in folder.iterdir()] == ["one.backup"]
    assert stat.S_IMODE((folder / "one.backup").stat().st_mode) == 0o600


def test_a_backup_that_fails_leaves_the_former_one(sqlite_database: Database, tmp_path: Path) -> None:
    good = tmp_path / "one.backup"
    backup(sqlite_database, good)
    before = good.read_bytes()
    assert sqlite_database.file
    sqlite_database.dispose()
    sqlite_database.file.write_bytes(b"no database at all" * 1000)

    with pytest.raises(DatabaseError, match="is not a SQLite database"):
        backup(sqlite_database, good)
    assert good.read_bytes() == before
    assert {file.name for file in tmp_path.iterdir()} == {"one.backup", sqlite_database.file.name}


def test_a_database_that_is_there_is_not_lost_unasked(sqlite_database: Database, tmp_path: Path) -> None:
    backup(sqlite_database, tmp_path / "empty.backup")
    append(sqlite_database)

    with pytest.raises(DatabaseError, match="a database is there already"):
        restore(tmp_path / "empty.backup", sqlite_database.url)
    assert content(sqlite_database) == 1


def test_by_force_a_database_is_replaced_journal_and_all(sqlite_database: Database, tmp_path: Path) -> None:
    append(sqlite_database)
    backup(sqlite_database, tmp_path / "one.backup")
    append(sqlite_database, day=3)
    assert sqlite_database.file
    journal = sqlite_database.file.with_name(sqlite_database.file.name + "-wal")
    assert journal.exists()

    restore(tmp_path / "one.backup", sqlite_database.url, force=True)
    sqlite_database.dispose()

    assert content(at(sqlite_database.file)) == 1


def test_what_is_no_backup_is_refused_and_the_database_stays(sqlite_database: Database, tmp_path: Path) -> None:
    append(sqlite_database)
    (tmp_path / "notes.txt").write_text("not a backup " * 500)

    with pytest.raises(DatabaseError, match=r"notes\.txt: is not a SQLite database"):
        restore(tmp_path / "notes.txt", sqlite_database.url, force=True)
    with pytest.raises(DatabaseError, match="no such file"):
        restore(tmp_path / "nothing", sqlite_database.url, force=True)
    assert content(sqlite_database) == 1


def test_a_database_is_not_backed_up_onto_itself(sqlite_database: Database) -> None:
    assert sqlite_database.file

    with pytest.raises(DatabaseError, match="the file to copy from"):
        backup(sqlite_database, sqlite_database.file)


def test_what_was_never_made_cannot_be_backed_up(tmp_path: Path) -> None:
    with pytest.raises(DatabaseError, match="no database yet"):
        backup(at(tmp_path / "archive.sqlite3"), tmp_path / "one.backup")
    assert list(tmp_path.iterdir()) == []


def test_postgresql_is_backed_up_by_its_own_programs(tmp_path: Path) -> None:
    url = "postgresql://alice:hunter2@127.0.0.1:1/trials"
    (tmp_path / "one.backup").touch()

    with pytest.raises(DatabaseError, match="pg_dump") as refused:
        backup(Database(url), tmp_path / "one.backup")
    with pytest.raises(DatabaseError, match="pg_restore"):
        restore(tmp_path / "one.backup", url)
    assert "hunter2" not in str(refused.value)


def test_a_damaged_database_is_not_passed_off_as_a_backup(sqlite_database: Database, tmp_path: Path) -> None:
    append(sqlite_database)
    assert sqlite_database.file
    sqlite_database.dispose()
    whole = sqlite_database.file.read_bytes()
    sqlite_database.file.write_bytes(whole[:8192] + b"\xff" * (len(whole) - 8192))

    with pytest.raises(DatabaseError, match="damaged"):
        backup(sqlite_database, tmp_path / "one.backup")
    assert not (tmp_path / "one.backup").exists()
    with pytest.raises(sqlite3.DatabaseError), sqlite3.connect(sqlite_database.file) as connection:
        connection.execute("SELECT * FROM versions").fetchall()
