"""A subscription written in a form: tried on the past and on today before it is kept, without losing what was typed."""

from collections.abc import Collection, Mapping, Sequence
from datetime import date
from functools import cache
from zoneinfo import available_timezones

from sqlalchemy import Connection
from starlette.responses import Response

from monitor.local_zone import local_zone
from monitor.web.doors import Door
from monitor.web.forms import Lines
from monitor.web.pages.subscriptions import found, path_of
from monitor.web.problems import Problem
from monitor.web.subscriptions import filling, foresight, writing
from monitor.web.subscriptions.foresight import Foresight
from monitor.web.subscriptions.writing import Read
from monitor.web.visit import Visit
from monitor.wiring import PARSE
from notifiers import standing, subscriptions, watches
from notifiers.calendar import WEEKDAYS
from notifiers.filters import severe_in_words
from notifiers.subscriptions import Stored, Subscription
from snapshots.kind_titles import title
from snapshots.kinds import KINDS, SEVERITIES, Kind
from snapshots.sentences import capitalised, date_words, status_words

CONTINENTS = ("Africa/", "America/", "Asia/", "Atlantic/", "Australia/", "Europe/", "Indian/", "Pacific/")


def new(here: Visit) -> Response:
    """An empty form; what the address says (`ids`, `group`, `name`) is filled in."""
    begun = filling.begun(here.query, local_zone())
    with here.database.read() as connection:
        return _form(here, connection, Read(said=begun), None, preset="timezone" not in here.query)


def edit(here: Visit) -> Response:
    """The form of a subscription that is kept."""
    with here.database.read() as connection:
        kept = found(connection, here)
        return _form(here, connection, Read(said=filling.filled(kept.subscription, _is_box)), kept)


def post_new(here: Visit) -> Response:
    """Preview, or keep."""
    return _posted(here, None)


def post_edit(here: Visit) -> Response:
    """Preview, or keep what was changed."""
    with here.database.read() as connection:
        kept = found(connection, here)
    return _posted(here, kept)


def _posted(here: Visit, before: Stored | None) -> Response:
    with here.database.read() as connection:
        asked = writing.read(connection, here, before)
        since = _since(asked, here.now.date())
        if asked.wanted is None or here.form.text("wish") != "save" or asked.wrong:
            seen = _foreseen(here, connection, asked, since)
            return _form(here, connection, asked, before, seen)
        today = standing.load(connection, asked.wanted, PARSE) if here.form.flag("send_standing") else None
    return _kept(here, asked.wanted, before, today, asked.notes)


def _foreseen(here: Visit, connection: Connection, asked: Read, since: str | None) -> Foresight | None:
    if asked.wanted is None or asked.wrong:
        return None
    return foresight.foresee(connection, asked.wanted, since, here.now)


def _since(asked: Read, today: date) -> str | None:
    text = asked.said.texts.get("since", "")
    try:
        since = date.fromisoformat(text) if text else None
    except ValueError:
        asked.wrong["since"] = f"{text!r} is no date, such as 2026-01-31"
        return None
    if since and since > today:
        asked.wrong["since"] = f"{date_words(since.isoformat())} is in the future"
        return None
    return since.isoformat() if since else None


def _kept(
    here: Visit,
    wanted: Subscription,
    before: Stored | None,
    today: standing.Standing | None,
    notes: tuple[str, ...],
) -> Response:
    with here.database.write() as connection:
        secrets = writing.keep(connection, here, wanted, before)
        kept = subscriptions.find(connection, wanted.name)
        if kept is None:
            raise Problem(409, "It was removed meanwhile", "Write it anew.")
        if today is not None:
            standing.enqueue(connection, kept, today, here.now)
    if secrets:
        return here.page(
            "subscription_kept.html", headers={"Cache-Control": "no-store"}, kept=kept, secrets=secrets, notes=notes
        )
    note = f" Note: {' '.join(notes)}" if notes else ""
    return here.redirect(path_of(kept), flash=f"{wanted.name} is kept.{note}")


def _form(
    here: Visit,
    connection: Connection,
    asked: Read,
    before: Stored | None,
    seen: Foresight | None = None,
    *,
    preset: bool = False,
) -> Response:
    return here.page(
        "subscription_form.html",
        422 if asked.wrong else 200,
        before=before,
        said=asked.said.texts,
        ticked=asked.said.kinds,
        wrong=Lines(asked.wrong),
        offered=asked.offered,
        offered_as="Did you mean" if asked.offers_alike else "Which one is meant?",
        notes=asked.notes,
        wanted=asked.wanted,
        seen=seen,
        groups=watches.groups(connection),
        searches=watches.search_names(connection),
        families=_families(),
        severities=[("", "any"), *((each, severe_in_words(each)) for each in SEVERITIES[:-1])],
        floors=[(each, severe_in_words(each)) for each in SEVERITIES],
        weekdays=[(day, day.capitalize()) for day in WEEKDAYS],
        pairs=_pairs,
        has_box=_is_box,
        chosen_in=lambda groups: _chosen_in(groups, asked.said.kinds),
        statuses=[(each, capitalised(status_words(each))) for each in filling.STATUSES],
        statuses_ticked=asked.said.statuses,
        title=lambda pattern: capitalised(title(pattern)),
        preset=preset,
        zones=_zones(),
    )


def _pairs(names: Sequence[str]) -> list[tuple[str, str]]:
    """A choice among names."""
    return [("", "Choose…"), *((name, name) for name in names)]


def _chosen_in(groups: Mapping[str, Sequence[Kind]], ticked: Collection[str]) -> int:
    """How many boxes of a family are ticked."""
    boxes = [f"{group}.*" for group in groups] + [kind.name for kinds in groups.values() for kind in kinds]
    return sum(box in ticked for box in boxes)


def _is_box(pattern: str) -> bool:
    return pattern in KINDS or pattern in _group_boxes()


@cache
def _families() -> dict[str, dict[str, list[Kind]]]:
    return filling.boxes(KINDS.values())


@cache
def _group_boxes() -> frozenset[str]:
    """The groups that have a box of their own: those of more than one kind, where all of them are in one family."""
    whole = [name for groups in _families().values() for name, kinds in groups.items() if len(kinds) > 1]
    return frozenset(f"{name}.*" for name in whole if whole.count(name) == 1)


@cache
def _zones() -> tuple[str, ...]:
    return (
        "UTC",
        *sorted(zone for zone in available_timezones() if zone.startswith(CONTINENTS) and zone.count("/") == 1),
    )


DOORS = (
    Door("/subscriptions/new", access="signed-in", get=new, post=post_new),
    Door("/subscriptions/{number}/edit", access="signed-in", get=edit, post=post_edit),
)
