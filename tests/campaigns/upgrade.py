"""The last released program and this one on one database, each a process: is anything skipped, doubled or lost?"""

import json
import os
import subprocess
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date, timedelta
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import Any

from sqlalchemy import Connection, func, inspect, select

from monitor import schema
from monitor.demo.standin import StandIn
from monitor.presence import daemons
from notifiers.tables import attempts, deliveries
from snapshots.archive.coverage import FINISHED
from snapshots.archive.tables import sweeps
from snapshots.database import Database
from snapshots.holders import SEPARATOR
from tests.campaigns import former_program, judging
from tests.campaigns.chaos import Sink
from tests.campaigns.former_program import ROOT
from tests.campaigns.results import Result
from tests.databases import drop_everything
from tests.registries import nct, study

FIRST_DAY = date(2026, 1, 5)
PATIENCE = 90.0
"""Seconds after which what did not happen is a failure; what a killed daemon had in hand comes due again after 30."""
SLOW, FAST = "slow", "fast"
DOOR = 12.0
"""Seconds after which the slow address answers by itself."""
RELEASES = 4
NAME = "rolling upgrade from the last release"

WATCHLIST = """
{watches}
[[subscription]]
name = "all"
to = ["{slow}", "{fast}"]
watches = "all"
"""


def run(url: str, rounds: int, trials: int = 6, seed: int = 1, releases: int = RELEASES) -> Result:
    """Upgrade so many times; in every second round the old program is killed where it is ended otherwise. `releases`:
    in a round, after the one that is the baseline; with two of them, side by side is shown in short. Raises
    NoFormerProgram where the last release cannot be had.
    """
    began = time.monotonic()
    database = Database(url)
    counts: Counter[str] = Counter()
    failures: list[str] = []
    with TemporaryDirectory() as folder:
        version = former_program.take_out(Path(folder))
        for number in range(1, rounds + 1):
            drop_everything(database)
            with _round(database, Path(folder), counts, trials) as upgraded:
                upgraded.releases = releases
                upgraded.go(kill=number % 2 == 0, rest=Random(seed + number))
                failures += [f"round {number}: {words}" for words in upgraded.judged()]
    database.dispose()
    return Result(
        name=NAME,
        database="SQLite" if database.is_sqlite else "PostgreSQL",
        claim=f"version {version} and this one ({'one after the other' if database.is_sqlite else 'side by side'}, "
        "each a process, messages under way while the tables are changed, the old one ended and started again on the "
        "new tables): no release is skipped, no version is stored twice, every wanted message arrives, none twice but "
        "by a kill",
        counts={"rounds": rounds, **counts},
        failures=failures,
        seconds=time.monotonic() - began,
    )


@contextmanager
def _round(database: Database, former: Path, counts: Counter[str], trials: int) -> Iterator["_Upgrade"]:
    door = threading.Event()

    def takes(name: str) -> bool:
        return name != SLOW or door.wait(DOOR) or True

    with StandIn() as standin, Sink(takes) as sink, TemporaryDirectory() as folder:
        upgraded = _Upgrade(database, former, Path(folder), standin, sink, counts)
        upgraded.door = door
        upgraded.ids = [nct(number) for number in range(trials)]
        try:
            yield upgraded
        finally:
            door.set()
            upgraded.end_all()


