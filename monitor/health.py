"""How the installation stands, from its own tables: what was looked at and when, what is owed to whom."""

from collections.abc import Collection, Mapping
from datetime import datetime

from msgspec import Struct
from sqlalchemy import ColumnElement, Connection, case, func, select, union_all

from monitor import askings, presence
from monitor.askings import Asking
from monitor.presence import Present
from notifiers import troubles, watches
from notifiers.addresses import shown
from notifiers.tables import addresses, deliveries, search_members
from notifiers.tables import watches as watch_rows
from notifiers.troubles import Trouble
from snapshots import archive
from snapshots.archive import Confirmation, Filling, OpenException, Sweep


class Health(Struct, frozen=True, kw_only=True):
    """`watched` records, for themselves or because a search has found them, of which `waiting` have no baseline yet;
    `searches`, of which `searches_waiting` have never been answered. `last_finished` is the newest sweep over all
    that came to its end, `last_sweep` the newest of any kind and fate. `confirmed` says when the records with an
    exception were last confirmed. `pasts_waiting` are the records whose history did not come whole, the newest try
    first. `daemons` are those that said they were there, silent ones too. Times are aware UTC.
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
    daemons: tuple[Present, ...] = ()

    @property
    def is_failing(self) -> bool:
        """Whether the newest sweep failed."""
        return self.last_sweep is not None and self.last_sweep.state == "failed"


def health(connection: Connection, registry: str, now: datetime) -> Health:
    """How things stand now."""
    watched, waiting, searches, searches_waiting = _counted(connection)
    exceptions = tuple(archive.open_exceptions(connection, registry))
    is_open = deliveries.c.next_attempt_at.is_not(None)
    is_due = is_open & (deliveries.c.planned_at <= now)
    off = select(addresses.c.uri, addresses.c.state_reason).where(addresses.c.state == "off").order_by(addresses.c.uri)
    return Health(
        watched=watched,
        waiting=waiting,
        searches=searches,
        searches_waiting=searches_waiting,
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
        daemons=tuple(presence.listing(connection)),
    )


def _counted(connection: Connection) -> tuple[int, int, int, int]:
    """How many records are watched, and how many of them wait for the first answer; the same of searches. Counted by
    the database: there may be thousands, and who asks whether all is well asks often.
    """
    row, is_asked = watch_rows.c, watch_rows.c.paused.is_(False)
    alone = select(row.registry, row.record_id, row.baseline_sweep).where(row.record_id.is_not(None), is_asked)
    member = select(row.registry, search_members.c.record_id, row.baseline_sweep).where(is_asked)
    of_each = union_all(alone, member.join(search_members, search_members.c.watch_id == row.id)).subquery()
    answered = func.count(of_each.c.baseline_sweep)
    each = select(answered.label("answered")).group_by(of_each.c.registry, of_each.c.record_id).subquery()
    records = connection.execute(select(func.count(), _times(each.c.answered == 0)).select_from(each)).one()
    is_search = (row.search.is_not(None)) & is_asked
    searches = connection.execute(select(_times(is_search), _times(is_search & row.baseline_sweep.is_(None)))).one()
    return records[0], records[1], searches[0], searches[1]


def _times(holds: ColumnElement[bool]) -> ColumnElement[int]:
    """How many rows a condition holds for."""
    return func.coalesce(func.sum(case((holds, 1), else_=0)), 0)


def last_confirmed(connection: Connection, registry: str, ids: Collection[str]) -> dict[str, Confirmation]:
    """When these records were last known to stand as they are stored; those that are watched and ever were."""
    since: dict[str, datetime] = {}
    for record in watches.records(connection) if ids else ():
        if record.registry == registry and record.record_id in ids:
            since[record.record_id] = min(watch.asked_since for watch in record.watches)
    found = {each: archive.last_confirmed(connection, registry, each, at) for each, at in since.items()}
    return {each: confirmation for each, confirmation in found.items() if confirmation is not None}
