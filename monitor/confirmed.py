"""When did the registry last answer that a record stands as it is stored?"""

from collections.abc import Iterator
from datetime import datetime

from sqlalchemy import Connection

from monitor.wiring import REGISTRY
from notifiers.asked import windows
from snapshots import archive
from snapshots.archive import Confirmation, Record
from snapshots.archive.merges import names


def confirmed(connection: Connection, record: Record) -> Confirmation | None:
    """The newest moment, of a paused one up to its pause; of a record that nobody watches, when its newest version was
    observed. None where it never was.
    """
    # sweeps ask for what is watched only: where nothing is, none of them says anything of it
    asked = list(_asked(connection, record)) or [(record.first_seen_at, record.first_seen_at)]
    each = (archive.last_confirmed(connection, REGISTRY, record.registry_id, *window) for window in asked)
    return max((one for one in each if one is not None), key=lambda one: one.at, default=None)


def _asked(connection: Connection, record: Record) -> Iterator[tuple[datetime, datetime | None]]:
    """Since and until when sweeps asked for it; under a former id since that was merged into it."""
    known = names(connection, record)
    merged = {name.id: name.since.at for name in known}
    for window in windows(connection, REGISTRY, list(merged)):
        yield max(window.since, merged[window.record_id] or window.since), window.until
