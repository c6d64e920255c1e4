"""The archive with the registry's own records, where the builders have them: every byte back, in little room."""

import hashlib
import json
import lzma
from itertools import groupby, islice
from pathlib import Path

import pytest
from sqlalchemy import func, select

from snapshots import archive
from snapshots.archive.tables import versions
from snapshots.database import Database
from tests.snapshots.archive_cast import NOON

RELEASES = Path(__file__).parents[3] / "shared" / "registry" / "releases.ndjson.xz"


def distinct_contents(lines_read: int | None = None) -> list[tuple[str, str, bytes]]:
    """Id, release and bytes wherever a record says something other than in the release before."""
    with lzma.open(RELEASES) as lines:
        recorded = [json.loads(line) for line in islice(lines, lines_read)]
    found = []
    for registry_id, of_record in groupby(recorded, key=lambda line: line["nct"]):
        last = b""
        for line in of_record:
            line["study"].get("derivedSection", {}).get("miscInfoModule", {}).pop("versionHolder", None)
            raw = json.dumps(line["study"], ensure_ascii=False, separators=(",", ":")).encode()
            if raw != last:
                found.append((registry_id, line["dataVersion"], raw))
            last = raw
    return found


@pytest.mark.real_records
@pytest.mark.skipif(not RELEASES.exists(), reason="the real records are not here")
def test_real_records_come_back_exactly_from_a_quarter_of_their_size(sqlite_database: Database) -> None:
    # a part of them: enough to show it, and quick
    contents = distinct_contents(300)
    heads: dict[str, int] = {}
    with sqlite_database.write() as connection:
        for registry_id, release, raw in contents:
            digest = hashlib.sha256(raw).digest()
            said = archive.Observation(
                registry="ctgov",
                registry_id=registry_id,
                title="",
                raw=raw,
                raw_hash=digest,
                content_hash=digest,
                release=release,
                observed_at=NOON,
            )
            heads[registry_id] = archive.append(connection, said, heads.get(registry_id))
        room = connection.execute(select(func.sum(func.length(versions.c.data)))).scalar_one()
        given_back = [archive.read_version(connection, number) for number in range(1, len(contents) + 1)]

    assert given_back == [raw for _, _, raw in contents]
    assert room < sum(len(raw) for raw in given_back) / 4
