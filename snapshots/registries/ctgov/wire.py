"""One question over HTTP, bounded in time and memory whatever comes back."""

import ipaddress
import socket
import threading
import zlib
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from http import HTTPStatus
from typing import Any
from urllib.parse import urlsplit

import httpx2
from msgspec import Struct

from snapshots.registries.ctgov.answers import AnswerError, Received, Trouble, trouble

_REFUSAL_BYTES = 16 * 1024
"""Bytes of an answer other than 200 that are read: enough for its words."""
_CHUNK = 1024 * 1024


class Timeouts(Struct, frozen=True):
    """Seconds: until connected, between two pieces of an answer, and for the whole of one question."""

    connect: float = 10.0
    read: float = 20.0
    total: float = 50.0


class Wire:
    """The connection to the registry at `base_url`. Raises ValueError where that is no http or https address.

    No redirect is followed. A proxy named by the environment is honoured, since institutions put them between their
    machines and the world; but not towards this machine itself.
    """

    def __init__(self, base_url: str, user_agent: str, timeouts: Timeouts, max_bytes: int) -> None:
        self._base = _checked(base_url)
        self._timeouts = timeouts
        self._max_bytes = max_bytes
        self._watchdog = _Watchdog()
        self._lock = threading.Lock()
        self.told_date: str | None = None
        """The header Date of the last answer: what time it is by the registry's clock."""
        self._client = httpx2.Client(
            headers={"User-Agent": user_agent, "Accept": "application/json", "Accept-Encoding": "gzip"},
            timeout=httpx2.Timeout(timeouts.read, connect=timeouts.connect),
            limits=httpx2.Limits(max_connections=1, max_keepalive_connections=1),
            follow_redirects=False,
            trust_env=not _is_this_machine(self._base),
        )

    def is_host(self, host: str) -> bool:
        """Whether `host` is the registry's own."""
        return host == urlsplit(self._base).hostname

    def close(self) -> None:
        """Closes the connection."""
        self._client.close()

    def get(self, path: str, params: Mapping[str, str], asked: str) -> Received:
        """What the registry answers to one GET. Raises AnswerError where no answer could be received whole."""
        with self._lock, self._watchdog.watch(self._timeouts.total):
            try:
                return self._receive(path, params, asked)
            except (httpx2.HTTPError, httpx2.InvalidURL, OSError) as error:
                raise self._broken(error, asked) from error

    def _receive(self, path: str, params: Mapping[str, str], asked: str) -> Received:
        extensions = {"trace": self._watchdog.notice}
        with self._client.stream("GET", self._base + path, params=dict(params), extensions=extensions) as response:
            headers = {name.lower(): value for name, value in response.headers.items()}
            self.told_date = headers.get("date")
            try:
                body = self._body(response, headers.get("content-encoding", ""))
            except _UnreadableError as error:
                raise trouble(error.kind, asked, str(error), response.status_code) from None
            return Received(response.status_code, headers, body)

    def _body(self, response: httpx2.Response, coding: str) -> bytes:
        good = response.status_code == HTTPStatus.OK
        most = self._max_bytes if good else _REFUSAL_BYTES
        pieces: list[bytes] = []
        try:
            pieces.extend(_bounded(_unpacked(_bounded(response.iter_raw(), most), coding), most))
        except _UnreadableError:
            # of a refusal the beginning is enough, and any words are better than none
            if good:
                raise
        return b"".join(pieces)

    def _broken(self, error: Exception, asked: str) -> AnswerError:
        if self._watchdog.has_bitten:
            return trouble(Trouble.TOO_SLOW, asked, f"had not answered in full after {self._timeouts.total:g} s")
        if isinstance(error, httpx2.ConnectTimeout):
            came = f"could not be reached at {_without_password(self._base)} within {self._timeouts.connect:g} s"
            return trouble(Trouble.UNREACHABLE, asked, came)
        if isinstance(error, httpx2.TimeoutException):
            return trouble(Trouble.UNREACHABLE, asked, f"said nothing for {self._timeouts.read:g} s")
        if isinstance(error, httpx2.RemoteProtocolError) and "complete" in str(error):
            return trouble(Trouble.GARBLED, asked, "answered with a body that was cut short")
        came = f"could not be reached at {_without_password(self._base)} ({_reason(error)})"
        return trouble(Trouble.UNREACHABLE, asked, came)


