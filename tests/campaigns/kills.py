"""Processes killed or stopped at random moments: does the database open, is nothing lost, nothing stored twice?"""

import multiprocessing
import os
import signal
import sqlite3
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import datetime, timedelta
from itertools import pairwise
from multiprocessing.connection import Connection as Pipe
from random import Random
from typing import Any

from sqlalchemy import func, select, text

from monitor.demo.sinks import HookSink
from monitor.demo.standin import StandIn
from monitor.sweep import SweepReport, sweep
from notifiers import subscriptions, watches
from notifiers.deliver import deliver_due
from notifiers.tables import deliveries
from notifiers.watches import Wish
from snapshots import archive
from snapshots.archive.tables import steps, versions
from snapshots.database import Database
from tests.campaigns import victims
from tests.campaigns.results import Result
from tests.registries import nct, study

_OTHERS_TRANSACTIONS = text(
    "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid() "
    "AND xact_start IS NOT NULL"
)
TRIALS = tuple(nct(number) for number in range(1, 9))
LONGEST = 0.25
"""Seconds from a process's beginning to its end at most; most are killed while they work."""
PATIENCE = 20
"""Seconds after which a process that says nothing is a failure of the campaign itself."""


def run(url: str, what: str, rounds: int, seed: int = 1) -> Result:
    """Kill (`what`: "sweep", "append", "delivery") or stop ("stopped sweep") so many times, at moments by `seed`."""
    return carry_out(_CAMPAIGNS[what](Database(url), Random(seed)), rounds)


def carry_out(campaign: "Campaign", rounds: int) -> Result:
    """So many rounds of a campaign, and what came of them."""
    began = time.monotonic()
    try:
        with campaign.scenery():
            for number in range(1, rounds + 1):
                campaign.round(number)
    finally:
        campaign.database.dispose()
    return Result(
        name=campaign.NAME,
        database="SQLite" if campaign.database.is_sqlite else "PostgreSQL",
        claim=campaign.CLAIM,
        counts=dict(campaign.counts),
        failures=campaign.failures,
        seconds=time.monotonic() - began,
    )


class Campaign:
    NAME = ""
    CLAIM = ""

    def __init__(self, database: Database, chance: Random) -> None:
        self.database = database
        self.chance = chance
        self.counts: Counter[str] = Counter()
        self.failures: list[str] = []
        self._processes = multiprocessing.get_context("forkserver")
        self._processes.set_forkserver_preload(["tests.campaigns.victims", "tests.campaigns.upkeep_victims"])

    @contextmanager
    def scenery(self) -> Iterator[None]:
        yield

    def round(self, number: int) -> None:
        raise NotImplementedError

    @contextmanager
    def process(self, target: Callable[..., None], *given: Any) -> Iterator[tuple[Any, Pipe]]:
        """The victim, ready; dead at the end."""
        mine, its = self._processes.Pipe()
        victim = self._processes.Process(target=target, args=(self.database.url, *given, its), daemon=True)
        victim.start()
        its.close()
        try:
            assert mine.poll(PATIENCE), "the process was never ready"
            assert mine.recv() == "ready"
            yield victim, mine
        finally:
            victim.kill()
            victim.join(PATIENCE)
            mine.close()

    def kill(self, victim: Any) -> None:
        """Let it work for a random moment and kill it."""
        time.sleep(self.chance.uniform(0, LONGEST))
        self.counts["killed while at work"] += victim.is_alive()
        self.counts["kills"] += 1
        victim.kill()
        victim.join(PATIENCE)

    def check(self, number: int, holds: bool, words: str) -> None:
        if not holds:
            self.failures.append(f"round {number}: {words}")

    def check_archive(self, number: int) -> None:
        with self.database.read() as connection:
            problems = list(archive.verify_chain(connection))
            contents = connection.execute(
                select(versions.c.record, versions.c.content_hash).order_by(versions.c.record, versions.c.position)
            ).all()
            observed = steps.c.to_version.is_not(None), steps.c.cause != "search"
            stored = connection.execute(select(func.count()).select_from(steps).where(*observed))
            with_step = stored.scalar_one()
        twice = sum(one == other for one, other in pairwise(contents))
        self.check(number, not problems, "; ".join(problems))
        self.check(number, not twice, f"{twice} versions are stored twice")
        self.check(number, with_step == len(contents), f"{len(contents)} versions and {with_step} steps")
        self.counts["versions"] = len(contents)


