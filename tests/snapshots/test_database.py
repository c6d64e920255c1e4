"""The database: two kinds that behave alike, and one clear line when one cannot be used."""

import os
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from freezegun import freeze_time
from sqlalchemy import func, insert, select, text, update
from sqlalchemy.exc import IntegrityError, StatementError

from snapshots import time_allowed
from snapshots.database import READERS_KEPT, WRITERS_KEPT, Database, DatabaseError, insert_if_absent
from snapshots.leases import acquire, leases
from tests.databases import PostgresqlServer

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
ROW = {"name": "a", "holder": "alice", "token": 0, "until": NOON}


def row_count(database: Database) -> int:
    with database.read() as connection:
        return connection.execute(select(func.count()).select_from(leases)).scalar_one()


def until(database: Database) -> datetime:
    with database.read() as connection:
        return connection.execute(select(leases.c.until)).scalar_one()


# ------------------------------------------------------------------ transactions


def test_what_is_written_is_there_afterwards(database: Database) -> None:
    with database.write() as connection:
        connection.execute(insert(leases).values(ROW))

    assert row_count(database) == 1


def test_a_failure_within_leaves_nothing_behind(database: Database) -> None:
    with pytest.raises(RuntimeError), database.write() as connection:
        connection.execute(insert(leases).values(ROW))
        raise RuntimeError

    assert row_count(database) == 0


def test_a_reader_sees_one_moment_while_others_write(database: Database) -> None:
    with database.read() as reader:
        before = reader.execute(select(func.count()).select_from(leases)).scalar_one()
        with database.write() as writer:
            writer.execute(insert(leases).values(ROW))
        after = reader.execute(select(func.count()).select_from(leases)).scalar_one()

    assert (before, after, row_count(database)) == (0, 0, 1)


def test_a_reader_cannot_write(database: Database) -> None:
    with pytest.raises(DatabaseError, match="read-only"), database.read() as connection:
        connection.execute(insert(leases).values(ROW))


def test_no_update_of_many_threads_is_lost(database: Database) -> None:
    with database.write() as connection:
        connection.execute(insert(leases).values(ROW))

    def count_up() -> None:
        for _ in range(25):
            with database.write() as connection:
                token = connection.execute(select(leases.c.token).with_for_update()).scalar_one()
                connection.execute(update(leases).values(token=token + 1))

    threads = [threading.Thread(target=count_up) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)

    with database.read() as connection:
        assert connection.execute(select(leases.c.token)).scalar_one() == 100


def test_of_two_rows_with_one_key_the_first_stays(database: Database) -> None:
    with database.write() as connection:
        first = insert_if_absent(connection, leases, ROW)
        second = insert_if_absent(connection, leases, {**ROW, "holder": "bob"})
        holder = connection.execute(select(leases.c.holder)).scalar_one()

    assert (first, second, holder) == (True, False, "alice")


def test_a_broken_promise_of_ours_is_no_trouble_of_the_database(database: Database) -> None:
    with pytest.raises(IntegrityError), database.write() as connection:
        connection.execute(insert(leases), [ROW, ROW])


def test_foreign_keys_are_kept(database: Database) -> None:
    with pytest.raises(IntegrityError), database.write() as connection:
        connection.execute(text("INSERT INTO record_ids (registry, registry_id, record) VALUES ('r', 'x', 7)"))


def test_a_schema_change_that_leaves_a_row_without_its_parent_is_undone(sqlite_database: Database) -> None:
    with pytest.raises(DatabaseError, match="record_ids"), sqlite_database.schema_change() as connection:
        connection.execute(text("INSERT INTO record_ids (registry, registry_id, record) VALUES ('r', 'x', 7)"))

    with sqlite_database.read() as connection:
        assert connection.execute(text("SELECT count(*) FROM record_ids")).scalar_one() == 0


# ------------------------------------------------------------------ times


@pytest.mark.parametrize("zone", [UTC, timezone(timedelta(hours=8)), timezone(timedelta(hours=-3, minutes=-30))])
def test_a_moment_comes_back_as_the_same_moment_in_utc(database: Database, zone: timezone) -> None:
    moment = datetime(2026, 10, 25, 2, 30, 0, 123456, tzinfo=zone)
    with database.write() as connection:
        connection.execute(insert(leases).values({**ROW, "until": moment}))

    assert until(database) == moment
    assert until(database).tzinfo is UTC


def test_moments_are_compared_as_moments(database: Database) -> None:
    with database.write() as connection:
        connection.execute(insert(leases).values(ROW))
        same = NOON.astimezone(timezone(timedelta(hours=9)))
        found = connection.execute(select(leases.c.name).where(leases.c.until <= same)).all()

    assert len(found) == 1


