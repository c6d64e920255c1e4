"""Which trials are like those that are watched: the index is kept up, and the registry asked for whom somebody asks."""

from collections.abc import Callable
from datetime import datetime

from snapshots import archive, related
from snapshots.archive import Unreadable
from snapshots.database import Database
from snapshots.registries.ctgov.client import CtgovRegistry
from snapshots.registry import RegistryError
from snapshots.trial import Trial

MOST_LISTED = 12
"""Trials that are kept of the registry's answer."""
ASKED_AT_ONCE = 3
"""Questions in one tick: a sweep waits for its turn behind each."""
ROUNDS = 20
"""Rounds of the index in one tick; the next tick goes on."""


def catch_up(database: Database, registry: CtgovRegistry, stop: Callable[[], bool]) -> int:
    """Read what is new into the index; how many records that were."""
    done = 0
    for _ in range(ROUNDS):
        found = 0 if stop() else related.catch_up(database, registry.name, registry.parse)
        done += found
        if not found:
            break
    return done


def ask_wanted(
    database: Database, registry: CtgovRegistry, clock: Callable[[], datetime], stop: Callable[[], bool]
) -> int:
    """Ask the registry for trials like those for which somebody wants to know; how many questions that made."""
    with database.read() as connection:
        due = related.wanted(connection, registry.name, ASKED_AT_ONCE)
    for registry_id in due:
        if stop():
            break
        _ask(database, registry, registry_id, clock)
    return len(due)


def _ask(database: Database, registry: CtgovRegistry, registry_id: str, clock: Callable[[], datetime]) -> None:
    try:
        found = registry.similar(_newest(database, registry, registry_id), MOST_LISTED)
    except (RegistryError, Unreadable, LookupError) as error:
        with database.write() as connection:
            related.keep_trouble(connection, registry.name, registry_id, str(error), clock())
        return
    with database.write() as connection:
        related.keep(connection, registry.name, registry_id, found, clock())


def _newest(database: Database, registry: CtgovRegistry, registry_id: str) -> Trial:
    with database.read() as connection:
        record = archive.find_record(connection, registry.name, registry_id)
        if record is None or record.head_version is None:
            raise LookupError(f"nothing is stored of {registry_id}")
        raw = archive.read_version(connection, record.head_version)
    return registry.parse(raw)
