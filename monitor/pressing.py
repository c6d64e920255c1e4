"""What cannot wait for the next sweep of the schedule: new watches, and a sweep that nobody goes on with."""

from datetime import datetime

from sqlalchemy import Connection

from monitor.sweep import lease_name
from notifiers import due_watches
from snapshots import archive, leases


def has_new_watches(connection: Connection, registry: str) -> bool:
    """Whether a record is watched that no sweep has asked for: those that failed wait for the schedule's next sweep."""
    last = archive.last_sweep(connection, registry)
    return due_watches.is_any_waiting(connection, registry, None if last is None else last.started_at)


def is_left_behind(connection: Connection, registry: str, now: datetime) -> bool:
    """Whether a sweep is under way that nobody holds the lease of any more."""
    last = archive.last_sweep(connection, registry)
    return last is not None and last.state == "running" and not leases.is_taken(connection, lease_name(registry), now)
