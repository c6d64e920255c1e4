"""How does the registry's own history of a record come into the archive? In order, resumable, and never as news.

Each version is stored in a transaction of its own, the oldest first; whoever is interrupted goes on after the last one
that is stored. Then neighbours in history are compared, also across the seam to what was observed, and what differs is
kept as steps with the cause "back-filled", which nobody is alerted of.
"""

import hashlib
from collections.abc import Callable, Container, Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import date, datetime, timedelta
from itertools import pairwise, takewhile
from typing import Literal

import structlog
from msgspec import Struct, field

from snapshots import archive
from snapshots.archive import Filling, Gap, Observation, StepFacts, VersionInfo
from snapshots.archive.chain import lock_chain
from snapshots.archive.history import BACK_FILLED
from snapshots.archive.order import BACK_FILLED as FROM_HISTORY
from snapshots.archive.order import history_date, is_back_filled
from snapshots.canonical import interval
from snapshots.changes import Change
from snapshots.database import Database
from snapshots.registry import PastVersion, Registry, RegistryError
from snapshots.rules import changes_between
from snapshots.trial import Trial

FEW_FAILED = 3
"""So many versions refused in a row say something of the interface, not of the versions: the try ends."""
FEW_TRIES = 5
"""A version that was not given in so many tries stays a gap that nobody asks for by himself any more."""
FIRST_PAUSE, LONGEST_PAUSE = timedelta(hours=1), timedelta(days=7)
"""After a try in vain, doubled from the first with each further one."""

LONGEST_REVIEW = 366
"""Days from submission to posting that are believed; the longest known are 92."""

_SUBMITTED, _POSTED = "lastUpdateSubmitDate", "lastUpdatePostDateStruct"

Clock = Callable[[], datetime]
Progress = Callable[[int, int], None]
Told = tuple[VersionInfo, VersionInfo, Sequence[Change]]

log = structlog.get_logger()


class Report(Struct, kw_only=True):
    """What a try did: versions the registry `listed`, of them newly `stored`; `steps` made and the `changes` they tell.

    "waiting" and "stopped" came before the end, for the `trouble` that is told in a sentence; a later try goes on from
    there. `gaps` are all versions of the record that could not be had.
    """

    registry_id: str
    outcome: Literal["complete", "waiting", "stopped"] = "complete"
    trouble: str | None = None
    listed: int = 0
    stored: int = 0
    steps: int = 0
    changes: int = 0
    gaps: list[Gap] = field(default_factory=list)


class Seen(Struct, frozen=True):
    """That a record was observed at a release of this ISO `day`, and when what it said then had been submitted."""

    day: str
    submitted: str


def back_fill(
    database: Database,
    registry: Registry,
    clock: Clock,
    record_id: str,
    *,
    leave_newer: bool = False,
    progress: Progress = lambda _done, _total: None,
    stop: Callable[[], bool] = lambda: False,
) -> Report:
    """Bring the past versions of a record in, or those that are missing still. `stop` is asked between two of them.

    `leave_newer`: what was submitted after the newest observed version is left to the sweeps, which tell it as news.
    Trouble with the registry, or with a stored version that cannot be read, is told in the report, never raised;
    DatabaseError passes.
    """
    with database.read() as connection:
        record = archive.find_record(connection, registry.name, record_id)
    work = _Filling(database, registry, clock, record.registry_id if record else record_id)
    return work.run(leave_newer=leave_newer, progress=progress, stop=stop)


def standing_date(version: PastVersion, posted: str | None, before: str, seen: Sequence[Seen]) -> str:
    """The ISO day at which a past version stands in history: its posting where that is believable, else its submission.
    But never before that of the version `before` it, nor where an observation contradicts: not before an observation of
    what was submitted earlier, and before the first of what was submitted then or later.
    """
    stands = max(_believable(posted, version.date) or version.date, before)
    earlier = [each.day for each in seen if each.submitted < version.date]
    if earlier and stands <= earlier[-1]:
        stands = _next_day(earlier[-1])
    shown = next((each.day for each in seen if each.submitted >= version.date), None)
    return stands if shown is None else min(stands, shown)


def _believable(posted: str | None, submitted: str) -> str | None:
    """The posting date, where it is a day that can follow on the submission."""
    to, since = interval(posted), interval(submitted)
    if to is None or since is None or to.precision != "day":
        return None
    return to.start.isoformat() if 0 <= (to.start - since.start).days <= LONGEST_REVIEW else None


def _next_day(day: str) -> str:
    return (date.fromisoformat(day) + timedelta(days=1)).isoformat()


class _Stopped(Exception):  # noqa: N818  # it says what happened
    """Somebody asked to stop."""


