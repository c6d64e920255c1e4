"""Are the database's tables those of this version, and may this process make them so?"""

from typing import Literal

from sqlalchemy import inspect

from monitor import backup, database_upgrade
from snapshots.database import Database, DatabaseError

State = Literal["empty", "current", "other"]


def state(database: Database) -> State:
    """How the tables stand to this version's: "other" were made by an earlier or a later one. Raises DatabaseError."""
    if database.file is not None and not database.file.exists():
        return "empty"
    current, head = database_upgrade.current_and_head(database)
    if current is None:
        with database.read() as connection:
            return "other" if inspect(connection).has_table("versions") else "empty"
    return "current" if current == head else "other"


def upgrade(database: Database) -> State:
    """Bring the tables to this version's; nothing happens where they are. Returns how they stood before.

    Before tables that hold something are changed, a SQLite database is copied beside itself
    (`backup.before_upgrade`). Two processes that do this at once do it one after the other. Raises DatabaseError, also
    for tables of a later version, which are left alone.
    """
    before = state(database)
    if before == "other":
        _keep_as_it_was(database)
    if before != "current":
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
