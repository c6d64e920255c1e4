"""Who was told what, when, and with what answer; and trying again."""

from collections.abc import Iterable

from sqlalchemy import Connection
from starlette.responses import Response

from monitor.web import cursor
from monitor.web.authors import author
from monitor.web.doors import Door
from monitor.web.forms import Lines
from monitor.web.messages import message_for
from monitor.web.numbers import RowNumber, row_number
from monitor.web.problems import Problem
from monitor.web.visit import Visit
from monitor.wiring import REGISTRY
from notifiers import acknowledgements, addresses, ledger, outbox, subscriptions
from notifiers.composing import changes_as_told, templates_of
from notifiers.conditions import InvalidValue
from notifiers.examples import TYPES
from notifiers.ledger import STATES, Asked, Entry
from notifiers.message import TYPE_NAMES
from notifiers.outbox import Told
from notifiers.rendering import render_or_ours
from snapshots import archive
from snapshots.archive import Step, StoredChange
from snapshots.registries.ctgov.ids import normalise

ON_ONE_PAGE = 30
FILTERS = ("state", "type", "address", "trial", "change")
MOST_CHANGES = 200
"""Changes of one delivery that its page lists; a year's digest may hold thousands."""
MEANING = {
    "pending": "It is due, or waits for its time or its next try.",
    "held": "It waits for the sweep that found it to end.",
    "sending": "It is being sent right now.",
    "delivered": "It was taken.",
    "failed": "It was given up. You can try it again.",
    "cancelled": "It was called off before it was sent.",
}
WAITS = {"pending": "waits", "held": "held", "sending": "being sent", "delivered": "delivered", "failed": "failed",
         "cancelled": "called off"}  # fmt: skip
"""The states as people say them."""


def listing(here: Visit) -> Response:
    """The newest first, of those that are asked for."""
    asked, wrong = _asked(here)
    with here.database.read() as connection:
        entries = ledger.found(connection, asked, ON_ONE_PAGE + 1) if not wrong else []
        known = addresses.listing(connection, here.now)
        titles = _titles(connection, entries)
    shown = entries[:ON_ONE_PAGE]
    chosen = {name: here.query.get(name, "") for name in FILTERS}
    older = here.link("/deliveries", **chosen, after=cursor.encode(shown[-1].number)) if entries[ON_ONE_PAGE:] else None
    first = here.link("/deliveries", **chosen) if here.query.get("after") else None
    return here.page(
        "deliveries.html",
        422 if wrong else 200,
        entries=shown,
        chosen=chosen,
        is_filtered=any(chosen.values()),
        wrong=Lines(wrong),
        states=[("", "any"), *((state, WAITS[state]) for state in STATES)],
        types=[("", "any"), *((each, TYPE_NAMES[each]) for each in TYPES)],
        type_names=TYPE_NAMES,
        about=_about,
        titles=titles,
        addresses=[("", "any"), *((str(each.id), each.shown.removeprefix("mailto:")) for each in known)],
        words=WAITS,
        older=older,
        first=first,
    )


def _asked(here: Visit) -> tuple[Asked, dict[str, str]]:
    """What is asked for, and what is wrong with it."""
    query, wrong = here.query, {}
    record = None
    if query.get("trial"):
        try:
            record = (REGISTRY, normalise(query["trial"]))
        except ValueError as error:
            wrong["trial"] = f"This is {error}"
    asked = Asked(
        state=query["state"] if query.get("state") in STATES else None,
        type=query["type"] if query.get("type") in TYPES else None,
        address=row_number(query.get("address", "")),
        change=row_number(query.get("change", "")),
        record=record,
        before=cursor.decode(query["after"], RowNumber)[0] if query.get("after") else None,
    )
    return asked, wrong


def show(here: Visit) -> Response:
    """One of them: its attempts, what it told, and who saw it."""
    with here.database.read() as connection:
        entry = _entry(connection, here)
        told = outbox.load(connection, entry.delivery_id, here.now)
        known = {each.name: subscriptions.find(connection, each.name) for each in entry.askers}
        steps = _first(connection, told)
    count = sum(len(each.changes) for each in told.steps)
    return here.page(
        "delivery.html",
        entry=entry,
        steps=steps,
        count=count,
        most=MOST_CHANGES,
        notice=told.notice,
        askers=known,
        words=WAITS,
        type_names=TYPE_NAMES,
        about=_about(entry),
        meaning=MEANING[entry.state],
        can_see=entry.type in acknowledgements.ALERTS,
    )


