"""What is stored of records: what they say and said, what changed, and what became of them."""

import tempfile
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Annotated, Any, Literal

from msgspec import Meta
from sqlalchemy import Connection
from starlette.responses import Response

from monitor import audit
from monitor.as_of import said_on
from monitor.questions import QUESTIONS, Row, Wanted, history_json
from monitor.questions import history as steps_of
from monitor.shown.records import day_json, listed_json, version_json
from monitor.web import cursor
from monitor.web.api import shapes
from monitor.web.api.asking import (
    RECORD,
    TODAY_WORDS,
    RowNumber,
    after,
    cut,
    list_of,
    newest,
    page_of,
    record_id,
    stored,
    whole_history,
)
from monitor.web.api.operations import Call, Number, Operation, Param, cursor_params, near_today
from monitor.web.api.wanting import FILTERS, kinds_asked, severities_asked
from monitor.web.problems import Problem
from monitor.web.trial.files import csv_of, history_file, question_file
from monitor.wiring import REGISTRY
from snapshots import archive
from snapshots.archive import Record, VersionInfo, rfc3339
from snapshots.changes import to_json
from snapshots.registries.ctgov.ids import record_page
from snapshots.registries.ctgov.parse import parse
from snapshots.registry import RegistryError
from snapshots.rules import changes_between
from snapshots.trial import Trial

Json = Any
Which = Annotated[str, Meta(pattern=r"^([0-9]{1,10}|[0-9]{4}-[0-9]{2}-[0-9]{2})$")]

Table = Literal["history", "timeline", "slips", "outcomes", "compliance"]

_GROUP = "Records"
_GONE = (404, 409)


def _listing(call: Call) -> Json:
    limit = call.asked["limit"]
    begin = after(call, str)
    with call.here.database.read() as connection:
        found = archive.records_after(connection, REGISTRY, begin[0] if begin else "", limit + 1)
        page, last = cut(found, limit)
        items = [_listed(each) for each in page]
    return {"items": items, "next": cursor.encode(last.registry_id) if last else None}


def _listed(record: Record) -> Json:
    return {
        **_head(record),
        "former_ids": record.former_ids,
        "first_seen_at": rfc3339(record.first_seen_at),
        "version": record.head_version,
        "missing_since": record.missing_since,
    }


def _head(record: Record) -> dict[str, Json]:
    known = record.registry_id
    return {"registry": record.registry, "id": known, "title": record.title, "url": record_page(known)}


def _show(call: Call) -> Json:
    if call.asked["as_of"] and call.asked["version"]:
        raise Problem(400, "as_of and version exclude each other")
    with call.here.database.read() as connection:
        record = stored(connection, call.asked["id"])
        if call.asked["as_of"]:
            return _on_day(connection, record_id(call.asked["id"]), call.asked["as_of"], call.here.now.date())
        return _version_json(connection, _version(connection, record, call.asked["version"]))


def _on_day(connection: Connection, any_id: str, day: date, today: date) -> Json:
    answer = said_on(connection, REGISTRY, any_id, day.isoformat(), today)
    if answer is None:
        raise Problem(404, f"Nothing is stored of {any_id}")
    if answer.version is None or answer.version.pruned:
        return {"version": None, "record": None, **day_json(answer)}
    return _version_json(connection, answer.version) | day_json(answer)


def _version_json(connection: Connection, version: VersionInfo) -> dict[str, Json]:
    raw = _read(connection, version)
    trial = _parsed(version.number, raw)
    place = archive.places_of(connection, REGISTRY, version.registry_id)[version.number]
    return version_json(version, place, trial.id, trial.title, raw)


def _version(connection: Connection, record: Record, number: int | None) -> VersionInfo:
    """The version of that number, the newest without one. Raises Problem (404)."""
    if number is None:
        return newest(connection, record)
    found = archive.versions(connection, REGISTRY, record.registry_id)
    version = next((each for each in found if each.number == number), None)
    if version is None:
        raise Problem(
            404, f"{record.registry_id} has no version {number}", "Its versions list their numbers in the archive."
        )
    return version


def _read(connection: Connection, version: VersionInfo) -> bytes:
    try:
        return archive.read_version(connection, version.number)
    except archive.Unreadable as error:
        raise Problem(409, str(error)) from None


def _parsed(number: int, raw: bytes) -> Trial:
    try:
        return parse(raw)
    except RegistryError as error:
        raise Problem(409, f"Version {number} cannot be understood", str(error)) from None