def heard(said: Pipe) -> Iterator[Any]:
    """What a process that is dead by now had said."""
    with suppress(EOFError, OSError):
        while said.poll():
            yield said.recv()


class _Appends(Campaign):
    NAME = "SIGKILL while appending"
    CLAIM = "the database opens, the chain verifies, no version is stored twice or without its step"

    def round(self, number: int) -> None:
        with self.database.read() as connection:
            start = archive.chain_head(connection).number
        with self.process(victims.appending, start) as (victim, said):
            self.kill(victim)
            committed = list(heard(said))
        self.check_archive(number)
        with self.database.read() as connection:
            stored = set(connection.execute(select(versions.c.number)).scalars())
        missing = sorted(set(committed) - stored)
        self.check(number, bool(committed) and not missing, f"committed and gone: {missing}")
        self.counts["said to be committed"] += len(committed)


class _WithRegistry(Campaign):
    """Trials that all change at every release, watched, told to two addresses."""

    @contextmanager
    def scenery(self) -> Iterator[None]:
        with StandIn() as self.standin, HookSink() as self.sink:
            began = victims.now() - timedelta(days=1)
            to = [f"{self.sink.url}?to={name}" for name in ("alice", "bob")]
            told = subscriptions.from_table({"name": "all", "to": to})
            with self.database.write() as connection:
                subscriptions.save(connection, told, began)
                for each in TRIALS:
                    watches.add(connection, Wish(registry="ctgov", record_id=each), began)
            self.publish(0)
            self.look()
            yield

    def publish(self, number: int) -> None:
        day = (datetime(2026, 3, 2) + timedelta(days=number)).date().isoformat()  # noqa: DTZ001
        self.standin.publish(day, {each: _trial(each, number) for each in TRIALS})

    def look(self) -> SweepReport:
        """A sweep of this process, as after a restart."""
        with victims.registry_of(self.database, self.standin.url) as registry:
            return sweep(self.database, registry, victims.now, lease_seconds=victims.LEASE)

    def check_release(self, number: int) -> None:
        """Everything of all releases so far is stored and due to be told once."""
        with self.database.read() as connection:
            per_trial = [len(archive.versions(connection, "ctgov", each)) for each in TRIALS]
            due = connection.execute(select(func.count()).select_from(deliveries)).scalar_one()
        self.check(number, per_trial == [number + 1] * len(TRIALS), f"versions by trial: {per_trial}")
        expected = 2 * number * len(TRIALS)
        self.check(number, due == expected, f"{due} deliveries for {expected} that are wanted")
        self.counts["deliveries"] = due


class _Sweeps(_WithRegistry):
    NAME = "SIGKILL while sweeping"
    CLAIM = "after the next sweep every change is stored once and every wanted delivery is there once"

    def round(self, number: int) -> None:
        self.publish(number)
        with self.process(victims.sweeping, self.standin.url) as (victim, _):
            self.kill(victim)
        self.check_archive(number)
        report = self.look()
        again = self.look()
        self.check(number, report.outcome in ("finished", "nothing new"), f"the next sweep {report.outcome}")
        self.check(number, again.outcome == "nothing new", f"the sweep after that: {again.outcome}")
        self.check_release(number)


