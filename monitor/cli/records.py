"""Which stored version a person means: by number, by date, or the newest; and what it says."""

import re
from datetime import date

from msgspec import Struct

from monitor import wiring
from monitor.as_of import Answer, said_on
from monitor.cli.program import Failure
from monitor.cli.session import Session, record_id
from snapshots import archive
from snapshots.archive import VersionInfo
from snapshots.registries.ctgov.parse import parse
from snapshots.trial import Trial


class Found(Struct, frozen=True):
    """A stored version, its exact bytes, and what they say. `dated_by`: by which of its dates it was chosen."""

    version: VersionInfo
    raw: bytes
    trial: Trial
    dated_by: str | None = None


def find(here: Session, record: str, which: str | None = None) -> Found:
    """A version of a record: `which` is a number, an ISO date, or None for the newest. Raises Failure."""
    known = record_id(record)
    with here.database.read() as connection:
        found = archive.versions(connection, wiring.REGISTRY, known)
        if not found:
            raise Failure(nothing_stored(here, known))
        version, dated_by = _chosen(connection, known, found, which)
        raw = archive.read_version(connection, version.number)
    return Found(version, raw, parse(raw), dated_by)


def on_day(here: Session, record: str, asked: str) -> tuple[Answer, Found | None]:
    """What a record said on an ISO day, and the version that stands for it, None where there is none. Raises Failure
    where nothing at all is stored of the record.
    """
    known = record_id(record)
    with here.database.read() as connection:
        answer = said_on(connection, wiring.REGISTRY, known, asked, here.now.date())
        if answer is None:
            raise Failure(nothing_stored(here, known))
        if answer.version is None:
            return answer, None
        raw = archive.read_version(connection, answer.version.number)
    return answer, Found(answer.version, raw, parse(raw), f"{answer.dated_by} {answer.date}")


def two_versions(
    here: Session, record: str, first: str | None = None, second: str | None = None
) -> tuple[Trial, Trial]:
    """Two versions to compare, the older first: the two newest, or from `first` to `second` (the newest)."""
    newer = find(here, record, second)
    if first is not None:
        return find(here, record, first).trial, newer.trial
    with here.database.read() as connection:
        found = archive.versions(connection, wiring.REGISTRY, record_id(record))
    if len(found) < 2:
        raise Failure(f"only one version of {record_id(record)} is stored: there is nothing to compare it with yet")
    return find(here, record, str(found[-2].number)).trial, newer.trial


def checked_date(text: str) -> str:
    """An ISO date as a person gave it. Raises Failure."""
    try:
        return date.fromisoformat(text).isoformat()
    except ValueError as error:
        raise Failure(f"{text!r} is no date; a date looks like 2026-03-25") from error


def checked_number(text: str) -> str:
    """The number of a version as a person gave it. Raises Failure."""
    if not re.fullmatch(r"[0-9]{1,9}", text):
        raise Failure(f"{text!r} is no number of a version; a day is asked for with --as-of")
    return text


def _chosen(
    connection: object, record: str, found: list[VersionInfo], which: str | None
) -> tuple[VersionInfo, str | None]:
    if which is None:
        return found[-1], None
    if re.fullmatch(r"\d{1,9}", which):
        number = next((version for version in found if version.number == int(which)), None)
        if number is None:
            stored = ", ".join(str(version.number) for version in found[-10:])
            raise Failure(f"{record} has no version {which}; the newest stored ones are {stored}")
        return number, None
    as_of = archive.version_as_of(connection, wiring.REGISTRY, record, checked_date(which))  # type: ignore[arg-type]
    if as_of is None:
        raise Failure(f"no version of {record} is known for {which}; the oldest stored one is of {_date_of(found[0])}")
    return as_of.version, f"{as_of.dated_by} {as_of.date}"


def _date_of(version: VersionInfo) -> str:
    return (version.release or version.registry_date or version.observed_at.isoformat())[:10]


def nothing_stored(here: Session, record: str) -> str:
    """Why nothing is stored of a record, and what to do."""
    from notifiers.watches import of_record

    with here.database.read() as connection:
        watching = of_record(connection, wiring.REGISTRY, [record])
    if watching:
        return f"{record} is watched and was not fetched yet: run `trialdelta check`"
    return f"nothing is stored of {record}: run `trialdelta watch add {record}` and `trialdelta check`"
