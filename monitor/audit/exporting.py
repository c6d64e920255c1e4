"""One file about one record that outlives this installation: versions, changes, who was told, and the chain."""

import hashlib
from collections.abc import Iterable, Sequence
from datetime import datetime
from pathlib import Path

import msgspec
from msgspec import Struct
from sqlalchemy import Connection

from monitor import __version__
from monitor.audit import form
from monitor.audit.container import ContainerError, Writer
from monitor.audit.form import Manifest, Sealed
from monitor.audit.report import Contents, render
from monitor.audit.told import Told, told
from notifiers import ledger
from snapshots import archive
from snapshots.archive import Gap, Record, Step, VersionInfo, rfc3339, stored_change_json
from snapshots.database import Database
from snapshots.registries.ctgov.ids import record_page


class AuditError(Exception):
    """An audit file cannot be made; the message says why in one line."""


class Exported(Struct, frozen=True, kw_only=True):
    """What an export holds. `seal` is the SHA-256 of its manifest (hex): who keeps it can tell the file from any other;
    `head` the archive's at that time.
    """

    manifest: Manifest
    seal: str
    size: int

    @property
    def head(self) -> str:
        return self.manifest.chain.head.hash[:12]


def export(database: Database, about: tuple[str, str], file: Path, *, now: datetime, key: bytes | None) -> Exported:
    """Write the audit file of a record, `about` its registry and any of its ids, to `file`, which must not exist.

    `now` is aware UTC and stands in the file: the same archive gives the same bytes at the same time. `key` is what
    addresses are hashed under, and is not in the file; None puts them there in the clear.
    Raises AuditError, DatabaseError; `archive.Corrupt` where a version cannot be read.
    """
    if file.exists():
        raise AuditError(f"{file} exists already; an export is never written over another file")
    draft = file.with_name(f".{file.name}.draft")
    try:
        with database.read() as connection, draft.open("wb") as target:
            draft.chmod(0o600)
            kept = _kept(connection, about, key)
            manifest, seal = _write(connection, kept, Writer(target), now)
        size = draft.stat().st_size
        draft.rename(file)
    except ContainerError as error:
        raise AuditError(f"{about[1]}: {error}") from error
    except OSError as error:
        raise AuditError(f"{file} cannot be written: {error.strerror}") from error
    finally:
        draft.unlink(missing_ok=True)
    return Exported(manifest=manifest, seal=seal, size=size)


class _Sealing:
    """Puts members into the file and notes what the manifest says of them."""

    def __init__(self, writer: Writer) -> None:
        self._writer = writer
        self.members: dict[str, Sealed] = {}

    def add(self, name: str, content: bytes) -> None:
        self._writer.add(name, content)
        self.members[name] = Sealed(hashlib.sha256(content).hexdigest(), len(content))

    def end(self, manifest: bytes) -> str:
        seal = hashlib.sha256(manifest).hexdigest()
        self._writer.add(form.MANIFEST, manifest)
        self._writer.add(form.SEAL, f"{seal}  {form.MANIFEST}\n".encode())
        self._writer.close()
        return seal


class _Kept(Struct, frozen=True, kw_only=True):
    """All that is kept of a record, but for the versions' bytes; `digests` are the lines of the chain."""

    about: form.About
    versions: list[VersionInfo]
    steps: list[Step]
    told: list[Told]
    gaps: list[Gap]
    addresses: str
    chain: form.Chain
    digests: bytes

    @property
    def appended(self) -> list[VersionInfo]:
        """The versions in append order."""
        return sorted(self.versions, key=lambda version: version.number)


def _kept(connection: Connection, about: tuple[str, str], key: bytes | None) -> _Kept:
    record, versions = archive.find_record(connection, *about), archive.versions(connection, *about)
    if record is None or not versions:
        raise AuditError(f"nothing is stored of {about[1]}; to watch it: trialdelta watch add {about[1]}")
    steps = archive.steps(connection, *about, with_superseded=True)
    chain, digests = _chain(connection, versions)
    return _Kept(
        about=form.About(record.registry, record.registry_id, record.former_ids, record.title),
        versions=versions,
        steps=steps,
        told=_told(connection, record, steps, key),
        gaps=archive.gaps(connection, *about),
        addresses=form.PLAIN if key is None else form.HASHED,
        chain=chain,
        digests=digests,
    )


def _write(connection: Connection, kept: _Kept, writer: Writer, now: datetime) -> tuple[Manifest, str]:
    sealing = _Sealing(writer)
    sealing.add(form.REPORT, render(_contents(connection, kept, now)).encode())
    sealing.add(form.VERSIONS, _lines(form.version_line(version) for version in kept.appended))
    changes = [line for step in kept.steps for line in _change_lines(step)]
    sealing.add(form.CHANGES, _lines(changes))
    sealing.add(form.DELIVERIES, _lines(kept.told))
    sealing.add(form.GAPS, _lines(kept.gaps))
    sealing.add(form.CHAIN, kept.digests)
    for version in (each for each in kept.appended if each.pruned is None):
        sealing.add(form.raw_name(version.number), archive.read_version(connection, version.number))
    manifest = Manifest(
        format=form.FORMAT,
        program=__version__,
        exported_at=rfc3339(now),
        record=kept.about,
        addresses=kept.addresses,
        counts=form.Counts(len(kept.versions), len(changes), len(kept.told)),
        chain=kept.chain,
        members=sealing.members,
    )
    return manifest, sealing.end(form.manifest_bytes(manifest))


def _contents(connection: Connection, kept: _Kept, now: datetime) -> Contents:
    return Contents(
        about=kept.about,
        url=record_page(kept.about.id),
        versions=tuple(kept.versions),
        steps=tuple(step for step in kept.steps if step.superseded_by is None),
        told=tuple(kept.told),
        gaps=tuple(kept.gaps),
        chain=kept.chain,
        exported_at=now,
        addresses=kept.addresses,
        raw=lambda number: archive.read_version(connection, number),
    )


def _change_lines(step: Step) -> Iterable[object]:
    url = record_page(step.registry_id) if step.registry_id else None
    for stored in step.changes:
        yield stored_change_json(step, stored, url) | {
            "step": step.id,
            "step_cause": step.cause,
            "superseded_by": step.superseded_by,
            "rules_version": stored.rules_version,
        }


def _told(connection: Connection, record: Record, steps: Sequence[Step], key: bytes | None) -> list[Told]:
    changes = {stored.id for step in steps for stored in step.changes}
    entries = ledger.of_record(connection, record.registry, record.registry_id)
    return [told(entry, changes, key) for entry in entries]


def _chain(connection: Connection, versions: Sequence[VersionInfo]) -> tuple[form.Chain, bytes]:
    """From the first append of this record to the archive's head, the others by their digests."""
    first = min(version.number for version in versions)
    before = archive.version_info(connection, first - 1).chain_hash if first > 1 else bytes(32)
    lines = [f"{each.number} {each.digest.hex()}\n" for each in archive.digests(connection, first)]
    head = archive.chain_head(connection)
    return form.Chain(first, before.hex(), form.Head(head.number, head.hash.hex())), "".join(lines).encode()


def _lines(values: Iterable[object]) -> bytes:
    return b"".join(msgspec.json.encode(value) + b"\n" for value in values)
