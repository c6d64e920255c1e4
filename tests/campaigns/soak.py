"""A whole daemon at work for many minutes, a release every few seconds, its page read: does it hold more and more?"""

import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from copy import deepcopy
from datetime import date, timedelta
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import Any

import psycopg
from sqlalchemy import func, select

from monitor.demo.sinks import MailSink
from monitor.demo.standin import StandIn
from monitor.demo.trials import first_day
from notifiers import feeds, links, subscriptions, watches
from notifiers.tables import addresses, deliveries
from notifiers.watches import Wish
from snapshots import archive
from snapshots.archive.coverage import ALL, FINISHED
from snapshots.archive.tables import record_ids, steps, sweeps, versions
from snapshots.database import Database
from tests.campaigns import reading, sampling, victims
from tests.campaigns.chaos import Sink
from tests.campaigns.results import Result
from tests.campaigns.sampling import Sample
from tests.databases import _free_port
from tests.registries import nct

ROOT = Path(__file__).parents[2]
TRIALS, CHANGING = 42, 8
"""Watched trials, and how many of them say something new in each release."""
READ, VERSIONS = nct(1), 5
"""The trial whose pages are read, and how often it changes, at the beginning: a history that grows is no leak."""
PAUSE = 4.0
"""Seconds between two releases; the next one waits until the last was swept."""
SAMPLING = 2.0
"""Seconds between two samples."""
LONGEST = 240.0
"""Seconds within which a release must be swept, and at the end everything be delivered."""
ENDING = 60.0
SHORTEST = 240.0
"""Seconds that it takes to tell whether anything rises: a shorter run counts, and does not judge that."""
FIRST_DAY = date(2020, 1, 6)
TOKEN = "tdt_the-installation-that-is-soaked"  # it opens nothing but this run's own daemon
HISTORY = "history"
MAILBOX, LIVING, ILL = "mailto:alice@example.org", "fast", "refusing"
NAME = "trialdelta-soak"
"""By which PostgreSQL knows the daemon's connections."""


def run(url: str, seconds: float, pause: float = PAUSE, picture: Path | None = None, seed: int = 1) -> Result:
    """So many seconds of releases; the curve is drawn into `picture`. The database has its tables and no rows."""
    began = time.monotonic()
    database = Database(url)
    with ExitStack() as stack:
        folder = Path(stack.enter_context(TemporaryDirectory(prefix="trialdelta-soak-")))
        standin, sink, mail = (stack.enter_context(each) for each in (StandIn(), Sink(), MailSink()))
        soak = _Soak(database, standin, sink, mail, Random(seed))
        soak.prepare()
        process = stack.enter_context(_daemon(url, standin.url, mail.url, soak.port, folder))
        soak.go(process, seconds, pause)
        soak.judge(process, folder / "log")
    database.dispose()
    if picture is not None:
        kind = "SQLite" if database.is_sqlite else "PostgreSQL"
        title = f"{seconds / 60:.0f} minutes of a daemon on {kind}, {soak.counts['releases']} releases"
        picture.write_text(sampling.curve(title, soak.samples), encoding="utf-8")
    return _result(soak, database, time.monotonic() - began, "" if picture is None else f"images/{picture.name}")


def _result(soak: "_Soak", database: Database, seconds: float, picture: str) -> Result:
    bounds = "; ".join(f"{name} {each.bound:g} {each.unit}".strip() for name, each in sampling.MEASURES.items())
    return Result(
        name="soak of a whole daemon",
        database="SQLite" if database.is_sqlite else "PostgreSQL",
        claim="a release every few seconds, each swept and told to a mailbox and a program that live and one that "
        "refuses, the page, the API and feeds being read: nothing is missed, the log says no error, and nothing grows: "
        "a line of least squares through the least of each of twenty windows of the last two thirds of the time rises "
        f"over them by no more than: {bounds}",
        counts=dict(soak.counts),
        failures=soak.failures,
        seconds=seconds,
        picture=picture,
    )