class _Upgrade:
    """One database, and what is started on it: old and new daemons."""

    door: threading.Event
    ids: list[str]
    releases = RELEASES

    def __init__(
        self, database: Database, former: Path, folder: Path, standin: StandIn, sink: Sink, counts: Counter[str]
    ) -> None:
        self.database, self.folder, self.standin, self.sink, self.counts = database, folder, standin, sink, counts
        self._program = {"old": former, "new": ROOT}
        self._running: dict[str, subprocess.Popen[bytes]] = {}
        self._killed: set[str] = set()
        self._missed: list[str] = []
        self._pids: dict[str, set[str]] = {"old": set(), "new": set()}
        self._changed_at = 0.0

    # --- what happens ---

    def go(self, *, kill: bool, rest: Random) -> None:
        """The old program alone; the new one comes; the old one is ended and comes again; it goes for good."""
        self._begin()
        self._publish(1)
        self._until(self._is_under_way, "nothing was ever under way")
        if self.database.is_sqlite:
            self._one_after_the_other(kill=kill)
        elif self.releases == RELEASES:
            self._side_by_side(kill=kill, rest=rest)
        else:
            self._side_by_side_in_short()
        self._until(lambda connection: not judging.still_open(connection), "something is still to be sent")

    def _begin(self) -> None:
        watches = "\n".join(f'[[watch]]\nid = "{each}"' for each in self.ids)
        given = WATCHLIST.format(watches=watches, slow=self.sink.address(SLOW), fast=self.sink.address(FAST))
        (self.folder / "watchlist.toml").write_text(given)
        self._publish(0)
        self._command("old", "apply", "watchlist.toml")
        self._start("old")
        self._swept(0)

    def _side_by_side(self, *, kill: bool, rest: Random) -> None:
        self._start("new")
        self._tables_are_changed()
        self._swept(1)
        self._publish(2)
        time.sleep(rest.uniform(0, 2))
        self._end("old", kill=kill)
        self._start("old")
        self._swept(2)
        self._end("new")
        self._publish(3)  # for the old program alone, on the new one's tables
        self._swept(3)
        self._start("new")
        self._publish(RELEASES)
        time.sleep(rest.uniform(0, 2))
        self._end("old")
        self._swept(RELEASES)

    def _side_by_side_in_short(self) -> None:
        self._start("new")
        self._tables_are_changed()
        self._swept(1)
        self._end("old")
        self._start("old")
        self._end("new")
        self._publish(2)
        self._swept(2)

    def _one_after_the_other(self, *, kill: bool) -> None:
        if not kill:
            self.door.set()
        self._end("old", kill=kill)
        self._start("new")
        self._tables_are_changed()
        for number, program in enumerate(("new", "old", "new"), start=2):
            self._end("new" if program == "old" else "old")
            self._start(program)
            self._publish(number)
            self._swept(number)
        self._until(lambda connection: not judging.still_open(connection), "something is still to be sent")

    def _tables_are_changed(self) -> None:
        """Count what is on its way meanwhile, and let the slow address answer."""
        if schema.state(self.database) != "current":
            self._missed.append("the new program is there and never changed the tables")
        with self.database.read() as connection:
            self.counts["messages under way while the tables were changed"] += self._open(connection)
        self._changed_at = time.time()
        self.door.set()

    def _publish(self, number: int) -> None:
        self.standin.publish(_day(number), {each: _study(each, number) for each in self.ids})

    def _swept(self, number: int) -> None:
        finished = select(sweeps.c.release).where(sweeps.c.state == FINISHED, sweeps.c.release.startswith(_day(number)))
        words = f"release {_day(number)} was never swept"
        self._until(lambda connection: connection.execute(finished).first() is not None, words)

    def _is_under_way(self, connection: Connection) -> bool:
        sending = select(deliveries.c.id).where(deliveries.c.state == "sending")
        return connection.execute(sending).first() is not None

    def _open(self, connection: Connection) -> int:
        waits = select(func.count()).select_from(deliveries).where(deliveries.c.next_attempt_at.is_not(None))
        return int(connection.execute(waits).scalar_one())

    def _until(self, holds: Callable[[Connection], bool], words: str) -> None:
        ends = time.monotonic() + PATIENCE
        while time.monotonic() < ends:
            with self.database.read() as connection:
                if holds(connection):
                    return
            time.sleep(0.1)
        self._missed.append(f"after {PATIENCE:g} seconds {words}")

    # --- processes ---

    def _environment(self, program: str) -> dict[str, str]:
        given = {
            "DATABASE_URL": self.database.url.replace("postgresql+psycopg", "postgresql"),
            "CTGOV_URL": self.standin.url,
            "REQUEST_INTERVAL": "0",
            "SWEEP_SCHEDULE": "1 s",
            "BACKFILL": "false",
            "ALLOW_PRIVATE_NETWORKS": "true",
            "LOG_FORMAT": "json",
        }
        ours = {f"TRIALDELTA_{name}": value for name, value in given.items()}
        kept = {name: value for name, value in os.environ.items() if not name.startswith("TRIALDELTA_")}
        return {**kept, **ours, "PYTHONPATH": str(self._program[program])}

    def _command(self, program: str, *arguments: str) -> None:
        subprocess.run(
            former_program.command(*arguments),
            cwd=self.folder,
            env=self._environment(program),
            check=True,
            capture_output=True,
            timeout=PATIENCE,
        )

    def _start(self, program: str) -> None:
        """A daemon of that program, once it says in the database that it is there."""
        if program in self._running:
            return
        command = former_program.command("run", "--only", "sweep,deliver", "--name", program)
        with (self.folder / f"{program}.log").open("ab") as log:
            process = subprocess.Popen(command, cwd=self.folder, env=self._environment(program), stderr=log)
        self._running[program] = process
        self._pids[program].add(str(process.pid))
        self._until(
            lambda connection: self._is_there(connection, process), f"the {program} program never said it was there"
        )
        self.counts[f"starts of the {program} program"] += 1

    def _is_there(self, connection: Connection, process: subprocess.Popen[bytes]) -> bool:
        if not inspect(connection).has_table("daemons"):
            return False
        holders = connection.execute(select(daemons.c.holder)).scalars()
        return any(holder.split(SEPARATOR)[1] == str(process.pid) for holder in holders)

    def _end(self, program: str, *, kill: bool = False) -> None:
        process = self._running.pop(program, None)
        if process is None:
            return
        if kill:
            process.kill()
            self._killed.add(str(process.pid))
            self.counts["kills"] += 1
        else:
            process.terminate()
        if program == "old" and not _ends(process):
            # 0.2.0 may not hear a signal that the system gives to another thread than its main one
            self.counts["signals to end that the old program did not hear"] += 1
            process.terminate()
        if not _ends(process):
            self._missed.append(f"the {program} program did not end")
            process.kill()
            process.wait(30)

    def end_all(self) -> None:
        for program in list(self._running):
            self._end(program)

    # --- what came out ---

    def judged(self) -> list[str]:
        """What did not hold."""
        days = {_day(number) for number in range(self.releases + 1)}
        arrived = {name: self.sink.arrived[name] for name in (SLOW, FAST)}
        told = len(self.ids) * self.releases
        with self.database.read() as connection:
            wrong = [
                *self._missed,
                *judging.wrongly_stored(connection, days, len(self.ids) * (self.releases + 1)),
                *judging.wrongly_told(connection, arrived, told, self._killed),
                *self._wrongly_done(connection),
            ]
            self.counts.update(judging.summary(connection, arrived))
        return wrong

    def _wrongly_done(self, connection: Connection) -> Iterator[str]:
        """Whether both really worked, each without a complaint."""
        tries = connection.execute(select(attempts.c.worker, attempts.c.started_at)).all()
        for program, pids in self._pids.items():
            sent = [row for row in tries if row.worker.split(SEPARATOR)[1] in pids]
            self.counts[f"messages tried by the {program} program"] += len(sent)
            if program == "old":
                after = [row for row in sent if row.started_at.timestamp() > self._changed_at]
                self.counts["of these on the new program's tables"] += len(after)
            lines = [json.loads(line) for line in _lines(self.folder / f"{program}.log")]
            self.counts[f"sweeps by the {program} program"] += sum(
                line["event"] == "sweep" and line["outcome"] == "finished" for line in lines
            )
            for line in lines:
                if line["level"] in ("error", "critical"):
                    yield f"the {program} program complained: {line['event']}: {line.get('reason', '')}"


def _ends(process: subprocess.Popen[bytes]) -> bool:
    try:
        process.wait(20)
    except subprocess.TimeoutExpired:
        return False
    return True


def _lines(log: Path) -> list[str]:
    return [line for line in log.read_text().splitlines() if line.startswith("{")]


def _day(number: int) -> str:
    return (FIRST_DAY + timedelta(days=number)).isoformat()


def _study(record: str, number: int) -> dict[str, Any]:
    made = study(record, status="SUSPENDED" if number % 2 else "RECRUITING")
    made["protocolSection"]["statusModule"]["lastUpdateSubmitDate"] = f"2025-11-{number % 28 + 1:02d}"
    return made