def _versions(call: Call) -> Json:
    with call.here.database.read() as connection:
        record = stored(connection, call.asked["id"])
        found = archive.versions(connection, REGISTRY, record.registry_id)
    places = archive.places(found)
    return {"items": [listed_json(each, places[each.number]) for each in found]}


def _raw(call: Call) -> Response:
    with call.here.database.read() as connection:
        record = stored(connection, call.asked["id"])
        raw = _read(connection, _version(connection, record, call.asked["number"]))
    return call.here.tagged(raw, "application/json")


def _history(call: Call) -> Json:
    asked = call.asked
    wanted = Wanted(
        kinds=kinds_asked(call),
        severities=severities_asked(call),
        since=_day(asked["since"]),
        until=_day(asked["until"]),
    )
    begin = after(call, RowNumber)
    with call.here.database.read() as connection:
        record = stored(connection, asked["id"])
        rows = _told(connection, record, wanted)
        start = _past(begin[0], rows, _told(connection, record, Wanted())) if begin else 0
    page, last = cut(rows[start : start + asked["limit"] + 1], asked["limit"])
    return {"items": page, "next": cursor.encode(last["id"]) if last else None}


def _told(connection: Connection, record: Record, wanted: Wanted) -> list[Row]:
    return [row for step in steps_of(connection, REGISTRY, record.registry_id, wanted) for row in history_json(step)]


def _past(change: int, rows: Sequence[Row], whole: Sequence[Row]) -> int:
    """How many of the rows stand at or before a change in the whole history. Raises Problem (400)."""
    ids = [row["id"] for row in whole]
    if change not in ids:
        words = "What stood there may have been told anew since: begin again without it."
        raise Problem(400, "The cursor is none of this list", words)
    passed = set(ids[: ids.index(change) + 1])
    return sum(row["id"] in passed for row in rows)


def _day(day: date | None) -> str | None:
    return day.isoformat() if day else None


def _diff(call: Call) -> Json:
    with call.here.database.read() as connection:
        record = stored(connection, call.asked["id"])
        older, newer = (_chosen(connection, record, call, side) for side in ("from", "to"))
        if older is None:
            older = _before(connection, record, newer)
        if newer is None or older is None:
            raise Problem(
                409, f"Only one version of {record.registry_id} is stored", "There is nothing to compare yet."
            )
        trials = [_parsed(each.number, _read(connection, each)) for each in (older, newer)]
    return {"items": [to_json(change) for change in changes_between(*trials)]}


def _chosen(connection: Connection, record: Record, call: Call, side: str) -> VersionInfo | None:
    which = call.asked[side]
    if which is None:
        return None if side == "from" else _version(connection, record, None)
    if which.isdigit():
        return _version(connection, record, int(which))
    found = archive.version_as_of(connection, REGISTRY, record.registry_id, _checked_day(which))
    if found is None:
        raise Problem(404, f"Nothing is known of {record.registry_id} on {which}")
    return found.version


def _checked_day(text: str) -> str:
    try:
        return date.fromisoformat(text).isoformat()
    except ValueError:
        raise Problem(400, f"{text!r} is no date", "A date looks like 2026-03-25.") from None


def _before(connection: Connection, record: Record, newer: VersionInfo | None) -> VersionInfo | None:
    """The last version before that one which says anything else."""
    found = [each for each in archive.versions(connection, REGISTRY, record.registry_id) if not each.pruned]
    earlier = found[: next((at for at, each in enumerate(found) if newer and each.number == newer.number), 0)]
    return earlier[-1] if earlier else None


def _question(name: str) -> Any:
    def answer(call: Call) -> Json:
        today = near_today(call.asked.get("today"), call.here.now.date())
        with call.here.database.read() as connection:
            known = whole_history(connection, stored(connection, call.asked["id"]))
        return QUESTIONS[name].as_json(known, today)

    return answer


def _export(call: Call) -> Response:
    what, today = call.asked["table"], near_today(call.asked["today"], call.here.now.date())
    with call.here.database.read() as connection:
        record = stored(connection, call.asked["id"])
        try:
            file = (
                history_file(connection, record)
                if what == "history"
                else question_file(whole_history(connection, record), what, today)
            )
        except archive.CorruptChange as error:
            raise Problem(409, f"The history of {record.registry_id} cannot be read whole", str(error)) from None
    return csv_of(call.here, file, f"{record.registry_id}-{what}.csv")


