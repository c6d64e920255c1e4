"""From a filled-in form to a subscription that can be meant, or to what is wrong with it, field by field."""

from collections.abc import Mapping
from typing import Any

from msgspec import Struct
from msgspec.structs import replace
from sqlalchemy import Connection

from monitor import subscribing
from monitor.web.subscriptions import filling
from monitor.web.subscriptions.filling import Said
from monitor.web.visit import Visit
from monitor.wiring import PARSE
from notifiers import addresses, subscriptions, template_folders
from notifiers.addresses import allowed_schemes
from notifiers.archive_places import finder
from notifiers.conditions import LISTS, FindPlace, InvalidValue, Place
from notifiers.subscriptions import Stored, Subscription
from snapshots.places import noting

Json = Any


class Read(Struct, frozen=True, kw_only=True):
    """What became of a form: the subscription, None where something is `wrong` (a line per field); `offered` are the
    places that a name may mean; `notes` what can be meant and is probably not.
    """

    said: Said
    wanted: Subscription | None = None
    wrong: dict[str, str] = {}
    offered: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


def read(connection: Connection, here: Visit, before: Stored | None) -> Read:
    """What the form of this request asks for; `before` is what it changes."""
    said = filling.read(here.form)
    offered: list[str] = []
    find = noting(finder(connection, PARSE), offered)
    table: Mapping[str, Json] | None = said.table
    wrong: dict[str, str] = {}
    # what is wrong is left out, and the rest looked at again: a person wants to hear of all of it at once
    while table is not None:
        try:
            wanted = _checked(connection, here, table, before, find)
            notes = subscribing.notes(connection, wanted, here.now, here.settings)
            break
        except InvalidValue as error:
            is_place = bool(offered) and error.key.startswith("when.near")
            problem = f"{said.texts['place']}: which one is meant? Choose below." if is_place else error.problem
            wrong.setdefault(filling.field_of(error.key, said.texts), problem)
            table = filling.without(table, error.key)
    wrong |= said.wrong
    if wrong:
        return Read(said=said, wrong=wrong, offered=tuple(offered))
    return Read(said=_with_point(said, wanted), wanted=wanted, notes=notes)


def _checked(
    connection: Connection, here: Visit, given: Mapping[str, Json], before: Stored | None, find: FindPlace
) -> Subscription:
    table = {**given, "to": addresses.whole(connection, given["to"], here.now)}
    wanted = subscriptions.from_table(table, find)
    wanted = subscribing.at_rest_as(wanted, before.subscription) if before else wanted
    # what is kept already was checked by the rules of its day, and a new name alone asks nothing anew
    if before is None or not _is_same(wanted, before.subscription):
        subscriptions.check(wanted, allowed_schemes(here.settings.allow_private_networks))
        if wanted.templates:
            template_folders.check(wanted.templates)
    known = subscriptions.find(connection, wanted.name)
    if known is not None and (before is None or known.id != before.id):
        raise InvalidValue("name", f"there is a subscription {wanted.name!r} already")
    return wanted


def _is_same(one: Subscription, other: Subscription) -> bool:
    """Whether both ask for the same, whatever they are called."""
    return _in_order(replace(one, name=other.name)) == _in_order(other)


def _in_order(one: Subscription) -> Subscription:
    """With its lists in one order where that says nothing: a form has its own."""
    lists = {name: tuple(sorted(getattr(one.when, name))) for name in LISTS}
    return replace(one, when=replace(one.when, **lists))


def _with_point(said: Said, wanted: Subscription) -> Said:
    """The form with the place as it was found, to be carried along."""
    near = wanted.when.near
    if near is None or not isinstance(near.place, Place):
        return said
    return replace(said, texts={**said.texts, "place": near.place.called, "point": filling.point(near.place)})


def keep(connection: Connection, here: Visit, wanted: Subscription, before: Stored | None) -> dict[str, str]:
    """Keep it, under a new name where that changed; the secrets that were made, to be shown once."""
    if before is not None and before.subscription.name != wanted.name:
        subscriptions.rename(connection, before.subscription.name, wanted.name)
    return subscriptions.save(connection, wanted, here.now)
