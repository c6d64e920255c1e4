"""What changed across all records, the newest first; and, for programs that poll, all that is new since a cursor."""

from collections.abc import Sequence
from typing import Annotated, Any

from msgspec import Meta, Struct
from msgspec.structs import replace
from sqlalchemy import ColumnElement, Connection

from monitor.shown.deliveries import change_json
from monitor.web import cursor
from monitor.web.api import shapes
from monitor.web.api.asking import RowNumber, after, stored
from monitor.web.api.operations import Call, Operation, Param, Word, cursor_params
from monitor.web.api.wanting import FILTERS, checked_group, kinds_asked, severities_asked
from monitor.web.problems import Problem
from notifiers import news
from notifiers.watched_rows import is_watched, watched_rows
from snapshots.archive import Step, recent
from snapshots.archive.tables import steps as step_rows
from snapshots.kinds import KINDS

Json = Any
Cause = Annotated[str, Meta(pattern="^(observed|back-filled|search|registry)$")]


class ChangesPage(Struct):
    """Changes. `next` is the cursor of the following page, null on the last. `since` is for pollers: asked with it, the
    next answer holds exactly what was stored after this one; `more`: some of that is there already.
    """

    items: list[shapes.NewChange]
    next: str | None
    since: str
    more: bool


def _changes(call: Call) -> Json:
    if call.asked["since"] and call.asked["cursor"]:
        raise Problem(400, "since and cursor exclude each other", "since polls for what is new, cursor turns pages.")
    with call.here.database.read() as connection:
        asked = recent.Asked(
            kinds=kinds_asked(call),
            severities=severities_asked(call),
            causes=call.asked["origin"] or None,
            where=_seen_or_not(connection, call),
        )
        asked = replace(asked, **_rows(connection, call))
        return _new(connection, call, asked) if call.asked["since"] else _page(connection, call, asked)


def _rows(connection: Connection, call: Call) -> dict[str, Any]:
    """The rows of the records that are asked for, as `recent.Asked` takes them. Raises Problem (404)."""
    record, group = call.asked["record"], call.asked["group"]
    if record and group:
        raise Problem(400, "record and group exclude each other")
    if record:
        return {"records": recent.rows_of(stored(connection, record).id)}
    checked_group(connection, group)
    if group:
        return {"among": watched_rows(group)}
    return {"among": watched_rows(), "is_among": is_watched(step_rows.c.record)} if call.asked["watched"] else {}


def _seen_or_not(connection: Connection, call: Call) -> ColumnElement[bool] | None:
    wanted, visitor = call.asked["seen"], call.here.visitor
    if wanted is None or visitor is None:
        return None
    return news.is_seen(connection, visitor.name, wanted)


def _page(connection: Connection, call: Call, asked: recent.Asked) -> Json:
    begin = after(call, RowNumber)
    limit = call.asked["limit"]
    told = _told(recent.newest(connection, _narrowed(asked, before=begin[0] if begin else None), limit + 1))
    told.sort(key=lambda row: -row["id"])
    page = told[:limit]
    following = cursor.encode(page[-1]["id"]) if len(told) > limit else None
    return {"items": page, "next": following, "since": _since(recent.last_change(connection)), "more": False}


def _new(connection: Connection, call: Call, asked: recent.Asked) -> Json:
    begin = cursor.decode(call.asked["since"], str, RowNumber)
    if begin[0] != "since":
        raise Problem(400, "That is no cursor for polling", "Take `since` of an earlier answer.")
    limit = call.asked["limit"]
    told = _told(recent.following(connection, _narrowed(asked, after=begin[1]), limit + 1))
    page = told[:limit]
    more = len(told) > limit
    last = page[-1]["id"] if more else max(begin[1], recent.last_change(connection))
    return {"items": page, "next": None, "since": _since(last), "more": more}


def _narrowed(asked: recent.Asked, **more: int | None) -> recent.Asked:
    return replace(asked, **more)


def _since(number: int) -> str:
    return cursor.encode("since", number)


def _told(steps: Sequence[Step]) -> list[dict[str, Json]]:
    return [
        {**change_json(step, each), "family": KINDS[each.change.kind].family, "origin": step.cause}
        for step in steps
        for each in step.changes
    ]


def _mark(call: Call) -> Json:
    given: shapes.SeenChanges = call.sent
    visitor = call.here.visitor
    assert visitor is not None
    with call.here.database.write() as connection:
        steps = recent.steps_of(connection, given.changes)
        if given.seen:
            return {"marked": news.mark_seen(connection, visitor.name, steps, call.here.now)}
        news.unmark_seen(connection, visitor.name, steps)
        return {"marked": 0}


OPERATIONS = (
    Operation(
        method="POST",
        path="/seen",
        name="markSeen",
        group="Changes",
        words="Mark changes as seen by this token, as the start page does; nobody else sees that.",
        handler=_mark,
        body=shapes.SeenChanges,
        answer=shapes.Marked,
        readers_may=True,
    ),
    Operation(
        method="GET",
        path="/changes",
        name="listChanges",
        group="Changes",
        words="What changed, the newest first; or, for programs that poll, all that is new since a cursor.",
        more=(
            "To follow everything: ask once (limit=1), keep `since`, ask with it from time to time, and again at once "
            "while `more` is true. Nothing is missed and nothing comes twice: a change takes its place when it is "
            "stored, also one that is filled in from the past or told anew by better rules. Records that are watched "
            "no more stay in the list; `watched=true` leaves them out."
        ),
        handler=_changes,
        params=(
            *FILTERS,
            Param(name="origin", type=list[Cause], words="Only observed, back-filled, search or registry."),
            Param(name="record", type=Word | None, words="Only of this record."),
            Param(name="group", type=Word | None, words="Only of what is watched in this group."),
            Param(name="watched", type=bool, default=False, words="Only of records that are watched now."),
            Param(
                name="seen",
                type=bool | None,
                words="Only what this token marked as seen, or somebody in a message; or only what nobody did so.",
            ),
            Param(name="since", type=Word | None, words="What was stored after the answer with this `since`."),
            *cursor_params(),
        ),
        answer=ChangesPage,
        problems=(404,),
    ),
)