@contextmanager
def _daemon(url: str, registry: str, mail: str, port: int, folder: Path) -> Iterator[subprocess.Popen[str]]:
    """`trialdelta run` with all its roles; killed at the end where it still runs."""
    given = {
        "DATABASE_URL": url,
        "CTGOV_URL": registry,
        "REQUEST_INTERVAL": "0.02",
        "SWEEP_SCHEDULE": "1 s",
        "SMTP_URL": mail,
        "MAIL_FROM": "alerts@example.org",
        "PORT": str(port),
        "ACCESS_TOKEN": TOKEN,
        "ALLOW_PRIVATE_NETWORKS": "true",
        "LOG_FORMAT": "json",
    }
    environ = {**os.environ, **{f"TRIALDELTA_{name}": value for name, value in given.items()}}
    environ |= {"PYTHONPATH": str(ROOT), "PGAPPNAME": NAME}
    with (folder / "log").open("a") as log:
        command = [sys.executable, "-m", "monitor", "run", "--name", "soaked"]
        process = subprocess.Popen(command, cwd=folder, env=environ, stderr=log, text=True)
        try:
            yield process
        finally:
            process.kill()
            process.wait(20)


class _Soak:
    """What is published, what is sampled meanwhile, and what came out of it."""

    def __init__(self, database: Database, standin: StandIn, sink: Sink, mail: MailSink, chance: Random) -> None:
        self.database, self.standin, self.sink, self.mail, self.chance = database, standin, sink, mail, chance
        self.port = _free_port()
        self.trials = _trials()
        self.wanted: Counter[str] = Counter()
        self.samples: list[Sample] = []
        self.counts: Counter[str] = Counter()
        self.failures: list[str] = []
        self._paths: list[str] = []

    # --- what happens ---

    def prepare(self) -> None:
        """Everything is watched and told to three addresses; a trial, a group and a subscription are fed."""
        since = victims.now() - timedelta(days=1)
        to = [MAILBOX, self.sink.address(LIVING), self.sink.address(ILL)]
        with self.database.write() as connection:
            subscriptions.save(
                connection, subscriptions.from_table({"name": "all", "to": to, "watches": {"group": "soak"}}), since
            )
            for each in self.trials:
                watches.add(connection, Wish(registry="ctgov", record_id=each, group="soak"), since)
        links.ensure_key(self.database, since)
        with self.database.write() as connection:
            fed = [
                feeds.make(connection, about, name, since)  # type: ignore[arg-type]
                for about, name in (("trial", nct(0)), ("group", "soak"), ("subscription", "all"))
            ]
            self._paths = _paths([feeds.token(connection, each) or "" for each in fed])

    def go(self, process: "subprocess.Popen[str]", seconds: float, pause: float) -> None:
        """One release after the other, samples taken all the time, readers reading; until the time is over."""
        site = f"http://127.0.0.1:{self.port}"
        self._publish(0)
        reading.until_it_answers(site)
        self._swept(process, 0)
        began = time.monotonic()
        number = 0
        with reading.Readers(site, TOKEN, self._paths) as readers:
            while time.monotonic() < began + seconds and process.poll() is None and not self.failures:
                number += 1
                self._publish(number)
                self._sample_for(process, began, pause)
                self._swept(process, number)
        self.counts |= {"releases": number + 1, "answers of page, API and feeds": readers.answers}
        self.failures += [f"{times} times {what}" for what, times in readers.failures.most_common(5)]
        self._delivered()

    def _publish(self, number: int) -> None:
        changing = self._changing(number) if number else list(self.trials)
        for each in changing if number else ():
            self.wanted[each] += 1
            _edit(self.trials[each], self.wanted[each])
        self.standin.publish(_day(number), {each: deepcopy(self.trials[each]) for each in changing})

    def _changing(self, number: int) -> list[str]:
        told = [READ] if number <= VERSIONS else []
        return told + self.chance.sample(sorted(self.trials.keys() - {READ}), CHANGING - len(told))

    def _sample_for(self, process: "subprocess.Popen[str]", began: float, seconds: float) -> None:
        ends = time.monotonic() + seconds
        while (left := ends - time.monotonic()) > 0 and process.poll() is None:
            self.samples.append(Sample(time.monotonic() - began, {**sampling.held_by(process.pid), **self._backends()}))
            time.sleep(min(SAMPLING, left))

    def _backends(self) -> dict[str, int]:
        """How many connections PostgreSQL has from the daemon."""
        if self.database.is_sqlite:
            return {}
        asked = "SELECT count(*) FROM pg_stat_activity WHERE application_name = %s"
        with psycopg.connect(self.database.url.replace("+psycopg", ""), autocommit=True) as connection:
            row = connection.execute(asked, [NAME]).fetchone()
        return {"database connections": int(row[0]) if row else 0}

    def _swept(self, process: "subprocess.Popen[str]", number: int) -> None:
        def swept(connection: Any) -> bool:
            last = archive.last_finished(connection, "ctgov")
            return process.poll() is not None or (last is not None and last.release.startswith(_day(number)))

        self._until(swept, f"release {_day(number)} was never swept")

    def _delivered(self) -> None:
        waits = select(func.count()).select_from(deliveries).join(addresses, addresses.c.id == deliveries.c.address_id)
        waits = waits.where(deliveries.c.state != "delivered", addresses.c.uri != self.sink.address(ILL))
        self._until(lambda connection: connection.execute(waits).scalar_one() == 0, "something is still to be sent")

    def _until(self, holds: Any, words: str) -> None:
        ends = time.monotonic() + LONGEST
        while time.monotonic() < ends:
            with self.database.read() as connection:
                if holds(connection):
                    return
            time.sleep(0.1)
        self.failures.append(f"after {LONGEST:g} seconds {words}")

    # --- what came out ---

    def judge(self, process: "subprocess.Popen[str]", log: Path) -> None:
        """Nothing was missed, nothing grew, the daemon said no word of an error and ends when it is told to."""
        if process.poll() is None:
            self.counts["most memory, KB"] = sampling.most_memory(process.pid)
        else:
            self.failures.append(f"the daemon ended by itself ({process.returncode})")
        self._judge_stored()
        self._judge_told()
        self._judge_growth()
        self._judge_end(process)
        self.failures += _errors(log)

    def _judge_end(self, process: "subprocess.Popen[str]") -> None:
        process.send_signal(signal.SIGTERM)
        try:
            self._check(process.wait(ENDING) == 0, f"told to end, it ended with {process.returncode}")
        except subprocess.TimeoutExpired:
            self.failures.append(f"told to end, it had not ended after {ENDING:g} seconds")

    def _judge_stored(self) -> None:
        releases = select(sweeps.c.release).where(sweeps.c.state == FINISHED, sweeps.c.scope == ALL)
        with self.database.read() as connection:
            days = {release[:10] for release in connection.execute(releases).scalars()}
            # a history that is fetched between a release and its sweep has what it says, as a version of the past
            observed = select(func.count()).select_from(versions).where(versions.c.source != HISTORY)
            stored = connection.execute(observed).scalar_one()
            problems = list(archive.verify_chain(connection))
        published = {_day(number) for number in range(self.counts["releases"])}
        expected = len(self.trials) + self.wanted.total()
        self._check(not published - days, f"releases that were never swept: {sorted(published - days)[:5]}")
        self._check(stored == expected, f"{stored} versions are stored, {expected} were published")
        self._check(not problems, "; ".join(problems[:3]))
        self.counts["versions"] = stored

    def _judge_told(self) -> None:
        told = select(addresses.c.uri, record_ids.c.registry_id, deliveries.c.state)
        told = told.join(addresses, addresses.c.id == deliveries.c.address_id)
        told = told.join(steps, steps.c.id == deliveries.c.step_id)
        told = told.join(record_ids, record_ids.c.record == steps.c.record)
        with self.database.read() as connection:
            rows = connection.execute(told).all()
        for uri in (MAILBOX, self.sink.address(LIVING)):
            due = Counter(row.registry_id for row in rows if row.uri == uri and row.state == "delivered")
            self._check(due == self.wanted, f"{uri}: {due.total()} of {self.wanted.total()} changes were told")
        posts = self.sink.arrived[LIVING]
        letters = Counter(
            str(letter.mail["Message-ID"]) for letter in self.mail.letters if MAILBOX.endswith(letter.to[0])
        )
        for name, arrived in (("posts", posts), ("mails", letters)):
            said = f"{len(arrived)} {name} arrived, {arrived.total()} with doubles, of {self.wanted.total()}"
            self._check(len(arrived) == arrived.total() == self.wanted.total(), said)
            self.counts[name] = arrived.total()
        self._check(not self.sink.arrived[ILL], "an address took what it refuses")

    def _judge_growth(self) -> None:
        if len(self.samples) < 2:  # it takes two to make a line
            self.failures.append("no samples were taken")
            return
        self.counts |= figures(self.samples)
        if self.samples[-1].at >= SHORTEST - SAMPLING:
            self.failures += sampling.growing(self.samples)

    def _check(self, holds: bool, words: str) -> None:
        if not holds:
            self.failures.append(words)


