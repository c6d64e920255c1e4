"""What stands between a daemon and a server, and can stop forwarding without a word, as a cut network does."""

import socket
import threading
from collections.abc import Callable
from contextlib import suppress
from types import TracebackType
from typing import Self

from sqlalchemy.engine import make_url

AT_ONCE = 65536


class Proxy:
    """Forwards to whatever `connect` connects to. While it is `cut`, nothing comes through, new connections included,
    and nobody is told; what was sent meanwhile arrives late, once it is whole again.
    """

    def __init__(self, connect: Callable[[], socket.socket]) -> None:
        self._connect = connect
        self._whole = threading.Event()
        self._whole.set()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._thread = threading.Thread(target=self._serve, daemon=True)

    def cut(self) -> None:
        self._whole.clear()

    def mend(self) -> None:
        self._whole.set()

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.mend()
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join(5)

    def _serve(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                threading.Thread(target=self._join, args=(client,), daemon=True).start()

    def _join(self, client: socket.socket) -> None:
        self._whole.wait()
        with client, suppress(OSError), self._connect() as server:
            back = threading.Thread(target=self._pump, args=(server, client), daemon=True)
            back.start()
            self._pump(client, server)
            back.join()

    def _pump(self, one: socket.socket, other: socket.socket) -> None:
        with suppress(OSError):
            while data := one.recv(AT_ONCE):
                self._whole.wait()
                other.sendall(data)
        self._whole.wait()
        with suppress(OSError):
            other.shutdown(socket.SHUT_WR)


def to_database(url: str) -> Callable[[], socket.socket]:
    """How to connect to the PostgreSQL server of an URL, also by the name of a socket."""
    parsed = make_url(url)
    host, port = str(parsed.query.get("host") or parsed.host), int(parsed.port or 5432)
    return lambda: _to_file(f"{host}/.s.PGSQL.{port}") if host.startswith("/") else _to(host, port)


def by_way_of(proxy: Proxy, url: str) -> str:
    """The database's URL with the proxy in the server's place."""
    parsed = make_url(url).difference_update_query(["host", "port"])
    return parsed.set(host="127.0.0.1", port=proxy.port).render_as_string(hide_password=False)


def to_port(port: int) -> Callable[[], socket.socket]:
    """How to connect to a server on loopback."""
    return lambda: _to("127.0.0.1", port)


def _to(host: str, port: int) -> socket.socket:
    return socket.create_connection((host, port), timeout=None)


def _to_file(path: str) -> socket.socket:
    made = socket.socket(socket.AF_UNIX)
    made.connect(path)
    return made
