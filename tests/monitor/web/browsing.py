"""A real site on loopback and a real client for it: what tests of the page and the API are made of."""

import re
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx2

from monitor.access import tokens
from monitor.settings import load
from monitor.web.server import Server
from snapshots.database import Database

OWN_TOKEN = "tdt_the-installation-in-this-test-000000"
NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
_CSRF = re.compile(r'name="csrf" value="([0-9a-f]+)"')


class Clock:
    """Stands where a test puts it."""

    def __init__(self, now: datetime = NOW) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now


class SiteUnderTest:
    """A running site. `client()` is a browser that keeps cookies; redirects are not followed by themselves."""

    def __init__(self, server: Server, database: Database, clock: Clock) -> None:
        self.server = server
        self.database = database
        self.clock = clock
        self.url = server.url
        self._clients: list[httpx2.Client] = []

    def client(self, token: str | None = None, **headers: str) -> httpx2.Client:
        """A client; with `token` one that sends it as programs do."""
        given = {**headers, "Authorization": f"Bearer {token}"} if token else dict(headers)
        # it never speaks TLS here, and reading the system's certificates takes longer than most tests
        made = httpx2.Client(base_url=self.url, headers=given, timeout=10, trust_env=False, verify=False)
        self._clients.append(made)
        return made

    def signed_in(self, token: str = OWN_TOKEN) -> httpx2.Client:
        """A browser in which somebody signed in."""
        browser = self.client()
        answer = browser.post("/signin", data={"token": token, "next": "/"})
        assert answer.status_code == 303, answer.text
        return browser

    def browser_with(self, cookies: dict[str, str]) -> httpx2.Client:
        """A browser that has these cookies already."""
        made = self.client()
        for name, value in cookies.items():
            made.cookies.set(name, value)
        return made

    def token(self, name: str = "reader", *, may_write: bool = False) -> str:
        """A named token."""
        with self.database.write() as connection:
            made = tokens.add(connection, name, may_write=may_write, now=self.clock())
        assert made
        return made

    def close(self) -> None:
        for client in self._clients:
            client.close()
        assert self.server.stop(5)


def csrf(page: httpx2.Response) -> str:
    """The token that forms of this page bring."""
    found = _CSRF.search(page.text)
    assert found, "the page has no form of a session"
    return found[1]


def free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port: int = taken.getsockname()[1]
        return port


@contextmanager
def serving(database: Database, clock: Clock | None = None, **settings: Any) -> Iterator[SiteUnderTest]:
    """A site over `database`, with these settings beside the usual ones of a test."""
    given = {"port": str(free_port()), "access_token": OWN_TOKEN, **settings}
    environ = {f"TRIALDELTA_{name.upper()}": str(value) for name, value in given.items()}
    environ["TRIALDELTA_DATABASE_URL"] = database.url
    time = clock or Clock()
    server = Server(load(environ, Path("no-such.env")), database, time)
    server.start()
    site = SiteUnderTest(server, database, time)
    try:
        yield site
    finally:
        site.close()
