"""Several daemons on one database: roles, names, taking over, an older program beside a newer one, refusals."""

import os
import shutil
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import msgspec
import pytest
from click.testing import CliRunner
from sqlalchemy import text, update

from monitor import presence, schema
from monitor.backup import back_up, restore
from monitor.cli import trialdelta
from monitor.daemon import Daemon
from monitor.demo.standin import Fault, StandIn
from monitor.presence import ROLES, Present
from monitor.settings import Settings, load
from monitor.sweep import lease_name, sweep
from notifiers import tables, watches
from notifiers.watches import Wish
from snapshots import archive, leases
from snapshots.archive.tables import sweeps
from snapshots.database import Database, DatabaseError
from snapshots.holders import this_process
from tests.monitor.stage import DAYS, RECRUITING, Stage, at, trial
from tests.registries import Asked, nct

ONE = nct(1)
NOW = at(DAYS[0], 15)


@pytest.fixture
def standin() -> Iterator[StandIn]:
    with StandIn() as running:
        running.publish(DAYS[0], {ONE: trial(ONE)})
        yield running


def settings(database: Database, standin: StandIn, **given: str) -> Settings:
    values = {"DATABASE_URL": database.url, "CTGOV_URL": standin.url, "REQUEST_INTERVAL": "0", **given}
    return load({f"TRIALDELTA_{name}": value for name, value in values.items()}, Path("no.env"))


def watch(database: Database) -> None:
    with database.write() as connection:
        watches.add(connection, Wish(registry="ctgov", record_id=ONE), at(DAYS[0]))


def another(database: Database, now: datetime, holder: str = "elsewhere|1|born|") -> None:
    with database.write() as connection:
        made = Present(holder=holder, name="b", roles=ROLES, version="0.1.0", started_at=now, heard_at=now)
        presence.say(connection, made, now)


def ticks(daemon: Daemon) -> set[str]:
    return {tick.__name__ for tick, _ in daemon._ticks()}


OF_ALL = {"tick_presence", "give_back"}
"""What a daemon does whatever its roles are: it says that it is there, and gives freed memory back."""


def test_each_role_does_its_own_and_all_of_them_everything(sqlite_database: Database, standin: StandIn) -> None:
    conf = settings(sqlite_database, standin)
    alone = {role: ticks(Daemon(conf, sqlite_database, roles=(role,))) - OF_ALL for role in ROLES}

    assert "tick_schedule" in alone["sweep"]
    assert {"tick_deliveries", "tick_digests", "tick_troubles"} <= alone["deliver"]
    assert alone["web"] == set()
    assert not alone["sweep"] & alone["deliver"]
    assert ticks(Daemon(conf, sqlite_database)) == OF_ALL | alone["sweep"] | alone["deliver"]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--only", "sweep,sing"], "sing is no role; they are sweep, deliver, web"),
        (["--only", ""], "nothing is no role"),
        (["--name", "\n"], "--name: expected up to 64 printed letters"),
    ],
)
def test_a_role_or_name_that_is_none_is_one_line(arguments: list[str], words: str) -> None:
    done = CliRunner().invoke(trialdelta, ["run", *arguments])

    assert done.exit_code == 2
    assert words in done.stderr


def test_daemons_say_who_they_are_and_that_they_end(database: Database, standin: StandIn) -> None:
    conf = settings(database, standin)
    daemon = Daemon(conf, database, lambda: NOW, name="a", roles=("deliver", "sweep"))
    another(database, NOW)

    others = daemon.tick_presence()
    with database.read() as connection:
        there = presence.listing(connection)
    daemon._leave()
    with database.read() as connection:
        after = presence.listing(connection)

    assert [each.name for each in others] == ["b"]
    assert [(each.name, each.roles) for each in there] == [("a", ("sweep", "deliver")), ("b", ROLES)]
    assert [each.name for each in after] == ["b"]


def test_without_a_name_it_goes_by_host_and_process(sqlite_database: Database, standin: StandIn) -> None:
    assert Daemon(settings(sqlite_database, standin), sqlite_database).me.name.endswith(f"-{os.getpid()}")


def test_the_registry_is_asked_by_one_of_several_and_by_another_once_that_falls_silent(
    database: Database, standin: StandIn
) -> None:
    watch(database)
    now = [NOW]
    daemon = Daemon(settings(database, standin), database, lambda: now[0])
    another(database, now[0])
    sweep(database, Asked(standin), lambda: now[0])
    daemon.tick_presence()

    while_there = daemon.tick_schedule()
    now[0] += timedelta(minutes=20)
    later = daemon.tick_schedule()

    assert while_there is None
    assert later is not None


