"""A process that appends and is killed at any moment leaves an archive that opens, verifies and goes on."""

import random
import subprocess
import sys
import time
from pathlib import Path

import pytest

from snapshots import archive
from snapshots.database import Database
from tests.snapshots.archive_cast import ALICE, BOB

ROOT = Path(__file__).parents[2]
APPEND_FOR_EVER = """
import sys
from snapshots.database import Database
from tests.snapshots.archive_cast import ALICE, BOB, add, change
from snapshots import archive
from snapshots.archive import StepFacts
from tests.snapshots.archive_cast import NOON

database = Database(sys.argv[1])
with database.read() as connection:
    at = archive.chain_head(connection).number
while True:
    for registry_id in (ALICE, BOB):
        at += 1
        with database.write() as connection:
            version = add(connection, {"at": at, "of": registry_id, "text": "x" * 5000}, registry_id)
            facts = StepFacts(registry="ctgov", registry_id=registry_id, to_version=version, observed_at=NOON)
            archive.record_step(connection, facts, [change()])
    print(at, flush=True)
"""


def append_and_kill(url: str, after: float) -> None:
    """Start appending, and kill it `after` seconds from its first append."""
    command = [sys.executable, "-c", APPEND_FOR_EVER, url]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout and process.stderr
        began = process.stdout.readline()
        time.sleep(after)
        process.kill()
        assert began, process.stderr.read()


def contents(database: Database) -> list[bytes]:
    with database.read() as connection:
        found = [archive.versions(connection, "ctgov", registry_id) for registry_id in (ALICE, BOB)]
    return [version.content_hash for of_record in found for version in of_record]


@pytest.mark.kill
def test_a_writer_killed_at_any_moment_leaves_a_sound_archive(database: Database) -> None:
    chance = random.Random(7)
    known = 0
    for _ in range(5):
        append_and_kill(database.url, after=chance.uniform(0, 0.15))
        with database.read() as connection:
            head = archive.chain_head(connection)
            assert list(archive.verify_chain(connection)) == []
            steps = [archive.steps(connection, "ctgov", registry_id) for registry_id in (ALICE, BOB)]

        assert head.number > known
        assert sum(map(len, steps)) == head.number
        known = head.number

    stored = contents(database)
    assert len(stored) == len(set(stored)) == known
