"""Who is told of what: subscriptions, what they would have told, their digests, and the addresses they tell."""

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import msgspec
from msgspec import UNSET
from msgspec.structs import replace
from sqlalchemy import Connection

from monitor import subscribing
from monitor.shown.deliveries import message_json
from monitor.shown.subscriptions import backtest_json, subscription_json, why_json
from monitor.web.api import shapes
from monitor.web.api.asking import RECORD, list_of, not_there, stored
from monitor.web.api.operations import Call, Operation, Param
from monitor.web.api.watchlist import silence
from monitor.web.authors import author
from monitor.web.messages import message_for
from monitor.web.problems import Problem
from monitor.wiring import PARSE, REGISTRY
from notifiers import addresses, names, outbox, subscriptions, template_folders
from notifiers import backtest as replaying
from notifiers import digest as digests
from notifiers import standing as standings
from notifiers import why as reasons
from notifiers.archive_places import finder
from notifiers.composing import templates_of
from notifiers.conditions import InvalidValue
from notifiers.standing import Standing as Today
from notifiers.subscriptions import Stored, Subscription
from snapshots import archive
from snapshots.archive import Step, StoredChange
from snapshots.places import noting

Json = Any
_GROUP = "Subscriptions"
YEAR = timedelta(days=365)
MOST_CHANGES = 40
"""Of one moment that are explained at once."""


def _listing(call: Call) -> Json:
    with call.here.database.read() as connection:
        return {"items": [subscription_json(each) for each in subscriptions.listing(connection)]}


def _found(connection: Connection, call: Call) -> Stored:
    stored = subscriptions.find(connection, call.asked["name"])
    if stored is None:
        raise not_there("subscription", call.asked["name"], "subscriptions")
    return stored


def _show(call: Call) -> Json:
    with call.here.database.read() as connection:
        return subscription_json(_found(connection, call))


def _asked_for(connection: Connection, call: Call, name: str) -> Subscription:
    """The subscription that was sent. Raises Problem (422) naming what of it cannot be meant."""
    table = msgspec.to_builtins(call.sent) | {"name": name}
    table["to"] = addresses.whole(connection, table["to"], call.here.now)
    offered: list[str] = []
    try:
        wanted = subscriptions.from_table(table, noting(finder(connection, PARSE), offered))
        _check(wanted, call)
        if wanted.templates:
            template_folders.check(wanted.templates)
    except InvalidValue as error:
        raise Problem(422, str(error), f"One of: {'; '.join(offered)}." if offered else None) from None
    except OverflowError:
        raise Problem(422, "A number is too large") from None
    return wanted


def _check(wanted: Subscription, call: Call) -> None:
    subscriptions.check(wanted, addresses.allowed_schemes(call.here.settings.allow_private_networks))


def _today(call: Call, name: str) -> Today | None:
    """How things stand for what was sent, where that is to be told; looked at before anything is written."""
    if not call.asked["send_standing"]:
        return None
    with call.here.database.read() as connection:
        return standings.load(connection, _asked_for(connection, call, name), PARSE)


def _add(call: Call) -> Json:
    today = _today(call, call.sent.name)
    with call.here.database.write() as connection:
        wanted = _asked_for(connection, call, call.sent.name)
        if subscriptions.find(connection, wanted.name) is not None:
            raise Problem(409, f"There is a subscription {wanted.name!r} already", "PUT changes it.")
        return _saved(connection, wanted, call, today)


def _put(call: Call) -> Json:
    today = _today(call, call.asked["name"])
    with call.here.database.write() as connection:
        known = _found(connection, call).subscription
        wanted = subscribing.at_rest_as(_asked_for(connection, call, known.name), known)
        if call.sent.templates is UNSET:
            wanted = replace(wanted, templates=known.templates)
        return _saved(connection, wanted, call, today)


def _rename(call: Call) -> Json:
    with call.here.database.write() as connection:
        known, name = _found(connection, call).subscription, call.sent.name
        try:
            names.check(name, {known.name})
        except InvalidValue as error:
            raise Problem(422, str(error)) from None
        if name != known.name and subscriptions.find(connection, name) is not None:
            raise Problem(409, f"There is a subscription {name!r} already", "Give it another name.")
        subscriptions.rename(connection, known.name, name)
        renamed = subscriptions.find(connection, name)
        assert renamed is not None
        return subscription_json(renamed)


