"""The ways in which the stand-in can fail its clients, and how each looks on the wire."""

import gzip
import socket
import struct
import time
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from enum import Enum
from http.server import BaseHTTPRequestHandler

from msgspec import Struct, field

RETRY_AFTER = 7
"""Seconds that the faults with `Retry-After` ask for."""
LONGEST = 30.0
"""Seconds after which a slow or endless answer ends by itself, so that no test can hang on the stand-in."""

HTML = b"<!DOCTYPE html><html><head><title>Down for maintenance</title></head><body>Back soon.</body></html>"
_BOMB_BYTES = 512 * 1024 * 1024


class Fault(Enum):
    """One way to fail."""

    HTML_200 = "an HTML page with status 200"
    EMPTY = "status 200 and no body"
    CUT = "a body shorter than its Content-Length"
    CUT_JSON = "a body that arrives whole and ends amid its JSON"
    CUT_GZIP = "gzip that ends too early"
    GARBAGE = "bytes that mean nothing"
    FALSE_CODING = "announced as gzip and plain"
    FOREIGN_CODING = "a content coding that nobody asked for"
    WRONG_SHAPE = "JSON of another shape"
    WRONG_STUDIES = "JSON whose studies are not a list"
    BOMB = "half a gigabyte in half a megabyte of gzip"
    BAD_REQUEST = "400 with a plain text"
    FORBIDDEN = "403"
    TOO_LONG = "414"
    TOO_FAST = "429 without Retry-After"
    TOO_FAST_SECONDS = "429 with Retry-After in seconds"
    TOO_FAST_DATE = "429 with Retry-After as a date"
    TOO_FAST_LONG = "429 with Retry-After of an hour"
    SERVER_ERROR = "500"
    BAD_GATEWAY = "502 with an HTML page"
    UNAVAILABLE = "503"
    UNAVAILABLE_SECONDS = "503 with Retry-After in seconds"
    GATEWAY_TIMEOUT = "504"
    NOT_FOUND = "404 with a plain text"
    NOT_FOUND_PAGE = "404 with an HTML page"
    RESET = "the connection is reset"
    CLOSED = "the connection is closed without an answer"
    NOT_HTTP = "an answer that is not HTTP"
    STALL = "no answer at all"
    DRIP = "a body that drips"
    DRIP_HEADERS = "headers that drip"
    ENDLESS = "a body without an end"
    ENDLESS_GZIP = "a gzip body without an end"
    REDIRECT = "301 to a record at another host"
    REDIRECT_ITSELF = "301 to itself"
    FIELDS_500 = "500 whenever `fields` is given"
    FIELDS_400 = "400 that names `fields`, whenever it is given"
    NO_STUDIES = "a page without studies, and no other"
    EMPTY_PAGE = "a page without studies that has a next one"
    REPEATED_PAGE = "a page that names itself as the next one"
    ENDLESS_PAGES = "empty pages, each with a new token"
    OUTDATED_PAGE = "400 for every page token"


class Armed(Struct):
    """A fault that waits for its requests: `times` left (None: for ever), only on paths that contain `path`, only
    where one of `ids` is asked for, only where more than `over` ids are asked for.
    """

    kind: Fault
    times: int | None = None
    path: str | None = None
    ids: frozenset[str] = frozenset()
    over: int = 0

    def strikes(self, path: str, query: Mapping[str, str]) -> bool:
        """Whether this request is one that the fault waits for."""
        asked = _asked(path, query)
        return (
            self.times != 0
            and (self.path is None or self.path in path)
            and (not self.ids or not self.ids.isdisjoint(asked))
            and (not self.over or len(asked) > self.over)
            and _WAITS_FOR.get(self.kind, _any)(query)
        )

    def struck(self) -> None:
        """Counts one use."""
        if self.times is not None:
            self.times -= 1


class Answer(Struct):
    """What the stand-in says: status, body, further headers. The length is added on sending."""

    status: int
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)


def text(status: int, words: str) -> Answer:
    """An answer as the registry words its refusals: plain text."""
    return Answer(status, words.encode(), {"Content-Type": "text/plain"})


PAGE_FAULTS = frozenset({Fault.NO_STUDIES, Fault.EMPTY_PAGE, Fault.REPEATED_PAGE, Fault.ENDLESS_PAGES})
"""Faults that only the code that makes pages can play."""


