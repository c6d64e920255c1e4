"""Are the database's tables those of this version, and how they become so."""

from pathlib import Path
from typing import Literal

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, inspect

from snapshots.database import Database, DatabaseError

MIGRATIONS = Path(__file__).parent / "migrations"

State = Literal["empty", "current", "older", "newer"]


def state(database: Database) -> State:
    """How the tables stand to this version's: "newer" were made by a later version. Raises DatabaseError."""
    with database.read() as connection:
        return _state(connection)


def upgrade(database: Database) -> State:
    """Bring the tables to this version's; nothing happens where they are. Returns how they stood before.

    Two processes that do this at once do it one after the other. Raises DatabaseError, also for tables of a later
    version, which are left alone.
    """
    with database.schema_change() as connection:
        before = _state(connection)
        if before == "newer":
            raise DatabaseError(_too_new(database))
        if before != "current":
            command.upgrade(_config(connection), "head")
    return before


def ensure_usable(database: Database) -> None:
    """Make the tables in an empty database; raise DatabaseError that says what to do where they are of another
    version: a changed table is the operator's decision, or the daemon's at its start.
    """
    found = state(database) if not _is_new_file(database) else "empty"
    if found == "empty":
        upgrade(database)
    elif found == "older":
        raise DatabaseError(f"{database.name} has tables of an earlier version: run `trialdelta db upgrade`")
    elif found == "newer":
        raise DatabaseError(_too_new(database))


def revision(database: Database) -> str | None:
    """The revision that the tables are at; None in an empty database."""
    with database.read() as connection:
        return MigrationContext.configure(connection).get_current_revision()


def head() -> str | None:
    """The revision of this version's tables."""
    return _scripts().get_current_head()


def _is_new_file(database: Database) -> bool:
    return database.file is not None and not database.file.exists()


def _state(connection: Connection) -> State:
    found = MigrationContext.configure(connection).get_current_revision()
    if found is None:
        return "older" if inspect(connection).has_table("versions") else "empty"
    if found == head():
        return "current"
    known = {script.revision for script in _scripts().walk_revisions()}
    return "older" if found in known else "newer"


def _too_new(database: Database) -> str:
    return f"{database.name} was last used by a later version of trialdelta: install that version again, or restore a backup"


def _scripts() -> ScriptDirectory:
    return ScriptDirectory(str(MIGRATIONS))


def _config(connection: Connection) -> Config:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    config.attributes["connection"] = connection
    return config
