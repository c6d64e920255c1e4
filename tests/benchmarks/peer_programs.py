"""How this program and two others are made to watch the same records, each as its own documentation says."""

import json
import os
import re
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import quote

import httpx2
from msgspec import Struct

from monitor.demo.sinks import HookSink, MailSink
from tests.databases import _free_port

ROOT = Path(__file__).parents[2]
LONGEST = 600.0
"""Seconds after which a look at all records is cut off."""
QUIET = 4.0
"""Seconds without a word, after which nothing more is expected of a server that does not say when it is done."""
WITHOUT_STAMP = "del(.derivedSection.miscInfoModule.versionHolder)"
SORTED = WITHOUT_STAMP + ' | walk(if type == "array" then sort else . end)'
_ID = re.compile(r"NCT\d{8}")


class Told(Struct, frozen=True):
    """One look: seconds of wall and of CPU (all processes), how many records were looked at, and for each record that
    was told of, what was said (one text a message or section of it).
    """

    wall: float
    cpu: float
    looked_at: int
    said: Mapping[str, str]


class Program(Protocol):
    """One program set up for one comparison, over one empty folder."""

    def baseline(self) -> Told: ...
    def next_release(self) -> Told: ...
    def close(self) -> None: ...


class Stage(Struct, frozen=True):
    """What every program is given: the registry, who counts what it was asked for (the last time), the ids, an empty
    folder, and where messages go.
    """

    registry: str
    asked: Callable[[], int]
    ids: Sequence[str]
    folder: Path
    hook: HookSink
    mail: MailSink

    def address(self, record: str) -> str:
        return f"{self.registry}/api/v2/studies/{record}"


class TookTooLongError(Exception):
    """A look did not come to its end in time; the message says how far it came."""


# --- this one ---------------------------------------------------------------------------------------------------------