def figures(samples: Sequence[Sample]) -> Mapping[str, int]:
    """What is told of each measure: at the start and end, the most, and by how much its line rose after warming up."""
    after = sampling.judged(samples)
    found: dict[str, int] = {"samples": len(samples)}
    for name in samples[0].held:
        unit = f", {sampling.MEASURES[name].unit}" if sampling.MEASURES[name].unit else ""
        found[f"{name} at the start{unit}"] = samples[0].held[name]
        found[f"{name} warmed up{unit}"] = after[0].held[name]
        found[f"{name} at the end{unit}"] = after[-1].held[name]
        found[f"{name}, the most{unit}"] = max(each.held[name] for each in samples)
        found[f"{name}, risen after warming up{unit}"] = round(sampling.rise(samples, name))
    return found


def _errors(log: Path) -> list[str]:
    """What the daemon's log says of errors."""
    said = [line for line in log.read_text(encoding="utf-8").splitlines() if line.strip()]
    bad = [line for line in said if line.startswith("{") and json.loads(line).get("level") in ("error", "critical")]
    bad += [line for line in said if line.startswith("Traceback")]
    return [f"the log says: {line[:300]}" for line in bad[:5]]


# --- the trials -------------------------------------------------------------------------------------------------------


def _trials() -> dict[str, dict[str, Any]]:
    """The demo's trials, again and again under other invented ids."""
    told = first_day()
    found = {nct(number): deepcopy(told[number % len(told)]) for number in range(TRIALS)}
    for record, study in found.items():
        study["protocolSection"]["identificationModule"]["nctId"] = record
    return found


