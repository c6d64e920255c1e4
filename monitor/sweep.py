"""One look at the registry, top to bottom: what is due is fetched, compared, kept, and told on to the outbox.

Nothing is sent from here, and nothing else writes history. An unchanged record costs its bytes scanned, no more. What
becomes of each answer stands in `monitor.answers`, of the saved searches in `monitor.searches`.
"""

from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta

import structlog
from msgspec import Struct
from structlog import contextvars

from monitor import askings
from monitor.answers import LEASE_SECONDS, Look
from monitor.searches import Searches
from monitor.sweep_report import EndedError, LeaseLostError, SweepReport
from notifiers import due_watches
from notifiers.watches import Watch
from snapshots import archive, leases
from snapshots.archive.coverage import ALL, NEW
from snapshots.database import Database
from snapshots.holders import this_process
from snapshots.id_set import IdSet, in_portions
from snapshots.registry import Registry, RegistryError, Release

__all__ = ["EndedError", "SweepReport", "lease_name", "sweep"]

IDS_AT_ONCE = 1000
"""Records whose heads are read in one query, and after which what was unchanged is noted."""

AHEAD = timedelta(days=2)
"""By so much may a release be ahead of this machine's clock: zones of the earth, and clocks that are not set well."""

Clock = Callable[[], datetime]
Progress = Callable[[int, int], None]

log = structlog.get_logger()


def lease_name(registry: str) -> str:
    """The lease that a sweep of this registry holds while it is under way."""
    return f"sweep:{registry}"


def sweep(
    database: Database,
    registry: Registry,
    clock: Clock,
    *,
    only: Collection[str] = (),
    progress: Progress = lambda _done, _total: None,
    stop: Callable[[], bool] = lambda: False,
    lease_seconds: float = LEASE_SECONDS,
) -> SweepReport:
    """Look once. `only`: just these watched ids, due or not. `stop` is asked between two records. `lease_seconds`: how
    long others wait for a sweep whose process was stopped, died or was cut off.

    Trouble with the registry is told in the report, never raised; DatabaseError passes.
    """
    with _alone(database, registry.name, clock, lease_seconds) as lease:
        if lease is None:
            return SweepReport(outcome="busy", reason="another sweep of this registry is under way")
        report = _sweep(
            database, registry, clock, lease, only=only, progress=progress, stop=stop, lease_seconds=lease_seconds
        )
        if report.outcome in ("finished", "nothing new", "failed"):
            failed_because = report.reason or "no reason given" if report.outcome == "failed" else None
            with database.write() as connection:
                # a process that was stopped and wakes up has nothing to say of what another does by now
                if leases.renew(connection, lease, clock(), lease_seconds) is not None:
                    askings.note(connection, registry.name, failed_because, clock())
    return report


def _sweep(
    database: Database,
    registry: Registry,
    clock: Clock,
    lease: leases.Lease,
    *,
    only: Collection[str],
    progress: Progress,
    stop: Callable[[], bool],
    lease_seconds: float,
) -> SweepReport:
    try:
        release = _believable(database, registry.release(), clock())
    except RegistryError as error:
        return _could_not_begin(database, registry.name, lease, str(error), clock(), seconds=lease_seconds)
    due = _due(database, registry, release, only)
    if not due.ids and not due.searches:
        return SweepReport(outcome="nothing new", release=release)
    try:
        look = Look(database, registry, clock, lease, release=release, scope=due.scope, lease_seconds=lease_seconds)
    except LeaseLostError as error:
        return SweepReport(outcome="failed", release=release, reason=str(error))
    with contextvars.bound_contextvars(sweep=look.number):
        report = _take_all(look, due, progress, stop)
        log.info("sweep", outcome=report.outcome, release=release.timestamp, reason=report.reason, **report.numbers())
    return report