class OwnProgram:
    """By its command line: `watch import`, `subscription add`, `check --deliver`; told by mail."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        self._environ = {
            "TRIALDELTA_DATABASE_URL": f"sqlite:///{stage.folder}/trialdelta.sqlite3",
            "TRIALDELTA_CTGOV_URL": stage.registry,
            "TRIALDELTA_REQUEST_INTERVAL": "0",
            "TRIALDELTA_SMTP_URL": stage.mail.url,
            "TRIALDELTA_MAIL_FROM": "alerts@example.org",
        }

    def baseline(self) -> Told:
        listed = self._stage.folder.with_suffix(".ids")
        listed.write_text("\n".join(self._stage.ids))
        told = ("subscription", "add", "all", "--to", "mailto:alice@example.org", "--yes")
        return self._look([("watch", "import", str(listed)), told, ("check", "--deliver")])

    def next_release(self) -> Told:
        return self._look([("check", "--deliver")])

    def close(self) -> None:
        """It does not run between its commands."""

    def _look(self, commands: Iterable[Sequence[str]]) -> Told:
        before = len(self._stage.mail.letters)
        wall, cpu = _commands([[sys.executable, "-m", "monitor", *words] for words in commands], self._environ)
        said: dict[str, str] = {}
        for letter in self._stage.mail.letters[before:]:
            text = f"{letter.subject}\n{letter.part('plain')}"
            said |= dict.fromkeys(_ID.findall(text), text)
        return Told(wall, cpu, len(self._stage.ids), said)


# --- webchanges -------------------------------------------------------------------------------------------------------


class Webchanges:
    """A jobs file with an address a record, a report by mail; records are first sent through `jq` where it is given."""

    def __init__(self, stage: Stage, binaries: Path, jq: str) -> None:
        self._stage, self._binaries = stage, binaries
        steps = [{"jq": jq}] if jq else []
        # each job is a YAML document of its own, and JSON is YAML
        jobs = [
            json.dumps({"name": record, "url": stage.address(record), "filter": [*steps, "format-json"]})
            for record in stage.ids
        ]
        (stage.folder / "jobs.yaml").write_text("\n---\n".join(jobs) + "\n")
        smtp = {"host": "127.0.0.1", "port": stage.mail.port, "starttls": False, "auth": False}
        email = {"enabled": True, "html": False, "from": "w@example.org", "to": "alice@example.org", "method": "smtp"}
        report = {"stdout": {"enabled": False}, "email": {**email, "smtp": smtp}}
        shown = {"new": False, "error": True, "unchanged": False}
        (stage.folder / "config.yaml").write_text(json.dumps({"display": shown, "report": report}))
        (stage.folder / "hooks.py").write_text("")

    def baseline(self) -> Told:
        return self._look()

    def next_release(self) -> Told:
        return self._look()

    def close(self) -> None:
        """It does not run between its commands."""

    def _look(self) -> Told:
        folder, before = self._stage.folder, len(self._stage.mail.letters)
        files = {"jobs": "jobs.yaml", "config": "config.yaml", "hooks": "hooks.py", "database": "snapshots.db"}
        given = [word for name, file in files.items() for word in (f"--{name}", str(folder / file))]
        try:
            wall, cpu = _commands([[str(self._binaries / "webchanges"), *given]], {"HOME": str(folder)}, codes=(0, 1))
        except TookTooLongError as error:
            far = f"{self._stage.asked():,} of {len(self._stage.ids):,} records looked at"
            raise TookTooLongError(f"{error}: {far}") from error
        said: dict[str, str] = {}
        for letter in self._stage.mail.letters[before:]:
            said |= _sections(letter.part("plain").replace("\r\n", "\n"))
        return Told(wall, cpu, self._stage.asked(), said)


def _sections(report: str) -> dict[str, str]:
    """The parts of a report, by the record that each is about."""
    found: dict[str, str] = {}
    for part in re.split(r"(?m)^-{3,}\n(?=[A-Z]+: )", report):
        heading = re.match(r"CHANGED: .*", part)
        record = _ID.search(heading[0]) if heading else None
        if record:
            found[record[0]] = found.get(record[0], "") + part
    return found


# --- changedetection.io -----------------------------------------------------------------------------------------------


class Changedetection:
    """Its server on 127.0.0.1 over an empty datastore, records added by its API, messages as JSON to a web address;
    records are first sent through `jq` where it is given.
    """

    def __init__(self, stage: Stage, binaries: Path, jq: str) -> None:
        self._stage, self._jq = stage, jq
        port = _free_port()
        store = stage.folder / "datastore"
        environ = {
            **os.environ,
            "HOME": str(stage.folder),
            "ALLOW_IANA_RESTRICTED_ADDRESSES": "true",
            "DISABLE_VERSION_CHECK": "true",
            "LOGGER_LEVEL": "WARNING",
        }
        self._log = (stage.folder.with_suffix(".log")).open("w")
        command = [str(binaries / "changedetection.io"), "-C", "-d", str(store), "-h", "127.0.0.1", "-p", str(port)]
        self._process = subprocess.Popen(command, env=environ, stdout=self._log, stderr=self._log, cwd=stage.folder)
        self._url = f"http://127.0.0.1:{port}/api/v1"
        self._client = httpx2.Client(timeout=120, trust_env=False, headers={"x-api-key": self._key(store)})

    def baseline(self) -> Told:
        hook = self._stage.hook.url.replace("http://", "json://")
        self._ask("POST", "/notifications", content=json.dumps({"notification_urls": [hook]}))
        filters = f"?include_filters={quote(json.dumps(['jq:' + self._jq]))}" if self._jq else ""
        addresses = "\n".join(self._stage.address(record) for record in self._stage.ids)
        began = time.monotonic()
        self._ask("POST", f"/import{filters}", content=addresses, kind="text/plain")
        return self._look(began, 0.0)

    def next_release(self) -> Told:
        began, spent = time.monotonic(), _spent(self._process.pid)
        self._ask("GET", "/watch?recheck_all=1")
        return self._look(began, spent)

    def close(self) -> None:
        self._client.close()
        self._process.send_signal(signal.SIGTERM)
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(15)
        self._process.kill()
        self._process.wait(15)
        self._log.close()

    def _look(self, began: float, spent: float) -> Told:
        """Wait until every record was asked for, nothing stands in the queue and nothing more is said."""
        posts = self._stage.hook.posts
        before, last, last_word, cpu = len(posts), (0, 0), began, spent
        while time.monotonic() < began + LONGEST:
            time.sleep(0.5)
            state = (self._stage.asked(), len(posts))
            if state != last:
                last, last_word, cpu = state, time.monotonic(), _spent(self._process.pid)
            elif state[0] >= len(self._stage.ids) and time.monotonic() > last_word + QUIET and not self._queued():
                return Told(last_word - began, cpu - spent, state[0], self._said(before))
        raise TookTooLongError(f"cut off after {LONGEST:.0f} s: {last[0]} of {len(self._stage.ids)} records looked at")

    def _said(self, before: int) -> dict[str, str]:
        said: dict[str, str] = {}
        for post in self._stage.hook.posts[before:]:
            told = json.loads(post.body)
            record = _ID.search(told["title"]) or _ID.search(told["message"])
            if record:
                said[record[0]] = f"{told['title']}\n{told['message']}"
        return said

    def _queued(self) -> int:
        return int(self._ask("GET", "/systeminfo").json()["queue_size"])

    def _ask(self, method: str, path: str, content: str | None = None, kind: str = "application/json") -> Any:
        answer = self._client.request(method, self._url + path, content=content, headers={"Content-Type": kind})
        answer.raise_for_status()
        return answer

    def _key(self, store: Path) -> str:
        """The key that it makes at its first start; the server answers by then."""
        ends = time.monotonic() + 90
        while time.monotonic() < ends and self._process.poll() is None:
            time.sleep(0.2)
            found = next((each for file in store.glob("*.json") if (each := _token_in(file))), None)
            if found:
                with suppress(httpx2.HTTPError, OSError):
                    httpx2.get(f"{self._url}/systeminfo", headers={"x-api-key": found}, timeout=5).raise_for_status()
                    return found
        self._process.kill()
        self._process.wait(15)
        raise TookTooLongError("its server never answered")


def _token_in(file: Path) -> str | None:
    with suppress(ValueError, OSError, KeyError, TypeError):
        return str(json.loads(file.read_text())["settings"]["application"]["api_access_token"])
    return None


# --- what they cost ---------------------------------------------------------------------------------------------------


def _commands(commands: Iterable[Sequence[str]], environ: Mapping[str, str], codes: Sequence[int] = (0,)) -> Any:
    """Seconds of wall and CPU of these commands and whatever they start."""
    before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    for command in commands:
        try:
            done = subprocess.run(
                command, cwd=ROOT, env={**os.environ, **environ}, capture_output=True, text=True, timeout=LONGEST,
                check=False,
            )  # fmt: skip
        except subprocess.TimeoutExpired as error:
            raise TookTooLongError(f"cut off after {LONGEST:.0f} s") from error
        if done.returncode not in codes:
            raise TookTooLongError(f"{Path(command[0]).name} ended with {done.returncode}: {done.stderr[-300:]}")
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.monotonic() - began, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def _spent(process: int) -> float:
    """CPU seconds of a process and its children, those that ended included."""
    total, waiting = 0.0, [process]
    while waiting:
        each = waiting.pop()
        with suppress(OSError):
            fields = Path(f"/proc/{each}/stat").read_text().rpartition(")")[2].split()
            total += sum(map(int, fields[11:15])) / os.sysconf("SC_CLK_TCK")
            for task in Path(f"/proc/{each}/task").iterdir():
                waiting += [int(child) for child in (task / "children").read_text().split()]
    return total
