"""How many changes of each severity are stored? Counted once; when it is asked again, only those that came since."""

from collections.abc import Mapping
from threading import Lock

from sqlalchemy import Connection, func, select

from snapshots.archive.tables import changes
from snapshots.kinds import SEVERITIES


class Tally:
    """The count of one database, for as long as the process lives.

    Changes are never deleted, and their ids rise in the order in which others see them (`archive.record_step`): what
    was counted need not be counted again. Where the newest id is lower than it was, an older backup was put in the
    database's place, or the question was asked earlier and is answered later: everything is counted again.
    """

    def __init__(self) -> None:
        self._newest = 0
        self._counted: Mapping[str, int] = {}
        self._lock = Lock()

    def by_severity(self, connection: Connection) -> Mapping[str, int]:
        """How many changes are stored, by severity; 0 for those of which there is none."""
        newest = connection.execute(select(func.max(changes.c.id))).scalar() or 0
        with self._lock:
            after = self._newest if newest >= self._newest else 0
            before = self._counted if after else {}
            new = {severity: _count(connection, severity, after, newest) for severity in SEVERITIES}
            self._counted = {severity: before.get(severity, 0) + count for severity, count in new.items()}
            self._newest = newest
            return self._counted


def _count(connection: Connection, severity: str, after: int, until: int) -> int:
    # each by itself: only so is the index on severity and id walked from where the last count ended
    new = (changes.c.severity == severity, changes.c.id > after, changes.c.id <= until)
    return connection.execute(select(func.count()).select_from(changes).where(*new)).scalar_one()
