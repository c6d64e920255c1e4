"""The record that a path names: as it stands, or why it cannot be shown."""

from datetime import date

from sqlalchemy import Connection

from monitor.web.numbers import row_number
from monitor.web.problems import Problem
from monitor.web.visit import Visit
from monitor.wiring import REGISTRY
from snapshots import archive
from snapshots.archive import Record, VersionInfo
from snapshots.registries.ctgov.ids import normalise
from snapshots.registries.ctgov.parse import parse
from snapshots.registry import RegistryError
from snapshots.trial import Trial


def asked_id(here: Visit) -> str:
    """The id in the path as the registry writes it. Raises Problem (404) for what is no id."""
    try:
        return normalise(here.params["id"])
    except ValueError as error:
        way = ("/watchlist", "Watchlist")
        raise Problem(404, "That is no id of a trial", str(error), ways=(way,)) from None


def find_record(connection: Connection, any_id: str) -> Record:
    """The record of any of its ids. Raises Problem (404) where nothing is stored of it."""
    record = archive.find_record(connection, REGISTRY, any_id)
    if record is None or not archive.versions(connection, REGISTRY, any_id, merged=False):
        raise Problem(
            404, f"Nothing is stored of {any_id}", "Open its page to have it watched: its history begins then."
        )
    return record


def read(connection: Connection, version: int) -> Trial:
    """What a version says. Raises Problem (410, 500) in words where its bytes were taken away or are damaged."""
    try:
        return parse(archive.read_version(connection, version))
    except (archive.Unreadable, RegistryError, LookupError) as error:
        raise unreadable(error) from None


def unreadable(error: Exception) -> Problem:
    """How it is told that a version cannot be shown."""
    if isinstance(error, archive.Pruned):
        words = "Its hashes are kept; the versions beside it can be looked at."
        return Problem(410, f"Version {error.version} cannot be shown: {error.why}", words)
    if isinstance(error, archive.Unreadable):
        words = "The stored bytes are damaged: `trialdelta doctor` tells more, a backup may have them."
        return Problem(500, f"Version {error.version} cannot be read: {error.why}", words)
    if isinstance(error, archive.CorruptChange):
        return Problem(500, f"The history cannot be shown: {error}", "`trialdelta doctor` tells more about damage.")
    return Problem(500, "The stored record cannot be read", str(error))


def one_of(connection: Connection, record: Record, text: str) -> VersionInfo:
    """The version of a record by its number. Raises Problem (404)."""
    number = number_of(text)
    found = archive.versions(connection, REGISTRY, record.registry_id) if number is not None else []
    version = next((each for each in found if each.number == number), None)
    if version is None:
        ways = ((f"/trials/{record.registry_id}/versions", "Its versions"),)
        title = f"{record.registry_id} has no version {text[:20]}"
        raise Problem(404, title, "Its list of versions has their numbers.", ways=ways)
    return version


def number_of(text: str | None) -> int | None:
    """A number as an address has it; None for what is none."""
    return row_number(text or "")


def checked_day(text: str) -> str:
    """An ISO day as a person gave it. Raises Problem (400)."""
    try:
        return date.fromisoformat(text.strip()).isoformat()
    except ValueError:
        raise Problem(400, f"{text[:20]!r} is no date", "A date looks like 2026-03-25.") from None
