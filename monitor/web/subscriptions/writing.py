"""From a filled-in form to a subscription that can be meant, or to what is wrong with it, field by field."""

from msgspec import Struct
from msgspec.structs import replace
from sqlalchemy import Connection

from monitor import subscribing
from monitor.web.subscriptions import filling
from monitor.web.subscriptions.filling import Said
from monitor.web.subscriptions.foresight import PARSE
from monitor.web.visit import Visit
from notifiers import addresses, subscriptions, template_folders
from notifiers.addresses import allowed_schemes
from notifiers.archive_places import finder
from notifiers.conditions import FindPlace, InvalidValue, Place
from notifiers.subscriptions import Stored, Subscription
from snapshots.places import noting


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
    try:
        wanted = _checked(connection, here, said, before, find)
        notes = subscribing.notes(connection, wanted, here.now, here.settings)
    except InvalidValue as error:
        problem = f"{said.texts['place']}: which one is meant? Choose below." if offered else error.problem
        wrong = {filling.field_of(error.key, said.texts): problem, **said.wrong}
        return Read(said=said, wrong=wrong, offered=tuple(offered))
    if said.wrong:
        return Read(said=said, wrong=dict(said.wrong))
    return Read(said=_with_point(said, wanted), wanted=wanted, notes=notes)


def _checked(connection: Connection, here: Visit, said: Said, before: Stored | None, find: FindPlace) -> Subscription:
    table = {**said.table, "to": addresses.whole(connection, said.table["to"], here.now)}
    wanted = subscriptions.from_table(table, find)
    subscriptions.check(wanted, allowed_schemes(here.settings.allow_private_networks))
    if wanted.templates:
        template_folders.check(wanted.templates)
    known = subscriptions.find(connection, wanted.name)
    if known is not None and (before is None or known.id != before.id):
        raise InvalidValue("name", f"there is a subscription {wanted.name!r} already")
    return subscribing.at_rest_as(wanted, before.subscription) if before else wanted


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