def _take_all(look: Look, due: "_Due", progress: Progress, stop: Callable[[], bool]) -> SweepReport:
    try:
        searches = Searches(look, due.searches, progress, stop)
        found = searches.ask()
        ids = look.not_taken(due.ids)
        ids.update(found)
        look.ask_for(len(ids))
        before = look.taken
        for some in in_portions(ids, IDS_AT_ONCE):
            _take_batch(look, some, lambda done: progress(done - before, len(ids)), stop)
        look.judge_absences()
        searches.settle(ids)
        return look.finish()
    except EndedError:
        return look.give_up("stopped", "the program was ended; the next sweep goes on")
    except LeaseLostError as error:
        return look.give_up("failed", str(error))
    except RegistryError as error:
        return look.give_up("failed", str(error))
    except BaseException as error:
        look.give_up("failed", f"unexpected: {type(error).__name__}: {error}")
        raise


def _take_batch(look: Look, ids: Sequence[str], progress: Callable[[int], None], stop: Callable[[], bool]) -> None:
    heads = look.heads(ids)
    with look.keeping():
        for answer in look.registry.fetch(ids, archive.known_hashes(heads)):
            look.take(answer, heads)
            progress(look.taken)
            if stop():
                raise EndedError
    look.note(ids)


class _Due(Struct, frozen=True):
    """What to ask for: record ids, saved searches; `scope` says whether that is everything that is watched."""

    scope: str
    ids: IdSet
    searches: Sequence[Watch] = ()


def _due(database: Database, registry: Registry, release: Release, only: Collection[str]) -> _Due:
    if only:
        return _Due(NEW, IdSet(only))
    with database.read() as connection:
        last = archive.last_finished(connection, registry.name)
        is_new = last is None or last.release != release.timestamp
        searches = due_watches.due_searches(connection, registry.name, release.timestamp)
        # whose records come with the answer: of what they found before, `Searches` says what is still to be asked for
        walked = [each.id for each in searches if registry.gives_records(each.search or {})]
        ids = due_watches.due_ids(connection, registry.name, release.timestamp, but=walked)
        return _Due(ALL if is_new else NEW, ids, searches)


def _believable(database: Database, release: Release, now: datetime) -> Release:
    """The release, unless it is older than what was seen already, or of a day to come: one such, believed, would make
    every later one an older one. Raises RegistryError.
    """
    if release.timestamp[:10] > (now + AHEAD).date().isoformat():
        raise RegistryError(
            f"the registry shows release {release.timestamp}, though this machine's clock says {now:%Y-%m-%d %H:%M} "
            "UTC: one of them is wrong; nothing is looked at until they agree"
        )
    with database.read() as connection:
        last = archive.last_finished(connection, release.registry)
    if last is not None and release.timestamp < last.release:
        raise RegistryError(f"the registry shows release {release.timestamp}, though {last.release} was seen already")
    return release


def _could_not_begin(
    database: Database, registry: str, lease: leases.Lease, reason: str, now: datetime, *, seconds: float
) -> SweepReport:
    """The registry did not even tell its release: a failed sweep, for all to see; the next one tries again."""
    with database.write() as connection:
        if leases.renew(connection, lease, now, seconds) is None:
            return SweepReport(outcome="failed", reason="another process took the sweep over")
        last = archive.last_finished(connection, registry)
        failed = archive.begin_sweep(connection, registry, last.release if last else "unknown", ALL, now)
        archive.fail_sweep(connection, failed, reason, now)
    log.warning("sweep failed", sweep=failed, reason=reason)
    return SweepReport(outcome="failed", reason=reason)


@contextmanager
def _alone(database: Database, registry: str, clock: Clock, seconds: float) -> Iterator[leases.Lease | None]:
    """The right to sweep this registry, None where another has it. What a dead holder left running is given up."""
    with database.write() as connection:
        lease = leases.acquire(connection, lease_name(registry), this_process(), clock(), seconds)
        if lease is not None:
            archive.abandon_running(connection, registry, "the process that swept ended in the middle", clock())
    if lease is None:
        yield None
        return
    try:
        with leases.kept(database, lease, clock, seconds):
            yield lease
    finally:
        with database.write() as connection:
            leases.release(connection, lease)
