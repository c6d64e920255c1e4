"""All recorded releases in turn, with a well and with an ill registry: is what changed told, and nothing else?"""

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from random import Random

from msgspec import Struct
from sqlalchemy import select

from monitor.demo.faults import PAGE_FAULTS
from monitor.demo.standin import Fault, StandIn, Study, read_releases
from monitor.sweep import SweepReport, sweep
from notifiers import subscriptions, watches
from notifiers.tables import deliveries
from notifiers.watches import Wish
from snapshots import archive
from snapshots.archive.tables import records, sweeps, versions
from snapshots.archive.tables import steps as step_rows
from snapshots.database import Database
from snapshots.registries.ctgov.answers import Patience
from snapshots.registries.ctgov.client import CtgovRegistry
from snapshots.registries.ctgov.wire import Timeouts
from tests.campaigns.results import Result
from tests.registries import REAL_RELEASES, OneAtATime

PAIRS = REAL_RELEASES.parent / "pairs"
Releases = Sequence[tuple[str, Mapping[str, Study]]]
Step = tuple[str, str]
"""A record and the release at which it was seen to have changed."""

TRIES = 4
"""Sweeps of a release after the registry is well again; what was silent for a moment is asked again at the next."""
SUBSCRIPTION = subscriptions.from_table(
    {"name": "everything", "to": "mailto:alice@example.org", "when": {"min_severity": "admin"}}
)
FAULTS = tuple(Fault)


class _Seen(Struct):
    """What the database holds in the end."""

    steps: list[Step]
    told: list[Step]
    notices: int
    repeated: int
    kinds: set[str]
    problems: list[str]


def run(url: str, *, offset: int | None = None, releases: int | None = None, trials: int | None = None) -> Result:
    """Watch all trials from the start, sweep once at every release, compare with the recorded changes.

    `offset`: the registry fails at every release, first in the way number `offset`, then in the next; each time the
    release is swept again when it is well. `releases`, `trials`: only so many of them, for a short run.
    """
    began = time.monotonic()
    recorded = _recorded(releases, trials)
    database = Database(url)
    failures: list[str] = []
    with StandIn() as standin, _asked(standin, ill=offset is not None) as registry:
        play = _Play(database, standin, registry, failures)
        play.prepare(sorted({each for _, found in recorded for each in found}))
        for number, (day, found) in enumerate(recorded):
            standin.publish(day, found)
            if offset is not None and number:
                changed = {record for record, at in _expected(recorded)[0] if at == day}
                play.fail(day, changed, FAULTS[(offset + number - 1) % len(FAULTS)])
            play.look_until_well(day, tries=TRIES if offset is not None else 1)
    seen = _seen(database)
    database.dispose()
    expected, steps = _expected(recorded)
    failures += _differences(expected, seen)
    return Result(
        name="replay of recorded releases" + ("" if offset is None else ", the registry failing at each"),
        database="SQLite" if url.startswith("sqlite") else "PostgreSQL",
        claim="changes for exactly the trials that changed; not one message for any other step",
        counts={
            "releases": len(recorded),
            "trials": len({each for _, found in recorded for each in found}),
            "steps": steps,
            "steps with changes": len(expected),
            "messages": len(seen.told),
            "messages for other steps": len(set(seen.told) - expected),
            **({} if offset is None else {"ways to fail": play.ways, "of them seen by the operator": play.visible}),
        },
        failures=failures,
        seconds=time.monotonic() - began,
    )


class _Play:
    """One run: the clock stands at two in the afternoon of each release's day."""

    def __init__(self, database: Database, standin: StandIn, registry: CtgovRegistry, failures: list[str]) -> None:
        self.ways = 0
        self.visible = 0
        self._database = database
        self._standin = standin
        self._registry = registry
        self._failures = failures
        self._chance = Random(3)

    def prepare(self, ids: Sequence[str]) -> None:
        now = datetime(2026, 1, 1, tzinfo=UTC)
        with self._database.write() as connection:
            subscriptions.save(connection, SUBSCRIPTION, now)
            for each in ids:
                watches.add(connection, Wish(registry="ctgov", record_id=each), now)

    def fail(self, day: str, changed: set[str], fault: Fault) -> None:
        """One sweep while the registry is ill: whatever it did not bring must be seen by the operator."""
        self.ways += 1
        # some are ill from the first question on, some only when records are asked for
        path = self._chance.choice(["/studies", None]) if fault not in PAGE_FAULTS else "/studies"
        self._standin.fail(fault, path=path)
        report = self._look(day)
        self._standin.clear()
        stored = {step.registry_id for step in report.steps}
        if report.outcome == "failed":
            self.visible += self._is_written_down(day, fault)
        elif report.answered + len(report.exceptions) != report.asked:
            self._failures.append(f"{day}: {fault.value}: some records have neither an answer nor an exception")
        else:
            with self._database.read() as connection:
                owed = {each.registry_id for each in archive.open_exceptions(connection, "ctgov")}
                known = set(archive.heads(connection, "ctgov", sorted(owed)))
            self.visible += bool(known)
            for each in sorted(changed - stored - owed):
                self._failures.append(f"{day}: {fault.value}: {each} changed, was not seen, and nothing tells")

    def look_until_well(self, day: str, tries: int) -> None:
        for _ in range(tries):
            report = self._look(day)
            if report.outcome == "nothing new":
                return
        if report.outcome == "failed":
            self._failures.append(f"{day}: the registry is well and the sweep failed: {report.reason}")

    def _look(self, day: str) -> SweepReport:
        now = datetime.fromisoformat(day).replace(hour=14, tzinfo=UTC)
        return sweep(self._database, self._registry, lambda: now)

    def _is_written_down(self, day: str, fault: Fault) -> bool:
        """Whether the tables that doctor and check read say that the sweep failed, and why."""
        with self._database.read() as connection:
            last = archive.last_sweep(connection, "ctgov")
        if last is None or last.state != "failed" or not last.reason:
            self._failures.append(f"{day}: {fault.value}: the failed sweep is not written down")
            return False
        return True


