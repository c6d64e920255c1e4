"""What changed across the archive, in the order in which it was stored: for lists, feeds and programs that poll.

The id of a change is its place. It only rises, also for what is filled in or reclassified late, and whoever stores a
step holds the chain until that is visible: who has read up to an id has missed nothing below it.
"""

from collections.abc import Collection, Iterator
from typing import Any

from msgspec import Struct
from sqlalchemy import ColumnElement, Connection, Select, func, select

from snapshots.archive.history import Step, steps_of_changes
from snapshots.archive.tables import changes as change_rows
from snapshots.archive.tables import records
from snapshots.archive.tables import steps as step_rows


class Asked(Struct, frozen=True, kw_only=True):
    """Which changes are asked for: of these kinds, severities and causes (None: any); `records` selects the rows of
    the few records that they are about, `among` those of many, `changes` the ids of changes; stored after or before a
    change's id.
    """

    kinds: Collection[str] | None = None
    severities: Collection[str] | None = None
    causes: Collection[str] | None = None
    records: Select[Any] | None = None
    among: Select[Any] | None = None
    changes: Select[Any] | None = None
    after: int | None = None
    before: int | None = None


def newest(connection: Connection, asked: Asked, limit: int) -> list[Step]:
    """At most so many changes, the newest first: each step with those of its changes that are asked for."""
    wanted = _ids(asked).order_by(change_rows.c.id.desc()).limit(limit)
    ids = list(connection.execute(wanted).scalars())
    return sorted(steps_of_changes(connection, ids), key=lambda step: -step.id)


def following(connection: Connection, asked: Asked, limit: int) -> list[Step]:
    """At most so many changes, in the order in which they were stored."""
    wanted = _ids(asked).order_by(change_rows.c.id).limit(limit)
    return steps_of_changes(connection, list(connection.execute(wanted).scalars()))


def last_change(connection: Connection) -> int:
    """The id of the change that was stored last; 0 where there is none."""
    return connection.execute(select(func.max(change_rows.c.id))).scalar() or 0


def first_told(connection: Connection, step: int) -> int:
    """The step that told first what this one tells by better rules; the step itself where there was none."""
    while True:
        before = select(func.min(step_rows.c.id)).where(step_rows.c.superseded_by == step)
        found: int | None = connection.execute(before).scalar()
        if found is None:
            return step
        step = found


def rows_of(record: int) -> Select[Any]:
    """The rows of a record (its number) and of those that were merged into it."""
    return select(records.c.id).where((records.c.id == record) | (records.c.merged_into == record))


def _ids(asked: Asked) -> Select[Any]:
    if asked.among is None:
        joined = select(change_rows.c.id).join(step_rows, step_rows.c.id == change_rows.c.step)
        return joined.where(*_of_change(asked), *_of_step(asked))
    # so that the newest changes are walked until there are enough, and not all steps of many records sorted
    its_step = select(step_rows.c.id).where(step_rows.c.id == change_rows.c.step, *_of_step(asked))
    return select(change_rows.c.id).where(*_of_change(asked), its_step.correlate(change_rows).exists())


def _of_change(asked: Asked) -> Iterator[ColumnElement[bool]]:
    if asked.kinds is not None:
        yield change_rows.c.kind.in_(sorted(asked.kinds))
    if asked.severities is not None:
        yield change_rows.c.severity.in_(sorted(asked.severities))
    if asked.changes is not None:
        yield change_rows.c.id.in_(asked.changes)
    if asked.after is not None:
        yield change_rows.c.id > asked.after
    if asked.before is not None:
        yield change_rows.c.id < asked.before


def _of_step(asked: Asked) -> Iterator[ColumnElement[bool]]:
    if asked.changes is None:
        # what somebody was told stays as it was told
        yield step_rows.c.superseded_by.is_(None)
    if asked.causes is not None:
        yield step_rows.c.cause.in_(sorted(asked.causes))
    if asked.records is not None:
        yield step_rows.c.record.in_(asked.records)
    if asked.among is not None:
        yield step_rows.c.record.in_(asked.among)