class _Deliveries(_WithRegistry):
    NAME = "SIGKILL while delivering"
    CLAIM = "every wanted delivery arrives at least once, always under the same id"

    def round(self, number: int) -> None:
        self.publish(number)
        self.look()
        with self.process(victims.delivering) as (victim, _):
            self.kill(victim)
        later = lambda: victims.now() + timedelta(minutes=1)  # noqa: E731
        deliver_due(self.database, victims.delivery_settings(), "restarted", later, Random(1), threads=2)
        with self.database.read() as connection:
            wanted = {row.id: row.state for row in connection.execute(select(deliveries.c.id, deliveries.c.state))}
        # what a killed process had sent by half is no message, and no server would take it for one
        whole = [post for post in self.sink.posts if len(post.body) == int(post.headers["content-length"])]
        self.counts["cut short"] = len(self.sink.posts) - len(whole)
        arrived = Counter(post.headers["webhook-id"] for post in whole)
        bodies: dict[str, set[bytes]] = defaultdict(set)
        for post in whole:
            bodies[post.headers["webhook-id"]].add(post.body)
        differing = [sorted(said) for said in bodies.values() if len(said) > 1]
        missing = sorted(set(wanted) - set(arrived))
        self.check(number, not missing, f"never arrived: {missing}")
        self.check(number, set(arrived) <= set(wanted), "an id arrived that nobody knows")
        self.check(number, not differing, f"one id arrived with different messages: {differing[:1]}")
        self.check(number, set(wanted.values()) == {"delivered"}, f"states: {Counter(wanted.values())}")
        self.counts["deliveries"] = len(wanted)
        self.counts["arrived more than once"] = sum(times > 1 for times in arrived.values())


class _Stops(_WithRegistry):
    NAME = "SIGSTOP of a sweep past its lease, then SIGCONT"
    CLAIM = "another sweep takes over, and the one that goes on writes nothing more"

    def round(self, number: int) -> None:
        self.publish(number)
        with self.process(victims.sweeping, self.standin.url) as (victim, said):
            time.sleep(self.chance.uniform(0.01, LONGEST * 0.6))
            self._stop(victim)
            time.sleep(victims.LEASE + 0.1)
            self.look()
            before = self._appends()
            with suppress(ProcessLookupError):
                os.kill(victim.pid, signal.SIGCONT)
            outcome, reason, _ = said.recv() if said.poll(PATIENCE) else ("silent", None, 0)
            victim.join(PATIENCE)
        self.counts["went on and could not write"] += outcome == "failed"
        self.counts["had ended before"] += outcome in ("finished", "nothing new")
        told = reason in (None, "another process took the sweep over")
        self.check(number, outcome != "silent" and told, f"it ended as {outcome}: {reason}")
        self.check(number, self._appends() == before, "it wrote after its lease had ended")
        self.check_archive(number)
        self.check_release(number)

    def _stop(self, victim: Any) -> None:
        """Stop it between two transactions: within one it keeps others out, and nothing could be seen."""
        with suppress(ProcessLookupError):  # it has ended by itself
            for _ in range(200):
                os.kill(victim.pid, signal.SIGSTOP)
                time.sleep(0.005)
                if not self._has_transaction():
                    break
                os.kill(victim.pid, signal.SIGCONT)
                time.sleep(0.002)
        self.counts["stops"] += 1

    def _has_transaction(self) -> bool:
        if not self.database.is_sqlite:
            with self.database.read() as connection:
                return bool(connection.execute(_OTHERS_TRANSACTIONS).scalar())
        try:
            with sqlite3.connect(str(self.database.file), timeout=0, isolation_level=None) as raw:
                raw.execute("BEGIN IMMEDIATE").execute("ROLLBACK")
        except sqlite3.OperationalError:
            return True
        finally:
            raw.close()
        return False

    def _appends(self) -> int:
        with self.database.read() as connection:
            return archive.chain_head(connection).number


def _trial(record: str, number: int) -> dict[str, Any]:
    made = study(record, title=f"A Trial of Tea, Part {number}")
    made["protocolSection"]["statusModule"]["lastUpdateSubmitDate"] = f"2026-01-{number % 28 + 1:02d}"
    return made


_CAMPAIGNS: dict[str, type[Campaign]] = {
    "sweep": _Sweeps,
    "append": _Appends,
    "delivery": _Deliveries,
    "stopped sweep": _Stops,
}
