"""Bringing a database to this program's tables: one history of migrations for all three packages, by Alembic."""

from pathlib import Path
from tempfile import TemporaryDirectory

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy.exc import DataError, IntegrityError

from snapshots.database import Database, DatabaseError

MIGRATIONS = Path(__file__).parent / "migrations"


def upgrade(database_url: str) -> None:
    """Bring the database to this program's tables, making it where there is none; all or nothing, one at a time.

    Raises DatabaseError, also for a database that a newer version of the program has made.
    """
    database = Database(database_url)
    try:
        _upgrade(database)
    finally:
        database.dispose()


def current_and_head(database: Database) -> tuple[str | None, str | None]:
    """The revision the database is at (None: it has no tables of ours) and the one this program needs."""
    with database.read() as connection:
        current = MigrationContext.configure(connection).get_current_revision()
    return current, ScriptDirectory.from_config(_configuration()).get_current_head()


def is_known(revision: str) -> bool:
    """Whether this program knows the revision: one that it does not was made by a later version."""
    return any(script.revision == revision for script in ScriptDirectory.from_config(_configuration()).walk_revisions())


def draft_migration(words: str) -> None:
    """For developers: write the migration from the newest one to the tables as the code has them, to be read over."""
    scripts = ScriptDirectory.from_config(_configuration())
    number = len(list(scripts.walk_revisions())) + 1
    with TemporaryDirectory() as folder:
        database = Database(f"sqlite:///{folder}/draft.sqlite3")
        _upgrade(database)
        with database.schema_change() as connection:
            config = _configuration()
            config.attributes["connection"] = connection
            command.revision(config, words, autogenerate=True, rev_id=f"{number:04d}")
        database.dispose()


def _upgrade(database: Database) -> None:
    config = _configuration()
    try:
        with database.schema_change() as connection:
            config.attributes["connection"] = connection
            command.upgrade(config, "head")
    except CommandError as error:
        raise DatabaseError(f"{database.name}: was made by another version of this program: {error}") from error
    except (IntegrityError, DataError) as error:
        why = str(error.orig).splitlines()[0]
        raise DatabaseError(f"{database.name}: its tables cannot be upgraded, nothing was changed: {why}") from error


def _configuration() -> Config:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    config.set_main_option("file_template", "%%(rev)s_%%(slug)s")
    return config
