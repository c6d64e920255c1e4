"""One request as a handler sees it: who asks for what, and the ways to answer."""

import hmac
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping
from datetime import datetime
from functools import cached_property
from hashlib import sha256
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import quote, urlencode

import msgspec
from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import Response

from monitor.access.tokens import Holder
from monitor.settings import Settings
from monitor.web import forms, rendering
from monitor.web.doors import Door, navigation
from monitor.web.hosts import Client
from monitor.web.problems import Problem, check_texts
from notifiers import links
from snapshots.database import Database

if TYPE_CHECKING:
    from monitor.web.site import Site

Json = Any
T = TypeVar("T")

FLASH = "trialdelta_flash"
FLASH_LIMIT = 600
PRIVATE = {"Cache-Control": "private, no-cache", "Vary": "Cookie"}
FOREIGN_POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; sandbox; frame-ancestors 'self'"


class Visit:
    """A request and its answers; see the package's documentation. `now` is aware UTC and the same for all of it.

    `session` is the secret of the visitor's session (None: there is none, or a token was shown).
    """

    def __init__(self, site: "Site", door: Door, request: Request, *, body: bytes, now: datetime) -> None:
        self.site = site
        self.door = door
        self.request = request
        self.body = body
        self.now = now
        self.visitor: Holder | None = None
        self.session: str | None = None

    @property
    def settings(self) -> Settings:
        return self.site.settings

    @property
    def database(self) -> Database:
        return self.site.database

    @property
    def client(self) -> Client:
        """Who asks: the network address, and whether by https."""
        client: Client = self.request.state.client
        return client

    @property
    def is_misdirected(self) -> bool:
        """Whether it was asked for by a name that is none of ours."""
        return bool(self.request.state.is_misdirected)

    @property
    def params(self) -> Mapping[str, str]:
        """What the path's `{names}` stand for. Raises Problem (404) for U+0000."""
        check_texts(self.request.path_params.values(), 404)
        return self.request.path_params

    @property
    def query(self) -> Mapping[str, str]:
        """What follows the `?`; `request.query_params.getlist` has those that come several times. Raises Problem
        (400) for U+0000.
        """
        check_texts(value for _, value in self.request.query_params.multi_items())
        return self.request.query_params

    @cached_property
    def form(self) -> forms.Form:
        """What the form sent. Raises Problem."""
        return forms.read(self.request.headers.get("content-type", ""), self.body)

    def json_body(self, type_: type[T] = object) -> T:  # type: ignore[assignment]
        """What a program sent, in the shape of `type_`. Raises Problem (400, 415, 422)."""
        kind = self.request.headers.get("content-type", "").partition(";")[0].strip().lower()
        if kind != "application/json":
            raise Problem(415, "JSON is expected here", "Send it with Content-Type: application/json.")
        try:
            return msgspec.json.decode(self.body, type=type_)
        except msgspec.ValidationError as error:
            raise Problem(422, "The JSON has another shape", str(error)) from None
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise Problem(400, "The body is no JSON", str(error)) from None

    def link(self, path: str, **query: Json) -> str:
        """The address of a path of this site, below the path of BASE_URL; None and "" in a query are left out."""
        asked = {key: value for key, value in query.items() if value not in (None, "")}
        return self.site.prefix + quote(path, safe="/:@!$&'()*+,;=-._~%") + (
            f"?{urlencode(asked, doseq=True)}" if asked else ""
        )  # fmt: skip

    def csrf(self) -> Markup:
        """The hidden field that proves that a form came from a page of this session."""
        return Markup('<input type="hidden" name="csrf" value="{}">').format(self.csrf_token or "")

    @property
    def csrf_token(self) -> str | None:
        """What a form of this session must bring; it follows from the session's secret and reveals nothing of it."""
        if self.session is None:
            return None
        return hmac.new(self.session.encode(), b"trialdelta form", sha256).hexdigest()

    def page(
        self, template: str, status: int = 200, headers: Mapping[str, str] | None = None, **values: Json
    ) -> Response:
        """The page that a template makes of `values`."""
        flash = self.flash
        # what is not there says so by its title alone
        is_refused = status >= 400 and status != 404
        known = self._everywhere(flash) | {"is_refused": is_refused}
        body = rendering.environment().get_template(template).render(known, **values)
        response = Response(body, status, {**PRIVATE, **(headers or {})}, "text/html; charset=utf-8")
        if flash:
            response.delete_cookie(FLASH, path="/", secure=self.client.is_https, httponly=True, samesite="lax")
        return response

    def redirect(self, path: str, flash: str | None = None) -> Response:
        """To another page of this site (303), which shows `flash` once."""
        response = Response(status_code=303, headers={"Location": self.link_to(path), "Cache-Control": "no-store"})
        if flash:
            value = links.token_of(self.site.signing, "flash", urlsafe_b64encode(flash[:FLASH_LIMIT].encode()).decode())
            response.set_cookie(
                FLASH, value, max_age=120, path="/", httponly=True, secure=self.client.is_https, samesite="lax"
            )
        return response

    def link_to(self, path: str) -> str:
        """As `link`, of a path that may have a query already."""
        return self.site.prefix + path

    def json(self, value: Json, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
        """JSON with an ETag; 304 without a body where the asker has the same already."""
        return self.tagged(msgspec.json.encode(value), "application/json", status, headers)

    def tagged(
        self, body: bytes, media_type: str, status: int = 200, headers: Mapping[str, str] | None = None
    ) -> Response:
        """An answer with an ETag of its content."""
        tag = f'"{sha256(body).hexdigest()[:32]}"'
        said = {**PRIVATE, "Vary": "Authorization, Cookie", "ETag": tag, **(headers or {})}
        asked = [each.strip().removeprefix("W/") for each in self.request.headers.get("if-none-match", "").split(",")]
        if status == 200 and self.request.method in ("GET", "HEAD") and (tag in asked or "*" in asked):
            return Response(status_code=304, headers=said)
        return Response(body, status, said, media_type)

    def file(self, content: bytes, name: str, media_type: str) -> Response:
        """A file to be kept under that name."""
        disposition = f"attachment; filename*=UTF-8''{quote(name, safe='')}"
        return Response(content, 200, {**PRIVATE, "Content-Disposition": disposition}, media_type)

    def foreign_html(self, text: str) -> Response:
        """A document that is not ours (a mail, as its reader will see it), to be shown in an iframe: it can run
        nothing, load nothing and reach nothing.
        """
        headers = {**PRIVATE, "Content-Security-Policy": FOREIGN_POLICY, "X-Frame-Options": "SAMEORIGIN"}
        return Response(text, 200, headers, "text/html; charset=utf-8")

    @cached_property
    def flash(self) -> str | None:
        """What the page before wanted said here, once."""
        subject, _, _ = self.request.cookies.get(FLASH, "").rpartition(".")
        try:
            expected = links.token_of(self.site.signing, "flash", subject)
            good = hmac.compare_digest(expected, self.request.cookies.get(FLASH, ""))
            return urlsafe_b64decode(subject).decode() if good and subject else None
        except (ValueError, TypeError):
            return None

    def _everywhere(self, flash: str | None) -> dict[str, Json]:
        return {
            "link": self.link,
            "csrf": self.csrf,
            "asset": lambda name: self.link(f"/assets/{rendering.asset_name(name)}"),
            "visitor": self.visitor,
            "may_write": bool(self.visitor and self.visitor.may_write),
            "flash": flash,
            "now": self.now,
            "here": self.request.url.path,
            "navigation": navigation() if self.visitor else (),
        }
