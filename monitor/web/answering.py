"""From a request to an answer: the body read within limits, the handler run in a thread, every failure said clearly."""

import asyncio
from collections.abc import Iterator
from contextlib import suppress
from functools import partial
from time import monotonic

import structlog
from anyio import CapacityLimiter, fail_after
from anyio.to_thread import run_sync
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response

from monitor.web import coming_back
from monitor.web.doors import Door, navigation
from monitor.web.entering import READING, enter
from monitor.web.hosts import bearer_of
from monitor.web.problems import OutOfDate, Problem, of_status, problem_json
from monitor.web.site import Site
from monitor.web.visit import PRIVATE, Visit
from snapshots import time_allowed
from snapshots.database import DatabaseError
from snapshots.registries.ctgov.ids import is_id

BODY_SECONDS = 20
"""How long a request's body may take to arrive."""
HANDLER_SECONDS = 30
"""How long a handler may take; after that the asker does not wait for it, and what it asks of the database is ended."""
OWN, OTHERS, HEALTH = 12, 4, 2
"""Threads for what is answered from our own tables, for what waits for the registry or a mail server, and for who asks
whether we live: however many wait for a registry that is silent, all else is answered.
"""

log = structlog.get_logger()


class Threads:
    """In which threads handlers run."""

    def __init__(self) -> None:
        self._own, self._others, self._health = (CapacityLimiter(number) for number in (OWN, OTHERS, HEALTH))

    def of(self, door: Door, method: str) -> CapacityLimiter:
        """Those in which a request of that method is answered at that door."""
        if door.any_host:
            return self._health
        return self._others if method in door.asks_others else self._own


class Answering:
    """Answers at one door. An instance is the endpoint of a route."""

    def __init__(self, site: Site, door: Door, threads: Threads) -> None:
        self._site = site
        self._door = door
        self._threads = threads

    async def __call__(self, request: Request) -> Response:
        try:
            body = await _body(request, self._door.body_limit)
            answer = partial(_answer, self._site, self._door, request, body, monotonic() + HANDLER_SECONDS)
            with fail_after(HANDLER_SECONDS):
                limiter = self._threads.of(self._door, request.method)
                return await run_sync(answer, abandon_on_cancel=True, limiter=limiter)
        except Problem as problem:
            return said(request, problem, self._door, self._site)
        except TimeoutError:
            log.error("a request took too long", id=request.state.id, path=self._door.path)  # noqa: TRY400
            slow = Problem(503, "This took too long", "Try again in a moment, or ask for less.")
            return said(request, slow, self._door, self._site)


def said(request: Request, problem: Problem, door: Door, site: Site) -> Response:
    """The answer that tells a problem: JSON to programs, a page to people."""
    if door.kind == "api":
        body = problem_json(problem, request.state.id)
        headers = {**PRIVATE, "Vary": "Authorization, Cookie", **problem.headers}
        return JSONResponse(body, problem.status, headers, media_type="application/problem+json")
    here = Visit(site, door, request, body=b"", now=site.clock())
    return _page(here, problem)


def said_to_visitor(request: Request, problem: Problem, door: Door, site: Site) -> Response:
    """The same as a page, with the ways that somebody has who is signed in."""
    here = Visit(site, door, request, body=b"", now=site.clock())
    if request.method in READING and not here.is_misdirected:
        with suppress(Problem, DatabaseError), time_allowed.until(monotonic() + HANDLER_SECONDS):
            enter(here)
    return _page(here, problem)


def _page(here: Visit, problem: Problem) -> Response:
    return here.page(
        "problem.html",
        problem.status,
        problem.headers,
        problem=problem,
        ways=tuple(dict((*problem.ways, *_ways_back(here, problem.status))).items()),
        request_id=here.request.state.id,
    )


def _ways_back(here: Visit, status: int) -> Iterator[tuple[str, str]]:
    """Paths of pages near the one that went wrong, each with its words."""
    path = here.request.url.path
    is_form = here.request.method not in READING and here.door.get is not None
    if is_form and here.door.access == "signed-in" and status not in (404, 410):
        yield path, "Back to the form"
    section, _, name = path.removeprefix("/").partition("/")
    name = name.partition("/")[0]
    if section == "trials" and is_id(name):
        yield f"/trials/{name}", f"Back to {name}"
    yield from ((way, words) for way, words in navigation() if way == f"/{section}" and way != path)


def _answer(site: Site, door: Door, request: Request, body: bytes, ends: float) -> Response:
    here = Visit(site, door, request, body=body, now=site.clock())
    try:
        with time_allowed.until(ends):
            enter(here)
            method = "GET" if request.method == "HEAD" else request.method
            return door.handlers[method](here)
    except Problem as problem:
        return _told(here, problem)
    except DatabaseError as error:
        log.error("database", reason=str(error), id=request.state.id, path=door.path)  # noqa: TRY400
        return _told(
            here, Problem(503, "The database does not answer", "Try again in a moment; the log has the cause.")
        )
    except Exception:
        log.exception("unexpected failure", id=request.state.id, path=door.path)
        return _told(here, of_status(500))


def _told(here: Visit, problem: Problem) -> Response:
    if here.door.kind == "api":
        return said(here.request, problem, here.door, here.site)
    if problem.status == 401 and here.visitor is None and here.request.method in READING:
        return here.redirect(here_link(here))
    if problem.status == 401 and bearer_of(here.request.headers) is None:
        return coming_back.asked_first(here)
    again = coming_back.out_of_date(here) if isinstance(problem, OutOfDate) else None
    return again or _page(here, problem)


def here_link(here: Visit) -> str:
    """The way to sign in that leads back to where the visitor wanted to go."""
    from urllib.parse import urlencode

    url = here.request.url
    wanted = url.path + (f"?{url.query}" if url.query else "")
    return "/signin" if wanted == "/" else f"/signin?{urlencode({'next': wanted})}"


async def _body(request: Request, limit: int) -> bytes:
    announced = request.headers.get("content-length", "")
    if announced.isdigit() and int(announced) > limit:
        raise _too_large(limit)
    try:
        async with asyncio.timeout(BODY_SECONDS):
            return await _read(request, limit)
    except TimeoutError:
        raise Problem(408, "The request took too long to arrive") from None
    except ClientDisconnect:
        raise Problem(400, "The request ended before it was complete") from None


async def _read(request: Request, limit: int) -> bytes:
    read = bytearray()
    async for chunk in request.stream():
        read += chunk
        if len(read) > limit:
            raise _too_large(limit)
    return bytes(read)


def _too_large(limit: int) -> Problem:
    # the rest is not read: the connection ends with the answer
    title = f"At most {limit // 1024} KiB can be sent here"
    return Problem(413, title, "Send it in several parts.", headers={"Connection": "close"})
