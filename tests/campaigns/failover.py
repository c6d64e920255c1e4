"""Three daemons on one PostgreSQL; the one that sweeps is killed, or stopped and let go on too late: what is lost?"""

import multiprocessing
import os
import signal
import time
from collections import Counter
from contextlib import ExitStack
from datetime import date, timedelta
from random import Random
from typing import Any

from monitor.demo.standin import StandIn
from notifiers import subscriptions, watches
from notifiers.watches import Wish
from snapshots import archive
from snapshots.database import Database
from snapshots.holders import SEPARATOR
from snapshots.leases import holder, is_taken
from tests.campaigns import failover_victims, judging, victims
from tests.campaigns.chaos import Sink
from tests.campaigns.results import Result
from tests.registries import nct, study

DAEMONS = 3
FIRST_DAY = date(2026, 1, 5)
LONGEST = 60.0
"""Seconds within which a sweep must have been taken over and come to its end."""
TOLD = "fast"


def run(url: str, rounds: int, trials: int = 12, seed: int = 1) -> Result:
    """A release in each round; who sweeps it is killed in one round and stopped in the next, at moments by `seed`."""
    began = time.monotonic()
    database = Database(url)
    with StandIn() as standin, Sink() as sink:
        failover = Failover(database, standin, sink, Random(seed), trials)
        with ExitStack() as stack:
            stack.callback(failover.end)
            failover.begin()
            for number in range(1, rounds + 1):
                failover.round(number)
            failover.calm_down()
        failover.judge(rounds)
    database.dispose()
    return Result(
        name="failover of the daemon that sweeps",
        database="PostgreSQL",
        claim="of three daemons the sweeping one is killed, or stopped past its lease and let go on: another takes the "
        "sweep over, no release is skipped, no version is stored twice, nothing is told twice but by a kill or a stop",
        counts=dict(failover.counts),
        failures=failover.failures,
        seconds=time.monotonic() - began,
    )


class Failover:
    """Daemons on one database, a registry and an address, and what happens to them."""

    def __init__(self, database: Database, standin: StandIn, sink: Sink, chance: Random, trials: int) -> None:
        self.database, self.standin, self.sink, self.chance = database, standin, sink, chance
        self.ids = [nct(number) for number in range(trials)]
        self.counts: Counter[str] = Counter()
        self.failures: list[str] = []
        self.waits = failover_victims.SHORT
        self.patience = LONGEST
        self._longest = 0.0
        self._processes = multiprocessing.get_context("forkserver")
        self._processes.set_forkserver_preload(["tests.campaigns.failover_victims"])
        self._running: dict[int, Any] = {}
        self._hit: set[str] = set()
        self._started = 0

    # --- what happens ---

    def begin(self) -> None:
        """Everything is watched and told to one address, and looked at once."""
        since = victims.now() - timedelta(days=1)
        wish = {"name": "all", "to": [self.sink.address(TOLD)], "watches": "all"}
        with self.database.write() as connection:
            subscriptions.save(connection, subscriptions.from_table(wish), since)
            for each in self.ids:
                watches.add(connection, Wish(registry="ctgov", record_id=each), since)
        self._publish(0)
        for _ in range(DAEMONS):
            self._start()
        self._wait_for(0)

    def round(self, number: int) -> None:
        """A release is published; who is found sweeping it is hit."""
        self._publish(number)
        sweeping = self._sweeping()
        time.sleep(self.chance.uniform(0, 0.15))
        began = time.monotonic()
        if sweeping is None:
            self.failures.append(f"round {number}: nobody began to sweep")
        elif number % 2:
            self._kill(sweeping)
        else:
            self._stop(sweeping)
        self._wait_for(number)
        self._longest = max(self._longest, time.monotonic() - began)
        if sweeping in self._running and number % 2 == 0:
            os.kill(sweeping, signal.SIGCONT)

    def calm_down(self) -> None:
        """Nobody is hit any more until nothing is left to be sent."""
        self._until(lambda connection: not judging.still_open(connection), "something is still to be sent")

    def end(self) -> None:
        for each in self._running.values():
            each.kill()
            each.join(20)

    def _publish(self, number: int) -> None:
        day = (FIRST_DAY + timedelta(days=number)).isoformat()
        self.standin.publish(day, {each: _study(each, number) for each in self.ids})

    def _sweeping(self) -> int | None:
        """The process that holds the sweep's lease, once there is one."""
        ends = time.monotonic() + LONGEST
        while time.monotonic() < ends:
            with self.database.read() as connection:
                process = self._holder(connection)
            if process in self._running:
                return process
            time.sleep(0.01)
        return None

    def _holder(self, connection: Any) -> int | None:
        """The process that sweeps at this moment."""
        last = archive.last_sweep(connection, "ctgov")
        at_work = last is not None and last.state == "running"
        if not at_work or not is_taken(connection, "sweep:ctgov", victims.now()):
            return None
        return int(holder(connection, "sweep:ctgov").split(SEPARATOR)[1])

    def _kill(self, process: int) -> None:
        victim = self._running.pop(process)
        victim.kill()
        victim.join(20)
        self._hit.add(str(process))
        self.counts["killed"] += 1
        self._start()

    def _stop(self, process: int) -> None:
        os.kill(process, signal.SIGSTOP)
        self._hit.add(str(process))
        self.counts["stopped past the lease"] += 1

    def _day(self, number: int) -> str:
        return (FIRST_DAY + timedelta(days=number)).isoformat()

    def _wait_for(self, number: int) -> None:
        day = self._day(number)

        def swept(connection: Any) -> bool:
            last = archive.last_finished(connection, "ctgov")
            return last is not None and last.release.startswith(day)

        self._until(swept, f"release {day} was never swept")

    def _until(self, holds: Any, words: str) -> None:
        ends = time.monotonic() + self.patience
        while time.monotonic() < ends:
            with self.database.read() as connection:
                if holds(connection):
                    return
            time.sleep(0.05)
        self.failures.append(f"after {self.patience:g} seconds {words}")

    def _reached(self, number: int) -> tuple[str, str]:
        """The addresses by which the daemon of that number reaches database and registry."""
        return self.database.url, self.standin.url

    def _start(self) -> int:
        mine, its = self._processes.Pipe()
        self._started += 1
        given = (*self._reached(self._started), f"daemon-{self._started}", self.waits, its)
        process = self._processes.Process(target=failover_victims.daemon, args=given, daemon=True)
        process.start()
        assert mine.poll(60), "a daemon was never ready"
        assert process.pid is not None
        self._running[process.pid] = process
        return process.pid

    # --- what came out ---

    def judge(self, rounds: int) -> None:
        """Compare what is stored and what arrived with what was published."""
        days = {(FIRST_DAY + timedelta(days=number)).isoformat() for number in range(rounds + 1)}
        arrived = {TOLD: self.sink.arrived[TOLD]}
        with self.database.read() as connection:
            self.failures += judging.wrongly_stored(connection, days, len(self.ids) * (rounds + 1))
            self.failures += judging.wrongly_told(connection, arrived, len(self.ids) * rounds, self._hit)
            self.counts |= {"releases": rounds + 1, **judging.summary(connection, arrived)}
        self.counts["longest until the release was swept, in tenths of a second"] = round(self._longest * 10)


def _study(record: str, number: int) -> dict[str, Any]:
    made = study(record, status="SUSPENDED" if number % 2 else "RECRUITING")
    made["protocolSection"]["statusModule"]["lastUpdateSubmitDate"] = f"2025-11-{number % 28 + 1:02d}"
    return made
