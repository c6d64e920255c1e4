"""How the installation stands, from its own tables: what was looked at and when, what is owed to whom."""

from collections.abc import Collection, Mapping
from datetime import datetime

from msgspec import Struct
from sqlalchemy import ColumnElement, Connection, case, func, select, union_all

from monitor import askings, presence
from monitor.askings import Asking
from monitor.outstanding import Outstanding, outstanding
from monitor.presence import Present
from notifiers import troubles, watches
from notifiers.addresses import shown
from notifiers.tables import addresses, search_members
from notifiers.tables import watches as watch_rows
from notifiers.troubles import Trouble
from snapshots import archive
from snapshots.archive import Confirmation, Filling, OpenException, Sweep


class Health(Struct, frozen=True, kw_only=True):
    """`watched` records, for themselves or because a search has found them, of which `waiting` have no baseline yet;
    `searches`, of which `searches_waiting` have never been answered. `last_finished` is the newest sweep over all
    that came to its end, `last_sweep` the newest of any kind and fate. `confirmed` says when the records with an
    exception were last confirmed. `pasts_waiting` are the records whose history did not come whole, the newest try
    first. `daemons` are those that said they were there, silent ones too. `never_answered` are those of the exceptions
    of which nothing is stored: the registry may not know their ids at all. Times are aware UTC.
    """

    watched: int
    waiting: int
    searches: int
    searches_waiting: int
    last_finished: Sweep | None
    last_sweep: Sweep | None
    exceptions: tuple[OpenException, ...]
    outstanding: Outstanding
    confirmed: Mapping[str, Confirmation]
    addresses_off: tuple[tuple[str, str], ...]
    pasts_waiting: tuple[Filling, ...]
    asked: Asking | None = None
    troubles: tuple[Trouble, ...] = ()
    daemons: tuple[Present, ...] = ()
    never_answered: frozenset[str] = frozenset()

    @property
    def open_deliveries(self) -> int:
        """How many messages are still to be sent."""
        return self.outstanding.open

    @property
    def oldest_due(self) -> datetime | None:
        """Since when the oldest message that may be sent now might have been sent."""
        return self.outstanding.due_since

    @property
    def is_failing(self) -> bool:
        """Whether the newest sweep failed."""
        return self.last_sweep is not None and self.last_sweep.state == "failed"


def health(connection: Connection, registry: str, now: datetime) -> Health:
    """How things stand now."""
    watched, waiting, searches, searches_waiting = _counted(connection)
    exceptions = tuple(archive.open_exceptions(connection, registry))
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
        outstanding=outstanding(connection, now),
        addresses_off=tuple((shown(uri), reason or "") for uri, reason in connection.execute(off)),
        pasts_waiting=tuple(archive.waiting_fillings(connection, registry)),
        asked=askings.last(connection, registry),
        troubles=tuple(troubles.standing(connection)),
        daemons=tuple(presence.listing(connection)),
        never_answered=_never_answered(connection, registry, exceptions),
    )


def _never_answered(connection: Connection, registry: str, exceptions: Collection[OpenException]) -> frozenset[str]:
    """Those records of which nothing is stored."""
    ids = [each.registry_id for each in exceptions if each.reason == "absent"]
    heads = archive.heads(connection, registry, ids) if ids else {}
    return frozenset(each for each in ids if each not in heads)


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
    watching = ((each, watches.of_record(connection, registry, [each])) for each in ids)
    since = {each: min(watch.asked_since for watch in found) for each, found in watching if found}
    found = {each: archive.last_confirmed(connection, registry, each, at) for each, at in since.items()}
    return {each: confirmation for each, confirmation in found.items() if confirmation is not None}
