"""The daemon: a clock that only says "now". What is due stands in the database, so a restart goes on where it was."""

import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta

import structlog
from apscheduler.schedulers.background import BackgroundScheduler
from sqlalchemy import Connection

from monitor import schema, serving, silence, wiring
from monitor.backfilling import fill_due
from monitor.settings import Settings, mask_url
from monitor.sweep import EndedError, SweepReport, sweep
from notifiers import confirmations, digest, troubles, watches
from notifiers.deliver import deliver_due
from snapshots import archive, leases
from snapshots.database import Database, DatabaseError
from snapshots.holders import in_words, this_process
from snapshots.registries.ctgov.answers import Patience

DELIVERY_SECONDS = 3
DIGEST_SECONDS = 60
NEW_WATCH_SECONDS = 15
"""How often it is asked whether somebody began to watch a record: those are looked at at once."""
TROUBLE_SECONDS = 60
"""How often it is asked whether there is anything that the operator must hear of."""
BACKFILL_SECONDS = 30
"""How often it is asked whether the history of a watched record is wanted still."""
FAREWELL_SECONDS = 8
"""How long the work in hand may take after the signal to end; container hosts kill after ten."""

PRESENCE_SECONDS = 20
"""How often a daemon says that it is there, so that a second one on the same database is noticed."""

LONG_AFTER = datetime(9999, 1, 1, tzinfo=UTC)
"""When every snooze is over: a snoozed watch needs its baseline too."""

Clock = Callable[[], datetime]

log = structlog.get_logger()


class Daemon:
    """Sweeps, deliveries and digests of one installation until `stop` is set."""

    def __init__(self, settings: Settings, database: Database, clock: Clock = wiring.utc_now) -> None:
        self.stop = threading.Event()
        self._settings = settings
        self._database = database
        self._clock = clock
        self._delivery = wiring.delivery_settings(settings)
        self._worker = this_process("deliver")
        self._registry = wiring.ctgov(settings, database, clock=clock, sleep=self._sleep)
        # a connection of its own, which nothing but the turn makes a sweep wait for
        self._past = wiring.ctgov(settings, database, clock=clock, sleep=self._sleep, patience=Patience(attempts=2))
        self._presence: leases.Lease | None = None
        self._knows_another = False
        self._busy = 0
        self._lock = threading.Lock()

    def run(self) -> bool:
        """Work until `stop` is set; whether everything in hand was finished in time."""
        schema.upgrade(self._database)
        scheduler = self._scheduler()
        scheduler.start()
        log.info("running", database=self._database.name, registry=mask_url(self._settings.ctgov_url))
        self.stop.wait()
        log.info("ending")
        scheduler.shutdown(wait=False)
        finished = self._wait_for_work()
        self._leave()
        log.info("ended", finished=finished)
        return finished

    def tick_sweep(self) -> SweepReport:
        """Ask the registry whether there is a new release, and look through what is watched."""
        report = sweep(self._database, self._registry, self._clock, stop=self.stop.is_set)
        if report.outcome in ("finished", "nothing new"):
            self._ping()
        return report

    def tick_new_watches(self) -> SweepReport | None:
        """Look at once at what somebody began to watch since the last sweep."""
        with self._database.read() as connection:
            if not _has_new_watches(connection, wiring.REGISTRY):
                return None
        return self.tick_sweep()

    def tick_deliveries(self) -> int:
        """Send what is due."""
        return deliver_due(self._database, self._delivery, self._worker, self._clock, wiring.chance(), stop=self.stop)

    def tick_presence(self) -> bool:
        """Say that this daemon is there; whether it is the only one. Another one does no harm: both take turns."""
        holder, seconds = this_process("daemon"), 3 * PRESENCE_SECONDS
        with self._database.write() as connection:
            kept = self._presence and leases.renew(connection, self._presence, self._clock(), seconds)
            self._presence = kept or leases.acquire(connection, "daemon", holder, self._clock(), seconds)
            other = "" if self._presence else leases.holder(connection, "daemon")
        if other and not self._knows_another:
            words = "another daemon works on this database; they take turns, and nothing is sent twice"
            advice = "one is enough: end the other, or this one" if self._database.is_sqlite else ""
            log.warning(words, other=in_words(other), **({"advice": advice} if advice else {}))
        self._knows_another = bool(other)
        return self._presence is not None

    def tick_digests(self) -> int:
        """Put the digests that are due into the outbox; call off what waited in vain for an address to confirm."""
        digest.prepare(self._database, self._clock())
        with self._database.write() as connection:
            confirmations.give_up(connection, self._clock())
            return len(digest.enqueue_due(connection, self._clock()))

    def tick_troubles(self) -> int:
        """Tell the operator what went silent, once, and once more when it is over; how many messages that makes."""
        schedule = self._settings.sweep_schedule
        found = silence.look(self._database, wiring.REGISTRY, self._clock(), schedule_seconds=schedule)
        operator = silence.operator_uri(self._settings.operator)
        with self._database.write() as connection:
            return len(troubles.note(connection, found, operator, self._clock()))

    def tick_backfill(self) -> int:
        """Bring in the past of what is watched, for as long as no sweep is under way; how many records were tried."""
        if not self._settings.backfill:
            return 0
        return len(fill_due(self._database, self._past, self._clock, self.stop.is_set))

    def _scheduler(self) -> BackgroundScheduler:
        scheduler = BackgroundScheduler(
            timezone="UTC",
            # a late run is a run: the default of one second's grace drops it; what piled up runs once
            job_defaults={"misfire_grace_time": None, "coalesce": True, "max_instances": 1},
        )
        for tick, seconds in (
            (self.tick_presence, PRESENCE_SECONDS),
            (self.tick_sweep, self._settings.sweep_schedule),
            (self.tick_new_watches, NEW_WATCH_SECONDS),
            (self.tick_deliveries, DELIVERY_SECONDS),
            (self.tick_digests, DIGEST_SECONDS),
            (self.tick_backfill, BACKFILL_SECONDS),
            (self.tick_troubles, TROUBLE_SECONDS),
        ):
            # after a long rest the first sweep has the word before it is said that there was none
            first = self._clock() + timedelta(seconds=TROUBLE_SECONDS if tick == self.tick_troubles else 0)
            scheduler.add_job(self._guarded(tick), "interval", seconds=seconds, next_run_time=first, name=tick.__name__)
        return scheduler

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
            if self._presence is not None:
                leases.release(connection, self._presence)

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


def run(settings: Settings) -> bool:
    """Run the daemon until SIGTERM, SIGINT or the end of its terminal (SIGHUP, unless it is ignored, as under nohup);
    whether everything in hand was finished in time. Raises DatabaseError, and SettingsError where the page cannot be
    served as the settings say.
    """
    database = Database(settings.database_url)
    daemon = Daemon(settings, database)
    schema.upgrade(database)
    serving.decide(settings, database, wiring.utc_now())
    page = serving.begin(settings, database, wiring.utc_now, daemon.stop)
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


def _has_new_watches(connection: Connection, registry: str) -> bool:
    """Whether a record is watched that no sweep has asked for: those that failed wait for the schedule's next sweep."""
    last = archive.last_sweep(connection, registry)
    waiting = [watch for watch in watches.listing(connection) if watch.state(LONG_AFTER) == "waiting"]
    return any(last is None or watch.created_at > last.started_at for watch in waiting)
