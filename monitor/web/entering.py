"""Who comes in: the visitor of a request by session or token, and whether a request may act."""

import hmac

from monitor.access import sessions, tokens
from monitor.access.tokens import Holder
from monitor.web.hosts import bearer_of
from monitor.web.problems import OutOfDate, Problem, misdirected
from monitor.web.visit import Visit

READING = frozenset({"GET", "HEAD"})
CHALLENGE = {"WWW-Authenticate": 'Bearer realm="trialdelta"'}


def cookie_name(is_https: bool) -> str:
    """The session's cookie; over https with the prefix that lets no other host of the domain set it."""
    return "__Host-trialdelta_session" if is_https else "trialdelta_session"


def enter(here: Visit) -> None:
    """Find out who asks, and let in who may. Raises Problem; for a page that is only read, its answer is the way to
    sign in.
    """
    acts = here.request.method not in READING
    token = bearer_of(here.request.headers)
    if here.is_misdirected:
        here.visitor = _by_token(here, token or "")
    if here.door.access == "link":
        return
    if token is not None and here.door.access == "signed-in":
        here.visitor = here.visitor or _by_token(here, token)
    else:
        _by_session(here)
        if acts:
            _check_origin(here)
    if here.door.access == "open":
        return
    if here.visitor is None:
        raise Problem(401, "Please sign in", headers=CHALLENGE if here.door.kind == "api" else {})
    if acts:
        _check_acting(here, here.visitor)


def show_token(here: Visit, token: str) -> Holder | None:
    """Who shows this token; None for a wrong one. Raises Problem (429) where too many wrong ones came from there."""
    client = here.client.address
    # what a foreign page tries under a name of its own shuts nobody else out
    attempts = here.site.foreign_attempts if here.is_misdirected else here.site.attempts
    wait = attempts.seconds_to_wait(client, here.now)
    if wait:
        words = f"Try again in {max(1, round(wait / 60))} min."
        raise Problem(429, "Too many wrong tokens", words, headers={"Retry-After": str(wait)})
    with here.database.read() as connection:
        holder = tokens.holder_of(connection, here.site.own_token, token)
        use_is_due = holder is not None and tokens.is_use_due(connection, holder, here.now)
    if holder is None:
        attempts.note_failure(client, here.now)
    elif use_is_due:
        with here.database.write() as connection:
            tokens.note_use(connection, holder, here.now)
    return holder


def _by_token(here: Visit, token: str) -> Holder:
    holder = show_token(here, token)
    if holder is None and here.is_misdirected:
        raise misdirected()
    if holder is None:
        raise Problem(401, "The token is none of this installation", headers=CHALLENGE)
    return holder


def _by_session(here: Visit) -> None:
    secret = here.request.cookies.get(cookie_name(here.client.is_https))
    if not secret:
        return
    with here.database.read() as connection:
        found = sessions.holder_of(connection, here.site.own_token, secret, here.now)
    if found is None:
        return
    here.visitor, use_is_due = found
    here.session = secret
    if use_is_due:
        with here.database.write() as connection:
            sessions.note_use(connection, secret, here.now)


def _check_origin(here: Visit) -> None:
    """A form must come from this site: browsers say where it came from, and cannot be made to lie by a page."""
    headers = here.request.headers
    fetched = headers.get("sec-fetch-site")
    origin = headers.get("origin")
    scheme = "https" if here.client.is_https else "http"
    foreign = fetched not in (None, "same-origin", "none")
    if origin is not None and not here.site.hosts.is_same_origin(origin, scheme, headers.get("host", "")):
        foreign = True
    if foreign:
        raise Problem(403, "This form came from another site", "Open the page here and try again.")


def _check_acting(here: Visit, visitor: Holder) -> None:
    if here.session is not None and here.door.kind == "api":
        raise Problem(401, "Acting by the API needs a token", "Send Authorization: Bearer.", headers=CHALLENGE)
    if not visitor.may_write and not here.door.readers_may_post:
        raise Problem(403, f"The token “{visitor.name}” may read, not change things", "Ask for one that may write.")
    if here.session is not None:
        _check_csrf(here)


def _check_csrf(here: Visit) -> None:
    expected = here.csrf_token or ""
    if not hmac.compare_digest(here.form.text("csrf").encode(), expected.encode()):
        raise OutOfDate
