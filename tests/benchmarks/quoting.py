"""What the changes of a step take: bytes, and the CPU to store and to read them, beside the same stored whole."""

import random
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from unittest.mock import patch

from sqlalchemy import func, select

from monitor import schema
from monitor.demo.standin import read_releases
from snapshots import archive
from snapshots.archive import texts
from snapshots.archive.tables import changes as change_rows
from snapshots.archive.tables import texts as text_rows
from snapshots.changes import Change
from snapshots.database import Database
from snapshots.registries.ctgov.parse import parse
from snapshots.rules import changes_between
from snapshots.rules.build import change
from tests.benchmarks.measuring import Figure, cpu
from tests.benchmarks.records import REAL

NOW = datetime(2026, 3, 6, 9, tzinfo=UTC)
EDITS, SIZE = 225, 40_000
RECORD = "NCT99000001"
Steps = Sequence[Sequence[Change]]


def figures() -> tuple[list[Figure], list[str]]:
    """The figures of an invented text that is edited again and again, and those of the recorded releases."""
    found = _beside_whole(f"a {SIZE // 1000} KB text edited {EDITS} times", edited_text(), "under 4,500 bytes")
    releases = REAL / "releases.ndjson.xz"
    if not releases.is_file():
        return found, ["changes of recorded releases: not measured, they are not at hand"]
    steps = list(_recorded(releases))
    return [*found, *_beside_whole("recorded releases", steps, "≤ 1 ×")], [
        f"recorded releases: {len(steps)} steps with {sum(map(len, steps))} changes"
    ]


def edited_text() -> Steps:
    """Steps of one change each: an eligibility text of words that no language has, one line of it replaced."""
    chance = random.Random(4)
    words = ["".join(chance.choices("abcdefghijklmnopqrstuvwxyz", k=chance.randint(3, 10))) for _ in range(900)]
    lines = [" ".join(chance.choices(words, k=12)) for _ in range(SIZE // 80)]
    found = ["\n* ".join(lines)]
    for _ in range(EDITS):
        lines[chance.randrange(len(lines))] = " ".join(chance.choices(words, k=12))
        found.append("\n* ".join(lines))
    summary = "Eligibility criteria changed: one criterion reads otherwise than before"
    kind = "eligibility.criteria_changed"
    return [[change(kind, before=old, after=new, summary=summary)] for old, new in pairwise(found)]


def _recorded(releases: Path) -> Iterator[Sequence[Change]]:
    last: dict[str, bytes] = {}
    for _, studies in read_releases(releases):
        for record, study in studies.items():
            raw = bytes(study)
            if record in last and (told := changes_between(parse(last[record]), parse(raw))):
                yield told
            last[record] = raw


def _beside_whole(what: str, steps: Steps, bound: str) -> list[Figure]:
    size, storing, reading = _measured(steps)
    with patch.object(texts, "LONG", 10**9):
        whole, storing_whole, reading_whole = _measured(steps)
    return [
        Figure(f"{what}: change rows per step", size, "bytes", whole, "each text whole", bound),
        Figure(f"{what}: storing a step", storing * 1000, "ms", storing_whole * 1000, "each text whole"),
        Figure(f"{what}: reading the history", reading * 1000, "ms", reading_whole * 1000, "each text whole"),
    ]


def _measured(steps: Steps) -> tuple[float, float, float]:
    """Bytes of each step's changes with the texts they quote, CPU seconds of storing one, of reading them all."""
    with _database() as database:
        storing = [cpu(lambda told=told: _store(database, told)) for told in steps]  # type: ignore[misc]
        read = [cpu(lambda: _read(database)) for _ in range(3)]
        with database.read() as connection:
            rows = connection.execute(select(func.sum(func.length(change_rows.c.change)))).scalar_one()
            kept = func.length(text_rows.c.data) + 2 * func.length(text_rows.c.sha256)
            quoted = connection.execute(select(func.coalesce(func.sum(kept), 0))).scalar_one()
    return (rows + quoted) / len(steps), sum(storing) / len(steps), min(read)


def _store(database: Database, told: Sequence[Change]) -> None:
    with database.write() as connection:
        facts = archive.StepFacts(registry="ctgov", registry_id=RECORD, observed_at=NOW)
        archive.record_step(connection, facts, told)


def _read(database: Database) -> None:
    with database.read() as connection:
        archive.steps(connection, "ctgov", RECORD)


@contextmanager
def _database() -> Iterator[Database]:
    with tempfile.TemporaryDirectory() as folder:
        database = Database(f"sqlite:///{folder}/bench.sqlite3")
        schema.upgrade(database)
        seen = archive.Observation(
            registry="ctgov",
            registry_id=RECORD,
            title="A Trial of Rest",
            raw=b"{}",
            raw_hash=bytes(32),
            content_hash=bytes(32),
            release="2026-03-02T09:00:05",
            observed_at=NOW,
        )
        with database.write() as connection:
            archive.append(connection, seen, None)
        yield database
        database.dispose()
