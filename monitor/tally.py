"""How many changes of each severity are stored? Counted once; when it is asked again, only those that came since."""

from collections.abc import Mapping
from datetime import datetime
from threading import Lock
from typing import Any

from sqlalchemy import Connection, func, select

from snapshots.archive.tables import changes, steps
from snapshots.kinds import SEVERITIES, Severity

Counted = Mapping[Severity, int]
Last = tuple[int, datetime]
"""The id of a change and when it was observed: no other database has both alike."""


class Tally:
    """The count of one database, for as long as the process lives.

    Changes are never deleted, and their ids rise in the order in which others see them (`archive.record_step`): what
    was counted need not be counted again. Where the last that was counted is not there, the question is about an
    earlier moment, or a backup was put in the database's place: all is counted anew.
    """

    def __init__(self) -> None:
        self._last: Last | None = None
        self._counted: Counted = {}
        self._lock = Lock()

    def by_severity(self, connection: Connection) -> Counted:
        """How many changes are stored, by severity; 0 for those of which there is none."""
        newest = _change(connection, select(func.max(changes.c.id)).scalar_subquery())
        if newest is None:
            return dict.fromkeys(SEVERITIES, 0)
        with self._lock:
            goes_on = self._last is not None and _change(connection, self._last[0]) == self._last
            after, before = (self._last[0], self._counted) if goes_on and self._last else (0, {})
            new = {severity: _count(connection, severity, after, newest[0]) for severity in SEVERITIES}
            counted: Counted = {severity: before.get(severity, 0) + count for severity, count in new.items()}
            if self._last is None or goes_on or newest > self._last:
                self._last, self._counted = newest, counted
            return counted


def _change(connection: Connection, number: Any) -> Last | None:
    wanted = select(changes.c.id, steps.c.observed_at).join(steps, steps.c.id == changes.c.step)
    row = connection.execute(wanted.where(changes.c.id == number)).first()
    return None if row is None else (row.id, row.observed_at)


def _count(connection: Connection, severity: str, after: int, until: int) -> int:
    # each by itself: only so is the index on severity and id walked from where the last count ended
    new = (changes.c.severity == severity, changes.c.id > after, changes.c.id <= until)
    return connection.execute(select(func.count()).select_from(changes).where(*new)).scalar_one()
