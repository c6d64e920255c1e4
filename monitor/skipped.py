"""Of which records may versions have been missed since their past came, because nobody looked at them for a while?"""

from collections.abc import Iterator, Sequence
from datetime import date, datetime, timedelta
from itertools import pairwise
from typing import Any

from sqlalchemy import Connection, Row, Select, Text, and_, cast, func, select, union_all

from monitor.looks import is_release_due
from notifiers.tables import search_members, watches
from notifiers.watches import BATCH
from snapshots.archive.coverage import ALL, FINISHED
from snapshots.archive.history import OBSERVED
from snapshots.archive.tables import fillings, record_ids, records, steps, sweep_exceptions, sweeps


def skipped_ids(connection: Connection, registry: str, only: str | None = None) -> set[str]:
    """The records (or `only` this one), by their ids of today, whose past came whole and that were then seen to change
    after a time in which they were not looked at, although the registry may have published: nobody swept, or it did
    not answer for them, or they were not watched. What was seen to be the same has skipped nothing that anybody could
    still see.
    """
    filled = _filled(select(func.min(fillings.c.tried_at)), registry)
    since = connection.execute(filled if only is None else filled.where(fillings.c.registry_id == only)).scalar()
    if since is None:
        return set()
    late = list(_late_releases(connection, registry, since))
    changed = _changed(registry) if only is None else _changed(registry).where(records.c.registry_id == only)
    asked = [changed.where(steps.c.release.in_(late))] if late else []
    # this is asked at every tick, and changes are many: only those of the few records that may be meant are looked at
    for few, narrowed in ((_excepted(registry, since), _unanswered), (_begun(registry, since), _watched_anew)):
        ids = list(connection.execute(few if only is None else _just(few, registry, only)).scalars())
        asked += [narrowed(changed, registry).where(records.c.id.in_(some)) for some in _batches(ids)]
    return {found for one in asked for found in connection.execute(one).scalars()}


def _just(few: Select[Any], registry: str, only: str) -> Select[Any]:
    """Of these rows of records that of one record."""
    its = select(records.c.id).where(records.c.registry == registry, records.c.registry_id == only)
    return few.where(record_ids.c.record.in_(its))


def _batches(ids: Sequence[int]) -> Iterator[Sequence[int]]:
    return (ids[start : start + BATCH] for start in range(0, len(ids), BATCH))


def _filled(wanted: Select[Any], registry: str) -> Select[Any]:
    joined = fillings.c.is_joined.is_(True)
    return wanted.where(fillings.c.registry == registry, fillings.c.state == "complete", joined)


def _changed(registry: str) -> Select[Any]:
    """The ids of records that were seen to change after their past came, one for each time."""
    mine = and_(fillings.c.registry == records.c.registry, fillings.c.registry_id == records.c.registry_id)
    found = select(records.c.registry_id).select_from(fillings).join(records, mine)
    return (
        _filled(found.join(steps, steps.c.record == records.c.id), registry)
        .where(steps.c.cause == OBSERVED, steps.c.from_version.is_not(None))
        .where(steps.c.to_version.is_not(None), steps.c.observed_at > fillings.c.tried_at)
    )


def _late_releases(connection: Connection, registry: str, since: datetime) -> Iterator[str]:
    """The releases swept since then that were not the next after the one swept before."""
    whole = (sweeps.c.registry == registry, sweeps.c.state == FINISHED, sweeps.c.scope == ALL)
    before = select(func.max(sweeps.c.id)).where(*whole, sweeps.c.started_at <= since).scalar_subquery()
    swept = select(sweeps.c.release).where(*whole, sweeps.c.id >= func.coalesce(before, 0)).order_by(sweeps.c.id)
    return _after_a_pause(connection.execute(swept).all())


def _after_a_pause(swept: Sequence[Row[Any]]) -> Iterator[str]:
    for before, after in pairwise(swept):
        if is_release_due(before.release[:10], _day_before(after.release)):
            yield after.release


def _day_before(release: str) -> str:
    return (date.fromisoformat(release[:10]) - timedelta(days=1)).isoformat()


def _excepted(registry: str, since: datetime) -> Select[Any]:
    """The rows of records for which a sweep had no answer since then."""
    here = and_(record_ids.c.registry == registry, record_ids.c.registry_id == sweep_exceptions.c.registry_id)
    found = (
        select(record_ids.c.record).join(sweep_exceptions, here).join(sweeps, sweeps.c.id == sweep_exceptions.c.sweep)
    )
    return found.where(sweeps.c.registry == registry, sweeps.c.started_at > since).distinct()


def _unanswered(changed: Select[Any], registry: str) -> Select[Any]:
    """Those for which a sweep had no answer between the filling and the change."""
    return (
        changed.join(record_ids, record_ids.c.record == records.c.id)
        .join(sweep_exceptions, sweep_exceptions.c.registry_id == record_ids.c.registry_id)
        .join(sweeps, and_(sweeps.c.id == sweep_exceptions.c.sweep, sweeps.c.registry == registry))
        .where(sweeps.c.started_at > fillings.c.tried_at, sweeps.c.release < steps.c.release)
    )


_IS_EVERYTHING = cast(watches.c.search, Text) == "{}"
_BEGAN = func.coalesce(watches.c.asked_since, watches.c.created_at)
_WATCHED = union_all(
    select(watches.c.registry, watches.c.record_id, _BEGAN.label("began")).where(watches.c.record_id.is_not(None)),
    select(watches.c.registry, search_members.c.record_id, _BEGAN).join(
        search_members, and_(search_members.c.watch_id == watches.c.id, ~_IS_EVERYTHING)
    ),
).subquery("watched")
"""Which ids are watched since when, for themselves and because a search has found them; but for a search without a
condition, whose records' past nobody asked for."""


def _begun(registry: str, since: datetime) -> Select[Any]:
    """The rows of records whose watch began, or went on after a pause, since then."""
    here = and_(record_ids.c.registry == registry, record_ids.c.registry_id == _WATCHED.c.record_id)
    found = select(record_ids.c.record).join(_WATCHED, here)
    return found.where(_WATCHED.c.registry == registry, _WATCHED.c.began > since).distinct()


def _watched_anew(changed: Select[Any], registry: str) -> Select[Any]:
    """Those whose watch began, or went on after a pause, between the filling and the change."""
    spans = and_(_WATCHED.c.began > fillings.c.tried_at, _WATCHED.c.began <= steps.c.observed_at)
    return (
        changed.join(record_ids, record_ids.c.record == records.c.id)
        .join(_WATCHED, _WATCHED.c.record_id == record_ids.c.registry_id)
        .where(_WATCHED.c.registry == registry, spans)
    )
