"""On what the silence of a digest rests, and what its reader should know beside the changes."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

from msgspec import Struct
from msgspec.structs import replace
from sqlalchemy import Connection, Row, or_, select

from notifiers import acknowledgements, outlook, scope, search_members, subscriptions, watches
from notifiers.calendar import local_day
from notifiers.composing import READERS
from notifiers.conditions import Conditions
from notifiers.message import Coming, Coverage
from notifiers.subscriptions import Stored
from notifiers.tables import askings, ended_silences
from notifiers.tables import watches as watch_rows
from notifiers.watches import Watch, WatchedRecord
from snapshots import archive

PARSERS = {name: reader.parse for name, reader in READERS.items()}

NOT_ASKED = "not asked for yet"


class Ground(Struct, frozen=True, kw_only=True):
    """What a digest says to each of a subscription's addresses alike, looked up once."""

    stored: Stored
    common: Coverage


def ground(connection: Connection, stored: Stored, now: datetime) -> Ground:
    """On what a digest of the subscription rests now, whoever reads it. A page waits for this: of thousands of records
    that are watched, those are read of which there is something to say.
    """
    selection = stored.subscription.watches
    counts = scope.how_many(connection, selection)
    searches, resting = _apart(connection, stored)
    unanswered = _unchecked_searches(connection, searches)
    unchecked = [*_unchecked(connection, scope.selected(scope.unanswered(connection), selection)), *unanswered]
    common = Coverage(
        since=now,
        until=now,
        watched=sum(counts.values()),
        unchecked=tuple((each, reason) for each, reason, _ in unchecked),
        unchecked_since={each: since for each, _, since in unchecked if since},
        unanswered_searches=len(unanswered),
        paused=len(resting),
        only_asked_for=stored.subscription.when != Conditions(),
        coming=_coming(connection, stored, now),
        silences=_silences(connection, stored, [*searches, *resting], now),
        **_looked(connection, {*counts, *(one.registry for one in searches)}),
    )
    return Ground(stored=stored, common=common)


def coverage(  # noqa: PLR0917 - what one address is told
    connection: Connection, on: Ground, address_id: int, since: datetime, told_meanwhile: int, waiting: int
) -> Coverage:
    """The same for one address that was told last at `since`: how many changes other messages told it meanwhile, and
    how many wait for the end of a snooze.
    """
    return replace(
        on.common,
        since=since,
        told_meanwhile=told_meanwhile,
        waiting=waiting,
        unseen=tuple(acknowledgements.unseen_in_words(connection, address_id)),
        ended=_ended(connection, on.stored, since),
    )


def _looked(connection: Connection, registries: Collection[str]) -> dict[str, Any]:
    """When the registries were looked through last. Of several the one of longest ago: no more is proven for all."""
    sweeps = [archive.last_finished(connection, registry) for registry in registries]
    finished = [sweep for sweep in sweeps if sweep and sweep.ended_at]
    rows = connection.execute(select(askings).where(askings.c.registry.in_(registries))).all()
    failing = min((row for row in rows if row.failing_since), key=lambda row: row.failing_since, default=None)
    found: dict[str, Any] = {
        "asked_at": min((row.asked_at for row in rows), default=None),
        "failing_since": failing.failing_since if failing else None,
        "failing_because": failing.reason if failing else None,
    }
    if finished and len(finished) == len(sweeps):
        oldest = min(finished, key=lambda sweep: sweep.ended_at or sweep.started_at)
        found |= {"last_checked": oldest.ended_at, "release": oldest.release}
    return found


_Trouble = tuple[str, str, str | None]
"""What could not be checked, why, and since which release."""


def _unchecked(connection: Connection, watched: Sequence[WatchedRecord]) -> list[_Trouble]:
    open_here = _troubles(connection, {record.registry for record in watched})
    found = []
    for record in watched:
        trouble = open_here.get((record.registry, record.record_id))
        if trouble is not None:
            found.append((record.record_id, *trouble))
        elif record.is_waiting:
            found.append((record.record_id, NOT_ASKED, None))
    return found


def _apart(connection: Connection, stored: Stored) -> tuple[list[Watch], list[Watch]]:
    """The searches that the subscription is about and that are asked; and what of its watches is paused."""
    asked, paused = [], []
    which = or_(watch_rows.c.search.is_not(None), watch_rows.c.paused.is_(True))
    rows = connection.execute(select(watch_rows).where(which))
    for watch in watches.in_order(map(watches.from_row, rows)):
        names = [watch.name or ""] if watch.search is not None else ()
        ids = [watch.record_id] if watch.record_id is not None else ()
        groups = [watch.group] if watch.group else []
        if not subscriptions.selects(stored.subscription.watches, ids, groups, names):
            continue
        if watch.paused:
            paused.append(watch)
        elif watch.search is not None:
            asked.append(watch)
    return asked, paused


def _unchecked_searches(connection: Connection, searches: Sequence[Watch]) -> list[_Trouble]:
    """The searches that the subscription is about and that the registry did not answer: something may be new there."""
    troubles = _troubles(connection, {search.registry for search in searches})
    found = ((each.called, troubles.get((each.registry, each.called))) for each in searches)
    return [(called, *trouble) for called, trouble in found if trouble]


def _troubles(connection: Connection, registries: set[str]) -> dict[tuple[str, str], tuple[str, str | None]]:
    return {
        (registry, trouble.registry_id): (trouble.reason, trouble.since)
        for registry in registries
        for trouble in archive.open_exceptions(connection, registry)
    }


# --- what its reader should know beside the changes -------------------------------------------------------------------


def _coming(connection: Connection, stored: Stored, now: datetime) -> tuple[Coming, ...]:
    today = local_day(stored.subscription.digest, now)
    # dates of what broad searches find are not read ahead, and never all at once
    named = scope.named(stored.subscription.watches, search_members.broad(connection))
    return tuple(outlook.coming_of(connection, PARSERS, named, today))


def _silences(
    connection: Connection, stored: Stored, searches: Sequence[Watch], now: datetime
) -> tuple[tuple[str, str], ...]:
    """What of the subscription's rests now: itself, and its watches."""
    snoozed = scope.watching(connection, stored.subscription.watches, scope.is_snoozed(now))
    resting = {watch.id: watch for watch in snoozed} | {each.id: each for each in searches}
    found = [(f"subscription {stored.subscription.name}", stored.subscription.silence.in_words(now))]
    found += [(watch.called, watch.silence.in_words(now)) for watch in resting.values()]
    return tuple((called, words) for called, words in found if words)


def _ended(connection: Connection, stored: Stored, since: datetime) -> tuple[tuple[str, str], ...]:
    """Whose snooze came to its end since the last digest."""
    ended = ended_silences
    awake = select(ended.c.watch_id).where(ended.c.watch_id.is_not(None), ended.c.ended_at > since)
    watching = scope.watching(connection, stored.subscription.watches, watch_rows.c.id.in_(awake))
    mine = {watch.id: watch.called for watch in watching}
    here = (ended.c.subscription_id == stored.id) | ended.c.watch_id.is_not(None)
    rows = connection.execute(select(ended).where(here, ended.c.ended_at > since).order_by(ended.c.id)).all()
    told = [
        (mine.get(row.watch_id) if row.watch_id else f"subscription {stored.subscription.name}", row) for row in rows
    ]
    return tuple((called, f"{row.why}{_author(row)}") for called, row in told if called)


def _author(row: Row[Any]) -> str:
    by = f" by {row.silenced_by}" if row.silenced_by else ""
    why = f": {row.silence_reason}" if row.silence_reason else ""
    return f" (it was snoozed{by}{why})" if by or why else ""
