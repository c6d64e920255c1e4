"""The daemon: a clock that only says "now". What is due stands in the database, so a restart goes on where it was."""

import os
import signal
import socket
import threading
import time
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager, suppress
from datetime import datetime, timedelta

import structlog
from apscheduler.schedulers.background import BackgroundScheduler

from monitor import __version__, allocating, askings, presence, pressing, relating, schema, serving, silence, wiring
from monitor.answers import LEASE_SECONDS
from monitor.backfilling import fill_due, fill_wished
from monitor.presence import ROLES, Present
from monitor.settings import Settings, mask_url
from monitor.sweep import sweep
from monitor.sweep_report import EndedError, SweepReport
from notifiers import confirmations, digest, troubles
from notifiers.deliver import deliver_due
from snapshots.database import Database, DatabaseError
from snapshots.holders import this_process
from snapshots.registries.ctgov.answers import Patience

DELIVERY_SECONDS = 3
DIGEST_SECONDS = 60
NEW_WATCH_SECONDS = 10
"""How often it is asked whether somebody began to watch a record, or a sweep was left behind by a process that died:
those are looked at at once. With the lease's 45 seconds, a sweep is taken over within a minute.
"""
TROUBLE_SECONDS = 60
"""How often it is asked whether there is anything that the operator must hear of."""
BACKFILL_SECONDS = 30
"""How often it is asked whether the history of a watched record is wanted still."""
HEARING_SECONDS = 0.5
"""Within this the signal to end is heard, whichever thread the system gives it to."""
FAREWELL_SECONDS = 8
"""How long the work in hand may take after the signal to end; container hosts kill after ten."""

RELATED_SECONDS = 10
"""How often it is asked whether somebody wants to know trials like one, or records are to be read into the index."""
MEMORY_SECONDS = 60
"""How often memory that was freed is given back to the system (`allocating.give_back`)."""
PRESENCE_SECONDS = 20
"""How often a daemon says that it is there (`monitor.presence`)."""
STALE = timedelta(seconds=30)
"""What was looked at so long ago is not told: a process that was stopped meanwhile knows nothing of the present."""

Clock = Callable[[], datetime]

log = structlog.get_logger()


