"""What is watched, and how it stands, as JSON."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from monitor.shown.deliveries import at
from notifiers import search_members
from notifiers.watches import Watch
from snapshots import archive
from snapshots.archive import OpenException

Json = Any


def troubles(connection: Connection, registry: str) -> dict[str, OpenException]:
    """What the registry owes an answer for, by the record's id or what a search is called."""
    return {each.registry_id: each for each in archive.open_exceptions(connection, registry)}


def watch_json(
    connection: Connection, one: Watch, troubled: Mapping[str, OpenException], now: datetime
) -> dict[str, Json]:
    """A watch with the state of its record or search; `troubled` is what `troubles` gave."""
    record = archive.find_record(connection, one.registry, one.record_id) if one.record_id else None
    asked = (one.asked_since, one.asked_until)
    confirmed = (
        archive.last_confirmed(connection, one.registry, one.record_id, *asked) if record and one.record_id else None
    )
    trouble = troubled.get(one.called)
    finds, ever = search_members.counts(connection, one.id) if one.search is not None else (None, None)
    return {
        "id": one.record_id,
        "search": one.search,
        "name": one.name,
        "group": one.group,
        "note": one.note,
        "state": one.state(now),
        "rest": one.silence.in_words(now) or None,
        "title": record.title if record else None,
        "finds": finds,
        "found_ever": ever,
        "release": confirmed.release if confirmed else one.searched_release,
        "confirmed_at": at(confirmed.at) if confirmed else None,
        "trouble": f"{trouble.reason}: {trouble.detail}" if trouble else None,
        "created_at": at(one.created_at),
    }
