"""What a record's page looks at to say since when each part says what it says: the latest steps, newest first."""

from collections.abc import Sequence

from sqlalchemy import Connection

from monitor.web.problems import Problem
from monitor.web.trial.found import read
from monitor.wiring import REGISTRY
from snapshots.archive import Record, Step
from snapshots.archive.latest import StepPlace, latest_steps, step_places
from snapshots.trial import Site

CHANGES_LOOKED_AT = 400
"""How far back is looked for what parts said before; the history has all of it."""


def latest_told(connection: Connection, record: Record) -> list[tuple[StepPlace, Step]]:
    """The latest steps, so many as told that many changes. Raises archive.CorruptChange where they cannot be read."""
    return latest_steps(connection, step_places(connection, REGISTRY, record.registry_id), CHANGES_LOOKED_AT)


def sites_of(connection: Connection, version: int) -> Sequence[Site]:
    """The sites of an older version, none where it cannot be read: the page does without."""
    try:
        return read(connection, version).sites
    except Problem:
        return ()
