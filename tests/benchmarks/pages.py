"""How long pages and answers of the API take over a large archive, beside a bare route and a tenth of the archive."""

import http.client
import multiprocessing
import socket
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from multiprocessing.connection import Connection as Pipe
from pathlib import Path
from urllib.parse import quote, urlsplit

from msgspec import Struct

from monitor.web import rendering
from monitor.web.doors import doors
from notifiers import feeds, links
from snapshots import archive
from snapshots.database import Database
from tests.benchmarks import large_archive
from tests.benchmarks.large_archive import NOW, delivery_ids, trial_id
from tests.benchmarks.measuring import Figure, median, percentile

TOKEN = "tdt_the-installation-in-this-benchmark"
ROUNDS, WARMING = 20, 2
FEWEST, PATIENCE, GIVEN_UP = 6, 3.0, 30
"""A slow door is asked less often: at least so many times, and for so many seconds; and given up."""
MOST, SLACK = 150.0, 10.0
"""Milliseconds that a page may take; and by how much it may take longer over the whole archive than twice a tenth."""
EXPORTS = frozenset(
    {
        "/watchlist.csv",
        "/api/v1/exports/watches",
        "/api/v1/records/{id}/exports/{table}",
        "/api/v1/records/{id}/audit",
        "/trials/{id}/export/{file}",
        "/api/v1/subscriptions/{name}/backtest",
    }
)
"""Files of everything, and questions to a whole past: they cost what they hold, and no page waits for them."""
FILTERED = (
    "/?seen=no",
    "/?seen=yes",
    "/api/v1/changes?seen=false",
    "/api/v1/changes?seen=false&watched=true",
    "/api/v1/changes?seen=true",
)
"""Doors that are asked again with a filter, since by that the database walks another way."""
Paths = Callable[[int], str]


class Timed(Struct, frozen=True):
    """Milliseconds of a door's answers: at the median and at 95 % (None: it did not answer, as `said`); the CPU
    time of the server for one.
    """

    median: float | None
    most: float | None
    said: str = ""
    cpu: float = 0


