"""The demonstration played: real sweeps, outbox and deliveries against a stand-in registry, a fortnight in seconds.

Everything is on loopback and in one folder. The clock is an argument: it stands where the story puts it, so nothing
waits. What is shown of it is `monitor.cli.demo`'s affair.
"""

from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from random import Random
from threading import Event
from time import monotonic
from typing import TYPE_CHECKING

import msgspec
from msgspec import Struct

from monitor import schema, wiring
from monitor.demo.faults import Fault
from monitor.demo.sinks import HookSink, Letter, MailSink, Post
from monitor.demo.standin import StandIn
from monitor.demo.story import Day, pasts, releases, submitted_on
from monitor.demo.trials import Record
from monitor.settings import Settings, load
from monitor.sweep import SweepReport, sweep
from notifiers import digest, links, watches, watchlist_file
from notifiers.addresses import SCHEMES
from notifiers.deliver import deliver_due
from notifiers.watches import Wish
from snapshots import archive
from snapshots.archive import ChainHead
from snapshots.database import Database

if TYPE_CHECKING:
    from monitor.daemon import Daemon
    from monitor.web.server import Server

COORDINATOR, TEAM = "coordinator@example.org", "team@example.org"
DIGEST_TIME = time(8, 1, tzinfo=UTC)
"""When the morning's digests are asked for: a minute after the time the team chose."""

WATCHLIST = """
[[subscription]]
name = "beijing-sites"
to = ["mailto:coordinator@example.org"]

[subscription.when]
kinds = ["site.recruiting", "recruitment.*"]
near = {{ place = "Beijing", km = 50 }}

[[subscription]]
name = "what-matters"
to = ["{hook}"]
when = {{ min_severity = "major" }}

[[subscription]]
name = "team-weekly"
to = ["mailto:team@example.org"]
when = {{ min_severity = "minor" }}
deliver = {{ digest = "weekly", on = "monday", at = "08:00", timezone = "UTC", immediately = "critical" }}
"""
"""What the demonstration's people asked for, as they would write it in a file for `trialdelta apply`."""


class Scene(Struct, frozen=True):
    """One day: what the sweep found, and what arrived where. `digests` came in the morning, before the sweep."""

    day: Day
    report: SweepReport
    letters: tuple[Letter, ...]
    posts: tuple[Post, ...]
    digests: tuple[Letter, ...]


class Ending(Struct, frozen=True):
    """How things stand when the story is over."""

    versions: int
    head: ChainHead
    letters: int
    posts: int


class Play:
    """The stage in `folder`; a context manager. `scenes` plays the story once."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._now = datetime(2026, 3, 2, tzinfo=UTC)
        self._stack = ExitStack()
        self._said = pasts()
        self._opened: float | None = None

    def __enter__(self) -> "Play":
        stack = self._stack
        self._standin = stack.enter_context(StandIn())
        self._mail = stack.enter_context(MailSink())
        self._hook = stack.enter_context(HookSink())
        self.settings = _settings(self.folder, self._standin.url, self._mail.url)
        self.database = Database(self.settings.database_url)
        stack.callback(self.database.dispose)
        schema.upgrade(self.database)
        registry = wiring.ctgov(self.settings, self.database, clock=self._clock, sleep=self._skip)
        self._registry = stack.enter_context(registry)
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def scenes(self) -> Iterator[Scene]:
        """The days of the story, each when it has been played."""
        for number, release in enumerate(releases()):
            if number == 0:
                self._begin(release.day, list(release.records))
            yield self._play(release.day, release.records)

    def page(self, stop: Event) -> "Server":
        """The page over what was played, at a free port, not begun yet. From here on the clock goes, from where the
        story ended.
        """
        from monitor.web.server import Server

        links.ensure_key(self.database, self._now)
        self._opened = monotonic()
        return Server(msgspec.structs.replace(self.settings, port=0), self.database, self._clock, stop)

    def daemon(self) -> "Daemon":
        """Who does behind the page what its buttons ask for: against the stand-in, to the same mail server."""
        from monitor.daemon import Daemon

        return Daemon(self.settings, self.database, self._clock, name="demo")

    def letters(self) -> tuple[Letter, ...]:
        """The mails that arrived, the oldest first."""
        return tuple(self._mail.letters)

    def ending(self) -> Ending:
        """How things stand now."""
        with self.database.read() as connection:
            head = archive.chain_head(connection)
        return Ending(head.number, head, len(self._mail.letters), len(self._hook.posts))

    def _play(self, day: Day, records: dict[str, Record]) -> Scene:
        digests = self._morning(day)
        self._now = day.look
        self._publish(day, records)
        if day.down:
            self._standin.fail(Fault.UNAVAILABLE)
        report = sweep(self.database, self._registry, self._clock)
        self._standin.clear()
        letters, posts = self._deliver()
        return Scene(day, report, letters, posts, digests)

    def _publish(self, day: Day, records: dict[str, Record]) -> None:
        """The day's release; the history of each record lists what was submitted before."""
        self._standin.publish(day.date.isoformat(), records)
        for name, record in records.items():
            said = self._said.setdefault(name, [])
            if not said or submitted_on(said[-1]) != submitted_on(record):
                said.append(record)
            self._standin.past(name, said[:-1])

    def _begin(self, day: Day, ids: list[str]) -> None:
        """Seven records and three subscriptions, as `watch add` and `apply` would write them."""
        self._now = day.look - timedelta(minutes=5)
        with self.database.write() as connection:
            for each in ids:
                watches.add(connection, Wish(registry=wiring.REGISTRY, record_id=each), self._now)
            text = WATCHLIST.format(hook=self._hook.url)
            wanted = watchlist_file.read(text, self._registry, SCHEMES | {"http"})
            watchlist_file.apply(connection, watchlist_file.plan(connection, wanted, self._now), self._now)

    def _morning(self, day: Day) -> tuple[Letter, ...]:
        self._now = max(self._now, datetime.combine(day.date, DIGEST_TIME))
        with self.database.write() as connection:
            digest.enqueue_due(connection, self._now)
        return self._deliver()[0]

    def _deliver(self) -> tuple[tuple[Letter, ...], tuple[Post, ...]]:
        letters, posts = len(self._mail.letters), len(self._hook.posts)
        delivery = wiring.delivery_settings(self.settings)
        deliver_due(self.database, delivery, "demo", self._clock, Random(1), threads=1)  # noqa: S311
        return tuple(self._mail.letters[letters:]), tuple(self._hook.posts[posts:])

    def _clock(self) -> datetime:
        return self._now + timedelta(seconds=0 if self._opened is None else monotonic() - self._opened)

    def _skip(self, seconds: float) -> None:
        """What the program would wait, the story's clock skips."""
        self._now += timedelta(seconds=seconds)


def _settings(folder: Path, registry_url: str, smtp_url: str) -> Settings:
    given = {
        "TRIALDELTA_DATABASE_URL": f"sqlite:///{folder / 'demo.sqlite3'}",
        "TRIALDELTA_CTGOV_URL": registry_url,
        "TRIALDELTA_REQUEST_INTERVAL": "0",
        "TRIALDELTA_SMTP_URL": smtp_url,
        "TRIALDELTA_MAIL_FROM": "trialdelta <alerts@example.org>",
        "TRIALDELTA_ALLOW_PRIVATE_NETWORKS": "true",
        # its page has a button for that, which would vanish by itself
        "TRIALDELTA_BACKFILL": "false",
    }
    return load(given, env_file=folder / "no.env")
