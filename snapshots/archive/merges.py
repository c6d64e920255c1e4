"""Under which id did the registry answer for an id, and since when? Merges follow one another, and each was told."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime

from msgspec import Struct
from sqlalchemy import Connection, select

from snapshots.archive.history import steps
from snapshots.archive.records import Record, find_record
from snapshots.archive.tables import versions


class Told(Struct, frozen=True):
    """The registry answers for the id `former` under `kept`: from the release of the ISO day `day` on, seen at `at`."""

    former: str
    kept: str
    day: str
    at: datetime


class Stretch(Struct, frozen=True):
    """From the ISO day `day` and the moment `at` on the registry answered under `id`; "" and None: from the first."""

    id: str
    day: str = ""
    at: datetime | None = None


class Name(Struct, frozen=True, kw_only=True):
    """An id by which a record was asked for: from the stretch `since` on, until `until` began (None: it still is)."""

    id: str
    since: Stretch
    until: Stretch | None

    def holds_on(self, day: str) -> bool:
        """Whether it was the record's name at a release of that ISO day."""
        return self.since.day <= day and (self.until is None or day < self.until.day)


def merges(connection: Connection, registry: str, any_id: str) -> list[Told]:
    """The merges that made the record what it is, the oldest first."""
    found = sorted(steps(connection, registry, any_id, kinds=["record.merged"]), key=lambda step: step.id)
    return [
        Told(str(told.change.before), str(told.change.after), (step.release or step.observed_at.isoformat())[:10],
             step.observed_at)
        for step in found
        for told in step.changes
    ]  # fmt: skip


def course(told: Sequence[Told], any_id: str) -> list[Stretch]:
    """Under which ids the registry answered for this one, the oldest first; pure. What was merged into one that was
    then merged itself went with it, whichever of their ids was asked for.
    """
    found, under = [Stretch(any_id)], {any_id: any_id}
    for one in told:
        moved = under.setdefault(one.former, one.former)
        under.setdefault(moved, moved)
        under |= {each: one.kept for each, now in under.items() if now == moved}
        if under[any_id] != found[-1].id:
            found.append(Stretch(under[any_id], one.day, one.at))
    return found


def names(connection: Connection, record: Record) -> list[Name]:
    """The ids by which a record, also one that was merged into another, was asked for: its own all the time, those of
    others from their merge into it on.
    """
    kept = find_record(connection, record.registry, record.registry_id)
    if kept is None or (kept.id == record.id and not kept.former_ids):
        return [Name(id=record.registry_id, since=Stretch(record.registry_id), until=None)]
    received = select(versions.c.registry_id).where(versions.c.record == record.id).distinct()
    own = {record.registry_id, *connection.execute(received).scalars()}
    told = merges(connection, record.registry, record.registry_id)
    known = {*own, *(each.former for each in told)}
    # of a merge that nobody told, when it was is not known
    untold = set(record.former_ids) - known
    return [name for any_id in sorted(known) for name in _named(any_id, course(told, any_id), own)] + [
        Name(id=any_id, since=Stretch(any_id), until=None) for any_id in sorted(untold)
    ]


def _named(any_id: str, stretches: Iterable[Stretch], own: set[str]) -> Iterator[Name]:
    since: Stretch | None = None
    for stretch in stretches:
        if stretch.id in own:
            since = since or stretch
        elif since is not None:
            yield Name(id=any_id, since=since, until=stretch)
            since = None
    if since is not None:
        yield Name(id=any_id, since=since, until=None)