def test_a_clock_that_was_set_back_keeps_nobody_from_sweeping(database: Database, standin: StandIn) -> None:
    watch(database)
    sweep(database, Asked(standin), lambda: NOW + timedelta(hours=5))
    another(database, NOW)
    daemon = Daemon(settings(database, standin), database, lambda: NOW)
    daemon.tick_presence()

    assert daemon.tick_schedule() is not None


def left_behind(database: Database, until: datetime) -> None:
    """Another machine sweeps, and is heard no more."""
    with database.write() as connection:
        lease = leases.acquire(connection, lease_name("ctgov"), "elsewhere|1|born|", NOW, 1)
        assert lease is not None
        leases.renew(connection, lease, until, 0)
        archive.begin_sweep(connection, "ctgov", f"{DAYS[0]}T09:00:05", "all", NOW)


def test_a_sweep_whose_lease_ran_out_is_taken_over_at_the_next_look(database: Database, standin: StandIn) -> None:
    watch(database)
    sweep(database, Asked(standin), lambda: NOW)
    standin.publish(DAYS[1], {ONE: trial(ONE, RECRUITING)})
    left_behind(database, NOW + timedelta(seconds=45))
    now = [NOW + timedelta(seconds=44)]
    daemon = Daemon(settings(database, standin), database, lambda: now[0])

    too_early = daemon.tick_new_watches()
    now[0] = NOW + timedelta(seconds=46)
    taken_over = daemon.tick_new_watches()

    assert too_early is None
    assert taken_over is not None
    assert taken_over.outcome == "finished"


@pytest.fixture
def refusing() -> Iterator[StandIn]:
    """The registry as one sees it whom it does not answer."""
    with StandIn() as running:
        running.fail(Fault.FORBIDDEN, times=100)
        yield running


def two(database: Database, first: StandIn, second: StandIn, now: list[datetime]) -> tuple[Daemon, Daemon]:
    """Two daemons that see each other, each by its own way to the registry."""
    watch(database)
    made = [Daemon(settings(database, each), database, lambda: now[0], name=each.url) for each in (first, second)]
    for number, daemon in enumerate(made):
        daemon.me = msgspec.structs.replace(daemon.me, holder=f"elsewhere|{number + 1}|born|")
    for daemon in (*made, made[0]):
        daemon.tick_presence()
    return made[0], made[1]


def test_where_the_registry_does_not_answer_one_daemon_another_asks_at_once(
    database: Database, standin: StandIn, refusing: StandIn
) -> None:
    now = [NOW]
    cut_off, other = two(database, refusing, standin, now)

    failed = cut_off.tick_schedule()
    now[0] += timedelta(seconds=10)
    taken_over = other.tick_new_watches()

    assert failed is not None and failed.outcome == "failed"
    assert taken_over is not None and (taken_over.outcome, taken_over.asked) == ("finished", 1)
    assert other.tick_new_watches() is None
    assert other.tick_schedule() is None  # a moment ago it was asked, and well


def test_where_it_answers_nobody_each_has_one_try_and_then_its_schedule(database: Database, refusing: StandIn) -> None:
    now = [NOW]
    sweep(database, Asked(refusing), lambda: NOW - timedelta(hours=1))
    one, other = two(database, refusing, refusing, now)
    with database.write() as connection:
        connection.execute(update(tables.watches).values(created_at=NOW - timedelta(days=9)))
    asked = []
    for _ in range(4):
        now[0] += timedelta(seconds=10)
        asked += [each for each in (one, other) if each.tick_new_watches() is not None]

    assert asked == [one, other]
    assert one.tick_schedule() is not None  # the other's asking came to nothing


class Overtaken(Asked):
    """While it waits for the registry its process is stopped past its lease, and another sweeps."""

    def __init__(self, database: Database, standin: StandIn) -> None:
        super().__init__(standin)
        self._database, self._standin = database, standin

    def release(self) -> object:  # type: ignore[override]
        with self._database.write() as connection:
            connection.execute(update(leases.leases).values(until=NOW - timedelta(minutes=1), holder="x|1|y|"))
        sweep(self._database, Asked(self._standin), lambda: NOW)
        self._standin.fail(Fault.FORBIDDEN)
        return super().release()


def test_who_wakes_up_after_another_took_over_writes_nothing_of_its_own_failure(
    database: Database, standin: StandIn
) -> None:
    from monitor import askings

    watch(database)
    report = sweep(database, Overtaken(database, standin), lambda: NOW)

    with database.read() as connection:
        asked = askings.last(connection, "ctgov")
        states = connection.execute(sweeps.select()).all()
    assert report.outcome == "failed"
    assert asked is not None
    assert asked.failing_since is None
    assert [each.state for each in states] == ["finished"]


# --- an older program beside a newer one ------------------------------------------------------------------------------

