"""What happened to a record, moment by moment: steps and the changes each one told, in history order."""

from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import UTC, datetime
from itertools import groupby
from typing import Any, TypeVar

import msgspec
from msgspec import Struct
from sqlalchemy import Connection, Row, RowMapping, Select, bindparam, insert, or_, select, update

from snapshots.archive import order, texts
from snapshots.archive.chain import hold_chain
from snapshots.archive.records import find_record
from snapshots.archive.tables import changes as change_rows
from snapshots.archive.tables import record_ids, records, versions
from snapshots.archive.tables import steps as step_rows
from snapshots.changes import Change, from_json, to_json
from snapshots.kinds import RULES_VERSION

Given = TypeVar("Given")
Made = TypeVar("Made")

OBSERVED, BACK_FILLED, SEARCH, REGISTRY = "observed", "back-filled", "search", "registry"
CAUSES = (OBSERVED, BACK_FILLED, SEARCH, REGISTRY)
"""Why a step was made: seen in a sweep, filled in from the past, found or lost by a search, said of the registry."""


class StepFacts(Struct, frozen=True, kw_only=True):
    """What happened at one moment: from which version to which (None: there is none), at which release, observed when
    (aware UTC), and its cause, one of `CAUSES`. `registry_id` None: it is about the registry, not one record.
    """

    registry: str
    registry_id: str | None = None
    from_version: int | None = None
    to_version: int | None = None
    release: str | None = None
    observed_at: datetime
    cause: str = OBSERVED


class StoredChange(Struct, frozen=True):
    """A change and the id under which it is stored, the same for ever; `rules_version` is that of the rules which
    found it.
    """

    id: int
    change: Change
    rules_version: int = RULES_VERSION


class Step(Struct, frozen=True, kw_only=True):
    """A stored step. `registry_id` is the record's id of today, `title` its newest; both None for the registry's own.
    `superseded_by` names the step that tells the same by better rules.
    """

    id: int
    registry: str
    registry_id: str | None
    title: str | None
    from_version: int | None
    to_version: int | None
    release: str | None
    observed_at: datetime
    cause: str
    changes: tuple[StoredChange, ...]
    superseded_by: int | None = None


def record_step(
    connection: Connection, facts: StepFacts, changes: Sequence[Change], supersedes: int | None = None
) -> Step:
    """Store a step and what it told, in the given order. Raises ValueError for a record that is not in the archive.

    `supersedes` is the step that told the same moment by older rules: it stays, and is left out of the history.
    """
    if facts.cause not in CAUSES:
        raise ValueError(f"{facts.cause!r} is no cause of a step")
    record = _named(connection, facts)
    values = {
        "registry": facts.registry,
        "record": record.id if record else None,
        "from_version": facts.from_version,
        "to_version": facts.to_version,
        "release": facts.release,
        "observed_at": facts.observed_at,
        "cause": facts.cause,
    }
    step = connection.execute(_INSERT_STEP, values).scalar_one()
    told = _tell(connection, step, changes)
    if supersedes is not None:
        connection.execute(update(step_rows).where(step_rows.c.id == supersedes).values(superseded_by=step))
    facts = msgspec.structs.replace(facts, registry_id=record.registry_id if record else None)
    return Step(id=step, title=record.title if record else None, changes=told, **msgspec.structs.asdict(facts))


def _tell(connection: Connection, step: int, changes: Sequence[Change]) -> tuple[StoredChange, ...]:
    if not changes:
        return ()
    # ids rise in the order in which others see them: who polls by them must miss none that is committed late
    hold_chain(connection)
    kept = texts.put_away(connection, [to_json(change) for change in changes])
    rows = [_row(step, at, change, row) for at, (change, row) in enumerate(zip(changes, kept, strict=True))]
    ids = {position: each for each, position in connection.execute(_INSERT_CHANGES, rows)}
    return tuple(StoredChange(ids[at], change) for at, change in enumerate(changes))


def find_step(connection: Connection, step: int) -> Step:
    """The stored step. Raises LookupError for a number that is none."""
    found = _grouped(connection, _STEP, {"step": step})
    if not found:
        raise LookupError(f"there is no step {step}")
    return found[0]