class Daemon:
    """Sweeps, deliveries and digests of one installation until `stop` is set; of these, what its `roles` are.

    `name` tells it from others on the same database. `lease_seconds`: how long others wait for its sweep once it was
    stopped or cut off.
    """

    def __init__(
        self,
        settings: Settings,
        database: Database,
        clock: Clock = wiring.utc_now,
        *,
        name: str | None = None,
        roles: Collection[str] = ROLES,
        lease_seconds: float = LEASE_SECONDS,
    ) -> None:
        self.stop = threading.Event()
        self.me = Present(
            holder=this_process("daemon"),
            name=name or presence.default_name(socket.gethostname(), os.getpid()),
            roles=tuple(role for role in ROLES if role in roles),
            version=__version__,
            started_at=clock(),
            heard_at=clock(),
        )
        self._lease_seconds = lease_seconds
        self._settings = settings
        self._database = database
        self._clock = clock
        self._delivery = wiring.delivery_settings(settings)
        self._worker = this_process("deliver")
        self._registry = wiring.ctgov(settings, database, clock=clock, sleep=self._sleep)
        # where others look too, whoever finds nobody at the registry gives up in time for them: it may be cut off
        hasty = Patience(unreached=2)
        self._shared = wiring.ctgov(settings, database, clock=clock, sleep=self._sleep, patience=hasty)
        # a connection of its own, which nothing but the turn makes a sweep wait for
        self._past = wiring.ctgov(settings, database, clock=clock, sleep=self._sleep, patience=Patience(attempts=2))
        self._likeness = wiring.ctgov(settings, database, clock=clock, sleep=self._sleep, patience=Patience(attempts=2))
        self._others: tuple[Present, ...] = ()
        self._failed_since: datetime | None = None
        self._file = _identity(database)
        self._busy = 0
        self._lock = threading.Lock()

    def run(self) -> bool:
        """Work until `stop` is set; whether everything in hand was finished in time."""
        schema.upgrade(self._database)
        scheduler = self._scheduler()
        scheduler.start()
        log.info(
            "running",
            name=self.me.name,
            roles=",".join(self.me.roles),
            database=self._database.name,
            registry=mask_url(self._settings.ctgov_url),
        )
        # not without a timeout: a signal that the system gives to another thread is heard here when this one wakes up
        while not self.stop.wait(HEARING_SECONDS):
            pass
        log.info("ending")
        scheduler.shutdown(wait=False)
        finished = self._wait_for_work()
        self._leave()
        log.info("ended", finished=finished)
        return finished

    def tick_sweep(self) -> SweepReport:
        """Ask the registry whether there is a new release, and look through what is watched."""
        registry = self._shared if self._others_sweep() else self._registry
        report = sweep(self._database, registry, self._clock, stop=self.stop.is_set, lease_seconds=self._lease_seconds)
        if report.outcome in ("finished", "nothing new"):
            self._ping()
        if report.outcome == "failed":
            self._failed_since = self._failing_since()
        return report

    def tick_schedule(self) -> SweepReport | None:
        """Sweep, unless another daemon did a moment ago: several ask the registry hardly more often than one."""
        return None if self._another_asked() else self.tick_sweep()

    def tick_new_watches(self) -> SweepReport | None:
        """Look at once at what somebody began to watch since the last sweep, at what a sweep left behind whose process
        died, was stopped or was cut off, and where another's sweep failed: it may be that one alone which the registry
        does not answer.
        """
        with self._database.read() as connection:
            left = pressing.is_left_behind(connection, wiring.REGISTRY, self._clock())
            new = pressing.has_new_watches(connection, wiring.REGISTRY)
        failed = self._another_failed()
        if left:
            log.warning("taking over a sweep that another process left behind")
        elif failed:
            log.info("another daemon's sweep failed; asking the registry from here")
        return self.tick_sweep() if left or new or failed else None

    def tick_deliveries(self) -> int:
        """Send what is due."""
        return deliver_due(self._database, self._delivery, self._worker, self._clock, wiring.chance(), stop=self.stop)

    def tick_presence(self) -> tuple[Present, ...]:
        """Say that this daemon is there; which others are. They do no harm: all take turns, and share the sending."""
        if self._file != _identity(self._database):
            log.error("another file was put in the database's place; start again", database=self._database.name)
            self.stop.set()
            return ()
        now = self._clock()
        with self._database.write() as connection:
            presence.say(connection, self.me, now)
            found = presence.listing(connection)
        others = tuple(each for each in found if each.holder != self.me.holder and each.is_there(now))
        known = {other.holder for other in self._others}
        for other in others:
            if other.holder not in known:
                self._greet(other)
        self._others = others
        return others

    def _greet(self, other: Present) -> None:
        words = "another daemon works on this database; they take turns, and nothing is sent twice"
        if self._database.is_sqlite:
            advice = "one is enough: end the other, or this one"
            log.warning(words, other=presence.in_words(other), advice=advice)
        else:
            log.info(words, other=presence.in_words(other))

    def _others_sweep(self) -> bool:
        return any("sweep" in other.roles for other in self._others)

    def _another_asked(self) -> bool:
        if not self._others:
            return False
        with self._database.read() as connection:
            last = askings.last(connection, wiring.REGISTRY)
        # one that failed keeps nobody from asking: whoever is cut off from the registry would keep all others from it
        if last is None or last.failing_since is not None:
            return False
        # an asking of a time to come is that of a clock which was wrong: it keeps nobody from asking either
        return 0 <= (self._clock() - last.asked_at).total_seconds() < self._settings.sweep_schedule / 2

    def _another_failed(self) -> bool:
        """Whether every asking has failed since one that was not this daemon's: it has a try, but no second one."""
        if not self._others_sweep():
            return False
        since = self._failing_since()
        return since is not None and since != self._failed_since

    def _failing_since(self) -> datetime | None:
        with self._database.read() as connection:
            last = askings.last(connection, wiring.REGISTRY)
        return last.failing_since if last is not None else None

    def tick_digests(self) -> int:
        """Put the digests that are due into the outbox; call off what waited in vain for an address to confirm."""
        digest.prepare(self._database, self._clock())
        with self._database.write() as connection:
            confirmations.give_up(connection, self._clock())
            return len(digest.enqueue_due(connection, self._clock()))

    def tick_troubles(self) -> int:
        """Tell the operator what went silent, once, and once more when it is over; how many messages that makes."""
        schedule, began = self._settings.sweep_schedule, self._clock()
        found = silence.look(self._database, wiring.REGISTRY, began, schedule_seconds=schedule)
        if self._clock() - began > STALE:
            return 0
        operator = silence.operator_uri(self._settings.operator)
        with self._database.write() as connection:
            return len(troubles.note(connection, found, operator, self._clock()))

    def tick_backfill(self) -> int:
        """Bring in the past of what somebody asks for and of what is watched, for as long as no sweep is under way; how
        many records were tried.
        """
        wished = len(fill_wished(self._database, self._past, self._clock, self.stop.is_set))
        if not self._settings.backfill:
            return wished
        return wished + len(fill_due(self._database, self._past, self._clock, self.stop.is_set))

    def tick_related(self) -> int:
        """Read new records into the index of like trials; ask the registry where somebody wants to know more."""
        relating.catch_up(self._database, self._likeness, self.stop.is_set)
        return relating.ask_wanted(self._database, self._likeness, self._clock, self.stop.is_set)

    def _scheduler(self) -> BackgroundScheduler:
        scheduler = BackgroundScheduler(
            timezone="UTC",
            # a late run is a run: the default of one second's grace drops it; what piled up runs once
            job_defaults={"misfire_grace_time": None, "coalesce": True, "max_instances": 1},
        )
        for tick, seconds in self._ticks():
            # after a long rest the first sweep has the word before it is said that there was none
            first = self._clock() + timedelta(seconds=TROUBLE_SECONDS if tick == self.tick_troubles else 0)
            scheduler.add_job(self._guarded(tick), "interval", seconds=seconds, next_run_time=first, name=tick.__name__)
        return scheduler

    def _ticks(self) -> Iterator[tuple[Callable[[], object], float]]:
        """What is done how often, in seconds, by the daemon's roles."""
        yield self.tick_presence, PRESENCE_SECONDS
        yield allocating.give_back, MEMORY_SECONDS
        if "sweep" in self.me.roles:
            yield self.tick_schedule, self._settings.sweep_schedule
            yield self.tick_new_watches, NEW_WATCH_SECONDS
            yield self.tick_backfill, BACKFILL_SECONDS
            yield self.tick_related, RELATED_SECONDS
        if "deliver" in self.me.roles:
            yield self.tick_deliveries, DELIVERY_SECONDS
            yield self.tick_digests, DIGEST_SECONDS
            yield self.tick_troubles, TROUBLE_SECONDS

    def _guarded(self, tick: Callable[[], object]) -> Callable[[], None]:
        """The tick, whose failure is a line in the log: the next one tries again."""

        def run() -> None:
            with self._counted():
                try:
                    if not self.stop.is_set():
                        tick()
                except EndedError:
                    log.info("interrupted", work=tick.__name__)
                except DatabaseError as error:
                    log.error("database", reason=str(error), work=tick.__name__)  # noqa: TRY400 - the line says it all
                except Exception:
                    log.exception("unexpected failure", work=tick.__name__)

        return run

    @contextmanager
    def _counted(self) -> Iterator[None]:
        with self._lock:
            self._busy += 1
        try:
            yield
        finally:
            with self._lock:
                self._busy -= 1

    def _wait_for_work(self) -> bool:
        end = time.monotonic() + FAREWELL_SECONDS
        while self._busy and time.monotonic() < end:
            time.sleep(0.05)
        return not self._busy

    def _leave(self) -> None:
        """Free what says that this daemon is there; where the database fails, it runs out."""
        with suppress(DatabaseError), self._database.write() as connection:
            presence.leave(connection, self.me.holder)

    def _sleep(self, seconds: float) -> None:
        """Waits between questions to the registry; the signal to end cuts it short."""
        if self.stop.wait(seconds):
            raise EndedError

    def _ping(self) -> None:
        if self._settings.ping_url is None:
            return
        import httpx2

        try:
            httpx2.get(self._settings.ping_url, timeout=10, headers={"User-Agent": self._settings.user_agent})
        except (httpx2.HTTPError, OSError) as error:
            log.warning("the ping was not heard", reason=str(error))


