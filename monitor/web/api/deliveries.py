"""Who was told what, when and with what answer; trying again; and what nobody has seen yet."""

from datetime import datetime
from typing import Annotated, Any

from msgspec import Meta
from msgspec.structs import replace
from sqlalchemy import Connection

from monitor.shown.deliveries import entry_json, message_json, unseen_json, whole_json
from monitor.web import cursor
from monitor.web.api import shapes
from monitor.web.api.asking import RowNumber, after, cut, not_there, page_of, record_id
from monitor.web.api.operations import Call, Operation, Param, Word, cursor_params, moment
from monitor.web.authors import author
from monitor.web.messages import message_for
from monitor.web.problems import Problem
from monitor.wiring import REGISTRY
from notifiers import acknowledgements, addresses, ledger, outbox
from notifiers.composing import templates_of
from notifiers.ledger import Entry
from notifiers.message import Type

Json = Any
_GROUP = "Deliveries"
DeliveryId = Annotated[str, Meta(max_length=200)]


def _listing(call: Call) -> Json:
    asked = call.asked
    begin = after(call, RowNumber)
    wanted = ledger.Asked(
        state=asked["state"],
        type=asked["type"],
        since=asked["since"],
        change=asked["change"],
        record=(REGISTRY, record_id(asked["record"])) if asked["record"] else None,
        before=begin[0] if begin else None,
    )
    with call.here.database.read() as connection:
        wanted = replace(wanted, address=_address(connection, call))
        found = ledger.found(connection, wanted, asked["limit"] + 1)
    page, last = cut(found, asked["limit"])
    return {"items": [entry_json(each) for each in page], "next": cursor.encode(last.number) if last else None}


def _found(connection: Connection, call: Call) -> Entry:
    entry = ledger.show(connection, ledger.delivery_id(call.asked["id"]))
    if entry is None:
        raise not_there("delivery", call.asked["id"], "deliveries")
    return entry


def _show(call: Call) -> Json:
    with call.here.database.read() as connection:
        entry = _found(connection, call)
        return whole_json(entry, outbox.load(connection, entry.delivery_id, call.here.now).steps)


def _message(call: Call) -> Json:
    with call.here.database.read() as connection:
        entry = _found(connection, call)
        told = outbox.load(connection, entry.delivery_id, call.here.now)
        message = message_for(call.here, connection, told)
    return {"to": entry.uri, **message_json(message, templates_of(told))}


def _retry(call: Call) -> Json:
    with call.here.database.write() as connection:
        outbox.retry(connection, _found(connection, call).delivery_id, call.here.now)
    return _show(call)


def _replay(call: Call) -> Json:
    since = moment(call.sent.since, "since")
    with call.here.database.write() as connection:
        return {"deliveries": outbox.replay(connection, since, call.here.now, _uri(connection, call, call.sent.to))}


def _replayable(call: Call) -> Json:
    since = moment(call.sent.since, "since")
    with call.here.database.read() as connection:
        return {"deliveries": outbox.replayable(connection, since, _uri(connection, call, call.sent.to))}


def _acknowledge(call: Call) -> Json:
    with call.here.database.write() as connection:
        entry = _found(connection, call)
        acknowledgements.acknowledge(connection, entry.delivery_id, call.sent.by or author(call.here), call.here.now)
    return _show(call)


def _withdraw(call: Call) -> Json:
    with call.here.database.write() as connection:
        acknowledgements.withdraw(connection, _found(connection, call).delivery_id)
    return _show(call)


def _cancel(call: Call) -> Json:
    with call.here.database.write() as connection:
        entry = _found(connection, call)
        if not outbox.cancel(connection, entry.delivery_id, f"called off by {author(call.here)}", call.here.now):
            raise Problem(409, f"{entry.delivery_id} is {entry.state}", "Only what is still to be sent is called off.")
    return _show(call)


def _unseen(call: Call) -> Json:
    begin = after(call, RowNumber, RowNumber)
    limit = call.asked["limit"]
    with call.here.database.read() as connection:
        address = _address(connection, call)
        begin = (begin[0], begin[1]) if begin else None
        found = acknowledgements.unseen_after(connection, begin, limit + 1, address)
    page, last = cut(found, limit)
    following = cursor.encode(last.number, last.change.id) if last else None
    return {"items": [unseen_json(each) for each in page], "next": following}


