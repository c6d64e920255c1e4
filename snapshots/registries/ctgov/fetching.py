"""Every id of a list answered once: in batches, in halves where a batch fails, alone where the registry is silent."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain

from msgspec import Raw

from snapshots.registries.ctgov import pages
from snapshots.registries.ctgov.answers import AnswerError, Trouble
from snapshots.registries.ctgov.asking import Asking, Single
from snapshots.registries.ctgov.pages import Head, UnreadableStudyError
from snapshots.registry import Answer, NotAnswered, RawRecord, Unchanged

_MOST_PAGES = 20
"""Pages that the answer to one batch may take; one is usual."""
_MOST_FAILURES = 24
"""Failed questions within one batch before the rest of it is left for another time."""
_MOST_ALONE = 200
"""Ids that one fetch asks for by themselves; more are missing only when the registry's search is ill."""
_MOST_ALONE_FAILED = 3
"""Such questions that may fail in a row."""
_MOST_SILENT = 2
"""Batches in a row without any data, after which the registry itself is taken to be ill."""


class Fetching:
    """One pass over a list of ids. `known` maps hashes of stored records to their ids."""

    def __init__(self, asking: Asking, known: Mapping[bytes, str], batch_size: int) -> None:
        self._asking = asking
        self._known = known
        self._batch_size = batch_size
        self._heard = False
        self._silent = 0
        self._alone_left = _MOST_ALONE
        self._alone_failed = 0

    def answers(self, ids: Sequence[str]) -> Iterator[Answer]:
        """One answer for each of `ids` (valid, each once). Raises AnswerError where the registry gave no data at all;
        where it stops in the middle, what is left is "not fetched".
        """
        batches = [list(ids[start : start + self._batch_size]) for start in range(0, len(ids), self._batch_size)]
        for number, batch in enumerate(batches, start=1):
            waiting = dict.fromkeys(batch)
            try:
                for answer in self._batch(batch):
                    waiting.pop(_asked(answer), None)
                    yield answer
            except AnswerError as error:
                self._silent += 1
                if not self._goes_on(error, is_last=number == len(batches)):
                    yield from _not_fetched(chain(waiting, *batches[number:]), error)
                    return
                yield from _not_fetched(waiting, error)

    def _goes_on(self, error: AnswerError, *, is_last: bool) -> bool:
        ends = error.stops or self._silent >= _MOST_SILENT or is_last
        if ends and not self._heard:
            raise error
        return not ends

    def _batch(self, ids: list[str]) -> Iterator[Answer]:
        parts = [ids]
        failures: list[AnswerError] = []
        hopeless = len(ids).bit_length() + 2
        while parts:
            part = _Part(self._asking, self._known, parts.pop(), hurried=bool(failures))
            try:
                yield from part.answers()
            except AnswerError as error:
                failures.append(error)
                if not error.splits:
                    raise
                if len(failures) >= hopeless:
                    raise failures[0] from error
                yield from _divided(list(part.waiting), error, parts)
                continue
            self._heard, self._silent, hopeless = True, 0, _MOST_FAILURES
            yield from self._alone(part.waiting)

    def _alone(self, ids: Iterable[str]) -> Iterator[Answer]:
        for record in ids:
            self._alone_left -= 1
            if self._alone_left >= 0:
                yield self._one(record)
            else:
                detail = f"{record} was not among the answers, like more than {_MOST_ALONE} others: too many to believe"
                yield NotAnswered(record, "not fetched", detail)

    def _one(self, record: str) -> Answer:
        try:
            found = self._asking.single(record, f"the record {record}")
        except AnswerError as error:
            self._alone_failed += 1
            if error.stops or self._alone_failed >= _MOST_ALONE_FAILED:
                raise
            return _failed(record, error)
        self._alone_failed = 0
        if found is None:
            return NotAnswered(record, "absent", f"ClinicalTrials.gov lists no record {record}")
        return self._single(record, found)

    def _single(self, record: str, found: Single) -> Answer:
        digest = pages.raw_hash(found.raw, stamped=self._asking.stamped)
        if self._known.get(digest) == found.id:
            return Unchanged(found.id, record)
        try:
            own = pages.head(found.raw)
        except UnreadableStudyError as error:
            return NotAnswered(record, "unreadable", f"the study of {record} is not shaped like a study: {error}")
        if found.id not in (own.id, *own.aliases):
            return NotAnswered(record, "unreadable", f"asked for {found.id}, the registry gave the study {own.id}")
        return _record(record, own.id, found.raw, digest, self._known)


