"""What is new in what is watched: release by release, the most severe first, and whether a visitor has seen it."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from msgspec import Struct, structs
from sqlalchemy import ColumnElement, CompoundSelect, Connection, Select, and_, case, delete, func, or_, select

from notifiers.tables import acknowledgements, delivery_changes, seen_steps
from notifiers.watched_rows import is_watched, watched_rows
from snapshots import archive
from snapshots.archive import Step
from snapshots.archive.tables import changes as change_rows
from snapshots.archive.tables import steps as step_rows
from snapshots.database import insert_if_absent
from snapshots.kinds import SEVERITIES

CAUSES = ("observed", "search", "registry")
"""What is news: what was filled in from the past is not."""
FIRST_SEEN = "record.first_seen"
"""The baseline of a watch tells that it begins; it is no change."""
MANY = 2_000
"""Marks of one visitor from which on what was seen is frequent among the newest."""
WINDOWS = (1, 2, 10, 40)
"""How many releases are looked through for one page: few where much changes, more where the filters leave little."""


class Asked(Struct, frozen=True, kw_only=True):
    """Which changes are asked for: of these severities and kinds (None: any), of trials watched in `group`; only those
    that `visitor` has seen, or has not (`is_seen`; None: both).
    """

    visitor: str
    severities: Collection[str] | None = None
    kinds: Collection[str] | None = None
    group: str | None = None
    is_seen: bool | None = None


class Place(Struct, frozen=True):
    """Where a page ends: the release, the rank of the severity, the step."""

    release: str
    rank: int
    step: int


class Seen(Struct, frozen=True):
    """That a step was seen: by whom and when (aware UTC); `by` None: by the visitor, who marked it on the page."""

    by: str | None
    at: datetime


class Tally(Struct, frozen=True):
    """How many of a step's changes were seen, `of` how many, and `by` whom: "you" is the visitor."""

    seen: int
    of: int
    by: tuple[str, ...]


class Item(Struct, frozen=True):
    """A step with those of its changes that were asked for, how many others it has, who saw all of it (None: nobody),
    and how much of it was seen: a message may have told only some of its changes.
    """

    step: Step
    others: int
    seen: Seen | None
    tally: Tally


class Page(Struct, frozen=True):
    """A page of news. `older` is where the next begins (None: this is the end); `looked_back_to` the release up to
    which was looked (None: there is none yet).
    """

    items: tuple[Item, ...]
    older: Place | None
    looked_back_to: str | None


def page(connection: Connection, asked: Asked, after: Place | None, limit: int) -> Page:
    """At most `limit` steps: the newest release first, within it the most severe, within those the newest."""
    found: list[Any] = []
    last: str | None = None
    looked = 0
    bounds = [after.release] if after else []
    for releases in WINDOWS:
        bounds += _releases(connection, bounds[-1] if bounds else None, releases - len(bounds))
        if len(bounds) == looked:
            break
        first, last, looked = bounds[looked], bounds[-1], len(bounds)
        wanted = _steps(connection, asked, after, first, last).limit(limit + 1 - len(found))
        found += connection.execute(wanted)
        if len(found) > limit or looked < releases:
            break
    shown = found[:limit]
    return Page(_items(connection, asked, [row.id for row in shown]), _older(connection, found, limit, last), last)


def mark_seen(connection: Connection, visitor: str, steps: Iterable[int], now: datetime) -> int:
    """`visitor` has seen these steps; how many were new to them. Numbers that are no steps are passed over."""
    known = connection.execute(select(step_rows.c.id).where(step_rows.c.id.in_(sorted(set(steps))))).scalars().all()
    return sum(insert_if_absent(connection, seen_steps, {"by": visitor, "step": one, "at": now}) for one in known)


def unmark_seen(connection: Connection, visitor: str, steps: Collection[int]) -> None:
    """`visitor` takes that back."""
    here = and_(seen_steps.c.by == visitor, seen_steps.c.step.in_(sorted(set(steps))))
    connection.execute(delete(seen_steps).where(here))