def play(fault: Fault, handler: BaseHTTPRequestHandler, good: bytes, send: Callable[[Answer], None]) -> None:
    """Answers `handler`'s request wrongly; `good` is the body that would have been right, `send` sends an answer."""
    if fault in _WIRE:
        handler.close_connection = True
        _WIRE[fault](handler, good)
    else:
        send(_ANSWERS[fault](handler, good))


def _asked(path: str, query: Mapping[str, str]) -> list[str]:
    ids = [part for part in query.get("filter.ids", "").replace(",", "|").split("|") if part]
    last = path.rsplit("/", 1)[-1]
    return [*ids, last] if last[:3].upper() == "NCT" else ids


def _any(_query: Mapping[str, str]) -> bool:
    return True


def _has_fields(query: Mapping[str, str]) -> bool:
    return "fields" in query


_WAITS_FOR: dict[Fault, Callable[[Mapping[str, str]], bool]] = {
    Fault.FIELDS_500: _has_fields,
    Fault.FIELDS_400: _has_fields,
    Fault.OUTDATED_PAGE: lambda query: "pageToken" in query,
    Fault.EMPTY_PAGE: lambda query: "pageToken" not in query,
}

_JSON = {"Content-Type": "application/json"}
_HTML = {"Content-Type": "text/html"}
_AnswerOf = Callable[[BaseHTTPRequestHandler, bytes], Answer]


def _always(status: int, body: bytes = b"", headers: dict[str, str] | None = None) -> _AnswerOf:
    return lambda _handler, _good: Answer(status, body, dict(headers or {}))


def _too_fast_date(_handler: BaseHTTPRequestHandler, _good: bytes) -> Answer:
    moment = datetime.now(UTC) + timedelta(seconds=RETRY_AFTER)
    return Answer(429, b"", {"Retry-After": format_datetime(moment, usegmt=True)})


def _bomb(_handler: BaseHTTPRequestHandler, _good: bytes) -> Answer:
    return Answer(200, _bomb_body(), {**_JSON, "Content-Encoding": "gzip"})


