"""What is watched, and how it stands, as JSON."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from monitor.shown.deliveries import at
from notifiers import watch_standing
from notifiers.watch_standing import Standing
from notifiers.watches import Watch

Json = Any


def watches_json(
    connection: Connection, registry: str, listed: Sequence[Watch], now: datetime
) -> list[dict[str, Json]]:
    """Watches with the state of their records or searches, in their order; a few questions for all of them."""
    return [_watch_json(one, now) for one in watch_standing.standings(connection, registry, listed, now)]


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
        "finds": stands.finds,
        "found_ever": stands.found_ever,
        "release": confirmed.release if confirmed else one.searched_release,
        "confirmed_at": at(confirmed.at) if confirmed else None,
        "trouble": f"{trouble.reason}: {trouble.detail}" if trouble else None,
        "created_at": at(one.created_at),
    }
