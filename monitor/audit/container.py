"""One file of many members that any zip program opens, of which every byte follows from names and contents.

Members are stored as they are, one after the other, at one fixed time: nothing can be hidden between them, nothing can
swell on reading, and any altered byte shows, be it of a content or of the container itself.
"""

import re
import struct
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from msgspec import Struct

AT_ONCE = 1 << 20
LARGEST_FILE = 0xFFFF_FFFF - 1
MOST_MEMBERS = 0xFFFF - 1
_NAME = re.compile(r"[a-z0-9][a-z0-9._-]*(/[a-z0-9][a-z0-9._-]*)?")
_LOCAL = struct.Struct("<4s5H3L2H")
_CENTRAL = struct.Struct("<4s6H3L5H2L")
_END = struct.Struct("<4s4H2LH")
_LOCAL_SIGN, _CENTRAL_SIGN, _END_SIGN = b"PK\x03\x04", b"PK\x01\x02", b"PK\x05\x06"
_NEEDS, _MADE_BY_UNIX = 20, 3 << 8 | 20
_MIDNIGHT, _DAY = 0, 0x21
"""1 January 1980, the first day that a zip file can say."""
_MODE = 0o100644 << 16


class ContainerError(Exception):
    """The file is not what an export writes, or too much for one; the message says where it departs from that."""


class Member(Struct, frozen=True):
    """A member: where its content begins in the file, how long it is, and its CRC-32."""

    name: str
    crc: int
    size: int
    header_at: int

    @property
    def at(self) -> int:
        return self.header_at + _LOCAL.size + len(self.name)


class Writer:
    """Puts members into `file`, which is empty and open for writing, one after the other; `close` ends it."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._at = 0
        self._members: list[Member] = []

    def add(self, name: str, content: bytes) -> None:
        """Add a member. Raises ContainerError where the file would grow beyond what a zip file can hold."""
        member = Member(name, zlib.crc32(content), len(content), self._at)
        if member.at + member.size > LARGEST_FILE or len(self._members) == MOST_MEMBERS:
            raise ContainerError("one file holds at most 4 GB and 65,534 members: this record has more")
        self._write(_local(member) + content)
        self._members.append(member)

    def close(self) -> None:
        """Write the list of members."""
        self._write(_directory(self._members, self._at))

    def _write(self, data: bytes) -> None:
        self._file.write(data)
        self._at += len(data)


class Reader:
    """The members of `file` (open for reading), as `Writer` has written them. Raises ContainerError for any other."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._size = file.seek(0, 2)
        self.members: dict[str, Member] = {}
        self._read_headers()

    def chunks(self, member: Member) -> Iterator[bytes]:
        """The content, a piece at a time."""
        self._file.seek(member.at)
        left = member.size
        while left:
            chunk = self._file.read(min(left, AT_ONCE))
            if not chunk:
                raise ContainerError(f"the file ends within {member.name}")
            left -= len(chunk)
            yield chunk

    def read(self, name: str, at_most: int) -> bytes:
        """The whole content. Raises ContainerError where there is none of that name, or it is larger than that."""
        member = self.members.get(name)
        if member is None:
            raise ContainerError(f"{name} is missing")
        if member.size > at_most:
            raise ContainerError(f"{name} is larger ({member.size:,} bytes) than any that is written")
        return b"".join(self.chunks(member))

    def _read_headers(self) -> None:
        at = 0
        while self._peek(at, 4) == _LOCAL_SIGN:
            member = self._member(at)
            self.members[member.name] = member
            at = member.at + member.size
            if at > min(self._size, LARGEST_FILE):
                raise ContainerError(f"the file ends within {member.name}")
        expected = _directory(list(self.members.values()), at)
        found = self._peek(at, len(expected) + 1)
        if found != expected:
            differs = next((n for n, pair in enumerate(zip(found, expected, strict=False)) if pair[0] != pair[1]), None)
            place = at + (min(len(found), len(expected)) if differs is None else differs)
            raise ContainerError(f"it departs at byte {place:,} from what an export writes (damaged, or cut off)")

    def _member(self, at: int) -> Member:
        head = self._peek(at, _LOCAL.size)
        if len(head) < _LOCAL.size:
            raise ContainerError(f"the file ends at byte {at + len(head):,}, within a member's head")
        fields = _LOCAL.unpack(head)
        crc, size, length = fields[6], fields[8], fields[9]
        name = self._peek(at + _LOCAL.size, min(length, 200)).decode("latin-1")
        if not _NAME.fullmatch(name) or len(name) != length:
            raise ContainerError(f"a member at byte {at:,} has a name that no export writes: {name[:60]!r}")
        member = Member(name, crc, size, at)
        if head + name.encode() != _local(member):
            raise ContainerError(f"the head of {name} at byte {at:,} is not what an export writes")
        if name in self.members:
            raise ContainerError(f"{name} is there twice")
        if len(self.members) == MOST_MEMBERS:
            raise ContainerError("it has more members than a file can hold")
        return member

    def _peek(self, at: int, size: int) -> bytes:
        self._file.seek(at)
        return self._file.read(size)


def crc_of(reader: Reader, member: Member) -> int:
    """The CRC-32 of what the member holds now."""
    crc = 0
    for chunk in reader.chunks(member):
        crc = zlib.crc32(chunk, crc)
    return crc


def open_file(file: Path) -> BinaryIO:
    """The file, open for reading. Raises ContainerError where it cannot be."""
    try:
        if not file.is_file():
            raise ContainerError(f"{file}: there is no such file")
        return file.open("rb")
    except OSError as error:
        raise ContainerError(f"{file}: cannot be read: {error.strerror}") from error


def _local(member: Member) -> bytes:
    name = member.name.encode("ascii")
    facts = (_NEEDS, 0, 0, _MIDNIGHT, _DAY, member.crc, member.size, member.size, len(name), 0)
    return _LOCAL.pack(_LOCAL_SIGN, *facts) + name


def _directory(members: list[Member], at: int) -> bytes:
    entries = b"".join(map(_central, members))
    count = len(members)
    return entries + _END.pack(_END_SIGN, 0, 0, count, count, len(entries), at, 0)


def _central(member: Member) -> bytes:
    name = member.name.encode("ascii")
    same = (_NEEDS, 0, 0, _MIDNIGHT, _DAY, member.crc, member.size, member.size, len(name), 0)
    return _CENTRAL.pack(_CENTRAL_SIGN, _MADE_BY_UNIX, *same, 0, 0, 0, _MODE, member.header_at) + name
