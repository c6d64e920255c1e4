"""Where everything is kept: one database, SQLite or PostgreSQL, opened the same way and failing in one clear line.

The two behave alike. A *write* is alone or waits: on SQLite it begins with BEGIN IMMEDIATE (the driver's own way of
beginning lost updates without an error), on PostgreSQL rows are locked as they are updated. A *read* sees one moment,
whatever others write meanwhile, and can change nothing.
"""

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from time import monotonic
from typing import Any

from sqlalchemy import Connection, DateTime, Dialect, Engine, MetaData, Table, create_engine, event, exc, text
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import URL, make_url
from sqlalchemy.types import TypeDecorator

from snapshots import time_allowed

BUSY_TIMEOUT = 5000
"""Milliseconds that SQLite waits for another writer. (PostgreSQL waits for a row as long as the other's transaction
runs, and ours are short.)"""
IDLE_TIMEOUT = 30_000
"""Milliseconds after which PostgreSQL ends a transaction that does nothing: that of a process that was stopped, or of a
machine that was cut off. What it had locked would else stay locked for ever."""

READERS_KEPT, WRITERS_KEPT, MOST_OPEN = 2, 1, 15
"""Connections to a SQLite file that are kept once they were used, and how many there may be at once to read and to
write. Each that is kept keeps files open, some of the database's pages, all its tables' names and a hundred prepared
statements, half a megabyte and more; to open another takes two milliseconds."""
READERS_CACHE = 500
"""KB of a SQLite database's pages that each reader keeps to itself; the system keeps the file's pages for all of them.
(Writers keep SQLite's own 2 MB: what they write waits there for the commit.)"""

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(column_0_N_label)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
        "pk": "pk_%(table_name)s",
    }
)


class DatabaseError(Exception):
    """The database cannot be used as asked; the message is one line that says which one and why, without passwords."""


