"""What becomes of each answer of the registry: counted, or compared and kept in one short transaction, or excepted."""

import hashlib
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress
from datetime import datetime, timedelta
from typing import Literal

import structlog
from msgspec import Struct
from sqlalchemy import Connection
from structlog import contextvars

from monitor import tidings
from monitor.sweep_report import KEPT_STEPS, EndedError, LeaseLostError, SweepReport
from notifiers import due_watches, outbox, watches
from notifiers.outbox.enqueuing import is_holdable
from snapshots import archive, leases
from snapshots.archive import Head, HeadMoved, Observation, OlderRelease, Step, StepFacts
from snapshots.archive.coverage import NEW
from snapshots.changes import Change
from snapshots.database import Database
from snapshots.id_set import IdSet
from snapshots.registry import Answer, NotAnswered, RawRecord, Registry, RegistryError, Release, Unchanged
from snapshots.rules import changes_between
from snapshots.trial import Trial

LEASE_SECONDS = 45
"""How long a sweep that died on another machine keeps others from sweeping. One that lives renews its lease."""
STARTS_OVER = 3
"""How often a record is compared again because its newest version changed meanwhile."""
HOLD = timedelta(minutes=30)
"""How long at most a message about texts and places waits for the sweep's end."""
FEW_ABSENT = 5
"""So many known records may be absent at once and be believed; beyond a tenth of all, the answer is doubted instead."""
NEW_AT_ONCE, NEW_BYTES = 100, 8_000_000
"""Records never seen before that are kept in one transaction, and the bytes from which on fewer are."""
MANY_REFORMATTED, SHARE_REFORMATTED = 20, 5
"""From so many records on, and from a fifth of those that answered, unexplained texts are the registry's own doing."""

