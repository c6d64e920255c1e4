"""The places that are told: listed, switched on and off, their secrets replaced, their confirmation asked for."""

from datetime import timedelta
from typing import Any

from msgspec import UNSET
from sqlalchemy import Connection

from monitor.shown.addresses import addresses_json
from monitor.web.api import shapes
from monitor.web.api.asking import list_of, not_there
from monitor.web.api.operations import Call, Number, Operation, Param
from monitor.web.authors import author
from monitor.web.problems import Problem
from notifiers import addresses, confirmations
from notifiers.addresses import Address
from snapshots.archive import rfc3339

Json = Any
_GROUP = "Addresses"


def _listing(call: Call) -> Json:
    with call.here.database.read() as connection:
        return {"items": addresses_json(connection, addresses.listing(connection, call.here.now))}


def _found(connection: Connection, call: Call) -> Address:
    found = addresses.with_id(connection, call.asked["id"], call.here.now)
    if found is None:
        raise not_there("address", call.asked["id"], "addresses")
    return found


def _show(call: Call) -> Json:
    with call.here.database.read() as connection:
        return addresses_json(connection, [_found(connection, call)])[0]


def _change(call: Call) -> Json:
    given: shapes.AddressWords = call.sent
    with call.here.database.write() as connection:
        uri = _found(connection, call).uri
        if given.state is not None:
            reason = given.reason if given.state == "off" else None
            addresses.switch(connection, uri, given.state, reason, call.here.now)
        if given.owner is not UNSET:
            addresses.set_owner(connection, uri, given.owner)
    return _show(call)


def _rotate(call: Call) -> Json:
    given: shapes.Rotating = call.sent
    with call.here.database.write() as connection:
        found = _found(connection, call)
        if not found.signs:
            raise Problem(409, f"{found.shown} has no secret", "Only what is posted to web addresses is signed.")
        if len(found.secrets) > 1 and not given.force:
            raise Problem(409, f"{found.shown} changes secrets already", "Two sign now; force drops the older one.")
        beside = timedelta(hours=given.hours)
        secret = addresses.rotate(connection, found.uri, call.here.now, beside)
    return {"secret": secret, "until": rfc3339(call.here.now + beside) if given.hours else None}


def _confirm(call: Call) -> Json:
    with call.here.database.write() as connection:
        confirmations.confirm(connection, _found(connection, call).id, author(call.here), call.here.now)
    return _show(call)


def _ask(call: Call) -> Json:
    with call.here.database.write() as connection:
        asked = confirmations.ask(connection, _found(connection, call).id, call.here.now)
    return {"deliveries": [asked] if asked else []}


def _forget(call: Call) -> None:
    with call.here.database.write() as connection:
        found = _found(connection, call)
        if not addresses.forget(connection, found.uri):
            raise Problem(409, f"{found.shown} stays", "A subscription tells it, or the ledger names it.")


ID = Param(name="id", type=Number, words="The number of the address.")


def _one(method: Any, path: str, name: str, words: str, handler: Any, **more: Any) -> Operation:
    more.setdefault("problems", (404,))
    return Operation(
        method=method, path=f"/addresses/{{id}}{path}", name=name, group=_GROUP, words=words, handler=handler,
        in_path=(ID,), **more,
    )  # fmt: skip


OPERATIONS = (
    Operation(
        method="GET", path="/addresses", name="listAddresses", group=_GROUP, handler=_listing,
        words="All addresses: on or off and why, and when each last took a message.", answer=list_of(shapes.Address),
    ),
    _one("GET", "", "showAddress", "One address.", _show, answer=shapes.Address),
    _one(
        "PATCH", "", "changeAddress", "Switch it on or off, or note who answers for it.", _change,
        body=shapes.AddressWords, answer=shapes.Address,
    ),
    _one(
        "POST", "/rotate", "rotateSecret", "A new secret; the former one signs beside it for a while.", _rotate,
        body=shapes.Rotating, answer=shapes.Secret, problems=(404, 409),
    ),
    _one(
        "POST", "/confirm", "confirmAddress", "Note that a new mail address wants to be told.", _confirm,
        answer=shapes.Address,
    ),
    _one("POST", "/ask", "askAddress", "Ask a new mail address once more whether it wants mails.", _ask,
         answer=shapes.Queued),
    _one("DELETE", "", "forgetAddress", "Remove one that nobody is told at and nothing was ever due to.", _forget,
         status=204, problems=(404, 409)),
)  # fmt: skip
