"""What the chaos kills: a daemon that sweeps and delivers at once, without an end."""

import threading
import time
from contextlib import suppress
from datetime import timedelta
from multiprocessing.connection import Connection as Pipe
from random import Random

from monitor.sweep import sweep
from notifiers import retries
from notifiers.channels import DeliverySettings
from notifiers.deliver import deliver_due
from snapshots.database import Database, DatabaseError
from snapshots.holders import this_process
from snapshots.registries.ctgov.client import CtgovRegistry
from snapshots.turns import DatabaseTurn
from tests.campaigns import victims

LEASE = 3.0
"""Seconds that a dead daemon's deliveries wait."""
WAIT = timedelta(seconds=0.3)
"""Between two tries, in place of the schedule of three days: as many tries, in seconds."""
PAUSE = 0.1


def daemon(url: str, registry_url: str, seed: int, say: Pipe) -> None:
    """Sweeps and delivers, each in a thread of its own, until it is killed."""
    victims.quiet()
    retries.SCHEDULE = (WAIT,) * len(retries.SCHEDULE)
    database = Database(url)
    say.send("ready")
    threading.Thread(target=_sweeping, args=(database, registry_url), daemon=True).start()
    settings = DeliverySettings(
        allow_private_networks=True, lease_seconds=LEASE, total_seconds=20.0, connect_seconds=10.0
    )
    while True:
        with suppress(DatabaseError):  # a database that many write to may be locked for long: the next round is soon
            deliver_due(database, settings, this_process("chaos"), victims.now, Random(seed), threads=5)
        time.sleep(PAUSE)


def _sweeping(database: Database, registry_url: str) -> None:
    turn = DatabaseTurn(database, "ctgov", 0.02, victims.now, time.sleep, hold=LEASE)
    with CtgovRegistry(registry_url, "chaos", turn, batch_size=50, sleep=lambda _: None, rng=Random(1)) as registry:
        while True:
            with suppress(DatabaseError):
                sweep(database, registry, victims.now, lease_seconds=LEASE)
            time.sleep(PAUSE)