def _address(connection: Connection, call: Call) -> int | None:
    """The number of the address that is asked about; None: any."""
    uri = _uri(connection, call, call.asked["to"])
    if uri is None:
        return None
    found = addresses.find(connection, uri, call.here.now)
    if found is None:
        raise not_there("address", call.asked["to"], "addresses")
    return found.id


def _uri(connection: Connection, call: Call, typed: str | None) -> str | None:
    """The address that was typed, whole or as it is shown; None: none was."""
    if typed is None:
        return None
    (uri,) = addresses.whole(connection, [typed], call.here.now)
    return addresses.canonical(uri)


ID = Param(name="id", type=DeliveryId, words="The delivery's id, or the Message-ID of a mail.")

OPERATIONS = (
    Operation(
        method="GET", path="/deliveries", name="listDeliveries", group=_GROUP, handler=_listing,
        words="Deliveries, the newest first.",
        params=(
            Param(name="state", type=shapes.DeliveryState | None, words="Only in this state."),
            Param(name="type", type=Type | None, words="Only this type of message."),
            Param(name="to", type=Word | None, words="Only what this address was told."),
            Param(name="since", type=datetime | None, words="Made since then, a time with its offset."),
            Param(name="record", type=Word | None, words="That told anything of this record."),
            Param(name="change", type=shapes.ChangeNumber | None, words="That told this change."),
            *cursor_params(),
        ),
        answer=page_of(shapes.Delivery), problems=(404,),
    ),
    Operation(
        method="GET", path="/unseen", name="listUnseen", group=_GROUP, handler=_unseen,
        words="Critical changes that were told by an alert which nobody has marked as seen, oldest first.",
        params=(Param(name="to", type=Word | None, words="Only what this address was told."), *cursor_params()),
        answer=page_of(shapes.Unseen), problems=(404,),
    ),
    Operation(
        method="POST", path="/replays", name="replayDeliveries", group=_GROUP, handler=_replay,
        words="Send again what was made since a time, under the old ids; the daemon sends it.",
        body=shapes.Replaying, answer=shapes.Queued,
    ),
    Operation(
        method="POST", path="/previews/replay", name="previewReplay", group=_GROUP, handler=_replayable,
        words="What a replay would send again; nothing is sent.",
        body=shapes.Replaying, answer=shapes.Queued, readers_may=True,
    ),
    Operation(
        method="GET", path="/deliveries/{id}/message", name="showMessage", group=_GROUP, handler=_message,
        in_path=(ID,), words="The message as its reader sees it, laid out as it would be sent now.",
        more="Its links to this installation stand in it only for a token that may write: they act without one.",
        answer=shapes.Preview, problems=(404,),
    ),
    Operation(
        method="GET", path="/deliveries/{id}", name="showDelivery", group=_GROUP, handler=_show, in_path=(ID,),
        words="One delivery with every attempt, and the changes that it tells.", answer=shapes.WholeDelivery,
        problems=(404,),
    ),
    Operation(
        method="POST", path="/deliveries/{id}/retry", name="retryDelivery", group=_GROUP, handler=_retry,
        words="Try it again now, under the same id; its address is switched on.", in_path=(ID,),
        answer=shapes.WholeDelivery, problems=(404,),
    ),
    Operation(
        method="POST", path="/deliveries/{id}/acknowledge", name="acknowledgeDelivery", group=_GROUP,
        handler=_acknowledge, words="Note that somebody has seen it.", in_path=(ID,), body=shapes.Acknowledging,
        answer=shapes.WholeDelivery, problems=(404,),
    ),
    Operation(
        method="DELETE", path="/deliveries/{id}/acknowledge", name="withdrawAcknowledgement", group=_GROUP,
        handler=_withdraw, words="It counts as unseen again.", in_path=(ID,), answer=shapes.WholeDelivery,
        problems=(404,),
    ),
    Operation(
        method="POST", path="/deliveries/{id}/cancel", name="cancelDelivery", group=_GROUP, handler=_cancel,
        words="Call it off, where it is still to be sent.", in_path=(ID,), answer=shapes.WholeDelivery,
        problems=(404, 409),
    ),
)  # fmt: skip