def test_a_time_without_a_zone_is_refused(database: Database) -> None:
    with pytest.raises(StatementError, match="without a zone"), database.write() as connection:
        connection.execute(insert(leases).values({**ROW, "until": datetime(2026, 3, 2)}))  # noqa: DTZ001


@freeze_time("2026-03-02 12:00:00")
def test_a_frozen_clock_can_be_stored(database: Database) -> None:
    with database.write() as connection:
        connection.execute(insert(leases).values({**ROW, "until": datetime.now(UTC)}))

    assert until(database) == NOON


# ------------------------------------------------------------------ clear errors


def trouble(url: str, use: Callable[[Database], object] = row_count) -> str:
    with pytest.raises(DatabaseError) as caught:
        use(Database(url))
    assert "\n" not in str(caught.value)
    return str(caught.value)


def write_one(database: Database) -> None:
    with database.write() as connection:
        connection.execute(insert(leases).values(ROW))


def test_a_missing_folder_is_made(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path}/new/folder/archive.sqlite3")
    with database.write() as connection:
        connection.execute(text("CREATE TABLE a (b INTEGER)"))

    assert (tmp_path / "new" / "folder" / "archive.sqlite3").is_file()
    database.dispose()


def test_a_file_that_is_no_database_is_named(tmp_path: Path) -> None:
    file = tmp_path / "notes.txt"
    file.write_text("Not a database, but long enough to be looked at as if it were one. " * 40)

    assert trouble(f"sqlite:///{file}") == f"{file}: is not a SQLite database"


def test_a_damaged_database_is_named(sqlite_database: Database) -> None:
    file = sqlite_database.file
    assert file
    write_one(sqlite_database)
    sqlite_database.dispose()
    whole = file.read_bytes()
    file.write_bytes(whole[:4096] + b"\xff" * (len(whole) - 4096))

    assert "is damaged" in trouble(sqlite_database.url)


def test_a_folder_in_place_of_a_file_is_named(tmp_path: Path) -> None:
    assert trouble(f"sqlite:///{tmp_path}").startswith(f"{tmp_path}: cannot be opened")


def test_a_file_in_place_of_a_folder_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()

    assert "its folder cannot be made" in trouble(f"sqlite:///{tmp_path}/file/archive.sqlite3")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_file_that_may_not_be_written_is_named(sqlite_database: Database) -> None:
    assert sqlite_database.file
    sqlite_database.file.chmod(0o400)

    assert "read-only" in trouble(sqlite_database.url, write_one)


def test_a_full_disk_is_named(sqlite_database: Database) -> None:
    def fill(database: Database) -> None:
        with database.write() as connection:
            pages = connection.exec_driver_sql("PRAGMA page_count").scalar_one()
            connection.exec_driver_sql(f"PRAGMA max_page_count={pages + 1}")
            connection.execute(insert(leases), [{**ROW, "name": f"{n} {'x' * 1000}"} for n in range(100)])

    assert trouble(sqlite_database.url, fill).endswith("the disk is full")