def find_steps(connection: Connection, numbers: Collection[int]) -> list[Step]:
    """These stored steps in the order in which they were stored. Raises LookupError for a number that is none."""
    listed = sorted(set(numbers))
    found: list[Step] = []
    for start in range(0, len(listed), texts.ROWS_AT_ONCE):
        found += _grouped(connection, _OF_STEPS, {"steps": listed[start : start + texts.ROWS_AT_ONCE]})
    missing = set(listed) - {step.id for step in found}
    if missing:
        raise LookupError(f"there is no step {min(missing)}")
    return found


def steps_of_changes(connection: Connection, ids: Collection[int]) -> list[Step]:
    """The steps that tell these changes, with these alone, in the order in which they were stored."""
    listed = sorted(set(ids))
    found: dict[int, Step] = {}
    for start in range(0, len(listed), texts.ROWS_AT_ONCE):
        batch = listed[start : start + texts.ROWS_AT_ONCE]
        for step in _grouped(connection, _OF_CHANGES, {"changes": batch}):
            before = found.get(step.id)
            kept = (*before.changes, *step.changes) if before else step.changes
            found[step.id] = msgspec.structs.replace(step, changes=kept)
    return [found[number] for number in sorted(found)]


def summary(number: int, stored: str) -> str:
    """What the change of this id says happened, from the row that holds it. Raises CorruptChange."""
    return _of_change(number, texts.summary, stored)


def steps(
    connection: Connection,
    registry: str,
    registry_id: str | None,
    since: str | None = None,
    kinds: Collection[str] | None = None,
    *,
    with_superseded: bool = False,
) -> list[Step]:
    """What happened to a record (by any of its ids; None: to the registry as a whole), in history order.

    `since` is an ISO date: of the release, or the registry's date for what was back-filled. With `kinds` each step has
    only its changes of these kinds, and steps without any are left out. Records merged into this one are told with it.
    Superseded steps, which somebody may have been told, come only `with_superseded`.
    """
    row = _selected(connection, registry, registry_id)
    if row is None:
        return []
    wanted = _STEPS.where(row)
    if not with_superseded:
        wanted = wanted.where(step_rows.c.superseded_by.is_(None))
    keys = _history_keys(connection, row)
    found = [step for step in _grouped(connection, wanted) if since is None or keys[step.id][0] >= since]
    told = found if kinds is None else [_only(step, kinds) for step in found]
    kept = told if kinds is None else [step for step in told if step.changes]
    return sorted(kept, key=lambda step: keys[step.id])


def steps_between(
    connection: Connection,
    after: datetime,
    until: datetime,
    causes: Collection[str] = CAUSES,
    registry_ids: Collection[str] | None = None,
) -> list[Step]:
    """Steps observed after `after` and not after `until` (aware UTC), in the order in which they were stored."""
    wanted = _STEPS.where(
        step_rows.c.observed_at > after,
        step_rows.c.observed_at <= until,
        step_rows.c.cause.in_(list(causes)),
        step_rows.c.superseded_by.is_(None),
    )
    if registry_ids is not None:
        wanted = wanted.where(records.c.registry_id.in_(list(registry_ids)))
    return _grouped(connection, wanted)


def stored_change_json(step: Step, stored: StoredChange, url: str | None) -> dict[str, Any]:
    """The change as every face of the program shows it; `url` is where a person reads the record."""
    record = {"registry": step.registry, "id": step.registry_id, "title": step.title, "url": url}
    return {
        "id": stored.id,
        **to_json(stored.change),
        "record": None if step.registry_id is None else record,
        "from_version": step.from_version,
        "to_version": step.to_version,
        "release": step.release,
        "observed_at": rfc3339(step.observed_at),
    }


def rfc3339(moment: datetime) -> str:
    """An aware time as RFC 3339 in UTC, to the second where it has no fraction: "2026-03-25T09:00:05Z"."""
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")


def _named(connection: Connection, facts: StepFacts) -> Row[Any, Any, Any] | None:
    """Row, id of today and title of the record that the facts are about."""
    if facts.registry_id is None:
        return None
    found: Row[Any, Any, Any] | None = connection.execute(
        _NAMED, {"registry": facts.registry, "id": facts.registry_id}
    ).one_or_none()
    if found is None:
        raise ValueError(f"{facts.registry_id} is not in the archive: nothing can have happened to it")
    return found


def _row(step: int, position: int, change: Change, stored: str) -> dict[str, Any]:
    return {
        "step": step,
        "position": position,
        "rules_version": RULES_VERSION,
        "kind": change.kind,
        "severity": change.severity,
        "change": stored,
    }


