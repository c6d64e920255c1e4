"""Whether a record is watched, by which watches, and when it was last known to stand as it is stored."""

from collections.abc import Iterator, Sequence
from datetime import datetime

from msgspec import Struct
from sqlalchemy import Connection

from monitor.confirmed import confirmed
from monitor.wiring import REGISTRY
from notifiers import watches
from notifiers.watches import Watch
from snapshots.archive import Confirmation, Record


class Watched(Struct, frozen=True):
    """Whether a trial is watched, by which watches, and when it was last known to stand as it is shown. `paused` are
    its own watches that are, `groups` those of all; `resting` says of each of its watches that rests how it does, in a
    clause.
    """

    watches: tuple[Watch, ...]
    groups: tuple[str, ...]
    confirmed: Confirmation | None
    paused: tuple[Watch, ...]
    resting: tuple[str, ...]


def watched_state(connection: Connection, record: Record, now: datetime) -> Watched:
    """Whether the record is watched, and when it was last confirmed."""
    names = [record.registry_id, *record.former_ids]
    found = watches.of_record(connection, REGISTRY, names)
    paused = watches.paused_of_record(connection, REGISTRY, names)
    every = [*found, *paused]
    groups = tuple(dict.fromkeys(each.group for each in every if each.group))
    last = confirmed(connection, record)
    return Watched(tuple(found), groups, last, tuple(paused), tuple(_resting(every, now)))


def _resting(found: Sequence[Watch], now: datetime) -> Iterator[str]:
    for each in found:
        words = each.silence.in_words(now)
        if words:
            yield f"{'its own watch' if each.search is None else each.called} is {words}"
