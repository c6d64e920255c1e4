"""What the doctor finds about telling people: what waits to be sent and why, and who asks in vain."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from sqlalchemy import Connection, select

from monitor.findings import Finding
from monitor.outstanding import Outstanding
from monitor.presence import Present
from notifiers import scope, subscriptions, watches
from notifiers.doubts import impossible, unknown_countries
from notifiers.subscriptions import Selection
from notifiers.tables import addresses, subscription_addresses
from notifiers.tables import watches as watch_rows
from notifiers.unwatched import unwatched
from snapshots.sentences import counted

LONG_WAIT = timedelta(hours=1)
"""A delivery that has waited for so long is worth a word."""
_RUN = "`trialdelta run` sends; without it, `trialdelta check --deliver` does once"
_LOOK = "`trialdelta deliveries list --state pending` says what was answered"
_RETRY = "`trialdelta deliveries retry ID` tries one again at once"


def mailed(connection: Connection) -> int:
    """How many mail addresses some subscription tells."""
    link = subscription_addresses
    told = select(addresses.c.uri).join(link, link.c.address_id == addresses.c.id).where(link.c.stopped_at.is_(None))
    return len({uri for uri in connection.execute(told).scalars() if uri.startswith("mailto:")})


def waiting(found: Outstanding, daemons: tuple[Present, ...], now: datetime) -> Finding:
    """What is still to be sent. A failure where something is due for long, or at all and nobody is there to send it, or
    was tried in vain for long.
    """
    if not found.open:
        return Finding("deliveries", "ok", "nothing is waiting to be sent")
    words = f"{found.open:,} to be sent{''.join(_parts(found, now))}"
    sends = any("deliver" in each.roles and each.is_there(now) for each in daemons)
    if found.due_since is not None and (now - found.due_since >= LONG_WAIT or not sends):
        return Finding("deliveries", "failure", words, f"{_LOOK}; is the receiver slow?" if sends else _RUN)
    if found.put_off_since is None:
        return Finding("deliveries", "ok", words)
    is_long = now - found.put_off_since >= LONG_WAIT
    advice = f"see what was answered: {_LOOK}; once the cause is put right, {_RETRY}"
    return Finding("deliveries", "failure" if is_long else "note", words, advice)


def _parts(found: Outstanding, now: datetime) -> Iterator[str]:
    if found.due_since is not None:
        yield f", the oldest due {ago(found.due_since, now)}"
    if found.put_off_since is not None and found.next_try is not None:
        since, again = ago(found.put_off_since, now), ahead(found.next_try, now)
        yield f"; {found.put_off:,} tried in vain and put off, the oldest meant to be sent {since}"
        yield f" and answered: {found.last_answer}; the next try is {again}"
    if found.timed and found.next_time is not None:
        verb = "waits for its" if found.timed == 1 else "wait for their"
        yield f"; {found.timed:,} {verb} time, the first comes {ahead(found.next_time, now)}"


def asked_in_vain(connection: Connection) -> Iterator[Finding]:
    """The subscriptions that ask for what nobody watches or what cannot be: they will never tell anything, and nothing
    else says so. Those that ask for a country that may not be one are noted.
    """
    asking = subscriptions.listing(connection)
    chosen = [each.subscription.watches for each in asking if isinstance(each.subscription.watches, Selection)]
    ids = scope.watched(connection, {record_id for selection in chosen for record_id in selection.ids or ()})
    # one of all that is watched says that anything is
    one = select(watch_rows.c.record_id).where(watch_rows.c.record_id.is_not(None)).limit(1)
    ids.update(connection.execute(one).scalars())
    groups, searches = set(watches.groups(connection)), set(watches.search_names(connection))
    for stored in asking:
        asked, name = stored.subscription, stored.subscription.name
        advice = f"`trialdelta subscription show {name}` prints it, `trialdelta subscription add {name} --replace …`"
        for words in (*unwatched(asked, groups, ids, searches), *impossible(asked.when)):
            yield Finding("subscription", "failure", f"{name}: {words}", f"{advice} changes it")
        for words in unknown_countries(asked.when):
            yield Finding("subscription", "note", f"{name}: {words}", f"{advice} changes it")


def ago(moment: datetime, now: datetime) -> str:
    """How long ago that was, in words."""
    words = _long(moment, now)
    return f"{words} ago" if words else "just now"


def ahead(moment: datetime, now: datetime) -> str:
    """In how long that is, in words."""
    words = _long(now, moment)
    return f"in {words}" if words else "in a moment"


def _long(start: datetime, end: datetime) -> str:
    minutes = max(int((end - start).total_seconds() // 60), 0)
    if minutes < 2:
        return ""
    if minutes < 120:
        return counted(minutes, "minute")
    return f"{minutes // 60} hours" if minutes < 48 * 60 else f"{minutes // 1440} days"
