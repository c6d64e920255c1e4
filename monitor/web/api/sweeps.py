"""What was looked at: sweeps, what each asked for in vain; and the checks that are made when somebody asks for them."""

from typing import Any

import msgspec

from monitor import doctor
from monitor.shown.deliveries import at
from monitor.web import cursor
from monitor.web.api import shapes
from monitor.web.api.asking import RowNumber, after, cut, list_of, not_there, page_of
from monitor.web.api.operations import Call, Number, Operation, Param, cursor_params
from monitor.wiring import REGISTRY
from snapshots import archive
from snapshots.archive import Sweep, rfc3339

Json = Any
_GROUP = "Installation"


def sweep_json(sweep: Sweep) -> dict[str, Json]:
    """A sweep, as `shapes.Sweep`."""
    plain = {name: getattr(sweep, name) for name in ("release", "state", "reason", "asked", "answered", "changed")}
    times = {"started_at": rfc3339(sweep.started_at), "ended_at": at(sweep.ended_at)}
    return {**plain, **times, "failed": sweep.failed}


def _listing(call: Call) -> Json:
    begin, limit = after(call, RowNumber), call.asked["limit"]
    with call.here.database.read() as connection:
        found = archive.recent_sweeps(connection, REGISTRY, limit + 1, begin[0] if begin else None)
    page, last = cut(found, limit)
    return {"items": [_numbered(*each) for each in page], "next": cursor.encode(last[0].id) if last else None}


def _numbered(sweep: Sweep, unanswered: int) -> dict[str, Json]:
    return {**sweep_json(sweep), "number": sweep.id, "unanswered": unanswered}


def _show(call: Call) -> Json:
    number = call.asked["id"]
    with call.here.database.read() as connection:
        found = archive.recent_sweeps(connection, REGISTRY, 1, number + 1)
    if not found or found[0][0].id != number:
        raise not_there("sweep", number, "sweeps")
    return _numbered(*found[0])


def _unanswered(call: Call) -> Json:
    number, limit = call.asked["id"], call.asked["limit"]
    begin = after(call, str)
    with call.here.database.read() as connection:
        if archive.find_sweep(connection, number) is None:
            raise not_there("sweep", number, "sweeps")
        found = archive.unanswered(connection, number, limit + 1, begin[0] if begin else "")
    page, last = cut(found, limit)
    items = [{"id": each.registry_id, "reason": each.reason, "detail": each.detail} for each in page]
    return {"items": items, "next": cursor.encode(last.registry_id) if last else None}


def _known(call: Call) -> Json:
    here = call.here
    return {"items": msgspec.to_builtins(list(doctor.examine_tables(here.database, here.settings, here.now)))}


def _check(call: Call) -> Json:
    return {"items": msgspec.to_builtins(list(doctor.examine(call.here.settings, call.here.now)))}


_FINDINGS = list_of(shapes.Finding)
ID = Param(name="id", type=Number, words="The number of the sweep.")

OPERATIONS = (
    Operation(
        method="GET", path="/sweeps", name="listSweeps", group=_GROUP, handler=_listing, params=cursor_params(),
        words="The passes over what is watched, the newest first.", answer=page_of(shapes.NumberedSweep),
    ),
    Operation(
        method="GET", path="/sweeps/{id}", name="showSweep", group=_GROUP, handler=_show, in_path=(ID,),
        words="One pass over what is watched.", answer=shapes.NumberedSweep, problems=(404,),
    ),
    Operation(
        method="GET", path="/sweeps/{id}/unanswered", name="listUnanswered", group=_GROUP, handler=_unanswered,
        words="What a sweep asked for in vain, and why.", params=cursor_params(), answer=page_of(shapes.Owed),
        in_path=(ID,), problems=(404,),
    ),
    Operation(
        method="GET", path="/checks", name="listChecks", group=_GROUP, handler=_known,
        words="What the settings and the tables tell of how the installation stands; nobody else is asked.",
        answer=_FINDINGS,
    ),
    Operation(
        method="POST", path="/checks", name="checkEverything", group=_GROUP, handler=_check, readers_may=True,
        asks_others=True,
        words="Make every check now: the mail server and the registry are asked, templates tried.",
        more="Nothing is changed and nobody is told. `trialdelta doctor` prints the same.",
        answer=_FINDINGS,
    ),
)  # fmt: skip
