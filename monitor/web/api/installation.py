"""The installation itself: how it stands, its settings, the vocabulary of change, and its feeds."""

from typing import Any

import msgspec
from sqlalchemy import Connection

from monitor import __version__
from monitor.health import health
from monitor.settings import in_force
from monitor.shown.deliveries import at
from monitor.web.api import shapes
from monitor.web.api.asking import list_of, not_there
from monitor.web.api.operations import Call, Number, Operation, Param
from monitor.web.pages.feeds import addresses, known
from monitor.web.problems import Problem
from monitor.wiring import REGISTRY
from notifiers import confirmations, feeds
from notifiers.addresses import shown
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
    }


def _sweep(sweep: Sweep | None) -> Json:
    if sweep is None:
        return None
    plain = {name: getattr(sweep, name) for name in ("release", "state", "reason", "asked", "answered", "changed")}
    times = {"started_at": rfc3339(sweep.started_at), "ended_at": at(sweep.ended_at)}
    return {**plain, **times, "failed": sweep.failed}


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
