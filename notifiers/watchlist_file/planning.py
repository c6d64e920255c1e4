"""What applying a watchlist file would do, and what it would leave alone."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import datetime
from itertools import chain
from typing import Literal

import msgspec
from msgspec import Struct
from sqlalchemy import Connection

from notifiers import addresses, names, subscriptions, watches
from notifiers.addresses import Address
from notifiers.conditions import InvalidValue
from notifiers.doubts import impossible, unknown_countries
from notifiers.subscriptions import Selection, Subscription
from notifiers.unwatched import unwatched
from notifiers.watches import Watch, Wish
from notifiers.watchlist_file.contents import AddressTable, Json, Watchlist
from notifiers.watchlist_file.writing import _wish

Verb = Literal["add", "change", "remove"]


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


def plan(connection: Connection, watchlist: Watchlist, now: datetime) -> Plan:
    """What applying the file would add, change and (under pruning) remove. Reads only.

    Raises InvalidValue for a subscription to a saved search that neither the file nor the database has, and for a name
    that another watch has or that cannot be meant.
    """
    known = [watch for watch in watches.listing(connection) if watch.registry == watchlist.registry]
    _check_names(watchlist, known)
    _check_searches(watchlist, known)
    subscribed = [one.subscription for one in subscriptions.listing(connection)]
    for one in watchlist.subscriptions:
        place = f'subscription "{names.shown(one.name)}"'
        _within(place, names.check, one.name, {each.name for each in subscribed})
    steps = [
        *_watch_steps(watchlist, known),
        *_address_steps(watchlist, {one.uri: one for one in addresses.listing(connection, now)}),
        *_subscription_steps(watchlist, subscribed),
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
    return "; ".join(f"{name} {_field(before, name)} → {_field(after, name)}" for name in fields)


def _field(thing: Struct, name: str) -> str:
    value = getattr(thing, name)
    return _shown(tuple(map(addresses.shown, value)) if name == "to" else value)


def _shown(value: Json) -> str:
    if value in (None, (), {}):
        return "none"
    if isinstance(value, str):
        return value
    plain = value.isoformat() if isinstance(value, datetime) else msgspec.to_builtins(value)
    return plain if isinstance(plain, str) else msgspec.json.encode(plain).decode()


def _check_searches(watchlist: Watchlist, known: Sequence[Watch]) -> None:
    searches = {one.name for listed in (known, watchlist.watches) for one in listed if one.search is not None}
    for one in watchlist.subscriptions:
        search = one.watches.search if isinstance(one.watches, Selection) else None
        if search is not None and search not in searches:
            raise InvalidValue(f'subscription "{one.name}".watches.search', f"there is no search named {search!r}")


def _check_names(watchlist: Watchlist, known: Sequence[Watch]) -> None:
    """A name is one watch's: of the file's, or of one that the file does not name and that therefore stays."""
    taken = {wish.name: wish.called for wish in map(_wish, known) if wish.name}
    named = {wish.called for wish in watchlist.watches}
    for wish in watchlist.watches:
        _within(f'watch "{names.shown(wish.called)}"', names.check_watch, wish, taken)
        holder = taken.get(wish.name or "")
        if holder is not None and holder not in named:
            raise InvalidValue(f'watch "{wish.called}".name', f"{wish.name!r} is the name of {holder} already")


def _within(place: str, checker: Callable[..., None], *values: object) -> None:
    try:
        checker(*values)
    except InvalidValue as error:
        raise error.under(place) from None


def _notes(watchlist: Watchlist, known: Sequence[Watch]) -> Iterable[str]:
    """What can be meant and is probably not."""
    groups = {watch.group for watch in known} | {wish.group for wish in watchlist.watches}
    ids = {watch.record_id for watch in known} | {wish.record_id for wish in watchlist.watches}
    searches = {each.name for each in (*map(_wish, known), *watchlist.watches) if each.search is not None}
    for one in watchlist.subscriptions:
        doubtful = (unwatched(one, groups, ids, searches), impossible(one.when), unknown_countries(one.when))
        yield from (f"subscription {one.name!r}: {note}" for note in chain.from_iterable(doubtful))


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
