"""Are the database's tables those of this version, and may this process make them so?

Within a major version migrations only add: tables, indexes, columns that may stay empty or fill themselves. So the
program before this one works on with the tables of this one, and a rolling upgrade needs no rest. That a database whose
revision is unknown keeps to it is looked up in its tables, not believed.
"""

from typing import Literal

from sqlalchemy import Connection, inspect

import monitor.access.tables
import monitor.presence  # noqa: F401
import notifiers.tables  # noqa: F401
import snapshots.leases
import snapshots.related.tables  # noqa: F401  # imported for its tables, as are those above
from monitor import backup, database_upgrade
from snapshots.database import Database, DatabaseError, metadata

State = Literal["empty", "current", "newer", "other"]


def state(database: Database) -> State:
    """How the tables stand to this version's: "newer" were made by a later one that only added to them, "other" by an
    earlier one, or by a later one that changed them. Raises DatabaseError.
    """
    if database.file is not None and not database.file.exists():
        return "empty"
    current, head = database_upgrade.current_and_head(database)
    if current is None:
        with database.read() as connection:
            return "other" if inspect(connection).has_table("versions") else "empty"
    if current == head:
        return "current"
    if database_upgrade.is_known(current):
        return "other"
    with database.read() as connection:
        return "newer" if _only_adds(connection) else "other"


def is_usable(database: Database) -> bool:
    """Whether this version can work with the tables as they are. Raises DatabaseError."""
    return state(database) in ("current", "newer")


def _only_adds(connection: Connection) -> bool:
    """Whether everything that this version knows is there, and what it does not know can be left out by it."""
    there = inspect(connection)
    tables = set(there.get_table_names())
    for name, table in metadata.tables.items():
        if name not in tables:
            return False
        columns = {column["name"]: column for column in there.get_columns(name)}
        unknown = [column for key, column in columns.items() if key not in table.columns]
        demanding = [column for column in unknown if not column["nullable"] and column["default"] is None]
        if demanding or not set(table.columns.keys()) <= columns.keys():
            return False
    return True


def upgrade(database: Database) -> State:
    """Bring the tables to this version's; nothing happens where they are. Returns how they stood before.

    Before tables that hold something are changed, a SQLite database is copied beside itself
    (`backup.before_upgrade`). Two processes that do this at once do it one after the other. Raises DatabaseError, also
    for tables of a later version that changed what this one knows; what a later one only added to is used as it is.
    """
    before = state(database)
    if before == "other":
        _keep_as_it_was(database)
    if before in ("empty", "other"):
        database_upgrade.upgrade(database.url)
    return before


def _keep_as_it_was(database: Database) -> None:
    current, _ = database_upgrade.current_and_head(database)
    if current is not None and database_upgrade.is_known(current):
        backup.before_upgrade(database, current)


def ensure_usable(database: Database) -> None:
    """Make the tables in an empty database; raise DatabaseError that says what to do where they are of another
    version: to change tables that hold something is the operator's decision, or the daemon's at its start.
    """
    found = state(database)
    if found == "empty":
        upgrade(database)
    elif found == "other":
        raise DatabaseError(f"{database.name} has tables of another version: run `trialdelta db upgrade`")
