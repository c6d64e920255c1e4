"""What is there written as such a file: applying it changes nothing."""

from collections.abc import Mapping
from datetime import datetime

import msgspec
import tomli_w
from msgspec import Struct
from sqlalchemy import Connection

from notifiers import addresses, subscriptions, watches
from notifiers.addresses import Address
from notifiers.subscriptions import Subscription
from notifiers.watches import Watch, Wish
from notifiers.watchlist_file.contents import AddressTable, Json, Watchlist, WatchTable


def export(connection: Connection, registry: str, now: datetime, *, with_secrets: bool = False) -> str:
    """The watchlist file of what is there: applying it changes nothing. Secrets only where they are asked for: without
    them, addresses that are secrets themselves are masked, and `unmasked` knows them again here and nowhere else.
    """
    known = [watch for watch in watches.listing(connection) if watch.registry == registry]
    listed = [_address_table(one, with_secrets) for one in addresses.listing(connection, now)]
    return written(
        Watchlist(
            registry=registry,
            watches=tuple(map(_wish, known)),
            subscriptions=tuple(_masked(one.subscription, with_secrets) for one in subscriptions.listing(connection)),
            addresses=tuple(one for one in listed if one.owner is not None or one.secret is not None),
        )
    )


def unmasked(connection: Connection, text: str, now: datetime) -> str:
    """The file's text with the addresses in it whole that an export masked and that are known here."""
    for address in addresses.listing(connection, now):
        if address.shown != address.uri:
            text = text.replace(address.shown, address.uri)
    return text


def _masked(subscription: Subscription, with_secrets: bool = False) -> Subscription:
    if with_secrets:
        return subscription
    return msgspec.structs.replace(subscription, to=tuple(map(addresses.shown, subscription.to)))


def shown(subscription: Subscription) -> str:
    """One subscription as it stands in such a file, without secrets."""
    return written(Watchlist(registry="", subscriptions=(_masked(subscription),)))


def written(watchlist: Watchlist) -> str:
    """The file's text; `read` gives the same watchlist again."""
    tables = {
        "watch": [_plain(_watch_table(wish)) for wish in watchlist.watches],
        "address": [_plain(one) for one in watchlist.addresses],
        "subscription": [_plain(one) for one in watchlist.subscriptions],
    }
    return tomli_w.dumps({kind: rows for kind, rows in tables.items() if rows})


def _address_table(address: Address, with_secrets: bool) -> AddressTable:
    secret = address.secrets[0] if with_secrets and address.secrets else None
    uri = address.uri if with_secrets else address.shown
    return AddressTable(uri=uri, owner=address.owner, secret=secret)


def _watch_table(wish: Wish) -> WatchTable:
    return WatchTable(
        id=wish.record_id,
        name=wish.name,
        search=wish.search or None,
        all=wish.search == {},
        group=wish.group,
        note=wish.note,
        paused=wish.paused,
        snooze_until=wish.snooze_until,
        snooze_until_critical=wish.snooze_until_critical,
        silenced_by=wish.silenced_by,
        silence_reason=wish.silence_reason,
    )


def _wish(watch: Watch) -> Wish:
    return Wish(
        registry=watch.registry,
        record_id=watch.record_id,
        search=watch.search,
        name=watch.name,
        group=watch.group,
        note=watch.note,
        paused=watch.paused,
        snooze_until=watch.snooze_until,
        snooze_until_critical=watch.snooze_until_critical,
        silenced_by=watch.silenced_by,
        silence_reason=watch.silence_reason,
    )


def _plain(table: Struct) -> dict[str, Json]:
    # times stay times: TOML has them
    plain = msgspec.to_builtins(table, builtin_types=(datetime,))
    return dict(_without_none(plain))


def _without_none(value: Json) -> Json:
    if isinstance(value, Mapping):
        return {key: _without_none(member) for key, member in value.items() if member is not None}
    return [_without_none(member) for member in value] if isinstance(value, list) else value
