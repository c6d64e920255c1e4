"""All that is stored of a record, read once, with what of its past is known to be missing."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, date
from typing import Any

from msgspec import Struct
from sqlalchemy import Connection

from monitor.confirmed import confirmed
from monitor.past import WHOLE, Past, past_of
from snapshots import archive
from snapshots.archive import Gap, Record, VersionInfo
from snapshots.archive.order import history_date
from snapshots.registries.ctgov.parse import parse
from snapshots.sentences import counted
from snapshots.timeline import Dated

Json = Any

Row = dict[str, Json]


class Recorded(Struct, frozen=True, kw_only=True):
    """A record with all that it ever said, in history order, and which versions are known to be missing; `pruned` says
    when and by whom the bytes of others were taken away: "3 versions pruned on 2026-11-22 by alice". `confirmed_on` is
    the day (UTC) on which the registry last said the same.

    Versions of records that were merged into it are not in it: across a merge nothing is compared.
    """

    registry: str
    id: str
    title: str
    versions: tuple[Dated, ...]
    gaps: tuple[Gap, ...] = ()
    pruned: tuple[str, ...] = ()
    past: Past = WHOLE
    confirmed_on: date | None = None

    def unconfirmed_since(self, today: date) -> str | None:
        """The ISO day on which it was last known to stand so, None where that is today."""
        return self.confirmed_on.isoformat() if self.confirmed_on and self.confirmed_on < today else None

    @property
    def head(self) -> Row:
        """What names the record in rows, and whether all that it ever said is known."""
        return {"registry": self.registry, "id": self.id, "title": self.title, "past_is_whole": self.past.is_whole}


def recorded(connection: Connection, registry: str, any_id: str) -> Recorded | None:
    """All versions of a record (by any of its ids), read and parsed; None where nothing is stored of it.

    Pruned versions count as missing before the next one. Raises `archive.Corrupt` naming a version that cannot be read.
    """
    found = archive.versions(connection, registry, any_id, merged=False)
    record = archive.find_record(connection, registry, any_id)
    if not found or record is None:
        return None
    gaps = archive.gaps(connection, registry, any_id)
    missing = _with_pruned(found, missing_before(found, gaps))
    return Recorded(
        registry=registry,
        id=record.registry_id,
        title=record.title,
        versions=tuple(
            _dated(connection, version, missing.get(version.number, 0)) for version in found if version.pruned is None
        ),
        gaps=tuple(gaps),
        pruned=_pruned_words(found),
        past=past_of(connection, registry, record.registry_id, found, gaps),
        confirmed_on=confirmed_on(connection, record),
    )


def confirmed_on(connection: Connection, record: Record) -> date | None:
    """The day (UTC) on which a record was last known to stand as it is stored."""
    known = confirmed(connection, record)
    return known.at.astimezone(UTC).date() if known else None


def _with_pruned(versions: Sequence[VersionInfo], missing: Mapping[int, int]) -> dict[int, int]:
    """How many versions are missing before each that is kept, those counted that were pruned."""
    found, waiting = {}, 0
    for version in versions:
        waiting += missing.get(version.number, 0) + (version.pruned is not None)
        if version.pruned is None:
            found[version.number], waiting = waiting, 0
    return found


def _pruned_words(versions: Sequence[VersionInfo]) -> tuple[str, ...]:
    counts = Counter(version.pruned for version in versions if version.pruned is not None)
    return tuple(f"{counted(count, 'version')} {words}" for words, count in counts.items())


def missing_before(versions: Sequence[VersionInfo], gaps: Iterable[Gap]) -> dict[int, int]:
    """How many versions are missing just before each of these (in history order), by number; none: not in it."""
    missing: dict[int, int] = {}
    for gap in gaps:
        after = next((version for version in versions if _is_after(version, gap)), None)
        if after is not None:
            missing[after.number] = missing.get(after.number, 0) + 1
    return missing


def _is_after(version: VersionInfo, gap: Gap) -> bool:
    if version.registry_version is not None:
        return version.registry_version > gap.registry_version
    return history_date(version) >= gap.registry_date


def _dated(connection: Connection, version: VersionInfo, missing: int) -> Dated:
    trial = parse(archive.read_version(connection, version.number))
    return Dated(history_date(version), trial, version.number, version.registry_version, missing)
