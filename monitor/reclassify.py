"""What would today's rules say of the versions that are stored? What differs is shown first, and stored when asked.

A recomputed step supersedes the one that told the same moment by older rules: the history shows the newer, the older
stays, and so does every message that was made of it. Nothing here is ever enqueued: what rules find later is no news.
"""

from collections.abc import Collection, Iterator, Sequence

from msgspec import Struct
from sqlalchemy import Connection, select

from snapshots import archive
from snapshots.archive import Step, StepFacts
from snapshots.archive.history import BACK_FILLED, OBSERVED
from snapshots.archive.tables import record_ids, records
from snapshots.changes import Change
from snapshots.database import Database
from snapshots.registry import Registry, RegistryError
from snapshots.rules import changes_between


class Difference(Struct, frozen=True):
    """A stored step of which today's rules say something else: what was told, and what would be, in their order."""

    step: Step
    now: tuple[Change, ...]

    @property
    def before(self) -> tuple[Change, ...]:
        return tuple(stored.change for stored in self.step.changes)

    @property
    def gone(self) -> list[Change]:
        """What was told and would not be told like this now."""
        return [change for change in self.before if change not in self.now]

    @property
    def come(self) -> list[Change]:
        """What would be told now and was not told like this."""
        return [change for change in self.now if change not in self.before]


class Unreadable(Struct, frozen=True):
    """A stored step that could not be looked at again, and why."""

    step: Step
    reason: str


def known_ids(connection: Connection, registry: str) -> list[str]:
    """The ids of all records in the archive, in order of id; a merged record is told with the one it became."""
    unmerged = select(records.c.registry_id).where(records.c.registry == registry, records.c.merged_into.is_(None))
    return list(connection.execute(unmerged.order_by(records.c.registry_id)).scalars())


def unknown_ids(connection: Connection, registry: str, ids: Sequence[str]) -> list[str]:
    """Of these ids those that select no record of the archive."""
    found = select(record_ids.c.registry_id).where(record_ids.c.registry == registry)
    known = set(connection.execute(found).scalars())
    return [each for each in ids if each not in known]


def look(database: Database, registry: Registry, registry_id: str) -> Iterator[Difference | Unreadable]:
    """What today's rules say otherwise of a record's steps, in history order; reads only."""
    with database.read() as connection:
        steps = archive.steps(connection, registry.name, registry_id)
        ids = {info.number: info.registry_id for info in archive.versions(connection, registry.name, registry_id)}
        for step in steps:
            if _tells_a_difference(step, ids):
                yield from _again(connection, registry, step)


def _tells_a_difference(step: Step, ids: dict[int, str]) -> bool:
    """Whether a step was told by comparing two versions of one record: nothing is compared across a merge."""
    versions: Collection[int | None] = {step.from_version, step.to_version}
    if step.cause not in (OBSERVED, BACK_FILLED) or None in versions or len(versions) < 2:
        return False
    return len({ids.get(version or 0) for version in versions}) == 1


def _again(connection: Connection, registry: Registry, step: Step) -> Iterator[Difference | Unreadable]:
    try:
        old, new = (
            registry.parse(archive.read_version(connection, version))
            for version in (step.from_version, step.to_version)
            if version is not None
        )
    except (archive.Unreadable, RegistryError) as error:
        yield Unreadable(step, str(error))
        return
    found = Difference(step, changes_between(old, new))
    if found.before != found.now:
        yield found


def apply(database: Database, differences: Sequence[Difference]) -> int:
    """Store the recomputed changes, each step superseding its older telling; how many were stored.

    One transaction. A step that another process superseded meanwhile is left as it is.
    """
    with database.write() as connection:
        return sum(_stored(connection, difference) for difference in differences)


def _stored(connection: Connection, difference: Difference) -> bool:
    step = archive.find_step(connection, difference.step.id)
    if step.superseded_by is not None:
        return False
    facts = StepFacts(
        registry=step.registry,
        registry_id=step.registry_id,
        from_version=step.from_version,
        to_version=step.to_version,
        release=step.release,
        observed_at=step.observed_at,
        cause=step.cause,
    )
    archive.record_step(connection, facts, difference.now, supersedes=step.id)
    return True
