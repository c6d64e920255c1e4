"""What stands in an audit file: its members, the manifest, a line per version; the same for writing and for checking.

The raw bytes of version 17 are `versions/000017.json`. `manifest.sha256`
holds the SHA-256 of `manifest.json`, which holds those of all others.
"""

from datetime import UTC, datetime

import msgspec
from msgspec import Struct

from snapshots.archive import Link, VersionInfo, link_digest

FORMAT = "trialdelta-audit-1"
REPORT, VERSIONS, CHANGES, DELIVERIES = "report.html", "versions.jsonl", "changes.jsonl", "deliveries.jsonl"
GAPS, CHAIN, MANIFEST, SEAL = "gaps.jsonl", "chain.txt", "manifest.json", "manifest.sha256"
RAW = "versions/"
HASHED, PLAIN = "hashed", "plain"


class About(Struct, frozen=True, forbid_unknown_fields=True):
    """The record that the file is about; `former_ids` select it too."""

    registry: str
    id: str
    former_ids: tuple[str, ...]
    title: str


class Head(Struct, frozen=True, forbid_unknown_fields=True):
    """The last append of the archive and the chain's hash after it (hex)."""

    number: int
    hash: str


class Chain(Struct, frozen=True, forbid_unknown_fields=True):
    """Which part of the archive's chain is in the file: from append `first` (the hash before it: `before`, hex) to the
    archive's head at the time of the export.
    """

    first: int
    before: str
    head: Head


class Counts(Struct, frozen=True, forbid_unknown_fields=True):
    """How many lines the members have."""

    versions: int
    changes: int
    deliveries: int


class Sealed(Struct, frozen=True, forbid_unknown_fields=True):
    """A member's SHA-256 (hex) and size in bytes."""

    sha256: str
    size: int


class Manifest(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What the file holds. `addresses` is "hashed" or "plain"; times are RFC 3339 in UTC."""

    format: str
    program: str
    exported_at: str
    record: About
    addresses: str
    counts: Counts
    chain: Chain
    members: dict[str, Sealed]


class PrunedLine(Struct, frozen=True, forbid_unknown_fields=True):
    """When a version's bytes were taken away on purpose (RFC 3339 in UTC), and by whom."""

    at: str
    by: str


class VersionLine(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, omit_defaults=True):
    """One version: the facts that its link in the chain binds, and the chain's hash after it; hashes in hex.

    With `pruned` its bytes are not in the file: the gap is stated, and the chain goes on over it.
    """

    number: int
    registry: str
    registry_id: str
    source: str
    release: str | None
    registry_date: str | None
    registry_version: int | None
    observed_at: str
    raw_sha256: str
    raw_size: int
    content_hash: str
    chain_hash: str
    pruned: PrunedLine | None = None

    @property
    def file(self) -> str:
        return raw_name(self.number)

    def digest(self) -> bytes:
        """What stands in the chain for this append. Raises ValueError where a hash or the time is none."""
        return link_digest(
            Link(
                number=self.number,
                registry=self.registry,
                registry_id=self.registry_id,
                raw_sha256=bytes.fromhex(self.raw_sha256),
                content_hash=bytes.fromhex(self.content_hash),
                source=self.source,
                release=self.release,
                registry_date=self.registry_date,
                registry_version=self.registry_version,
                observed_at=datetime.fromisoformat(self.observed_at),
            )
        )


def raw_name(number: int) -> str:
    """Under which name the raw bytes of a version are in the file."""
    return f"{RAW}{number:06d}.json"


def version_line(version: VersionInfo) -> VersionLine:
    """What the file says of a stored version."""
    return VersionLine(
        number=version.number,
        registry=version.registry,
        registry_id=version.registry_id,
        source=version.source,
        release=version.release,
        registry_date=version.registry_date,
        registry_version=version.registry_version,
        observed_at=exact(version.observed_at),
        raw_sha256=version.raw_sha256.hex(),
        raw_size=version.raw_size,
        content_hash=version.content_hash.hex(),
        chain_hash=version.chain_hash.hex(),
        pruned=None if version.pruned_at is None else PrunedLine(exact(version.pruned_at), version.pruned_by or ""),
    )


def exact(moment: datetime) -> str:
    """A time as the chain binds it: RFC 3339 in UTC with six decimals."""
    return moment.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def manifest_bytes(manifest: Manifest) -> bytes:
    """The manifest as it is written: indented, so that a person can read it."""
    return msgspec.json.format(msgspec.json.encode(manifest), indent=1) + b"\n"