class UtcDateTime(TypeDecorator[datetime]):
    """A moment: an aware `datetime` going in (any zone), the same moment in UTC coming out.

    A naive value is refused with ValueError: nobody can know which moment it means.
    """

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"a time without a zone cannot be stored: {value!r}")
        return value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        if value is None:
            return None
        # SQLite keeps no zone; what was written there was UTC
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class Database:
    """The database behind `url` (`sqlite:///path` or `postgresql://…`). Nothing is opened before the first use.

    The file's folder is made where it is missing. Raises DatabaseError for an URL of another kind.
    """

    def __init__(self, url: str) -> None:
        self._url = _parsed(url)
        self._writers = _engine(self._url, writes=True)
        self._readers = _engine(self._url, writes=False)

    @property
    def url(self) -> str:
        """The URL with its password, as other programs need it; for people there is `name`."""
        return self._url.render_as_string(hide_password=False)

    @property
    def name(self) -> str:
        """What to call this database in messages: the file's path, or the URL without its password."""
        return _name(self._url)

    @property
    def is_sqlite(self) -> bool:
        return self._url.get_backend_name() == "sqlite"

    @property
    def file(self) -> Path | None:
        """The SQLite file; None on PostgreSQL."""
        return Path(self._url.database or "") if self.is_sqlite else None

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """A transaction that may write: committed on leaving, rolled back where the body raises.

        Raises DatabaseError where the database fails; errors of our own making (constraints) pass as they are.
        """
        with self._errors_said_clearly(), self._writers.begin() as connection, time_allowed.limited(connection):
            yield connection

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A transaction that sees one moment and can write nothing. Raises DatabaseError where the database fails."""
        with self._errors_said_clearly(), self._readers.begin() as connection, time_allowed.limited(connection):
            yield connection

    @contextmanager
    def schema_change(self) -> Iterator[Connection]:
        """A transaction that may alter tables, alone among all that do; committed on leaving.

        SQLite alters a table by making it anew, which foreign keys would take for the deletion of every row: they are
        off within, and checked before the commit.
        """
        engine = _engine(self._url, writes=True, foreign_keys=False)
        try:
            with self._errors_said_clearly(), engine.begin() as connection:
                if not self.is_sqlite:
                    connection.execute(text("SELECT pg_advisory_xact_lock(hashtext('trialdelta schema'))"))
                yield connection
                if self.is_sqlite:
                    self._check_foreign_keys(connection)
        finally:
            engine.dispose()

    def dispose(self) -> None:
        """Close every connection. The next use opens new ones."""
        self._writers.dispose()
        self._readers.dispose()

    def _check_foreign_keys(self, connection: Connection) -> None:
        broken = connection.exec_driver_sql("PRAGMA foreign_key_check").first()
        if broken:
            raise DatabaseError(f"{self.name}: a row of table {broken[0]} points to a missing row of {broken[2]}")

    @contextmanager
    def _errors_said_clearly(self) -> Iterator[None]:
        try:
            if self.file is not None:
                _make_folder(self.file)
            yield
        except (exc.IntegrityError, exc.DataError):
            raise
        except time_allowed.TimeIsOver:
            raise DatabaseError(f"{self.name}: {time_allowed.INTERRUPTED}") from None
        except exc.DBAPIError as error:
            if error.connection_invalidated:
                # whatever ended this connection has ended those that wait for their use
                self.dispose()
            raise DatabaseError(f"{self.name}: {_why(error.orig, self._url)}") from error
        except exc.TimeoutError as error:
            raise DatabaseError(f"{self.name}: all connections are in use") from error


def insert_if_absent(connection: Connection, table: Table, row: dict[str, Any]) -> bool:
    """Insert `row` unless one with its key is there; whether it was inserted. Two writers at once: one inserts."""
    return connection.execute(_insert_unless_there(connection.dialect.name, table), row).first() is not None


def insert_absent(connection: Connection, table: Table, rows: Sequence[dict[str, Any]]) -> None:
    """Insert those of `rows` whose keys are not there yet."""
    if rows:
        connection.execute(_insert_all_not_there(connection.dialect.name, table), rows)


@cache
def _insert_unless_there(dialect: str, table: Table) -> Any:
    return _insert_all_not_there(dialect, table).returning(*table.primary_key)


@cache
def _insert_all_not_there(dialect: str, table: Table) -> Any:
    insert = sqlite.insert if dialect == "sqlite" else postgresql.insert
    return insert(table).on_conflict_do_nothing()


def _parsed(url: str) -> URL:
    try:
        parsed = make_url(url)
    except exc.ArgumentError:
        raise DatabaseError("the database's URL cannot be read: sqlite:///PATH or postgresql://… is needed") from None
    if "@" in (parsed.host or ""):
        # the password would stand half in the host's name, and in every message with it
        raise DatabaseError("the database's URL has more than one @: one in the password or user is written %40")
    kind = parsed.drivername.partition("+")[0]
    if kind in ("postgresql", "postgres"):
        return parsed.set(drivername="postgresql+psycopg")
    if kind != "sqlite":
        raise DatabaseError(f"{_name(parsed)}: {kind!r} is not supported, only sqlite and postgresql")
    if parsed.database in (None, "", ":memory:"):
        raise DatabaseError("a database in memory would be forgotten: give a file, sqlite:///PATH")
    return parsed


def _name(url: URL) -> str:
    if url.get_backend_name() == "sqlite":
        return url.database or ""
    # options after the "?" may hold a password too
    return url.set(drivername="postgresql", query={}).render_as_string(hide_password=True)


def _make_folder(file: Path) -> None:
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise DatabaseError(f"{file}: its folder cannot be made: {error.strerror}") from error


def _engine(url: URL, *, writes: bool, foreign_keys: bool = True) -> Engine:
    if url.get_backend_name() == "sqlite":
        return _sqlite_engine(url, writes=writes, foreign_keys=foreign_keys)
    return _postgresql_engine(url, writes=writes)


_GIVEN_UP = (
    ("keepalives_idle", 15),
    ("keepalives_interval", 5),
    ("keepalives_count", 3),
    ("tcp_user_timeout", 30_000),
)
"""When libpq takes a silent server for lost: seconds, seconds, times, milliseconds."""


def _postgresql_engine(url: URL, *, writes: bool) -> Engine:
    # a server that was cut off says nothing: it is given up before its silence costs more than a lease
    given: dict[str, Any] = {"connect_timeout": 10, **{name: n for name, n in _GIVEN_UP if name not in url.query}}
    if "target_session_attrs" not in url.query:
        given["target_session_attrs"] = "read-write"  # of several hosts the one that is not a standby
    if "options" not in url.query:
        # to compile a statement costs a second, and none of ours runs so long
        given["options"] = f"-c idle_in_transaction_session_timeout={IDLE_TIMEOUT} -c jit=off"
    engine = create_engine(url, pool_use_lifo=True, connect_args=given)
    _ping_what_rested(engine)
    if writes:
        return engine
    return engine.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)


RESTED = 1.0
"""Seconds after which a connection is asked whether it lives before it is used again. To ask each time would double the
round trips of a burst of short transactions; one that breaks within a burst fails as one that breaks within its use."""


def _ping_what_rested(engine: Engine) -> None:
    @event.listens_for(engine, "checkin")
    def _note(_connection: object, record: Any) -> None:
        record.info["used"] = monotonic()

    @event.listens_for(engine, "checkout")
    def _ping(connection: Any, record: Any, _proxy: object) -> None:
        if monotonic() - record.info.get("used", monotonic()) < RESTED:
            return
        try:
            engine.dialect.do_ping(connection)
        except engine.dialect.loaded_dbapi.Error as error:
            raise exc.DisconnectionError(str(error)) from error


def _sqlite_engine(url: URL, *, writes: bool, foreign_keys: bool) -> Engine:
    kept = WRITERS_KEPT if writes else READERS_KEPT
    # the connection that was used last has read last what others would have to read anew
    engine = create_engine(
        url,
        pool_use_lifo=True,
        pool_size=kept,
        max_overflow=MOST_OPEN - kept,
        connect_args={"isolation_level": None, "timeout": BUSY_TIMEOUT / 1000},
    )

    @event.listens_for(engine, "connect")
    def _prepare(connection: sqlite3.Connection, _record: object) -> None:
        cursor = connection.cursor()
        cursor.execute(f"PRAGMA busy_timeout={BUSY_TIMEOUT}")
        cursor.execute("PRAGMA journal_mode=WAL")
        cursor.execute("PRAGMA synchronous=NORMAL")
        cursor.execute(f"PRAGMA foreign_keys={'ON' if foreign_keys else 'OFF'}")
        if not writes:
            cursor.execute("PRAGMA query_only=ON")
            cursor.execute(f"PRAGMA cache_size=-{READERS_CACHE}")
        cursor.close()

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")

    return engine


SQLITE_TROUBLE = {
    "SQLITE_NOTADB": "is not a SQLite database",
    "SQLITE_CORRUPT": "is damaged; restore a backup",
    "SQLITE_READONLY": "cannot be written: it is read-only",
    "SQLITE_INTERRUPT": time_allowed.INTERRUPTED,
    "SQLITE_BUSY": "was locked by another program for too long",
    "SQLITE_LOCKED": "was locked by another program for too long",
    "SQLITE_FULL": "cannot be written: the disk is full",
    "SQLITE_CANTOPEN": "cannot be opened: no such folder, or no permission",
    "SQLITE_PERM": "cannot be opened: no permission",
    "SQLITE_IOERR": "cannot be read or written: the disk reports an error",
}
POSTGRESQL_TROUBLE = {
    "57014": time_allowed.INTERRUPTED,
    "53100": "cannot be written: the disk is full",
    "25006": "cannot be written: it is read-only",
    "42P01": "has no tables of this version yet: run `trialdelta db upgrade`",
    "42703": "has tables of another version: run `trialdelta db upgrade`",
    "40P01": "two writers waited for each other; try again",
    "55P03": "was locked by another program for too long",
    "25P03": "the server ended a transaction in which nothing happened for too long; nothing of it is kept",
    "57P01": "the server ended the connection; the next try makes a new one",
}


def _why(error: BaseException | None, url: URL) -> str:
    if isinstance(error, sqlite3.Error):
        return sqlite_trouble(error)
    known = POSTGRESQL_TROUBLE.get(getattr(error, "sqlstate", None) or "")
    return known or _without_secrets(_connection_why(str(error)), url)


def sqlite_trouble(error: sqlite3.Error) -> str:
    """What SQLite's error means to who runs the program, to be said after the file's name."""
    name = getattr(error, "sqlite_errorname", "")
    for code, words in SQLITE_TROUBLE.items():
        if name.startswith(code):
            return words
    words = str(error)
    if words.startswith(("no such table", "no such column")):
        return f"{words}: run `trialdelta db upgrade`"
    return words


def _connection_why(words: str) -> str:
    lines = [line.strip() for line in words.splitlines() if line.strip()]
    for part, told in (
        ("Connection refused", "connection refused: is the server running?"),
        ("No such file or directory", "connection refused: is the server running?"),
        ("password authentication failed", "the server refused the user name or the password"),
        ("no password supplied", "the server asks for a password"),
        ("timeout expired", "the server does not answer"),
        ("too many clients", "the server has no connection left: raise its max_connections, or run fewer daemons"),
        ("remaining connection slots", "the server has no connection left: raise its max_connections"),
        ("session is read-only", "no server that can be written was found: a standby, or one that is set read-only"),
        ("the database system is starting up", "the server is starting; the next try may find it ready"),
        ("the database system is shutting down", "the server is shutting down"),
        ("failed to resolve host", "the name of the server cannot be found (DNS)"),
        ("could not translate host name", "the name of the server cannot be found (DNS)"),
        ("server closed the connection", "the server ended the connection; the next try makes a new one"),
    ):
        if part in words:
            return told
    return lines[0] if lines else "the server does not answer"


def _without_secrets(words: str, url: URL) -> str:
    secrets = [url.password, url.query.get("password")]
    for secret in secrets:
        if isinstance(secret, str) and secret:
            words = words.replace(secret, "***")
    return words
