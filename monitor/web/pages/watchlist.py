"""The watchlist: what is watched and how it stands, a page at a time or whole as a table for spreadsheets."""

from collections.abc import Mapping
from typing import Any

from starlette.responses import Response

from monitor.shown.watches import change_label
from monitor.web import cursor, watch_table
from monitor.web.doors import Door
from monitor.web.numbers import RowNumber
from monitor.web.visit import Visit
from monitor.web.watch_table import NO_GROUP
from monitor.wiring import PARSE, REGISTRY
from notifiers import watch_pages, watch_standing, watches
from notifiers.watch_pages import STATES, Place, Wanted
from notifiers.watch_standing import Standing
from notifiers.watches import Watch
from snapshots.sentences import capitalised, date_words, status_words

Json = Any

ON_ONE_PAGE = 40
STATE_WORDS = {
    "": "in any state",
    "watched": "watched",
    "waiting": "waiting for the first answer",
    "paused": "paused",
    "snoozed": "snoozed",
    "trouble": "in trouble",
}


def show(here: Visit) -> Response:
    """The page."""
    filters = _filters(here.query)
    wanted = _wanted(filters)
    after = Place(*cursor.decode(here.query["after"], RowNumber, str, RowNumber)) if here.query.get("after") else None
    with here.database.read() as connection:
        listed, following = watch_pages.page(connection, REGISTRY, wanted, after, ON_ONE_PAGE, here.now)
        rows = watch_standing.standings(connection, REGISTRY, listed, here.now, PARSE)
        number = watch_pages.how_many(connection, REGISTRY, wanted, here.now)
        counts = watch_standing.counts(connection)
        groups = watches.groups(connection)
    older = here.link("/watchlist", **filters, after=cursor.encode(*_place(following))) if following else None
    return here.page(
        "watchlist.html",
        rows=rows,
        number=number,
        counts=counts,
        filters=filters,
        is_filtered=any(filters.values()),
        groups=[("", "all groups"), (NO_GROUP, "no group"), *((each, each) for each in groups)],
        states=list(STATE_WORDS.items()),
        older=older,
        words=WORDS,
    )


def export(here: Visit) -> Response:
    """All of it, or what the filters leave, as CSV."""
    return watch_table.file(here, _wanted(_filters(here.query)))


def _filters(query: Mapping[str, str]) -> dict[str, str]:
    return {
        "words": query.get("words", "")[:200],
        "group": query.get("group", "")[:200],
        "state": query.get("state", "") if query.get("state") in STATES else "",
    }


def _wanted(filters: Mapping[str, str]) -> Wanted:
    return watch_table.wanted(filters["group"], filters["state"], filters["words"])


def _place(place: Place) -> tuple[int, str, int]:
    return place.is_search, place.name, place.id


def label(one: Standing) -> str:
    """What changed last, in words; "" where nothing did."""
    return change_label(one.last_change) if one.last_change else ""


def asks(watch: Watch) -> str:
    """What a search asks for, in words."""
    if watch.is_everything:
        return "every record of the registry"
    return "; ".join(f"{key.partition('.')[2] or key}: {value}" for key, value in (watch.search or {}).items())


WORDS = {
    "label": label,
    "asks": asks,
    "date": date_words,
    "status": lambda status: capitalised(status_words(status)),
}
"""What the templates of these pages say things with."""

DOORS = (
    Door("/watchlist", access="signed-in", get=show),
    Door("/watchlist.csv", access="signed-in", get=export),
)
