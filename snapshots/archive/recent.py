"""What changed across the archive, in the order in which it was stored: for lists, feeds and programs that poll.

The id of a change is its place. It only rises, also for what is filled in or reclassified late, and whoever stores a
step holds the chain until that is visible: who has read up to an id has missed nothing below it.
"""

from collections.abc import Collection, Iterator, Sequence
from typing import Any

from msgspec import Struct
from msgspec.structs import replace
from sqlalchemy import ColumnElement, Connection, Select, func, select

from snapshots.archive.history import Step, steps_of_changes
from snapshots.archive.tables import changes as change_rows
from snapshots.archive.tables import records
from snapshots.archive.tables import steps as step_rows

WALKED, FEW = 5_000, 2_000
"""So many changes are looked at one by one, whomever they are about; records with so few steps are asked for theirs."""
WINDOWS = (5_000, 50_000)
"""How many changes are looked through at once for a page, before all that are left."""


class Asked(Struct, frozen=True, kw_only=True):
    """Which changes are asked for: of these kinds, severities and causes (None: any); `records` selects the rows of
    the few records that they are about, `among` those of many, `is_among` asks the same of a row of `steps` (where that
    costs less than a list of them all), `changes` the ids of changes; stored after or before a change's id. `where` is
    a condition of the asker's own on rows of `changes`.
    """

    kinds: Collection[str] | None = None
    severities: Collection[str] | None = None
    causes: Collection[str] | None = None
    records: Select[Any] | None = None
    among: Select[Any] | None = None
    is_among: ColumnElement[bool] | None = None
    changes: Select[Any] | None = None
    where: ColumnElement[bool] | None = None
    after: int | None = None
    before: int | None = None


def newest(connection: Connection, asked: Asked, limit: int) -> list[Step]:
    """At most so many changes, the newest first: each step with those of its changes that are asked for."""
    ids = _first(connection, asked, limit, is_newest=True)
    return sorted(steps_of_changes(connection, ids), key=lambda step: -step.id)


def newest_steps(connection: Connection, asked: Asked, limit: int) -> tuple[set[int], int | None]:
    """The steps that tell the newest `limit` changes, and the id before which those begin that tell no change of them.

    None: there are no such changes.
    """
    its = select(change_rows.c.step).where(change_rows.c.id.in_(_first(connection, asked, limit, is_newest=True)))
    begin = select(change_rows.c.step, func.min(change_rows.c.id)).where(change_rows.c.step.in_(its))
    found = {row[0]: row[1] for row in connection.execute(begin.group_by(change_rows.c.step))}
    return set(found), min(found.values(), default=None)


def following(connection: Connection, asked: Asked, limit: int) -> list[Step]:
    """At most so many changes, in the order in which they were stored."""
    return steps_of_changes(connection, _first(connection, asked, limit, is_newest=False))


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


def steps_of(connection: Connection, ids: Collection[int]) -> list[int]:
    """The steps that these changes belong to, by their numbers; ids of no change are passed over."""
    wanted = select(change_rows.c.step).where(change_rows.c.id.in_(sorted(set(ids)))).distinct()
    return sorted(connection.execute(wanted).scalars())


def rows_of(record: int) -> Select[Any]:
    """The rows of a record (its number) and of those that were merged into it."""
    return select(records.c.id).where((records.c.id == record) | (records.c.merged_into == record))


def _first(connection: Connection, asked: Asked, limit: int, *, is_newest: bool) -> list[int]:
    """The ids of the first changes, by id, from the newest on or from the oldest."""
    if asked.among is None and (asked.where is None or asked.records is not None):
        return _ids(connection, _joined(asked), limit, is_newest=is_newest)
    low = asked.after or 0
    high = last_change(connection) + 1 if asked.before is None else asked.before
    few = _few_steps(connection, asked.among) if asked.among is not None and high - low > WALKED else None
    if few is not None:
        return _ids(connection, _of_few(asked, few), limit, is_newest=is_newest)
    return _walked(connection, asked, (low, high), limit, is_newest=is_newest)


def _ids(connection: Connection, wanted: Select[Any], limit: int, *, is_newest: bool) -> list[int]:
    at = change_rows.c.id
    return list(connection.execute(wanted.order_by(at.desc() if is_newest else at).limit(limit)).scalars())


def _joined(asked: Asked) -> Select[Any]:
    joined = select(change_rows.c.id).join(step_rows, step_rows.c.id == change_rows.c.step)
    return joined.where(*_of_change(asked), *_of_step(asked))


def _few_steps(connection: Connection, among: Select[Any]) -> list[int] | None:
    """The steps of these records, where they are few."""
    theirs = select(step_rows.c.id).where(step_rows.c.record.in_(among)).limit(FEW + 1)
    found = list(connection.execute(theirs).scalars())
    return found if len(found) <= FEW else None


def _of_few(asked: Asked, steps: Sequence[int]) -> Select[Any]:
    """From the steps of these records, for those that seldom change would have the whole archive walked.

    Ids, kinds and severities are reckoned with, not looked up: no index on them is better here than their steps.
    """
    changes = change_rows.c
    told = (changes.id + 0, changes.kind.concat(""), changes.severity.concat(""))
    joined = select(changes.id).join(step_rows, step_rows.c.id == changes.step)
    return joined.where(
        changes.step.in_(steps), *_of_change(asked, *told), *_of_step(replace(asked, among=None, is_among=None))
    )


def _walked(
    connection: Connection, asked: Asked, between: tuple[int, int], limit: int, *, is_newest: bool
) -> list[int]:
    """Change by change, until there are enough: some thousands, then some more, for a database that was asked for all
    at once may look through all.
    """
    low, high = between
    found: list[int] = []
    for window in (*WINDOWS, max(high - low, 1)):
        part = (max(low, high - window), high) if is_newest else (low, min(high, low + window))
        here = replace(asked, after=part[0] - 1 if part[0] > between[0] else asked.after, before=part[1])
        found += _ids(connection, _each(here), limit - len(found), is_newest=is_newest)
        low, high = (low, part[0]) if is_newest else (part[1], high)
        if len(found) >= limit or low >= high:
            break
    return found


def _each(asked: Asked) -> Select[Any]:
    its_step = select(step_rows.c.id).where(step_rows.c.id == change_rows.c.step, *_of_step(asked))
    return select(change_rows.c.id).where(*_of_change(asked), its_step.correlate(change_rows).exists())


def _of_change(
    asked: Asked,
    number: ColumnElement[int] = change_rows.c.id,
    kind: ColumnElement[str] = change_rows.c.kind,
    severity: ColumnElement[str] = change_rows.c.severity,
) -> Iterator[ColumnElement[bool]]:
    if asked.kinds is not None:
        yield kind.in_(sorted(asked.kinds))
    if asked.severities is not None:
        yield severity.in_(sorted(asked.severities))
    if asked.changes is not None:
        yield change_rows.c.id.in_(asked.changes)
    if asked.where is not None:
        yield asked.where
    if asked.after is not None:
        yield number > asked.after
    if asked.before is not None:
        yield number < asked.before


def _of_step(asked: Asked) -> Iterator[ColumnElement[bool]]:
    if asked.changes is None:
        # what somebody was told stays as it was told
        yield step_rows.c.superseded_by.is_(None)
    if asked.causes is not None:
        yield step_rows.c.cause.in_(sorted(asked.causes))
    if asked.records is not None:
        yield step_rows.c.record.in_(asked.records)
    if asked.is_among is not None:
        yield asked.is_among
    elif asked.among is not None:
        yield step_rows.c.record.in_(asked.among)
