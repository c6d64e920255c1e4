"""What was planned done, in the caller's transaction."""

from datetime import datetime

from sqlalchemy import Connection

from notifiers import addresses, outbox, subscriptions, watches
from notifiers.watches import Wish
from notifiers.watchlist_file.contents import AddressTable
from notifiers.watchlist_file.planning import Plan, Step


def apply(connection: Connection, planned: Plan, now: datetime, *, prune: bool = False) -> dict[str, str]:
    """Do what was planned, in the caller's transaction. Returns the secrets that were made for web addresses, by URI:
    the only time they are shown.
    """
    secrets: dict[str, str] = {}
    for step in planned.to_do(prune=prune):
        if isinstance(step.thing, Wish):
            _apply_watch(connection, step, step.thing, now)
        elif isinstance(step.thing, AddressTable):
            secrets |= _apply_address(connection, step.thing, now)
        elif step.verb == "remove":
            subscriptions.remove(connection, step.name, now)
        else:
            if step.renames is not None:
                subscriptions.rename(connection, step.renames, step.thing.name)
            secrets |= subscriptions.save(connection, step.thing, now)
    return secrets


def _apply_watch(connection: Connection, step: Step, wish: Wish, now: datetime) -> None:
    known = watches.find(connection, wish)
    mine = [known] if known else []
    if step.verb == "remove":
        watches.remove(connection, wish.registry, mine)
    elif step.verb == "change":
        watches.change(connection, wish, now)
        outbox.call_back(connection, wish.registry, mine, now)
    else:
        watches.add(connection, wish, now)


def _apply_address(connection: Connection, table: AddressTable, now: datetime) -> dict[str, str]:
    _, made = addresses.ensure(connection, table.uri, now, table.secret)
    addresses.set_owner(connection, table.uri, table.owner)
    if table.secret is not None:
        addresses.set_secret(connection, table.uri, table.secret, now)
    return {table.uri: made} if made else {}
