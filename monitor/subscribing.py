"""What goes beside keeping a subscription, wherever that is asked: what stays as it was, and what is worth a note."""

from datetime import datetime

from msgspec.structs import replace
from sqlalchemy import Connection

from monitor import wiring
from notifiers import addresses
from notifiers.subscriptions import Subscription
from notifiers.watchlist_file import Watchlist, plan


def at_rest_as(wanted: Subscription, before: Subscription) -> Subscription:
    """What is wanted now, paused or snoozed as it was before."""
    return replace(
        wanted,
        paused=before.paused,
        snooze_until=before.snooze_until,
        snooze_until_critical=before.snooze_until_critical,
        silenced_by=before.silenced_by,
        silence_reason=before.silence_reason,
    )


def notes(connection: Connection, wanted: Subscription, now: datetime) -> tuple[str, ...]:
    """What can be meant and is probably not, as of a watchlist file; and which of its addresses are switched off.
    Raises InvalidValue for a search that is not there.
    """
    found = plan(connection, Watchlist(registry=wiring.REGISTRY, subscriptions=(wanted,)), now).notes
    told = [addresses.find(connection, uri, now) for uri in wanted.to]
    off = [each for each in told if each is not None and each.state == "off"]
    again = f"`trialdelta subscription test {wanted.name}` tries it again"
    return (*found, *(f"{each.shown} is switched off: {each.state_reason}; {again}" for each in off))