def _notes(connection: Connection, wanted: Subscription, call: Call) -> list[str]:
    """What can be meant and is probably not. Raises Problem (422) for a search that is not there."""
    try:
        return list(subscribing.notes(connection, wanted, call.here.now, call.here.settings))
    except InvalidValue as error:
        raise Problem(422, str(error)) from None


def _saved(connection: Connection, wanted: Subscription, call: Call, today: Today | None) -> Json:
    notes = _notes(connection, wanted, call)
    secrets = subscriptions.save(connection, wanted, call.here.now)
    stored = subscriptions.find(connection, wanted.name)
    assert stored is not None
    told = standings.enqueue(connection, stored, today, call.here.now) if today is not None else []
    return {"subscription": subscription_json(stored), "secrets": secrets, "notes": notes, "deliveries": told}


def _remove(call: Call) -> None:
    with call.here.database.write() as connection:
        _found(connection, call)
        subscriptions.remove(connection, call.asked["name"], call.here.now)


def _rest(values: Callable[[Call], dict[str, Json]]) -> Callable[[Call], Json]:
    def handler(call: Call) -> Json:
        with call.here.database.write() as connection:
            known = _found(connection, call).subscription
            subscriptions.save(connection, replace(known, **values(call)), call.here.now)
        return _show(call)

    return handler


def _paused(call: Call) -> dict[str, Json]:
    return {"paused": True, "silenced_by": call.sent.by or author(call.here), "silence_reason": call.sent.reason}


def _snoozed(call: Call) -> dict[str, Json]:
    asked = silence(call)
    until = {"snooze_until": asked.until, "snooze_until_critical": asked.until_critical}
    return {**until, "silenced_by": asked.by, "silence_reason": asked.reason}


def _awake(call: Call) -> dict[str, Json]:
    del call
    awake = {"paused": False, "snooze_until": None, "snooze_until_critical": False}
    return {**awake, "silenced_by": None, "silence_reason": None}


def _test(call: Call) -> Json:
    with call.here.database.write() as connection:
        _found(connection, call)
        return {"deliveries": outbox.enqueue_test(connection, call.asked["name"], call.here.now)}


# --- before and beside ------------------------------------------------------------------------------------------------


def _standing(call: Call) -> Json:
    with call.here.database.read() as connection:
        return _standing_json(connection, _found(connection, call).subscription)


def _standing_json(connection: Connection, wanted: Subscription) -> Json:
    state = standings.load(connection, wanted, PARSE)
    return {
        "sentence": standings.in_words(state),
        "trials": state.trials,
        "recruiting": state.recruiting,
        "sites": [
            {"id": each.trial_id, "title": each.title}
            | {name: getattr(each.site, name) for name in ("facility", "city", "state", "country")}
            for each in state.sites[:100]
        ],
    }


def _backtest(call: Call) -> Json:
    with call.here.database.read() as connection:
        return _backtest_json(connection, _found(connection, call).subscription, call)


def _backtest_json(connection: Connection, wanted: Subscription, call: Call) -> Json:
    since = call.asked["since"] or (call.here.now - YEAR).date()
    return backtest_json(wanted.name, replaying.backtest(connection, wanted, since.isoformat(), PARSE))


def _foresee(call: Call) -> Json:
    with call.here.database.read() as connection:
        wanted = _asked_for(connection, call, call.sent.name)
        return {
            "standing": _standing_json(connection, wanted),
            "backtest": _backtest_json(connection, wanted, call),
            "notes": _notes(connection, wanted, call),
        }


def _why(call: Call) -> Json:
    asked = call.asked["change"]
    with call.here.database.read() as connection:
        asker = _found(connection, call)
        found = reasons.changes_of(connection, REGISTRY, str(asked))
        if not found:
            raise Problem(404, f"There is no change {asked}", "GET /api/v1/changes lists them with their ids.")
        return _explained(connection, asker, *found[0])


def _why_last(call: Call) -> Json:
    with call.here.database.read() as connection:
        asker, record = _found(connection, call), stored(connection, call.asked["id"])
        known = reasons.changes_of(connection, REGISTRY, record.registry_id)[:MOST_CHANGES]
        return {"items": [_explained(connection, asker, *each) for each in known]}


def _explained(connection: Connection, asker: Stored, step: Step, change: StoredChange) -> Json:
    try:
        return why_json(asker.subscription.name, reasons.why(connection, asker, step, change, PARSE))
    except archive.Unreadable as error:
        raise Problem(409, str(error)) from None


