"""What the archive takes to keep the registry's own records, beside git with the same versions in the same run."""

import hashlib
import json
import lzma
import os
import shutil
import subprocess
from datetime import UTC, datetime
from itertools import groupby, islice
from pathlib import Path
from tempfile import TemporaryDirectory

from msgspec import Struct
from sqlalchemy import func, select

from snapshots import archive
from snapshots.archive.repacking import repack, stored_size
from snapshots.archive.room import file_size, give_back
from snapshots.archive.tables import versions
from snapshots.database import Database
from snapshots.registries.ctgov.fields import project
from tests.benchmarks.measuring import Figure, cpu
from tests.benchmarks.records import REAL
from tests.databases import make_tables
from tests.snapshots.archive_cast import large_record, small_change

RELEASES = REAL / "releases.ndjson.xz"
NOW = datetime(2026, 3, 25, tzinfo=UTC)
AS_APPENDED, REPACKED = 1.0, 0.85
"""At most so many times the bytes of git's pack."""
Version = tuple[str, str, bytes]
"""A record's id, the release, the bytes."""


class NotHere(Exception):  # noqa: N818 - it says what is so
    """What is needed is not on this machine; the message says what."""


class Sizes(Struct, frozen=True, kw_only=True):
    """Bytes: of the versions as received, stored as they were appended, after repacking, and in git's pack; of the
    database's file before and after. `exact`: how many of the versions came back byte for byte, each time.
    """

    versions: int
    records: int
    received: int
    appended: int
    repacked: int
    git: int
    exact: int
    exact_repacked: int
    file_appended: int
    file_repacked: int
    append_ms: float
    repack_ms: float


def figures() -> tuple[list[Figure], list[str]]:
    """The figures of storing and what has to be said of them."""
    told = _synthetic()
    try:
        sizes = measure(distinct_versions())
    except NotHere as error:
        return told, [f"bytes beside git: not measured, {error}"]
    floor = "git gc --aggressive, its pack"
    git = sizes.git / 1000
    return [
        Figure("stored bytes as appended", sizes.appended / 1000, "KB", git, floor, "≤ 1.0 × git"),
        Figure("stored bytes after archive repack", sizes.repacked / 1000, "KB", git, floor, "≤ 0.85 × git"),
        Figure("SQLite file as appended", sizes.file_appended / 1000, "KB", git, floor),
        Figure("SQLite file after archive repack", sizes.file_repacked / 1000, "KB", git, floor),
        *told,
    ], [
        f"stored bytes: {sizes.versions} distinct versions of {sizes.records} trials with the fields asked for, "
        f"{sizes.received:,} bytes; {sizes.exact} given back byte for byte as appended, {sizes.exact_repacked} after "
        f"repacking (dictionary counted); {sizes.append_ms:.1f} ms a version to append, {sizes.repack_ms:.1f} to repack"
    ]


def distinct_versions(lines: int | None = None) -> list[Version]:
    """The recorded versions that differ, with the fields that are asked for, release by release. Raises NotHere."""
    if not RELEASES.exists():
        raise NotHere("the recorded releases are not at hand")
    with lzma.open(RELEASES) as recorded:
        read = [json.loads(line) for line in islice(recorded, lines)]
    found = []
    for record, of_record in groupby(read, key=lambda line: line["nct"]):
        last = b""
        for line in of_record:
            raw = json.dumps(project(line["study"]), ensure_ascii=False, separators=(",", ":")).encode()
            if raw != last:
                found.append((record, line["dataVersion"], raw))
            last = raw
    return sorted(found, key=lambda version: version[1])


def measure(contents: list[Version]) -> Sizes:
    """Store the versions in an archive and in git. Raises NotHere."""
    git = git_pack(contents)
    with TemporaryDirectory() as folder:
        url = f"sqlite:///{folder}/archive.sqlite3"
        make_tables(url)
        database = Database(url)
        try:
            appending = cpu(lambda: _append(database, contents))
            appended, exact = stored_size(database), _exact(database, contents)
            before = _file(database)
            repacking = cpu(lambda: repack(database, NOW))
            after = _file(database)
            return Sizes(
                versions=len(contents),
                records=len({record for record, _, _ in contents}),
                received=sum(len(raw) for _, _, raw in contents),
                appended=appended,
                repacked=stored_size(database),
                git=git,
                exact=exact,
                exact_repacked=_exact(database, contents),
                file_appended=before,
                file_repacked=after,
                append_ms=appending * 1000 / len(contents),
                repack_ms=repacking * 1000 / len(contents),
            )
        finally:
            database.dispose()


