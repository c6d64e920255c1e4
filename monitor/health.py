"""How the installation stands, from its own tables: what was looked at and when, what is owed to whom."""

from datetime import datetime

from msgspec import Struct
from sqlalchemy import Connection, func, select

from notifiers import watches
from notifiers.tables import addresses, deliveries
from snapshots import archive
from snapshots.archive import OpenException, Sweep


class Health(Struct, frozen=True, kw_only=True):
    """`watched` records, for themselves or because a search has found them, of which `waiting` have no baseline yet;
    `searches`, of which `searches_waiting` have never been answered. `last_finished` is the newest sweep over all
    that came to its end, `last_sweep` the newest of any kind and fate. Times are aware UTC.
    """

    watched: int
    waiting: int
    searches: int
    searches_waiting: int
    last_finished: Sweep | None
    last_sweep: Sweep | None
    exceptions: tuple[OpenException, ...]
    open_deliveries: int
    oldest_due: datetime | None
    addresses_off: tuple[tuple[str, str], ...]

    @property
    def is_failing(self) -> bool:
        """Whether the newest sweep failed."""
        return self.last_sweep is not None and self.last_sweep.state == "failed"


def health(connection: Connection, registry: str, now: datetime) -> Health:
    """How things stand now."""
    records = watches.records(connection)
    searches = [watch for watch in watches.listing(connection) if watch.search is not None and not watch.paused]
    is_open = deliveries.c.next_attempt_at.is_not(None)
    is_due = is_open & (deliveries.c.planned_at <= now)
    off = select(addresses.c.uri, addresses.c.state_reason).where(addresses.c.state == "off").order_by(addresses.c.uri)
    return Health(
        watched=len(records),
        waiting=sum(record.is_waiting for record in records),
        searches=len(searches),
        searches_waiting=sum(search.baseline_sweep is None for search in searches),
        last_finished=archive.last_finished(connection, registry),
        last_sweep=archive.last_sweep(connection, registry),
        exceptions=tuple(archive.open_exceptions(connection, registry)),
        open_deliveries=connection.execute(select(func.count()).where(is_open)).scalar_one(),
        oldest_due=connection.execute(select(func.min(deliveries.c.planned_at)).where(is_due)).scalar(),
        addresses_off=tuple((uri, reason or "") for uri, reason in connection.execute(off)),
    )
