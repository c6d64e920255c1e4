"""Feeds and calendars, for whoever knows their address: no sign-in, so that a reader or a calendar can ask."""

from typing import cast
from urllib.parse import urlsplit

from sqlalchemy import Connection
from starlette.responses import Response

from monitor.feeds import atom, entries, icalendar, json_feed
from monitor.feeds.entries import Told
from monitor.feeds.expected import expected
from monitor.web.doors import Door
from monitor.web.numbers import row_number
from monitor.web.problems import Problem
from monitor.web.visit import Visit
from monitor.wiring import REGISTRY
from notifiers import feeds, subscriptions, watches
from notifiers.feeds import Feed
from snapshots import archive
from snapshots.registries.ctgov.ids import normalise
from snapshots.registries.ctgov.parse import parse

QUIET = {"Referrer-Policy": "no-referrer", "Cache-Control": "private, no-cache", "Vary": "Accept-Encoding"}
FORMS = {"atom": "atom.xml", "json": "feed.json", "calendar": "calendar.ics"}
"""The forms of a feed, and what the addresses of each end in."""


def atom_feed(here: Visit) -> Response:
    """The feed as Atom."""
    return _tagged(here, atom.atom(_told(here), _address(here)), atom.MEDIA_TYPE)


def as_json(here: Visit) -> Response:
    """The feed as JSON Feed."""
    return _tagged(here, json_feed.json_feed(_told(here), _address(here)), json_feed.MEDIA_TYPE)


def calendar(here: Visit) -> Response:
    """What is expected, as a calendar."""
    with here.database.read() as connection:
        feed = _feed(connection, here)
        name = f"Expected: {entries.title(connection, REGISTRY, feed)}"
    found = expected(here.database, REGISTRY, feed, parse)
    if found is None:
        raise _gone(feed)
    return _tagged(here, icalendar.icalendar(name, found), f"{icalendar.MEDIA_TYPE}; charset=utf-8")


def addresses(here: Visit, connection: Connection, feed: Feed) -> dict[str, str]:
    """The addresses of a feed by form, as others reach them."""
    token = feeds.token(connection, feed)
    return {form: _root(here) + here.link(f"/feeds/{token}/{end}") for form, end in FORMS.items()}


def _told(here: Visit) -> Told:
    with here.database.read() as connection:
        feed = _feed(connection, here)
        told = entries.told(connection, REGISTRY, feed)
    if told is None:
        raise _gone(feed)
    return told


def _feed(connection: Connection, here: Visit) -> Feed:
    feed = feeds.opened(connection, here.params["token"])
    if feed is None:
        raise Problem(404, "There is no such feed", "Its address may have been renewed: ask who gave it to you.")
    return feed


def _gone(feed: Feed) -> Problem:
    return Problem(410, f"The {feed.about} of this feed is gone")


def _tagged(here: Visit, body: bytes, media_type: str) -> Response:
    return here.tagged(body, media_type, headers=QUIET)


def _address(here: Visit) -> str:
    return _root(here) + here.link(here.request.url.path)


def _root(here: Visit) -> str:
    """Scheme and host by which others reach us."""
    if here.settings.base_url:
        parts = urlsplit(here.settings.base_url)
        return f"{parts.scheme}://{parts.netloc}"
    scheme = "https" if here.client.is_https else "http"
    return f"{scheme}://{here.request.headers.get('host', '')}"


# --- the page on which they are made ---------------------------------------------------------------------------------


def show(here: Visit) -> Response:
    """All feeds with their addresses, and the form for a new one, filled in where a link says what is wanted."""
    return _page(here, {"about": here.query.get("about", "trial"), "name": here.query.get("name", "")})


ABOUT = ("trial", "group", "subscription")


def act(here: Visit) -> Response:
    """Make, renew or remove a feed."""
    wish, number = here.form.text("wish"), row_number(here.form.text("id"))
    if wish == "make":
        return _make(here)
    if wish not in ("renew", "remove") or number is None:
        raise Problem(400, "What is to be done with which feed?", "Open the page again and use its buttons.")
    with here.database.write() as connection:
        feed = feeds.find(connection, number)
        if feed is None:
            raise Problem(404, "This feed is gone already")
        if wish == "renew":
            feeds.renew(connection, feed.id, here.now)
        else:
            feeds.remove(connection, feed.id)
    said = "has new addresses; those of before lead nowhere" if wish == "renew" else "is fed no more"
    return here.redirect("/feeds", flash=f"{feed.name} {said}.")


def _make(here: Visit) -> Response:
    given = {"about": here.form.text("about"), "name": here.form.text("name").strip()}
    if not given["name"]:
        return _page(here, given, f"Say which {given['about'] if given['about'] in ABOUT else 'one'}.")
    with here.database.read() as connection:
        name = known(connection, given["about"], given["name"])
    if name is None:
        error = (
            "There is no such trial here yet." if given["about"] == "trial" else f"There is no such {given['about']}."
        )
        return _page(here, given, error)
    with here.database.write() as connection:
        feeds.make(connection, cast("feeds.About", given["about"]), name, here.now)
    return here.redirect("/feeds", flash=f"{name} is fed now.")


def known(connection: Connection, about: str, name: str) -> str | None:
    """The name of what can be fed; None where it is not there."""
    if about == "trial":
        return _trial(connection, name)
    if about == "group":
        return name if name in watches.groups(connection) else None
    return name if about == "subscription" and subscriptions.find(connection, name) is not None else None


def _trial(connection: Connection, text: str) -> str | None:
    try:
        record = archive.find_record(connection, REGISTRY, normalise(text))
    except ValueError:
        return None
    return record.registry_id if record is not None else None


def _page(here: Visit, given: dict[str, str], error: str | None = None) -> Response:
    with here.database.read() as connection:
        found = [
            {
                "feed": each,
                "title": entries.title(connection, REGISTRY, each),
                "addresses": addresses(here, connection, each),
            }
            for each in feeds.listing(connection)
        ]
    return here.page("feeds.html", 422 if error else 200, found=found, given=given, error=error)


DOORS = (
    Door("/feeds", access="signed-in", get=show, post=act),
    Door(f"/feeds/{{token}}/{FORMS['atom']}", access="link", get=atom_feed),
    Door(f"/feeds/{{token}}/{FORMS['json']}", access="link", get=as_json),
    Door(f"/feeds/{{token}}/{FORMS['calendar']}", access="link", get=calendar),
)