def run(settings: Settings, *, name: str | None = None, roles: Collection[str] = ROLES) -> bool:
    """Run the daemon until SIGTERM, SIGINT or the end of its terminal (SIGHUP, unless it is ignored, as under nohup);
    whether everything in hand was finished in time. Raises DatabaseError, and SettingsError where the page cannot be
    served as the settings say.
    """
    allocating.few_arenas()
    database = Database(settings.database_url)
    schema.upgrade(database)
    daemon = Daemon(settings, database, name=name, roles=roles)
    serving.decide(settings, database, wiring.utc_now())
    page = serving.begin(settings, database, wiring.utc_now, daemon.stop) if "web" in roles else None
    allocating.settle()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda _number, _frame: daemon.stop.set())
    if hasattr(signal, "SIGHUP") and signal.getsignal(signal.SIGHUP) != signal.SIG_IGN:
        signal.signal(signal.SIGHUP, lambda _number, _frame: daemon.stop.set())
    try:
        finished = daemon.run()
    finally:
        ended = serving.end(page)
        database.dispose()
    return finished and ended


def _identity(database: Database) -> tuple[int, int] | None:
    """Which file a SQLite database is, whatever it is called; None on PostgreSQL, and where there is none."""
    try:
        found = database.file.stat() if database.file is not None else None
    except OSError:
        return None
    return None if found is None else (found.st_dev, found.st_ino)
