"""What the stand-in's registry lists: records by release, found by id or words, told page by page.

Free of sockets: a request's path and query go in, an answer comes out. `monitor.demo.standin` serves it.
"""

import base64
import json
import re
import zlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from typing import Any
from urllib.parse import urlencode

import msgspec

from monitor.demo.faults import Answer, Fault, text
from monitor.demo.past import as_past, listed
from monitor.demo.projection import UnknownFieldError, Wanted, project, wanted
from notifiers.conditions import STATUSES

Json = Any
Study = dict[str, Json] | bytes
"""A record to serve: an object, or bytes; bytes that are no JSON object are served just as they are."""

_ID = re.compile(r"NCT0*[1-9]\d{0,7}", re.IGNORECASE)
_STAMP = "0000-00-00"
_JSON = {"Content-Type": "application/json"}
_SEARCHED: Mapping[str, tuple[str, ...]] = {
    "query.cond": ("conditionsModule", "identificationModule"),
    "query.term": (),
    "query.locn": ("contactsLocationsModule",),
    "query.titles": ("identificationModule",),
    "query.intr": ("armsInterventionsModule",),
    "query.outc": ("outcomesModule",),
    "query.spons": ("sponsorCollaboratorsModule",),
    "query.lead": ("sponsorCollaboratorsModule",),
    "query.id": ("identificationModule",),
}
"""Parameters that look for words in a module's text, everywhere where no module is named."""
_PARAMETERS = frozenset(
    {
        *_SEARCHED,
        "filter.ids",
        "filter.overallStatus",
        "fields",
        "format",
        "markupFormat",
        "pageSize",
        "pageToken",
        "countTotal",
        "sort",
    }
)


class _RefusedError(Exception):
    """A request that is answered with a plain text."""

    def __init__(self, status: int, words: str) -> None:
        super().__init__(words)
        self.answer = text(status, words)


class _Line:
    """One study, serialised once per list of fields; its release stamp is put in on sending."""

    def __init__(self, study: Study) -> None:
        self.own = _decoded(study)
        self._verbatim = study if isinstance(study, bytes) and not self.own else None
        self._serialised: dict[str, tuple[bytes, bytes | None]] = {}

    def bytes_for(self, fields: str, tree: Wanted, date: str) -> bytes:
        if self._verbatim is not None:
            return self._verbatim
        if fields not in self._serialised:
            self._serialised[fields] = self._serialise(tree)
        before, after = self._serialised[fields]
        return before if after is None else b"%b%b%b" % (before, date.encode(), after)

    def _serialise(self, tree: Wanted) -> tuple[bytes, bytes | None]:
        line = msgspec.json.encode(project(_stamped(self.own), tree))
        before, mark, after = line.partition(b'"versionHolder":"%b"' % _STAMP.encode())
        return (before + b'"versionHolder":"', b'"' + after) if mark else (line, None)