class _Part:
    """Some ids of a batch, asked for together. `waiting` holds those that are not answered yet."""

    def __init__(self, asking: Asking, known: Mapping[bytes, str], ids: list[str], *, hurried: bool) -> None:
        self.waiting = dict.fromkeys(ids)
        self._asking = asking
        self._known = known
        self._ids = ids
        self._hurried = hurried
        self._asked = _words(ids)
        self._seen: list[tuple[str, Raw, bytes]] = []

    def answers(self) -> Iterator[Answer]:
        """Answers for what the registry's pages hold. Raises AnswerError."""
        for page in pages.pages(self._page, self._asked, _MOST_PAGES):
            for raw in page.studies:
                answer = self._read(raw)
                if answer is not None:
                    yield answer
        if self.waiting:
            yield from self._under_former_ids()

    def _page(self, token: str | None) -> pages.Page:
        params = {"filter.ids": ",".join(self._ids), "pageSize": str(len(self._ids))}
        if token is not None:
            params["pageToken"] = token
        return self._asking.page(params, self._asked, hurried=self._hurried)

    def _read(self, raw: Raw) -> Answer | None:
        digest = pages.raw_hash(raw, stamped=self._asking.stamped)
        own = self._known.get(digest)
        if own is None:
            try:
                own = pages.head(raw).id
            except UnreadableStudyError:
                return None  # whose it is, asking for what is left will tell
        self._seen.append((own, raw, digest))
        if own not in self.waiting:
            return None
        del self.waiting[own]
        return _record(own, own, raw, digest, self._known)

    def _under_former_ids(self) -> Iterator[Answer]:
        for own, raw, digest in self._seen:
            for former in _head(own, raw).aliases:
                if former in self.waiting:
                    del self.waiting[former]
                    yield _record(former, own, raw, digest, self._known)


def _head(own: str, raw: Raw) -> Head:
    try:
        return pages.head(raw)
    except UnreadableStudyError:
        return Head(own, ())


def _record(asked: str, own: str, raw: Raw, digest: bytes, known: Mapping[bytes, str]) -> Answer:
    return Unchanged(own, asked) if digest in known else RawRecord(own, bytes(raw), digest, asked)


def _divided(left: list[str], error: AnswerError, parts: list[list[str]]) -> Iterator[Answer]:
    """Puts the halves of `left` onto `parts`; a single id that is left is answered with the error."""
    if len(left) == 1:
        yield _failed(left[0], error)
    elif left:
        middle = len(left) // 2
        parts += [left[middle:], left[:middle]]


def _failed(record: str, error: AnswerError) -> NotAnswered:
    reason = "unreadable" if error.trouble in (Trouble.GARBLED, Trouble.WRONG_SHAPE) else "not fetched"
    return NotAnswered(record, reason, str(error))


def _not_fetched(ids: Iterable[str], error: AnswerError) -> Iterator[Answer]:
    return (NotAnswered(record, "not fetched", str(error)) for record in ids)


def _asked(answer: Answer) -> str:
    return answer.id if isinstance(answer, NotAnswered) else answer.asked


def _words(ids: Sequence[str]) -> str:
    return f"the record {ids[0]}" if len(ids) == 1 else f"{len(ids)} records ({ids[0]} … {ids[-1]})"
