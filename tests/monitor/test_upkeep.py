"""What keeps an installation safe: a backup before tables change, a way back from damage, an archive checked."""

import random
import shutil
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import inspect, select, update

from monitor import database_upgrade, schema
from monitor.backup import back_up, check_backup, restore
from monitor.doctor import Finding, examine_archive
from monitor.settings import load
from snapshots import archive
from snapshots.archive.tables import records, versions
from snapshots.database import Database, DatabaseError
from tests.monitor.stage import DAYS, RECRUITING, Stage, copied, lived_in_file, trial
from tests.registries import nct

ROOT = Path(__file__).parents[2]
NOW = datetime(2026, 3, 7, tzinfo=UTC)
ONE, TWO = nct(1), nct(2)

NEXT = '''"""One more table."""
from alembic import op
revision, down_revision, branch_labels, depends_on = "9999", "{before}", None, None
def upgrade() -> None:
    op.execute("{command}")
'''


def live(stage: Stage) -> None:
    """Two records, four versions."""
    stage.watch(ONE, TWO)
    stage.day(DAYS[0], trial(ONE), trial(TWO))
    stage.day(DAYS[1], trial(ONE, RECRUITING, DAYS[1]), trial(TWO, RECRUITING, DAYS[1]))


lived_in = lived_in_file(live)


@pytest.fixture
def database(lived_in: Path, tmp_path: Path) -> Iterator[Database]:
    yield from copied(lived_in, tmp_path)


def numbers(database: Database) -> list[int]:
    with database.read() as connection:
        return list(connection.execute(select(versions.c.number).order_by(versions.c.number)).scalars())


def write_migration(folder: Path, before: str, command: str) -> None:
    (folder / "9999_next.py").write_text(NEXT.format(before=before, command=command))


