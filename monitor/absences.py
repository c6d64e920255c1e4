"""When did the registry not answer for a record? A sweep that asked in vain leaves a row, a believed absence a step."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime

from msgspec import Struct
from sqlalchemy import Connection, and_, select

from monitor.looks import Look, looks
from snapshots import archive
from snapshots.archive import Record, VersionInfo
from snapshots.archive.coverage import NEW, under
from snapshots.archive.merges import names
from snapshots.archive.order import history_date, is_back_filled
from snapshots.archive.tables import sweep_exceptions, sweeps


class Silence(Struct, frozen=True, kw_only=True):
    """A sweep that asked for the record in vain: the ISO day of its release, when it began, and whether the registry
    said that it has no such record (else no answer was had, or none that could be believed or read).
    """

    day: str
    at: datetime
    is_absent: bool


class Absence(Struct, frozen=True, kw_only=True):
    """From the ISO day `since` up to the one before `until` (None: to this day) the registry had no such record.
    `is_believed`: it was absent in two releases running.
    """

    since: str
    until: str | None
    is_believed: bool


class Asked(Struct, frozen=True):
    """What asking for a record has brought, the oldest first: answers, silences that were not over on the same day, and
    the times in which the registry had no such record.
    """

    looks: Sequence[Look]
    silences: Sequence[Silence]
    absences: Sequence[Absence]


class _Event(Struct, frozen=True, order=True):
    """Something that begins, confirms or ends an absence. Of one moment they come in this order."""

    at: datetime
    turn: int
    day: str


_ABSENT, _BELIEVED, _ANSWERED = range(3)


def asked_for(
    connection: Connection, record: Record, versions: Sequence[VersionInfo], before: str | None = None
) -> Asked:
    """What asking for the record has brought. `versions` are those stored of it, without those of merged ones; `before`
    is the ISO day on which it was merged into another.
    """
    silent, tried_again = _silences(connection, record)
    every = sorted([*looks(connection, record, versions), *tried_again], key=lambda look: look.at)
    answered = [look for look in every if before is None or look.day < before]
    answers = {look.day for look in tried_again}
    left = [each for each in silent if each.day not in answers]
    events = [_Event(each.at, _ABSENT, each.day) for each in left if each.is_absent]
    events += [_Event(look.at, _ANSWERED, look.day) for look in answered]
    events += [_Event(each.observed_at, _ANSWERED, history_date(each)) for each in _observed(versions)]
    found = absences([*events, *_told(connection, record, versions)])
    if record.missing_since and not (found and found[-1].until is None):
        since = record.absent_since or record.missing_since
        found.append(Absence(since=since[:10], until=None, is_believed=True))
    return Asked(answered, left, found)


def absences(events: Iterable[_Event]) -> list[Absence]:
    """The times between the first silence and the next answer; pure."""
    found: list[Absence] = []
    since, is_believed = "", False
    for event in sorted(events):
        if event.turn == _ANSWERED:
            if since:
                found.append(Absence(since=since, until=event.day, is_believed=is_believed))
            since, is_believed = "", False
        else:
            since, is_believed = since or event.day, is_believed or event.turn == _BELIEVED
    return [*found, Absence(since=since, until=None, is_believed=is_believed)] if since else found


def _silences(connection: Connection, record: Record) -> tuple[list[Silence], list[Look]]:
    """What was asked in vain; and the answers that only a later try for what was owed has had."""
    later, again = sweeps.alias(), sweep_exceptions.alias()
    mine = and_(sweeps.c.registry == record.registry, under(names(connection, record)))
    in_vain_again = and_(again.c.sweep == later.c.id, again.c.registry_id == sweep_exceptions.c.registry_id)
    rows = connection.execute(
        select(
            sweeps.c.release,
            sweeps.c.started_at,
            sweep_exceptions.c.reason,
            later.c.release.label("later_release"),
            later.c.started_at.label("later_at"),
            # a sweep over everything settles also what it did not ask for
            and_(later.c.scope == NEW, again.c.sweep.is_(None)).label("is_answer"),
        )
        .join(sweeps, sweeps.c.id == sweep_exceptions.c.sweep)
        .outerjoin(later, later.c.id == sweep_exceptions.c.settled_by)
        .outerjoin(again, in_vain_again)
        .where(mine)
        .order_by(sweeps.c.id)
    ).all()
    silent = [Silence(day=row.release[:10], at=row.started_at, is_absent=row.reason == "absent") for row in rows]
    return silent, [Look(row.later_release[:10], row.later_at) for row in rows if row.is_answer]


def _observed(versions: Sequence[VersionInfo]) -> Iterator[VersionInfo]:
    return (each for each in versions if not is_back_filled(each.source))


def _told(connection: Connection, record: Record, versions: Sequence[VersionInfo]) -> Iterator[_Event]:
    """The steps that tell that the record went or came back."""
    turns = {"record.missing": _BELIEVED, "record.returned": _ANSWERED}
    own = {each.number for each in versions}
    for step in archive.steps(connection, record.registry, record.registry_id, kinds=turns):
        if step.to_version in own:
            day = (step.release or step.observed_at.isoformat())[:10]
            yield from (_Event(step.observed_at, turns[told.change.kind], day) for told in step.changes)