class _Filling:
    """One try for one record."""

    def __init__(self, database: Database, registry: Registry, clock: Clock, record_id: str) -> None:
        self._database = database
        self._registry = registry
        self._clock = clock
        self._id = record_id
        self._report = Report(registry_id=record_id)

    def run(self, *, leave_newer: bool, progress: Progress, stop: Callable[[], bool]) -> Report:
        """Fetch, compare, and note how it ended."""
        report = self._report
        try:
            listed = self._registry.versions(self._id)
            report.listed = len(listed)
            self._fetch(listed, leave_newer=leave_newer, progress=progress, stop=stop)
            self._compare(self._segments(), stop)
        except _Stopped:
            report.outcome, report.trouble = "stopped", "it was stopped; the next try goes on"
        except archive.Unreadable as error:
            report.outcome, report.trouble = "waiting", str(error)
        except RegistryError as error:
            report.outcome, report.trouble = "waiting", str(error)
            with suppress(_Stopped, archive.Unreadable):
                self._compare(self._begun(), stop)
        self._note()
        return report

    # --- fetching -------------------------------------------------------------------------------------------------

    def _fetch(
        self, listed: Sequence[PastVersion], *, leave_newer: bool, progress: Progress, stop: Callable[[], bool]
    ) -> None:
        """Store what is given; what is not is a gap, unless so much is refused that it is the interface's trouble."""
        stored = self._versions()
        seen = self._seen(stored)
        dates = {each.registry_version or 0: history_date(each) for each in stored if is_back_filled(each.source)}
        missing = _missing(listed, dates, seen[-1].submitted if seen and leave_newer else None)
        refused: list[tuple[PastVersion, RegistryError]] = []
        for done, version in enumerate(missing):
            progress(done, len(missing))
            if stop():
                raise _Stopped
            try:
                dates[version.number] = self._store(version, dates, seen)
            except RegistryError as error:
                refused.append((version, error))
                if len(refused) == FEW_FAILED or error.retry_after is not None:
                    raise
            else:
                self._state_gaps(refused)
                refused = []
        self._state_gaps(refused)

    def _store(self, version: PastVersion, dates: Mapping[int, str], seen: Sequence[Seen]) -> str:
        """Fetch and store one version; the day at which it stands. `dates` are those of the versions stored already."""
        raw = self._registry.version(self._id, version.number)
        trial = self._registry.parse(raw)
        before = max((day for number, day in dates.items() if number < version.number), default="")
        stands = standing_date(version, trial.bookkeeping_dates.get(_POSTED), before, seen)
        observation = Observation(
            registry=self._registry.name,
            registry_id=self._id,
            title=trial.title,
            raw=raw,
            raw_hash=hashlib.sha256(raw).digest(),
            content_hash=hashlib.sha256(self._registry.content(raw)).digest(),
            source=FROM_HISTORY,
            registry_date=stands,
            registry_version=version.number,
            observed_at=self._clock(),
        )
        with self._database.write() as connection:
            archive.append(connection, observation, None)
            archive.close_gap(connection, self._registry.name, self._id, version.number)
        self._report.stored += 1
        return stands

    def _state_gaps(self, refused: Sequence[tuple[PastVersion, RegistryError]]) -> None:
        for version, error in refused:
            gap = Gap(
                registry=self._registry.name,
                registry_id=self._id,
                registry_version=version.number,
                registry_date=version.date,
                reason=str(error),
                is_final=error.permanent,
                noted_at=self._clock(),
            )
            with self._database.write() as connection:
                archive.note_gap(connection, gap)

    # --- comparing ------------------------------------------------------------------------------------------------

    def _segments(self) -> Iterator[list[VersionInfo]]:
        """The stretches of history that hold what was back-filled, each from what was observed before it to what was
        observed after it, where anything was.
        """
        stretch: list[VersionInfo] = []
        # what was pruned was compared long ago, and cannot be compared again
        for version in (each for each in self._versions() if each.pruned is None):
            stretch.append(version)
            if not is_back_filled(version.source):
                if len(stretch) > 1 and is_back_filled(stretch[-2].source):
                    yield stretch
                stretch = [version]
        if stretch and is_back_filled(stretch[-1].source):
            yield stretch

    def _begun(self) -> Iterator[list[VersionInfo]]:
        """The history before anything observed, as far as no version is missing in it that may still come."""
        with self._database.read() as connection:
            gaps = {gap.registry_version for gap in archive.gaps(connection, self._registry.name, self._id)}
        stretch: list[VersionInfo] = []
        expected = 0
        for version in takewhile(lambda each: is_back_filled(each.source), self._versions()):
            count = version.registry_version or 0
            if not gaps.issuperset(range(expected, count)):
                break
            if version.pruned is None:
                stretch.append(version)
            expected = count + 1
        if stretch:
            yield stretch

    def _compare(self, segments: Iterator[list[VersionInfo]], stop: Callable[[], bool]) -> None:
        for segment in segments:
            if is_back_filled(segment[0].source) or is_back_filled(segment[-1].source):
                for told in self._told(segment, stop):
                    self._record(*told)
                continue
            told_at_once = list(self._told(segment, stop=lambda: False))
            if not _is_told_already(segment, told_at_once):
                for told in told_at_once:
                    self._record(*told)

    def _told(self, segment: Sequence[VersionInfo], stop: Callable[[], bool]) -> Iterator[Told]:
        """What each version of a stretch tells against the one before it; pairs that are told already are left out."""
        trials: dict[int, Trial] = {}
        for before, after in pairwise(segment):
            with self._database.read() as connection:
                if archive.is_told(connection, before.number, after.number):
                    continue
            if stop():
                raise _Stopped
            trials = {each.number: trials.get(each.number) or self._trial(each) for each in (before, after)}
            yield before, after, self._changes(trials[before.number], trials[after.number])

    def _record(self, before: VersionInfo, after: VersionInfo, changes: Sequence[Change]) -> None:
        facts = StepFacts(
            registry=self._registry.name,
            registry_id=self._id,
            from_version=before.number,
            to_version=after.number,
            observed_at=self._clock(),
            cause=BACK_FILLED,
        )
        with self._database.write() as connection:
            lock_chain(connection)  # two tries for one record wait for each other here
            if archive.is_told(connection, before.number, after.number):
                return
            archive.record_step(connection, facts, changes)
        self._report.steps += 1
        self._report.changes += len(changes)

    def _changes(self, old: Trial, new: Trial) -> Sequence[Change]:
        try:
            return changes_between(old, new)
        except (ArithmeticError, LookupError, TypeError, ValueError, RecursionError):
            # a fault of our own rules must cost one step, not the history
            log.exception("two past versions could not be compared", record=self._id)
            return ()

    # --- what is stored -------------------------------------------------------------------------------------------

    def _versions(self) -> list[VersionInfo]:
        """What is stored of the record under its own id, in history order: across a merge nothing is compared."""
        with self._database.read() as connection:
            found = archive.versions(connection, self._registry.name, self._id)
        return [each for each in found if each.registry_id == self._id]

    def _trial(self, version: VersionInfo) -> Trial:
        with self._database.read() as connection:
            raw = archive.read_version(connection, version.number)
        return self._registry.parse(raw)

    def _seen(self, versions: Sequence[VersionInfo]) -> list[Seen]:
        observed = [each for each in versions if not is_back_filled(each.source) and each.pruned is None]
        dated = ((each, self._trial(each).bookkeeping_dates.get(_SUBMITTED)) for each in observed)
        return [Seen(history_date(each), submitted) for each, submitted in dated if submitted]

    def _note(self) -> None:
        """Keep how the try ended. One that was stopped ended nowhere: it is due as it was."""
        report, now = self._report, self._clock()
        with self._database.write() as connection:
            report.gaps = archive.gaps(connection, self._registry.name, self._id)
            known = archive.filling(connection, self._registry.name, [self._id]).get(self._id)
            record = archive.find_record(connection, self._registry.name, self._id)
            if report.outcome != "stopped":
                joined = record is not None and record.head_version is not None
                archive.note_filling(connection, _noted(self._registry.name, report, known, joined, now))


