"""On which days was a record looked at and found as it is stored? Between two of them nobody here can vouch for it."""

from collections.abc import Iterator, Sequence
from datetime import date, datetime, timedelta

from msgspec import Struct
from sqlalchemy import Connection, exists, or_, select

from notifiers.tables import search_members, watches
from snapshots.archive import Record, VersionInfo
from snapshots.archive.coverage import ALL, FINISHED
from snapshots.archive.order import is_back_filled
from snapshots.archive.tables import sweep_exceptions, sweeps

_SATURDAY = 5


class Look(Struct, frozen=True):
    """A finished sweep that asked for the record and was answered: the ISO day of its release, and when it began."""

    day: str
    at: datetime


class _Window(Struct, frozen=True):
    """A time in which sweeps asked for a record; `until` None: they still do."""

    since: datetime
    until: datetime | None

    def holds(self, at: datetime) -> bool:
        return self.since <= at and (self.until is None or at < self.until)


def looks(connection: Connection, record: Record, versions: Sequence[VersionInfo]) -> list[Look]:
    """All looks at a record, the oldest first. `versions` are those stored of it.

    When a watch that is gone ended nobody has written down: of such a time only what is certain counts, the looks
    between two observed versions.
    """
    names = [record.registry_id, *record.former_ids]
    asked = list(_windows(connection, record.registry, names))
    asked += _before(min((window.since for window in asked), default=None), versions)
    excepted = select(sweep_exceptions.c.sweep).where(
        sweep_exceptions.c.sweep == sweeps.c.id, sweep_exceptions.c.registry_id.in_(names)
    )
    found = (
        select(sweeps.c.release, sweeps.c.started_at)
        .where(sweeps.c.registry == record.registry, sweeps.c.state == FINISHED, sweeps.c.scope == ALL)
        .where(sweeps.c.started_at >= record.first_seen_at, ~exists(excepted))
        .order_by(sweeps.c.id)
    )
    rows = connection.execute(found)
    return [Look(row.release[:10], row.started_at) for row in rows if any(one.holds(row.started_at) for one in asked)]


def is_release_due(after: str, until: str) -> bool:
    """Whether the registry may have published after the ISO day `after` up to the day `until`: it does on weekdays."""
    day, last = date.fromisoformat(after), date.fromisoformat(until)
    while (day := day + timedelta(days=1)) <= last:
        if day.weekday() < _SATURDAY:
            return True
    return False


def _windows(connection: Connection, registry: str, names: Sequence[str]) -> Iterator[_Window]:
    finding = select(search_members.c.watch_id).where(search_members.c.record_id.in_(names))
    mine = or_(watches.c.record_id.in_(names), watches.c.id.in_(finding))
    for row in connection.execute(select(watches).where(watches.c.registry == registry, mine)):
        since = row.asked_since or row.created_at
        if row.asked_until is None or row.asked_until > since:
            yield _Window(since, row.asked_until)


def _before(since: datetime | None, versions: Sequence[VersionInfo]) -> Iterator[_Window]:
    """The time before the first of the watches that are known, as far as an observed version bears it out."""
    seen = sorted(version.observed_at for version in versions if not is_back_filled(version.source))
    earlier = [at for at in seen if since is None or at < since]
    if earlier:
        yield _Window(earlier[0], earlier[-1])