def git_pack(contents: list[Version]) -> int:
    """Bytes of git's pack: a file for each trial, a commit for each release, then `git gc --aggressive`.

    Raises NotHere without git.
    """
    if shutil.which("git") is None:
        raise NotHere("git is not installed")
    with TemporaryDirectory() as folder:
        # nobody's own settings of git play a part
        alone = {
            "PATH": os.environ["PATH"],
            "HOME": folder,
            "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_CONFIG_GLOBAL": os.devnull,
        }

        def git(*words: str, given: bytes | None = None) -> None:
            subprocess.run(["git", "-C", folder, *words], input=given, env=alone, check=True, capture_output=True)

        git("init", "--quiet")
        git("fast-import", "--quiet", given=b"".join(_commits(contents)))
        git("gc", "--aggressive", "--prune=now", "--quiet")
        packs = list(Path(folder, ".git", "objects", "pack").glob("*.pack"))
        assert len(packs) == 1, "git gc makes one pack"
        return packs[0].stat().st_size


def _commits(contents: list[Version]) -> list[bytes]:
    stream = []
    for number, (release, of_release) in enumerate(groupby(contents, key=lambda version: version[1])):
        when = 1_770_000_000 + number * 86_400
        words = release.encode()
        head = b"commit refs/heads/main\ncommitter Archive <archive@example.org> %d +0000\ndata %d\n%s\n"
        stream.append(head % (when, len(words), words))
        for record, _, raw in of_release:
            stream.append(b"M 100644 inline %s.json\ndata %d\n%s\n" % (record.encode(), len(raw), raw))
    return stream


def _append(database: Database, contents: list[Version]) -> None:
    heads: dict[str, int] = {}
    with database.write() as connection:
        for record, release, raw in contents:
            digest = hashlib.sha256(raw).digest()
            said = archive.Observation(
                registry="ctgov",
                registry_id=record,
                title="",
                raw=raw,
                raw_hash=digest,
                content_hash=digest,
                release=release,
                observed_at=NOW,
            )
            heads[record] = archive.append(connection, said, heads.get(record))


def _exact(database: Database, contents: list[Version]) -> int:
    with database.read() as connection:
        return sum(archive.read_version(connection, at) == raw for at, (_, _, raw) in enumerate(contents, start=1))


def _file(database: Database) -> int:
    give_back(database)
    return file_size(database) or 0


def _synthetic() -> list[Figure]:
    """200 versions of an invented record of 45 KB: what they take, and the slowest to give back."""
    with TemporaryDirectory() as folder:
        url = f"sqlite:///{folder}/archive.sqlite3"
        make_tables(url)
        database = Database(url)
        try:
            record, contents = large_record(), []
            for at in range(200):
                record = small_change(record, at)
                contents.append(
                    ("NCT99000001", f"2026-03-01T00:{at // 60:02d}:{at % 60:02d}", json.dumps(record).encode())
                )
            _append(database, contents)
            what = "200 versions of an invented record of 45 KB"
            found = [Figure(f"{what}, as appended", _size(database), "KB", bound="< 60 KB")]
            found.append(Figure("the slowest of them to give back", _slowest(database) * 1000, "ms", bound="< 5 ms"))
            repack(database, NOW)
            found.append(Figure(f"{what}, after archive repack", _size(database), "KB", bound="< 60 KB"))
            found.append(Figure("the slowest of them to give back", _slowest(database) * 1000, "ms", bound="< 5 ms"))
            return found
        finally:
            database.dispose()


def _size(database: Database) -> float:
    return stored_size(database) / 1000


def _slowest(database: Database) -> float:
    with database.read() as connection:
        last = connection.execute(select(func.max(versions.c.number))).scalar_one()
        return max(
            min(cpu(lambda number=number: archive.read_version(connection, number)) for _ in range(3))  # type: ignore[misc]
            for number in range(1, last + 1)
        )
