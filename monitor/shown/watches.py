"""What is watched, and how it stands, as JSON and as rows of a table."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

from msgspec.structs import asdict
from sqlalchemy import Connection

from monitor.shown.deliveries import at
from monitor.wiring import PARSE, REGISTRY
from notifiers import watch_pages, watch_standing
from notifiers.outlook import NextDate
from notifiers.watch_pages import Place, Wanted
from notifiers.watch_standing import LastChange, Standing
from notifiers.watches import Watch
from snapshots.kinds import KINDS

Json = Any

COLUMNS = (
    *("id", "search", "name", "group", "note", "state", "rest", "title", "status", "next_date", "next_date_is"),
    *("last_change", "last_change_at", "finds", "found_ever", "release", "confirmed_at", "trouble", "created_at"),
)
"""Of `watch_rows`."""
_AT_ONCE = 500


def watches_json(
    connection: Connection, registry: str, listed: Sequence[Watch], now: datetime, *, with_facts: bool = True
) -> list[dict[str, Json]]:
    """Watches with the state of their records or searches, in their order; a few questions for all of them. Without
    `with_facts` status and next date are left out: a record that nobody read yet would be read for them.
    """
    parse = PARSE if with_facts else None
    return [_watch_json(one, now) for one in watch_standing.standings(connection, registry, listed, now, parse)]


def watch_rows(connection: Connection, wanted: Wanted, now: datetime) -> Iterator[dict[str, Json]]:
    """All watches that are wanted as rows of `COLUMNS`; `state` is “trouble” where the registry owes an answer."""
    after: Place | None = None
    while True:
        listed, after = watch_pages.page(connection, REGISTRY, wanted, after, _AT_ONCE, now)
        found = watch_standing.standings(connection, REGISTRY, listed, now, PARSE)
        yield from (_row(one, now) for one in found)
        if after is None:
            return


def change_label(last: LastChange) -> str:
    """What changed last, in words."""
    return KINDS[last.kind].label if last.kind in KINDS else last.kind


def _watch_json(stands: Standing, now: datetime) -> dict[str, Json]:
    one, confirmed, trouble = stands.watch, stands.confirmed, stands.trouble
    return {
        "id": one.record_id,
        "search": one.search,
        "name": one.name,
        "group": one.group,
        "note": one.note,
        "state": one.state(now),
        "rest": one.silence.in_words(now) or None,
        "title": stands.title,
        "status": stands.status,
        "next_date": _next_json(stands.next_date) if stands.next_date else None,
        "last_change": _last_json(stands.last_change) if stands.last_change else None,
        "finds": stands.finds,
        "found_ever": stands.found_ever,
        "release": confirmed.release if confirmed else one.searched_release,
        "confirmed_at": at(confirmed.at) if confirmed else None,
        "trouble": f"{trouble.reason}: {trouble.detail}" if trouble else None,
        "created_at": at(one.created_at),
    }


def _next_json(one: NextDate) -> dict[str, Json]:
    return {"what": one.what, "date": one.said, "day": one.day}


def _last_json(last: LastChange) -> dict[str, Json]:
    said = {"kind": last.kind, "severity": last.severity, "label": change_label(last), "release": last.release}
    return said | {"observed_at": at(last.observed_at)}


def _row(one: Standing, now: datetime) -> dict[str, Json]:
    watch = one.watch
    said = {name: value for name, value in asdict(watch).items() if name in ("search", "name", "group", "note")}
    return {
        **said,
        "id": watch.record_id,
        "state": one.state,
        "rest": watch.silence.in_words(now),
        "title": one.title,
        "status": one.status,
        "next_date": one.next_date.said if one.next_date else None,
        "next_date_is": one.next_date.what if one.next_date else None,
        "last_change": change_label(one.last_change) if one.last_change else None,
        "last_change_at": at(one.last_change.observed_at) if one.last_change else None,
        "finds": one.finds,
        "found_ever": one.found_ever,
        "release": one.confirmed.release if one.confirmed else watch.searched_release,
        "confirmed_at": at(one.confirmed.at) if one.confirmed else None,
        "trouble": f"{one.trouble.reason}: {one.trouble.detail}" if one.trouble else None,
        "created_at": at(watch.created_at),
    }
