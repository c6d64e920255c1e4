"""One process that watches a whole registry and looks when it is told to: what a look spends, and on what.

The registry is a stand-in in another process. What is measured is the looking process's own: CPU without HTTP, memory.
"""

import hashlib
import logging
import multiprocessing
import sqlite3
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, nullcontext, suppress
from datetime import UTC, date, datetime, timedelta
from multiprocessing.connection import Connection as Pipe
from pathlib import Path
from typing import Any

import structlog
from msgspec import Raw, Struct
from msgspec.json import Decoder

from monitor import answers, schema
from monitor.demo.standin import StandIn
from monitor.sweep import sweep
from notifiers import subscriptions, watches
from notifiers.subscriptions import Subscription
from snapshots.archive.room import file_size
from snapshots.database import Database
from snapshots.registries.ctgov.client import CtgovRegistry
from snapshots.registry import Answer, RawRecord
from tests.benchmarks.measuring import cpu
from tests.benchmarks.synthetic import storing
from tests.benchmarks.synthetic.studies import TODAY

Publish = Callable[[date, Mapping[str, bytes], Sequence[str]], None]


class _Page(Struct):
    studies: list[Raw]


_decode_page = Decoder(_Page).decode


class Phase(Struct, frozen=True, kw_only=True):
    """One sweep. Seconds of CPU without HTTP: of all, of the records that were kept, of the floor over the same bytes;
    of the wall. Bytes: received, of the database afterwards, of memory at the peak. Records: answered, kept.
    """

    cpu: float
    kept_cpu: float
    floor: float
    wall: float
    received: int
    database: int
    memory: int
    answered: int
    kept: int

    @property
    def each(self) -> float:
        """CPU seconds of one record that was left alone."""
        return (self.cpu - self.kept_cpu) / max(1, self.answered - self.kept)


@contextmanager
def watching(folder: Path, url: str) -> Iterator[tuple[int, Callable[[], Phase]]]:
    """A process that watches the whole registry: its memory before all, and how to let it look once."""
    here, there = multiprocessing.Pipe()
    arguments = (f"sqlite:///{folder / 'bench.sqlite3'}", url, there)
    process = multiprocessing.get_context("spawn").Process(target=_watch, args=arguments, daemon=True)
    process.start()
    there.close()

    def look() -> Phase:
        here.send("look")
        phase: Phase = here.recv()
        return phase

    try:
        yield here.recv(), look
    finally:
        with suppress(BrokenPipeError):
            here.send(None)
        process.join(10)


def _watch(database_url: str, registry_url: str, pipe: Pipe) -> None:
    """In the process that is measured: a database with a watch on everything, and a look whenever it is asked for."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    database = Database(database_url)
    schema.upgrade(database)
    with database.write() as connection:
        watches.add(connection, watches.Wish(registry="ctgov", search={}, name="everything"), now())
        asked = Subscription(name="bench", to=("mailto:bench@example.org",), watches="all")
        subscriptions.save(connection, asked, now())
    with CtgovRegistry(registry_url, "trialdelta-bench", nullcontext) as registry:
        registry.release()
        meters = _Meters(registry)
        pipe.send(_memory("VmRSS"))
        while pipe.recv() is not None:
            pipe.send(_look(database, registry, meters))
    database.dispose()


def _look(database: Database, registry: CtgovRegistry, meters: "_Meters") -> Phase:
    meters.begin()
    _forget_peak()
    began, wall = time.process_time(), time.monotonic()
    report = sweep(database, registry, now)
    spent, took = time.process_time() - began, time.monotonic() - wall
    assert report.outcome == "finished", report.reason
    peak = _memory("VmHWM")
    _take_in_the_journal(database)
    return Phase(
        cpu=spent - meters.apart,
        kept_cpu=meters.kept_cpu,
        floor=meters.floor,
        wall=took,
        received=meters.received,
        database=file_size(database) or 0,
        memory=peak,
        answered=report.answered,
        kept=meters.kept,
    )


def _take_in_the_journal(database: Database) -> None:
    assert database.file is not None
    with closing(sqlite3.connect(database.file, isolation_level=None)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()


class _Meters:
    """What a look spends that is not its own, and what it spends on records that it keeps."""

    def __init__(self, registry: CtgovRegistry) -> None:
        self.begin()
        fetch, take, keep_new = registry._wire.get, answers.Look.take, answers.Look.keep_new

        def get(*asked: Any) -> Any:
            began = time.thread_time()
            received = fetch(*asked)
            if b'"studies"' in received.body[:100]:
                self.received += len(received.body)
                self.floor += cpu(lambda: _split_and_hash(received.body))
            self.apart += time.thread_time() - began
            return received

        def measured_take(look: answers.Look, answer: Answer, *rest: Any) -> None:
            if isinstance(answer, RawRecord):
                self.kept += 1
                self._keep(lambda: take(look, answer, *rest))
            else:
                take(look, answer, *rest)

        def measured_keep_new(look: answers.Look) -> None:
            self._keep(lambda: keep_new(look))

        registry._wire.get = get  # type: ignore[method-assign]
        answers.Look.take = measured_take  # type: ignore[method-assign]
        answers.Look.keep_new = measured_keep_new  # type: ignore[method-assign]

    def begin(self) -> None:
        """A look begins."""
        self.apart = self.kept_cpu = self.floor = 0.0
        self.kept = self.received = 0
        self._is_keeping = False

    def _keep(self, call: Callable[[], None]) -> None:
        """What is kept within something that is kept is counted once."""
        if self._is_keeping:
            call()
            return
        self._is_keeping = True
        try:
            self.kept_cpu += cpu(call)
        finally:
            self._is_keeping = False


def _split_and_hash(body: bytes) -> None:
    for raw in _decode_page(body).studies:
        hashlib.sha256(raw).digest()


def now() -> datetime:
    """The benchmark's clock: a month after the first release."""
    return datetime(TODAY.year, TODAY.month, TODAY.day, 18, tzinfo=UTC) + timedelta(days=30)


# --- memory -----------------------------------------------------------------------------------------------------------


def _memory(line: str) -> int:
    """Bytes of this process's memory: VmRSS now, VmHWM at its peak; 0 where the system does not tell."""
    with suppress(OSError):
        for told in Path("/proc/self/status").read_text().splitlines():
            if told.startswith(f"{line}:"):
                return int(told.split()[1]) * 1024
    return 0


def _forget_peak() -> None:
    """The peak is that of what comes now."""
    with suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5")


@contextmanager
def served(records: Path) -> Iterator[tuple[str, Publish]]:
    """The stand-in in a process of its own: its address, and how to publish a release."""
    here, there = multiprocessing.Pipe()
    process = multiprocessing.get_context("spawn").Process(target=_serve, args=(records, there), daemon=True)
    process.start()
    there.close()

    def publish(day: date, studies: Mapping[str, bytes], gone: Sequence[str]) -> None:
        here.send((day.isoformat(), studies, gone))
        here.recv()

    try:
        yield here.recv(), publish
    finally:
        with suppress(BrokenPipeError):
            here.send(None)
        process.join(10)


def _serve(records: Path, pipe: Pipe) -> None:
    with StandIn(catalogue=storing.StoredCatalogue(records)) as standin:
        standin.publish(TODAY.isoformat())
        pipe.send(standin.url)
        while (release := pipe.recv()) is not None:
            day, studies, gone = release
            standin.publish(day, studies)
            standin.remove(gone)
            pipe.send(day)