def _noted(registry: str, report: Report, known: Filling | None, joined: bool, now: datetime) -> Filling:
    """How a try ended, and when the next one is due: for what may yet come, with growing pauses."""
    failures = known.failures + 1 if known else 1
    hopeful = [gap for gap in report.gaps if not gap.is_final]
    waits = report.trouble is not None or (bool(hopeful) and failures < FEW_TRIES)
    pause = min(FIRST_PAUSE * 2 ** min(failures - 1, 10), LONGEST_PAUSE)
    return Filling(
        registry=registry,
        registry_id=report.registry_id,
        state="waiting" if waits else "complete",
        listed=report.listed,
        reason=report.trouble or (hopeful[0].reason if waits else None),
        failures=failures if waits else 0,
        tried_at=now,
        next_at=now + pause if waits else None,
        is_joined=joined and report.outcome == "complete",
    )


def _is_told_already(segment: Sequence[VersionInfo], told: Sequence[Told]) -> bool:
    """Whether the step that was observed over a whole stretch said at once all that there is to say."""
    return len(told) == len(segment) - 1 and sum(bool(changes) for _, _, changes in told) <= 1


def _missing(listed: Sequence[PastVersion], stored: Container[int], newest: str | None) -> list[PastVersion]:
    """The versions to ask for: not stored, and not submitted after `newest`."""
    return [each for each in listed if each.number not in stored and (newest is None or each.date <= newest)]
