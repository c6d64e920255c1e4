"""What a sweep costs: per unchanged record beside splitting and hashing the same bytes, per changed record alone."""

import hashlib
import logging
import multiprocessing
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager, nullcontext
from datetime import UTC, datetime
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import msgspec
import structlog

from monitor import answers, schema
from monitor.demo.standin import StandIn
from monitor.sweep import SweepReport, sweep
from notifiers import subscriptions, watches
from notifiers.subscriptions import Subscription
from snapshots.archive import Head
from snapshots.database import Database
from snapshots.registries.ctgov.client import CtgovRegistry
from snapshots.registry import Answer
from tests.benchmarks import records
from tests.benchmarks.measuring import Figure, Meter, cpu, median, percentile

RECORDS = 2000
DAYS = ("2026-03-02", "2026-03-03", "2026-03-04", "2026-03-05")
NOW = datetime(2026, 3, 6, 9, tzinfo=UTC)
Studies = dict[str, bytes]
Pairs = list[tuple[str, bytes, bytes]]
WARMING = 10
ROUNDS = 3


class _Page(msgspec.Struct):
    studies: list[msgspec.Raw]


def figures() -> tuple[list[Figure], list[str]]:
    """The sweep's figures and what has to be said of them."""
    unchanged, origin = _unchanged()
    changed, notes = _changed()
    return [*unchanged, *changed], [f"unchanged records: {RECORDS} made from {origin}", *notes]


# --- unchanged --------------------------------------------------------------------------------------------------------


def _unchanged() -> tuple[list[Figure], str]:
    studies, origin = records.many(RECORDS)
    ratios, costs, floors = [], [], []
    with tempfile.TemporaryDirectory() as folder, _served() as (url, publish):
        database = _database(Path(folder), list(studies))
        publish(DAYS[0], studies)
        _sweep(database, url)
        for day in DAYS[1:]:
            publish(day, {})
            cost, floor = _one_unchanged_sweep(database, url)
            costs.append(cost)
            floors.append(floor)
            ratios.append(cost / floor)
        database.dispose()
    cost, floor = median(costs), median(floors)
    microseconds = 1e6 / RECORDS
    what = "sweep, one unchanged record (after HTTP and decompression)"
    return [Figure(what, cost * microseconds, "µs", floor * microseconds, "split the page and hash", "≤ 2 ×")], origin


def _one_unchanged_sweep(database: Database, url: str) -> tuple[float, float]:
    """CPU seconds of a sweep without its HTTP, and of splitting and hashing the bodies it received."""
    http, whole = Meter(), Meter()
    bodies: list[bytes] = []

    def spy(registry: CtgovRegistry) -> None:
        fetch = http.around(registry._wire.get)

        def get(*asked: Any) -> Any:
            received = fetch(*asked)
            bodies.append(received.body)
            return received

        registry._wire.get = get  # type: ignore[method-assign]

    _sweep(database, url, spy, whole)
    pages = [body for body in bodies if b'"studies"' in body[:100]]
    floor = cpu(lambda: _split_and_hash(pages))
    return whole.total - http.total, floor


def _split_and_hash(pages: list[bytes]) -> None:
    for page in pages:
        for raw in msgspec.json.decode(page, type=_Page).studies:
            hashlib.sha256(raw).digest()


# --- changed ----------------------------------------------------------------------------------------------------------


def _changed() -> tuple[list[Figure], list[str]]:
    pairs = records.real_pairs()
    if not pairs:
        return [], ["changed records: not measured, the recorded pairs are not at hand"]
    warming, measured = pairs[:WARMING], pairs[WARMING:] + pairs[:WARMING]
    milliseconds = [seconds * 1000 for seconds in _best(_again(warming), measured)]
    what = "parse, diff, classify, append, enqueue, commit"
    return [
        Figure(f"one changed record: {what}, median", median(milliseconds), "ms", bound="< 5 ms"),
        Figure("one changed record, 95 %", percentile(milliseconds, 0.95), "ms", bound="< 40 ms"),
    ], [
        f"changed records: {len(milliseconds)} recorded pairs, each enqueued to one address, after {WARMING} to warm "
        f"up; each pair's best of {ROUNDS} processes, so that what else the machine does is not counted"
    ]


