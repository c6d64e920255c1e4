"""The watchlist file: what users own (watches, subscriptions, addresses) declared in TOML, applied and written again.

Applying is idempotent. What the file names becomes what the file says, an absent key its default; what the file does
not name stays, unless pruning is asked for. Addresses are never pruned: the ledger knows them.
"""

import tomllib
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Literal

import msgspec
import tomli_w
from msgspec import Struct
from sqlalchemy import Connection

from notifiers import addresses, outbox, subscriptions, watches
from notifiers.addresses import SCHEMES, Address
from notifiers.conditions import FindPlace, InvalidValue
from notifiers.subscriptions import Selection, Subscription, moment, shaped
from notifiers.unwatched import unwatched
from notifiers.watches import Watch, Wish
from snapshots.places import find_place
from snapshots.registry import Registry

Json = Any
Verb = Literal["add", "change", "remove"]


class WatchTable(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """A `[[watch]]` table: a record's `id`, or a `name` and the registry's own `search` parameters."""

    id: str | None = None
    name: str | None = None
    search: dict[str, str] | None = None
    group: str | None = None
    note: str | None = None
    paused: bool = False
    snooze_until: datetime | None = None
    snooze_until_critical: bool = False
    silenced_by: str | None = None
    silence_reason: str | None = None


class AddressTable(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """An `[[address]]` table: who answers for an address, and the secret of a web address."""

    uri: str
    owner: str | None = None
    secret: str | None = None


class Watchlist(Struct, frozen=True, kw_only=True):
    """A file's contents, checked: each thing once, ids as the registry writes them."""

    registry: str
    watches: tuple[Wish, ...] = ()
    subscriptions: tuple[Subscription, ...] = ()
    addresses: tuple[AddressTable, ...] = ()


class Step(Struct, frozen=True, kw_only=True):
    """One thing to do, and in words what it changes. Nothing to do is no step."""

    verb: Verb
    kind: Literal["watch", "subscription", "address"]
    name: str
    words: str
    thing: Wish | Subscription | AddressTable
    renames: str | None = None


class Plan(Struct, frozen=True):
    """What applying a file would do, in order. Removals are done only where pruning is asked for."""

    steps: tuple[Step, ...]
    notes: tuple[str, ...] = ()

    def to_do(self, *, prune: bool) -> tuple[Step, ...]:
        """The steps that are done, with and without pruning. Under pruning, a subscription that goes and one that comes
        and asks the same for the same addresses are one that is called otherwise.
        """
        if not prune:
            return tuple(step for step in self.steps if step.verb != "remove")
        renamed = _renamed(self.steps)
        gone = {former for former, _ in renamed.values()}
        return tuple(
            msgspec.structs.replace(step, verb="change", words=renamed[step.name][1], renames=renamed[step.name][0])
            if _is_new(step) and step.name in renamed
            else step
            for step in self.steps
            if not (_is_gone(step) and step.name in gone)
        )


# --- reading ----------------------------------------------------------------------------------------------------------


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
    if (read_table.id is None) == (read_table.search is None):
        raise InvalidValue("", "a watch has either an id or a search")
    if read_table.search is not None and not read_table.name:
        raise InvalidValue("name", "is missing: a search needs one")
    return Wish(
        registry=registry.name,
        record_id=None if read_table.id is None else _normal("id", read_table.id, registry),
        search=read_table.search,
        name=read_table.name,
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


# --- planning ---------------------------------------------------------------------------------------------------------


def plan(connection: Connection, watchlist: Watchlist, now: datetime) -> Plan:
    """What applying the file would add, change and (under pruning) remove. Reads only.

    Raises InvalidValue for a subscription to a saved search that neither the file nor the database has, and for a name
    that another watch has.
    """
    known = [watch for watch in watches.listing(connection) if watch.registry == watchlist.registry]
    _check_names(watchlist, known)
    _check_searches(watchlist, known)
    steps = [
        *_watch_steps(watchlist, known),
        *_address_steps(watchlist, {one.uri: one for one in addresses.listing(connection, now)}),
        *_subscription_steps(watchlist, [one.subscription for one in subscriptions.listing(connection)]),
    ]
    return Plan(tuple(steps), tuple(_notes(watchlist, known)))


def _watch_steps(watchlist: Watchlist, known: Sequence[Watch]) -> Iterable[Step]:
    before = {wish.called: wish for wish in map(_wish, known)}
    for wish in watchlist.watches:
        words = _differences(before.get(wish.called), wish)
        if words is not None:
            yield Step(verb=_verb(before, wish.called), kind="watch", name=wish.called, words=words, thing=wish)
    named = {wish.called for wish in watchlist.watches}
    for called, wish in before.items():
        if called not in named:
            yield Step(verb="remove", kind="watch", name=called, words="its history stays", thing=wish)


def _subscription_steps(watchlist: Watchlist, known: Sequence[Subscription]) -> Iterable[Step]:
    before = {one.name: one for one in known}
    for one in watchlist.subscriptions:
        words = _differences(before.get(one.name), one)
        if words is not None:
            yield Step(verb=_verb(before, one.name), kind="subscription", name=one.name, words=words, thing=one)
    named = {one.name for one in watchlist.subscriptions}
    for name, one in before.items():
        if name not in named:
            words = "what it told stays in the ledger"
            yield Step(verb="remove", kind="subscription", name=name, words=words, thing=one)


def _address_steps(watchlist: Watchlist, known: Mapping[str, Address]) -> Iterable[Step]:
    for one in watchlist.addresses:
        before = known.get(one.uri)
        words = [] if before else ["new"]
        if one.owner != (before.owner if before else None):
            words.append(f"owner {_shown(before.owner if before else None)} → {_shown(one.owner)}")
        if one.secret is not None and one.secret != (before.secrets[0] if before and before.secrets else None):
            words.append("another secret")
        if words:
            verb: Verb = "change" if before else "add"
            yield Step(verb=verb, kind="address", name=one.uri, words="; ".join(words), thing=one)


def _verb(before: Collection[str], name: str) -> Verb:
    return "change" if name in before else "add"


def _differences(before: Struct | None, after: Struct) -> str | None:
    """What differs, field by field, in words; None where nothing does."""
    if before == after:
        return None
    if before is None:
        return "new"
    fields = [name for name in after.__struct_fields__ if getattr(before, name) != getattr(after, name)]
    return "; ".join(f"{name} {_shown(getattr(before, name))} → {_shown(getattr(after, name))}" for name in fields)


def _shown(value: Json) -> str:
    if value in (None, (), {}):
        return "none"
    if isinstance(value, str):
        return value
    plain = value.isoformat() if isinstance(value, datetime) else msgspec.to_builtins(value)
    return plain if isinstance(plain, str) else msgspec.json.encode(plain).decode()


def _check_searches(watchlist: Watchlist, known: Sequence[Watch]) -> None:
    searches = {watch.name for watch in known if watch.search} | {one.name for one in watchlist.watches if one.search}
    for one in watchlist.subscriptions:
        search = one.watches.search if isinstance(one.watches, Selection) else None
        if search is not None and search not in searches:
            raise InvalidValue(f'subscription "{one.name}".watches.search', f"there is no search named {search!r}")


def _check_names(watchlist: Watchlist, known: Sequence[Watch]) -> None:
    """A name is one watch's: of the file's, or of one that the file does not name and that therefore stays."""
    taken = {wish.name: wish.called for wish in map(_wish, known) if wish.name}
    named = {wish.called for wish in watchlist.watches}
    for wish in watchlist.watches:
        holder = taken.get(wish.name or "")
        if holder is not None and holder not in named:
            raise InvalidValue(f'watch "{wish.called}".name', f"{wish.name!r} is the name of {holder} already")


def _notes(watchlist: Watchlist, known: Sequence[Watch]) -> Iterable[str]:
    """What can be meant and is probably not."""
    groups = {watch.group for watch in known} | {wish.group for wish in watchlist.watches}
    ids = {watch.record_id for watch in known} | {wish.record_id for wish in watchlist.watches}
    searches = sum(watch.search is not None for watch in known)
    searches += sum(wish.search is not None for wish in watchlist.watches)
    for one in watchlist.subscriptions:
        yield from (f"subscription {one.name!r}: {note}" for note in unwatched(one, groups, ids, searches))


def _is_new(step: Step) -> bool:
    return step.kind == "subscription" and step.verb == "add"


def _is_gone(step: Step) -> bool:
    return step.kind == "subscription" and step.verb == "remove"


def _renamed(steps: Iterable[Step]) -> dict[str, tuple[str, str]]:
    """By its new name the former name of each subscription that is only called otherwise, and what it changes."""
    listed = list(steps)
    gone = [step.thing for step in listed if _is_gone(step) and isinstance(step.thing, Subscription)]
    found: dict[str, tuple[str, str]] = {}
    for step in listed:
        new = step.thing
        if not _is_new(step) or not isinstance(new, Subscription):
            continue
        former = next((one for one in gone if _asks(one) == _asks(new)), None)
        if former is not None:
            gone.remove(former)
            found[new.name] = former.name, _differences(former, new) or ""
    return found


def _asks(one: Subscription) -> tuple[object, ...]:
    return set(one.to), one.watches, one.when


# --- applying ---------------------------------------------------------------------------------------------------------


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
    if step.verb == "remove":
        watches.remove(connection, wish.registry, [wish.record_id or wish.name or ""])
    elif step.verb == "change":
        watches.change(connection, wish, now)
        outbox.call_back(connection, wish.registry, [wish.record_id or wish.name or ""], now)
    else:
        watches.add(connection, wish, now)


def _apply_address(connection: Connection, table: AddressTable, now: datetime) -> dict[str, str]:
    _, made = addresses.ensure(connection, table.uri, now, table.secret)
    addresses.set_owner(connection, table.uri, table.owner)
    if table.secret is not None:
        addresses.set_secret(connection, table.uri, table.secret, now)
    return {table.uri: made} if made else {}


# --- writing ----------------------------------------------------------------------------------------------------------


def export(connection: Connection, registry: str, now: datetime, *, with_secrets: bool = False) -> str:
    """The watchlist file of what is there: applying it changes nothing. Secrets only where they are asked for."""
    known = [watch for watch in watches.listing(connection) if watch.registry == registry]
    listed = [_address_table(one, with_secrets) for one in addresses.listing(connection, now)]
    return written(
        Watchlist(
            registry=registry,
            watches=tuple(map(_wish, known)),
            subscriptions=tuple(one.subscription for one in subscriptions.listing(connection)),
            addresses=tuple(one for one in listed if one.owner is not None or one.secret is not None),
        )
    )


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
    return AddressTable(uri=address.uri, owner=address.owner, secret=secret)


def _watch_table(wish: Wish) -> WatchTable:
    return WatchTable(
        id=wish.record_id,
        name=wish.name,
        search=wish.search,
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
