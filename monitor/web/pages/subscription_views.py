"""What a subscription makes of things: its digest as it would look now, and why it wants a change or does not."""

from msgspec import Struct
from starlette.responses import Response

from monitor.web.doors import Door
from monitor.web.messages import message_for
from monitor.web.numbers import row_number
from monitor.web.pages.deliveries import WAITS
from monitor.web.pages.subscriptions import found, path_of
from monitor.web.problems import Problem
from monitor.web.subscriptions.foresight import Hasty
from monitor.web.visit import Visit
from monitor.wiring import PARSE, REGISTRY
from notifiers import digest, digest_example, subscriptions, template_folders
from notifiers import why as reasons
from notifiers.composing import templates_of
from notifiers.conditions import InvalidValue
from notifiers.examples import TYPES
from notifiers.message import TYPE_NAMES, Coverage
from notifiers.rendering import LaidOut, render_or_ours
from notifiers.subscriptions import Stored
from snapshots.registries.ctgov.ids import normalise

MOST_CHANGES = 40
ASKED_OF = {
    "watches": "the trial",
    "kinds": "the kind of change",
    "min_severity": "severity",
    "becomes": "the new value",
    "shift_days_over": "how far the date moved",
    "sponsor": "the sponsor",
    "countries": "the country",
    "sites": "the site",
    "near": "how near",
    "since": "when it began",
    "paused": "a pause",
    "history": "what is sent at all",
}
"""What a condition looks at, in words."""


# --- its digest -------------------------------------------------------------------------------------------------------


def digest_preview(here: Visit) -> Response:
    """What a digest would tell each of its addresses now, or (`example`) would have told them. Nothing is sent."""
    with here.database.read() as connection:
        kept = found(connection, here)
        uris = [address.shown for address in digest.readers(connection, kept.subscription.name, here.now)]
    if not uris:
        return here.page("digest_preview.html", kept=kept, uris=uris, chosen=0, seen=None, is_example=False)
    chosen, is_example = _number(here.query.get("address", "0"), len(uris)), here.query.get("example") == "yes"
    seen = _digest(here, chosen, is_example=is_example)
    return here.page("digest_preview.html", kept=kept, uris=uris, chosen=chosen, seen=seen, is_example=is_example)


def digest_document(here: Visit) -> Response:
    """The HTML part of that, as its reader would see it."""
    seen = _digest(here, _number(here.params["address"]), is_example=here.query.get("example") == "yes")
    if seen is None:
        raise Problem(404, "There is no example of this digest")
    return here.foreign_html(seen.laid.rendered.html)


def send_digest(here: Visit) -> Response:
    """Send it now, outside of its times; the daemon does within seconds."""
    with here.database.write() as connection:
        kept = found(connection, here)
        ids = digest.send(connection, kept.subscription.name, here.now)
    words = (
        "Nobody is told of it." if not ids else "The digest is on its way; what became of it stands here in a moment."
    )
    return here.redirect("/deliveries?type=digest" if ids else path_of(kept), flash=words)


class Seen(Struct, frozen=True, kw_only=True):
    """A digest as it is looked at: its covered time in the words of the mail, and whether it tells any change."""

    laid: LaidOut
    coverage: Coverage
    has_news: bool


def _digest(here: Visit, chosen: int, *, is_example: bool) -> Seen | None:
    """The digest that would go out now, or the example; None where there is none."""
    with here.database.read() as connection:
        kept = found(connection, here)
        name = kept.subscription.name
        readers = digest.readers(connection, name, here.now)
        if not 0 <= chosen < len(readers):
            raise Problem(404, "No such address is told")
        if is_example:
            found_now = [digest_example.example(connection, kept, readers[chosen], here.now, PARSE, Hasty())]
        else:
            found_now = [*digest.preview(connection, name, here.now, readers[chosen].id)]
        told = found_now[0]
        if told is None or told.coverage is None:
            return None
        message = message_for(here, connection, told)
    laid = render_or_ours(message, templates_of(told))
    return Seen(laid=laid, coverage=told.coverage, has_news=bool(told.steps))


def _number(text: str, below: int = 1000) -> int:
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 6 and int(text) < below else 0


# --- why --------------------------------------------------------------------------------------------------------------


def _nothing_stored(asked: str, *, is_number: bool) -> str:
    if is_number:
        return "No such change is stored. Give a trial's id, or follow “why” beside a change."
    return f"No change of {asked.upper()} is stored."


def why(here: Visit) -> Response:
    """Condition by condition, for a stored change (its number) or all of a trial's last step."""
    asked = here.query.get("change", "").strip()
    wrong, answers = "", []
    with here.database.read() as connection:
        kept = found(connection, here)
        if asked:
            try:
                is_number = row_number(asked) is not None
                known = reasons.changes_of(connection, REGISTRY, asked if is_number else normalise(asked))
                wrong = "" if known else _nothing_stored(asked, is_number=is_number)
            except ValueError as error:
                known, wrong = [], f"This is {error}"
            answers = [reasons.why(connection, kept, step, one, PARSE) for step, one in known[:MOST_CHANGES]]
    return here.page(
        "why.html",
        422 if wrong else 200,
        kept=kept,
        asked=asked,
        answers=answers,
        wrong=wrong,
        most=MOST_CHANGES,
        asked_of=ASKED_OF,
        type_names=TYPE_NAMES,
        states=WAITS,
    )


# --- templates --------------------------------------------------------------------------------------------------------


def templates(here: Visit) -> Response:
    """How messages look: an example of each type by our templates, or by those of the subscription asked for."""
    kind = _kind(here.query.get("type", "trial.changed"))
    kept, folder = _folder(here)
    wrong, rendered = "", None
    try:
        rendered = template_folders.preview(kind, folder)
    except InvalidValue as error:
        wrong = error.problem
    return here.page(
        "templates.html",
        kind=kind,
        types=TYPES,
        type_names=TYPE_NAMES,
        kept=kept,
        folder=folder,
        rendered=rendered,
        wrong=wrong,
    )


def template_document(here: Visit) -> Response:
    """The HTML part of an example."""
    _, folder = _folder(here)
    try:
        return here.foreign_html(template_folders.preview(_kind(here.params["type"]), folder).html)
    except InvalidValue as error:
        raise Problem(422, "These templates cannot be used", error.problem) from None


def _kind(text: str) -> str:
    if text not in TYPES:
        way = ("/templates", "How messages look")
        known = ", ".join(TYPE_NAMES[each] for each in TYPES)
        raise Problem(404, "There is no such type of message", f"There are: {known}.", ways=(way,))
    return text


def _folder(here: Visit) -> tuple[Stored | None, str | None]:
    """The subscription whose templates are asked for, and their folder; None for ours."""
    number = _number(here.query.get("subscription", ""), 10**6)
    if not number:
        return None, None
    with here.database.read() as connection:
        kept = next(iter(subscriptions.with_ids(connection, [number])), None)
    return kept, kept.subscription.templates if kept else None


DOORS = (
    Door("/subscriptions/{number}/digest", access="signed-in", get=digest_preview, post=send_digest),
    Door("/subscriptions/{number}/digest/{address}", access="signed-in", get=digest_document),
    Door("/subscriptions/{number}/why", access="signed-in", get=why),
    Door("/templates", access="signed-in", get=templates),
    Door("/templates/{type}", access="signed-in", get=template_document),
)
