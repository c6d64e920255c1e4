"""Which of its record's versions is it? Its number in the archive, which counts those of all records, tells nobody."""

from collections.abc import Mapping, Sequence

from msgspec import Struct
from sqlalchemy import Connection

from snapshots.archive.order import history_date, is_back_filled
from snapshots.archive.reading import VersionInfo, versions


class Place(Struct, frozen=True, kw_only=True):
    """A version among those of its record: `place` of `of`, from 1, in history order. `number` is its number in the
    archive, `listed` the number under which the registry's own site lists it, which counts from 1, where that is known.
    `date` is the ISO day at which it stands, `dated_by` which day that is: "release" or "registry date".
    """

    number: int
    place: int
    of: int
    date: str
    dated_by: str
    listed: int | None = None

    @property
    def short(self) -> str:
        """In two numbers: "version 3 of 7"."""
        return f"version {self.place} of {self.of}"

    @property
    def words(self) -> str:
        """With its date and numbers: "version 3 of 7 (release 2026-03-25, archive no. 13)"."""
        listed = f", no. {self.listed} at the registry" if self.listed else ""
        return f"{self.short} ({self.dated_by} {self.date or 'not known'}{listed}, archive no. {self.number})"


def places(found: Sequence[VersionInfo]) -> Mapping[int, Place]:
    """The place of each of these versions, all that are stored of one record in history order, by its number."""
    return {
        each.number: Place(
            number=each.number,
            place=at,
            of=len(found),
            date=history_date(each),
            dated_by="registry date" if is_back_filled(each.source) else "release",
            listed=None if each.registry_version is None else each.registry_version + 1,
        )
        for at, each in enumerate(found, 1)
    }


def places_of(connection: Connection, registry: str, any_id: str) -> Mapping[int, Place]:
    """The places of all stored versions of a record (by any of its ids), by number; none where nothing is stored."""
    return places(versions(connection, registry, any_id))