def _edit(study: dict[str, Any], number: int) -> None:
    """Something new is said, each time something that was never said before and something that was."""
    section = study["protocolSection"]
    section["designModule"]["enrollmentInfo"]["count"] += 1
    section["statusModule"]["overallStatus"] = "SUSPENDED" if number % 2 else "RECRUITING"
    section["statusModule"]["primaryCompletionDateStruct"]["date"] = f"20{27 + number % 20}-{number % 12 + 1:02d}"
    criteria = section["eligibilityModule"].get("eligibilityCriteria", "").partition("\n* Amended ")[0]
    section["eligibilityModule"]["eligibilityCriteria"] = f"{criteria}\n* Amended {number} times"
    for site in section["contactsLocationsModule"].get("locations", []):
        site["status"] = "NOT_YET_RECRUITING" if number % 2 else "RECRUITING"


def _day(number: int) -> str:
    return (FIRST_DAY + timedelta(days=number)).isoformat()


def _paths(tokens: Sequence[str]) -> list[str]:
    """What is read, in turn: pages, the API, feeds, metrics."""
    trial = READ
    pages = ["/", "/watchlist", "/subscriptions", "/deliveries", "/health", f"/trials/{trial}", "/addresses"]
    pages += [f"/trials/{trial}/{part}" for part in ("history", "timeline", "versions", "compare")]
    asked = ["changes?limit=50", "watches", "deliveries", "health", "openapi.json"]
    asked += [f"records/{trial}{part}" for part in ("", "/history", "/timeline", "/slips", "/diff")]
    fed = [f"/feeds/{token}/{form}" for token in tokens for form in ("atom.xml", "feed.json", "calendar.ics")]
    return [*pages, *(f"/api/v1/{each}" for each in asked), *fed, "/metrics", "/readyz"]
