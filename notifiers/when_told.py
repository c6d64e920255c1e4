"""When is what a subscription wants told, and what keeps it back: digests, snoozes, quiet hours, limits, addresses."""

from collections.abc import Iterator, Sequence
from datetime import datetime

from sqlalchemy import Connection, select

from notifiers import confirmations
from notifiers.addresses import shown
from notifiers.calendar import Quiet, quiet_until
from notifiers.digest_wording import moment_words
from notifiers.subscriptions import Stored, Timing
from notifiers.tables import addresses, subscription_addresses
from notifiers.watches import Watch


def when_told(
    connection: Connection, asker: Stored, mine: Sequence[Watch], is_at_once: bool, now: datetime
) -> tuple[str, ...]:
    """Sentences about when, as things stand at `now` (aware UTC). `mine` are the watches of the record that the
    subscription is about, `is_at_once` says whether the change does not wait for a digest.
    """
    subscription = asker.subscription
    return (
        *_asleep(asker, mine, now),
        _timing(asker, is_at_once),
        *(_quiet(subscription.quiet, now) if subscription.quiet else ()),
        *(_limit(subscription.max_per_hour) if subscription.max_per_hour and is_at_once else ()),
        *_addresses(connection, asker.id),
    )


def _asleep(asker: Stored, mine: Sequence[Watch], now: datetime) -> Iterator[str]:
    if asker.subscription.is_snoozed(now):
        yield f"the subscription is {asker.subscription.silence.in_words(now)}; what waits is told when that ends"
    if mine and all(watch.is_snoozed(now) for watch in mine):
        for watch in mine:
            yield f"{watch.called} is {watch.silence.in_words(now)}; what waits is told when that ends"


def _timing(asker: Stored, is_at_once: bool) -> str:
    deliver = asker.subscription.deliver
    if not isinstance(deliver, Timing):
        return "at once"
    if is_at_once:
        return f"at once: it is {deliver.immediately} or more severe to this subscription"
    following = f", next on {moment_words(asker.next_digest_at)}" if asker.next_digest_at else ""
    return f"in the {deliver.digest} digest{following}"


def _quiet(quiet: Quiet, now: datetime) -> Iterator[str]:
    until = quiet_until(quiet, now)
    at_present = f"; it is quiet now, until {moment_words(until)}" if until else ""
    yield f"not between {quiet.from_} and {quiet.to} ({quiet.timezone}), but after that{at_present}"


def _limit(limit: int) -> Iterator[str]:
    yield f"of more than {limit} an hour to one address, what is over that comes in one summary an hour later"


def _addresses(connection: Connection, subscription_id: int) -> Iterator[str]:
    """What keeps back whatever is due to its addresses."""
    link = subscription_addresses
    rows = connection.execute(
        select(addresses, link.c.stopped_at)
        .join(link, link.c.address_id == addresses.c.id)
        .where(link.c.subscription_id == subscription_id)
        .order_by(link.c.position)
    )
    for row in rows.all():
        uri = shown(row.uri)
        asked = confirmations.find(connection, row.id)
        if row.stopped_at is not None:
            yield f"not to {uri}: its reader stopped this subscription on {moment_words(row.stopped_at)}"
        elif row.state == "off":
            yield f"to {uri} when it is switched on again; it is off: {row.state_reason or 'by hand'}"
        elif asked is not None and asked.confirmed_at is None:
            yield f"to {uri} when it has confirmed that it wants mails; it was asked, and has not answered"
