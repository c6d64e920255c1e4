"""Does an audit file hold together, byte by byte, and does its chain lead to a head that is known elsewhere?

Needs no database. Files may come from anybody: nothing is unpacked, what is read at once is bounded, and whatever is
not as an export writes it is said, not repaired.
"""

import hashlib
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO, TypeVar

import msgspec
from msgspec import Struct

from monitor.audit import form
from monitor.audit.container import ContainerError, Reader, crc_of, open_file
from monitor.audit.form import Manifest, VersionLine
from snapshots.archive import chained

MOST_PROBLEMS = 100
LARGEST_MANIFEST = 32 << 20
LARGEST_LINE = 64 << 20
_HEAD = re.compile("[0-9a-f]{8,64}")
_HASH = re.compile("[0-9a-f]{64}")

T = TypeVar("T", bound=Struct)


class Verdict(Struct, frozen=True, kw_only=True):
    """What a check found. `problems`: one sentence each, none where everything fits. `manifest` is None where the file
    has none that can be read; `seal` is its SHA-256. `head_at`: the append after which the chain had the given head;
    `proven` and `versions`: how many of the versions stand before it (all, where no head was given); of `pruned` of
    them the bytes were taken away before the export, which the file states.
    """

    problems: tuple[str, ...]
    manifest: Manifest | None = None
    seal: str | None = None
    head_at: int | None = None
    proven: int = 0
    versions: int = 0
    pruned: int = 0


class WrongHead(ValueError):  # noqa: N818  # it says what is so
    """The head to compare with is none; the message says how one looks."""


def verify(file: Path, head: str | None = None) -> Verdict:
    """Check an audit file; `head` are the 12 hex digits that a message printed, or more of them.

    Raises WrongHead for what cannot be a head. A file that cannot be read is a problem like others.
    """
    wanted = None if head is None else _head(head)
    check = _Check(wanted)
    try:
        with open_file(file) as opened:
            check.run(opened)
    except ContainerError as error:
        check.problem(str(error))
    except OSError as error:
        check.problem(f"{file}: cannot be read: {error.strerror}")
    return check.verdict()


def _head(text: str) -> str:
    digits = text.strip().lower()
    if not _HEAD.fullmatch(digits):
        raise WrongHead(f"not the head of an archive: {text!r} (12 hex digits, as messages print them)")
    return digits


