"""How the installation stands, from its own tables: what was looked at and when, what is owed to whom."""

from collections.abc import Collection, Mapping
from datetime import datetime

from msgspec import Struct
from sqlalchemy import Connection, func, select

from monitor import askings
from monitor.askings import Asking
from notifiers import troubles, watches
from notifiers.addresses import shown
from notifiers.tables import addresses, deliveries
from notifiers.troubles import Trouble
from snapshots import archive
from snapshots.archive import Confirmation, Filling, OpenException, Sweep


class Health(Struct, frozen=True, kw_only=True):
    """`watched` records, for themselves or because a search has found them, of which `waiting` have no baseline yet;
    `searches`, of which `searches_waiting` have never been answered. `last_finished` is the newest sweep over all
    that came to its end, `last_sweep` the newest of any kind and fate. `confirmed` says when the records with an
    exception were last confirmed. `pasts_waiting` are the records whose history did not come whole, the newest try
    first. Times are aware UTC.
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
    confirmed: Mapping[str, Confirmation]
    addresses_off: tuple[tuple[str, str], ...]
    pasts_waiting: tuple[Filling, ...]
    asked: Asking | None = None
    troubles: tuple[Trouble, ...] = ()

    @property
    def is_failing(self) -> bool:
        """Whether the newest sweep failed."""
        return self.last_sweep is not None and self.last_sweep.state == "failed"


def health(connection: Connection, registry: str, now: datetime) -> Health:
    """How things stand now."""
    records = watches.records(connection)
    searches = [watch for watch in watches.listing(connection) if watch.search is not None and not watch.paused]
    exceptions = tuple(archive.open_exceptions(connection, registry))
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
        exceptions=exceptions,
        confirmed=last_confirmed(connection, registry, [each.registry_id for each in exceptions]),
        open_deliveries=connection.execute(select(func.count()).where(is_open)).scalar_one(),
        oldest_due=connection.execute(select(func.min(deliveries.c.planned_at)).where(is_due)).scalar(),
        addresses_off=tuple((shown(uri), reason or "") for uri, reason in connection.execute(off)),
        pasts_waiting=tuple(archive.waiting_fillings(connection, registry)),
        asked=askings.last(connection, registry),
        troubles=tuple(troubles.standing(connection)),
    )


def last_confirmed(connection: Connection, registry: str, ids: Collection[str]) -> dict[str, Confirmation]:
    """When these records were last known to stand as they are stored; those that are watched and ever were."""
    since: dict[str, datetime] = {}
    for record in watches.records(connection) if ids else ():
        if record.registry == registry and record.record_id in ids:
            since[record.record_id] = min(watch.asked_since for watch in record.watches)
    found = {each: archive.last_confirmed(connection, registry, each, at) for each, at in since.items()}
    return {each: confirmation for each, confirmation in found.items() if confirmation is not None}
