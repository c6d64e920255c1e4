"""The outermost wall: a request gets an id and must ask for a name of ours; an answer gets its security headers."""

import secrets
from typing import Any

import structlog
from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from monitor.web.doors import doors, is_for_programs
from monitor.web.hosts import bearer_of, client_of
from monitor.web.problems import misdirected, problem_json
from monitor.web.site import Site

POLICY = (
    "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "frame-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    # nothing of an address reaches another site; this site needs to know where its forms come from
    "Referrer-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=(), payment=(), usb=(), browsing-topics=()",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "X-Robots-Tag": "noindex, nofollow",
    "Cache-Control": "no-store",
}
"""What an answer says unless it says otherwise itself."""
HTTPS_ONLY = {"Strict-Transport-Security": "max-age=31536000"}

log = structlog.get_logger()


class Gate:
    """Wraps the application. No traceback leaves it: what nobody foresaw is one line with an id that the log has."""

    def __init__(self, app: ASGIApp, site: Site) -> None:
        self._app = app
        self._site = site
        self._any_host = frozenset(door.path for door in doors() if door.any_host)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await _refuse_other(scope, receive, send)
            return
        answered = _Answered(send)
        self._prepare(scope, answered)
        try:
            app = self._app if self._may_enter(scope) else self._misdirected(scope, answered)
            await app(scope, receive, answered)
        except Exception:
            log.exception("unexpected failure", id=answered.id)
            if not answered.began:
                words = f"Something went wrong here. The log has it under {answered.id}.\n"
                await PlainTextResponse(words, 500)(scope, receive, answered)

    def _prepare(self, scope: Scope, answered: "_Answered") -> None:
        peer = (scope.get("client") or ("", 0))[0]
        headers = Headers(scope=scope)
        # a proxy may add a line of its own below that of its client
        forwarded = {name: ",".join(headers.getlist(name)) for name in ("x-forwarded-for", "x-forwarded-proto")}
        client = client_of(peer, scope["scheme"] == "https", forwarded, self._site.trusted)
        answered.is_https = client.is_https
        scope["state"] = {**scope.get("state", {}), "id": answered.id, "client": client}
        prefix = self._site.prefix
        if prefix and (scope["path"] == prefix or scope["path"].startswith(prefix + "/")):
            scope["path"] = scope["path"].removeprefix(prefix) or "/"
            scope["raw_path"] = b"/" + b"/".join(scope["raw_path"].split(b"/")[1 + prefix.count("/") :])

    def _may_enter(self, scope: Scope) -> bool:
        headers = Headers(scope=scope)
        is_ours = scope["path"] in self._any_host or self._site.hosts.accepts(headers.get("host"))
        # who knows a token is no foreign page, and scrapers call us by names of their own network: whether the token is
        # right is looked at inside
        scope["state"]["is_misdirected"] = not is_ours
        return is_ours or bearer_of(headers) is not None

    @staticmethod
    def _misdirected(scope: Scope, answered: "_Answered") -> Response:
        if is_for_programs(scope["path"]):
            body = problem_json(misdirected(), answered.id)
            return JSONResponse(body, 421, media_type="application/problem+json")
        problem = misdirected()
        return PlainTextResponse(f"{problem.title}. {problem.detail}\n", 421)


class _Answered:
    """Sends on, with the headers that every answer has."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self.id = secrets.token_hex(6)
        self.is_https = False
        self.began = False

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.began = True
            headers = MutableHeaders(scope=message)
            for name, value in (HEADERS | HTTPS_ONLY if self.is_https else HEADERS).items():
                headers.setdefault(name, value)
            headers["X-Request-Id"] = self.id
        await self._send(message)


async def _refuse_other(scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG001 - ASGI's signature
    """Websockets and whatever else there may be: nothing here speaks them."""
    closing: dict[str, Any] = {"type": "websocket.close", "code": 1000}
    if scope["type"] == "websocket":
        await send(closing)
