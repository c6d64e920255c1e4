"""What several operations ask: the record that an id means, a page of a list, what is not there."""

from collections.abc import Sequence
from typing import Any, TypeVar

from msgspec import defstruct
from sqlalchemy import Connection

from monitor import owed
from monitor.questions import Recorded, recorded
from monitor.web import cursor, numbers
from monitor.web.api.operations import Call, Param
from monitor.web.problems import Problem
from monitor.wiring import REGISTRY
from snapshots import archive
from snapshots.archive import Record, VersionInfo
from snapshots.registries.ctgov.ids import normalise
from snapshots.registry import RegistryError
from snapshots.sentences import capitalised

Json = Any
T = TypeVar("T")

RECORD = Param(name="id", type=str, words="The record's id, its own or a former one, such as NCT01234567.")
TODAY_WORDS = "Count to that day instead of today, by what is stored now."


def page_of(kind: Any) -> Any:
    """The type of a page of a list: its entries, and the cursor of the next page (null: this is the last)."""
    name = f"PageOf{kind.__name__}"
    words = {"namespace": {"__doc__": "Entries, and in `next` the cursor of the following page; null on the last."}}
    return defstruct(name, [("items", list[kind]), ("next", str | None)], **words)  # type: ignore[arg-type]


def list_of(kind: Any) -> Any:
    """The type of a list that comes whole."""
    words = {"namespace": {"__doc__": "All entries."}}
    return defstruct(f"ListOf{kind.__name__}", [("items", list[kind])], **words)  # type: ignore[arg-type]


def cut(found: Sequence[T], limit: int) -> tuple[Sequence[T], T | None]:
    """Of one entry more than was asked for: the page, and its last entry where another page follows."""
    page = found[:limit]
    return page, page[-1] if len(found) > limit else None


def after(call: Call, *types: Any) -> tuple[Any, ...] | None:
    """The values in the cursor that was given; None without one. Raises Problem (400)."""
    return cursor.decode(call.asked["cursor"], *types) if call.asked["cursor"] else None


RowNumber = numbers.RowNumber


def record_id(text: str) -> str:
    """The id that a text means. Raises Problem (404)."""
    try:
        return normalise(text)
    except ValueError as error:
        raise Problem(404, str(error)) from None


def stored(connection: Connection, text: str) -> Record:
    """The record that an id selects. Raises Problem (404) where nothing is stored of it, with what to do."""
    known = record_id(text)
    record = archive.find_record(connection, REGISTRY, known)
    if record is None:
        words, todo = owed.nothing_stored(
            connection,
            known,
            stop="Stop watching it: DELETE /api/v1/watches/{name}.",
            watch="Watch it first: POST /api/v1/watches.",
            look="A new watch is asked for within a minute.",
        )
        raise Problem(404, capitalised(words), todo)
    return record


def newest(connection: Connection, record: Record) -> VersionInfo:
    """The version that says what the record says now. Raises Problem (404)."""
    version = archive.newest_version(connection, record)
    if version is None:
        raise Problem(404, f"No version of {record.registry_id} is stored")
    return version


def whole_history(connection: Connection, record: Record) -> Recorded:
    """The record with all its versions, read. Raises Problem (409) where one of them cannot be."""
    try:
        known = recorded(connection, REGISTRY, record.registry_id)
    except (archive.Unreadable, RegistryError) as error:
        raise Problem(409, f"The history of {record.registry_id} cannot be read whole", str(error)) from None
    if known is None or not known.versions:
        raise Problem(409, f"No version of {record.registry_id} can be read any more")
    return known


def not_there(what: str, name: object, where: str) -> Problem:
    """The problem that there is no such thing, and which path lists those that are there."""
    return Problem(404, f"There is no {what} {str(name)[:100]!r}", f"GET /api/v1/{where} tells which there are.")
