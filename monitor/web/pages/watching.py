"""One thing that is watched: its group and note, its pauses and snoozes, and whether it stays watched."""

from collections.abc import Callable, Mapping

from sqlalchemy import Connection
from starlette.responses import Response

from monitor.lengths import too_long
from monitor.web.authors import author
from monitor.web.doors import Door
from monitor.web.forms import Lines
from monitor.web.numbers import row_number
from monitor.web.pages.watchlist import WORDS
from monitor.web.problems import Problem
from monitor.web.snoozing import end_of_snooze
from monitor.web.visit import Visit
from monitor.wiring import PARSE, REGISTRY
from notifiers import outbox, watch_standing, watches
from notifiers.conditions import InvalidValue
from notifiers.silences import Silence
from notifiers.watches import Watch


def show(here: Visit) -> Response:
    """The page."""
    return _page(here)


def act(here: Visit) -> Response:
    """Does what the pressed button says."""
    wish = here.form.text("wish")
    done = WISHES.get(wish)
    if done is None:
        raise Problem(422, "It is not clear what to do", "Press one of the buttons of the page.")
    with here.database.write() as connection:
        watch = _found(connection, here)
        wrong = too_long(here.form.values())
        try:
            words = done(here, connection, watch) if not wrong else ""
        except InvalidValue as error:
            wrong = {error.key: error.problem}
        if not wrong:
            return here.redirect("/watchlist" if wish == "remove" else f"/watchlist/{watch.id}", flash=words)
    return _page(here, wrong)


def _page(here: Visit, wrong: Mapping[str, str] | None = None) -> Response:
    with here.database.read() as connection:
        watch = _found(connection, here)
        standing = watch_standing.standings(connection, REGISTRY, [watch], here.now, PARSE)[0]
        groups = watches.groups(connection)
    return here.page(
        "watching.html",
        422 if wrong else 200,
        one=standing,
        watch=watch,
        rest=watch.silence.in_words(here.now),
        groups=groups,
        words=WORDS,
        wrong=Lines(wrong or {}),
        typed=Lines(here.form.values() if wrong else {}),
    )


def ask_removal(here: Visit) -> Response:
    """Asks whether it is meant."""
    with here.database.read() as connection:
        watch = _found(connection, here)
        standing = watch_standing.standings(connection, REGISTRY, [watch], here.now)[0]
    return here.page("watching_remove.html", one=standing, watch=watch)


def _found(connection: Connection, here: Visit) -> Watch:
    text = here.params["number"]
    number = row_number(text) or 0
    found = watches.numbered(connection, [number]).get(number)
    if found is None:
        raise Problem(404, "That is not watched", "It may have been removed; the watchlist shows what there is.")
    return found


def _say(here: Visit, connection: Connection, watch: Watch) -> str:
    group, note = here.form.text("group") or None, here.form.text("note") or None
    watches.change(connection, watches.as_wish(watch, group=group, note=note), here.now)
    return "Group and note are kept."


def _pause(here: Visit, connection: Connection, watch: Watch) -> str:
    watches.pause(connection, REGISTRY, [watch], here.now, by=author(here), reason=_reason(here))
    return f"{watch.called} is paused: the registry is not asked for it until it goes on."


def _resume(here: Visit, connection: Connection, watch: Watch) -> str:
    watches.snooze(connection, REGISTRY, [watch], Silence(), here.now)
    watches.pause(connection, REGISTRY, [watch], here.now, paused=False)
    return f"{watch.called} is watched again. What waited is told within a minute."


def _snooze(here: Visit, connection: Connection, watch: Watch) -> str:
    silence = _silence(here)
    watches.snooze(connection, REGISTRY, [watch], silence, here.now)
    outbox.call_back(connection, REGISTRY, [watch], here.now)
    return f"{watch.called} is {silence.in_words(here.now)}."


def _silence(here: Visit) -> Silence:
    """The snooze that the form asks for. Raises InvalidValue."""
    until, until_critical = end_of_snooze(here.form, here.now), here.form.flag("until_critical")
    return Silence(until=until, until_critical=until_critical, by=author(here), reason=_reason(here))


def _remove(here: Visit, connection: Connection, watch: Watch) -> str:  # noqa: ARG001 - one signature for all
    watches.remove(connection, REGISTRY, [watch])
    return f"{watch.called} is watched no more. Its history stays."


def _reason(here: Visit) -> str | None:
    return here.form.text("reason") or None


WISHES: Mapping[str, Callable[[Visit, Connection, Watch], str]] = {
    "say": _say,
    "pause": _pause,
    "resume": _resume,
    "snooze": _snooze,
    "remove": _remove,
}

DOORS = (
    Door("/watchlist/{number}", access="signed-in", get=show, post=act),
    Door("/watchlist/{number}/remove", access="signed-in", get=ask_removal),
)
