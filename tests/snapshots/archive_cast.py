"""Invented records and how tests put them into an archive."""

import hashlib
import json
import random
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Connection

from snapshots.archive import Observation, append, heads
from snapshots.changes import Change
from snapshots.kinds import KINDS

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
ALICE, BOB = "NCT99000001", "NCT99000002"
"""The records of two trials; nobody in them exists."""


def observation(content: Any, registry_id: str = ALICE, day: int = 2, **other: Any) -> Observation:
    """What was observed of a record at the release of a day in March 2026; `content` is any JSON value, or bytes."""
    raw = content if isinstance(content, bytes) else json.dumps(content).encode()
    facts: dict[str, Any] = {
        "registry": "ctgov",
        "registry_id": registry_id,
        "title": "A Trial of Rest",
        "raw": raw,
        "raw_hash": hashlib.sha256(raw).digest(),
        "content_hash": hashlib.sha256(b"content of " + raw).digest(),
        "release": f"2026-03-{day:02d}T09:00:05",
        "observed_at": NOON + timedelta(days=day),
    }
    return Observation(**{**facts, **other})


def filled_in(content: Any, date: str | None, registry_version: int | None = None, **other: Any) -> Observation:
    """A version from the registry's own history."""
    facts = {"source": "history", "release": None, "registry_date": date, "registry_version": registry_version}
    return observation(content, **{**facts, **other})


def head_of(connection: Connection, registry_id: str = ALICE) -> int | None:
    found = heads(connection, "ctgov", [registry_id]).get(registry_id)
    return found.version if found else None


def add(connection: Connection, content: Any, registry_id: str = ALICE, day: int = 2, **other: Any) -> int:
    """Append to whatever the head is."""
    return append(connection, observation(content, registry_id, day, **other), head_of(connection, registry_id))


def fill_in(
    connection: Connection, content: Any, date: str | None, registry_version: int | None = None, **other: Any
) -> int:
    return append(connection, filled_in(content, date, registry_version, **other), None)


def change(kind: str = "study.completed", **facts: Any) -> Change:
    known = KINDS[kind]
    given = {"severity": known.severity, "label": known.label, "summary": f"{known.label}."}
    return Change(kind=kind, **{**given, **facts})


def large_record(size: int = 45_000, seed: int = 1) -> dict[str, Any]:
    """A record of about `size` bytes, of words that no language has."""
    chance = random.Random(seed)
    words = ["".join(chance.choices("abcdefghijklmnopqrstuvwxyz", k=chance.randint(3, 10))) for _ in range(900)]

    def text(count: int) -> str:
        return " ".join(chance.choices(words, k=count))

    record: dict[str, Any] = {"status": {"overall": "RECRUITING", "verified": "2020-01"}, "summary": text(200)}
    record["sites"] = sites = []
    while len(json.dumps(record)) < size:
        contact = {"name": text(2), "phone": "555-0100", "email": f"{text(1)}@example.org"}
        sites.append({"facility": text(3), "city": text(1), "status": "RECRUITING", "contacts": [contact]})
        record["summary"] += " " + text(40)
    return record


def small_change(record: Mapping[str, Any], at: int, seed: int = 1) -> dict[str, Any]:
    """The record some days later: dates moved, one or two sites in another status."""
    chance = random.Random(f"{seed} {at}")
    later = json.loads(json.dumps(record))
    later["status"]["verified"] = f"20{20 + at // 12 % 60}-{at % 12 + 1:02d}"
    later["status"]["submitted"] = f"20{20 + at // 12 % 60}-{at % 12 + 1:02d}-{at % 28 + 1:02d}"
    for site in chance.sample(later["sites"], k=chance.randint(1, 2)):
        site["status"] = chance.choice(["RECRUITING", "COMPLETED", "NOT_YET_RECRUITING", "WITHDRAWN"])
    return later
