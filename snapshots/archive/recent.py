"""What changed across the archive, in the order in which it was stored: for lists, feeds and programs that poll.

The id of a change is its place. It only rises, also for what is filled in or reclassified late, and whoever stores a
step holds the chain until that is visible: who has read up to an id has missed nothing below it.
"""

from collections.abc import Collection
from typing import Any

from msgspec import Struct
from sqlalchemy import Connection, Select, func, select

from snapshots.archive.history import Step, steps_of_changes
from snapshots.archive.tables import changes as change_rows
from snapshots.archive.tables import records
from snapshots.archive.tables import steps as step_rows


class Asked(Struct, frozen=True, kw_only=True):
    """Which changes are asked for: of these kinds, severities and causes (None: any); `records` selects the rows of
    records that they are about, `changes` the ids of changes; stored after or before a change's id.
    """

    kinds: Collection[str] | None = None
    severities: Collection[str] | None = None
    causes: Collection[str] | None = None
    records: Select[Any] | None = None
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
    wanted = select(change_rows.c.id).join(step_rows, step_rows.c.id == change_rows.c.step)
    wanted = wanted.where(step_rows.c.superseded_by.is_(None))
    given = (
        (asked.kinds, lambda names: change_rows.c.kind.in_(sorted(names))),
        (asked.severities, lambda names: change_rows.c.severity.in_(sorted(names))),
        (asked.causes, lambda names: step_rows.c.cause.in_(sorted(names))),
        (asked.records, step_rows.c.record.in_),
        (asked.changes, change_rows.c.id.in_),
        (asked.after, lambda number: change_rows.c.id > number),
        (asked.before, lambda number: change_rows.c.id < number),
    )
    return wanted.where(*(condition(value) for value, condition in given if value is not None))
