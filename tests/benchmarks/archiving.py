"""What it costs to keep a version and to give it back, beside files that zlib packed, and how many bytes each takes."""

import hashlib
import tempfile
import zlib
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from random import Random

import msgspec

from snapshots import archive
from snapshots.archive.repacking import stored_size
from snapshots.database import Database
from tests.benchmarks.looking import now
from tests.benchmarks.measuring import Figure, Meter, cpu, median
from tests.benchmarks.synthetic import storing
from tests.benchmarks.synthetic.releases import Edits
from tests.benchmarks.synthetic.studies import TODAY, record_id
from tests.databases import make_tables

RECORDS, VERSIONS = 150, 8
Version = tuple[int, int, bytes]
"""The how manieth record, the how manieth version of it, the bytes."""


def figures() -> tuple[list[Figure], list[str]]:
    """The figures of keeping and giving back, and what has to be said of them."""
    contents = versions()
    with tempfile.TemporaryDirectory() as folder:
        url = f"sqlite:///{folder}/archive.sqlite3"
        make_tables(url)
        database = Database(url)
        keeping = _keep(database, contents)
        giving = _give_back(database, contents)
        size = stored_size(database)
        database.dispose()
        writing, reading, packed = _as_files(Path(folder), contents)
    received = sum(len(raw) for _, _, raw in contents)
    floor = "zlib, a file for each"
    return [
        Figure("keep a version, in a transaction of its own", median(keeping) * 1e3, "ms", median(writing) * 1e3,
               floor),
        Figure("give a version back, byte for byte", median(giving) * 1e3, "ms", median(reading) * 1e3, floor,
               "< 5 ms"),
        Figure("bytes that all of them take", size / 1e3, "KB", packed / 1e3, floor, "≤ 0.5 ×"),
    ], [
        f"{len(contents):,} versions of {RECORDS} invented records, {received / 1e6:.0f} MB, each version after the "
        "first with one change as real ones have; medians"
    ]  # fmt: skip


def versions() -> Sequence[Version]:
    """Invented records, each changed some times; version by version, as they would come."""
    studies, wording = storing.worded()
    found: list[Version] = []
    for nth in range(RECORDS):
        study = studies.study(nth)
        for at in range(VERSIONS):
            if at:
                Edits(studies, wording, Random(f"{nth} {at}"), TODAY + timedelta(days=at)).apply(study)
            found.append((nth, at, msgspec.json.encode(study)))
    return sorted(found, key=lambda version: version[1])


def _keep(database: Database, contents: Sequence[Version]) -> Sequence[float]:
    heads: dict[int, int] = {}
    meter = Meter()

    def keep(version: Version) -> None:
        nth, at, raw = version
        digest = hashlib.sha256(raw).digest()
        said = archive.Observation(
            registry="ctgov",
            registry_id=record_id(nth),
            title="A trial of rest",
            raw=raw,
            raw_hash=digest,
            content_hash=digest,
            release=f"{TODAY + timedelta(days=at)}T09:00:05",
            observed_at=now(),
        )
        with database.write() as connection:
            heads[nth] = archive.append(connection, said, heads.get(nth))

    measured = meter.around(keep)
    for version in contents:
        measured(version)
    return meter.each


def _give_back(database: Database, contents: Sequence[Version]) -> Sequence[float]:
    meter = Meter()
    with database.read() as connection:
        read = meter.around(lambda number: archive.read_version(connection, number))
        for number, (_, _, raw) in enumerate(contents, start=1):
            assert read(number) == raw, f"version {number} is not what was kept"
    return meter.each


def _as_files(folder: Path, contents: Sequence[Version]) -> tuple[Sequence[float], Sequence[float], int]:
    """Seconds of writing and of reading each, and the bytes of all."""
    paths = [folder / f"{number}.z" for number in range(len(contents))]
    writing = [cpu(lambda path=path, raw=raw: path.write_bytes(zlib.compress(raw)))  # type: ignore[misc]
               for path, (_, _, raw) in zip(paths, contents, strict=True)]  # fmt: skip
    reading = [cpu(lambda path=path: zlib.decompress(path.read_bytes())) for path in paths]  # type: ignore[misc]
    return writing, reading, sum(path.stat().st_size for path in paths)
