"""The application that a server runs: the gate, and behind it every door as a route."""

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp

from monitor.web.answering import Answering, Threads, said, said_to_visitor
from monitor.web.doors import Door, doors, is_for_programs
from monitor.web.gate import Gate
from monitor.web.problems import misdirected, of_status
from monitor.web.routes import NamingRoute
from monitor.web.site import Site

ROUTES = {"api": NamingRoute, "page": Route}
NOWHERE = {True: Door("", access="open", kind="api"), False: Door("", access="open")}
"""How it is said that there is no such path or verb: to programs, else to people."""


def application(site: Site) -> ASGIApp:
    """The ASGI application of a site."""
    threads = Threads()

    def unknown(request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)
        problem = misdirected() if request.state.is_misdirected else of_status(error.status_code)
        problem.headers.update(error.headers or {})
        for_programs = is_for_programs(request.scope["path"])
        return (said if for_programs else said_to_visitor)(request, problem, NOWHERE[for_programs], site)

    routes = [
        ROUTES[door.kind](door.path, Answering(site, door, threads).__call__, methods=list(door.handlers))
        for door in doors()
    ]
    inner = Starlette(routes=routes, exception_handlers={HTTPException: unknown})
    inner.router.redirect_slashes = False
    return Gate(inner, site)
