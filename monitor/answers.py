"""What becomes of each answer of the registry: counted, or compared and kept in one short transaction, or excepted."""

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Literal

import structlog
from msgspec import Struct, field
from sqlalchemy import Connection

from notifiers import outbox, watches
from snapshots import archive, leases
from snapshots.archive import Head, HeadMoved, Observation, OlderRelease, Step, StepFacts
from snapshots.changes import Change
from snapshots.database import Database
from snapshots.registry import Answer, NotAnswered, RawRecord, Registry, RegistryError, Release, Unchanged
from snapshots.rules import changes_between
from snapshots.rules.build import change
from snapshots.trial import Trial

LEASE_SECONDS = 900
"""How long a sweep that died on another machine keeps others from sweeping. One that lives renews its lease."""
STARTS_OVER = 3
"""How often a record is compared again because its newest version changed meanwhile."""
HOLD = timedelta(minutes=30)
"""How long at most a message about texts and places waits for the sweep's end."""
FEW_ABSENT = 5
"""So many known records may be absent at once and be believed; beyond a tenth of all, the answer is doubted instead."""

Outcome = Literal["finished", "nothing new", "failed", "stopped", "busy"]

log = structlog.get_logger()


class SweepReport(Struct, kw_only=True):
    """What a sweep did. `steps` are what it stored, in the order it came; `exceptions` what was not answered as data.

    `reason` says in a sentence why it did not come to its end. Numbers are of records: `answered` counts the unchanged,
    the `first_seen` and the others; `changed` those of which something is told.
    """

    outcome: Outcome
    release: Release | None = None
    reason: str | None = None
    asked: int = 0
    answered: int = 0
    changed: int = 0
    first_seen: int = 0
    steps: list[Step] = field(default_factory=list)
    exceptions: list[NotAnswered] = field(default_factory=list)

    def numbers(self) -> dict[str, int]:
        """The counts by name."""
        return {
            "asked": self.asked,
            "answered": self.answered,
            "first_seen": self.first_seen,
            "changed": self.changed,
            "failed": len(self.exceptions),
        }


class LeaseLostError(Exception):
    """Another process sweeps by now: what is not written yet is its business."""


class Look:
    """One sweep under way. Takes the registry's answers one by one; every write is a transaction of its own, made
    only while the lease is ours.
    """

    def __init__(
        self,
        database: Database,
        registry: Registry,
        clock: Callable[[], datetime],
        lease: leases.Lease,
        release: Release,
        scope: str,
        asked: int,
    ) -> None:
        self.registry = registry
        self.taken = 0
        self._database = database
        self._clock = clock
        self._lease = lease
        self._release = release
        self._absent: list[tuple[NotAnswered, bool]] = []
        self._report = SweepReport(outcome="finished", release=release, asked=asked)
        with self._writing() as connection:
            self._sweep = archive.begin_sweep(connection, registry.name, release.timestamp, scope, clock())

    def heads(self, ids: Sequence[str]) -> Mapping[str, Head]:
        """The newest stored version of each, by the id asked for."""
        with self._database.read() as connection:
            return archive.heads(connection, self.registry.name, ids)

    def take(self, answer: Answer, head: Head | None) -> None:
        """Deal with one answer to the end."""
        self.taken += 1
        if isinstance(answer, NotAnswered):
            self._take_silence(answer, known=head is not None)
        elif isinstance(answer, RawRecord):
            self._take_record(answer)
        else:
            self._take_unchanged(answer, head)

    def note(self, ids: Sequence[str]) -> None:
        """A batch has been asked for: what it answered has its baseline, and its earlier troubles are settled."""
        silent = {trouble.id for trouble in self._report.exceptions} | {answer.id for answer, _ in self._absent}
        answered = [each for each in ids if each not in silent]
        with self._writing() as connection:
            watches.mark_baseline(connection, self.registry.name, answered, self._sweep)
            archive.settle_exceptions(connection, self._sweep, answered)

    def finish(self) -> SweepReport:
        """The sweep has come to its end: absences are judged together, what was held is let go."""
        for answer, known in self._absent:
            self._judge_absence(answer, known=known)
        report = self._report
        with self._writing() as connection:
            archive.finish_sweep(
                connection,
                self._sweep,
                report.asked,
                report.answered,
                report.changed,
                len(report.exceptions),
                self._clock(),
            )
            outbox.release_held(connection, self.registry.name, self._clock())
        return report

    def give_up(self, outcome: Literal["failed", "stopped"], reason: str) -> SweepReport:
        """The sweep ends before its end; what it stored stays."""
        self._report.outcome, self._report.reason = outcome, reason
        with self._database.write() as connection:
            archive.fail_sweep(connection, self._sweep, reason, self._clock())
        return self._report
