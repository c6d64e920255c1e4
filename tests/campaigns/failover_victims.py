"""What the failover hits: the daemon itself, with the waits of its own shortened from minutes to seconds."""

import signal
from multiprocessing.connection import Connection as Pipe
from pathlib import Path

import msgspec

from monitor import daemon as program
from monitor.settings import load
from notifiers import channels as _channels  # noqa: F401  # loaded before the fork, not in every child
from snapshots.database import Database
from tests.campaigns import victims

LEASE = 2.0
"""Seconds that a stopped daemon's sweep waits, in place of 45."""
DELIVERY_LEASE = 3.0


def daemon(url: str, registry_url: str, name: str, say: Pipe) -> None:
    """Works until it is killed."""
    victims.quiet()
    program.NEW_WATCH_SECONDS = 1
    program.DELIVERY_SECONDS = 1
    given = {
        "TRIALDELTA_DATABASE_URL": url,
        "TRIALDELTA_CTGOV_URL": registry_url,
        # slow enough that a sweep can be hit in its middle
        "TRIALDELTA_REQUEST_INTERVAL": "0.2",
        "TRIALDELTA_SWEEP_SCHEDULE": "1 s",
        "TRIALDELTA_BACKFILL": "false",
        "TRIALDELTA_ALLOW_PRIVATE_NETWORKS": "true",
    }
    settings = load(given, Path("no.env"))
    work = program.Daemon(settings, Database(url), name=name, roles=("sweep", "deliver"), lease_seconds=LEASE)
    # a message that a stopped daemon had in hand goes out soon
    work._delivery = msgspec.structs.replace(work._delivery, lease_seconds=DELIVERY_LEASE)
    signal.signal(signal.SIGTERM, lambda _number, _frame: work.stop.set())
    say.send("ready")
    work.run()