@pytest.fixture
def migrations(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The program's migrations, to which a test adds one."""
    folder = tmp_path / "migrations"
    shutil.copytree(database_upgrade.MIGRATIONS, folder, ignore=shutil.ignore_patterns("__pycache__"))
    monkeypatch.setattr(database_upgrade, "MIGRATIONS", folder)
    yield folder / "versions"


def kept_before(database: Database, revision: str) -> Path:
    assert database.file
    return database.file.with_name(f"{database.file.name}.before-upgrade-from-{revision}")


def test_before_its_tables_are_changed_a_database_is_kept_as_it_was(database: Database, migrations: Path) -> None:
    _, revision = database_upgrade.current_and_head(database)
    assert revision
    write_migration(migrations, revision, "CREATE TABLE one_more (id INTEGER)")

    assert schema.upgrade(database) == "other"

    kept = Database(f"sqlite:///{kept_before(database, revision)}")
    assert numbers(kept) == numbers(database) == [1, 2, 3, 4]
    assert database_upgrade.current_and_head(kept)[0] == revision
    assert database_upgrade.current_and_head(database)[0] == "9999"


def test_an_upgrade_that_fails_changes_nothing_and_keeps_one_backup(database: Database, migrations: Path) -> None:
    _, revision = database_upgrade.current_and_head(database)
    assert revision
    write_migration(migrations, revision, "no SQL at all")

    for _ in range(2):
        with pytest.raises(Exception, match="syntax error"):
            schema.upgrade(database)

    assert database_upgrade.current_and_head(database)[0] == revision
    assert numbers(database) == [1, 2, 3, 4]
    assert kept_before(database, revision).exists()
    assert len(list(kept_before(database, revision).parent.glob("*before-upgrade*"))) == 1


def test_nothing_is_kept_where_nothing_is_changed(database: Database) -> None:
    schema.upgrade(database)

    assert database.file
    assert not list(database.file.parent.glob("*before-upgrade*"))


def test_a_database_of_a_later_version_that_changed_a_table_is_left_alone(database: Database) -> None:
    assert database.file
    database.dispose()
    with closing(sqlite3.connect(database.file)) as file, file:
        file.execute("UPDATE alembic_version SET version_num = '7777'")
        file.execute("ALTER TABLE troubles RENAME COLUMN words TO sentences")

    with pytest.raises(DatabaseError, match="another version"):
        schema.upgrade(database)
    assert not list(database.file.parent.glob("*before-upgrade*"))


def test_a_damaged_database_is_replaced_by_a_backup_and_kept_beside_it(database: Database, tmp_path: Path) -> None:
    back_up(database, tmp_path / "good.backup")
    database.dispose()
    assert database.file
    database.file.write_bytes(b"no database any more" * 500)

    kept = restore(database, tmp_path / "good.backup", NOW)

    assert numbers(database) == [1, 2, 3, 4]
    assert kept is not None
    assert kept.read_bytes().startswith(b"no database any more")


# --- doctor --archive ------------------------------------------------------------------------------------------------


def findings(database: Database) -> list[Finding]:
    conf = load({"TRIALDELTA_DATABASE_URL": database.url}, Path("no.env"))
    return [found for found in examine_archive(conf) if found.check == "archive"]


def test_a_sound_archive_is_said_to_be_so_with_its_head(database: Database) -> None:
    with database.read() as connection:
        head = archive.chain_head(connection).short

    (found,) = findings(database)

    assert (found.verdict, head in found.found) == ("ok", True)


def test_a_single_altered_byte_of_any_version_is_found(database: Database) -> None:
    with database.read() as connection:
        stored = {row.number: row.data for row in connection.execute(select(versions.c.number, versions.c.data))}
    chance = random.Random(3)
    for _ in range(25):
        number = chance.choice(list(stored))
        altered = bytearray(stored[number])
        altered[chance.randrange(len(altered))] ^= 1 << chance.randrange(8)
        with database.write() as connection:
            connection.execute(update(versions).where(versions.c.number == number).values(data=bytes(altered)))

        found = findings(database)
        with database.write() as connection:
            connection.execute(update(versions).where(versions.c.number == number).values(data=stored[number]))

        assert any(each.verdict == "failure" and f"version {number}" in each.found for each in found)
        assert all(each.advice for each in found)
    assert [each.verdict for each in findings(database)] == ["ok"]


def test_a_version_put_under_another_record_is_found(database: Database) -> None:
    with database.write() as connection:
        other = connection.execute(select(records.c.id).where(records.c.registry_id == TWO)).scalar_one()
        moved = update(versions).where(versions.c.number == 1).values(record=other, position=99)
        connection.execute(moved)

    assert f"version 1 ({ONE}) stands among the versions of another record" in [
        each.found for each in findings(database)
    ]


def test_a_record_that_was_merged_is_no_trouble(database: Database) -> None:
    with database.write() as connection:
        archive.merge(connection, "ctgov", ONE, TWO)
        archive.merge(connection, "ctgov", TWO, nct(9))

    assert [each.verdict for each in findings(database)] == ["ok"]


# --- killed ----------------------------------------------------------------------------------------------------------

BACK_UP_FOR_EVER = """
import sys
from pathlib import Path
from monitor.backup import back_up, restore
from snapshots.database import Database
from datetime import UTC, datetime

database, folder, number = Database(sys.argv[1]), Path(sys.argv[2]), 0
print("ready", flush=True)
while True:
    number += 1
    backup = folder / f"{number}.backup"
    backup.unlink(missing_ok=True)
    back_up(database, backup)
    restore(database, backup, datetime(2026, 3, 7, tzinfo=UTC))
"""

UPGRADE_FOR_EVER = """
import sys
from pathlib import Path
from monitor import database_upgrade, schema
from snapshots.database import Database

database_upgrade.MIGRATIONS = Path(sys.argv[2])
print("ready", flush=True)
schema.upgrade(Database(sys.argv[1]))
while True:
    pass
"""


def run_and_kill(script: str, *words: str, after: float) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", script, *words], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout and process.stderr
        began = process.stdout.readline()
        time.sleep(after)
        process.kill()
        assert began, process.stderr.read()


@pytest.mark.kill
@pytest.mark.chaos
def test_killed_while_backing_up_and_restoring_a_database_stays_whole(database: Database, tmp_path: Path) -> None:
    folder = tmp_path / "backups"
    folder.mkdir()
    chance = random.Random(5)
    for _ in range(5):
        database.dispose()
        run_and_kill(BACK_UP_FOR_EVER, database.url, str(folder), after=chance.uniform(0, 0.2))

        assert [found.verdict for found in findings(database)] == ["ok"]
        assert numbers(database) == [1, 2, 3, 4]
        for backup in folder.glob("*.backup"):
            check_backup(backup)
    assert list(folder.glob("*.backup"))


@pytest.mark.kill
@pytest.mark.chaos
def test_killed_while_its_tables_are_changed_a_database_is_at_the_one_or_the_other(
    database: Database, migrations: Path
) -> None:
    _, revision = database_upgrade.current_and_head(database)
    assert revision
    write_migration(migrations, revision, "CREATE TABLE one_more AS SELECT * FROM versions, records, records r")
    chance = random.Random(6)
    seen = set()
    for _ in range(5):
        database.dispose()
        run_and_kill(UPGRADE_FOR_EVER, database.url, str(migrations.parent), after=chance.uniform(0, 0.4))

        current, _ = database_upgrade.current_and_head(database)
        with database.read() as connection:
            assert inspect(connection).has_table("one_more") == (current == "9999")
        assert numbers(database) == [1, 2, 3, 4]
        seen.add(current)
    assert schema.upgrade(database) in ("current", "other")
    assert [found.verdict for found in findings(database)] == ["ok"]
    assert seen <= {revision, "9999"}
