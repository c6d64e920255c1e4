"""Daemons on one database, killed at random, and addresses of every temper: who was told what, and how often?"""

import multiprocessing
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Callable
from contextlib import ExitStack
from datetime import date, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import count
from random import Random
from types import TracebackType
from typing import Any, Self

from sqlalchemy import select

from monitor.demo.standin import StandIn
from notifiers import subscriptions, watches
from notifiers.tables import addresses, attempts, deliveries
from notifiers.watches import Wish
from snapshots import archive
from snapshots.archive.tables import steps
from snapshots.database import Database
from snapshots.holders import SEPARATOR
from tests.campaigns import chaos_victims, victims
from tests.campaigns.results import Result
from tests.registries import nct, study

LIVING = ("fast", "slow", "flapping")
GROUP = "told"
SLOWNESS = 0.02
UP, DOWN = 1.2, 0.5
"""Seconds that the flapping address takes and refuses, in turn."""
CALM = 300.0
"""Seconds in which everything must have arrived after the last kill."""
FIRST_DAY = date(2026, 1, 5)


def run(url: str, kills: int, trials: int = 200, releases: int = 20, seed: int = 1) -> Result:
    """`trials` of which a part changes at each of `releases`; as many kills, at moments by `seed`."""
    began = time.monotonic()
    database = Database(url)
    with StandIn() as standin, Sink() as sink:
        chaos = _Chaos(database, standin, sink, Random(seed), trials)
        with ExitStack() as stack:
            stack.callback(chaos.end)
            chaos.begin(3 if not database.is_sqlite else 1)
            chaos.go(kills, releases)
            chaos.calm_down()
        chaos.judge()
    database.dispose()
    return Result(
        name="chaos of daemons and addresses",
        database="SQLite" if url.startswith("sqlite") else "PostgreSQL",
        claim="every wanted (address, step) is delivered to every living address at least once under one id, none "
        "that is unwanted, and every double is explained by a kill between sending and recording",
        counts=dict(chaos.counts),
        failures=chaos.failures,
        seconds=time.monotonic() - began,
    )


