"""What is new in what is watched, in the order of the start page: release by release, the most severe first."""

from typing import Any

from msgspec import Struct
from sqlalchemy import Connection

from monitor.shown.deliveries import at, change_json
from monitor.web import cursor
from monitor.web.api import shapes
from monitor.web.api.asking import RowNumber, after
from monitor.web.api.operations import Call, Operation, Param, Word, cursor_params
from monitor.web.api.wanting import FILTERS, checked_group, kinds_asked, severities_asked
from notifiers import news
from notifiers.news import Asked, Item, Place

Json = Any


class NewsPage(Struct):
    """What is new. `next` is the cursor of what is older, null at the end: a page may be empty and others follow, where
    the filters leave little. `looked_back_to`: the release up to which was looked; null: there is none.
    """

    items: list[shapes.NewsItem]
    next: str | None
    looked_back_to: str | None


def _news(call: Call) -> Json:
    begin = after(call, str, RowNumber, RowNumber)
    with call.here.database.read() as connection:
        asked = _asked(connection, call)
        page = news.page(connection, asked, Place(*begin) if begin else None, call.asked["limit"])
    older = page.older
    return {
        "items": [_item_json(each) for each in page.items],
        "next": cursor.encode(older.release, older.rank, older.step) if older else None,
        "looked_back_to": page.looked_back_to,
    }


def _asked(connection: Connection, call: Call) -> Asked:
    assert call.here.visitor is not None
    return Asked(
        visitor=call.here.visitor.name,
        severities=severities_asked(call),
        kinds=kinds_asked(call),
        group=checked_group(connection, call.asked["group"]),
        is_seen=call.asked["seen"],
    )


def _item_json(item: Item) -> dict[str, Json]:
    step = item.step
    changes = [change_json(step, each) for each in step.changes]
    return {
        "step": step.id,
        "origin": step.cause,
        "record": changes[0]["record"],
        "release": step.release,
        "observed_at": at(step.observed_at),
        "changes": changes,
        "others": item.others,
        "seen": {"by": item.seen.by, "at": at(item.seen.at)} if item.seen else None,
        "tally": {"seen": item.tally.seen, "of": item.tally.of},
    }


OPERATIONS = (
    Operation(
        method="GET",
        path="/news",
        name="listNews",
        group="Changes",
        words="What is new in what is watched: the newest release first, in it the most severe first.",
        more="As the start page shows it: what happened to a record at one moment together, and who has seen it. What "
        "was filled in from the past and what is watched no more is not among it.",
        handler=_news,
        params=(
            *FILTERS,
            Param(name="group", type=Word | None, words="Only of what is watched in this group."),
            Param(name="seen", type=bool | None, words="Only what this token, or somebody in a message, saw; or not."),
            *cursor_params(),
        ),
        answer=NewsPage,
        problems=(404,),
    ),
)
