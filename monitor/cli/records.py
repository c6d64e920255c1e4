"""Which stored version a person means: by number, by date, or the newest; and what it says."""

import re
from datetime import date

from msgspec import Struct
from sqlalchemy import Connection

from monitor import owed, wiring
from monitor.as_of import Answer, said_on
from monitor.cli.program import Failure
from monitor.cli.session import Session, record_id
from snapshots import archive
from snapshots.archive import Place, VersionInfo
from snapshots.archive.order import is_back_filled
from snapshots.registries.ctgov.parse import parse
from snapshots.rules import changes_between
from snapshots.trial import Trial


class Found(Struct, frozen=True):
    """A stored version, which of its record's it is, its exact bytes, and what they say. Where it was chosen by a day,
    `dated_by` tells by which of its dates, and `doubt`, in a sentence, why it may not have stood on that day.
    """

    version: VersionInfo
    place: Place
    raw: bytes
    trial: Trial
    dated_by: str | None = None
    doubt: str | None = None

    @property
    def called(self) -> str:
        """The version among those of its record, with the date at which it stands in history and its number in the
        archive.
        """
        return self.place.words


def find(here: Session, record: str, which: str | None = None) -> Found:
    """A version of a record: `which` is a number, an ISO date, or None for the newest. Raises Failure."""
    known = record_id(record)
    if which is not None and not re.fullmatch(r"[0-9]{1,9}", which):
        answer, on = on_day(here, known, _date_of_version(which))
        if on is None:
            raise Failure(answer.sentence)
        return on
    with here.database.read() as connection:
        found = archive.versions(connection, wiring.REGISTRY, known)
        if not found:
            raise Failure(nothing_stored(here, known))
        version = _newest(connection, known, found) if which is None else _numbered(known, found, which)
        raw = archive.read_version(connection, version.number)
    return Found(version, archive.places(found)[version.number], raw, parse(raw))


def _date_of_version(text: str) -> str:
    try:
        return checked_date(text)
    except Failure as error:
        words = f"{error.message}, and a version's number in the archive is what `trialdelta history` prints"
        raise Failure(words) from error


def on_day(here: Session, record: str, asked: str) -> tuple[Answer, Found | None]:
    """What a record said on an ISO day, and the version that stands for it, None where there is none. Raises Failure
    where nothing at all is stored of the record.
    """
    known = record_id(record)
    with here.database.read() as connection:
        answer = said_on(connection, wiring.REGISTRY, known, asked, here.now.date())
        if answer is None:
            raise Failure(nothing_stored(here, known))
        if answer.version is None or answer.place is None:
            return answer, None
        raw = archive.read_version(connection, answer.version.number)
    doubt = None if answer.answer == "stood" else answer.sentence
    return answer, Found(answer.version, answer.place, raw, parse(raw), f"{answer.dated_by} {answer.date}", doubt)


def two_versions(
    here: Session, record: str, first: str | None = None, second: str | None = None
) -> tuple[Found, Found]:
    """Two versions to compare, the older first: the two newest (a version and its own past form are one), or from
    `first` to `second` (the newest).
    """
    newer = find(here, record, second)
    if first is not None:
        return find(here, record, first), newer
    with here.database.read() as connection:
        stored = archive.versions(connection, wiring.REGISTRY, record_id(record))
    kept = [each.number for each in stored if not each.pruned]
    earlier = kept[: kept.index(newer.version.number)]
    if not earlier:
        raise Failure(f"only one version of {record_id(record)} is stored: there is nothing to compare it with yet")
    older = find(here, record, str(earlier[-1]))
    if len(earlier) > 1 and _is_its_past_form(older, newer):
        older = find(here, record, str(earlier[-2]))
    return older, newer


def _is_its_past_form(older: Found, newer: Found) -> bool:
    """Whether the two are one version of the registry, back-filled and observed: they can say nothing different."""
    filled = [is_back_filled(each.version.source) for each in (older, newer)]
    return filled[0] != filled[1] and not changes_between(older.trial, newer.trial)


def checked_date(text: str) -> str:
    """An ISO date as a person gave it. Raises Failure."""
    try:
        return date.fromisoformat(text).isoformat()
    except ValueError as error:
        raise Failure(f"{text!r} is no date; a date looks like 2026-03-25") from error


def checked_number(text: str) -> str:
    """The number of a version as a person gave it. Raises Failure."""
    if not re.fullmatch(r"[0-9]{1,9}", text):
        raise Failure(f"{text!r} is no number of a version in the archive; a day is asked for with --as-of")
    return text


def _newest(connection: Connection, record: str, found: list[VersionInfo]) -> VersionInfo:
    """The version of these that says what the record says now."""
    kept = archive.find_record(connection, wiring.REGISTRY, record)
    return (kept and archive.newest_version(connection, kept)) or found[-1]


def _numbered(record: str, found: list[VersionInfo], number: str) -> VersionInfo:
    """The version of that number among those of the record."""
    version = next((version for version in found if version.number == int(number)), None)
    if version is None:
        raise Failure(_no_such(record, found, number))
    return version


def _no_such(record: str, found: list[VersionInfo], number: str) -> str:
    stored = ", ".join(str(version.number) for version in found[-10:])
    meant = found[int(number) - 1].number if 0 < int(number) <= len(found) else None
    hint = f"; its version {number} of {len(found)} is no. {meant}" if meant is not None else ""
    return f"{record} has no version with archive no. {number}; the newest stored ones are {stored}{hint}"


def nothing_stored(here: Session, record: str) -> str:
    """Why nothing is stored of a record, and what to do."""
    with here.database.read() as connection:
        words, todo = owed.nothing_stored(
            connection,
            record,
            stop=f"stop watching it with `trialdelta watch remove {record}`, or look again with `trialdelta check`",
            watch=f"run `trialdelta watch add {record}` and `trialdelta check`",
            look="run `trialdelta check`",
        )
    return f"{words}: {todo}" if not words.endswith(".") else f"{words} To do: {todo}"
