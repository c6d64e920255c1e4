"""From a filled-in form to a subscription that can be meant, or to what is wrong with it, field by field."""

from collections.abc import Mapping
from typing import Any

from msgspec import Struct
from msgspec.structs import replace
from sqlalchemy import Connection

from monitor import subscribing
from monitor.web.subscriptions import faults, filling
from monitor.web.subscriptions.filling import Said
from monitor.web.visit import Visit
from monitor.wiring import PARSE
from notifiers import addresses, subscriptions, template_folders
from notifiers.addresses import allowed_schemes
from notifiers.archive_places import finder
from notifiers.conditions import LISTS, FindPlace, InvalidValue, Place
from notifiers.subscriptions import Stored, Subscription
from snapshots.places import City, UnclearPlace

Json = Any


class Read(Struct, frozen=True, kw_only=True):
    """What became of a form: the subscription, None where something is `wrong` (sentences per field, in the form's
    order); `offered` are the places that a name may mean, or (`offers_alike`) whose names are like it; `notes` what can
    be meant and is probably not.
    """

    said: Said
    wanted: Subscription | None = None
    wrong: dict[str, str] = {}
    offered: tuple[str, ...] = ()
    offers_alike: bool = False
    notes: tuple[str, ...] = ()


def read(connection: Connection, here: Visit, before: Stored | None) -> Read:
    """What the form of this request asks for; `before` is what it changes."""
    said = filling.read(here.form)
    unclear: list[UnclearPlace] = []
    find = _noting(finder(connection, PARSE), unclear)
    table: Mapping[str, Json] | None = said.table
    wrong: dict[str, str] = {}
    # what is wrong gives way, and the rest is looked at again: a person wants to hear of all of it at once
    while table is not None:
        try:
            wanted = _checked(connection, here, table, before, find)
            notes = subscribing.notes(connection, wanted, here.now, here.settings)
            break
        except InvalidValue as error:
            table, problems = faults.without(table, error, lambda given: _meant(connection, here, given, before, find))
            if unclear and error.key == "when.near.place":
                problems = [_place_words(unclear[0])]
            for problem in problems:
                filling.note(wrong, filling.field_of(error.key, said.texts), problem)
    wrong |= said.wrong
    if wrong:
        offered, alike = (unclear[0].candidates, not unclear[0].is_known) if unclear else ((), False)
        return Read(said=said, wrong=filling.in_order(wrong), offered=offered, offers_alike=alike)
    own = f"subscription {wanted.name!r}: "
    return Read(said=_with_point(said, wanted), wanted=wanted, notes=tuple(each.removeprefix(own) for each in notes))


def _noting(find: FindPlace, unclear: list[UnclearPlace]) -> FindPlace:
    def asked(text: str) -> City:
        try:
            return find(text)
        except UnclearPlace as error:
            unclear.append(error)
            raise

    return asked


def _place_words(unclear: UnclearPlace) -> str:
    """What is wrong with a name of a place, whose candidates are listed below."""
    if not unclear.candidates:
        return str(unclear)
    if unclear.is_known:
        return f"{unclear.problem.removesuffix('which one?')}which one is meant? Choose below."
    return f"{unclear.problem}. Names like it stand below."


def _meant(
    connection: Connection, here: Visit, given: Mapping[str, Json], before: Stored | None, find: FindPlace
) -> Subscription:
    """The subscription, as far as it can be looked at by itself. Raises InvalidValue."""
    table = {**given, "to": addresses.whole(connection, given["to"], here.now)}
    wanted = subscriptions.from_table(table, find)
    wanted = subscribing.at_rest_as(wanted, before.subscription) if before else wanted
    # what is kept already was checked by the rules of its day, and a new name alone asks nothing anew
    if before is None or not _is_same(wanted, before.subscription):
        subscriptions.check(wanted, allowed_schemes(here.settings.allow_private_networks))
    return wanted


def _checked(
    connection: Connection, here: Visit, given: Mapping[str, Json], before: Stored | None, find: FindPlace
) -> Subscription:
    wanted = _meant(connection, here, given, before, find)
    if wanted.templates and (before is None or not _is_same(wanted, before.subscription)):
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
