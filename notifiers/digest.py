"""What is due to whom in digests and not yet told: one delivery that holds many changes, or proves that there are none.

What a digest tells was judged when it was observed (`wanted_changes`); what it adds is whether the address was told it
meanwhile, by whatever message. So a digest that was late, snoozed or failed loses nothing: the next one tells it.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import msgspec
from msgspec import Struct
from msgspec.structs import replace
from sqlalchemy import Connection, Row, func, select, update

from notifiers import acknowledgements, addresses, outbox, outlook, subscriptions, untold, watches
from notifiers.calendar import last_due, local_day, next_due, quiet_until
from notifiers.composing import READERS
from notifiers.message import Coming, Coverage, NotSeen
from notifiers.outbox import Told, assemble
from notifiers.outbox.rows import Asker, Due, put
from notifiers.subscriptions import Stored
from notifiers.tables import addresses as address_rows
from notifiers.tables import deliveries, ended_silences, subscription_addresses
from notifiers.tables import subscriptions as subscription_rows
from notifiers.watches import Watch, WatchedRecord
from snapshots import archive
from snapshots.database import Database

PARSERS = {name: reader.parse for name, reader in READERS.items()}

PREVIEW = "preview"
"""The id of what is not sent."""

NOT_ASKED = "not asked for yet"


class UnknownSubscription(LookupError):  # noqa: N818  # it says what is wrong
    """There is no subscription of that name."""

    def __init__(self, name: str) -> None:
        super().__init__(f"there is no subscription {name!r}")


class _Contents(Struct, frozen=True):
    """What one address is told: the changes, in order, and since when; how many other messages told it meanwhile."""

    address_id: int
    changes: tuple[int, ...]
    since: datetime
    told_meanwhile: int = 0


def enqueue_due(connection: Connection, now: datetime) -> list[str]:
    """Write the digests that are due; the ids of the deliveries. In the caller's transaction.

    Each due time once, whoever asks at the same moment; after a time in which nobody asked, one digest over all of it.
    A paused or snoozed subscription's digest waits for the pause's or snooze's end. One that was given up tells a last
    time what waited for it. Snoozes that are over end here, and summaries of what waited for that are among the ids.
    """
    rows = subscription_rows
    written = outbox.wake_due(connection, now)
    _retime(connection, now)
    due = select(rows.c.name).where(rows.c.next_digest_at <= now, rows.c.paused.is_(False))
    for name in connection.execute(due.order_by(rows.c.next_digest_at, rows.c.id)).scalars().all():
        stored = subscriptions.find(connection, name)
        if stored and not stored.subscription.is_snoozed(now) and _take(connection, stored, now):
            is_last = stored.subscription.digest is None
            written += _enqueue(connection, stored, now, _last_due(stored, now), only_news=is_last)
    return written


def send(connection: Connection, name: str, now: datetime) -> list[str]:
    """Write a digest of a subscription now, outside of its times (also where it has none); the ids of the deliveries.

    Raises UnknownSubscription.
    """
    return _enqueue(connection, _found(connection, name), now, now)


def preview(connection: Connection, name: str, now: datetime) -> list[Told]:
    """What a digest of the subscription would tell each of its addresses now. Raises UnknownSubscription."""
    stored = _found(connection, name)
    found = []
    for contents in _contents(connection, stored, now):
        address = select(address_rows).where(address_rows.c.id == contents.address_id)
        found.append(
            assemble(
                connection,
                askers=[Asker(stored.id, name, contents.changes)],
                change_ids=set(contents.changes),
                delivery_id=PREVIEW,
                type="digest",
                created_at=now,
                address=addresses.from_row(connection.execute(address).one(), now),
                coverage=_coverage(connection, stored, contents, now),
            )
        )
    return found


def _found(connection: Connection, name: str) -> Stored:
    stored = subscriptions.find(connection, name)
    if stored is None:
        raise UnknownSubscription(name)
    return stored


def prepare(database: Database, now: datetime, at_most: int = 200) -> int:
    """Read ahead of time what digests say of days to come, in short transactions of their own: all of it where one is
    due, else some of it; how many versions were read.
    """
    rows = subscription_rows
    with database.read() as connection:
        due = connection.execute(select(rows.c.id).where(rows.c.next_digest_at <= now).limit(1)).first()
        is_any = connection.execute(select(rows.c.id).where(rows.c.next_digest_at.is_not(None)).limit(1)).first()
        versions = _versions(connection, watches.records(connection)) if is_any else {}
    numbers = {number: registry for number, (registry, _) in versions.items()}
    return outlook.learn(database, PARSERS, numbers, len(numbers) if due else at_most)


def _retime(connection: Connection, now: datetime) -> None:
    """A clock that was ahead and was set back has planned digests for days that are far off now."""
    rows = subscription_rows
    ahead = rows.c.next_digest_at.is_not(None) & ((rows.c.last_digest_at > now) | (rows.c.created_at > now))
    for name in connection.execute(select(rows.c.name).where(ahead)).scalars().all():
        stored = subscriptions.find(connection, name)
        digest = stored.subscription.digest if stored else None
        if stored and digest and stored.next_digest_at and (sooner := next_due(digest, now)) < stored.next_digest_at:
            connection.execute(update(rows).where(rows.c.id == stored.id).values(next_digest_at=sooner))


def _take(connection: Connection, stored: Stored, now: datetime) -> bool:
    """Move the subscription on to its next digest; whether it was this caller that did."""
    digest = stored.subscription.digest
    following = next_due(digest, now) if digest else None
    rows = subscription_rows
    unmoved = (rows.c.id == stored.id) & (rows.c.next_digest_at == stored.next_digest_at)
    moved = update(rows).where(unmoved).values(next_digest_at=following, last_digest_at=now)
    return connection.execute(moved).rowcount == 1


def _last_due(stored: Stored, now: datetime) -> datetime:
    digest = stored.subscription.digest
    return last_due(digest, now) if digest else now


def _enqueue(
    connection: Connection, stored: Stored, now: datetime, due: datetime, *, only_news: bool = False
) -> list[str]:
    """Written is also the digest that tells nothing, for its silence is a proof; unless `only_news` are wanted."""
    told = [each for each in _contents(connection, stored, now) if each.changes or not only_news]
    written = [_put(connection, stored, contents, now, due) for contents in told]
    return [delivery_id for delivery_id in written if delivery_id]


def _put(connection: Connection, stored: Stored, contents: _Contents, now: datetime, due: datetime) -> str | None:
    subscription = stored.subscription
    delivery = Due(
        type="digest",
        address_id=contents.address_id,
        due_key=f"digest:{stored.id}:{due.isoformat()}",
        thread=f"digest:{stored.id}",
        facts=_plain(_coverage(connection, stored, contents, now)),
        askers=[Asker(stored.id, subscription.name, contents.changes)],
        planned_at=quiet_until(subscription.quiet, now) or now,
    )
    # the same due time a second time (the clock was set back): what was not told is told all the same
    again = replace(delivery, due_key=f"{delivery.due_key}@{now.isoformat()}")
    return put(connection, delivery, now) or (put(connection, again, now) if contents.changes else None)


def _plain(coverage: Coverage) -> Any:
    # a clock may give a datetime of its own making
    return msgspec.to_builtins(coverage, enc_hook=lambda moment: moment.isoformat())


# --- what it tells ----------------------------------------------------------------------------------------------------


def _contents(connection: Connection, stored: Stored, now: datetime) -> list[_Contents]:
    link = subscription_addresses
    mine = select(link).where(link.c.subscription_id == stored.id, link.c.stopped_at.is_(None))
    asleep = untold.asleep(connection, now)
    found = []
    for row in connection.execute(mine.order_by(link.c.position)).all():
        since = _since(connection, stored, row)
        told = untold.told_meanwhile(connection, row, since)
        found.append(_Contents(row.address_id, untold.changes(connection, row, asleep), since, told))
    return found


def _since(connection: Connection, stored: Stored, link: Row[Any]) -> datetime:
    """The last digest that this address was sent, or the one whose place it took; else since when it is told."""
    told = [link.address_id, *(former for former, _ in link.in_place_of or ())]
    last = (
        select(func.max(deliveries.c.created_at))
        .where(deliveries.c.address_id.in_(told), deliveries.c.thread == f"digest:{stored.id}")
        .where(deliveries.c.state.not_in(("failed", "cancelled")))
    )
    began: datetime = max(stored.created_at, link.added_at)
    return connection.execute(last).scalar() or began


# --- what its silence rests on ----------------------------------------------------------------------------------------


def _coverage(connection: Connection, stored: Stored, contents: _Contents, now: datetime) -> Coverage:
    watched = _watched(connection, stored)
    registries = sorted({record.registry for record in watched})
    sweeps = [archive.last_finished(connection, registry) for registry in registries]
    # of several registries the one that was looked through longest ago: no more is proven for all
    finished = [sweep for sweep in sweeps if sweep and sweep.ended_at]
    oldest = (
        min(finished, key=lambda sweep: sweep.ended_at or now) if finished and len(finished) == len(sweeps) else None
    )
    searches = _my_searches(connection, stored)
    unchecked = [*_unchecked(connection, watched), *_unchecked_searches(connection, searches)]
    return Coverage(
        since=contents.since,
        until=now,
        watched=len(watched),
        last_checked=oldest.ended_at if oldest else None,
        release=oldest.release if oldest else None,
        unchecked=tuple((each, reason) for each, reason, _ in unchecked),
        unchecked_since={each: since for each, _, since in unchecked if since},
        told_meanwhile=contents.told_meanwhile,
        coming=_coming(connection, stored, watched, now),
        unseen=_unseen(connection, contents.address_id),
        silences=_silences(stored, watched, searches, now),
        ended=_ended(connection, stored, watched, contents.since),
    )


def _watched(connection: Connection, stored: Stored) -> list[WatchedRecord]:
    selection = stored.subscription.watches
    return [
        record
        for record in watches.records(connection)
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


def _my_searches(connection: Connection, stored: Stored) -> list[Watch]:
    selection = stored.subscription.watches
    return [
        search
        for search in watches.listing(connection)
        if search.search is not None
        and not search.paused
        and subscriptions.selects(selection, (), [search.group] if search.group else [], [search.name or ""])
    ]


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
    versions = _versions(connection, watched)
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


def _versions(connection: Connection, watched: Sequence[WatchedRecord]) -> dict[int, tuple[str, str]]:
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