def figures(trials: int = large_archive.TRIALS) -> tuple[list[Figure], list[str]]:
    """The figures of every door that answers to GET, and what has to be said of them."""
    with tempfile.TemporaryDirectory() as folder:
        began = time.monotonic()
        small = _filled(Path(folder), max(trials // 10, 60))
        large = _filled(Path(folder), trials)
        seeding = time.monotonic() - began
        of_small, _ = _measured(small, max(trials // 10, 60))
        of_large, hello = _measured(large, trials)
    found = [_figure(path, of_large[path], hello) for path in of_large if of_large[path].median is not None]
    notes = [
        f"pages: {trials:,} watched trials, {trials * large_archive.STEPS * large_archive.CHANGES:,} changes, made in "
        f"{seeding:.0f} s; {ROUNDS} answers of each door to one asker on loopback, wall time"
    ]
    notes += [f"not measured: {path} ({timed.said})" for path, timed in of_large.items() if timed.median is None]
    return [*_worst(of_large, of_small, hello), *found], notes


def _worst(large: Mapping[str, Timed], small: Mapping[str, Timed], hello: Timed) -> list[Figure]:
    """The slowest, and whose time grows most with the archive."""
    answered = {path: timed for path, timed in large.items() if timed.median is not None and path not in EXPORTS}
    slowest = max(answered, key=lambda path: answered[path].median or 0)
    latest = max(answered, key=lambda path: answered[path].most or 0)
    grown = {path: _growth(timed, small[path]) for path, timed in answered.items() if small[path].median is not None}
    most = max(grown, key=lambda path: grown[path])
    floor, bound = "a bare route that says hello", f"< {MOST:.0f} ms"
    return [
        Figure(f"the slowest of {len(answered)} doors at the median: {slowest}", answered[slowest].median or 0, "ms",
               hello.median, floor, bound),
        Figure(f"the slowest at 95 %: {latest}", answered[latest].most or 0, "ms", hello.most, floor, bound),
        Figure(f"grows most from a tenth of the archive to all: {most}", answered[most].median or 0, "ms",
               2 * (small[most].median or 0) + SLACK, f"twice a tenth's time, and {SLACK:.0f} ms", "≤ 1 ×"),
    ]  # fmt: skip


def _growth(large: Timed, small: Timed) -> float:
    return (large.median or 0) / (2 * (small.median or 0) + SLACK)


def _figure(path: str, timed: Timed, hello: Timed) -> Figure:
    more = f"95 %: {timed.most:.1f} ms; CPU of the server: {timed.cpu:.1f} ms"
    floor, bound = "hello", "" if path in EXPORTS else f"< {MOST:.0f} ms"
    return Figure(f"GET {path}", timed.median or 0, "ms", hello.median, floor, bound, more, is_detail=True)


def _filled(folder: Path, trials: int) -> str:
    url = f"sqlite:///{folder / f'of{trials}.sqlite3'}"
    large_archive.fill(url, trials).dispose()
    return url


# --- asking -----------------------------------------------------------------------------------------------------------


def _measured(url: str, trials: int) -> tuple[dict[str, Timed], Timed]:
    """By the path of the door; and the bare route."""
    paths = _paths(url, trials)
    asked = [door for door in doors() if door.get is not None]
    with _served(url) as (page, hello, signing_in, spent):
        paths["/signin/once/{code}"] = lambda _: signing_in
        timed = {path: _timed(page, paths, path, spent) for path in (*(door.path for door in asked), *FILTERED)}
        return timed, _asked(hello, lambda _: "/", spent)


def _timed(site: str, paths: Mapping[str, Paths], door: str, spent: Callable[[], float]) -> Timed:
    if "{" in door and door not in paths:
        return Timed(None, None, "no example of its path is known to this benchmark")
    return _asked(site, paths.get(door, lambda _: door), spent)


def _asked(site: str, path: Paths, spent: Callable[[], float]) -> Timed:
    """Some answers, one after the other, of one asker over one connection."""
    connection = http.client.HTTPConnection(urlsplit(site).netloc, timeout=GIVEN_UP)
    took: list[float] = []
    before = 0.0
    try:
        for number in range(WARMING + ROUNDS):
            before = spent() if number == WARMING else before
            began = time.perf_counter()
            connection.request("GET", path(number), headers={"Authorization": f"Bearer {TOKEN}"})
            answer = connection.getresponse()
            answer.read()
            took.append((time.perf_counter() - began) * 1000)
            if answer.status != 200:
                return Timed(None, None, f"{path(number)} answers {answer.status}")
            if number >= WARMING + FEWEST and sum(took) > 1000 * PATIENCE:
                break
    except (OSError, http.client.HTTPException) as error:
        return Timed(None, None, f"{type(error).__name__}: {error}")
    finally:
        connection.close()
    each = (spent() - before) * 1000 / len(took[WARMING:])
    return Timed(median(took[WARMING:]), percentile(took[WARMING:], 0.95), cpu=each)


def _paths(url: str, trials: int) -> dict[str, Paths]:
    """Example paths of the doors whose path has a place in it, and of those that ask for a query: the nth of them."""
    database = Database(url)
    with database.read() as connection:
        fed = {feed.about: feeds.token(connection, feed) for feed in feeds.listing(connection)}
        heads = archive.heads(connection, "ctgov", [trial_id(n) for n in range(ROUNDS + WARMING)])
        linked = delivery_ids(trials, 1)[0]
        unsubscribing = links.unsubscribe_url(connection, "http://bench", linked) or ""
        acknowledging = links.acknowledge_url(connection, "http://bench", linked) or ""
        confirming = links.confirm_url(connection, "http://bench", large_archive.CONFIRMED) or ""
    database.dispose()
    told = delivery_ids(trials, ROUNDS + WARMING)
    count = large_archive.SUBSCRIPTIONS
    change = trials * large_archive.STEPS * large_archive.CHANGES // 2
    names = {
        "{id}": lambda n: trial_id(n * 7 % trials),
        "{delivery}": lambda n: told[n],
        "{type}": lambda _: "trial.changed",
        "{name}": lambda n: f"sub-{n % (count - 1) + 1}",
    }
    given: dict[str, Paths] = {
        "/assets/{name}": lambda _: f"/assets/{rendering.asset_name('page.css')}",
        "/health/sweeps/{number}": lambda n: f"/health/sweeps/{n + 1}",
        "/watchlist/{number}": lambda n: f"/watchlist/{n * 7 % trials + 1}",
        "/watchlist/{number}/remove": lambda n: f"/watchlist/{n * 7 % trials + 1}/remove",
        "/subscriptions/{number}/digest": lambda _: "/subscriptions/1/digest",
        "/subscriptions/{number}/digest/{address}": lambda _: "/subscriptions/1/digest/0",
        "/subscriptions/{number}/why": lambda n: f"/subscriptions/{n + 1}/why?change={change + n}",
        "/addresses/{number}": lambda n: f"/addresses/{n % 20 + 1}",
        "/api/v1/addresses/{id}": lambda n: f"/api/v1/addresses/{n % 20 + 1}",
        "/api/v1/deliveries/{id}": lambda n: f"/api/v1/deliveries/{told[n]}",
        "/api/v1/deliveries/{id}/message": lambda n: f"/api/v1/deliveries/{told[n]}/message",
        "/api/v1/sweeps/{id}": lambda n: f"/api/v1/sweeps/{n + 1}",
        "/api/v1/records/{id}/exports/{table}": lambda n: f"/api/v1/records/{trial_id(n)}/exports/history",
        "/api/v1/examples/{type}": lambda _: "/api/v1/examples/trial.changed",
        "/api/v1/sweeps/{id}/unanswered": lambda n: f"/api/v1/sweeps/{n + 1}/unanswered",
        "/api/v1/watches/{name}": lambda n: f"/api/v1/watches/{trial_id(n)}",
        "/api/v1/subscriptions/{name}/digest": lambda _: "/api/v1/subscriptions/sub-0/digest",
        "/api/v1/subscriptions/{name}/why": lambda n: f"/api/v1/subscriptions/sub-{n + 1}/why?change={change + n}",
        "/unsubscribe/{token}": lambda _: urlsplit(unsubscribing).path,
        "/acknowledge/{token}": lambda _: urlsplit(acknowledging).path,
        "/confirm/{token}": lambda _: urlsplit(confirming).path,
        "/trials/{id}/export/{file}": lambda n: f"/trials/{trial_id(n)}/export/history.csv",
        "/trials/{id}/versions/{number}.json": lambda n: (
            f"/trials/{trial_id(n)}/versions/{heads[trial_id(n)].version}.json"
        ),
        "/api/v1/records/{id}/versions/{number}/raw": lambda n: (
            f"/api/v1/records/{trial_id(n)}/versions/{heads[trial_id(n)].version}/raw"
        ),
        "/api/v1/records/{id}/diff": lambda n: f"/api/v1/records/{trial_id(n)}/diff",
    }
    for form in ("atom.xml", "feed.json"):
        given[f"/feeds/{{token}}/{form}"] = lambda n, form=form: (  # type: ignore[misc]
            f"/feeds/{quote(fed[('trial', 'group', 'subscription')[n % 3]] or '')}/{form}"
        )
    given["/feeds/{token}/calendar.ics"] = lambda _: f"/feeds/{quote(fed['group'] or '')}/calendar.ics"
    for door in doors():
        if "{" in door.path and door.path not in given:
            given |= _filled_in(door.path, names)
    return given


def _filled_in(door: str, names: Mapping[str, Paths]) -> dict[str, Paths]:
    """A door whose places have one meaning everywhere."""
    numbered = {**names, "{number}": lambda n: str(n % (large_archive.SUBSCRIPTIONS - 1) + 2)}
    if not door.startswith(("/subscriptions", "/api/v1/subscriptions", "/api/v1/records", "/trials", "/deliveries",
                            "/templates")):  # fmt: skip
        return {}

    def path(number: int) -> str:
        said = door
        for place, value in numbered.items():
            said = said.replace(place, value(number))
        return said

    return {} if "{" in path(0) else {door: path}


# --- serving ----------------------------------------------------------------------------------------------------------


@contextmanager
def _served(url: str) -> Iterator[tuple[str, str, str, Callable[[], float]]]:
    """The page over this database and a bare route, both in one process that is not ours: their addresses, the path of
    a link that signs in, and who tells how many CPU seconds it has spent.
    """
    here, there = multiprocessing.Pipe()
    process = multiprocessing.get_context("spawn").Process(target=_serve, args=(url, there), daemon=True)
    process.start()
    try:
        page, hello, signing_in = here.recv()

        def spent() -> float:
            here.send("spent")
            return float(here.recv())

        yield page, hello, signing_in, spent
    finally:
        here.send(None)
        process.join(10)


def _serve(url: str, pipe: Pipe) -> None:
    import logging

    import structlog

    from monitor import allocating
    from monitor.settings import load
    from monitor.web.server import Server

    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    database = Database(url)
    environ = {"TRIALDELTA_DATABASE_URL": url, "TRIALDELTA_PORT": str(_free_port()), "TRIALDELTA_ACCESS_TOKEN": TOKEN}
    server = Server(load(environ, Path("no-such.env")), database, lambda: NOW)
    server.start()
    hello = _hello()
    allocating.settle()  # as the daemon does
    pipe.send((server.url, hello, urlsplit(server.sign_in_url()).path))
    while pipe.recv():
        pipe.send(time.process_time())
    server.stop(5)
    database.dispose()


def _hello() -> str:
    """The least that Starlette and uvicorn can do."""
    import uvicorn
    from starlette.applications import Starlette
    from starlette.responses import PlainTextResponse
    from starlette.routing import Route

    app = Starlette(routes=[Route("/", lambda _: PlainTextResponse("hello"))])
    port = _free_port()
    config = uvicorn.Config(app, port=port, http="h11", loop="asyncio", log_config=None, access_log=False)
    server = uvicorn.Server(config)
    threading.Thread(target=server.run, daemon=True).start()
    while not server.started:
        time.sleep(0.01)
    return f"http://127.0.0.1:{port}"


def _free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port: int = taken.getsockname()[1]
        return port


if __name__ == "__main__":
    for each in figures(int(sys.argv[1]))[0]:
        print(each)
