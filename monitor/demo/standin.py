"""A stand-in for ClinicalTrials.gov on loopback: serves releases of records, and fails on demand.

It answers as the registry is known to: an unknown id is simply absent, a malformed one spoils its batch, a wrong field
is a 500, a page token dies with its release, every study stands on a line of its own. Its texts are its own.
"""

import argparse
import gzip
import lzma
import sys
import threading
from collections import deque
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import groupby
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from urllib.parse import parse_qsl, urlsplit

import msgspec
from msgspec import Struct

from monitor.demo.catalogue import Catalogue, Study
from monitor.demo.faults import PAGE_FAULTS, Answer, Armed, Fault, play

__all__ = ["Fault", "Request", "StandIn", "Study", "read_releases"]

Json = Any


class Request(Struct, frozen=True):
    """One request that was received: path without query, query, headers (names in lower case), time (UTC)."""

    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    at: datetime

    @property
    def ids(self) -> list[str]:
        """The ids that a batch asked for."""
        return [part for part in self.query.get("filter.ids", "").replace(",", "|").split("|") if part]


class _Row(Struct):
    nct: str
    dataVersion: str  # noqa: N815 - the file's own word
    study: msgspec.Raw


class StandIn:
    """The registry on 127.0.0.1; a context manager. `url` is what a client takes as the registry's base address.

    `requests` holds what was asked (the last 10,000). Thread-safe; before the first `publish` it lists nothing.
    `port` 0 takes any free one; `catalogue` is what it lists, where that is not kept in memory. Raises OSError where
    the port is taken.
    """

    def __init__(self, port: int = 0, catalogue: Catalogue | None = None) -> None:
        self.requests: deque[Request] = deque(maxlen=10_000)
        self._lock = threading.RLock()
        self._catalogue = catalogue or Catalogue()
        self._armed: list[Armed] = []
        self._server = _Server(("127.0.0.1", port), _handler_of(self))
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def url(self) -> str:
        """The address that stands before "/api/v2"."""
        return f"http://127.0.0.1:{self._server.server_port}"

    @property
    def release(self) -> str:
        """The current release's timestamp, as `/version` tells it."""
        return self._catalogue.release

    def start(self) -> Self:
        """Serves until `close`, for those who cannot use `with`."""
        return self.__enter__()

    def close(self) -> None:
        """Stops serving. Answers under way are cut."""
        if self._thread.is_alive():
            self._server.shutdown()
            self._thread.join(5)
        self._server.server_close()

    def publish(self, date: str, studies: Mapping[str, Study] | None = None) -> None:
        """Makes `date` ("2026-03-25") the current release; `studies` are added or replaced, the others stay."""
        with self._lock:
            self._catalogue.date = date
            for record, study in (studies or {}).items():
                self._catalogue.put(record, study)

    def remove(self, ids: Iterable[str]) -> None:
        """The registry no longer lists these records."""
        with self._lock:
            self._catalogue.drop(ids)

    def merge(self, old: str, kept: str) -> None:
        """`old` becomes an alias of `kept`: its own address redirects, batches answer with `kept`."""
        with self._lock:
            self._catalogue.merge(old, kept)

    def past(self, record: str, versions: Sequence[dict[str, Json]]) -> None:
        """What a record said before today, oldest first, each as API v2 would have told it: its history lists these,
        and then what it says now where that differs. A history is served of records that are published.
        """
        with self._lock:
            self._catalogue.remember(record, versions)

    def study(self, record: str) -> dict[str, Json]:
        """A copy of a record as it stands, to be changed and published again. Raises KeyError."""
        with self._lock:
            return self._catalogue.study(record)

    def fail(
        self,
        kind: Fault,
        times: int | None = None,
        path: str | None = None,
        *,
        ids: Collection[str] = (),
        over: int = 0,
    ) -> None:
        """Answers the next `times` requests (None: all, until `clear`) with a fault.

        Only requests whose path contains `path`, that ask for one of `ids`, for more than `over` ids, where given.
        Faults armed first strike first.
        """
        with self._lock:
            self._armed.append(Armed(kind, times, path, frozenset(ids), over))

    def clear(self) -> None:
        """Forgets faults and requests; the records stay."""
        with self._lock:
            self._armed.clear()
            self.requests.clear()

    def _receive(self, request: Request) -> tuple[Answer, Fault | None]:
        with self._lock:
            self.requests.append(request)
            fault = self._strike(request)
            on_page = fault if fault in PAGE_FAULTS and request.path == "/api/v2/studies" else None
            return self._catalogue.answer(request.path, dict(request.query), on_page), fault

    def _strike(self, request: Request) -> Fault | None:
        for armed in self._armed:
            if armed.strikes(request.path, request.query):
                armed.struck()
                return armed.kind
        return None


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that hangs up is no news."""


def _handler_of(standin: StandIn) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        timeout = 60
        wbufsize = -1
        disable_nagle_algorithm = True

        def do_GET(self) -> None:
            address = urlsplit(self.path)
            query = dict(parse_qsl(address.query, keep_blank_values=True))
            headers = {name.lower(): value for name, value in self.headers.items()}
            answer, fault = standin._receive(Request(address.path, query, headers, datetime.now(UTC)))
            if fault is None or fault in PAGE_FAULTS:
                self._send(_packed(answer, headers))
            else:
                play(fault, self, answer.body, self._send)

        def _send(self, answer: Answer) -> None:
            self.send_response(answer.status)
            for name, value in answer.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(answer.body)))
            self.end_headers()
            self.wfile.write(answer.body)
            self.wfile.flush()

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
            """Says nothing: `requests` tells."""

    return Handler


def _packed(answer: Answer, headers: Mapping[str, str]) -> Answer:
    is_wanted = "gzip" in headers.get("accept-encoding", "") and "Content-Encoding" not in answer.headers
    if not is_wanted or len(answer.body) < 500:
        return answer
    return Answer(answer.status, gzip.compress(answer.body, 1, mtime=0), {**answer.headers, "Content-Encoding": "gzip"})


def read_releases(path: Path) -> Iterator[tuple[str, dict[str, Study]]]:
    """The releases of a file of lines {"nct", "dataVersion", "study"} (.xz or plain), oldest first: each release's
    date and the records (as bytes) that are new or different in it.
    """
    with lzma.open(path, "rb") if path.suffix == ".xz" else path.open("rb") as lines:
        rows = sorted((msgspec.json.decode(line, type=_Row) for line in lines), key=lambda row: row.dataVersion)
    for date, group in groupby(rows, key=lambda row: row.dataVersion):
        yield date, {row.nct: bytes(row.study) for row in group}


def main(arguments: list[str] | None = None) -> None:
    """Serves a file of releases until interrupted; with --step, each press of Enter publishes the next one."""
    parser = argparse.ArgumentParser(prog="python -m monitor.demo.standin", description=main.__doc__)
    parser.add_argument("--ndjson", type=Path, required=True, help="lines of {nct, dataVersion, study}, .xz or plain")
    parser.add_argument("--port", type=int, default=8390)
    parser.add_argument("--step", action="store_true", help="one release at a time")
    given = parser.parse_args(arguments)
    with StandIn(given.port) as standin, suppress(KeyboardInterrupt, EOFError):
        print(standin.url, file=sys.stderr)  # noqa: T201
        for date, studies in read_releases(given.ndjson):
            standin.publish(date, studies)
            if given.step:
                input(f"{standin.release}: {len(studies)} new or different records. Enter: the next release ")
        threading.Event().wait()


if __name__ == "__main__":
    main()
