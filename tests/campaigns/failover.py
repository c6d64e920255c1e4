"""Three daemons on one PostgreSQL; the one that sweeps is killed, or stopped and let go on too late: what is lost?"""

import multiprocessing
import os
import signal
import time
from collections import Counter
from contextlib import ExitStack
from datetime import date, timedelta
from itertools import pairwise
from random import Random
from typing import Any

from sqlalchemy import func, select

from monitor.demo.standin import StandIn
from notifiers import subscriptions, watches
from notifiers.tables import attempts, deliveries
from notifiers.watches import Wish
from snapshots import archive
from snapshots.archive.coverage import ALL, FINISHED
from snapshots.archive.tables import steps, sweeps, versions
from snapshots.database import Database
from snapshots.holders import SEPARATOR
from snapshots.leases import holder, is_taken
from tests.campaigns import failover_victims, victims
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
        failover = _Failover(database, standin, sink, Random(seed), trials)
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


class _Failover:
    def __init__(self, database: Database, standin: StandIn, sink: Sink, chance: Random, trials: int) -> None:
        self.database, self.standin, self.sink, self.chance = database, standin, sink, chance
        self.ids = [nct(number) for number in range(trials)]
        self.counts: Counter[str] = Counter()
        self.failures: list[str] = []
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
        waits = select(func.count()).select_from(deliveries).where(deliveries.c.next_attempt_at.is_not(None))
        self._until(lambda connection: connection.execute(waits).scalar_one() == 0, "something is still to be sent")

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
                last = archive.last_sweep(connection, "ctgov")
                at_work = last is not None and last.state == "running"
                held = at_work and is_taken(connection, "sweep:ctgov", victims.now())
                process = holder(connection, "sweep:ctgov").split(SEPARATOR)[1:2] if held else []
            if process and int(process[0]) in self._running:
                return int(process[0])
            time.sleep(0.01)
        return None

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

    def _wait_for(self, number: int) -> None:
        day = (FIRST_DAY + timedelta(days=number)).isoformat()

        def swept(connection: Any) -> bool:
            last = archive.last_finished(connection, "ctgov")
            return last is not None and last.release.startswith(day)

        self._until(swept, f"release {day} was never swept")

    def _until(self, holds: Any, words: str) -> None:
        ends = time.monotonic() + LONGEST
        while time.monotonic() < ends:
            with self.database.read() as connection:
                if holds(connection):
                    return
            time.sleep(0.05)
        self.failures.append(f"after {LONGEST:g} seconds {words}")

    def _start(self) -> None:
        mine, its = self._processes.Pipe()
        self._started += 1
        given = (self.database.url, self.standin.url, f"daemon-{self._started}", its)
        process = self._processes.Process(target=failover_victims.daemon, args=given, daemon=True)
        process.start()
        assert mine.poll(60), "a daemon was never ready"
        assert process.pid is not None
        self._running[process.pid] = process

    # --- what came out ---

    def judge(self, rounds: int) -> None:
        """Compare what is stored and what arrived with what was published."""
        with self.database.read() as connection:
            finished = select(sweeps.c.release).where(sweeps.c.state == FINISHED, sweeps.c.scope == ALL)
            days = {release[:10] for release in connection.execute(finished).scalars()}
            stored = connection.execute(
                select(versions.c.record, versions.c.content_hash).order_by(versions.c.record, versions.c.position)
            ).all()
            problems = list(archive.verify_chain(connection))
            told = connection.execute(
                select(deliveries.c.id, deliveries.c.step_id).join(steps, steps.c.id == deliveries.c.step_id)
            ).all()
            tries = connection.execute(select(attempts)).all()
        published = {(FIRST_DAY + timedelta(days=number)).isoformat() for number in range(rounds + 1)}
        self._check(not published - days, f"releases that were never swept: {sorted(published - days)}")
        self._check(not problems, "; ".join(problems))
        twice = sum(one == other for one, other in pairwise(stored))
        self._check(not twice, f"{twice} versions are stored twice")
        expected = len(self.ids) * (rounds + 1)
        self._check(len(stored) == expected, f"{len(stored)} versions are stored, {expected} were published")
        self._judge_told({row.id: row.step_id for row in told}, len(self.ids) * rounds, tries)
        self.counts |= {"releases": rounds + 1, "versions": len(stored)}
        self.counts["longest until the release was swept, in tenths of a second"] = round(self._longest * 10)

    def _judge_told(self, due: dict[str, int], expected: int, tries: Any) -> None:
        arrived = self.sink.arrived[TOLD]
        self._check(len(set(due.values())) == len(due) == expected, f"{len(due)} messages for {expected} changes")
        self._check(set(arrived) == set(due), f"{len(set(due) ^ set(arrived))} never arrived or were never due")
        hit = {each.delivery_id for each in tries if each.worker.split(SEPARATOR)[1] in self._hit}
        unexplained = [name for name, times in arrived.items() if times > 1 and name not in hit]
        self._check(not unexplained, f"{len(unexplained)} arrived twice without a kill or a stop to explain it")
        self.counts |= {"messages": len(due), "doubles": sum(arrived.values()) - len(arrived)}

    def _check(self, holds: bool, words: str) -> None:
        if not holds:
            self.failures.append(words)


def _study(record: str, number: int) -> dict[str, Any]:
    made = study(record, status="SUSPENDED" if number % 2 else "RECRUITING")
    made["protocolSection"]["statusModule"]["lastUpdateSubmitDate"] = f"2025-11-{number % 28 + 1:02d}"
    return made
