"""Three daemons, of which the one that sweeps is cut off from database, registry or both: is anything lost or late?"""

import time
from contextlib import ExitStack
from random import Random
from urllib.parse import urlsplit

from sqlalchemy import Connection, func, select

from monitor.demo.standin import StandIn
from snapshots import archive
from snapshots.archive.tables import versions
from snapshots.database import Database
from tests.campaigns import failover_victims, proxies
from tests.campaigns.chaos import Sink
from tests.campaigns.failover import Failover
from tests.campaigns.failover_victims import Waits
from tests.campaigns.proxies import Proxy
from tests.campaigns.results import Result

CUTS = (("database",), ("registry",), ("database", "registry"))
MINUTE = 60.0
AWHILE = 3.0
"""Seconds after a cut is mended in which whoever was cut off could write what it still had in hand."""


def run(url: str, rounds: int, waits: Waits = failover_victims.SHORTEST, trials: int = 12, seed: int = 1) -> Result:
    """A release in each round; who sweeps it is cut off, in turn from one, from the other and from both."""
    began = time.monotonic()
    database = Database(url)
    with StandIn() as standin, Sink() as sink, ExitStack() as stack:
        partition = _Partition(database, standin, sink, Random(seed), trials, stack)
        partition.waits, partition.patience = waits, 2 * MINUTE
        stack.callback(partition.end)
        partition.begin()
        for number in range(1, rounds + 1):
            partition.round(number)
        partition.calm_down()
        partition.judge(rounds)
    database.dispose()
    as_released = waits == failover_victims.AS_RELEASED
    return Result(
        name=f"network partition of the daemon that sweeps{', the waits as released' if as_released else ''}",
        database="PostgreSQL",
        claim="of three daemons the sweeping one is cut off without a word from the database, from the registry or "
        f"from both, and reached again later: another takes over{' within a minute' if as_released else ''}, what was "
        "cut off writes nothing late, no release is skipped, no version is stored twice, nothing is told twice but by "
        "a cut",
        counts=dict(partition.counts),
        failures=partition.failures,
        seconds=time.monotonic() - began,
    )


class _Partition(Failover):
    """Daemons of which each reaches everything by proxies of its own."""

    def __init__(
        self, database: Database, standin: StandIn, sink: Sink, chance: Random, trials: int, stack: ExitStack
    ) -> None:
        super().__init__(database, standin, sink, chance, trials)
        self._stack = stack
        self._between: dict[int, dict[str, Proxy]] = {}
        self._made: dict[str, Proxy] = {}

    def _reached(self, number: int) -> tuple[str, str]:
        port = urlsplit(self.standin.url).port
        assert port is not None
        self._made = {
            "database": self._stack.enter_context(Proxy(proxies.to_database(self.database.url))),
            "registry": self._stack.enter_context(Proxy(proxies.to_port(port))),
        }
        by_way = proxies.by_way_of(self._made["database"], self.database.url)
        return by_way, f"http://127.0.0.1:{self._made['registry'].port}"

    def _start(self) -> int:
        process = super()._start()
        self._between[process] = self._made
        return process

    def round(self, number: int) -> None:
        """A release is published; who is found sweeping it is cut off until another has swept it."""
        self._publish(number)
        sweeping = self._sweeping()
        time.sleep(self.chance.uniform(0, 0.15))
        if sweeping is None:
            self.failures.append(f"round {number}: nobody began to sweep")
            return
        cuts = CUTS[(number - 1) % len(CUTS)]
        for each in cuts:
            self._between[sweeping][each].cut()
        if "database" in cuts:
            self._hit.add(str(sweeping))
        self.counts[f"cut off from {' and '.join(cuts)}"] += 1
        began = time.monotonic()
        self._wait_for_another(number, sweeping)
        took = time.monotonic() - began
        words = f"longest until another swept, cut off from {' and '.join(cuts)}, in tenths of a second"
        self.counts[words] = max(self.counts[words], round(took * 10))
        if took > MINUTE:
            self.failures.append(f"round {number}: taken over after {took:.0f} seconds")
        self._wait_for(number)
        self._longest = max(self._longest, time.monotonic() - began)
        self._mend(number, sweeping)

    def _wait_for_another(self, number: int, cut_off: int) -> None:
        """Until another process sweeps, or has swept already."""
        day = self._day(number)

        def taken_over(connection: Connection) -> bool:
            last = archive.last_finished(connection, "ctgov")
            swept = last is not None and last.release.startswith(day)
            return swept or self._holder(connection) not in (None, cut_off)

        self._until(taken_over, "nobody took over")

    def _mend(self, number: int, process: int) -> None:
        before = self._stored()
        for each in self._between[process].values():
            each.mend()
        time.sleep(AWHILE)
        late = self._stored() - before
        if late:
            self.failures.append(f"round {number}: {late} versions were written late")

    def _stored(self) -> int:
        with self.database.read() as connection:
            return int(connection.execute(select(func.count()).select_from(versions)).scalar_one())
