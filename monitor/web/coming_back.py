"""Where somebody goes on who had to sign in first: at the page that was wanted, or with the form that was not sent."""

from collections.abc import Sequence
from urllib.parse import unquote

from msgspec import Struct
from starlette.responses import Response

from monitor.web import filled_in
from monitor.web.forms import Form
from monitor.web.problems import Problem
from monitor.web.visit import Visit

PREFIX = "sent."
"""What the names of its fields begin with while the form waits in the one that asks for the token."""
KEPT_NOWHERE = {"Cache-Control": "no-store"}


class Unsent(Struct, frozen=True):
    """A form that nobody was signed in for: the path it was for, its fields in their order; `has_file`: a file was
    chosen in it, which no page can choose again.
    """

    path: str
    fields: tuple[tuple[str, str], ...]
    has_file: bool = False

    @property
    def shown(self) -> list[tuple[str, str]]:
        """What it says, for people: each field that somebody filled in once, by its label."""
        return filled_in.shown(self.fields)


def inside(path: str) -> str:
    """The path if it is one of this site, else the start: nobody is sent elsewhere from here."""
    plain = unquote(path)
    safe = plain.startswith("/") and not plain.startswith("//") and "\\" not in plain and plain.isprintable()
    return path if safe and path.isascii() and path.isprintable() else "/"


def asked_first(here: Visit) -> Response:
    """Asks for the token, and keeps in the page what was to be sent. (401)"""
    return here.page("signin.html", 401, KEPT_NOWHERE, next="/", error=None, unsent=_unsent(here))


def kept(form: Form) -> Unsent | None:
    """What waited in the form that asked for the token."""
    path = form.text("send_to")
    if not path or inside(path) != path:
        return None
    pairs = form.pairs()
    fields = tuple((name.removeprefix(PREFIX), value) for name, value in pairs if name.startswith(PREFIX))
    return Unsent(path, fields, form.flag("had_file"))


def offered(here: Visit, unsent: Unsent) -> Response:
    """Shows what was not sent to who is signed in now, and sends it when its button is pressed."""
    words = "You are signed in again. What you filled in before was not sent and changed nothing."
    return here.page("send_again.html", headers=KEPT_NOWHERE, unsent=unsent, said=words)


def out_of_date(here: Visit) -> Response | None:
    """The same for who sends a form of a session that was another (403); None where nothing needs to be sent again."""
    unsent = _unsent(here)
    if unsent is None:
        return None
    words = "This form is out of date: you signed in anew since it was opened. It was not sent and changed nothing."
    return here.page("send_again.html", 403, KEPT_NOWHERE, unsent=unsent, said=words)


def _unsent(here: Visit) -> Unsent | None:
    # who leaves needs no second look at that
    if here.door.path == "/signout":
        return None
    try:
        form = here.form
    except Problem:
        return None
    return Unsent(here.request.url.path, _without_proof(form.pairs()), form.has_files())


def _without_proof(pairs: Sequence[tuple[str, str]]) -> tuple[tuple[str, str], ...]:
    """The fields without what only the ended session gave."""
    return tuple((name, value) for name, value in pairs if name != "csrf")
