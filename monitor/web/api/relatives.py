"""Trials like one; and what the registry is asked on demand: for trials like it, and for its past versions."""

from typing import Annotated, Any

from msgspec import Meta
from sqlalchemy import Connection

from monitor.past import past_for
from monitor.relatives import Relative, relatives
from monitor.shown.deliveries import at
from monitor.web.api import shapes
from monitor.web.api.asking import RECORD, stored
from monitor.web.api.operations import Call, Operation, Param
from monitor.web.problems import Problem
from monitor.wiring import REGISTRY
from snapshots import archive
from snapshots import related as likeness
from snapshots.archive import Record
from snapshots.registries.ctgov.ids import record_page
from snapshots.registries.ctgov.parse import parse
from snapshots.registry import RegistryError
from snapshots.trial import Trial

Json = Any
_GROUP = "Records"
USUAL, MOST = 8, 40
Most = Annotated[int, Meta(ge=1, le=MOST)]


def _related(call: Call) -> Json:
    with call.here.database.read() as connection:
        record = stored(connection, call.asked["id"])
        found = relatives(connection, REGISTRY, record.registry_id, _trial(connection, record), call.asked["most"])
    answer = found.answer
    return {
        "items": [_relative(each) for each in found.found],
        "is_asked": bool(answer and answer.is_wanted),
        "asked_at": at(answer.asked_at) if answer else None,
        "trouble": answer.reason if answer else None,
    }


def _relative(each: Relative) -> dict[str, Json]:
    return {
        "id": each.id,
        "title": each.title,
        "url": record_page(each.id),
        "status": each.status,
        "phases": list(each.phases),
        "source": "archive" if each.is_stored else "registry",
        "watched": each.is_watched,
    }


def _trial(connection: Connection, record: Record) -> Trial:
    """What the record says now. Raises Problem (409)."""
    if record.head_version is None:
        raise Problem(409, f"No version of {record.registry_id} is observed yet", "It is compared by its newest one.")
    try:
        return parse(archive.read_version(connection, record.head_version))
    except (archive.Unreadable, RegistryError) as error:
        raise Problem(409, f"{record.registry_id} cannot be read", str(error)) from None


def _ask(call: Call) -> Json:
    with call.here.database.write() as connection:
        likeness.want(connection, REGISTRY, stored(connection, call.asked["id"]).registry_id, call.here.now)


def _past(call: Call) -> Json:
    with call.here.database.read() as connection:
        known = stored(connection, call.asked["id"]).registry_id
        past, gaps = past_for(connection, REGISTRY, known), archive.gaps(connection, REGISTRY, known)
    missing = [{name: getattr(gap, name) for name in ("registry_version", "registry_date", "reason")} for gap in gaps]
    return {"state": past.state, "sentence": past.sentence, "is_asked": past.is_wished, "missing": missing}


def _fill(call: Call) -> Json:
    with call.here.database.write() as connection:
        archive.wish_filling(connection, REGISTRY, stored(connection, call.asked["id"]).registry_id, call.here.now)


def _of_record(method: Any, path: str, name: str, words: str, handler: Any, **more: Any) -> Operation:
    more.setdefault("problems", (404,))
    return Operation(
        method=method, path=f"/records/{{id}}{path}", name=name, group=_GROUP, words=words, handler=handler,
        in_path=(RECORD,), **more,
    )  # fmt: skip


OPERATIONS = (
    _of_record(
        "GET", "/related", "listRelated", "Trials like it, the likest first.",
        _related,
        more="By title, conditions, interventions and sponsor: from the archive, and what the registry last answered "
        "to the same question, where it was asked.",
        params=(Param(name="most", type=Most, default=USUAL, words="At most so many of the archive."),),
        answer=shapes.Related, problems=(404, 409),
    ),
    _of_record(
        "POST", "/related", "askRelated", "Have the registry asked for trials like it; its answer is kept.", _ask,
        more="The daemon asks, politely, in a moment; asking twice asks once.", status=204,
    ),
    _of_record(
        "GET", "/past", "showPast", "Whether all that it ever said is stored, and what is missing.", _past,
        answer=shapes.Past,
    ),
    _of_record(
        "POST", "/past", "fetchPast", "Have the registry asked for the versions of before it was watched.", _fill,
        more="The daemon asks for them one by one. Nobody is alerted of them.", status=204,
    ),
)  # fmt: skip
