"""On which days was a record looked at and found as it is stored? Between two of them nobody here can vouch for it."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime, timedelta

from msgspec import Struct
from sqlalchemy import Connection, select

from notifiers.asked import Window, windows
from snapshots.archive import Record, VersionInfo
from snapshots.archive.coverage import ALL, FINISHED, is_excepted
from snapshots.archive.merges import Name, names
from snapshots.archive.order import is_back_filled
from snapshots.archive.tables import sweeps

_SATURDAY = 5


class Look(Struct, frozen=True):
    """A finished sweep that asked for the record and was answered: the ISO day of its release, and when it began."""

    day: str
    at: datetime


def looks(connection: Connection, record: Record, versions: Sequence[VersionInfo]) -> list[Look]:
    """All looks at a record, the oldest first. `versions` are those stored of it.

    When a watch that is gone ended nobody has written down: of such a time only what is certain counts, the looks
    between two observed versions.
    """
    known = names(connection, record)
    asked = windows(connection, record.registry, [name.id for name in known])
    asked += _before(record, min((window.since for window in asked), default=None), versions)
    found = (
        select(sweeps.c.release, sweeps.c.started_at)
        .where(sweeps.c.registry == record.registry, sweeps.c.state == FINISHED, sweeps.c.scope == ALL)
        .where(sweeps.c.started_at >= record.first_seen_at, ~is_excepted(known))
        .order_by(sweeps.c.id)
    )
    every = (Look(row.release[:10], row.started_at) for row in connection.execute(found))
    return [look for look in every if _is_asked(look, asked, known)]


def _is_asked(look: Look, asked: Iterable[Window], known: Sequence[Name]) -> bool:
    """Whether one of these windows holds it, under an id that was the record's name then."""
    meant = {name.id for name in known if name.holds_on(look.day)}
    mine = (each for each in asked if each.record_id in meant)
    return any(each.since <= look.at and (each.until is None or look.at < each.until) for each in mine)


def is_release_due(after: str, until: str) -> bool:
    """Whether the registry may have published after the ISO day `after` up to the day `until`: it does on weekdays."""
    day, last = date.fromisoformat(after), date.fromisoformat(until)
    while (day := day + timedelta(days=1)) <= last:
        if day.weekday() < _SATURDAY:
            return True
    return False


def _before(record: Record, since: datetime | None, versions: Sequence[VersionInfo]) -> Iterator[Window]:
    """The time before the first of the watches that are known, as far as an observed version bears it out."""
    seen = sorted(version.observed_at for version in versions if not is_back_filled(version.source))
    earlier = [at for at in seen if since is None or at < since]
    if earlier:
        yield Window(record.registry_id, earlier[0], earlier[-1])
