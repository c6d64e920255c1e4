"""People and programs that read a running daemon's page, API, feeds and metrics, over and over."""

import threading
import time
from collections import Counter
from collections.abc import Sequence
from itertools import cycle
from types import TracebackType
from typing import Self

import httpx2

PAUSE = 0.2
"""Seconds between two readings of one reader."""
VISIT = 40
"""So many readings until somebody comes anew: with a new connection, and signing in anew."""


class Readers:
    """Two at once, a program with a token and somebody with a browser; a context manager. `failures`: the answers that
    were none, each with how often; `answers`: how many were.
    """

    def __init__(self, site: str, token: str, paths: Sequence[str]) -> None:
        self.failures: Counter[str] = Counter()
        self.answers = 0
        self._site, self._token, self._paths = site, token, paths
        self._end = threading.Event()
        self._threads = [threading.Thread(target=self._read, args=(each,), daemon=True) for each in (True, False)]

    def __enter__(self) -> Self:
        for each in self._threads:
            each.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._end.set()
        for each in self._threads:
            each.join(30)

    def _read(self, is_program: bool) -> None:
        paths = cycle(self._paths)
        while not self._end.is_set():
            with self._client(is_program) as client:
                if not is_program:
                    self._asked(client, "POST", "/signin")
                for _ in range(VISIT):
                    self._asked(client, "GET", next(paths))
                    if self._end.wait(PAUSE):
                        return

    def _client(self, is_program: bool) -> httpx2.Client:
        headers = {"Authorization": f"Bearer {self._token}"} if is_program else {}
        return httpx2.Client(base_url=self._site, headers=headers, timeout=60, trust_env=False, verify=False)

    def _asked(self, client: httpx2.Client, method: str, path: str) -> None:
        form = {"token": self._token, "next": "/"} if method == "POST" else None
        try:
            try:
                said = client.request(method, path, data=form).status_code
            except (httpx2.ReadError, httpx2.RemoteProtocolError):
                # a connection that rested too long was just closed by the server: browsers ask once more then, too
                said = client.request(method, path, data=form).status_code
        except (httpx2.HTTPError, OSError) as error:
            self.failures[f"{path}: {type(error).__name__}"] += 1
            return
        if said in (200, 303):
            self.answers += 1
        else:
            self.failures[f"{path}: {said}"] += 1


def until_it_answers(site: str, seconds: float = 180) -> None:
    """Wait until the page answers at all. Raises TimeoutError."""
    ends = time.monotonic() + seconds
    while time.monotonic() < ends:
        try:
            httpx2.get(f"{site}/signin", timeout=2, trust_env=False)
        except (httpx2.HTTPError, OSError):
            time.sleep(0.1)
        else:
            return
    raise TimeoutError(f"{site} never answered")
