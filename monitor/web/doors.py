"""Which doors the site has: every path, what answers there to which method, and who may enter."""

from collections.abc import Callable, Mapping
from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING, Literal

from msgspec import Struct

if TYPE_CHECKING:
    from starlette.responses import Response

    from monitor.web.visit import Visit

Handler = Callable[["Visit"], "Response"]
Access = Literal["open", "link", "signed-in"]
Kind = Literal["page", "api"]

BODY_LIMIT = 256 * 1024

ROOMS = (
    "monitor.web.pages.signing_in",
    "monitor.web.pages.news",
    "monitor.web.pages.watchlist",
    "monitor.web.pages.adding",
    "monitor.web.pages.searching",
    "monitor.web.pages.watching",
    "monitor.web.pages.links",
    "monitor.web.pages.health",
    "monitor.web.pages.subscription_form",
    "monitor.web.pages.subscriptions",
    "monitor.web.pages.subscription_views",
    "monitor.web.pages.addresses",
    "monitor.web.pages.deliveries",
    "monitor.web.pages.how_it_stands",
    "monitor.web.pages.feeds",
    "monitor.web.api.rooms",
    "monitor.web.pages.trial",
    "monitor.web.pages.trial_past",
)
"""The modules that have `DOORS`."""

NAVIGATION = (
    ("/", "What is new"),
    ("/watchlist", "Watchlist"),
    ("/subscriptions", "Subscriptions"),
    ("/deliveries", "Deliveries"),
    ("/feeds", "Feeds"),
    ("/health", "Health"),
)


class Door(Struct, frozen=True, kw_only=False):
    """One path of the site. `access`: "open" asks nobody; at "link" the path itself holds what proves the right, which
    the handler verifies; at "signed-in" reading needs a session or token, and everything else one that may write.

    `any_host`: whether it answers whatever the Host header says, as for those that ask whether we live.
    `readers_may_post`: what is posted changes nothing that others see (signing out, a preview).
    `asks_others`: the methods at which it may wait for the registry or a mail server.
    """

    path: str
    access: Access
    get: Handler | None = None
    post: Handler | None = None
    put: Handler | None = None
    patch: Handler | None = None
    delete: Handler | None = None
    kind: Kind = "page"
    body_limit: int = BODY_LIMIT
    any_host: bool = False
    readers_may_post: bool = False
    asks_others: tuple[str, ...] = ()

    @property
    def handlers(self) -> Mapping[str, Handler]:
        """What answers to which method."""
        pairs = (("GET", self.get), ("POST", self.post), ("PUT", self.put), ("PATCH", self.patch))
        return {name: handler for name, handler in (*pairs, ("DELETE", self.delete)) if handler is not None}


@cache
def doors() -> tuple[Door, ...]:
    """All doors, in the order in which their paths are tried."""
    return tuple(door for room in ROOMS for door in import_module(room).DOORS)


@cache
def navigation() -> tuple[tuple[str, str], ...]:
    """(path, words) of what the navigation shows: what there is."""
    there = {door.path for door in doors() if door.get is not None}
    return tuple((path, words) for path, words in NAVIGATION if path in there)


def is_for_programs(path: str) -> bool:
    """Whether programs ask for that path, there be a door or not: they are told of trouble in JSON."""
    return path.startswith("/api/") or path in _paths_for_programs()


@cache
def _paths_for_programs() -> frozenset[str]:
    return frozenset(door.path for door in doors() if door.kind == "api")
