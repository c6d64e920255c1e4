"""What links in messages open, for whoever holds the message: stop it, say it was seen, confirm an address.

Opening one changes nothing: scanners of mail open every link. A button acts, and what it did can be taken back.
"""

from collections.abc import Callable

from sqlalchemy import Connection
from starlette.responses import PlainTextResponse, Response

from monitor.web.doors import Door
from monitor.web.problems import Problem
from monitor.web.visit import Visit
from notifiers import acknowledgements, addresses, confirmations, links, outbox, unsubscribing
from notifiers.links import Purpose
from notifiers.unsubscribing import Reader

QUIET = {"Referrer-Policy": "no-referrer", "Cache-Control": "no-store"}
"""Of pages whose address lets its holder act: it is told to nobody, and kept nowhere."""


# --- unsubscribe ------------------------------------------------------------------------------------------------------


def unsubscribe_page(here: Visit) -> Response:
    """Says what would be stopped, and what else there is."""
    with here.database.read() as connection:
        reader = _reader(connection, here)
    return here.page("unsubscribe.html", headers=QUIET, reader=reader, done=None, path=_path(here))


def unsubscribe(here: Visit) -> Response:
    """Stops, or takes that back. The one-click post of a mail program (RFC 8058) stops what its message came for."""
    one_click = here.form.text("List-Unsubscribe") == "One-Click"
    with here.database.write() as connection:
        reader = _reader(connection, here)
        done = _changed(connection, here, reader, one_click=one_click)
        after = _reader(connection, here)
    if one_click:
        return PlainTextResponse("You are unsubscribed.\n", headers=QUIET)
    return here.page("unsubscribe.html", headers=QUIET, reader=after, done=done, path=_path(here))


def _changed(connection: Connection, here: Visit, reader: Reader, *, one_click: bool) -> str:
    wish = "stop" if one_click else here.form.text("wish")
    if wish == "resume":
        names = unsubscribing.resume(connection, reader, [each.name for each in reader.told])
        return f"You are told of these again: {', '.join(names)}." if names else "Nothing was stopped."
    if wish not in ("stop", "stop-all"):
        raise Problem(400, "What is to be stopped?", "Open the page again and use its button.")
    chosen = reader.named if wish == "stop" else [each.name for each in reader.told]
    names = unsubscribing.stop(connection, reader, chosen, here.now)
    return f"Stopped: {', '.join(names)}. You get no more of it." if names else "It was stopped already."


def _reader(connection: Connection, here: Visit) -> Reader:
    reader = unsubscribing.reader_of(connection, _subject(connection, here, "unsubscribe"))
    if reader is None:
        raise _no_link()
    return reader


# --- acknowledge ------------------------------------------------------------------------------------------------------


def acknowledge_page(here: Visit) -> Response:
    """Shows again what was told, and asks whether it was seen."""
    with here.database.read() as connection:
        return _acknowledge_page(here, connection, _delivery(connection, here))


def acknowledge(here: Visit) -> Response:
    """Notes that it was seen, or takes that back."""
    with here.database.write() as connection:
        delivery_id = _delivery(connection, here)
        if here.form.text("wish") == "withdraw":
            acknowledgements.withdraw(connection, delivery_id)
        else:
            acknowledgements.acknowledge(connection, delivery_id, "the link in the message", here.now)
    with here.database.read() as connection:
        return _acknowledge_page(here, connection, delivery_id)


def _acknowledge_page(here: Visit, connection: Connection, delivery_id: str) -> Response:
    try:
        told = outbox.load(connection, delivery_id, here.now)
    except outbox.UnknownDelivery:
        raise _no_link() from None
    seen = acknowledgements.of_delivery(connection, delivery_id)
    return here.page("acknowledge.html", headers=QUIET, told=told, seen=seen, path=_path(here))


def _delivery(connection: Connection, here: Visit) -> str:
    delivery_id = _subject(connection, here, "acknowledge")
    if unsubscribing.reader_of(connection, delivery_id) is None:
        raise _no_link()
    return delivery_id


# --- confirm ----------------------------------------------------------------------------------------------------------


def confirm_page(here: Visit) -> Response:
    """Asks whether the address wants to be told."""
    with here.database.read() as connection:
        asked = _asked(connection, here)
    return here.page("confirm.html", headers=QUIET, asked=asked, refused=False, path=_path(here))


def confirm(here: Visit) -> Response:
    """Notes what its reader says: yes, or that nothing is ever to be sent there."""
    refused = here.form.text("wish") == "refuse"
    with here.database.write() as connection:
        asked = _asked(connection, here)
        if refused:
            addresses.switch(connection, asked.uri, "off", "its reader does not want these messages", here.now)
        else:
            confirmations.confirm(connection, asked.address_id, "the link in the message", here.now)
            _switch_on_again(connection, asked.uri, here)
        asked = _asked(connection, here)
    return here.page("confirm.html", headers=QUIET, asked=asked, refused=refused, path=_path(here))


def _switch_on_again(connection: Connection, uri: str, here: Visit) -> None:
    address = addresses.find(connection, uri, here.now)
    if address is not None and address.state_reason == "its reader does not want these messages":
        addresses.switch(connection, uri, "on", None, here.now)


def _asked(connection: Connection, here: Visit) -> confirmations.Confirmation:
    subject = _subject(connection, here, "confirm")
    asked = confirmations.find(connection, int(subject)) if subject.isdigit() else None
    if asked is None:
        raise _no_link()
    return asked


# --- all of them ------------------------------------------------------------------------------------------------------


def _subject(connection: Connection, here: Visit, purpose: Purpose) -> str:
    subject = links.verified(connection, purpose, here.params["token"])
    if subject is None:
        raise _no_link()
    return subject


def _no_link() -> Problem:
    return Problem(404, "This link is not complete", "Open it from the message once more, or copy all of it.")


def _path(here: Visit) -> str:
    return here.request.url.path


def _door(purpose: Purpose, get: Callable[[Visit], Response], post: Callable[[Visit], Response]) -> Door:
    return Door(f"/{purpose}/{{token}}", access="link", get=get, post=post, body_limit=64 * 1024)


DOORS = (
    _door("unsubscribe", unsubscribe_page, unsubscribe),
    _door("acknowledge", acknowledge_page, acknowledge),
    _door("confirm", confirm_page, confirm),
)
