"""Coming in and going out: the sign-in page, the link that the terminal shows, and the files every page needs."""

from re import fullmatch

from starlette.responses import Response

from monitor.access import sessions
from monitor.access.tokens import OWN, Holder, hashed
from monitor.web import coming_back, rendering
from monitor.web.coming_back import Unsent, inside
from monitor.web.doors import Door
from monitor.web.entering import cookie_name, show_token
from monitor.web.problems import Problem, of_status
from monitor.web.visit import Visit


def sign_in_page(here: Visit) -> Response:
    """Asks for the token."""
    return here.page("signin.html", next=inside(here.query.get("next", "/")), error=None, unsent=None)


def sign_in(here: Visit) -> Response:
    """Opens a session for who shows a right token; with a form that waited for that, offers to send it."""
    wanted, unsent = inside(here.form.text("next", "/")), coming_back.kept(here.form)
    holder = show_token(here, here.form.text("token"))
    if holder is None:
        words = "This token is none of this installation."
        return here.page("signin.html", 403, next=wanted, error=words, unsent=unsent)
    return _signed_in(here, holder, wanted, unsent)


def once_page(here: Visit) -> Response:
    """Asks for the press of a button: what only opens a link (a preview, a scanner) does not use it up."""
    if not here.site.knows_once(here.params["code"]):
        raise _used_up()
    return here.page("once.html", path=f"/signin/once/{here.params['code']}")


def once(here: Visit) -> Response:
    """Opens a session for who has the link of the terminal."""
    if not here.site.use_once(here.params["code"]):
        raise _used_up()
    own = Holder(name=OWN, may_write=True, hash=hashed(here.site.own_token))
    return _signed_in(here, own, "/")


def sign_out(here: Visit) -> Response:
    """Ends the session, here and in the database."""
    if here.session is not None:
        with here.database.write() as connection:
            sessions.end(connection, here.session)
    response = here.redirect("/signin", flash="You are signed out.")
    response.delete_cookie(
        cookie_name(here.client.is_https), path="/", secure=here.client.is_https, httponly=True, samesite="lax"
    )
    return response


def asset(here: Visit) -> Response:
    """A file of the page, for ever: its name changes with its content."""
    found = rendering.assets().get(here.params["name"])
    if found is None:
        raise of_status(404)
    media_type, content = found
    headers = {"Cache-Control": "public, max-age=31536000, immutable", "Vary": "Accept-Encoding"}
    if _takes_gzip(here.request.headers.get("accept-encoding", "")):
        content, headers["Content-Encoding"] = rendering.packed(content), "gzip"
    return Response(content, 200, headers, media_type)


def _takes_gzip(accepted: str) -> bool:
    """Whether an Accept-Encoding takes it: named, and not with the weight 0."""
    named = (each.replace(" ", "").lower().partition(";") for each in accepted.split(","))
    return any(name == "gzip" and not fullmatch(r"q=0(\.0*)?", weight) for name, _, weight in named)


def _signed_in(here: Visit, holder: Holder, wanted: str, unsent: Unsent | None = None) -> Response:
    with here.database.write() as connection:
        if here.session is not None:
            sessions.end(connection, here.session)
        secret = sessions.begin(connection, holder, here.now)
    here.session, here.visitor = secret, holder
    response = coming_back.offered(here, unsent) if unsent else here.redirect(wanted)
    response.set_cookie(
        cookie_name(here.client.is_https),
        secret,
        max_age=int(sessions.LASTS_AT_MOST.total_seconds()),
        path="/",
        httponly=True,
        secure=here.client.is_https,
        # a link in a mail leads to the page, signed in; foreign forms are refused by their origin and lack the token
        samesite="lax",
    )
    return response


def _used_up() -> Problem:
    return Problem(
        404,
        "This sign-in link was used, or is too old",
        "Sign in with the access token instead.",
        ways=[("/signin", "Sign in")],
    )


DOORS = (
    Door("/signin", access="open", get=sign_in_page, post=sign_in),
    Door("/signin/once/{code}", access="open", get=once_page, post=once),
    Door("/signout", access="signed-in", post=sign_out, readers_may_post=True),
    Door("/assets/{name}", access="open", get=asset),
)
