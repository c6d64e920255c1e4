"""The places that are told: which answer, which do not, who answers for each, and the secrets that sign."""

from datetime import timedelta

from sqlalchemy import Connection
from starlette.responses import Response

from monitor.lengths import too_long
from monitor.web.authors import author
from monitor.web.doors import Door
from monitor.web.forms import Lines
from monitor.web.numbers import row_number
from monitor.web.problems import Problem
from monitor.web.rendering import shown_address
from monitor.web.visit import Visit
from notifiers import addresses, confirmations, ledger, subscriptions
from notifiers.addresses import Address

MOST_HOURS = 24 * 30


def listing(here: Visit) -> Response:
    """All of them, those in trouble first."""
    with here.database.read() as connection:
        found = addresses.listing(connection, here.now)
        unconfirmed = {each.uri: each for each in confirmations.waiting(connection)}
        waiting = ledger.waiting(connection)
    ordered = sorted(found, key=lambda one: (one.state == "on", one.uri not in unconfirmed, one.shown))
    return here.page("addresses.html", found=ordered, unconfirmed=unconfirmed, waiting=waiting)


def show(here: Visit) -> Response:
    """One of them, and what can be done about it."""
    return _page(here)


def _page(here: Visit, **wrong: str) -> Response:
    with here.database.read() as connection:
        address = _found(connection, here)
        asked = confirmations.find(connection, address.id)
        told_by = [each for each in subscriptions.listing(connection) if address.uri in each.subscription.to]
        waiting = ledger.waiting(connection).get(address.id, 0)
    return here.page(
        "address.html",
        422 if wrong else 200,
        address=address,
        asked=asked,
        told_by=told_by,
        waiting=waiting,
        wrong=Lines(wrong),
        typed=here.form.values() if wrong else {},
    )


def switch(here: Visit) -> Response:
    """On or off, and why."""
    state = "on" if here.form.text("state") == "on" else "off"
    said = {"reason": here.form.text("reason")}
    if too_long(said):
        return _page(here, **too_long(said))
    reason = None if state == "on" else said["reason"] or "switched off by hand"
    with here.database.write() as connection:
        address = _found(connection, here)
        addresses.switch(connection, address.uri, state, reason, here.now)  # type: ignore[arg-type]  # one of the two
    words = "what waited for it is sent now" if state == "on" else "what is due to it waits until it is on again"
    return here.redirect(_path(address), flash=f"{shown_address(address.uri)} is {state}: {words}.")


def set_owner(here: Visit) -> Response:
    """Who answers for it."""
    owner = here.form.text("owner")
    wrong = too_long({"owner": owner})
    if wrong:
        return _page(here, **wrong)
    with here.database.write() as connection:
        address = _found(connection, here)
        addresses.set_owner(connection, address.uri, owner or None)
    return here.redirect(_path(address), flash=f"{owner or 'Nobody'} answers for {shown_address(address.uri)}.")


def rotate(here: Visit) -> Response:
    """A new secret, shown this once; the former one signs beside it for some hours."""
    hours = _hours(here.form.text("hours", "24"))
    if hours is None:
        return _page(here, hours=f"{here.form.text('hours')!r} is no number of hours from 0 to {MOST_HOURS}.")
    with here.database.write() as connection:
        address = _found(connection, here)
        if not address.signs:
            raise Problem(409, "It has no secret", "Only what is posted to web addresses is signed.")
        if len(address.secrets) > 1 and not here.form.flag("force"):
            return _page(here, hours="Its secrets change already: two sign now. Tick the box to drop the older one.")
        secret = addresses.rotate(connection, address.uri, here.now, timedelta(hours=hours))
    until = here.now + timedelta(hours=hours) if hours else None
    return here.page(
        "secret.html",
        headers={"Cache-Control": "no-store"},
        address=address,
        secret=secret,
        until=until,
        path=_path(address),
    )


def confirm(here: Visit) -> Response:
    """Count it as confirmed for its reader, or ask it once more."""
    with here.database.write() as connection:
        address = _found(connection, here)
        if here.form.text("wish") == "ask":
            is_asked = confirmations.ask(connection, address.id, here.now)
            words = "is asked once more" if is_asked else "needs no confirmation"
        else:
            is_new = confirmations.confirm(connection, address.id, author(here), here.now)
            words = "counts as confirmed" if is_new else "needs no confirmation"
    return here.redirect(_path(address), flash=f"{shown_address(address.uri)} {words}.")


def forget(here: Visit) -> Response:
    """Remove one that nobody is told at and nothing was ever due to."""
    with here.database.write() as connection:
        address = _found(connection, here)
        gone = addresses.forget(connection, address.uri)
    if gone:
        return here.redirect("/addresses", flash=f"{shown_address(address.uri)} is forgotten.")
    return here.redirect(_path(address), flash="It stays: a subscription tells it, or the ledger names it.")


def _hours(text: str) -> float | None:
    try:
        hours = float(text)
    except ValueError:
        return None
    return hours if 0 <= hours <= MOST_HOURS else None


def _found(connection: Connection, here: Visit) -> Address:
    text = here.params["number"]
    number = row_number(text) or 0
    address = addresses.with_id(connection, number, here.now)
    if address is None:
        way = ("/addresses", "All addresses")
        raise Problem(404, "There is no such address", "The list of addresses shows those there are.", ways=(way,))
    return address


def _path(address: Address) -> str:
    return f"/addresses/{address.id}"


DOORS = (
    Door("/addresses", access="signed-in", get=listing),
    Door("/addresses/{number}", access="signed-in", get=show),
    Door("/addresses/{number}/switch", access="signed-in", post=switch),
    Door("/addresses/{number}/owner", access="signed-in", post=set_owner),
    Door("/addresses/{number}/secret", access="signed-in", post=rotate),
    Door("/addresses/{number}/confirmation", access="signed-in", post=confirm),
    Door("/addresses/{number}/forget", access="signed-in", post=forget),
)
