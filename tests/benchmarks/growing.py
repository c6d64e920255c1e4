"""How cost grows with what is watched: the whole of an invented registry of 1,000, 10,000 and 100,000 records.

Each size in a process of its own, as a daemon lives: the baseline, some releases that change nothing, one that changes
a quarter of a percent. `SIZES=1000,600000 make bench ONLY=growth` takes other sizes.
"""

import hashlib
import logging
import multiprocessing
import os
import re
import sqlite3
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, nullcontext, suppress
from dataclasses import replace
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
from snapshots.archive import codec
from snapshots.archive.room import file_size
from snapshots.database import Database
from snapshots.registries.ctgov.client import CtgovRegistry
from snapshots.registry import Answer, RawRecord
from tests.benchmarks.measuring import Figure, cpu, median
from tests.benchmarks.synthetic import releases, storing
from tests.benchmarks.synthetic.studies import TODAY, Studies, record_id
from tests.benchmarks.synthetic.wording import Wording

SIZES = (1_000, 10_000, 100_000)
MOST_MEMORY = 300
"""MB that a sweep may take at its peak, whatever is watched."""
FLAT = 1.2
"""By so much may the dearest record of a size cost more than the cheapest of another."""
NOTHING_NEW = {1_000: 5, 10_000: 3}
"""How many releases without any change are looked at; of larger sizes one."""
SAMPLE = 2_000
"""Records on which the floor of a baseline is taken."""
_MEGABYTE = 1e6
Publish = Callable[[date, Mapping[str, bytes], Sequence[str]], None]


class _Page(Struct):
    studies: list[Raw]


_decode_page = Decoder(_Page).decode
_decode_study = Decoder().decode


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


class Grown(Struct, frozen=True, kw_only=True):
    """What one size took: its baseline, the releases without a change, the one with some; what that one changed."""

    size: int
    baseline: Phase
    still: Sequence[Phase]
    changed: Phase
    edited: int
    new: int
    gone: int
    edited_bytes: int
    kinds: Mapping[str, int]
    idle: int
    floor: "Floor"
    made_in: float

    @property
    def unchanged(self) -> float:
        """CPU seconds of one unchanged record: the median over the releases."""
        return median([phase.each for phase in (*self.still, self.changed)])

    @property
    def growth(self) -> int:
        """Bytes by which the database grew in the release that changed something."""
        return self.changed.database - (self.still[-1] if self.still else self.baseline).database


def figures(sizes: Sequence[int] = ()) -> tuple[list[Figure], list[str]]:
    """The figures of all sizes, then how they stand to each other; and what has to be said of them."""
    grown = [measure(size) for size in sizes or _sizes_asked_for()]
    found = [figure for one in grown for figure in _figures(one)]
    return [*_beside_each_other(grown), *found], [*_notes(grown)]


def _sizes_asked_for() -> Sequence[int]:
    given = os.environ.get("SIZES", "")
    if not given:
        return SIZES
    if not re.fullmatch(r"\d+(,\d+)*", given):
        raise SystemExit(f"SIZES={given}: numbers of records, with commas between them, as SIZES=1000,600000")
    return sorted(int(size) for size in given.split(","))


def _figures(one: Grown) -> list[Figure]:
    count, baseline, name = one.size, one.baseline, f"{one.size:,} records"
    phases = [*one.still, one.changed]
    floor = median([phase.floor / phase.answered for phase in phases])
    touched = one.edited + one.new
    drawn = [
        Figure(f"{name}: an unchanged one at the next release", one.unchanged * 1e6, "µs", floor * 1e6,
               "split and hash the same bytes", "≤ 2 ×", series="unchanged"),
        Figure(f"{name}: one at the baseline", baseline.cpu / count * 1e3, "ms", one.floor.cpu * 1e3,
               "decode, hash and compress it", series="baseline"),
        Figure(f"{name}: peak memory", max(each.memory for each in (baseline, *phases)) / _MEGABYTE, "MB",
               one.idle / _MEGABYTE, "the same process before it", f"< {MOST_MEMORY} MB",
               f"baseline {baseline.memory / _MEGABYTE:.0f}, next release {one.changed.memory / _MEGABYTE:.0f}",
               series="memory"),
        Figure(f"{name}: database after the baseline", baseline.database / _MEGABYTE, "MB",
               one.floor.compressed * count / _MEGABYTE, "each record compressed by itself", series="database"),
        Figure(f"{name}: database growth for each that changed or is new", one.growth / touched / 1e3, "KB",
               one.edited_bytes / touched / 1e3, "these records as received", "≤ 1 ×",
               f"{one.growth / 1e3:,.0f} KB for {one.edited} changed and {one.new} new", series="growth"),
        Figure(f"{name}: wall time of the next release", one.changed.wall, "s", series="wall"),
    ]  # fmt: skip
    told = [
        Figure(f"{name}: wall time of the baseline", baseline.wall, "s"),
        Figure(f"{name}: one that changed or is new", one.changed.kept_cpu / max(1, one.changed.kept) * 1e3, "ms"),
    ]
    return [*(replace(figure, at=count) for figure in drawn), *told]