log = structlog.get_logger()


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
        *,
        release: Release,
        scope: str,
        lease_seconds: float = LEASE_SECONDS,
    ) -> None:
        self.registry = registry
        self.release = release
        self.taken = 0
        self._database = database
        self._clock = clock
        self._lease = lease
        self._lease_seconds = lease_seconds
        self._scope = scope
        self._absent: list[tuple[NotAnswered, bool]] = []
        self._excepted: dict[str, NotAnswered] = {}
        self._unexplained: list[int] = []
        self._new: list[tuple[_Found, Head | None]] = []
        self._new_bytes = 0
        self._waiting: IdSet | None = None
        self._seen: list[IdSet] = []
        self._report = SweepReport(outcome="finished", release=release)
        with self.writing() as connection:
            self.number = archive.begin_sweep(connection, registry.name, release.timestamp, scope, clock())

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """A transaction that begins by making sure that the lease is ours, and renews it. Raises LeaseLostError."""
        with self._database.write() as connection:
            if leases.renew(connection, self._lease, self._clock(), self._lease_seconds) is None:
                raise LeaseLostError("another process took the sweep over")
            yield connection

    def reading(self) -> AbstractContextManager[Connection]:
        """A transaction that reads."""
        return self._database.read()

    def stay(self) -> None:
        """Make sure that the sweep is still ours, and keep it so. Raises LeaseLostError."""
        with self.writing():
            pass

    def heads(self, ids: Sequence[str]) -> Mapping[str, Head]:
        """The newest stored version of each, by the id asked for."""
        with self._database.read() as connection:
            return archive.heads(connection, self.registry.name, ids)

    def newest(self, record_id: str) -> Trial:
        """The record as it was last stored. Raises LookupError where it never was."""
        stored = self._stored(self.heads([record_id]).get(record_id))
        if stored is None:
            raise LookupError(f"nothing is stored of {record_id}")
        return self.registry.parse(stored)

    def ask_for(self, count: int) -> None:
        """So many more are asked for."""
        self._report.asked += count

    def saw(self, ids: IdSet) -> None:
        """These were asked for, in this sweep or in one of the same release that it goes on with."""
        self._seen.append(ids)

    def has_taken(self, record_id: str) -> bool:
        """Whether the record was asked for in another way already."""
        return bool(self._seen) and any(record_id in seen for seen in self._seen)

    def not_taken(self, ids: IdSet) -> IdSet:
        """Those that were not asked for yet."""
        for seen in self._seen:
            ids -= seen
        return ids

    def take(self, answer: Answer, heads: Mapping[str, Head]) -> None:
        """Deal with one answer to the end."""
        self.taken += 1
        if isinstance(answer, NotAnswered):
            self._take_silence(answer, known=answer.id in heads)
        elif isinstance(answer, RawRecord):
            with contextvars.bound_contextvars(record=answer.id):
                self._take_record(answer, heads.get(answer.asked))
        else:
            self._take_unchanged(answer, heads.get(answer.asked))

    @property
    def unanswered(self) -> set[str]:
        """The ids that were asked for in vain so far."""
        return {*self._excepted, *(answer.id for answer, _ in self._absent)}

    def unanswered_for(self, reasons: Collection[str]) -> set[str]:
        """Those of them that were not answered for one of these reasons."""
        return {trouble.id for trouble in self._excepted.values() if trouble.reason in reasons}

    def excepted(self, name: str, reason: str, detail: str) -> None:
        """A record (its id) or a saved search was not answered as data: an exception of the sweep."""
        self._excepted.pop(name, None)  # said again, the last word counts
        self._excepted[name] = NotAnswered(name, reason, detail)
        # of many that are doubted at once one line tells, which is written where that is decided
        (log.debug if reason == "doubted" else log.warning)("not answered", record=name, reason=reason, detail=detail)
        with self.writing() as connection:
            archive.note_exception(connection, self.number, name, reason, detail)

    def settled(self, connection: Connection, names: Sequence[str]) -> None:
        """These are answered for: their earlier troubles are over."""
        archive.settle_exceptions(connection, self.number, names)

    def tell(
        self, connection: Connection, record_id: str, told: Sequence[Change], trial: Trial | None, cause: str
    ) -> None:
        """A step without a new version, and who is told of it, in the caller's transaction."""
        now = self._clock()
        record = archive.find_record(connection, self.registry.name, record_id)
        version = record.head_version if record else None
        step = archive.record_step(connection, self._facts(record_id, version, version, cause), told)
        outbox.enqueue(connection, step, trial, now)
        self._count(step)

    @contextmanager
    def keeping(self) -> Iterator[None]:
        """What was taken within is kept, also where the registry or the program's end stops it."""
        try:
            yield
        except (EndedError, RegistryError):
            self.keep_new()
            raise
        self.keep_new()

    def note(self, ids: Sequence[str]) -> None:
        """A batch has been asked for and taken."""
        with self.writing() as connection:
            self.answered(connection, ids)

    def answered(self, connection: Connection, ids: Sequence[str]) -> None:
        """These have been asked for: what was answered has its baseline, and its earlier troubles are settled."""
        silent = self.unanswered
        without = self._are_waiting(connection)
        waiting = [each for each in ids if each in without and each not in silent] if without else ()
        due_watches.mark_baseline(connection, self.registry.name, waiting, self.number)
        if self._scope == NEW:  # a sweep over everything settles by itself when it ends
            archive.settle_exceptions(connection, self.number, [each for each in ids if each not in silent])

    def _are_waiting(self, connection: Connection) -> IdSet:
        """The watched ids that had no baseline when this was asked first: who is watched later is asked for later."""
        if self._waiting is None:
            self._waiting = due_watches.waiting_ids(connection, self.registry.name)
        return self._waiting

    def finish(self) -> SweepReport:
        """The sweep has come to its end: what was held is let go."""
        report = self._report
        report.exceptions = list(self._excepted.values())
        with self.writing() as connection:
            self._reformatted(connection)
            outbox.release_held(connection, self._clock())
            archive.finish_sweep(
                connection,
                self.number,
                asked=report.asked,
                answered=report.answered,
                changed=report.changed,
                failed=len(report.exceptions),
                now=self._clock(),
            )
        return report

    def give_up(self, outcome: Literal["failed", "stopped"], reason: str) -> SweepReport:
        """The sweep ends before its end; what it stored stays."""
        self._report.outcome, self._report.reason = outcome, reason
        self._report.exceptions = list(self._excepted.values())
        # where another process took the sweep over, it has written down already how this one ended
        with suppress(LookupError), self._database.write() as connection:
            archive.fail_sweep(connection, self.number, reason, self._clock())
        return self._report

    # --- what the registry has ------------------------------------------------------------------------------------

    def _take_unchanged(self, answer: Unchanged, head: Head | None) -> None:
        self._report.answered += 1
        if head is not None and head.absent_since is not None:
            self._welcome_back(answer.asked)
        if head is None or head.registry_id != answer.id:
            self._merge(answer.asked, answer.id)

    def _take_record(self, answer: RawRecord, head: Head | None, *, at_once: bool = False) -> None:
        """Keep a record whose bytes are new; what cannot be read or compared is an exception of the sweep. `at_once`:
        also where it is seen for the first time.
        """
        try:
            for _ in range(STARTS_OVER):
                if self._keep_unless_overtaken(answer, head, at_once):
                    return
                head = self.heads([answer.asked]).get(answer.asked)
            self.excepted(answer.asked, "not fetched", "its newest version kept changing while it was compared")
        except (RegistryError, archive.Unreadable, OlderRelease) as error:
            self.excepted(answer.asked, "unreadable", str(error))
        except _FAULTS as error:
            # a fault of our own rules must cost one record, not the sweep; it is tried again at every sweep
            log.exception("a record could not be compared", record=answer.id)
            self.excepted(answer.asked, "unreadable", f"it could not be compared: {type(error).__name__}: {error}")

    def _keep_unless_overtaken(self, answer: RawRecord, head: Head | None, at_once: bool) -> bool:
        try:
            self._keep(answer, head, at_once)
        except HeadMoved:
            return False
        self._report.answered += 1
        return True

    def _keep(self, answer: RawRecord, head: Head | None, at_once: bool) -> None:
        content_hash = hashlib.sha256(self.registry.content(answer.raw)).digest()
        if head is not None and head.absent_since is not None:
            self._welcome_back(answer.asked)
        merged = answer.asked != answer.id and self._merge(answer.asked, answer.id)
        head = self.heads([answer.id]).get(answer.id) if merged else head
        if head is not None and head.content_hash == content_hash:
            with self.writing() as connection:
                archive.remember_raw_hash(connection, head, answer.raw_hash)
            return
        before = self._stored(head)
        old = None if before is None else self.registry.parse(before)
        trial = self.registry.parse(answer.raw)
        found = _Found(answer, content_hash, trial, before, old)
        if at_once or old is not None or answer.asked != answer.id:
            self._store(found, head)
        else:
            self._put_off(found, head)

    def _put_off(self, found: "_Found", head: Head | None) -> None:
        """One that is new has nothing to tell: it is kept together with others."""
        self._new.append((found, head))
        self._new_bytes += len(found.answer.raw)
        if len(self._new) >= NEW_AT_ONCE or self._new_bytes >= NEW_BYTES:
            self.keep_new()

    def keep_new(self) -> None:
        """Keep what was put off, in one transaction; where one of them fails, each in its own."""
        waiting, self._new, self._new_bytes = self._new, [], 0
        if not waiting:
            return
        try:
            with self.writing() as connection:
                steps = [self._write(connection, found, head, None) for found, head in waiting]
        except (HeadMoved, *_UNCOMPARABLE):
            self._report.answered -= len(waiting)
            for found, head in waiting:
                self._take_record(found.answer, head, at_once=True)
        else:
            for step in steps:
                self._count(step, is_first=True)

    def _changes(self, found: "_Found") -> Sequence[Change]:
        """What is told: all that differs; but a first look is no news, and nothing is compared across a merge."""
        if found.old is None:
            return [tidings.first_seen(found.trial)]
        before = found.old if found.old.id == found.trial.id else self._said_under(found.trial.id)
        return changes_between(before, found.trial) if before is not None else []

    def _said_under(self, record_id: str) -> Trial | None:
        """What the registry said last under exactly this id, where the newest stored version came under another: a
        merge, or one that the registry took back.
        """
        with self._database.read() as connection:
            versions = archive.versions(connection, self.registry.name, record_id, merged=True)
            mine = [each.number for each in versions if each.registry_id == record_id and each.source == "v2"]
            raw = archive.read_version(connection, mine[-1]) if mine else None
        return None if raw is None else self.registry.parse(raw)

    def _store(self, found: "_Found", head: Head | None) -> None:
        """Version, step, changes and deliveries, or nothing at all."""
        changes = self._changes(found)
        held_until = self._held_until(found)
        with self.writing() as connection:
            step = self._write(connection, found, head, changes, held_until)
        self._count(step, is_first=head is None or head.version is None)
        if held_until is not None and changes and is_holdable(step.changes):
            self._unexplained.append(step.id)

    def _write(
        self,
        connection: Connection,
        found: "_Found",
        head: Head | None,
        changes: Sequence[Change] | None,
        held_until: datetime | None = None,
    ) -> Step:
        base, now = head.version if head is not None else None, self._clock()
        told = self._changes(found) if changes is None else changes
        version = archive.append(connection, self._observation(found, now), base, head_raw=found.before)
        step = archive.record_step(connection, self._facts(found.answer.id, base, version), told)
        names = {found.answer.id, found.answer.asked}
        is_asked = base is not None or self._are_waiting(connection)
        baselines = watches.baselines(connection, self.registry.name, names) if is_asked else []
        # what happened while nobody watched is history, not news
        if base is not None and any(sweep is not None for sweep in baselines):
            outbox.enqueue(connection, step, found.trial, now, held_until)
        if None in baselines:
            due_watches.mark_baseline(connection, self.registry.name, [found.answer.asked], self.number)
        return step

    def _observation(self, found: "_Found", now: datetime) -> Observation:
        return Observation(
            registry=self.registry.name,
            registry_id=found.answer.id,
            title=found.trial.title,
            raw=found.answer.raw,
            raw_hash=found.answer.raw_hash,
            content_hash=found.content_hash,
            observed_at=now,
            release=self.release.timestamp,
        )

    def _held_until(self, found: "_Found") -> datetime | None:
        """Held are texts and places that change while the sponsor sent nothing in."""
        if found.old is None:
            return None
        before, after = (trial.bookkeeping_dates.get(_SUBMITTED) for trial in (found.old, found.trial))
        return self._clock() + HOLD if before == after else None

    # --- what it has no more, or under another id -----------------------------------------------------------------

    def _take_silence(self, answer: NotAnswered, *, known: bool) -> None:
        if answer.reason == "absent":
            self._absent.append((answer, known))
        else:
            self.excepted(answer.id, answer.reason, answer.detail)

    def judge_absences(self) -> None:
        """Absences are judged together: many at once say something of the answer, not of the records."""
        known = sum(known for _, known in self._absent)
        doubted = known > max(FEW_ABSENT, self._report.asked // 10)
        if doubted:
            log.warning("many records are missing at once, which is not believed", missing=known)
        for answer, was_known in self._absent:
            if doubted and was_known:
                detail = f"{answer.detail}; so are {known - 1} others, which is not believed"
                self.excepted(answer.id, "doubted", detail)
            else:
                self._judge_absence(answer)

    def _judge_absence(self, answer: NotAnswered) -> None:
        self.excepted(answer.id, "absent", answer.detail)
        with self.writing() as connection:
            verdict = archive.note_absent(connection, self.registry.name, answer.id, self.release.timestamp)
            due_watches.mark_baseline(connection, self.registry.name, [answer.id], self.number)
            if verdict == "missing":
                self._tell(connection, answer.id, tidings.missing(answer.id))

    def _welcome_back(self, record_id: str) -> None:
        with self.writing() as connection:
            if archive.note_present(connection, self.registry.name, record_id):
                self._tell(connection, record_id, tidings.returned(record_id))

    def _merge(self, former: str, kept: str) -> bool:
        """Let both ids select the kept record; whether they did not before."""
        self.keep_new()
        with self.writing() as connection:
            merge = archive.merge(connection, self.registry.name, former, kept)
            if merge is None or not merge.is_new:
                return False
            self._tell(connection, kept, tidings.merged(former, kept))
        return True

    def _tell(self, connection: Connection, record_id: str, told: Change) -> None:
        """A step without a new version: the record itself came, went or moved."""
        record = archive.find_record(connection, self.registry.name, record_id)
        version = record.head_version if record else None
        trial = self.registry.parse(archive.read_version(connection, version)) if version is not None else None
        self.tell(connection, record_id, [told], trial, "observed")

    # --- small things ---------------------------------------------------------------------------------------------

    def _reformatted(self, connection: Connection) -> None:
        """Many records whose texts changed though nobody sent them in: one notice in place of many messages."""
        steps = self._unexplained
        if len(steps) < MANY_REFORMATTED or len(steps) * SHARE_REFORMATTED < self._report.answered:
            return
        told = tidings.reformatted(len(steps), self._report.answered)
        notice = archive.record_step(connection, self._facts(None, None, None, cause="registry"), [told])
        outbox.replace_held(connection, notice, set(steps), self._clock())
        self._report.steps.append(notice)
        log.warning("texts of many records differ: one notice takes the place of many messages", records=len(steps))

    def _stored(self, head: Head | None) -> bytes | None:
        if head is None or head.version is None:
            return None
        with self._database.read() as connection:
            return archive.read_version(connection, head.version)

    def _facts(
        self, record_id: str | None, before: int | None, after: int | None, cause: str = "observed"
    ) -> StepFacts:
        return StepFacts(
            registry=self.registry.name,
            registry_id=record_id,
            from_version=before,
            to_version=after,
            release=self.release.timestamp,
            observed_at=self._clock(),
            cause=cause,
        )

    def _count(self, step: Step, *, is_first: bool = False) -> None:
        if len(self._report.steps) < KEPT_STEPS:
            self._report.steps.append(step)
        about = {"record": step.registry_id, "version": step.to_version}
        if is_first:
            self._report.first_seen += 1
            log.debug("first seen", **about)
        elif step.changes:
            self._report.changed += 1
            log.info("changed", **about, kinds=list(dict.fromkeys(stored.change.kind for stored in step.changes)))


class _Found(Struct, frozen=True):
    """A record whose content is new, as received and as read; and its newest stored version, likewise."""

    answer: RawRecord
    content_hash: bytes
    trial: Trial
    before: bytes | None
    old: Trial | None


_FAULTS = (ArithmeticError, LookupError, TypeError, ValueError, RecursionError)
_UNCOMPARABLE = (RegistryError, archive.Unreadable, OlderRelease, *_FAULTS)
"""What can be wrong with one record, and must cost no other."""

_SUBMITTED = "lastUpdateSubmitDate"