@contextmanager
def _asked(standin: StandIn, *, ill: bool) -> Iterator[CtgovRegistry]:
    """The client, whose pauses are not waited for; an ill registry gets less time."""
    timeouts = Timeouts(connect=2, read=0.3, total=0.6) if ill else Timeouts(connect=5, read=20, total=50)
    with CtgovRegistry(
        standin.url,
        "campaign",
        OneAtATime(),
        timeouts=timeouts,
        patience=Patience(attempts=2),
        max_bytes=32_000_000,
        rng=Random(5),
        sleep=lambda _seconds: None,
    ) as registry:
        yield registry


def _recorded(releases: int | None, trials: int | None) -> Releases:
    """The releases; of few trials those that change are taken first, for they are what is looked for."""
    found = list(read_releases(REAL_RELEASES))[:releases]
    if trials is None:
        return found
    changing = {record for record, _ in _pairs()}
    ids = sorted({each for _, of in found for each in of}, key=lambda each: (each not in changing, each))[:trials]
    return [(day, {each: study for each, study in of.items() if each in ids}) for day, of in found]


def _pairs() -> set[Step]:
    """The recorded changes: a trial, and the release at which it was seen to differ."""
    names = (path.name.removesuffix(".old.json").split("_") for path in PAIRS.glob("*.old.json"))
    return {(record, day) for record, _, day in names}


def _expected(recorded: Releases) -> tuple[set[Step], int]:
    """The changes that are in these releases, and how many steps from one line of a record to its next there are."""
    seen: set[str] = set()
    steps: set[Step] = set()
    for day, found in recorded:
        steps |= {(record, day) for record in found if record in seen}
        seen |= set(found)
    return steps & _pairs(), len(steps)


def _seen(database: Database) -> _Seen:
    with database.read() as connection:
        numbers = connection.execute(
            select(step_rows.c.id).where(step_rows.c.from_version.is_not(None)).order_by(step_rows.c.id)
        ).scalars()
        found = [archive.find_step(connection, number) for number in numbers]
        told = connection.execute(
            select(records.c.registry_id, step_rows.c.release)
            .join(step_rows, step_rows.c.id == deliveries.c.step_id)
            .join(records, records.c.id == step_rows.c.record)
            .where(deliveries.c.state != "cancelled")
        ).all()
        others = connection.execute(select(deliveries.c.id).where(deliveries.c.type != "trial.changed")).all()
        same = connection.execute(select(versions.c.record, versions.c.content_hash).order_by(versions.c.number)).all()
        problems = list(archive.verify_chain(connection))
        running = connection.execute(select(sweeps.c.id).where(sweeps.c.state == "running")).all()
    problems += [f"sweep {row.id} is still running" for row in running]
    return _Seen(
        steps=[(step.registry_id or "", (step.release or "")[:10]) for step in found if step.changes],
        told=[(record, release[:10]) for record, release in told],
        notices=len(others),
        repeated=_repeated([(row.record, row.content_hash) for row in same]),
        kinds={stored.change.kind for step in found for stored in step.changes},
        problems=problems,
    )


def _repeated(stored: Sequence[tuple[int, bytes]]) -> int:
    """Versions that say the same as the one before them of the same record."""
    last: dict[int, bytes] = {}
    repeated = 0
    for record, content in stored:
        repeated += last.get(record) == content
        last[record] = content
    return repeated


def _differences(expected: set[Step], seen: _Seen) -> list[str]:
    found = [f"{record} changed at {day} and no change is stored" for record, day in sorted(expected - set(seen.steps))]
    found += [f"{record} has a change at {day} that never was" for record, day in sorted(set(seen.steps) - expected)]
    found += [f"{record} changed at {day} and nobody is told" for record, day in sorted(expected - set(seen.told))]
    found += [f"{record} at {day} is told {seen.told.count((record, day))} times" for record, day in set(seen.told)
              if seen.told.count((record, day)) > 1]  # fmt: skip
    found += [f"{record} at {day} is told and never was" for record, day in sorted(set(seen.told) - expected)]
    if seen.notices:
        found.append(f"{seen.notices} messages of another type than a trial's change")
    if seen.repeated:
        found.append(f"{seen.repeated} versions are stored twice")
    if seen.kinds & {"record.missing", "record.returned", "record.merged"}:
        found.append("a record that first appears later was called missing")
    return found + seen.problems
