"""Invented records in files: made once, some thousand a file, and read as the registry's lines wherever they stand."""

import mmap
from array import array
from bisect import bisect_right
from collections.abc import Iterator, MutableMapping
from concurrent.futures import ProcessPoolExecutor
from functools import cache
from itertools import accumulate
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import msgspec

from monitor.demo.catalogue import Catalogue
from monitor.demo.faults import Answer, Fault
from tests.benchmarks.synthetic.studies import FIRST_ID, Studies, record_id
from tests.benchmarks.synthetic.wording import Wording

Json = Any
IN_A_FILE = 5_000
_ID_ALONE = "NCTId"


def write(folder: Path, count: int, processes: int = 2) -> int:
    """The first `count` records as files in `folder`; how many bytes they are."""
    starts = range(0, count, IN_A_FILE)
    if len(starts) == 1:
        return _write_some(folder, 0, count)
    with ProcessPoolExecutor(processes, get_context("spawn")) as several:
        return sum(several.map(_write_some, *zip(*((folder, at, min(IN_A_FILE, count - at)) for at in starts),
                                                 strict=True)))  # fmt: skip


@cache
def worded() -> tuple[Studies, Wording]:
    """Who makes the records, and with which words; once in a process."""
    wording = Wording()
    return Studies(wording), wording


def _write_some(folder: Path, first: int, count: int) -> int:
    studies, _ = worded()
    sizes = array("Q")
    with (folder / f"{first:07}.ndjson").open("wb") as file:
        for nth in range(first, first + count):
            line = msgspec.json.encode(studies.study(nth))
            sizes.append(len(line))
            file.write(line + b"\n")
    (folder / f"{first:07}.sizes").write_bytes(sizes.tobytes())
    return sum(sizes)


class _File:
    """Some records in a row; their bytes stay in the file."""

    def __init__(self, path: Path) -> None:
        self.first = int(path.stem)
        sizes = array("Q", path.with_suffix(".sizes").read_bytes())
        self._ends = list(accumulate(size + 1 for size in sizes))
        self.count = len(self._ends)
        with path.open("rb") as file:
            self._bytes = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)

    def line(self, nth: int) -> bytes:
        at = nth - self.first
        return self._bytes[self._ends[at - 1] if at else 0 : self._ends[at] - 1]


class _StoredLine:
    """A record as it is served, with the fields that a sweep asks for or with its id alone."""

    def __init__(self, line: bytes) -> None:
        self._line = line

    @property
    def own(self) -> dict[str, Json]:
        return msgspec.json.decode(self._line)  # type: ignore[no-any-return]

    def bytes_for(self, fields: str, _tree: Json, _date: str) -> bytes:
        if fields != _ID_ALONE:
            return self._line
        section = {"protocolSection": {"identificationModule": self.own["protocolSection"]["identificationModule"]}}
        section["protocolSection"]["identificationModule"] = {
            "nctId": section["protocolSection"]["identificationModule"]["nctId"]
        }
        return msgspec.json.encode(section)


class _Lines(MutableMapping[str, Any]):
    """Records by id: those of the files, and over them what later releases say."""

    def __init__(self, folder: Path) -> None:
        self._files = [_File(path) for path in sorted(folder.glob("*.ndjson"))]
        self._firsts = [file.first for file in self._files]
        self._count = sum(file.count for file in self._files)
        self._newer: dict[str, Any] = {}
        self._gone: set[str] = set()

    def __getitem__(self, record: str) -> Any:
        if record in self._newer:
            return self._newer[record]
        if record not in self:
            raise KeyError(record)
        nth = int(record[3:]) - FIRST_ID
        return _StoredLine(self._files[bisect_right(self._firsts, nth) - 1].line(nth))

    def __setitem__(self, record: str, line: Any) -> None:
        self._newer[record] = line
        self._gone.discard(record)

    def __delitem__(self, record: str) -> None:
        if record not in self:
            raise KeyError(record)
        self._newer.pop(record, None)
        self._gone.add(record)

    def __contains__(self, record: object) -> bool:
        return record not in self._gone and (record in self._newer or self._is_stored(record))

    def _is_stored(self, record: object) -> bool:
        return isinstance(record, str) and 0 <= int(record[3:]) - FIRST_ID < self._count

    def __iter__(self) -> Iterator[str]:
        stored = (record_id(nth) for nth in range(self._count))
        yield from (record for record in stored if record not in self._gone)
        yield from (record for record in self._newer if not self._is_stored(record))

    def __len__(self) -> int:
        return sum(1 for _ in self)


class StoredCatalogue(Catalogue):
    """What the stand-in's registry lists where it is too much to hold: the records of a folder that `write` filled.

    Answers are never packed: neither the packing nor the unpacking is anybody's figure.
    """

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self._lines = _Lines(folder)  # type: ignore[assignment]
        self._order: list[str] = []

    def put(self, record: str, study: Any) -> None:
        """See `Catalogue.put`."""
        super().put(record, study)
        self._order = []

    def drop(self, ids: Any) -> None:
        """See `Catalogue.drop`."""
        super().drop(ids)
        self._order = []

    def bytes_of(self, record: str) -> bytes:
        """A record as it is served with the fields that a sweep asks for. Raises KeyError."""
        line: bytes = self._lines[record].bytes_for("", {}, "")
        return line

    def answer(self, path: str, query: dict[str, str], fault: Fault | None = None) -> Answer:
        """See `Catalogue.answer`."""
        answer = super().answer(path, query, fault)
        answer.headers["Content-Encoding"] = "identity"
        return answer

    def _listed(self, query: dict[str, str]) -> list[str]:
        if "filter.ids" in query:
            return super()._listed(query)
        self._order = self._order or list(self._lines)
        return self._order
