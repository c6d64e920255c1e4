"""The watchlist: what is watched and how it stands, a page at a time or whole as a table for spreadsheets."""

from collections.abc import Iterator, Mapping
from typing import Any

from msgspec.structs import asdict
from sqlalchemy import Connection
from starlette.responses import Response

from monitor.web import cursor, spreadsheet
from monitor.web.doors import Door
from monitor.web.numbers import RowNumber
from monitor.web.visit import Visit
from monitor.wiring import REGISTRY
from notifiers import watch_pages, watch_standing, watches
from notifiers.watch_pages import STATES, Place, Wanted
from notifiers.watch_standing import Standing
from notifiers.watches import Watch
from snapshots.archive import rfc3339
from snapshots.kinds import KINDS
from snapshots.registries.ctgov.parse import parse
from snapshots.sentences import capitalised, date_words, status_words

Json = Any

ON_ONE_PAGE = 40
PARSE = {REGISTRY: parse}
NO_GROUP = "-"
"""How the address asks for what is in no group."""
STATE_WORDS = {
    "": "in any state",
    "watched": "watched",
    "waiting": "waiting for the first answer",
    "paused": "paused",
    "snoozed": "snoozed",
    "trouble": "in trouble",
}
COLUMNS = (
    *("id", "search", "name", "group", "note", "state", "rest", "title", "status", "next_date", "next_date_is"),
    *("last_change", "last_change_at", "finds", "found_ever", "release", "confirmed_at", "trouble", "created_at"),
)


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
    with here.database.read() as connection:
        rows = list(_rows(connection, here, _wanted(_filters(here.query))))
    return here.file(spreadsheet.written(COLUMNS, rows), f"watchlist-{here.now:%Y-%m-%d}.csv", "text/csv")


def _filters(query: Mapping[str, str]) -> dict[str, str]:
    return {
        "words": query.get("words", "")[:200],
        "group": query.get("group", "")[:200],
        "state": query.get("state", "") if query.get("state") in STATES else "",
    }


def _wanted(filters: Mapping[str, str]) -> Wanted:
    group = {"": None, NO_GROUP: ""}.get(filters["group"], filters["group"])
    return Wanted(group=group, state=filters["state"] or None, words=filters["words"])


def _place(place: Place) -> tuple[int, str, int]:
    return place.is_search, place.name, place.id


def _rows(connection: Connection, here: Visit, wanted: Wanted) -> Iterator[dict[str, Json]]:
    after: Place | None = None
    while True:
        listed, after = watch_pages.page(connection, REGISTRY, wanted, after, 500, here.now)
        found = watch_standing.standings(connection, REGISTRY, listed, here.now, PARSE)
        yield from (_row(one, one.watch, here) for one in found)
        if after is None:
            return


def _row(one: Standing, watch: Watch, here: Visit) -> dict[str, Json]:
    said = {name: value for name, value in asdict(watch).items() if name in ("search", "name", "group", "note")}
    return {
        **said,
        "id": watch.record_id,
        "state": one.state,
        "rest": watch.silence.in_words(here.now),
        "title": one.title,
        "status": one.status,
        "next_date": one.next_date.said if one.next_date else None,
        "next_date_is": one.next_date.what if one.next_date else None,
        "last_change": label(one) if one.last_change else None,
        "last_change_at": rfc3339(one.last_change.observed_at) if one.last_change else None,
        "finds": one.finds,
        "found_ever": one.found_ever,
        "release": one.confirmed.release if one.confirmed else watch.searched_release,
        "confirmed_at": rfc3339(one.confirmed.at) if one.confirmed else None,
        "trouble": f"{one.trouble.reason}: {one.trouble.detail}" if one.trouble else None,
        "created_at": rfc3339(watch.created_at),
    }


def label(one: Standing) -> str:
    """What changed last, in words; "" where nothing did."""
    last = one.last_change
    return "" if last is None else KINDS[last.kind].label if last.kind in KINDS else last.kind


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
