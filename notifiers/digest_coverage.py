"""On what the silence of a digest rests, and what its reader should know beside the changes."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

from msgspec import Struct
from msgspec.structs import replace
from sqlalchemy import Connection, Row, select

from notifiers import acknowledgements, outlook, subscriptions, untold, watches
from notifiers.calendar import local_day
from notifiers.composing import READERS
from notifiers.conditions import Conditions
from notifiers.message import Coming, Coverage, NotSeen
from notifiers.subscriptions import Stored
from notifiers.tables import askings, ended_silences
from notifiers.watches import Watch, WatchedRecord
from snapshots import archive

PARSERS = {name: reader.parse for name, reader in READERS.items()}

NOT_ASKED = "not asked for yet"


class Ground(Struct, frozen=True, kw_only=True):
    """What a digest says to each of a subscription's addresses alike, looked up once."""

    stored: Stored
    watched: Sequence[WatchedRecord]
    common: Coverage
    asleep: Collection[str]
    """Ids of records, as steps know them, of which nothing is told now: all their watches are snoozed."""


def ground(connection: Connection, stored: Stored, now: datetime) -> Ground:
    """On what a digest of the subscription rests now, whoever reads it."""
    # of thousands of watches, read once: a page waits for this
    listed = watches.listing(connection)
    every = watches.records(connection, listed)
    watched = _watched(stored, every)
    searches, resting = _my_searches(stored, listed)
    unanswered = _unchecked_searches(connection, searches)
    unchecked = [*_unchecked(connection, watched), *unanswered]
    common = Coverage(
        since=now,
        until=now,
        watched=len(watched),
        unchecked=tuple((each, reason) for each, reason, _ in unchecked),
        unchecked_since={each: since for each, _, since in unchecked if since},
        unanswered_searches=len(unanswered),
        paused=len(resting),
        only_asked_for=stored.subscription.when != Conditions(),
        coming=_coming(connection, stored, watched, now),
        silences=_silences(stored, watched, [*searches, *resting], now),
        **_looked(connection, watched, searches),
    )
    return Ground(stored=stored, watched=watched, common=common, asleep=untold.asleep(connection, now, every))


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
        unseen=_unseen(connection, address_id),
        ended=_ended(connection, on.stored, on.watched, since),
    )


def _looked(connection: Connection, watched: Sequence[WatchedRecord], searches: Sequence[Watch]) -> dict[str, Any]:
    """When the registry was looked through last. Of several the one of longest ago: no more is proven for all."""
    registries = sorted({one.registry for one in watched} | {one.registry for one in searches})
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


def _watched(stored: Stored, every: Sequence[WatchedRecord]) -> list[WatchedRecord]:
    selection = stored.subscription.watches
    return [
        record
        for record in every
        if subscriptions.selects(selection, [record.record_id], record.groups, record.searches)
    ]


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


def _my_searches(stored: Stored, listed: Sequence[Watch]) -> tuple[list[Watch], list[Watch]]:
    """The searches that the subscription is about and that are asked; and what of its watches is paused."""
    asked, paused = [], []
    for watch in listed:
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


def _coming(
    connection: Connection, stored: Stored, watched: Sequence[WatchedRecord], now: datetime
) -> tuple[Coming, ...]:
    versions = versions_of(connection, watched)
    registries = {number: registry for number, (registry, _) in versions.items()}
    dates = outlook.dates_of(connection, PARSERS, registries)
    today = local_day(stored.subscription.digest, now)
    return tuple(
        outlook.in_order(
            one
            for number, (_, record_id) in versions.items()
            for one in outlook.coming(record_id, dates[number], today)
        )
    )


def versions_of(connection: Connection, watched: Sequence[WatchedRecord]) -> dict[int, tuple[str, str]]:
    """The newest version of each record that is there, with its registry and id; two ids may be one record by now."""
    ids: dict[str, list[str]] = {}
    for record in watched:
        ids.setdefault(record.registry, []).append(record.record_id)
    return {
        head.version: (registry, head.registry_id)
        for registry, asked in ids.items()
        for head in archive.heads(connection, registry, asked).values()
        if head.version is not None and head.absent_since is None
    }


def _unseen(connection: Connection, address_id: int) -> tuple[NotSeen, ...]:
    return tuple(
        NotSeen(
            id=one.step.registry_id or one.step.registry,
            summary=one.change.change.summary,
            told_at=one.told_at,
            delivery_id=one.delivery_id,
        )
        for one in acknowledgements.unseen(connection, address_id)
    )


def _silences(
    stored: Stored, watched: Sequence[WatchedRecord], searches: Sequence[Watch], now: datetime
) -> tuple[tuple[str, str], ...]:
    """What of the subscription's rests now: itself, and its watches."""
    resting = {watch.id: watch for record in watched for watch in record.watches} | {each.id: each for each in searches}
    found = [(f"subscription {stored.subscription.name}", stored.subscription.silence.in_words(now))]
    found += [(watch.called, watch.silence.in_words(now)) for watch in resting.values()]
    return tuple((called, words) for called, words in found if words)


def _ended(
    connection: Connection, stored: Stored, watched: Sequence[WatchedRecord], since: datetime
) -> tuple[tuple[str, str], ...]:
    """Whose snooze came to its end since the last digest."""
    mine = {watch.id: watch.called for record in watched for watch in record.watches}
    ended = ended_silences
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
