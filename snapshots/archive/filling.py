"""How far was the registry's own history of a record brought in, and which of its versions could not be had?"""

from collections.abc import Sequence
from datetime import datetime
from typing import Literal

from msgspec import Struct
from msgspec.structs import asdict
from sqlalchemy import Connection, delete, func, insert, select, update

from snapshots.archive.records import find_record
from snapshots.archive.tables import filling_wishes, fillings, history_gaps
from snapshots.archive.tables import steps as step_rows
from snapshots.database import insert_if_absent

FillingState = Literal["complete", "waiting"]


class Filling(Struct, frozen=True, kw_only=True):
    """How the last try to bring in a record's history ended. "complete": every version of the `listed` is stored or a
    stated gap; "waiting": for `reason`, from `next_at` on it may be tried again; `failures` such tries came in a row.
    `is_joined`: what was observed follows on it, and it was compared. Times are aware UTC.
    """

    registry: str
    registry_id: str
    state: FillingState
    listed: int = 0
    reason: str | None = None
    failures: int = 0
    tried_at: datetime
    next_at: datetime | None = None
    is_joined: bool = False


class Gap(Struct, frozen=True, kw_only=True):
    """A version that the registry lists in a record's history and did not give: its count, the ISO day it was
    submitted, and the registry's answer as `reason`. `is_final`: asking again is no use.
    """

    registry: str
    registry_id: str
    registry_version: int
    registry_date: str
    reason: str
    is_final: bool
    noted_at: datetime


def filling(connection: Connection, registry: str, ids: Sequence[str]) -> dict[str, Filling]:
    """How it stands with each of these records (by their ids of today) whose history was asked for."""
    here = select(fillings).where(fillings.c.registry == registry, fillings.c.registry_id.in_(ids))
    found = (Filling(**row) for row in connection.execute(here).mappings())
    return {each.registry_id: each for each in found}


def note_filling(connection: Connection, told: Filling) -> None:
    """Keep how a try ended, in place of the one before."""
    row = asdict(told)
    if not insert_if_absent(connection, fillings, row):
        own = (fillings.c.registry == told.registry, fillings.c.registry_id == told.registry_id)
        connection.execute(update(fillings).where(*own).values(row))


def wish_filling(connection: Connection, registry: str, registry_id: str, now: datetime) -> None:
    """Somebody wants the history of this record brought in now, whatever stands against it."""
    insert_if_absent(connection, filling_wishes, {"registry": registry, "registry_id": registry_id, "wished_at": now})


def wished_fillings(connection: Connection, registry: str, only: str | None = None) -> list[str]:
    """The records (or `only` this one) whose history somebody wants, the oldest wish first."""
    w = filling_wishes.c
    wanted = select(w.registry_id).where(w.registry == registry).order_by(w.wished_at, w.registry_id)
    return list(connection.execute(wanted if only is None else wanted.where(w.registry_id == only)).scalars())


def grant_filling(connection: Connection, registry: str, registry_id: str) -> None:
    """It was tried: the wish is over, however that ended."""
    w = filling_wishes.c
    connection.execute(delete(filling_wishes).where(w.registry == registry, w.registry_id == registry_id))


def last_filling_failure(connection: Connection, registry: str) -> datetime | None:
    """When the registry last did not even list the versions of a record that waits; None: there is no such record."""
    waiting = (fillings.c.registry == registry, fillings.c.state == "waiting", fillings.c.listed == 0)
    found: datetime | None = connection.execute(select(func.max(fillings.c.tried_at)).where(*waiting)).scalar()
    return found


def waiting_fillings(connection: Connection, registry: str) -> list[Filling]:
    """The records whose history did not come whole and is to be asked for again, the newest try first."""
    waiting = (fillings.c.registry == registry, fillings.c.state == "waiting")
    found = select(fillings).where(*waiting).order_by(fillings.c.tried_at.desc(), fillings.c.registry_id)
    return [Filling(**row) for row in connection.execute(found).mappings()]


def gaps(connection: Connection, registry: str, any_id: str) -> list[Gap]:
    """The versions of a record (by any of its ids) that could not be had, by the registry's count."""
    record = find_record(connection, registry, any_id)
    ids = [any_id] if record is None else [record.registry_id, *record.former_ids]
    g = history_gaps.c
    here = select(history_gaps).where(g.registry == registry, g.registry_id.in_(ids)).order_by(g.registry_version)
    return [Gap(**row) for row in connection.execute(here).mappings()]


def note_gap(connection: Connection, gap: Gap) -> None:
    """State that this version could not be had, with the newest reason."""
    close_gap(connection, gap.registry, gap.registry_id, gap.registry_version)
    connection.execute(insert(history_gaps).values(asdict(gap)))


def close_gap(connection: Connection, registry: str, registry_id: str, registry_version: int) -> None:
    """The version came after all, or was never missing."""
    g = history_gaps.c
    own = (g.registry == registry, g.registry_id == registry_id, g.registry_version == registry_version)
    connection.execute(delete(history_gaps).where(*own))


def is_told(connection: Connection, from_version: int, to_version: int) -> bool:
    """Whether a step from the one version to the other is stored."""
    span = (step_rows.c.from_version == from_version, step_rows.c.to_version == to_version)
    return connection.execute(select(step_rows.c.id).where(*span).limit(1)).first() is not None
