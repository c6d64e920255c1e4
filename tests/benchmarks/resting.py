"""How much memory a daemon holds while nothing is to do, beside a Python that has imported what it needs."""

import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import httpx2

from monitor import schema
from monitor.demo.standin import StandIn
from notifiers import watches
from snapshots.database import Database
from tests.benchmarks import records
from tests.benchmarks.looking import now
from tests.benchmarks.measuring import Figure

ROOT = Path(__file__).parents[2]
WATCHED = 500
DAY = "2026-03-02"
IMPORTS = (
    "sqlalchemy.dialects.sqlite, msgspec, starlette.applications, uvicorn.server, jinja2, httpx2, click, structlog, "
    "apscheduler.schedulers.background, deepdiff, prometheus_client, sqlite3"
)
WAITS = "; import sys; sys.stdin.read()"
START_SECONDS, SETTLE_SECONDS = 60, 5
TOKEN = "tdt_the-installation-in-this-benchmark"
_MEGABYTE = 1e6


class NotHere(Exception):  # noqa: N818 - it says what is so
    """What is needed is not on this machine; the message says what."""


def figures() -> tuple[list[Figure], list[str]]:
    """The figure of a daemon at rest, and what has to be said of it."""
    try:
        bare, imported = (_python(program) / _MEGABYTE for program in ("pass", f"import {IMPORTS}"))
        daemon = _daemon() / _MEGABYTE
    except NotHere as error:
        return [], [f"memory: not measured, {error}"]
    what = f"a daemon that watches {WATCHED} records, with its page, after its first sweep"
    return [Figure(what, daemon, "MB", imported, "a Python that has imported what it needs", "≤ 3 ×")], [
        f"memory: resident, {SETTLE_SECONDS} seconds after the last work; a bare Python holds {bare:.0f} MB"
    ]


def _python(program: str) -> int:
    with _process([sys.executable, "-c", program + WAITS], {}, ROOT) as process:
        return _settled(process)


def _daemon() -> int:
    studies, _ = records.many(WATCHED)
    with tempfile.TemporaryDirectory() as folder, StandIn() as standin:
        url = f"sqlite:///{folder}/archive.sqlite3"
        database = Database(url)
        schema.upgrade(database)
        with database.write() as connection:
            for record in studies:
                watches.add(connection, watches.Wish(registry="ctgov", record_id=record), now())
        database.dispose()
        standin.publish(DAY, studies)
        port = _free_port()
        given = {"DATABASE_URL": url, "CTGOV_URL": standin.url, "REQUEST_INTERVAL": "0.02", "PORT": str(port),
                 "ACCESS_TOKEN": TOKEN, "LOG_FORMAT": "json"}  # fmt: skip
        environ = {f"TRIALDELTA_{name}": value for name, value in given.items()}
        with _process([sys.executable, "-m", "monitor", "run"], environ, Path(folder)) as process:
            _wait_for_the_sweep(port)
            return _settled(process)


def _wait_for_the_sweep(port: int) -> None:
    """Until every record has its baseline, and the page was read once."""
    site, headers = f"http://127.0.0.1:{port}", {"Authorization": f"Bearer {TOKEN}"}
    end = time.monotonic() + START_SECONDS
    while time.monotonic() < end:
        try:
            health = httpx2.get(f"{site}/api/v1/health", headers=headers, trust_env=False).text
            if '"finished"' in health:
                httpx2.get(f"{site}/", headers=headers, trust_env=False)
                return
        except httpx2.HTTPError:
            pass
        time.sleep(0.2)
    raise NotHere(f"the daemon had not swept after {START_SECONDS} seconds")


def _settled(process: "subprocess.Popen[bytes]") -> int:
    time.sleep(SETTLE_SECONDS)
    status = Path(f"/proc/{process.pid}/status")
    if not status.exists():
        raise NotHere("this system does not tell the memory of a process")
    line = next(line for line in status.read_text().splitlines() if line.startswith("VmRSS:"))
    return int(line.split()[1]) * 1024


@contextmanager
def _process(command: list[str], environ: Mapping[str, str], folder: Path) -> Iterator["subprocess.Popen[bytes]"]:
    clean = {name: value for name, value in os.environ.items() if not name.startswith("TRIALDELTA_")}
    everything = {**clean, **environ, "PYTHONPATH": str(ROOT)}
    quiet = subprocess.DEVNULL
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=quiet, stderr=quiet, env=everything, cwd=folder)
    try:
        yield process
    finally:
        process.kill()
        process.wait(10)


def _free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port: int = taken.getsockname()[1]
        return port