class Catalogue:
    """The records of the current release. Not thread-safe: the stand-in holds a lock around it."""

    def __init__(self) -> None:
        self.date = "2000-01-01"
        self._lines: dict[str, _Line] = {}
        self._moved: dict[str, str] = {}
        self._past: dict[str, Sequence[dict[str, Json]]] = {}
        self._trees: dict[str, Wanted] = {"": {}}

    @property
    def release(self) -> str:
        """The current release's timestamp, as `/version` tells it."""
        return f"{self.date}T09:00:05"

    def put(self, record: str, study: Study) -> None:
        """Adds or replaces a record."""
        self._lines[record] = _Line(study)

    def drop(self, ids: Iterable[str]) -> None:
        """Forgets records; an id that is not listed is no error."""
        for record in ids:
            self._lines.pop(record, None)

    def merge(self, old: str, kept: str) -> None:
        """`old` becomes an alias of `kept`. Raises KeyError where `kept` is not listed."""
        study = self.study(kept)
        identification = study.setdefault("protocolSection", {}).setdefault("identificationModule", {})
        identification["nctIdAliases"] = sorted({*identification.get("nctIdAliases", []), old})
        self.drop([old])
        self.put(kept, study)
        self._moved[old] = kept

    def remember(self, record: str, versions: Sequence[dict[str, Json]]) -> None:
        """What the record said before today, oldest first, each as API v2 would have told it."""
        self._past[record] = tuple(versions)

    def study(self, record: str) -> dict[str, Json]:
        """A copy of a record. Raises KeyError."""
        return json.loads(json.dumps(self._lines[record].own))  # type: ignore[no-any-return]

    def answer(self, path: str, query: dict[str, str], fault: Fault | None = None) -> Answer:
        """What the registry says; `fault` may name one of `faults.PAGE_FAULTS`, the others are not played here."""
        for pattern, says in _ROUTES:
            found = pattern.fullmatch(path)
            if found:
                answer = self._guarded(says, query, fault, found.groups())
                answer.headers["ETag"] = f'"{self.release}"'
                return answer
        return text(404, "There is nothing here")

    def _guarded(
        self, says: Callable[..., Answer], query: dict[str, str], fault: Fault | None, parts: tuple[str, ...]
    ) -> Answer:
        try:
            return says(self, query, fault, *parts)
        except _RefusedError as refused:
            return refused.answer
        except UnknownFieldError:
            return text(500, "Internal error")

    def _version(self, _query: dict[str, str], _fault: Fault | None) -> Answer:
        return Answer(200, msgspec.json.encode({"apiVersion": "2.0.5", "dataTimestamp": self.release}), dict(_JSON))

    def _one(self, query: dict[str, str], _fault: Fault | None, given: str) -> Answer:
        if not _ID.fullmatch(given):
            raise _RefusedError(400, f"Study id {given} has incorrect format")
        record = _padded(given)
        if record in self._lines:
            return Answer(200, self._bytes(record, query.get("fields", "")), dict(_JSON))
        if record in self._moved:
            tail = f"?{urlencode(query)}" if query else ""
            return Answer(301, b"", {"Location": f"/api/v2/studies/{self._moved[record]}{tail}"})
        raise _RefusedError(404, f"Study {record} was not found")

    def _history(self, _query: dict[str, str], _fault: Fault | None, given: str) -> Answer:
        return _json(listed(self._versions(given)))

    def _with_history(self, query: dict[str, str], _fault: Fault | None, given: str) -> Answer:
        versions = self._versions(given)
        history = {"history": listed(versions)} if query.get("history") == "true" else {}
        return _json({"study": as_past(versions[-1]), "topics": [], **history})

    def _version_of(self, _query: dict[str, str], _fault: Fault | None, given: str, number: str) -> Answer:
        versions = self._versions(given)
        if int(number) >= len(versions):
            raise _RefusedError(404, f"Study {given} has no version {number}")
        return _json({"studyVersion": int(number), "study": as_past(versions[int(number)])})

    def _versions(self, given: str) -> Sequence[dict[str, Json]]:
        """The versions of a record, the last of them what it says now."""
        record = _padded(given) if _ID.fullmatch(given) else given
        if record not in self._lines:
            raise _RefusedError(404, f"Study {given} was not found")
        past, now = self._past.get(record, ()), self._lines[record].own
        return past if past and past[-1] == now else [*past, now]

    def _page(self, query: dict[str, str], fault: Fault | None) -> Answer:
        _check(query)
        start = self._start(query)
        if fault is not None:
            return self._odd_page(fault, query, start)
        found = self._found(query)
        end = start + _page_size(query)
        lines = [self._bytes(record, query.get("fields", "")) for record in found[start:end]]
        token = self._token(query, end) if end < len(found) else None
        total = len(found) if query.get("countTotal") == "true" and not start else None
        return _page_of(lines, token, total)

    def _odd_page(self, fault: Fault, query: dict[str, str], start: int) -> Answer:
        if fault is Fault.NO_STUDIES:
            return _page_of([], None)
        if fault is Fault.REPEATED_PAGE:
            return _page_of([], query.get("pageToken") or self._token(query, start))
        salt = zlib.crc32(query.get("pageToken", "").encode()) if fault is Fault.ENDLESS_PAGES else 0
        return _page_of([], self._token(query, start, str(salt)))

    def _bytes(self, record: str, fields: str) -> bytes:
        if fields not in self._trees:
            self._trees[fields] = wanted(fields)
        return self._lines[record].bytes_for(fields, self._trees[fields], self.date)

    def _found(self, query: dict[str, str]) -> list[str]:
        records = self._listed(query)
        statuses = _list(query.get("filter.overallStatus", ""))
        if statuses:
            records = [record for record in records if self._status(record) in statuses]
        for name in _SEARCHED.keys() & query.keys():
            choices = [part.strip("() ").casefold().split() for part in query[name].split(" OR ")]
            records = [
                record for record in records if any(self._says(record, _SEARCHED[name], words) for words in choices)
            ]
        return records

    def _listed(self, query: dict[str, str]) -> list[str]:
        if "filter.ids" not in query:
            return list(self._lines)
        asked = {_padded(record) for record in _list(query["filter.ids"])}
        # sorted: the registry does not keep the order of the question either
        return sorted({self._moved.get(record, record) for record in asked}.intersection(self._lines))

    def _status(self, record: str) -> Json:
        return _at(self._lines[record].own, "protocolSection", "statusModule", "overallStatus")

    def _says(self, record: str, modules: tuple[str, ...], words: list[str]) -> bool:
        protocol = _at(self._lines[record].own, "protocolSection") or {}
        part = {module: protocol.get(module) for module in modules} if modules else protocol
        said = json.dumps(part, ensure_ascii=False).casefold()
        return all(word in said for word in words)

    def _token(self, query: Mapping[str, str], start: int, salt: str = "") -> str:
        token = f"{self.release} {start} {_fingerprint(query)} {salt}"
        return base64.urlsafe_b64encode(token.encode()).decode().rstrip("=")

    def _start(self, query: Mapping[str, str]) -> int:
        token = query.get("pageToken")
        if token is None:
            return 0
        with suppress(ValueError, IndexError):
            parts = base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)).decode().split(" ")
            if parts[0] == self.release and parts[2] == _fingerprint(query):
                return int(parts[1])
        raise _RefusedError(400, "Parameter `pageToken` has incorrect format or is out of date")


