"""The installation itself: how it stands, its settings, the vocabulary of change, and its feeds."""

from datetime import datetime
from typing import Any, Literal

import msgspec
from sqlalchemy import Connection

from monitor import __version__
from monitor.health import health
from monitor.presence import Present
from monitor.settings import in_force
from monitor.shown.deliveries import at
from monitor.web.api import shapes
from monitor.web.api.asking import list_of, not_there
from monitor.web.api.operations import Call, Number, Operation, Param, Word
from monitor.web.api.sweeps import sweep_json
from monitor.web.pages.feeds import addresses, known
from monitor.web.problems import Problem
from monitor.wiring import REGISTRY
from notifiers import confirmations, feeds, subscriptions, template_folders
from notifiers.addresses import shown
from notifiers.conditions import InvalidValue
from notifiers.examples import TYPES
from notifiers.feeds import Feed
from snapshots.archive import Sweep, rfc3339
from snapshots.kinds import KINDS, Kind

Json = Any
_GROUP = "Installation"
_FEEDS = "Feeds"


def _health(call: Call) -> Json:
    with call.here.database.read() as connection:
        stands = health(connection, REGISTRY, call.here.now)
        unconfirmed = [shown(each.uri) for each in confirmations.waiting(connection)]
    return {
        "version": __version__,
        "watched": stands.watched,
        "waiting": stands.waiting,
        "searches": stands.searches,
        "searches_waiting": stands.searches_waiting,
        "last_finished": _sweep(stands.last_finished),
        "last_sweep": _sweep(stands.last_sweep),
        "owed": [{"id": each.registry_id, "reason": each.reason, "detail": each.detail} for each in stands.exceptions],
        "open_deliveries": stands.open_deliveries,
        "oldest_due": at(stands.oldest_due),
        "addresses_off": [{"uri": uri, "reason": reason} for uri, reason in stands.addresses_off],
        "unconfirmed": unconfirmed,
        "troubles": [{"words": each.words, "began_at": rfc3339(each.began_at)} for each in stands.troubles],
        "daemons": [_daemon(each, call.here.now) for each in stands.daemons],
    }


def _sweep(sweep: Sweep | None) -> Json:
    return None if sweep is None else sweep_json(sweep)


def _daemon(each: Present, now: datetime) -> dict[str, Json]:
    return {
        "name": each.name,
        "roles": list(each.roles),
        "version": each.version,
        "started_at": rfc3339(each.started_at),
        "heard_at": rfc3339(each.heard_at),
        "is_there": each.is_there(now),
    }


def _example(call: Call) -> Json:
    name, folder = call.asked["subscription"], None
    with call.here.database.read() as connection:
        kept = subscriptions.find(connection, name) if name else None
    if name:
        if kept is None:
            raise not_there("subscription", name, "subscriptions")
        folder = kept.subscription.templates
    try:
        rendered = template_folders.preview(call.asked["type"], folder)
    except InvalidValue as error:
        raise Problem(409, "Its templates cannot be used", error.problem) from None
    return {"type": call.asked["type"], **{part: getattr(rendered, part) for part in ("subject", "text", "html")}}


def _settings(call: Call) -> Json:
    found = in_force(call.here.settings)
    return {"items": [{"name": each.setting.variable, "value": each.shown, "source": each.source} for each in found]}


def _kinds(call: Call) -> Json:
    del call
    return {"items": msgspec.to_builtins(list(KINDS.values()))}


# --- feeds ------------------------------------------------------------------------------------------------------------


def _feeds(call: Call) -> Json:
    with call.here.database.read() as connection:
        return {"items": [_feed_json(call, connection, each) for each in feeds.listing(connection)]}


def _feed_json(call: Call, connection: Connection, feed: Feed) -> Json:
    return {
        "id": feed.id,
        "about": feed.about,
        "name": feed.name,
        "made_at": rfc3339(feed.made_at),
        "renewed_at": at(feed.renewed_at),
        **addresses(call.here, connection, feed),
    }


def _make(call: Call) -> Json:
    given: shapes.NewFeed = call.sent
    with call.here.database.write() as connection:
        name = known(connection, given.about, given.name)
        if name is None:
            raise Problem(404, f"There is no {given.about} {given.name!r} here")
        return _feed_json(call, connection, feeds.make(connection, given.about, name, call.here.now))


def _renew(call: Call) -> Json:
    with call.here.database.write() as connection:
        feeds.renew(connection, call.asked["id"], call.here.now)
        feed = feeds.find(connection, call.asked["id"])
        if feed is None:
            raise not_there("feed", call.asked["id"], "feeds")
        return _feed_json(call, connection, feed)


def _remove(call: Call) -> None:
    with call.here.database.write() as connection:
        if not feeds.remove(connection, call.asked["id"]):
            raise not_there("feed", call.asked["id"], "feeds")


ID = Param(name="id", type=Number, words="The number of the feed.")
TYPE = Param(name="type", type=Literal[*TYPES], words="The type of message.")

OPERATIONS = (
    Operation(
        method="GET", path="/health", name="showHealth", group=_GROUP, handler=_health, answer=shapes.Health,
        words="What was looked at and when, what is behind, failing or switched off.",
    ),
    Operation(
        method="GET", path="/settings", name="listSettings", group=_GROUP, handler=_settings,
        words="The settings in force; secrets are masked.", answer=list_of(shapes.Setting),
    ),
    Operation(
        method="GET", path="/kinds", name="listKinds", group=_GROUP, handler=_kinds, answer=list_of(Kind),
        words="The vocabulary: every kind of change with its usual severity, its family and what it means.",
    ),
    Operation(
        method="GET", path="/examples/{type}", name="showExample", group=_GROUP, handler=_example, in_path=(TYPE,),
        words="How a type of message looks, on an example: by the templates of a subscription, else by ours.",
        params=(Param(name="subscription", type=Word | None, words="By the templates of this subscription."),),
        answer=shapes.Example, problems=(404, 409),
    ),
    Operation(
        method="GET", path="/feeds", name="listFeeds", group=_FEEDS, handler=_feeds, answer=list_of(shapes.Feed),
        words="What is fed, and at which addresses.",
    ),
    Operation(
        method="POST", path="/feeds", name="makeFeed", group=_FEEDS, handler=_make, body=shapes.NewFeed,
        words="Feed a trial, a group or a subscription: Atom, JSON Feed and a calendar of what is expected.",
        more="Whoever knows an address reads it without a token. What is fed already keeps its addresses.",
        answer=shapes.Feed, problems=(404,),
    ),
    Operation(
        method="POST", path="/feeds/{id}/renew", name="renewFeed", group=_FEEDS, handler=_renew, in_path=(ID,),
        words="Give it new addresses; those of before lead nowhere any more.", answer=shapes.Feed, problems=(404,),
    ),
    Operation(
        method="DELETE", path="/feeds/{id}", name="removeFeed", group=_FEEDS, handler=_remove, in_path=(ID,),
        words="Feed it no more.", status=204, problems=(404,),
    ),
)  # fmt: skip
