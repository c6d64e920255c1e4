"""`trialdelta db`: the database's tables, its backups."""

from pathlib import Path

import click


@click.group(short_help="The database: upgrade, backup, restore, copy.")
def db() -> None:
    """Bring the database to this version's tables; copy it to a file and back.

    \b
    Example:
      trialdelta db backup /backups/trialdelta.sqlite3
    """


@db.command(short_help="Bring the tables to this version's.")
def upgrade() -> None:
    """Bring the tables to this version's. All or nothing; the daemon does it at its start.

    A SQLite database is copied beside itself before; of PostgreSQL make a backup by pg_dump.

    \b
    Example:
      trialdelta db upgrade
    """
    from monitor import schema
    from monitor.cli.session import settings_for_a_person
    from snapshots.database import Database

    database = Database(settings_for_a_person().database_url)
    before = schema.upgrade(database)
    database.dispose()
    click.echo(f"{database.name}: {_UPGRADED[before]}")


@db.command(short_help="Copy the database to a file, while it is in use.")
@click.argument("file", type=click.Path(path_type=Path))
def backup(file: Path) -> None:
    """Copy a SQLite database to FILE, whole and consistent, while others use it. FILE must not exist.

    \b
    Example:
      trialdelta db backup /backups/trialdelta-2026-03-25.sqlite3
    """
    from monitor.backup import back_up
    from monitor.cli.session import session

    with session() as here:
        size = back_up(here.database, file)
    click.echo(f"{file}: {size:,} bytes")


@db.command(short_help="Put a backup in the database's place.")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--yes", is_flag=True, help="Do not ask.")
def restore(file: Path, yes: bool) -> None:
    """Put the backup FILE in the database's place. What was there is kept beside it, under a name that is printed.

    End the daemon first: what it wrote meanwhile would be lost, so that this is refused while one is there.

    \b
    Example:
      trialdelta db restore /backups/trialdelta-2026-03-25.sqlite3
    """
    from monitor import wiring
    from monitor.backup import check_backup
    from monitor.backup import restore as put_back
    from monitor.cli.session import settings_for_a_person
    from snapshots.database import Database

    database = Database(settings_for_a_person().database_url)
    check_backup(file)
    if not yes:
        click.confirm(f"Put {file} in the place of {database.name}?", abort=True, err=True)
    kept = put_back(database, file, wiring.utc_now())
    click.echo(f"{database.name} is restored from {file}" + (f"; what was there is {kept} now" if kept else ""))


@db.command(short_help="Copy everything into another, empty database.")
@click.argument("url")
def copy(url: str) -> None:
    """Copy everything into the empty database at URL, read it back and compare; then set TRIALDELTA_DATABASE_URL to it.

    End the daemon first: what it writes meanwhile is not in the copy.

    \b
    Example:
      trialdelta db copy postgresql://trialdelta@db.example.org/trialdelta
    """
    from monitor import copying
    from monitor.cli.session import session
    from snapshots.database import Database

    with session() as here:
        target = Database(url)
        try:
            copied = copying.copy(here.database, target)
        finally:
            target.dispose()
    rows = sum(copied.rows.values())
    click.echo(f"{target.name}: {rows:,} rows of {len(copied.rows)} tables, each as in {here.database.name}")
    click.echo(f"archive's head {copied.head}, the same in both")


_UPGRADED = {
    "newer": "nothing to do, a later version made the tables and only added to them",
    "empty": "the tables were made",
    "current": "nothing to do, the tables are of this version",
    "other": "the tables are of this version now; a SQLite file is kept beside it as it was (.before-upgrade-from-…)",
}
