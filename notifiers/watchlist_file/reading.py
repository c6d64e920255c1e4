"""The text of a watchlist file read and checked; whatever is wrong is named with its place."""

import tomllib
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

import msgspec

from notifiers import addresses, subscriptions
from notifiers.addresses import SCHEMES
from notifiers.conditions import FindPlace, InvalidValue
from notifiers.subscriptions import Selection, Subscription, moment, shaped
from notifiers.watches import EVERYTHING, Wish
from notifiers.watchlist_file.contents import AddressTable, Json, Watchlist, WatchTable
from snapshots.places import find_place
from snapshots.registry import Registry


def read(text: str, registry: Registry, schemes: Collection[str] = SCHEMES, find: FindPlace = find_place) -> Watchlist:
    """The watchlist in a file's text. Raises InvalidValue: one line that names the table, the key and the value."""
    try:
        file = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise InvalidValue("", f"this is not TOML: {error}") from None
    for key in file:
        if key not in ("watch", "subscription", "address"):
            raise InvalidValue(key, "unknown key; a watchlist has [[watch]], [[subscription]] and [[address]] tables")
    watchlist = Watchlist(
        registry=registry.name,
        watches=_tables(file, "watch", lambda table: _read_watch(table, registry)),
        subscriptions=_tables(file, "subscription", lambda table: _read_subscription(table, registry, schemes, find)),
        addresses=_tables(file, "address", lambda table: _read_address(table, schemes)),
    )
    _check_once("watch", [wish.called for wish in watchlist.watches])
    _check_once("watch", [wish.name for wish in watchlist.watches if wish.name])
    _check_once("subscription", [one.name for one in watchlist.subscriptions])
    _check_once("address", [one.uri for one in watchlist.addresses])
    return watchlist


def _tables(file: Mapping[str, Json], kind: str, read_one: Callable[[Mapping[str, Json]], Any]) -> tuple[Any, ...]:
    tables = file.get(kind, [])
    if not isinstance(tables, list):
        raise InvalidValue(kind, f"is written [[{kind}]], once for each")
    return tuple(_within(_place(kind, at, table), read_one, table) for at, table in enumerate(tables, start=1))


def _place(kind: str, at: int, table: Json) -> str:
    names = (table.get(key) for key in ("name", "id", "uri")) if isinstance(table, Mapping) else ()
    name = next((addresses.quoted(name) for name in names if isinstance(name, str)), None)
    return f'{kind}[{at}] "{name}"' if name else f"{kind}[{at}]"


def _within(place: str, read_one: Callable[..., Any], *values: object) -> Any:
    try:
        return read_one(*values)
    except InvalidValue as error:
        raise error.under(place) from None


def _read_watch(table: Mapping[str, Json], registry: Registry) -> Wish:
    plain = dict(table)
    if "snooze_until" in plain:
        plain["snooze_until"] = moment("snooze_until", plain["snooze_until"])
    read_table = shaped(plain, WatchTable)
    if [read_table.id is not None, read_table.search is not None, read_table.all].count(True) != 1:
        raise InvalidValue("", "a watch has either an id or a search, or all = true")
    if read_table.search is not None and not read_table.name:
        raise InvalidValue("name", "is missing: a search needs one")
    if read_table.search == {}:
        raise InvalidValue("search", "has no parameter; every record of the registry is written all = true")
    return Wish(
        registry=registry.name,
        record_id=None if read_table.id is None else _normal("id", read_table.id, registry),
        search={} if read_table.all else read_table.search,
        name=read_table.name or (EVERYTHING if read_table.all else None),
        group=read_table.group,
        note=read_table.note,
        paused=read_table.paused,
        snooze_until=read_table.snooze_until,
        snooze_until_critical=read_table.snooze_until_critical,
        silenced_by=read_table.silenced_by,
        silence_reason=read_table.silence_reason,
    )


def _read_subscription(
    table: Mapping[str, Json], registry: Registry, schemes: Collection[str], find: FindPlace
) -> Subscription:
    subscription = subscriptions.from_table(table, find)
    subscriptions.check(subscription, schemes)
    selection = subscription.watches
    if isinstance(selection, Selection) and selection.ids is not None:
        ids = tuple(dict.fromkeys(_normal("watches.ids", text, registry) for text in selection.ids))
        subscription = msgspec.structs.replace(subscription, watches=Selection(ids=ids))
    return subscription


def _read_address(table: Mapping[str, Json], schemes: Collection[str]) -> AddressTable:
    given = shaped(table, AddressTable)
    address = msgspec.structs.replace(given, uri=addresses.canonical(given.uri))
    _within("uri", addresses.check_uri, address.uri, schemes)
    if address.secret is not None:
        addresses.check_secret(address.secret)
    return address


def _normal(key: str, text: str, registry: Registry) -> str:
    try:
        return registry.normalise_id(text)
    except ValueError as error:
        raise InvalidValue(key, str(error)) from None


def _check_once(kind: str, names: Sequence[str]) -> None:
    for at, name in enumerate(names):
        if name in names[:at]:
            raise InvalidValue(kind, f"{name} is there twice")
