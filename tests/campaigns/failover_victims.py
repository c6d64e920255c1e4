"""What the failover hits: the daemon itself, its waits shortened from minutes to seconds, or as they are."""

import signal
from functools import partial
from multiprocessing.connection import Connection as Pipe
from pathlib import Path

import msgspec
from msgspec import Struct

import snapshots.database
from monitor import daemon as program
from monitor import wiring
from monitor.answers import LEASE_SECONDS
from monitor.settings import load
from notifiers import channels as _channels  # noqa: F401  # loaded before the fork, not in every child
from snapshots.database import Database
from snapshots.registries.ctgov.wire import Timeouts
from tests.campaigns import victims


class Waits(Struct, frozen=True):
    """Seconds: how long a silent daemon's sweep, message, turn at the registry and open transaction wait; how often it
    is looked whether one was left behind; and what is waited for of the registry. None: as in the program.
    """

    sweep: float = LEASE_SECONDS
    delivery: float | None = None
    turn: float | None = None
    transaction: float | None = None
    look: float | None = None
    answer: float | None = None


SHORT = Waits(sweep=2.0, delivery=3.0, turn=4.0, look=1.0)
SHORTEST = Waits(sweep=2.0, delivery=3.0, turn=3.0, transaction=3.0, look=1.0, answer=1.0)
AS_RELEASED = Waits()


def daemon(url: str, registry_url: str, name: str, waits: Waits, say: Pipe) -> None:
    """Works until it is killed."""
    victims.quiet()
    _shorten(waits)
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
    work = program.Daemon(settings, Database(url), name=name, roles=("sweep", "deliver"), lease_seconds=waits.sweep)
    if waits.delivery is not None:
        # a message that a stopped daemon had in hand goes out soon
        work._delivery = msgspec.structs.replace(work._delivery, lease_seconds=waits.delivery)
    signal.signal(signal.SIGTERM, lambda _number, _frame: work.stop.set())
    say.send("ready")
    work.run()


def _shorten(waits: Waits) -> None:
    if waits.look is not None:
        program.NEW_WATCH_SECONDS = waits.look  # type: ignore[assignment]
    if waits.transaction is not None:
        snapshots.database.IDLE_TIMEOUT = round(waits.transaction * 1000)
    if waits.turn is not None:
        wiring.DatabaseTurn = partial(wiring.DatabaseTurn, hold=waits.turn)  # type: ignore[misc, assignment]
    if waits.answer is not None:
        timeouts = Timeouts(connect=waits.answer, read=waits.answer, total=5 * waits.answer)
        wiring.CtgovRegistry = partial(wiring.CtgovRegistry, timeouts=timeouts)  # type: ignore[misc, assignment]