class _Chaos:
    def __init__(self, database: Database, standin: StandIn, sink: "Sink", chance: Random, trials: int) -> None:
        self.database, self.standin, self.sink, self.chance = database, standin, sink, chance
        self.told = [nct(number) for number in range(trials)]
        self.untold = [nct(50_000 + number) for number in range(trials // 4)]
        self.counts: Counter[str] = Counter()
        self.failures: list[str] = []
        self.wanted: Counter[str] = Counter()
        self._states: dict[str, int] = defaultdict(int)
        self._processes = multiprocessing.get_context("forkserver")
        self._processes.set_forkserver_preload(["tests.campaigns.chaos_victims"])
        self._running: list[Any] = []
        self._killed: set[str] = set()
        self._seeds = count()

    # --- what happens ---

    def begin(self, daemons: int) -> None:
        """Everything is watched, a part of it told to five addresses, and looked at once."""
        since = victims.now() - timedelta(days=1)
        to = [self.sink.address(name) for name in (*LIVING, "refusing")] + ["http://127.0.0.1:9/dead"]
        wish = {"name": "some", "to": to, "watches": {"group": GROUP}}
        with self.database.write() as connection:
            subscriptions.save(connection, subscriptions.from_table(wish), since)
            for each in (*self.told, *self.untold):
                group = GROUP if each in self.told else "silent"
                watches.add(connection, Wish(registry="ctgov", record_id=each, group=group), since)
        self._publish(0)
        for _ in range(daemons):
            self._start()
        self._swept(0)

    def go(self, kills: int, releases: int) -> None:
        """One release after the other, the kills spread over them."""
        for number in range(1, releases + 1):
            self._publish(number)
            for _ in range(kills * number // releases - kills * (number - 1) // releases):
                time.sleep(self.chance.uniform(0.05, 0.6))
                self._kill()
            self._swept(number)
        self.counts["releases"] = releases

    def calm_down(self) -> None:
        """Nobody is killed any more until nothing is left to be sent to who can be told."""
        ends = time.monotonic() + CALM
        waits = select(deliveries.c.id).join(addresses, addresses.c.id == deliveries.c.address_id)
        waits = waits.where(deliveries.c.next_attempt_at.is_not(None), addresses.c.state == "on").limit(1)
        while time.monotonic() < ends:
            with self.database.read() as connection:
                if connection.execute(waits).first() is None:
                    return
            time.sleep(0.2)
        self.failures.append(f"{CALM:g} seconds after the last kill something is still to be sent")

    def end(self) -> None:
        for each in self._running:
            each.kill()
            each.join(20)

    def _publish(self, number: int) -> None:
        day = (FIRST_DAY + timedelta(days=number)).isoformat()
        everybody = [*self.told, *self.untold]
        changing = everybody if number == 0 else self.chance.sample(everybody, max(len(everybody) // 3, 1))
        for each in changing:
            self._states[each] += 1
            self.wanted[each] += number > 0 and each in self.told
        self.standin.publish(day, {each: self._study(each) for each in changing})

    def _study(self, record: str) -> dict[str, Any]:
        number = self._states[record]
        made = study(record, status="SUSPENDED" if number % 2 else "RECRUITING")
        made["protocolSection"]["statusModule"]["lastUpdateSubmitDate"] = f"2025-11-{number % 28 + 1:02d}"
        return made

    def _swept(self, number: int) -> None:
        day = (FIRST_DAY + timedelta(days=number)).isoformat()
        ends = time.monotonic() + CALM
        while time.monotonic() < ends:
            with self.database.read() as connection:
                last = archive.last_finished(connection, "ctgov")
            if last is not None and last.release.startswith(day):
                return
            time.sleep(0.1)
        raise AssertionError(f"release {day} was never swept")

    def _start(self) -> None:
        mine, its = self._processes.Pipe()
        given = (self.database.url, self.standin.url, next(self._seeds), its)
        process = self._processes.Process(target=chaos_victims.daemon, args=given, daemon=True)
        process.start()
        assert mine.poll(60), "a daemon was never ready"
        self._running.append(process)

    def _kill(self) -> None:
        victim = self._running.pop(self.chance.randrange(len(self._running)))
        victim.kill()
        victim.join(20)
        self._killed.add(str(victim.pid))
        self.counts["kills"] += 1
        self._start()

    # --- what came out ---

    def judge(self) -> None:
        """Compare what arrived with what was published, and explain each double."""
        with self.database.read() as connection:
            rows = connection.execute(
                select(deliveries.c.id, deliveries.c.state, addresses.c.uri, steps.c.id.label("step"))
                .join(addresses, addresses.c.id == deliveries.c.address_id)
                .join(steps, steps.c.id == deliveries.c.step_id)
            ).all()
            known = {
                step.id: step.registry_id for each in self.told for step in archive.steps(connection, "ctgov", each)
            }
            tries = connection.execute(select(attempts)).all()
        lost: Counter[str] = Counter(each.delivery_id for each in tries if each.outcome is None)
        self._judge_wanted(rows, known)
        self._judge_doubles(lost)
        strangers = {each.worker for each in tries if each.outcome is None and not self._was_killed(each.worker)}
        self._check(not strangers, f"attempts without an end by workers that nobody killed: {sorted(strangers)}")
        self.counts["attempts that a kill cut short"] = sum(lost.values())

    def _judge_wanted(self, rows: Any, known: dict[int, str]) -> None:
        by_address: dict[str, dict[str, int]] = defaultdict(dict)
        for row in rows:
            by_address[row.uri.rpartition("/")[2]][row.id] = row.step
        for name in LIVING:
            due = by_address[name]
            told = Counter(known.get(step, "nobody's") for step in due.values())
            self._check(told == +self.wanted, f"{name}: what was due is not what was published")
            self._check(len(set(due.values())) == len(due), f"{name}: one step under two ids")
            arrived = self.sink.arrived[name]
            self._check(set(arrived) >= set(due), f"{name}: {len(set(due) - set(arrived))} never arrived")
            self._check(set(arrived) <= set(due), f"{name}: {len(set(arrived) - set(due))} that nobody wanted")
            self.counts[f"wanted by {name}"] = len(due)
            self.counts["arrived"] += sum(arrived.values())
        self.counts["refused or unreachable"] = sum(
            row.state != "delivered" for row in rows if row.uri.rpartition("/")[2] not in LIVING
        )

    def _judge_doubles(self, lost: Counter[str]) -> None:
        for name in LIVING:
            for delivery_id, times in self.sink.arrived[name].items():
                self.counts["doubles"] += times - 1
                unexplained = times - 1 > lost[delivery_id]
                self._check(
                    not unexplained, f"{name}: {delivery_id} arrived {times} times without a kill to explain it"
                )

    def _was_killed(self, worker: str) -> bool:
        return worker.split(SEPARATOR)[1] in self._killed

    def _check(self, holds: bool, words: str) -> None:
        if not holds:
            self.failures.append(words)


class Sink:
    """Addresses on loopback: fast, slow, flapping and refusing ones. `arrived`: what each took, by id, how often."""

    def __init__(self, takes: Callable[[str], bool] | None = None) -> None:
        """`takes`: what an address does, by its name, and whether it takes the message."""
        does = takes or _takes
        self.arrived: dict[str, Counter[str]] = {name: Counter() for name in (*LIVING, "refusing")}
        lock = threading.Lock()
        arrived = self.arrived

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                length = int(self.headers["content-length"])
                whole = len(self.rfile.read(length)) == length
                name = self.path.rpartition("/")[2]
                taken = whole and does(name)
                if taken:
                    with lock:
                        arrived[name][self.headers["webhook-id"]] += 1
                self.send_response(204 if taken else 503)
                self.end_headers()

            def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
                """Says nothing: `arrived` tells."""

        self._server = _Server(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)

    def address(self, name: str) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}/{name}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()


class _Server(ThreadingHTTPServer):
    request_queue_size = 128
    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that was killed has gone, as it should."""


def _takes(name: str) -> bool:
    if name == "slow":
        time.sleep(SLOWNESS)
    if name == "flapping":
        return time.monotonic() % (UP + DOWN) < UP
    return name != "refusing"
