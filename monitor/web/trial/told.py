"""What a record's page looks at to say since when each part says what it says: the latest steps, newest first."""

from sqlalchemy import Connection

from monitor.wiring import REGISTRY
from snapshots.archive import Record, Step
from snapshots.archive.latest import StepPlace, latest_steps, step_places

CHANGES_LOOKED_AT = 400
"""How far back is looked for what parts said before; the history has all of it."""


def latest_told(connection: Connection, record: Record) -> list[tuple[StepPlace, Step]]:
    """The latest steps, so many as told that many changes. Raises archive.CorruptChange where they cannot be read."""
    return latest_steps(connection, step_places(connection, REGISTRY, record.registry_id), CHANGES_LOOKED_AT)
