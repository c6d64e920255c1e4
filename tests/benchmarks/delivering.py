"""What a webhook costs from the outbox to its receipt in the ledger, beside a bare loop of the same client."""

import hashlib
import json
import multiprocessing
import socketserver
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta
from multiprocessing.connection import Connection as Pipe
from random import Random

from sqlalchemy import Connection, func, select

from monitor.demo.trials import first_day
from notifiers import outbound_http, outbox, subscriptions, watches
from notifiers.channels import DeliverySettings, webhook
from notifiers.composing import message_of
from notifiers.deliver import deliver_due
from notifiers.tables import attempts, deliveries
from snapshots import archive
from snapshots.archive import Observation, StepFacts
from snapshots.database import Database
from snapshots.registries.ctgov import parse
from snapshots.rules.build import change
from tests.benchmarks.measuring import Figure
from tests.databases import NoPostgresql, make_tables, postgresql_server

DELIVERIES = 10_000
ADDRESSES = 20
NOW = datetime(2026, 3, 6, 9, tzinfo=UTC)
BOUNDS = {"SQLite": 5, "PostgreSQL": 7}
Figures = tuple[list[Figure], list[str]]


def figures(count: int = DELIVERIES) -> Figures:
    """The figures of `count` webhooks on each database, and what has to be said of them."""
    found: list[Figure] = []
    notes = [f"webhooks: {count} to {ADDRESSES} addresses of one local sink; each is in the ledger, with its attempt"]
    with _sink() as url:
        for kind, opened in (("SQLite", _sqlite), ("PostgreSQL", _postgresql)):
            try:
                with opened() as database:
                    found.append(_measured(database, url, kind, count))
            except NoPostgresql as error:
                notes.append(f"webhooks on PostgreSQL: not measured, {error}")
    return found, notes


def _measured(database: Database, url: str, kind: str, count: int) -> Figure:
    _fill(database, url, count)
    content = _one_body(database)
    floor = _bare(url, content, count // 2)  # before and after: a machine is not equally fast all the time
    began = time.process_time()
    deliver_due(database, _settings(), "bench", lambda: NOW, Random(1))
    cost = time.process_time() - began
    floor += _bare(url, content, count - count // 2)
    _check(database, count)
    each = 1e6 / count
    what = f"one webhook delivered, {kind}"
    return Figure(what, cost * each, "µs", floor * each, "bare loop of the same client", f"≤ {BOUNDS[kind]} ×")


def _bare(url: str, content: bytes, count: int) -> float:
    headers = {"Content-Type": "application/json"}
    began = time.process_time()
    for _ in range(count):
        outbound_http.post(
            url, content=content, headers=headers, limits=outbound_http.Limits(), allow_private_networks=True
        )
    return time.process_time() - began


def _settings() -> DeliverySettings:
    return DeliverySettings(allow_private_networks=True)


def _check(database: Database, count: int) -> None:
    with database.read() as connection:
        done = select(func.count()).where(deliveries.c.state == "delivered")
        tried = select(func.count()).where(attempts.c.outcome == "delivered")
        assert connection.execute(done).scalar_one() == connection.execute(tried).scalar_one() == count


# --- what is due ------------------------------------------------------------------------------------------------------


def _fill(database: Database, url: str, count: int) -> None:
    """So many deliveries that are due: steps of the demo's trials, each told to every address."""
    told = subscriptions.from_table({"name": "bench", "to": [f"{url}{n}" for n in range(ADDRESSES)]})
    raws = [json.dumps(study).encode() for study in first_day()]
    with database.write() as connection:
        subscriptions.save(connection, told, NOW - timedelta(days=1))
        for number in range(count // ADDRESSES):
            _happens(connection, f"NCT{98_000_000 + number}", raws[number % len(raws)])


def _happens(connection: Connection, record: str, raw: bytes) -> None:
    watches.add(connection, watches.Wish(registry="ctgov", record_id=record), NOW - timedelta(days=1))
    digest = hashlib.sha256(raw + record.encode()).digest()
    seen = Observation(
        registry="ctgov",
        registry_id=record,
        title="A Trial of Tea",
        raw=raw,
        raw_hash=digest,
        content_hash=digest,
        release="2026-03-06T09:00:05",
        observed_at=NOW,
    )
    version = archive.append(connection, seen, None)
    facts = StepFacts(registry="ctgov", registry_id=record, to_version=version, observed_at=NOW)
    step = archive.record_step(connection, facts, [change("study.completed", summary="The study is completed")])
    outbox.enqueue(connection, step, parse.parse(raw), NOW)


def _one_body(database: Database) -> bytes:
    with database.read() as connection:
        delivery_id = connection.execute(select(deliveries.c.id).limit(1)).scalar_one()
        told = outbox.load(connection, delivery_id, NOW)
        return webhook.body(message_of(connection, told))


# --- where ------------------------------------------------------------------------------------------------------------


@contextmanager
def _sqlite() -> Iterator[Database]:
    with tempfile.TemporaryDirectory() as folder:
        url = f"sqlite:///{folder}/bench.sqlite3"
        make_tables(url)
        database = Database(url)
        yield database
        database.dispose()


@contextmanager
def _postgresql() -> Iterator[Database]:
    with ExitStack() as stack:
        url = stack.enter_context(stack.enter_context(postgresql_server()).url(tables=True))
        database = Database(url)
        yield database
        database.dispose()


@contextmanager
def _sink() -> Iterator[str]:
    """A sink in a process of its own, so that its CPU time is not ours: its address, to which a name is added."""
    here, there = multiprocessing.Pipe()
    process = multiprocessing.get_context("spawn").Process(target=_serve, args=(there,), daemon=True)
    process.start()
    yield f"http://127.0.0.1:{here.recv()}/"
    process.kill()
    process.join(10)


def _serve(pipe: Pipe) -> None:
    with _Server(("127.0.0.1", 0), _Taker) as server:
        pipe.send(server.server_address[1])
        server.serve_forever()


class _Server(socketserver.ThreadingTCPServer):
    daemon_threads = True
    request_queue_size = 128


class _Taker(socketserver.StreamRequestHandler):
    """Takes one post whole and thanks for it."""

    def handle(self) -> None:
        length = 0
        while (line := self.rfile.readline()) not in (b"\r\n", b""):
            if line.lower().startswith(b"content-length:"):
                length = int(line.partition(b":")[2])
        self.rfile.read(length)
        self.wfile.write(b"HTTP/1.1 204 No Content\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
