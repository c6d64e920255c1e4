"""Migrations: from nothing to the tables that the code has, on both databases, all or nothing."""

import shutil
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import inspect, text

from monitor import database_upgrade
from monitor.database_upgrade import current_and_head, draft_migration, upgrade
from snapshots.database import Database, DatabaseError, metadata
from tests.databases import make_tables


def differences(url: str) -> list[object]:
    """What an upgraded database lacks of the tables that the code has, or has more."""
    with Database(url).read() as connection:
        context = MigrationContext.configure(connection, opts={"compare_server_default": True})
        return list(compare_metadata(context, metadata))


def revisions(url: str) -> tuple[str | None, str | None]:
    return current_and_head(Database(url))


@pytest.fixture
def drafts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A history of migrations of the test's own, still without any."""
    folder = tmp_path / "migrations"
    shutil.copytree(database_upgrade.MIGRATIONS, folder, ignore=shutil.ignore_patterns("0*.py", "__pycache__"))
    monkeypatch.setattr(database_upgrade, "MIGRATIONS", folder)
    return folder / "versions"


def test_the_migrations_make_the_tables_that_the_code_has(empty_database_url: str) -> None:
    upgrade(empty_database_url)

    assert differences(empty_database_url) == []
    current, head = revisions(empty_database_url)
    assert current == head


def test_upgrading_twice_does_nothing_the_second_time(empty_database_url: str, drafts: Path) -> None:
    draft_migration("first tables")
    upgrade(empty_database_url)
    upgrade(empty_database_url)

    assert revisions(empty_database_url) == ("0001", "0001")


def test_a_drafted_migration_makes_what_the_code_has_on_both_databases(empty_database_url: str, drafts: Path) -> None:
    draft_migration("first tables")
    assert [file.name for file in drafts.glob("0*.py")] == ["0001_first_tables.py"]
    assert revisions(empty_database_url) == (None, "0001")

    upgrade(empty_database_url)

    assert differences(empty_database_url) == []


def test_tables_made_in_tests_are_those_of_the_code(empty_database_url: str) -> None:
    make_tables(empty_database_url)

    assert differences(empty_database_url) == []


FAILS_LATE = """
from alembic import op
import sqlalchemy as sa
revision = "0001"
down_revision = None
def upgrade():
    op.create_table("half", sa.Column("id", sa.Integer, primary_key=True))
    op.execute("SELECT * FROM nowhere")
"""


def test_a_migration_that_fails_leaves_the_database_as_it_was(empty_database_url: str, drafts: Path) -> None:
    (drafts / "0001_fails_late.py").write_text(FAILS_LATE)

    with pytest.raises(DatabaseError):
        upgrade(empty_database_url)
    with Database(empty_database_url).read() as connection:
        assert inspect(connection).get_table_names() == []


def test_a_database_of_a_newer_program_is_refused_in_one_line(
    empty_database_url: str, drafts: Path, tmp_path: Path
) -> None:
    draft_migration("first tables")
    upgrade(empty_database_url)
    (drafts / "0001_first_tables.py").unlink()

    with pytest.raises(DatabaseError, match="another version of this program") as refused:
        upgrade(empty_database_url)
    assert "\n" not in str(refused.value)


def test_a_database_that_names_two_revisions_is_refused(database: Database) -> None:
    with database.write() as connection:
        connection.execute(text("INSERT INTO alembic_version VALUES ('0001')"))

    with pytest.raises(DatabaseError, match="alembic_version has 2 rows"):
        current_and_head(database)


def test_a_program_without_its_migrations_says_so(
    sqlite_database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database_upgrade, "MIGRATIONS", tmp_path)

    with pytest.raises(DatabaseError, match="migrations are missing; install it again"):
        current_and_head(sqlite_database)
