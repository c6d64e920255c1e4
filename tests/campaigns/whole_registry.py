"""A watched registry whose sweeps are killed at every page: is everything stored once, told once, and nothing lost?"""

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, timedelta
from multiprocessing.connection import Connection as Pipe
from random import Random
from typing import Any

from sqlalchemy import func, select

from monitor.demo.standin import StandIn
from monitor.sweep import SweepReport, sweep
from notifiers import search_members, subscriptions, watches
from notifiers.tables import deliveries, search_pages
from notifiers.watches import Wish
from snapshots import archive
from snapshots.archive.tables import versions
from snapshots.database import Database
from snapshots.registries.ctgov.client import CtgovRegistry
from tests.campaigns import victims
from tests.campaigns.kills import PATIENCE, Campaign, carry_out
from tests.campaigns.results import Result
from tests.registries import nct, study

ON_PAGE, COUNT = 3, 12
PAGES = COUNT // ON_PAGE
CHANGED = 3


def run(url: str, rounds: int, seed: int = 1) -> Result:
    """Kill the first look at each of its pages, and then a later look at some page, so many times."""
    return carry_out(WholeRegistry(Database(url), Random(seed)), rounds)


def registry_of(database: Database, url: str) -> CtgovRegistry:
    """The registry, three records on a page."""
    registry = victims.registry_of(database, url)
    registry._page_size = ON_PAGE
    return registry


def walking(url: str, registry_url: str, dies_at: int, say: Pipe) -> None:
    """One sweep that is killed before its question number `dies_at` for a page."""
    victims.quiet()
    database = Database(url)
    registry = registry_of(database, registry_url)
    get, left = registry._wire.get, [dies_at]

    def killed(path: str, params: Any, asked: str) -> Any:
        left[0] -= path.endswith("/studies") and "filter.ids" not in params
        if not left[0]:
            os.kill(os.getpid(), signal.SIGKILL)
        return get(path, params, asked)

    registry._wire.get = killed  # type: ignore[method-assign]
    say.send("ready")
    sweep(database, registry, victims.now, lease_seconds=victims.LEASE)


class WholeRegistry(Campaign):
    NAME = "SIGKILL while walking a whole registry"
    CLAIM = "after the next sweep every record and change is stored once, what is wanted is told once, nothing else is"

    @contextmanager
    def scenery(self) -> Iterator[None]:
        with StandIn() as self.standin:
            began = victims.now() - timedelta(days=1)
            told = subscriptions.from_table({"name": "all", "to": ["mailto:alice@example.org"]})
            with self.database.write() as connection:
                subscriptions.save(connection, told, began)
                watches.add(connection, Wish(registry="ctgov", name="everything", search={}), began)
            self.publish(0, range(1, COUNT + 1))
            self.first_look()
            yield

    def publish(self, number: int, ids: Any) -> None:
        day = (date(2026, 3, 2) + timedelta(days=number)).isoformat()
        self.standin.publish(day, {nct(each): study(nct(each), title=f"Title {number}") for each in ids})

    def first_look(self) -> None:
        """Each process takes one page and dies before it asks for the next; this one asks for the rest."""
        for page in range(PAGES):
            self.die(2)
            with self.database.read() as connection:
                stored = connection.execute(select(func.count()).select_from(versions)).scalar_one()
            self.check(0, stored >= min(COUNT, (page + 1) * ON_PAGE), f"{stored} records stored after page {page + 1}")
        self.look()
        self.check_all(0, versions_stored=COUNT, told=0)

    def round(self, number: int) -> None:
        changed = self.chance.sample(range(1, COUNT + 1), CHANGED)
        self.publish(number, [*changed, COUNT + number])
        self.die(self.chance.randint(1, PAGES))
        report = self.look()
        self.check(number, report.outcome == "finished", f"the next sweep {report.outcome}: {report.reason}")
        self.check_all(number, versions_stored=COUNT + number * (CHANGED + 1), told=number * (CHANGED + 1))

    def die(self, dies_at: int) -> None:
        with self.process(walking, self.standin.url, dies_at) as (victim, _):
            victim.join(PATIENCE)
            self.counts["kills"] += victim.exitcode == -signal.SIGKILL

    def look(self) -> SweepReport:
        """A sweep of this process, as after a restart."""
        with registry_of(self.database, self.standin.url) as registry:
            return sweep(self.database, registry, victims.now, lease_seconds=victims.LEASE)

    def check_all(self, number: int, *, versions_stored: int, told: int) -> None:
        self.check_archive(number)
        with self.database.read() as connection:
            stored = archive.chain_head(connection).number
            due = connection.execute(select(func.count()).select_from(deliveries)).scalar_one()
            left = connection.execute(select(func.count()).select_from(search_pages)).scalar_one()
            (watch,) = watches.searches(connection, "ctgov", ["everything"])
            found = len(search_members.present(connection, watch.id))
        self.check(number, stored == versions_stored, f"{stored} versions for {versions_stored}")
        self.check(number, due == told, f"{due} deliveries for {told} that are wanted")
        self.check(number, left == 0, f"{left} pages are kept of a look that is over")
        self.check(number, found == COUNT + number, f"{found} records are found of {COUNT + number}")