class _Check:
    """One check of one file; every part goes on as far as it can, so that all that does not fit is said."""

    def __init__(self, wanted: str | None) -> None:
        self._wanted = wanted
        self._problems: list[str] = []
        self._manifest: Manifest | None = None
        self._seal: str | None = None
        self._lines: dict[int, VersionLine] = {}
        self._head_at: int | None = None

    def problem(self, words: str) -> None:
        if len(self._problems) < MOST_PROBLEMS:
            self._problems.append(words)

    def verdict(self) -> Verdict:
        proven = sum(self._wanted is None or number <= (self._head_at or 0) for number in self._lines)
        return Verdict(
            problems=tuple(self._problems),
            manifest=self._manifest,
            seal=self._seal,
            head_at=self._head_at,
            proven=proven,
            versions=len(self._lines),
            pruned=sum(line.pruned is not None for line in self._lines.values()),
        )

    def run(self, file: BinaryIO) -> None:
        reader = Reader(file)
        for member in reader.members.values():
            if crc_of(reader, member) != member.crc:
                self.problem(f"{member.name}: its content is damaged (CRC-32)")
        manifest = self._read_manifest(reader)
        if manifest is None:
            return
        self._members(reader, manifest)
        self._versions(reader, manifest)
        self._chain(reader, manifest)
        told = self._changes(reader, manifest)
        self._deliveries(reader, manifest, told)

    # --- the manifest and what it lists -------------------------------------------------------------------------------

    def _read_manifest(self, reader: Reader) -> Manifest | None:
        content = reader.read(form.MANIFEST, LARGEST_MANIFEST)
        self._seal = hashlib.sha256(content).hexdigest()
        seal = reader.read(form.SEAL, 1000)
        if seal != f"{self._seal}  {form.MANIFEST}\n".encode():
            self.problem(f"{form.MANIFEST}: its SHA-256 is not the one in {form.SEAL}")
        try:
            manifest = msgspec.json.decode(content, type=Manifest)
            is_as_written = form.manifest_bytes(manifest) == content
        except (msgspec.MsgspecError, UnicodeError, RecursionError) as error:
            self.problem(f"{form.MANIFEST}: cannot be read: {error}")
            return None
        if manifest.format != form.FORMAT:
            self.problem(
                f"{form.MANIFEST}: of another format, {manifest.format[:60]!r}; this program reads {form.FORMAT}"
            )
            return None
        if not is_as_written:
            self.problem(f"{form.MANIFEST}: is not written as an export writes it")
        if manifest.addresses not in (form.HASHED, form.PLAIN):
            self.problem(f"{form.MANIFEST}: addresses are {manifest.addresses[:60]!r}, neither hashed nor plain")
        self._manifest = manifest
        return manifest

    def _members(self, reader: Reader, manifest: Manifest) -> None:
        expected = [*manifest.members, form.MANIFEST, form.SEAL]
        found = list(reader.members)
        for name in sorted(set(expected) - set(found)):
            self.problem(f"{name} is listed in {form.MANIFEST} and missing")
        for name in sorted(set(found) - set(expected)):
            self.problem(f"{name} is in the file and not listed in {form.MANIFEST}")
        if set(found) == set(expected) and found != expected:
            self.problem("the members are not in the order of the manifest")
        for name in (form.VERSIONS, form.CHANGES, form.DELIVERIES, form.GAPS, form.CHAIN, form.REPORT):
            if name not in manifest.members:
                self.problem(f"{name} is not listed in {form.MANIFEST}")
        for name, sealed in manifest.members.items():
            if name in reader.members and _sha256(reader, name) != (sealed.sha256, sealed.size):
                self.problem(f"{name}: its SHA-256 or size is not the one in {form.MANIFEST}")

    # --- versions and chain -------------------------------------------------------------------------------------------

    def _versions(self, reader: Reader, manifest: Manifest) -> None:
        for place, content in self._numbered(reader, form.VERSIONS, manifest.counts.versions):
            line = self._decoded(content, VersionLine, place)
            if line is None:
                continue
            if msgspec.json.encode(line) != content or line.number in self._lines:
                self.problem(f"{place}: is not as an export writes it, or there twice")
            self._lines[line.number] = line
            self._raw(reader, line, place)
        listed = {line.file for line in self._lines.values() if line.pruned is None}
        for name in reader.members:
            if name.startswith(form.RAW) and name not in listed:
                self.problem(f"{name}: no version of {form.VERSIONS} has these bytes")

    def _raw(self, reader: Reader, line: VersionLine, place: str) -> None:
        if line.pruned is not None:
            # that no member has its bytes is looked at by `_versions`
            return
        if line.file not in reader.members:
            self.problem(f"{place}: {line.file}, the bytes of version {line.number}, is missing")
        elif _sha256(reader, line.file) != (line.raw_sha256, line.raw_size):
            self.problem(f"version {line.number}: {line.file} does not hold the bytes that were received")

    def _chain(self, reader: Reader, manifest: Manifest) -> None:
        chain = manifest.chain
        if not _HASH.fullmatch(chain.before) or not _HASH.fullmatch(chain.head.hash):
            self.problem(f"{form.MANIFEST}: a hash of the chain is none")
            return
        number, hash_ = chain.first - 1, bytes.fromhex(chain.before)
        if number == 0 and any(hash_):
            self.problem("the chain does not begin as every archive's does")
        self._compare(number, hash_)
        seen = 0
        for place, content in self._numbered(reader, form.CHAIN, None):
            digest = self._link(content, number + 1, place)
            if digest is None:
                return
            number, hash_ = number + 1, chained(hash_, number + 1, digest)
            seen += number in self._lines
            self._compare(number, hash_)
            if number in self._lines and self._lines[number].chain_hash != hash_.hex():
                self.problem(f"version {number}: the chain's hash after it is another")
        if (number, hash_.hex()) != (chain.head.number, chain.head.hash):
            self.problem(f"the chain ends at append {number} with another hash than the head in {form.MANIFEST}")
        if seen != len(self._lines):
            self.problem(f"{len(self._lines) - seen} of the versions are not in the chain")
        if self._wanted is not None and self._head_at is None:
            self.problem(
                f"the head {self._wanted} is none that the chain had from append {chain.first} to {chain.head.number}: "
                "the message came from another archive, before this record's first version or after this export, or "
                "the archive was altered since"
            )

    def _link(self, content: bytes, number: int, place: str) -> bytes | None:
        """The digest in a line of the chain, which for versions in the file must be theirs."""
        match = re.fullmatch(rb"([1-9][0-9]{0,17}) ([0-9a-f]{64})", content)
        if match is None or int(match[1]) != number:
            self.problem(f"{place}: append {number} is missing, or not written as an export writes it")
            return None
        digest = bytes.fromhex(match[2].decode())
        line = self._lines.get(number)
        if line is not None and _digest(line) != digest:
            self.problem(f"version {number}: its facts in {form.VERSIONS} are not those that the chain binds")
        return digest

    def _compare(self, number: int, hash_: bytes) -> None:
        # the hash before the first append is that of every archive: it tells none apart
        if number and self._wanted and self._head_at is None and hash_.hex().startswith(self._wanted):
            self._head_at = number

    # --- what was told ------------------------------------------------------------------------------------------------

    def _changes(self, reader: Reader, manifest: Manifest) -> set[Any]:
        ids: set[Any] = set()
        for place, content in self._numbered(reader, form.CHANGES, manifest.counts.changes):
            change = self._decoded(content, _ChangeLine, place)
            if change is None:
                continue
            ids.add(change.id)
            for number in (change.from_version, change.to_version):
                if number is not None and number not in self._lines:
                    self.problem(f"{place}: version {number}, which change {change.id} is about, is not in the file")
        return ids

    def _deliveries(self, reader: Reader, manifest: Manifest, told: set[Any]) -> None:
        for place, content in self._numbered(reader, form.DELIVERIES, manifest.counts.deliveries):
            delivery = self._decoded(content, _DeliveryLine, place)
            if delivery is None:
                continue
            for change in sorted(set(delivery.changes) - told):
                self.problem(f"{place}: change {change}, which was told, is not in the file")
            if manifest.addresses == form.HASHED and not _HASH.fullmatch(delivery.to):
                self.problem(f"{place}: an address is in the clear, against what {form.MANIFEST} says")

    # --- lines --------------------------------------------------------------------------------------------------------

    def _numbered(self, reader: Reader, name: str, count: int | None) -> Iterator[tuple[str, bytes]]:
        """The lines of a member and what to call each; how many there are must be as the manifest says."""
        number = 0
        if name in reader.members:
            for number, line in enumerate(_lines(reader, name), start=1):
                yield f"{name}, line {number}", line
        if count not in (None, number):
            self.problem(f"{name}: has {number} lines, {form.MANIFEST} says {count}")

    def _decoded(self, content: bytes, kind: type[T], place: str) -> T | None:
        try:
            return msgspec.json.decode(content, type=kind)
        except (msgspec.MsgspecError, UnicodeError, RecursionError) as error:
            self.problem(f"{place}: cannot be read: {error}")
            return None


class _ChangeLine(Struct, frozen=True):
    """What a check needs of a change."""

    id: int
    from_version: int | None
    to_version: int | None


class _DeliveryLine(Struct, frozen=True):
    """What a check needs of a delivery."""

    id: str
    to: str
    changes: tuple[int, ...]


def _digest(line: VersionLine) -> bytes | None:
    try:
        return line.digest()
    except (ValueError, OverflowError):
        return None


def _sha256(reader: Reader, name: str) -> tuple[str, int]:
    digest, size = hashlib.sha256(), 0
    for chunk in reader.chunks(reader.members[name]):
        digest.update(chunk)
        size += len(chunk)
    return digest.hexdigest(), size


def _lines(reader: Reader, name: str) -> Iterator[bytes]:
    """The lines of a member, each ended by a line feed. Raises ContainerError for one that is too long or not ended."""
    rest = b""
    for chunk in reader.chunks(reader.members[name]):
        *whole, rest = (rest + chunk).split(b"\n")
        yield from whole
        if len(rest) > LARGEST_LINE:
            raise ContainerError(f"{name}: has a line longer than any that is written")
    if rest:
        raise ContainerError(f"{name}: its last line does not end")
