"""When did the registry last answer that a record stands as it is stored?"""

from sqlalchemy import Connection

from monitor.wiring import REGISTRY
from notifiers import watches
from snapshots import archive
from snapshots.archive import Confirmation, Record


def confirmed(connection: Connection, record: Record) -> Confirmation | None:
    """The newest moment; of a record that nobody watches now, when its newest version was observed. None where it never
    was.
    """
    found = watches.of_record(connection, REGISTRY, [record.registry_id, *record.former_ids])
    since = min((each.asked_since for each in found), default=None)
    # sweeps ask for what is watched only: where nothing is, none of them says anything of it
    until = None if found else record.first_seen_at
    return archive.last_confirmed(connection, REGISTRY, record.registry_id, since, until)