def _best(warming: Pairs, measured: Pairs) -> list[float]:
    """Of each pair the least of some runs, each in a process of its own: what one keeps in memory serves no other."""
    found: list[list[float]] = []
    for _ in range(ROUNDS):
        with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as alone:
            found.append(alone.submit(_take_changed, warming, measured).result())
    return [min(of_pair) for of_pair in zip(*found, strict=True)]


def _take_changed(warming: Pairs, measured: Pairs) -> list[float]:
    """CPU seconds for each of `measured`, in a process that has taken `warming` before, as a daemon has."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    spent: dict[str, float] = {}
    take = answers.Look.take

    def measured_take(look: answers.Look, answer: Answer, heads: Mapping[str, Head]) -> None:
        spent[answer.id] = cpu(lambda: take(look, answer, heads))

    with tempfile.TemporaryDirectory() as folder, _served() as (url, publish):
        database = _database(Path(folder), [record for record, _, _ in [*warming, *measured]])
        publish(DAYS[0], {record: old for record, old, _ in [*warming, *measured]})
        _sweep(database, url)
        publish(DAYS[1], {record: new for record, _, new in warming})
        _sweep(database, url)
        publish(DAYS[2], {record: new for record, _, new in measured})
        answers.Look.take = measured_take  # type: ignore[method-assign]
        try:
            _sweep(database, url)
        finally:
            answers.Look.take = take  # type: ignore[method-assign]
        database.dispose()
    return [spent[record] for record, _, _ in measured]


def _again(pairs: Pairs) -> Pairs:
    """The same pairs under other ids."""
    return [
        (
            f"NCT96{record[5:]}",
            old.replace(record.encode(), b"NCT96" + record[5:].encode()),
            new.replace(record.encode(), b"NCT96" + record[5:].encode()),
        )
        for record, old, new in pairs
    ]


# --- what both need ---------------------------------------------------------------------------------------------------


def _database(folder: Path, ids: list[str]) -> Database:
    database = Database(f"sqlite:///{folder / 'bench.sqlite3'}")
    schema.upgrade(database)
    everything = Subscription(name="bench", to=("mailto:bench@example.org",), watches="all")
    with database.write() as connection:
        for record in ids:
            watches.add(connection, watches.Wish(registry="ctgov", record_id=record), NOW)
        subscriptions.save(connection, everything, NOW)
    return database


def _sweep(
    database: Database, url: str, spy: Callable[[CtgovRegistry], None] = lambda _: None, meter: Meter | None = None
) -> SweepReport:
    """One sweep; `meter` takes its CPU time, the making of the client (once in a daemon's life) left out."""
    measured = meter.around(sweep) if meter else sweep
    with CtgovRegistry(url, "trialdelta-bench", nullcontext) as registry:
        spy(registry)
        report: SweepReport = measured(database, registry, lambda: NOW)
    assert report.outcome == "finished", report.reason
    assert not report.exceptions, report.exceptions[:1]
    return report


@contextmanager
def _served() -> Iterator[tuple[str, Callable[[str, Studies], None]]]:
    """The stand-in in a process of its own, so that its CPU time is not ours: its address, and how to publish."""
    here, there = multiprocessing.Pipe()
    process = multiprocessing.get_context("spawn").Process(target=_serve, args=(there,), daemon=True)
    process.start()
    try:
        url = here.recv()

        def publish(day: str, studies: Studies) -> None:
            here.send((day, studies))
            here.recv()

        yield url, publish
    finally:
        here.send(None)
        process.join(10)


def _serve(pipe: Connection) -> None:
    with StandIn() as standin:
        pipe.send(standin.url)
        while (release := pipe.recv()) is not None:
            standin.publish(*release)
            pipe.send(time.time())
