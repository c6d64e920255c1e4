"""An invented trial that the registry changed forty times, and a world in which its history can be filled in."""

import hashlib
import json
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

from monitor.demo.standin import StandIn
from snapshots import archive
from snapshots.archive import Observation, StepFacts
from snapshots.backfill import Report, back_fill
from snapshots.database import Database
from snapshots.registry import Registry
from snapshots.rules import changes_between
from tests.registries import Asked, nct
from tests.snapshots.whole_record import whole

Json = Any

ROOT = Path(__file__).parents[2]

TRIAL = nct(1)
NOW = datetime(2026, 6, 1, 14, tzinfo=UTC)
STATUS = "protocolSection.statusModule"
CRITERIA = (
    'Inclusion Criteria:\n\n* Temperature \\>= 38.5 °C at screening\n* Age 18/75 & "able" to swallow\n'
    "* Creatinine \\< 1.5 x ULN\n\nExclusion Criteria:\n\n1. Patient's fever of known cause\n2. Allergy to examplimab"
)
SUMMARY = (
    "Examplimab against placebo [1/2].\n\nThe dose is \\<= 10 mg/kg; it isn't raised.\n\n* Arm A: drug\n* Arm B: none"
)


def version(number: int, *edits: tuple[str, Json], record: str = TRIAL) -> dict[str, Json]:
    """What the record said after `number` updates, each submitted ten days after the last, posted two days later."""
    submitted = date(2025, 1, 10) + timedelta(days=10 * number)
    return whole(
        ("protocolSection.identificationModule.nctId", record),
        (
            "protocolSection.eligibilityModule.eligibilityCriteria",
            CRITERIA + f"\n{3 + number}. More than {number} falls",
        ),
        ("protocolSection.descriptionModule.briefSummary", SUMMARY),
        ("protocolSection.designModule.enrollmentInfo", {"count": 100 + number // 4, "type": "ESTIMATED"}),
        (
            f"{STATUS}.completionDateStruct",
            {"date": f"20{27 + number // 12}-{1 + number % 12:02}", "type": "ESTIMATED"},
        ),
        (f"{STATUS}.lastUpdateSubmitDate", submitted.isoformat()),
        (f"{STATUS}.lastUpdatePostDateStruct", {"date": (submitted + timedelta(days=2)).isoformat()}),
        *edits,
    )


def posted(number: int) -> str:
    """The day on which `version(number)` was posted."""
    return (date(2025, 1, 12) + timedelta(days=10 * number)).isoformat()


FORTY = [version(number) for number in range(40)]


class Past:
    """A registry with the history of a trial, an archive, and a clock that stands still."""

    def __init__(self, database: Database, standin: StandIn, versions: list[dict[str, Json]] | None = None) -> None:
        self.database = database
        self.standin = standin
        self.registry: Registry = Asked(standin)
        self.publish("2026-06-01", FORTY if versions is None else versions)

    def publish(self, day: str, versions: list[dict[str, Json]], record: str = TRIAL) -> None:
        """The record says the last of these now, and said the others before."""
        self.standin.publish(day, {record: versions[-1]})
        self.standin.past(record, versions[:-1])

    def fill(self, **how: Any) -> Report:
        return back_fill(self.database, self.registry, lambda: NOW, TRIAL, **how)

    def observe(self, study: dict[str, Json], day: str) -> int:
        """What a sweep keeps of a record at the release of a day."""
        raw = json.dumps(study).encode()
        with self.database.write() as connection:
            head = archive.heads(connection, "ctgov", [TRIAL]).get(TRIAL)
            base = head.version if head else None
            told = []
            if base is not None:
                old = self.registry.parse(archive.read_version(connection, base))
                told = list(changes_between(old, self.registry.parse(raw)))
            number = archive.append(connection, self._observation(raw, day), base)
            facts = StepFacts(
                registry="ctgov",
                registry_id=TRIAL,
                from_version=base,
                to_version=number,
                release=f"{day}T09:00:05",
                observed_at=NOW,
            )
            archive.record_step(connection, facts, told)
        return number

    def _observation(self, raw: bytes, day: str) -> Observation:
        return Observation(
            registry="ctgov",
            registry_id=TRIAL,
            title="A Trial",
            raw=raw,
            raw_hash=hashlib.sha256(raw).digest(),
            content_hash=hashlib.sha256(self.registry.content(raw)).digest(),
            observed_at=NOW,
            release=f"{day}T09:00:05",
        )

    def versions(self) -> list[archive.VersionInfo]:
        with self.database.read() as connection:
            return archive.versions(connection, "ctgov", TRIAL)

    def steps(self) -> list[archive.Step]:
        with self.database.read() as connection:
            return archive.steps(connection, "ctgov", TRIAL)

    def told(self, cause: str = "back-filled") -> list[str]:
        """The kinds that steps of a cause told, in history order."""
        return [each.change.kind for step in self.steps() if step.cause == cause for each in step.changes]

    def order(self) -> list[str]:
        """The versions in history order: "h" and the registry's count, or the day of the release."""
        return [
            f"h{each.registry_version}" if each.source == "history" else (each.release or "")[:10]
            for each in self.versions()
        ]

    def fill_and_kill(self, times: int, chance: Random) -> int:
        """Fills in another process and kills that after some versions or steps, so many times; how often it was still
        at work then.
        """
        after = [str(chance.randint(1, 80 // times)) for _ in range(times)]
        command = [sys.executable, "-c", FILL, self.database.url, self.standin.url, TRIAL, NOW.isoformat(), *after]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True, timeout=120)
        return done.stdout.count("killed at work")

    def everything(self) -> Json:
        """All that the archive holds of the record, as it holds it, with the chain's head."""
        with self.database.read() as connection:
            head = archive.chain_head(connection)
            assert list(archive.verify_chain(connection)) == []
            raws = [archive.read_version(connection, each.number) for each in self.versions()]
        steps = [
            (step.from_version, step.to_version, step.cause, [told.change for told in step.changes])
            for step in self.steps()
        ]
        return head, raws, self.versions(), steps


def stop_after(count: int) -> Callable[[], bool]:
    """Says to stop when it is asked the `count`-th time."""
    left = iter(range(count))
    return lambda: next(left, None) is None


FILL = """
import os, signal, sys
from contextlib import nullcontext
from datetime import datetime
from snapshots.backfill import back_fill
from snapshots.database import Database
from snapshots.registries.ctgov.client import CtgovRegistry

database, registry, record, now, *after = sys.argv[1:]

def fill(say):
    with CtgovRegistry(registry, "tests", nullcontext) as asked:
        clock = lambda: datetime.fromisoformat(now)
        back_fill(Database(database), asked, clock, record, stop=lambda: not say.write(b"on\\n"))

for count in map(int, after):
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reading)
        with open(writing, "wb", buffering=0) as say:
            fill(say)
        os._exit(0)
    os.close(writing)
    with open(reading, "rb", buffering=0) as heard:
        said = [heard.readline() for _ in range(count)]
        os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    print("killed at work" if said[-1] else "had ended", flush=True)
"""
"""Fills in children that are killed after so many versions fetched and pairs compared."""
