"""A small cast for tests of what people asked for: Alice's and Bob's trials, who is subscribed, what happened."""

import hashlib
import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Connection

from notifiers import outbox, subscriptions, watches
from notifiers.outbox import Claimed, Delivered, Failed
from notifiers.watches import Wish
from snapshots import archive
from snapshots.archive import Observation, Step, StepFacts
from snapshots.changes import Change
from snapshots.database import Database
from snapshots.kinds import KINDS
from snapshots.trial import Site, Sponsor, Trial

NOW = datetime(2026, 11, 16, 12, tzinfo=UTC)
"""A Monday, at noon in UTC."""
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)

ALICE, BOB, CHARLIE = "NCT99000001", "NCT99000002", "NCT99000003"
"""The records of three trials; nobody in them exists."""

BEIJING = Site(
    facility="Example Lotus Hospital",
    city="Beijing",
    country="China",
    status="RECRUITING",
    latitude=39.9,
    longitude=116.4,
)
LYON = Site(
    facility="Hôpital d'Exemple",
    city="Lyon",
    country="France",
    status="NOT_YET_RECRUITING",
    latitude=45.76,
    longitude=4.84,
)

MAIL, HOOK = "mailto:alice@example.org", "https://hooks.example.org/trials"


def about(site: Site) -> dict[str, Any]:
    """The subject of a change about a site."""
    return {
        "type": "site",
        "name": site.facility,
        "city": site.city,
        "country": site.country,
        "latitude": site.latitude,
        "longitude": site.longitude,
    }


def change(kind: str = "site.recruiting", site: Site | None = None, **said: Any) -> Change:
    """A change of a kind, about a site or whatever `said` says."""
    known = KINDS[kind]
    given = {"severity": known.severity, "label": known.label, "summary": f"{known.label}."}
    if site is not None:
        given["subject"] = about(site)  # type: ignore[assignment]
    return Change(kind=kind, **{**given, **said})


def moved(kind: str, before: str, after: str) -> Change:
    """A change of a date."""
    return change(kind, before={"date": before, "type": "ESTIMATED"}, after={"date": after, "type": "ESTIMATED"})


def trial(
    record: str = ALICE, sites: Sequence[Site] = (BEIJING,), sponsor: str = "Example Pharma", **said: Any
) -> Trial:
    return Trial(
        registry="ctgov",
        id=record,
        paths={},
        brief_title="A Study of Rest",
        sites=tuple(sites),
        lead_sponsor=Sponsor(name=sponsor),
        **said,
    )


def watch(connection: Connection, *records: str, group: str | None = None) -> None:
    for record in records:
        watches.add(connection, Wish(registry="ctgov", record_id=record, group=group), NOW - 10 * DAY)


def subscribe(
    connection: Connection, name: str = "alice", to: Sequence[str] = (MAIL,), at: datetime = NOW - DAY, **asked: Any
) -> None:
    """A subscription as the watchlist file would say it."""
    table = {"name": name, "to": list(to), **asked}
    subscription = subscriptions.from_table(table)
    subscriptions.check(subscription)
    subscriptions.save(connection, subscription, at)


def happen(
    connection: Connection,
    *changes: Change,
    record: str | None = ALICE,
    at: datetime = NOW,
    cause: str = "observed",
) -> Step:
    """Something happens to a record (None: to the registry) and is stored; nobody is told of it yet."""
    if record is not None:
        seen(connection, record, at)
    facts = StepFacts(registry="ctgov", registry_id=record, release="2026-11-16", observed_at=at, cause=cause)
    return archive.record_step(connection, facts, changes or (change(site=BEIJING),))


def seen(connection: Connection, record: str, at: datetime = NOW, release: str = "2026-11-16") -> None:
    """The record is in the archive."""
    if archive.find_record(connection, "ctgov", record):
        return
    raw = json.dumps({"of": record}).encode()
    digest = hashlib.sha256(raw).digest()
    observation = Observation(
        registry="ctgov",
        registry_id=record,
        title="A Study of Rest",
        raw=raw,
        raw_hash=digest,
        content_hash=digest,
        release=release,
        observed_at=at,
    )
    archive.append(connection, observation, None)


def tell(
    connection: Connection,
    *changes: Change,
    record: str | None = ALICE,
    at: datetime = NOW,
    cause: str = "observed",
    held_until: datetime | None = None,
) -> list[str]:
    """Something happens, and whoever asked is told: the ids of the deliveries."""
    step = happen(connection, *changes, record=record, at=at, cause=cause)
    return outbox.enqueue(connection, step, trial(record) if record else None, at, held_until)


def take(database: Database, at: datetime = NOW, worker: str = "w1") -> Claimed | None:
    return outbox.claim(database, worker, at, 60)


def send_next(database: Database, outcome: Delivered | Failed, at: datetime = NOW, rng: Any = None) -> str:
    """Claim the next, try it, record the outcome: its new state, or "nothing" where nothing is due."""
    claimed = take(database, at)
    if claimed is None:
        return "nothing"
    attempt = outbox.begin_attempt(database, claimed, at)
    return outbox.record(database, attempt, outcome, at, rng or Always())


class Always:
    """A source of randomness that always says the same."""

    def __init__(self, value: float = 0.0) -> None:
        self.value = value

    def random(self) -> float:
        return self.value