def _beside_each_other(grown: Sequence[Grown]) -> list[Figure]:
    """The dearest size beside the cheapest, record by record; what an unchanged release writes."""
    if len(grown) < 2:
        return []
    what = f"{grown[0].size:,} to {grown[-1].size:,}"
    costs = {
        "CPU of an unchanged record": ([one.unchanged * 1e6 for one in grown], "µs"),
        "CPU of a record at the baseline": ([one.baseline.cpu / one.size * 1e6 for one in grown], "µs"),
    }
    return [
        Figure(f"{name}, {what}: the dearest size", max(costs), unit, min(costs), "the cheapest size", f"≤ {FLAT} ×")
        for name, (costs, unit) in costs.items()
    ]


def _notes(grown: Sequence[Grown]) -> Iterator[str]:
    yield (
        "records: invented, distributed as real ones are (sizes, locations, statuses, results), the same share of each "
        "size; every text, name, date and number varies, the vocabulary and the fields' names do not; each by itself "
        "compresses to a third, real ones to a quarter"
    )
    yield (
        "CPU is that of the whole process less what is spent in HTTP; the registry is a stand-in in a process of its "
        "own; one address wants everything; SQLite"
    )
    for one in grown:
        told = ", ".join(f"{kind} {count}" for kind, count in sorted(one.kinds.items()))
        yield (
            f"{one.size:,} records: {one.baseline.received / _MEGABYTE:,.0f} MB of JSON (made in {one.made_in:.0f} s); "
            f"changed: {told}; {one.new} new, {one.gone} gone; {len(one.still)} releases without a change"
        )


# --- one size ---------------------------------------------------------------------------------------------------------


def measure(size: int) -> Grown:
    """Make so many records, serve them, watch them all."""
    with tempfile.TemporaryDirectory(prefix="trialdelta-growth-") as folder:
        records = Path(folder, "records")
        records.mkdir()
        began = time.monotonic()
        storing.write(records, size)
        made_in = time.monotonic() - began
        with _served(records) as (url, publish), _watching(Path(folder), url) as (idle, look):
            baseline = look()
            still = []
            for day in range(1, NOTHING_NEW.get(size, 1) + 1):
                publish(TODAY + timedelta(days=day), {}, ())
                still.append(look())
            wording = Wording()
            last = releases.difference(Studies(wording), wording, size, TODAY + timedelta(days=10))
            publish(last.day, last.studies, last.gone)
            return Grown(
                size=size,
                baseline=baseline,
                still=still,
                changed=look(),
                edited=last.changed,
                new=len(last.new),
                gone=len(last.gone),
                edited_bytes=sum(map(len, last.studies.values())),
                kinds=last.kinds,
                idle=idle,
                floor=_floor_of_storing(records, size),
                made_in=made_in,
            )


@contextmanager
def _watching(folder: Path, url: str) -> Iterator[tuple[int, Callable[[], Phase]]]:
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
        fetch, take = registry._wire.get, answers.Look.take

        def get(*asked: Any) -> Any:
            began = time.thread_time()
            received = fetch(*asked)
            if b'"studies"' in received.body[:100]:
                self.received += len(received.body)
                self.floor += cpu(lambda: _split_and_hash(received.body))
            self.apart += time.thread_time() - began
            return received

        def measured_take(look: answers.Look, answer: Answer, *rest: Any) -> None:
            began = time.thread_time()
            take(look, answer, *rest)
            if isinstance(answer, RawRecord):
                self.kept += 1
                self.kept_cpu += time.thread_time() - began

        registry._wire.get = get  # type: ignore[method-assign]
        answers.Look.take = measured_take  # type: ignore[method-assign]

    def begin(self) -> None:
        """A look begins."""
        self.apart = self.kept_cpu = self.floor = 0.0
        self.kept = self.received = 0


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


# --- the registry, and what the same costs without any program --------------------------------------------------------


class Floor(Struct, frozen=True):
    """Of one record: seconds to decode, hash and compress it, bytes of it compressed."""

    cpu: float
    compressed: float


def _floor_of_storing(records: Path, size: int) -> Floor:
    """The mean over at most `SAMPLE` records, evenly taken."""
    catalogue = storing.StoredCatalogue(records)
    sample = [catalogue.bytes_of(record_id(nth)) for nth in range(0, size, max(1, size // SAMPLE))]
    packed: list[bytes] = []

    def store() -> None:
        for raw in sample:
            _decode_study(raw)
            hashlib.sha256(raw).digest()
            packed.append(codec.encode(raw, None))

    spent = cpu(store)
    return Floor(spent / len(sample), sum(map(len, packed)) / len(sample))


@contextmanager
def _served(records: Path) -> Iterator[tuple[str, Publish]]:
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