def _selected(connection: Connection, registry: str, registry_id: str | None) -> Any:
    if registry_id is None:
        return step_rows.c.record.is_(None) & (step_rows.c.registry == registry)
    record = find_record(connection, registry, registry_id)
    if record is None:
        return None
    merged = select(records.c.id).where(or_(records.c.id == record.id, records.c.merged_into == record.id))
    return step_rows.c.record.in_(merged)


def _history_keys(connection: Connection, chosen: Any) -> dict[int, order.Key]:
    led_to = select(
        step_rows.c.id,
        step_rows.c.release.label("step_release"),
        step_rows.c.observed_at,
        versions.c.number,
        versions.c.source,
        versions.c.release,
        versions.c.registry_date,
        versions.c.registry_version,
    ).outerjoin(versions, versions.c.number == step_rows.c.to_version)
    return {
        row.id: order.step_key(
            None if row.number is None else row,
            row.step_release,
            row.observed_at,
            row.id,
        )
        for row in connection.execute(led_to.where(chosen))
    }


def _only(step: Step, kinds: Collection[str]) -> Step:
    return msgspec.structs.replace(step, changes=tuple(told for told in step.changes if told.change.kind in kinds))


_NAMED = (
    select(records.c.id, records.c.registry_id, records.c.title)
    .join(record_ids, record_ids.c.record == records.c.id)
    .where(record_ids.c.registry == bindparam("registry"), record_ids.c.registry_id == bindparam("id"))
)
_INSERT_STEP = insert(step_rows).returning(step_rows.c.id)
# not sorted by the database, for which SQLite would insert them one by one
_INSERT_CHANGES = insert(change_rows).returning(change_rows.c.id, change_rows.c.position)
"""Built once, as in `appending`."""

_STEPS = (
    select(
        step_rows.c.id,
        step_rows.c.registry,
        records.c.registry_id,
        records.c.title,
        step_rows.c.from_version,
        step_rows.c.to_version,
        step_rows.c.release,
        step_rows.c.observed_at,
        step_rows.c.cause,
        step_rows.c.superseded_by,
        change_rows.c.id.label("change_id"),
        change_rows.c.change,
        change_rows.c.rules_version,
    )
    .outerjoin(records, records.c.id == step_rows.c.record)
    .outerjoin(change_rows, change_rows.c.step == step_rows.c.id)
    .order_by(step_rows.c.id, change_rows.c.position)
)
_STEP = _STEPS.where(step_rows.c.id == bindparam("step"))
_OF_STEPS = _STEPS.where(step_rows.c.id.in_(bindparam("steps", expanding=True)))  # built once: every message asks it
_THESE = change_rows.c.id.in_(bindparam("changes", expanding=True))
# by their steps first: else all steps are walked, as the join is an outer one
_OF_CHANGES = _STEPS.where(step_rows.c.id.in_(select(change_rows.c.step).where(_THESE)), _THESE)
_CHANGE_COLUMNS = ("change_id", "change", "rules_version")


def _grouped(connection: Connection, wanted: Select[Any], given: Mapping[str, Any] = {}) -> list[Step]:
    rows = connection.execute(wanted, given).mappings().all()
    told = _changes(connection, {row["change_id"]: row["change"] for row in rows if row["change_id"] is not None})
    return [_step(list(of_step), told) for _, of_step in groupby(rows, key=lambda row: row["id"])]


def _changes(connection: Connection, stored: Mapping[int, str]) -> dict[int, Change]:
    """Changes by id, from how they are stored; the texts that they quote are fetched together. Raises CorruptChange."""
    quoting = {number: _of_change(number, texts.opened, row) for number, row in stored.items()}
    wanted = {text for each in quoting.values() for _, text in each.texts}
    found = texts.read(connection, wanted)
    return {
        number: _of_change(number, lambda told: from_json(texts.filled(told, found)), each)
        for number, each in quoting.items()
    }


def _of_change(number: int, work: Callable[[Given], Made], given: Given) -> Made:
    try:
        return work(given)
    except (ValueError, msgspec.MsgspecError) as error:
        raise texts.CorruptChange(number, str(error)) from error


def _step(rows: Sequence[RowMapping], changes: Mapping[int, Change]) -> Step:
    own = {name: value for name, value in rows[0].items() if name not in _CHANGE_COLUMNS}
    told = tuple(
        StoredChange(row["change_id"], changes[row["change_id"]], row["rules_version"])
        for row in rows
        if row["change_id"] is not None
    )
    return Step(changes=told, **own)
