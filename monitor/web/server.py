"""The server of the page and the API: a thread of the daemon that begins and ends with it."""

import errno
import socket
import threading
from asyncio import Handle, get_running_loop
from typing import Any

import structlog
import uvicorn
from msgspec.structs import replace
from uvicorn.protocols.http.h11_impl import H11Protocol

from monitor.access import own_token
from monitor.settings import Settings, SettingsError
from monitor.web import hosts
from monitor.web.application import application
from monitor.web.site import Clock, Site
from snapshots.database import Database

CONNECTIONS = 256
HEAD_SECONDS = 15
"""How long a connection may be open without a whole request: who dawdles takes no place from others for long."""
KEEP_ALIVE_SECONDS = 5
START_SECONDS = 10

log = structlog.get_logger()


class Server:
    """The page and the API of an installation, listening from the moment it is made, until `stop` is set.

    Raises SettingsError, one line, where it cannot listen there, or must not without a token of the operator's choice.
    """

    def __init__(
        self, settings: Settings, database: Database, clock: Clock, stop: threading.Event | None = None
    ) -> None:
        self._stop = stop or threading.Event()
        _refuse_unguarded(settings)
        self.own = own_token.ensure(settings, database)
        self._socket = _listening(settings.host, settings.port)
        listening = replace(settings, port=self._socket.getsockname()[1])  # 0 asked for any that is free
        self.site = Site(listening, database, self.own.token, clock)
        self._server = _Ending(_config(self.site), self._stop)
        self._thread = threading.Thread(target=self._run, name="page", daemon=True)

    @property
    def url(self) -> str:
        """Where it is reached from this machine."""
        host, port = self._socket.getsockname()[:2]
        name = "127.0.0.1" if host == "0.0.0.0" else "[::1]" if host == "::" else host  # noqa: S104
        return f"http://{f'[{name}]' if ':' in name and '[' not in name else name}:{port}"

    def sign_in_url(self) -> str:
        """A link that signs in on this machine, once."""
        return self.url + self.site.sign_in_path()

    def start(self) -> None:
        """Begin to answer."""
        self._thread.start()
        log.info("page", url=self.url, token=str(self.own.file) if self.own.file else "TRIALDELTA_ACCESS_TOKEN")

    def stop(self, seconds: float) -> bool:
        """Answer what was asked and end; whether that was done within these seconds."""
        self._stop.set()
        self._thread.join(seconds)
        if self._thread.is_alive():
            self._server.force_exit = True
        self._socket.close()
        return not self._thread.is_alive()

    def _run(self) -> None:
        try:
            self._server.run(sockets=[self._socket])
        except BaseException:
            log.exception("the page ended")
            raise


class _Ending(uvicorn.Server):
    """Ends when the daemon does."""

    def __init__(self, config: uvicorn.Config, stop: threading.Event) -> None:
        super().__init__(config)
        self._stop = stop

    async def on_tick(self, counter: int) -> bool:
        return self._stop.is_set() or await super().on_tick(counter)


class Patient(H11Protocol):
    """Closes a connection that has not brought a whole request's head in time."""

    def connection_made(self, transport: Any) -> None:
        super().connection_made(transport)
        self._giving_up: Handle = get_running_loop().call_later(HEAD_SECONDS, self._give_up)

    def connection_lost(self, exc: Exception | None) -> None:
        self._giving_up.cancel()
        super().connection_lost(exc)

    def _give_up(self) -> None:
        idle = self.cycle is None or self.cycle.response_complete
        if idle and not self.transport.is_closing():
            self.transport.close()
        elif not self.transport.is_closing():
            self._giving_up = get_running_loop().call_later(HEAD_SECONDS, self._give_up)


def _config(site: Site) -> uvicorn.Config:
    return uvicorn.Config(
        application(site),
        http=Patient,
        ws="none",
        lifespan="off",
        loop="asyncio",
        log_config=None,
        access_log=False,
        server_header=False,
        # the gate decides whose X-Forwarded-* counts
        proxy_headers=False,
        limit_concurrency=CONNECTIONS,
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=5,
        h11_max_incomplete_event_size=32 * 1024,
    )


def _refuse_unguarded(settings: Settings) -> None:
    if not hosts.is_loopback(settings.host) and settings.access_token is None:
        raise SettingsError(
            f"TRIALDELTA_HOST={settings.host} lets others reach the page: set TRIALDELTA_ACCESS_TOKEN "
            "(or TRIALDELTA_ACCESS_TOKEN_FILE) to what opens it, or leave the page on 127.0.0.1"
        )


def _listening(host: str, port: int) -> socket.socket:
    try:
        family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        # asyncio turns Nagle's waiting off only where a socket says that it is TCP: else each answer on an open
        # connection waits 40 ms for the other side's acknowledgement
        opened = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    except OSError as error:
        raise SettingsError(f"TRIALDELTA_HOST={host}: this machine has no such address: {error.strerror}") from error
    try:
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        opened.bind(address)
        opened.listen(CONNECTIONS)
    except OSError as error:
        opened.close()
        raise SettingsError(_why_not(host, port, error)) from error
    return opened


def _why_not(host: str, port: int, error: OSError) -> str:
    if error.errno == errno.EADDRINUSE:
        return (
            f"port {port} of {host} is taken, perhaps by another trialdelta: set TRIALDELTA_PORT to a free one, "
            "or TRIALDELTA_PAGE=false to run without a page"
        )
    return f"TRIALDELTA_HOST={host}, TRIALDELTA_PORT={port}: cannot listen there: {error.strerror}"
