"""The steps of a record, newest first, a few at a time: what a page shows of a long history."""

from collections.abc import Iterator, Sequence

from msgspec import Struct
from sqlalchemy import Connection, func, select

from snapshots.archive import order
from snapshots.archive.history import Step, find_steps
from snapshots.archive.records import find_record
from snapshots.archive.tables import changes, records, steps, versions


class StepPlace(Struct, frozen=True):
    """Where a step stands in history, and how many changes it told."""

    step: int
    key: order.Key
    told: int

    @property
    def day(self) -> str:
        """The ISO day at which it stands in history."""
        return self.key[0]

    @property
    def dated_by(self) -> str:
        """Which day that is: "release" or, of what was filled in, "registry date"."""
        return "release" if self.key[1] else "registry date"


def step_places(connection: Connection, registry: str, any_id: str, severity: str | None = None) -> list[StepPlace]:
    """The steps of a record (by any of its ids) that told something (of that severity), newest first, without what they
    told.
    """
    record = find_record(connection, registry, any_id)
    if record is None:
        return []
    told = (
        select(steps.c.id, func.count(changes.c.id).label("told"))
        .join(changes, changes.c.step == steps.c.id)
        .join(records, records.c.id == steps.c.record)
        .where((records.c.id == record.id) | (records.c.merged_into == record.id), steps.c.superseded_by.is_(None))
        .where(*([] if severity is None else [changes.c.severity == severity]))
        .group_by(steps.c.id)
        .subquery()
    )
    wanted = (
        select(
            steps.c.id,
            told.c.told,
            steps.c.release.label("step_release"),
            steps.c.observed_at,
            versions.c.number,
            versions.c.source,
            versions.c.release,
            versions.c.registry_date,
            versions.c.registry_version,
        )
        .join(told, told.c.id == steps.c.id)
        .outerjoin(versions, versions.c.number == steps.c.to_version)
    )
    found = (
        StepPlace(
            row.id,
            order.step_key(None if row.number is None else row, row.step_release, row.observed_at, row.id),
            row.told,
        )
        for row in connection.execute(wanted)
    )
    return sorted(found, key=lambda place: place.key, reverse=True)


def latest_steps(connection: Connection, places: Sequence[StepPlace], most: int) -> list[tuple[StepPlace, Step]]:
    """The steps at the first of these places, in their order: as many as told not more than `most` changes together,
    one at least.
    """
    chosen = list(_within(places, most))
    found = {step.id: step for step in find_steps(connection, [place.step for place in chosen])}
    return [(place, found[place.step]) for place in chosen]


def _within(places: Sequence[StepPlace], most: int) -> Iterator[StepPlace]:
    told = 0
    for number, place in enumerate(places):
        told += place.told
        if number and told > most:
            return
        yield place
