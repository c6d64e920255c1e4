"""What is new: the newest changes of the watched trials, newest release first, and what that rests on."""

from collections.abc import Sequence
from datetime import datetime
from itertools import groupby

from msgspec import Struct
from sqlalchemy import Connection, exists, select, tuple_
from starlette.responses import Response

from monitor.health import Health, health
from monitor.web import cursor
from monitor.web.doors import Door
from monitor.web.visit import Visit
from monitor.wiring import REGISTRY
from snapshots import archive
from snapshots.archive import Step
from snapshots.archive.tables import changes as change_rows
from snapshots.archive.tables import steps as step_rows
from snapshots.kinds import SEVERITIES
from snapshots.registries.ctgov.ids import record_page

ON_ONE_PAGE = 40
CAUSES = ("observed", "search", "registry")


class Day(Struct, frozen=True):
    """What was seen with one release, most severe first."""

    release: str | None
    steps: tuple[Step, ...]


def show(here: Visit) -> Response:
    """The page."""
    after = cursor.decode(here.query["after"], datetime, int) if here.query.get("after") else None
    with here.database.read() as connection:
        steps = _newest(connection, after)
        stands = health(connection, REGISTRY, here.now)
    shown, more = steps[:ON_ONE_PAGE], len(steps) > ON_ONE_PAGE
    older = here.link("/", after=cursor.encode(shown[-1].observed_at, shown[-1].id)) if more else None
    return here.page(
        "news.html", days=_days(shown), stands=stands, checked=_checked(stands), older=older, record_page=record_page
    )


def _newest(connection: Connection, after: tuple[datetime, int] | None) -> list[Step]:
    told = exists().where(change_rows.c.step == step_rows.c.id, change_rows.c.kind != "record.first_seen")
    wanted = (
        select(step_rows.c.id)
        .where(step_rows.c.cause.in_(CAUSES), step_rows.c.superseded_by.is_(None), told)
        .order_by(step_rows.c.observed_at.desc(), step_rows.c.id.desc())
        .limit(ON_ONE_PAGE + 1)
    )
    if after is not None:
        wanted = wanted.where(tuple_(step_rows.c.observed_at, step_rows.c.id) < tuple_(*after))
    return [archive.find_step(connection, step_id) for step_id in connection.execute(wanted).scalars().all()]


def _days(steps: Sequence[Step]) -> list[Day]:
    return [
        Day(release, tuple(sorted(together, key=_severity)))
        for release, together in groupby(steps, key=lambda step: step.release)
    ]


def _severity(step: Step) -> int:
    return min(SEVERITIES.index(stored.change.severity) for stored in step.changes)


def _checked(stands: Health) -> str:
    """What stands under the heading: what was looked at for which release, and what could not be."""
    if stands.last_finished is None:
        return "Nothing was checked yet."
    trials = "1 trial" if stands.watched == 1 else f"{stands.watched:,} trials"
    failed = len(stands.exceptions)
    answered = "all answered" if not failed else f"{failed:,} could not be checked"
    return f"{trials} checked for the release of {stands.last_finished.release}: {answered}."


DOORS = (Door("/", access="signed-in", get=show),)