LATER = (
    "CREATE TABLE from_the_future (id INTEGER PRIMARY KEY)",
    "ALTER TABLE watches ADD COLUMN wish TEXT",
    "ALTER TABLE deliveries ADD COLUMN weight INTEGER NOT NULL DEFAULT 1",
    "CREATE INDEX ix_of_tomorrow ON deliveries (weight)",
    "UPDATE alembic_version SET version_num = '9999'",
)


def migrate(database: Database, *statements: str) -> None:
    with database.schema_change() as connection:
        for each in statements:
            connection.execute(text(each))
    database.dispose()


def test_this_program_works_on_beside_a_later_one_that_only_added_to_the_tables(
    database: Database, standin: StandIn
) -> None:
    stage = Stage(database, standin)
    from notifiers.subscriptions import Subscription

    stage.subscribe(Subscription(name="all", to=("mailto:alice@example.org",)))
    stage.watch(ONE)
    stage.day(DAYS[0], trial(ONE))
    stage.publish(DAYS[1], trial(ONE, RECRUITING, DAYS[1]))
    stage.look()  # a delivery is in flight
    migrate(database, *LATER)

    schema.upgrade(database)
    schema.ensure_usable(database)
    report = stage.day(DAYS[2], trial(ONE, "SUSPENDED", DAYS[2]))
    daemon = Daemon(settings(database, standin), database, lambda: at(DAYS[2], 16))

    assert schema.state(database) == "newer"
    assert report.changed == 1
    assert daemon.tick_deliveries() == 1  # the second waits its turn behind the first, which has no mail server
    assert daemon.tick_digests() == 0


@pytest.mark.parametrize(
    "change",
    [
        "ALTER TABLE troubles RENAME COLUMN words TO sentences",
        "DROP TABLE access_tokens",
    ],
)
def test_tables_that_a_later_program_changed_are_refused_in_one_line(database: Database, change: str) -> None:
    migrate(database, change, LATER[-1])

    with pytest.raises(DatabaseError, match="another version") as refused:
        schema.upgrade(database)
    with pytest.raises(DatabaseError, match="another version"):
        schema.ensure_usable(database)
    assert "\n" not in str(refused.value)


def test_migrations_within_a_major_version_only_add() -> None:
    """What the next program's migration may hold, if this one is to work on beside it."""
    import ast

    from monitor.database_upgrade import MIGRATIONS

    allowed = {"create_table", "create_index", "add_column", "batch_alter_table", "f", "execute", "bulk_insert"}
    for file in sorted((MIGRATIONS / "versions").glob("0*.py"))[1:]:
        tree = ast.parse(file.read_text(encoding="utf-8"))
        upgrading = next(node for node in tree.body if isinstance(node, ast.FunctionDef) and node.name == "upgrade")
        asked = {
            node.func.attr
            for node in ast.walk(upgrading)
            if isinstance(node, ast.Call)
            and isinstance(node.func, ast.Attribute)
            and isinstance(node.func.value, ast.Name)
            and node.func.value.id in ("op", "batch_op")
        }
        assert asked <= allowed, f"{file.name}: {sorted(asked - allowed)}"


# --- a backup put in place under a running daemon ---------------------------------------------------------------------


def test_a_backup_is_not_put_in_place_while_a_daemon_is_there(sqlite_database: Database, tmp_path: Path) -> None:
    back_up(sqlite_database, tmp_path / "backup.sqlite3")
    another(sqlite_database, NOW)
    watch(sqlite_database)

    with pytest.raises(DatabaseError, match=r"a daemon works on it: b .* End it first; nothing was changed"):
        restore(sqlite_database, tmp_path / "backup.sqlite3", NOW + timedelta(seconds=30))
    with sqlite_database.read() as connection:
        assert len(watches.listing(connection)) == 1

    restore(sqlite_database, tmp_path / "backup.sqlite3", NOW + timedelta(minutes=5))


def test_nor_while_one_is_stopped_that_could_wake_up(sqlite_database: Database, tmp_path: Path) -> None:
    back_up(sqlite_database, tmp_path / "backup.sqlite3")
    another(sqlite_database, NOW, holder=this_process("daemon"))

    with pytest.raises(DatabaseError, match="a daemon works on it"):
        restore(sqlite_database, tmp_path / "backup.sqlite3", NOW + timedelta(hours=5))


def test_a_daemon_whose_file_was_replaced_ends_before_it_writes_into_the_lost_one(
    sqlite_database: Database, standin: StandIn, tmp_path: Path
) -> None:
    daemon = Daemon(settings(sqlite_database, standin), sqlite_database, lambda: NOW)
    daemon.tick_presence()
    before = daemon.stop.is_set()
    assert sqlite_database.file is not None
    shutil.copy(sqlite_database.file, tmp_path / "other")
    (tmp_path / "other").replace(sqlite_database.file)

    daemon.tick_presence()

    assert not before
    assert daemon.stop.is_set()
