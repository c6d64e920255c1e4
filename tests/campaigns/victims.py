"""What runs in the processes that campaigns kill and stop: each says "ready" and works until its end."""

import hashlib
import json
import logging
from collections.abc import Callable
from datetime import UTC, datetime
from multiprocessing.connection import Connection as Pipe
from random import Random
from threading import Event
from time import sleep

import structlog

from monitor.sweep import sweep
from notifiers.channels import DeliverySettings
from notifiers.channels import email as _email  # noqa: F401  # loaded before the fork, not in every child
from notifiers.channels import webhook as _webhook  # noqa: F401
from notifiers.deliver import deliver_due
from snapshots import archive
from snapshots.archive import Observation, StepFacts
from snapshots.database import Database
from snapshots.holders import this_process
from snapshots.registries.ctgov.client import CtgovRegistry
from snapshots.rules.build import change
from snapshots.turns import DatabaseTurn

APPENDED = "NCT99000001"
LEASE = 1.0
"""Seconds that leases last here."""


def now() -> datetime:
    return datetime.now(UTC)


def quiet() -> None:
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))


def registry_of(database: Database, url: str) -> CtgovRegistry:
    """The registry as the program asks it, two trials at a time, and hardly waits between its questions."""
    turn = DatabaseTurn(database, "ctgov", 0.02, now, sleep, hold=LEASE)
    return CtgovRegistry(url, "campaign", turn, batch_size=2, sleep=lambda _seconds: None, rng=Random(1))


def sweeping(url: str, registry_url: str, say: Pipe) -> None:
    """One sweep; says how it ended."""
    quiet()
    database = Database(url)
    with registry_of(database, registry_url) as registry:
        with database.read() as connection:
            archive.chain_head(connection)
        say.send("ready")
        report = sweep(database, registry, now, lease_seconds=LEASE)
        say.send((report.outcome, report.reason, len(report.steps)))


def appending(url: str, start: int, say: Pipe) -> None:
    """Versions with a step each, one after the other, without an end; says the number of each that is committed."""
    quiet()
    database = Database(url)
    at = start
    while True:
        at += 1
        version = append_one(database, at)
        if at == start + 1:
            say.send("ready")
        say.send(version)


def append_one(database: Database, at: int) -> int:
    """A version with a step, committed; its number."""
    raw = json.dumps({"at": at, "text": "x" * 3000}).encode()
    digest = hashlib.sha256(raw).digest()
    with database.write() as connection:
        head = archive.heads(connection, "ctgov", [APPENDED]).get(APPENDED)
        seen = Observation(
            registry="ctgov",
            registry_id=APPENDED,
            title="A Trial of Rest",
            raw=raw,
            raw_hash=digest,
            content_hash=digest,
            release="2026-03-02T09:00:05",
            observed_at=now(),
        )
        version = archive.append(connection, seen, head.version if head else None)
        facts = StepFacts(registry="ctgov", registry_id=APPENDED, to_version=version, observed_at=now())
        archive.record_step(connection, facts, [change("study.completed", summary="The study is completed")])
    return version


def delivering(url: str, say: Pipe) -> None:
    """Sends what is due."""
    quiet()
    database = Database(url)
    say.send("ready")
    deliver_due(database, delivery_settings(), this_process("campaign"), now, Random(2), stop=Event(), threads=2)


def delivery_settings() -> DeliverySettings:
    return DeliverySettings(allow_private_networks=True, lease_seconds=LEASE, total_seconds=0.9, connect_seconds=0.5)


Victim = Callable[..., None]
