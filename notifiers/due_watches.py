"""What of all that is watched a sweep asks for: what is due at a release, and what waits for its first answer."""

from collections.abc import Collection, Iterable, Iterator, Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, Connection, and_, or_, select, update

from notifiers.search_members import READ_AT_ONCE, ever
from notifiers.tables import watches
from notifiers.watches import BATCH, Watch, from_row
from snapshots import archive
from snapshots.id_set import IdSet, in_portions

PASSING = frozenset({"not fetched", "unreadable", "doubted"})
"""Why a record may have gone without an answer that another try in the same release can bring."""


def due_searches(connection: Connection, registry: str, release: str) -> list[Watch]:
    """The saved searches to ask now, by name: those that the registry has not answered for this release."""
    at = watches.c.searched_release
    here = and_(watches.c.registry == registry, watches.c.search.is_not(None), watches.c.paused.is_(False))
    due = select(watches).where(here, or_(at.is_(None), at != release)).order_by(watches.c.name)
    return [from_row(row) for row in connection.execute(due)]


def is_same_search(connection: Connection, search: Watch) -> bool:
    """Whether the search is still there as it was asked; until this transaction ends it stays so."""
    row = connection.execute(select(watches.c.search).where(watches.c.id == search.id).with_for_update()).first()
    return row is not None and row.search == search.search


def mark_searched(connection: Connection, search: Watch, release: str, sweep: int) -> None:
    """Note that the registry has said in `sweep`, for `release`, what the search finds."""
    values = {"searched_release": release, "baseline_sweep": search.baseline_sweep or sweep}
    connection.execute(update(watches).where(watches.c.id == search.id).values(**values))


def due_ids(connection: Connection, registry: str, release: str, but: Collection[int] = ()) -> IdSet:
    """The record ids to ask for now; at a new release without those that only the searches `but` (their numbers) found.

    At a release of which no sweep over everything has finished yet: all that are watched, also because a search has
    found them. Otherwise those that have no baseline, and those that the last sweep asked for without an answer for a
    reason that passes. Paused ones never. `release` is what sweeps are begun with.
    """
    last = archive.last_finished(connection, registry)
    if last is None or last.release != release:
        return watched_ids(connection, registry, but)
    failed = {
        trouble.registry_id for trouble in archive.open_exceptions(connection, registry) if trouble.reason in PASSING
    }
    due = waiting_ids(connection, registry)
    if failed:
        due.update(watched_ids(connection, registry) & IdSet(failed))
    return due


def watched_ids(connection: Connection, registry: str, but: Collection[int] = ()) -> IdSet:
    """All record ids that are watched and not paused, for themselves or because a search has found them; of the
    searches that are named in `but` (their numbers) what nothing else watches is left out.
    """
    ids = IdSet(_ids(connection, registry))
    for search in _asked_searches(connection, registry):
        if search not in but:
            ids.update(ever(connection, search))
    return ids


def _asked_searches(connection: Connection, registry: str) -> Sequence[int]:
    here = select(watches.c.id).where(watches.c.registry == registry, watches.c.search.is_not(None))
    return connection.execute(here.where(watches.c.paused.is_(False)).order_by(watches.c.id)).scalars().all()


def waiting_ids(connection: Connection, registry: str) -> IdSet:
    """The watched ids that have no baseline yet."""
    return IdSet(_ids(connection, registry, watches.c.baseline_sweep.is_(None)))


def is_any_waiting(connection: Connection, registry: str, since: datetime | None) -> bool:
    """Whether anything is watched that has no baseline yet, and was watched since then (None: ever). A snoozed watch
    needs its baseline too.
    """
    of = watches.c
    here = [of.registry == registry, of.baseline_sweep.is_(None), of.paused.is_(False)]
    if since is not None:
        here.append(of.created_at > since)
    return connection.execute(select(of.id).where(*here).limit(1)).first() is not None


def mark_baseline(connection: Connection, registry: str, ids: Iterable[str], sweep: int) -> None:
    """Note that `sweep` brought the first answer for these ids as asked for: data, or that the registry has no such
    record. An id that has a baseline keeps it.
    """
    for batch in in_portions(sorted(set(ids)), BATCH):
        here = and_(watches.c.registry == registry, watches.c.record_id.in_(batch), watches.c.baseline_sweep.is_(None))
        connection.execute(update(watches).where(here).values(baseline_sweep=sweep))


def _ids(connection: Connection, registry: str, *where: ColumnElement[bool]) -> Iterator[str]:
    of = watches.c
    here = [of.registry == registry, of.paused.is_(False), *where]
    wanted = select(of.record_id).where(*here).order_by(of.record_id).limit(READ_AT_ONCE)
    after = ""
    while ids := connection.execute(wanted.where(of.record_id > after)).scalars().all():
        yield from ids
        after = ids[-1]