def _bomb_body() -> bytes:
    block = b" " * 1024 * 1024
    member = gzip.compress(block, 9, mtime=0)
    return gzip.compress(b'{"studies":[', mtime=0) + member * (_BOMB_BYTES // len(block))


def _cut_gzip(_handler: BaseHTTPRequestHandler, good: bytes) -> Answer:
    whole = gzip.compress(good, 1, mtime=0)
    return Answer(200, whole[: len(whole) // 2], {**_JSON, "Content-Encoding": "gzip"})


def _to_itself(handler: BaseHTTPRequestHandler, _good: bytes) -> Answer:
    return Answer(301, b"", {"Location": handler.path})


_ANSWERS: dict[Fault, _AnswerOf] = {
    Fault.HTML_200: _always(200, HTML, _HTML),
    Fault.EMPTY: _always(200, b"", _JSON),
    Fault.CUT_JSON: lambda _handler, good: Answer(200, good[: len(good) * 2 // 3], dict(_JSON)),
    Fault.CUT_GZIP: _cut_gzip,
    Fault.GARBAGE: _always(200, bytes(range(255, 0, -1)) * 4, _JSON),
    Fault.FALSE_CODING: lambda _handler, good: Answer(200, good, {**_JSON, "Content-Encoding": "gzip"}),
    Fault.FOREIGN_CODING: lambda _handler, good: Answer(200, good, {**_JSON, "Content-Encoding": "br"}),
    Fault.WRONG_SHAPE: _always(200, b'{"message":"try later"}', _JSON),
    Fault.WRONG_STUDIES: _always(200, b'{"studies":{"0":{}},"dataTimestamp":7}', _JSON),
    Fault.BOMB: _bomb,
    Fault.BAD_REQUEST: _always(400, b"Parameter `filter.ids` is not what it should be", {"Content-Type": "text/plain"}),
    Fault.FORBIDDEN: _always(403, b"<html><title>Access denied</title></html>", _HTML),
    Fault.TOO_LONG: _always(414),
    Fault.TOO_FAST: _always(429),
    Fault.TOO_FAST_SECONDS: _always(429, b"", {"Retry-After": str(RETRY_AFTER)}),
    Fault.TOO_FAST_DATE: _too_fast_date,
    Fault.TOO_FAST_LONG: _always(429, b"", {"Retry-After": "3600"}),
    Fault.SERVER_ERROR: _always(500, b"something went wrong", {"Content-Type": "text/plain"}),
    Fault.BAD_GATEWAY: _always(502, b"<html><title>Bad gateway</title></html>", _HTML),
    Fault.UNAVAILABLE: _always(503),
    Fault.UNAVAILABLE_SECONDS: _always(503, b"", {"Retry-After": str(RETRY_AFTER)}),
    Fault.GATEWAY_TIMEOUT: _always(504),
    Fault.NOT_FOUND: _always(404, b"no such thing", {"Content-Type": "text/plain"}),
    Fault.NOT_FOUND_PAGE: _always(404, b"<html><title>Lost</title></html>", _HTML),
    Fault.REDIRECT: _always(301, b"", {"Location": "http://registry.example.org/studies/NCT99999999"}),
    Fault.REDIRECT_ITSELF: _to_itself,
    Fault.FIELDS_500: _always(500, b"something went wrong", {"Content-Type": "text/plain"}),
    Fault.FIELDS_400: _always(400, b"Parameter `fields` holds a name that is unknown", {"Content-Type": "text/plain"}),
    Fault.OUTDATED_PAGE: _always(400, b"Parameter `pageToken` is not valid", {"Content-Type": "text/plain"}),
}


def _reset(handler: BaseHTTPRequestHandler, _good: bytes) -> None:
    # a linger of no seconds makes close() send a reset in place of an orderly end
    handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    handler.connection.close()


def _closed(handler: BaseHTTPRequestHandler, _good: bytes) -> None:
    handler.connection.shutdown(socket.SHUT_RDWR)


def _not_http(handler: BaseHTTPRequestHandler, _good: bytes) -> None:
    _pour(handler, [b"220 mail.example.org ready\r\n"])


def _cut(handler: BaseHTTPRequestHandler, good: bytes) -> None:
    _pour(handler, [_head(f"Content-Length: {len(good)}"), good[: len(good) // 2]])


def _stall(handler: BaseHTTPRequestHandler, _good: bytes) -> None:
    _pour(handler, (b"" for _ in _ticks(0.05)))


def _drip(handler: BaseHTTPRequestHandler, good: bytes) -> None:
    _pour(handler, [_head(f"Content-Length: {len(good)}")])
    _pour(handler, (good[number : number + 1] for number, _ in enumerate(_ticks(0.05))))


def _drip_headers(handler: BaseHTTPRequestHandler, _good: bytes) -> None:
    _pour(handler, [b"HTTP/1.1 200 OK\r\n"])
    _pour(handler, (b"X-Slow: yes\r\n" for _ in _ticks(0.05)))


def _endless(handler: BaseHTTPRequestHandler, _good: bytes) -> None:
    _pour(handler, [_head("Connection: close"), b'{"studies":['])
    _pour(handler, (b" " * 65536 for _ in _ticks(0.0)))


def _endless_gzip(handler: BaseHTTPRequestHandler, _good: bytes) -> None:
    member = gzip.compress(b" " * 1024 * 1024, 9, mtime=0)
    _pour(handler, [_head("Content-Encoding: gzip"), gzip.compress(b'{"studies":[', mtime=0)])
    _pour(handler, (member for _ in _ticks(0.0)))


_WIRE: dict[Fault, Callable[[BaseHTTPRequestHandler, bytes], None]] = {
    Fault.RESET: _reset,
    Fault.CLOSED: _closed,
    Fault.NOT_HTTP: _not_http,
    Fault.CUT: _cut,
    Fault.STALL: _stall,
    Fault.DRIP: _drip,
    Fault.DRIP_HEADERS: _drip_headers,
    Fault.ENDLESS: _endless,
    Fault.ENDLESS_GZIP: _endless_gzip,
}


def _head(*headers: str) -> bytes:
    lines = ("HTTP/1.1 200 OK", "Content-Type: application/json", *headers, "", "")
    return "\r\n".join(lines).encode()


def _ticks(pause: float) -> Iterator[None]:
    end = time.monotonic() + LONGEST
    while time.monotonic() < end:
        yield
        time.sleep(pause)


def _pour(handler: BaseHTTPRequestHandler, pieces: Iterator[bytes] | list[bytes]) -> None:
    """Sends pieces until they end or the client has gone (seen by writing, or by its end of the line)."""
    try:
        for piece in pieces:
            handler.wfile.write(piece)
            handler.wfile.flush()
            if _gone(handler.connection):
                return
    except OSError:
        return


def _gone(connection: socket.socket) -> bool:
    connection.setblocking(False)
    try:
        return connection.recv(1, socket.MSG_PEEK) == b""
    except BlockingIOError:
        return False
    except OSError:
        return True
    finally:
        connection.setblocking(True)
