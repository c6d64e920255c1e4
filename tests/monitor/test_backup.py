"""A backup is whole, and putting it back loses nothing of what was there."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from monitor import schema
from monitor.backup import back_up, check_backup, restore
from notifiers import watches
from notifiers.watches import Wish
from snapshots.database import Database, DatabaseError
from tests.registries import nct

NOW = datetime(2026, 3, 2, 14, tzinfo=UTC)


@pytest.fixture
def database(tmp_path: Path) -> Database:
    made = Database(f"sqlite:///{tmp_path / 'data' / 'trialdelta.sqlite3'}")
    schema.upgrade(made)
    return made


def watch(database: Database, record: str) -> None:
    with database.write() as connection:
        watches.add(connection, Wish(registry="ctgov", record_id=record), NOW)


def watched(database: Database) -> list[str | None]:
    with database.read() as connection:
        return [each.record_id for each in watches.listing(connection)]


def test_a_backup_holds_what_was_written_a_moment_ago(database: Database, tmp_path: Path) -> None:
    watch(database, nct(1))

    back_up(database, tmp_path / "backup.sqlite3")

    assert watched(Database(f"sqlite:///{tmp_path / 'backup.sqlite3'}")) == [nct(1)]


def test_restoring_keeps_what_was_there_under_another_name(database: Database, tmp_path: Path) -> None:
    watch(database, nct(1))
    back_up(database, tmp_path / "backup.sqlite3")
    watch(database, nct(2))
    database.dispose()

    kept = restore(database, tmp_path / "backup.sqlite3", NOW)

    assert watched(database) == [nct(1)]
    assert kept is not None
    assert watched(Database(f"sqlite:///{kept}")) == [nct(1), nct(2)]


def test_a_backup_is_never_written_over_another(database: Database, tmp_path: Path) -> None:
    (tmp_path / "there").write_text("mine")

    with pytest.raises(DatabaseError, match="exists already"):
        back_up(database, tmp_path / "there")

    assert (tmp_path / "there").read_text() == "mine"


@pytest.mark.parametrize("content", [b"", b"no database at all, but long enough to be looked at" * 40])
def test_what_is_no_backup_is_refused(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(content)

    with pytest.raises(DatabaseError, match="no backup of this program"):
        check_backup(tmp_path / "file")


def test_a_damaged_backup_is_refused(database: Database, tmp_path: Path) -> None:
    for number in range(1, 400):
        watch(database, nct(number))
    target = tmp_path / "backup.sqlite3"
    back_up(database, target)
    content = bytearray(target.read_bytes())
    content[len(content) // 2 : len(content) // 2 + 6000] = bytes(6000)
    target.write_bytes(content)

    with pytest.raises(DatabaseError, match=r"damaged|no backup"):
        check_backup(target)