def _releases(connection: Connection, before: str | None, most: int) -> list[str]:
    """The newest releases in which something happened, before that one; each a look into the index."""
    found: list[str] = []
    while len(found) < most:
        release = _newest_release(connection, found[-1] if found else before)
        if release is None:
            break
        found.append(release)
    return found


def _newest_release(connection: Connection, before: str | None) -> str | None:
    earlier = [] if before is None else [step_rows.c.release < before]
    found: str | None = connection.execute(select(func.max(step_rows.c.release)).where(*earlier)).scalar()
    return found


def _steps(connection: Connection, asked: Asked, after: Place | None, newest: str, oldest: str) -> Select[Any]:
    rank = func.min(case({name: number for number, name in enumerate(SEVERITIES)}, value=change_rows.c.severity))
    of = step_rows.c
    wanted = (
        select(of.id, of.release, rank.label("rank"))
        .join(change_rows, change_rows.c.step == of.id)
        .where(of.release >= oldest, of.release <= newest, of.cause.in_(CAUSES), of.superseded_by.is_(None))
        .where(change_rows.c.kind != FIRST_SEEN, *_conditions(connection, asked))
        .group_by(of.id, of.release)
        .order_by(of.release.desc(), rank, of.id.desc())
    )
    if after is None:
        return wanted
    later = or_(rank > after.rank, and_(rank == after.rank, of.id < after.step))
    return wanted.having(or_(of.release < after.release, and_(of.release == after.release, later)))


def _conditions(connection: Connection, asked: Asked) -> list[ColumnElement[bool]]:
    told = [_is_watched(asked.group)]
    if asked.severities is not None:
        told.append(change_rows.c.severity.in_(sorted(asked.severities)))
    if asked.kinds is not None:
        told.append(change_rows.c.kind.in_(sorted(asked.kinds)))
    if asked.is_seen is not None:
        told.append(is_seen(connection, asked.visitor, asked.is_seen, step_rows.c.id))
    return told


def _is_watched(group: str | None) -> ColumnElement[bool]:
    """Of a step: what concerns a whole registry is about all that is watched."""
    record = step_rows.c.record
    return or_(is_watched(record), record.is_(None)) if group is None else record.in_(watched_rows(group))


def is_seen(
    connection: Connection, visitor: str, wanted: bool, step: ColumnElement[int] = change_rows.c.step
) -> ColumnElement[bool]:
    """Whether the visitor marked the step of a row of `changes` as seen, or anybody a message that tells it; or that
    nobody did so. `step` is where the query has the step's number: that of `steps` is looked at once for all its rows.
    """
    if wanted and not _is_much(connection, visitor):
        # what is rare among many is not looked for, but begun with
        marked = select(change_rows.c.id).where(change_rows.c.step.in_(_marked(visitor)))
        return change_rows.c.id.in_(marked.union(_acknowledged()))
    # each by itself is a look into an index; in one they would cost each row as much as the visitor has marks
    looks = (
        select(seen_steps.c.step).where(seen_steps.c.by == visitor, seen_steps.c.step == step),
        _told_anew(visitor).where(_FORMER.c.superseded_by == step),
        _acknowledged().where(delivery_changes.c.change_id == change_rows.c.id),
    )
    seen = [each.correlate(step_rows, change_rows).exists() for each in looks]
    return or_(*seen) if wanted else and_(*(~each for each in seen))


def _is_much(connection: Connection, visitor: str) -> bool:
    marks = select(seen_steps.c.step).where(seen_steps.c.by == visitor)
    return any(
        connection.execute(wanted.offset(MANY).limit(1)).first() is not None for wanted in (marks, _acknowledged())
    )


