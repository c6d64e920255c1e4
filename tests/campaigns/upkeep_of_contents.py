"""A past filled in, an archive packed anew, messages put together, and a kill in the middle: is anything amiss?"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import select

from monitor.demo.standin import StandIn
from notifiers import digest, ledger, outbox
from snapshots import archive
from snapshots.archive.repacking import repack
from snapshots.archive.tables import versions
from tests.campaigns import upkeep_victims
from tests.campaigns.upkeep_work import LIVED_IN, Upkeep, empty, fill, is_done
from tests.notifiers.cast import HOOK, HOUR, MAIL, change, subscribe, tell, watch
from tests.notifiers.cast import NOW as told_at  # noqa: N811 - another time than the campaigns' own
from tests.snapshots.past_cast import FORTY, NOW, TRIAL, Past

# --- back-fill --------------------------------------------------------------------------------------------------------


class BackFills(Upkeep):
    NAME = "SIGKILL while filling in the past"
    CLAIM = (
        "the chain verifies, no version that was said to be stored is missing, the end is the archive that a run has "
        "which nobody killed; then the same content by the other interface tells no change"
    )

    @contextmanager
    def more_scenery(self) -> Iterator[None]:
        with StandIn() as self.standin:
            self.past = Past(self.database, self.standin)
            yield
            self._end(-1)

    def prepare(self) -> None:
        empty(self.database)

    def victim(self, statement: int) -> tuple[Any, ...]:
        return upkeep_victims.back_filling, self.standin.url, TRIAL, NOW, statement

    def check_whole(self, number: int) -> None:
        self.unbroken = self.past.everything()
        self.check(number, len(self.unbroken[1]) == len(FORTY), f"{len(self.unbroken[1])} versions")
        self.prepare()

    def round(self, number: int) -> None:
        heard = self.attempt(self.chance.randint(1, max(1, self.statements // 8)))
        self.counts["kills"] += 1
        self.counts["killed while at work"] += not is_done(heard)
        with self.database.read() as connection:
            problems = list(archive.verify_chain(connection))
        self.check(number, not problems, "; ".join(problems))
        said = max((done for what, done in heard if what == "stored"), default=0)
        self.check(number, len(self.past.versions()) >= said, f"{said} versions were said to be stored")
        if is_done(heard):
            self._end(number)

    def _end(self, number: int) -> None:
        """Go on to the end, look at the record of today, and begin anew."""
        self.past.fill()
        self.check(number, self.past.everything() == self.unbroken, "the archive is not that of an unbroken run")
        self.past.observe(FORTY[-1], "2026-06-01")
        self.past.fill()
        seam = self.past.steps()[-1]
        self.check(number, seam.cause == "back-filled" and not seam.changes, f"told at the seam: {seam.changes}")
        self.counts["histories filled in"] += 1
        self.prepare()


# --- archive repack ---------------------------------------------------------------------------------------------------


class Repackings(Upkeep):
    NAME = "SIGKILL while repacking"
    CLAIM = "the chain verifies and every version is given back byte for byte, at each moment and at the end"

    @contextmanager
    def more_scenery(self) -> Iterator[None]:
        fill(self.database, LIVED_IN)
        self.raws = self._raws()
        yield

    def victim(self, statement: int) -> tuple[Any, ...]:
        return upkeep_victims.repacking, statement, NOW

    def round(self, number: int) -> None:
        self.kill_at_random()
        self.check_whole(number)
        if number % 5 == 0:
            repack(self.database, NOW)
            self.check_whole(number)

    def check_whole(self, number: int) -> None:
        self.check_archive(number)
        self.check(number, self._raws() == self.raws, "the versions are not what they were")

    def _raws(self) -> list[bytes]:
        with self.database.read() as connection:
            numbers = connection.execute(select(versions.c.number).order_by(versions.c.number)).scalars().all()
            return [archive.read_version(connection, number) for number in numbers]


# --- summaries --------------------------------------------------------------------------------------------------------


class Summaries(Upkeep):
    NAME = "SIGKILL while ending snoozes and putting messages into summaries"
    CLAIM = "each wanted change is told to each address once, by a message of its own or in one summary; none is lost"

    def prepare(self) -> None:
        empty(self.database)
        records = [f"NCT9920{number:04}" for number in range(6)]
        with self.database.write() as connection:
            watch(connection, *records)
            subscribe(connection, "limited", max_per_hour=1)
            subscribe(connection, "asleep", to=[HOOK], snooze_until=told_at + HOUR, at=told_at - HOUR)
            for record in records:
                tell(connection, change("site.added"), record=record, at=told_at)

    def victim(self, statement: int) -> tuple[Any, ...]:
        return upkeep_victims.folding, statement, told_at + HOUR

    def round(self, number: int) -> None:
        self.prepare()
        self.kill_at_random()
        with self.database.write() as connection:
            digest.enqueue_due(connection, told_at + HOUR)
        outbox.fold_due(self.database, told_at + HOUR)
        self.check_whole(number)

    def check_whole(self, number: int) -> None:
        with self.database.read() as connection:
            found = ledger.listing(connection, limit=1000)
        told = [one for one in found if one.state == "pending" and one.due_at and one.due_at <= told_at + HOUR]
        for uri in (MAIL, HOOK):
            changes = [change_id for one in told if one.uri == uri for change_id in one.change_ids]
            self.check(number, len(changes) == len(set(changes)) == 6, f"{uri}: {changes}")
        kinds = sorted(one.type for one in told)
        self.check(number, kinds == ["summary", "summary", "trial.changed"], ", ".join(kinds))
