"""Who is told of what: every subscription, and what can be done about one."""

import time
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

from msgspec.structs import replace
from sqlalchemy import Connection
from starlette.responses import Response

from monitor.lengths import too_long
from monitor.timing_words import told_when
from monitor.web.authors import author
from monitor.web.doors import Door
from monitor.web.forms import Lines
from monitor.web.numbers import row_number
from monitor.web.problems import Problem
from monitor.web.rendering import zone_time
from monitor.web.snoozing import end_of_snooze
from monitor.web.visit import Visit
from notifiers import addresses, confirmations, filters, ledger, outbox, subscriptions
from notifiers.conditions import InvalidValue
from notifiers.ledger import Entry
from notifiers.subscriptions import Selection, Stored

TEST_SECONDS = 8.0
"""How long the page waits for the daemon to send a test: it looks every three seconds what is due."""
LOOK_EVERY = 0.2
OPEN = ("pending", "held", "sending")
AWAKE = {"paused": False, "snooze_until": None, "snooze_until_critical": False, "silenced_by": None,
         "silence_reason": None}  # fmt: skip


def found(connection: Connection, here: Visit) -> Stored:
    """The subscription of the path. Raises Problem."""
    text = here.params["number"]
    number = row_number(text) or 0
    kept = next(iter(subscriptions.with_ids(connection, [number])), None)
    if kept is None:
        raise Problem(404, "There is no such subscription", "It may have been removed; the list shows those there are.")
    return kept


def path_of(kept: Stored) -> str:
    """The path of a subscription's page: its number, so that it can be renamed."""
    return f"/subscriptions/{kept.id}"


def about(selection: str | Selection) -> str:
    """Which watches it is about, in words."""
    if isinstance(selection, str):
        return "everything that is watched"
    if selection.ids is not None:
        return ", ".join(selection.ids)
    return f"the group {selection.group}" if selection.group else f"what the search {selection.search} finds"


def listing(here: Visit) -> Response:
    """All of them."""
    with here.database.read() as connection:
        kept = subscriptions.listing(connection)
    return here.page("subscriptions.html", kept=kept, **_words(here.now))


def show(here: Visit) -> Response:
    """One of them, and what can be done about it; with `tested` what became of a test."""
    return _page(here)


def _page(here: Visit, wrong: Mapping[str, str] | None = None) -> Response:
    with here.database.read() as connection:
        kept = found(connection, here)
        tested = [entry for each in _ids(here.query.get("tested", "")) if (entry := ledger.show(connection, each))]
        told = [addresses.find(connection, uri, here.now) for uri in kept.subscription.to]
        waiting = {each.uri for each in confirmations.waiting(connection)}
    return here.page(
        "subscription.html",
        422 if wrong else 200,
        kept=kept,
        told=told,
        waiting=waiting,
        tested=tested,
        wrong=Lines(wrong or {}),
        typed=here.form.values() if wrong else {},
        **_words(here.now),
    )


def _words(now: datetime) -> dict[str, Any]:
    return {
        "told_when": told_when,
        "about": about,
        "in_words": filters.in_words,
        "rests": lambda wanted: wanted.silence.in_words(now),
        "outcome": _outcome,
        "zone_time": zone_time,
    }


def _outcome(entry: Entry) -> str:
    """What became of a test, in a word or two."""
    if entry.state in ("delivered", "failed"):
        return "arrived" if entry.state == "delivered" else "did not arrive"
    return "did not arrive yet, is tried again" if entry.tries and entry.tries[-1].outcome else "is on its way"


# --- what can be done about it ----------------------------------------------------------------------------------------


def test(here: Visit) -> Response:
    """Send a test to each of its addresses, and wait for what becomes of it."""
    with here.database.write() as connection:
        kept = found(connection, here)
        ids = outbox.enqueue_test(connection, kept.subscription.name, here.now)
    if not ids:
        return here.redirect(path_of(kept), flash="Nobody is told of it any more: every address has stopped it.")
    _wait(here, ids)
    return here.redirect(f"{path_of(kept)}?tested={','.join(ids)}#tested")


def _wait(here: Visit, ids: Collection[str]) -> None:
    """Until the daemon has tried them all, or for as long as a person likes to wait."""
    end = time.monotonic() + TEST_SECONDS
    while time.monotonic() < end:
        with here.database.read() as connection:
            entries = [ledger.show(connection, each) for each in ids]
        if all(entry is None or (entry.tries and entry.tries[-1].outcome) for entry in entries):
            return
        time.sleep(LOOK_EVERY)


def _ids(text: str) -> Sequence[str]:
    return [each for each in text.split(",") if each][:50]


def rest(here: Visit) -> Response:
    """Pause it, snooze it, or wake it."""
    wish = here.form.text("wish")
    wrong = too_long(here.form.values())
    try:
        asked = _snooze(here) if wish == "snooze" else {"paused": True} if wish == "pause" else {}
    except InvalidValue as error:
        wrong |= {error.key: error.problem}
    if wrong:
        return _page(here, wrong)
    said = {"silenced_by": author(here), "silence_reason": here.form.text("reason") or None}
    with here.database.write() as connection:
        kept = found(connection, here)
        changed = replace(kept.subscription, **{**AWAKE, **asked, **(said if asked else {})})
        subscriptions.save(connection, changed, here.now)
    words = changed.silence.in_words(here.now) or "awake"
    return here.redirect(path_of(kept), flash=f"{changed.name} is {words}.")


def _snooze(here: Visit) -> dict[str, object]:
    """The snooze that is asked for. Raises InvalidValue."""
    return {
        "snooze_until": end_of_snooze(here.form, here.now),
        "snooze_until_critical": here.form.flag("until_critical"),
    }


def ask_removal(here: Visit) -> Response:
    """Asks first."""
    with here.database.read() as connection:
        kept = found(connection, here)
    return here.page("subscription_remove.html", kept=kept)


def remove(here: Visit) -> Response:
    """Removes it."""
    with here.database.write() as connection:
        kept = found(connection, here)
        subscriptions.remove(connection, kept.subscription.name, here.now)
    return here.redirect("/subscriptions", flash=f"{kept.subscription.name} is removed.")


DOORS = (
    Door("/subscriptions", access="signed-in", get=listing),
    Door("/subscriptions/{number}", access="signed-in", get=show),
    Door("/subscriptions/{number}/test", access="signed-in", post=test),
    Door("/subscriptions/{number}/rest", access="signed-in", post=rest),
    Door("/subscriptions/{number}/remove", access="signed-in", get=ask_removal, post=remove),
)
