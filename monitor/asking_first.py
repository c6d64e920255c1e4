"""What does the registry say of ids and searches that somebody is about to watch? From the archive, or asked once."""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Literal

from msgspec import Struct
from sqlalchemy import Connection, select

from monitor import wiring
from monitor.settings import Settings
from notifiers import outlook
from notifiers.tables import watches
from snapshots.archive.tables import record_ids, records
from snapshots.database import Database
from snapshots.registries.ctgov.client import CtgovRegistry
from snapshots.registry import Answer, NotAnswered, RawRecord, RegistryError

SECONDS = 12.0
"""How long the registry is asked while a person waits."""
IDS_AT_ONCE = 5000
"""Ids that a person may look up or add at once."""
IDS_AT_MOST = 100
"""Unknown ids that the registry is asked for at once, in one question; the next look asks for the others."""

Source = Literal["archive", "registry", "absent", "not asked"]


class Said(Struct, frozen=True, kw_only=True):
    """What is known of an id: `source` says from where. `why` is the trouble, in a sentence."""

    id: str
    source: Source
    title: str | None = None
    status: str | None = None
    why: str | None = None
    is_watched: bool = False


class Found(Struct, frozen=True):
    """How many records a search finds now; `number` None where that is not known, and then `why` not."""

    number: int | None
    why: str | None = None


def patient_registry(settings: Settings, database: Database) -> CtgovRegistry:
    """The registry, for a person who waits: one try, in turn with everything else that asks it."""
    return wiring.ctgov(settings, database, patience=wiring.ONCE, timeouts=wiring.SOON)


def look_up(settings: Settings, database: Database, ids: Sequence[str]) -> list[Said]:
    """What is known of these ids, asked of the registry while a person waits: `of_ids`, some seconds long."""
    ends = time.monotonic() + SECONDS
    registry = patient_registry(settings, database)
    try:
        return of_ids(database, registry, ids, lambda: time.monotonic() > ends)
    finally:
        registry.close()


def of_ids(database: Database, registry: CtgovRegistry, ids: Sequence[str], is_late: Callable[[], bool]) -> list[Said]:
    """What is known of these ids, in their order. What is stored is not asked for; `is_late` ends the asking."""
    with database.read() as connection:
        stored = _stored(connection, ids)
        watched = _watched(connection, ids)
    unknown = [each for each in ids if each not in stored]
    asked = {one.id: one for one in _asked(registry, unknown[:IDS_AT_MOST], is_late)}
    later = {each: Said(id=each, source="not asked", why="it is asked for at the next look") for each in unknown}
    known = {**later, **asked, **stored}
    return [_with_watch(known[each], each in watched) for each in ids]


def of_search(registry: CtgovRegistry, query: Mapping[str, str]) -> Found:
    """How many records a search finds now."""
    try:
        number = registry.count(query)
    except (RegistryError, ValueError) as error:
        return Found(None, str(error))
    return Found(number, None if number is not None else "the registry did not say how many")


def _stored(connection: Connection, ids: Sequence[str]) -> dict[str, Said]:
    wanted = (
        select(record_ids.c.registry_id, records.c.title, records.c.head_version)
        .join(records, records.c.id == record_ids.c.record)
        .where(record_ids.c.registry == wiring.REGISTRY, record_ids.c.registry_id.in_(ids))
    )
    rows = connection.execute(wanted).all()
    heads = {row.head_version: wiring.REGISTRY for row in rows if row.head_version is not None}
    facts = outlook.facts_of(connection, wiring.PARSE, heads)
    return {
        row.registry_id: Said(
            id=row.registry_id,
            source="archive",
            title=row.title,
            status=facts[row.head_version].status if row.head_version in facts else None,
        )
        for row in rows
    }


def _watched(connection: Connection, ids: Sequence[str]) -> set[str]:
    here = watches.c.record_id.in_(ids) & (watches.c.registry == wiring.REGISTRY)
    return set(connection.execute(select(watches.c.record_id).where(here)).scalars())


def _with_watch(said: Said, is_watched: bool) -> Said:
    from msgspec.structs import replace

    return replace(said, is_watched=is_watched)


def _asked(registry: CtgovRegistry, ids: Sequence[str], is_late: Callable[[], bool]) -> Iterator[Said]:
    try:
        for answer in registry.fetch(ids, {}) if ids else ():
            yield _answered(registry, answer)
            if is_late():
                return
    except RegistryError as error:
        yield from (Said(id=each, source="not asked", why=str(error)) for each in ids)


def _answered(registry: CtgovRegistry, answer: Answer) -> Said:
    if isinstance(answer, NotAnswered):
        absent = answer.reason == "absent"
        return Said(id=answer.id, source="absent" if absent else "not asked", why=answer.detail)
    asked = answer.asked
    if not isinstance(answer, RawRecord):
        return Said(id=asked, source="registry")
    try:
        trial = registry.parse(answer.raw)
    except RegistryError as error:
        return Said(id=asked, source="not asked", why=str(error))
    merged = f"the registry lists it as {answer.id}" if answer.id != asked else None
    return Said(id=asked, source="registry", title=trial.title, status=trial.overall_status, why=merged)