_ROUTES: tuple[tuple[re.Pattern[str], Callable[..., Answer]], ...] = (
    (re.compile(r"/api/v2/version"), Catalogue._version),
    (re.compile(r"/api/v2/studies"), Catalogue._page),
    (re.compile(r"/api/v2/studies/([^/]+)"), Catalogue._one),
    (re.compile(r"/api/int/studies/([^/]+)"), Catalogue._with_history),
    (re.compile(r"/api/int/studies/([^/]+)/history"), Catalogue._history),
    (re.compile(r"/api/int/studies/([^/]+)/history/(\d{1,6})"), Catalogue._version_of),
)
"""Paths and what answers them. The last three are the registry's internal interface for past versions."""


def _json(value: Json) -> Answer:
    return Answer(200, msgspec.json.encode(value), dict(_JSON))


def _check(query: Mapping[str, str]) -> None:
    for name in query.keys() - _PARAMETERS:
        raise _RefusedError(400, f"Unknown parameter `{name}`")
    for record in _list(query.get("filter.ids", "")):
        if not _ID.fullmatch(record):
            raise _RefusedError(400, f"filter.ids holds {record}, which has incorrect format")
    for status in _list(query.get("filter.overallStatus", "")):
        if status not in STATUSES:
            raise _RefusedError(400, f"Invalid value in parameter `overallStatus`: `{status}`")
    if "fields" in query:
        wanted(query["fields"])


def _page_of(lines: list[bytes], token: str | None, total: int | None = None) -> Answer:
    head = b"{" if total is None else b'{"totalCount":%d,' % total
    tail = b"]}" if token is None else b'],"nextPageToken":"%b"}' % token.encode()
    return Answer(200, b'%b"studies":[\n%b\n%b' % (head, b",\n".join(lines), tail), dict(_JSON))


def _decoded(study: Study) -> dict[str, Json]:
    if isinstance(study, dict):
        return study
    try:
        value = json.loads(study)
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}


def _stamped(study: dict[str, Json]) -> dict[str, Json]:
    derived = study.get("derivedSection") or {}
    misc = {**derived.get("miscInfoModule", {}), "versionHolder": _STAMP}
    return {**study, "derivedSection": {**derived, "miscInfoModule": misc}}


def _at(value: Json, *keys: str) -> Json:
    for key in keys:
        value = value.get(key) if isinstance(value, dict) else None
    return value


def _list(value: str) -> list[str]:
    return [part for part in re.split(r"[|,]", value) if part]


def _padded(record: str) -> str:
    return f"NCT{record[3:].zfill(8)}"


def _page_size(query: Mapping[str, str]) -> int:
    given = query.get("pageSize", "0")
    if not given.isdecimal():
        raise _RefusedError(400, f"Parameter `pageSize` is no number: {given}")
    return min(int(given), 1000) or 10


def _fingerprint(query: Mapping[str, str]) -> str:
    changeable = ("pageToken", "pageSize", "countTotal")
    same = sorted((name, value) for name, value in query.items() if name not in changeable)
    return str(zlib.crc32(repr(same).encode()))