def _preview(call: Call) -> Json:
    with call.here.database.read() as connection:
        _found(connection, call)
        found = digests.preview(connection, call.asked["name"], call.here.now)
        told = [(one.address.shown, message_for(call.here, connection, one), templates_of(one)) for one in found]
    return {"items": [{"to": uri, **message_json(message, templates)} for uri, message, templates in told]}


def _send(call: Call) -> Json:
    with call.here.database.write() as connection:
        _found(connection, call)
        return {"deliveries": digests.send(connection, call.asked["name"], call.here.now)}


NAME = Param(name="name", type=str, words="The name of the subscription.")
SEND_STANDING = Param(
    name="send_standing", type=bool, default=False, words="Tell its addresses first how things stand today."
)
SINCE = Param(name="since", type=date | None, words="From this day on; without it the last 12 months.")


def _one(method: Any, path: str, name: str, words: str, handler: Any, **more: Any) -> Operation:
    more.setdefault("problems", (404,))
    return Operation(
        method=method, path=f"/subscriptions/{{name}}{path}", name=name, group=_GROUP, words=words, handler=handler,
        in_path=(NAME,), **more,
    )  # fmt: skip


OPERATIONS = (
    Operation(
        method="GET", path="/subscriptions", name="listSubscriptions", group=_GROUP, words="All subscriptions.",
        handler=_listing, answer=list_of(shapes.Subscription),
    ),
    Operation(
        method="POST", path="/subscriptions", name="addSubscription", group=_GROUP, handler=_add,
        words="Tell addresses of changes. All given conditions must hold; a list is any of its values.",
        params=(SEND_STANDING,), body=shapes.NewSubscription, answer=shapes.Saved, status=201, problems=(409,),
    ),
    Operation(
        method="POST", path="/previews/subscription", name="previewSubscription", group=_GROUP, handler=_foresee,
        words="How things stand today and what it would have told, before it is kept.", params=(SINCE,),
        body=shapes.NewSubscription, answer=shapes.Foreseen, readers_may=True,
    ),
    _one("GET", "", "showSubscription", "One subscription.", _show, answer=shapes.Subscription),
    _one(
        "PUT", "", "changeSubscription", "Change what it asks for; pause, snooze and templates left out stay.", _put,
        params=(SEND_STANDING,), body=shapes.Wanted, answer=shapes.Saved,
    ),
    _one(
        "POST", "/rename", "renameSubscription", "Call it otherwise; what waits is told under the new name.", _rename,
        body=shapes.NewName, answer=shapes.Subscription, problems=(404, 409),
    ),
    _one("DELETE", "", "removeSubscription", "Tell nobody of it any more; the ledger stays.", _remove, status=204),
    _one(
        "POST", "/pause", "pauseSubscription", "Want nothing until it is resumed.", _rest(_paused),
        body=shapes.Silencing, answer=shapes.Subscription,
    ),
    _one(
        "POST", "/snooze", "snoozeSubscription", "Tell nothing until then; what waits is told after.", _rest(_snoozed),
        body=shapes.Snoozing, answer=shapes.Subscription,
    ),
    _one(
        "POST", "/resume", "resumeSubscription", "End a pause or a snooze.", _rest(_awake), answer=shapes.Subscription,
    ),
    _one("POST", "/test", "testSubscription", "Send a test message to its addresses.", _test, answer=shapes.Queued),
    _one("GET", "/standing", "showStanding", "How things stand for it today.", _standing, answer=shapes.Standing),
    _one(
        "GET", "/backtest", "backtestSubscription", "What it would have told since a day.", _backtest, params=(SINCE,),
        answer=shapes.Backtest,
    ),
    _one(
        "GET", "/why", "explainSubscription", "Why it wants a change or does not, check by check.", _why,
        params=(Param(name="change", type=shapes.ChangeNumber, words="The id of the change.", required=True),),
        answer=shapes.Why, problems=(404, 409),
    ),
    Operation(
        method="GET", path="/subscriptions/{name}/why/{id}", name="explainRecord", group=_GROUP, handler=_why_last,
        words="Why it wants, or does not, what changed last in a record.", in_path=(NAME, RECORD),
        more="Of the newest moment at which anything changed in it: up to 40 changes.",
        answer=list_of(shapes.Why), problems=(404, 409),
    ),
    _one(
        "GET", "/digest", "previewDigest", "What its digest would tell each address now.", _preview,
        answer=list_of(shapes.Preview),
    ),
    _one("POST", "/digest", "sendDigest", "Send its digest now, outside of its times.", _send, answer=shapes.Queued),
)  # fmt: skip