def _without_password(base: str) -> str:
    """The address as an error may name it."""
    scheme, slashes, rest = base.partition("://")
    place, slash, path = rest.partition("/")
    return f"{scheme}{slashes}{place.rpartition('@')[2]}{slash}{path}"


class _Watchdog:
    """Cuts the connection when a question has taken its time.

    The client's own limits count from one piece to the next, so an answer that drips would never end.
    """

    def __init__(self) -> None:
        self.has_bitten = False
        self._socket: socket.socket | None = None

    @contextmanager
    def watch(self, seconds: float) -> Iterator[None]:
        self.has_bitten = False
        timer = threading.Timer(seconds, self._bite)
        timer.daemon = True
        timer.start()
        try:
            yield
        finally:
            timer.cancel()

    def notice(self, event: str, info: Mapping[str, Any]) -> None:
        """Remembers the socket of a new connection; called by the client at each of its steps."""
        stream = info.get("return_value")
        if event.endswith(".complete") and stream is not None and hasattr(stream, "get_extra_info"):
            self._socket = stream.get_extra_info("socket")
            if self.has_bitten:  # the time was over before there was a connection to cut
                self._cut()

    def _bite(self) -> None:
        self.has_bitten = True
        self._cut()

    def _cut(self) -> None:
        if self._socket is not None:
            try:
                # the plain socket's own: that of TLS would pull the session away from under the reading thread
                socket.socket.shutdown(self._socket, socket.SHUT_RDWR)
            except OSError:
                return


class _UnreadableError(Exception):
    """A body that cannot be unpacked; the message says what the registry did."""

    def __init__(self, kind: Trouble, came: str) -> None:
        super().__init__(came)
        self.kind = kind


def _bounded(pieces: Iterable[bytes], most: int) -> Iterator[bytes]:
    left = most
    for piece in pieces:
        yield piece[:left]
        if len(piece) > left:
            raise _UnreadableError(Trouble.TOO_BIG, f"answered with more than {most // 1_000_000} MB")
        left -= len(piece)


def _unpacked(pieces: Iterable[bytes], coding: str) -> Iterator[bytes]:
    coding = coding.strip().lower()
    if coding in ("", "identity"):
        return iter(pieces)
    if coding in ("gzip", "x-gzip"):
        return _gunzipped(pieces)
    raise _UnreadableError(Trouble.NOT_DATA, f"answered in a content coding that was not asked for ({coding[:40]})")


def _gunzipped(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """Unpacks piece by piece, never more than `_CHUNK` bytes at once: a small body can hold gigabytes."""
    member = _member()
    untouched = True
    for piece in pieces:
        rest = piece
        while rest:
            if member.eof:
                member = _member()
            yield _inflated(member, rest)
            rest = member.unused_data if member.eof else member.unconsumed_tail
            untouched = False
        while not member.eof and (more := _inflated(member, b"")):
            yield more
    if not (member.eof or untouched):
        raise _UnreadableError(Trouble.GARBLED, "answered with gzip that was cut short")


def _member() -> "zlib._Decompress":
    return zlib.decompressobj(zlib.MAX_WBITS | 16)


def _inflated(member: "zlib._Decompress", data: bytes) -> bytes:
    try:
        return member.decompress(data, _CHUNK)
    except zlib.error:
        raise _UnreadableError(Trouble.NOT_DATA, "answered with what should be gzip and is not") from None


def _checked(base_url: str) -> str:
    parts = urlsplit(base_url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError(f"not an http or https address of a registry: {base_url!r}")
    return base_url.rstrip("/")


def _is_this_machine(base_url: str) -> bool:
    host = urlsplit(base_url).hostname or ""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _reason(error: Exception) -> str:
    return str(error) or type(error).__name__