def _audit(call: Call) -> Response:
    known = record_id(call.asked["id"])
    visitor = call.here.visitor
    clear = call.asked["with_addresses"]
    if clear and not (visitor and visitor.may_write):
        raise Problem(403, "Addresses in the clear need a token that may write", "Leave with_addresses out.")
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "audit.zip"
        key = None if clear else call.here.site.signing[:16]
        try:
            audit.export(call.here.database, (REGISTRY, known), file, now=call.here.now, key=key)
        except audit.AuditError as error:
            raise Problem(404, str(error).replace(str(file), "the file")) from None
        except archive.Unreadable as error:
            raise Problem(409, str(error)) from None
        return call.here.file(file.read_bytes(), f"{known}.zip", "application/zip")


_COUNTED = Param(name="today", type=date | None, words=TODAY_WORDS)


def _of_record(path: str, name: str, words: str, handler: Any, **more: Any) -> Operation:
    more.setdefault("problems", _GONE)
    return Operation(
        method="GET", path=f"/records/{{id}}{path}", name=name, group=_GROUP, words=words, handler=handler,
        in_path=(RECORD, *more.pop("also_in_path", ())), **more,
    )  # fmt: skip


OPERATIONS = (
    Operation(
        method="GET", path="/records", name="listRecords", group=_GROUP, words="The records that are stored, by id.",
        handler=_listing, params=cursor_params(), answer=page_of(shapes.ListedRecord),
    ),
    _of_record(
        "", "showRecord", "A record as it stands, as it stood on a day, or one of its versions.", _show,
        more="What the registry sent stands in `record`, as it sent it. With `as_of` it says how sure that is.",
        params=(
            Param(name="as_of", type=date | None, words="As it stood on that day."),
            Param(name="version", type=Number | None, words="That stored version, by its number in the archive."),
        ),
        answer=shapes.StoredRecord,
    ),
    _of_record(
        "/versions", "listVersions", "Every stored version, in history order.", _versions,
        answer=list_of(shapes.Version), problems=(404,),
    ),
    _of_record(
        "/versions/{number}/raw", "rawVersion", "The exact bytes that the registry sent.", _raw,
        also_in_path=(Param(name="number", type=Number, words="The number of the version in the archive."),),
        answer=dict[str, Any],
    ),
    _of_record(
        "/history", "listHistory", "Every change of a record, in history order.", _history,
        params=(
            *FILTERS,
            Param(name="since", type=date | None, words="From this day on."),
            Param(name="until", type=date | None, words="To this day, that day included."),
            *cursor_params(200),
        ),
        answer=page_of(shapes.HistoryChange), problems=(404,),
    ),
    _of_record(
        "/diff", "diffVersions", "What differs between two stored versions.", _diff,
        more="Without `to` the newest, without `from` the version before that.",
        params=(
            Param(name="from", type=Which | None, words="The number of a version in the archive, or a day."),
            Param(name="to", type=Which | None, words="The number of a version in the archive, or a day."),
        ),
        answer=list_of(shapes.Change),
    ),
    _of_record(
        "/timeline", "showTimeline", "Status periods, participants, dates and sites over time.", _question("timeline"),
        params=(_COUNTED,), answer=shapes.Timeline,
    ),
    _of_record(
        "/slips", "showSlips", "How often the dates were moved, and by how much in all.", _question("slips"),
        answer=shapes.SlipsOf,
    ),
    _of_record(
        "/outcomes", "showOutcomes", "What became of each outcome, and when.", _question("outcomes"),
        answer=shapes.OutcomesOf,
    ),
    _of_record(
        "/compliance", "showCompliance", "Deadlines of law and custom, computed, with their rules.",
        _question("compliance"), params=(_COUNTED,), answer=shapes.Compliance,
    ),
    _of_record(
        "/exports/{table}", "exportRecord", "Its history, or the answer to a question, as CSV.", _export,
        more="The tables are history, timeline, slips, outcomes and compliance; the answers as JSON have paths of "
        "their own.",
        also_in_path=(Param(name="table", type=Table, words="Which table."),), params=(_COUNTED,), media="text/csv",
    ),
    _of_record(
        "/audit", "exportAudit", "All that is kept of a record, in one file that others can check.", _audit,
        more="`trialdelta audit verify` checks it. Addresses stand in it as hashes; in the clear only for a token that "
        "may write.",
        params=(Param(name="with_addresses", type=bool, default=False, words="Addresses in the clear."),),
        media="application/zip", problems=(403, 404, 409),
    ),
)  # fmt: skip
