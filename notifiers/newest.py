"""The newest stored versions of all that is selected, one after the other however many these are."""

from collections.abc import Iterator

from sqlalchemy import Connection, and_, select

from notifiers import scope
from notifiers.scope import Chosen
from snapshots.archive.tables import record_ids, records


def newest(connection: Connection, selection: Chosen = "all") -> Iterator[tuple[str, int]]:
    """Registry and number of the newest version of each selected record of which one is stored, by number. Two watched
    ids may be one record since a merge: it comes once.
    """
    for query in scope.named(selection):
        of = query.subquery()
        same = and_(record_ids.c.registry == of.c.registry, record_ids.c.registry_id == of.c.record_id)
        found = (
            select(records.c.registry, records.c.head_version)
            .join(record_ids, record_ids.c.record == records.c.id)
            .join(of, same)
            .where(records.c.head_version.is_not(None))
            .distinct()
            .order_by(records.c.head_version)
        )
        yield from ((row[0], row[1]) for row in connection.execute(found))
