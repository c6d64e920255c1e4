"""Bringing a database to this program's tables: one history of migrations for all three packages, by Alembic."""

from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy import Column, MetaData, String, Table, inspect, select
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
    """The revision the database is at (None: it has no tables of ours) and the one this program needs.

    Raises DatabaseError.
    """
    with database.read() as connection:
        is_there = inspect(connection).has_table(_ALEMBIC.name)
        found = connection.execute(select(_ALEMBIC.c.version_num)).scalars().all() if is_there else ()
    if len(found) > 1:
        raise DatabaseError(
            f"{database.name}: alembic_version has {len(found)} rows, and one is needed; restore a backup"
        )
    return (found[0] if found else None), _revisions()[0]


def is_known(revision: str) -> bool:
    """Whether this program knows the revision: one that it does not was made by a later version."""
    return revision in _revisions()


# not asked of Alembic: it makes this table anew for each question, and each of them is compiled and kept as another;
# a daemon is asked whether it is ready every few seconds
_ALEMBIC = Table("alembic_version", MetaData(), Column("version_num", String))


def _revisions() -> tuple[str, ...]:
    """The revisions that the program brings along, the newest first."""
    files = tuple(sorted((MIGRATIONS / "versions").glob("*.py")))
    if not files:
        raise DatabaseError(f"{MIGRATIONS}: the program's migrations are missing; install it again")
    return _revisions_in(files)


@cache
def _revisions_in(_files: tuple[Path, ...]) -> tuple[str, ...]:
    """Asked once for the files that there are: to read them is to run them."""
    return tuple(script.revision for script in ScriptDirectory.from_config(_configuration()).walk_revisions())


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