def _first(connection: Connection, told: Told) -> list[tuple[Step, tuple[StoredChange, ...]]]:
    """The steps and their changes as the message tells them, no more than a page holds."""
    shown: list[tuple[Step, tuple[StoredChange, ...]]] = []
    left = MOST_CHANGES
    for each in told.steps:
        if left <= 0:
            break
        shown.append((each.step, changes_as_told(connection, each, told)[:left]))
        left -= len(each.changes)
    return shown


def message(here: Visit) -> Response:
    """The message as its reader sees it, laid out as it would be sent now."""
    with here.database.read() as connection:
        entry = _entry(connection, here)
        told = outbox.load(connection, entry.delivery_id, here.now)
        composed = message_for(here, connection, told)
    return here.foreign_html(render_or_ours(composed, templates_of(told)).rendered.html)


# --- what can be done -------------------------------------------------------------------------------------------------


def retry(here: Visit) -> Response:
    """Try it again now, under the same id."""
    with here.database.write() as connection:
        entry = _entry(connection, here)
        outbox.retry(connection, entry.delivery_id, here.now)
    return here.redirect(_path(entry), flash="It is due again and is sent within seconds, while the daemon runs.")


def cancel(here: Visit) -> Response:
    """Call it off."""
    with here.database.write() as connection:
        entry = _entry(connection, here)
        is_off = outbox.cancel(connection, entry.delivery_id, f"called off by {author(here)}", here.now)
    return here.redirect(_path(entry), flash="It is called off." if is_off else "It is too late to call it off.")


def acknowledge(here: Visit) -> Response:
    """Note that it was seen, or take that back."""
    with here.database.write() as connection:
        entry = _entry(connection, here)
        if here.form.text("wish") == "withdraw":
            acknowledgements.withdraw(connection, entry.delivery_id)
            words = "It counts as unseen again."
        else:
            acknowledgements.acknowledge(connection, entry.delivery_id, author(here), here.now)
            words = "Noted as seen; the next digest does not list it as unseen."
    return here.redirect(_path(entry), flash=words)


def ask_replay(here: Visit) -> Response:
    """Asks since when, and to whom."""
    with here.database.read() as connection:
        known = addresses.listing(connection, here.now)
    return here.page("replay.html", known=known, typed={}, wrong="", count=None)


def replay(here: Visit) -> Response:
    """Says first how many would be sent again, then does it."""
    since, number = here.form.text("since"), row_number(here.form.text("address"))
    typed = here.form.values()
    with here.database.read() as connection:
        known = addresses.listing(connection, here.now)
        uri = next((each.uri for each in known if each.id == number), None)
        try:
            moment = subscriptions.moment("since", since)
        except InvalidValue as error:
            wrong = error.problem if since else "Say since when: a day, or a time."
            return here.page("replay.html", 422, known=known, typed=typed, wrong=wrong, count=None)
        count = len(outbox.replayable(connection, moment, uri))
    if here.form.text("wish") != "replay" or not count:
        return here.page("replay.html", known=known, typed=typed, wrong="", count=count)
    with here.database.write() as connection:
        ids = outbox.replay(connection, moment, here.now, uri)
    return here.redirect(
        "/deliveries", flash=f"{len(ids):,} are due again, in their old order and under their old ids."
    )


def _entry(connection: Connection, here: Visit) -> Entry:
    entry = ledger.show(connection, here.params["delivery"])
    if entry is None:
        raise Problem(404, "There is no such delivery", "The list of deliveries shows those there are.")
    return entry


def _about(entry: Entry) -> str:
    """The trial's id, else what the message is."""
    return TYPE_NAMES[entry.type].capitalize() if entry.about == entry.type else entry.about


def _titles(connection: Connection, entries: Iterable[Entry]) -> dict[str, str | None]:
    """The titles of the trials that these are about."""
    ids = {entry.about for entry in entries if entry.about != entry.type}
    records = ((each, archive.find_record(connection, REGISTRY, each)) for each in ids)
    return {each: record.title for each, record in records if record}


def _path(entry: Entry) -> str:
    return f"/deliveries/{entry.delivery_id}"


DOORS = (
    Door("/deliveries", access="signed-in", get=listing),
    Door("/deliveries/replay", access="signed-in", get=ask_replay, post=replay),
    Door("/deliveries/{delivery}", access="signed-in", get=show),
    Door("/deliveries/{delivery}/message", access="signed-in", get=message),
    Door("/deliveries/{delivery}/retry", access="signed-in", post=retry),
    Door("/deliveries/{delivery}/cancel", access="signed-in", post=cancel),
    Door("/deliveries/{delivery}/acknowledge", access="signed-in", post=acknowledge),
)