def test_a_writer_that_waits_too_long_says_so(sqlite_database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("snapshots.database.BUSY_TIMEOUT", 100)
    assert sqlite_database.file
    other = sqlite3.connect(sqlite_database.file, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    began = time.monotonic()

    assert trouble(sqlite_database.url, write_one).endswith("was locked by another program for too long")
    assert time.monotonic() - began < 3
    other.close()


def test_a_writer_waits_while_another_is_short(sqlite_database: Database) -> None:
    assert sqlite_database.file
    other = sqlite3.connect(sqlite_database.file, isolation_level=None, check_same_thread=False)
    other.execute("BEGIN IMMEDIATE")
    ending = threading.Timer(0.3, other.rollback)
    ending.start()

    write_one(sqlite_database)

    assert row_count(sqlite_database) == 1
    ending.join()
    other.close()


def test_a_database_without_tables_says_what_to_do(empty_database_url: str) -> None:
    assert "run `trialdelta db upgrade`" in trouble(empty_database_url)


def test_a_server_that_is_not_there_is_named_without_the_password() -> None:
    said = trouble("postgresql://alice:hunter2@127.0.0.1:1/trials")

    assert said == "postgresql://alice:***@127.0.0.1:1/trials: connection refused: is the server running?"


def test_a_password_in_the_options_stays_out_of_messages() -> None:
    assert "hunter2" not in trouble("postgresql://alice@127.0.0.1:1/trials?password=hunter2")


def test_a_database_that_the_server_does_not_have_is_named(empty_database_url: str) -> None:
    if empty_database_url.startswith("sqlite"):
        pytest.skip("SQLite makes its file")

    assert "does not exist" in trouble(empty_database_url + "_not")


@pytest.mark.parametrize("url", ["mysql://alice:hunter2@example.org/trials", "no url: hunter2", "sqlite://", ""])
def test_an_url_of_another_kind_is_refused_without_its_password(url: str) -> None:
    with pytest.raises(DatabaseError) as refused:
        Database(url)

    assert "hunter2" not in str(refused.value)


def test_postgres_urls_are_taken_as_they_are_written() -> None:
    assert Database("postgres://alice:pw@example.org/trials").name == "postgresql://alice:***@example.org/trials"
    assert Database("postgresql://example.org/trials").is_sqlite is False


def test_however_many_read_and_write_at_once_few_connections_stay_open(sqlite_database: Database) -> None:
    with ExitStack() as readers:
        for _ in range(8):
            readers.enter_context(sqlite_database.read()).execute(select(leases)).all()
        during = open_connections(sqlite_database)
    writers = [threading.Thread(target=write, args=(sqlite_database, name)) for name in "abcdefgh"]
    for each in writers:
        each.start()
    for each in writers:
        each.join(20)

    assert row_count(sqlite_database) == 8
    assert during >= 8
    assert open_connections(sqlite_database) <= READERS_KEPT + WRITERS_KEPT


def write(database: Database, name: str) -> None:
    with database.write() as connection:
        connection.execute(insert(leases), {**ROW, "name": name})


def open_connections(database: Database) -> int:
    """How many connections this process has open: each opens the write-ahead log once. (The database itself stays open
    as often as it ever was at once: closing it would give up the locks of all others.)
    """
    log = f"{database.file}-wal"
    return sum(str(each.resolve()) == log for each in Path("/proc/self/fd").iterdir())


def test_a_killed_writer_leaves_the_database_usable(sqlite_database: Database) -> None:
    code = (
        "import os, sys; from snapshots.database import Database; from sqlalchemy import text\n"
        "with Database(sys.argv[1]).write() as c:\n"
        "    c.execute(text(\"INSERT INTO leases VALUES ('b', 'x', 1, '2026-01-01 00:00:00.000000')\"))\n"
        "    os.kill(os.getpid(), 9)\n"
    )
    subprocess.run([sys.executable, "-c", code, sqlite_database.url], check=False)

    write_one(sqlite_database)
    assert row_count(sqlite_database) == 1


def test_postgresql_ends_a_transaction_that_was_left_idle_so_that_others_go_on(postgresql: PostgresqlServer) -> None:
    with postgresql.url(tables=True) as url:
        impatient = Database(f"{url}?options=-c%20idle_in_transaction_session_timeout%3D300")
        other = Database(url)
        with (
            pytest.raises(DatabaseError, match="ended a transaction in which nothing happened") as told,
            impatient.write() as connection,
        ):
            acquire(connection, "work", "stopped", NOON, 60)
            with other.write() as others:
                taken = acquire(others, "work", "living", NOON, 60)
            connection.execute(text("SELECT 1"))
        impatient.dispose()
        other.dispose()

    assert taken is not None
    assert "\n" not in str(told.value)


def test_an_at_sign_in_the_password_is_explained_without_telling_the_password() -> None:
    with pytest.raises(DatabaseError, match="%40") as refused:
        Database("postgresql://alice:hun@ter2@127.0.0.1:1/trials")

    assert "hun" not in str(refused.value)
    assert "ter2" not in str(refused.value)


def test_a_transaction_that_outlives_its_time_is_undone_between_two_statements_too(database: Database) -> None:
    with database.schema_change() as connection:
        connection.exec_driver_sql("CREATE TABLE kept (said INTEGER)")
    over = pytest.raises(DatabaseError, match="took longer than it may")
    with over, time_allowed.until(time.monotonic() + 0.2), database.write() as connection:
        for _ in range(10):
            connection.exec_driver_sql("INSERT INTO kept VALUES (1)")
            time.sleep(0.05)

    with database.write() as connection, time_allowed.until(time.monotonic() + 60):
        assert connection.exec_driver_sql("SELECT count(*) FROM kept").scalar() == 0
        connection.exec_driver_sql("INSERT INTO kept VALUES (2)")
    with database.read() as connection:
        assert connection.exec_driver_sql("SELECT count(*) FROM kept").scalar() == 1