def _marked(visitor: str) -> CompoundSelect[int]:
    """The steps that the visitor marked; and those which tell anew, by better rules, what they told."""
    return select(seen_steps.c.step).where(seen_steps.c.by == visitor).union(_told_anew(visitor))


_FORMER = step_rows.alias("former")


def _told_anew(visitor: str) -> Select[int]:
    wanted = select(_FORMER.c.superseded_by).join(seen_steps, seen_steps.c.step == _FORMER.c.id)
    return wanted.where(seen_steps.c.by == visitor, _FORMER.c.superseded_by.is_not(None))


def _acknowledged() -> Select[int]:
    return select(delivery_changes.c.change_id).join(
        acknowledgements, acknowledgements.c.delivery_id == delivery_changes.c.delivery_id
    )


def _older(connection: Connection, found: Sequence[Any], limit: int, last: str | None) -> Place | None:
    if len(found) > limit:
        return Place(found[limit - 1].release, found[limit - 1].rank, found[limit - 1].id)
    if last is None:
        return None
    return Place(last, len(SEVERITIES), 0) if _newest_release(connection, last) is not None else None


def _items(connection: Connection, asked: Asked, numbers: Sequence[int]) -> tuple[Item, ...]:
    marks = _marks(connection, asked.visitor, numbers)
    acknowledged = _acknowledged_in(connection, numbers)
    steps = {step.id: step for step in archive.find_steps(connection, numbers)}
    return tuple(_item(steps[number], asked, marks.get(number), acknowledged) for number in numbers)


def _item(step: Step, asked: Asked, mark: Seen | None, acknowledged: Mapping[int, Seen]) -> Item:
    news = [stored for stored in step.changes if stored.change.kind != FIRST_SEEN]
    seen = {stored.id for stored in news if mark or stored.id in acknowledged}
    told = [
        stored
        for stored in news
        if (asked.severities is None or stored.change.severity in asked.severities)
        and (asked.kinds is None or stored.change.kind in asked.kinds)
        and (asked.is_seen is None or (stored.id in seen) == asked.is_seen)
    ]
    told.sort(key=lambda stored: SEVERITIES.index(stored.change.severity))
    readers = sorted({acknowledged[each] for each in seen if each in acknowledged}, key=lambda one: one.at)
    names = tuple(dict.fromkeys(one.by or "" for one in readers))
    is_told = bool(readers) and all(stored.id in acknowledged for stored in news)
    return Item(
        structs.replace(step, changes=tuple(told)),
        len(step.changes) - len(told),
        # an acknowledged alert first, since it says who; else the visitor's own mark
        Seen(", ".join(names), readers[-1].at) if is_told else mark,
        Tally(len(seen), len(news), names if is_told or not mark else (*names, "you")),
    )


def _marks(connection: Connection, visitor: str, steps: Sequence[int]) -> dict[int, Seen]:
    """The visitor's own marks, by step."""
    anew = select(step_rows.c.id, step_rows.c.superseded_by).where(step_rows.c.superseded_by.in_(steps))
    told_by = {row.id: row.superseded_by for row in connection.execute(anew)}
    marks = select(seen_steps).where(seen_steps.c.by == visitor, seen_steps.c.step.in_([*steps, *told_by]))
    return {told_by.get(row.step, row.step): Seen(None, row.at) for row in connection.execute(marks)}


def _acknowledged_in(connection: Connection, steps: Sequence[int]) -> dict[int, Seen]:
    """Who was first to say of a message that it was seen, by change that it told."""
    acknowledged = (
        select(change_rows.c.id, acknowledgements.c.by, acknowledgements.c.at)
        .join(delivery_changes, delivery_changes.c.change_id == change_rows.c.id)
        .join(acknowledgements, acknowledgements.c.delivery_id == delivery_changes.c.delivery_id)
        .where(change_rows.c.step.in_(steps))
        .order_by(acknowledgements.c.at.desc())
    )
    return {row.id: Seen(row.by, row.at) for row in connection.execute(acknowledged)}
