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

from notifiers import addresses, outbox, outlook, subscriptions, untold
from notifiers.addresses import Address
from notifiers.calendar import last_due, next_due, quiet_until
from notifiers.digest_coverage import PARSERS, coverage, ground
from notifiers.message import Coverage
from notifiers.outbox import Told, assemble
from notifiers.outbox.rows import Asker, Due, put
from notifiers.subscriptions import Stored
from notifiers.tables import addresses as address_rows
from notifiers.tables import deliveries, subscription_addresses
from notifiers.tables import subscriptions as subscription_rows
from snapshots.database import Database

PREVIEW = "preview"
"""The id of what is not sent."""


class UnknownSubscription(LookupError):  # noqa: N818  # it says what is wrong
    """There is no subscription of that name."""

    def __init__(self, name: str) -> None:
        super().__init__(f"there is no subscription {name!r}")


class _Contents(Struct, frozen=True):
    """What one address is told: the changes, in order, since when, and on what their silence rests."""

    address_id: int
    changes: tuple[int, ...]
    since: datetime
    coverage: Coverage


def enqueue_due(connection: Connection, now: datetime) -> list[str]:
    """Write the digests that are due; the ids of the deliveries. In the caller's transaction.

    Each due time once, whoever asks at the same moment; after a time in which nobody asked, one digest over all of it.
    A paused or snoozed subscription's digest waits for the pause's or snooze's end. One that was given up tells a last
    time what waited for it. Snoozes that are over end here, and summaries of what waited for that are among the ids.
    """
    rows = subscription_rows
    untold.tell_alone(connection)
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
    untold.tell_alone(connection)
    return _enqueue(connection, _found(connection, name), now, now)


def readers(connection: Connection, name: str, now: datetime) -> list[Address]:
    """Whom a digest of the subscription would tell now, in their order. Raises UnknownSubscription."""
    ids = [row.address_id for row in _links(connection, _found(connection, name))]
    found = {row.id: row for row in connection.execute(select(address_rows).where(address_rows.c.id.in_(ids)))}
    return [addresses.from_row(found[each], now) for each in ids]


def preview(connection: Connection, name: str, now: datetime, address_id: int | None = None) -> list[Told]:
    """What a digest of the subscription would tell each of its addresses now, or that one alone. Raises
    UnknownSubscription.
    """
    stored = _found(connection, name)
    found = []
    for contents in _contents(connection, stored, now, address_id):
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
                coverage=contents.coverage,
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
        # the page shows them too, whether or not there is a digest
        numbers = outlook.unread_heads(connection, None if due else at_most)
    return outlook.learn(database, PARSERS, numbers, len(numbers))


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
        facts=_plain(contents.coverage),
        askers=[Asker(stored.id, subscription.name, contents.changes)],
        planned_at=quiet_until(subscription.quiet, now) or now,
    )
    # the same due time a second time (the clock was set back): what was not told is told all the same
    again = replace(delivery, due_key=f"{delivery.due_key}@{now.isoformat()}")
    return put(connection, delivery, now) or (put(connection, again, now) if contents.changes else None)


def _plain(said: Coverage) -> Any:
    # a clock may give a datetime of its own making
    return msgspec.to_builtins(said, enc_hook=lambda moment: moment.isoformat())


# --- what it tells ----------------------------------------------------------------------------------------------------


def _links(connection: Connection, stored: Stored, address_id: int | None = None) -> Sequence[Row[Any]]:
    """The subscription's addresses that are told, in their order, or that one of them."""
    link = subscription_addresses
    mine = select(link).where(link.c.subscription_id == stored.id, link.c.stopped_at.is_(None))
    if address_id is not None:
        mine = mine.where(link.c.address_id == address_id)
    return connection.execute(mine.order_by(link.c.position)).all()


def _contents(connection: Connection, stored: Stored, now: datetime, address_id: int | None = None) -> list[_Contents]:
    on = ground(connection, stored, now)
    found = []
    for row in _links(connection, stored, address_id):
        since = _since(connection, stored, row)
        news = untold.changes(connection, row, now)
        meanwhile = untold.told_meanwhile(connection, row, since)
        said = coverage(connection, on, row.address_id, since, meanwhile, news.waiting)
        found.append(_Contents(row.address_id, news.told, since, said))
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
