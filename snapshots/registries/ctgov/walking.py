"""Every record that a search finds, or that the registry has, page by page as whole records."""

import re
from collections.abc import Iterator, Mapping, Sequence

from msgspec import Raw

from snapshots.registries.ctgov import pages
from snapshots.registries.ctgov.answers import AnswerError, Trouble, trouble
from snapshots.registries.ctgov.asking import Asking
from snapshots.registries.ctgov.pages import UnreadableStudyError
from snapshots.registry import Answer, Known, NotAnswered, RawRecord, RecordPage, StalePlaceError, Unchanged

FULL = 1000
"""Records on a page: the registry gives no more."""
_SHRINKS = 4
"""By so much a page is made smaller that did not come whole."""
_GROWS_AFTER = 20
"""Good pages after which a larger one is tried again."""
_MOST_EMPTY = 100
"""Pages without a record that may follow each other."""
_SMALLER_MAY_COME = {Trouble.TOO_SLOW, Trouble.TOO_BIG, Trouble.SERVER, Trouble.GARBLED}

_ID = re.compile(rb'"nctId"\s*:\s*"(NCT[0-9]{8})"')
_ID_WITHIN = 4096
"""Bytes from a study's beginning within which its id usually stands."""


class Walking:
    """One walk over the pages of `query`, `size` records on each. `known` is asked, page by page, for the hashes of
    stored records.
    """

    def __init__(self, asking: Asking, query: Mapping[str, str], known: Known, size: int) -> None:
        self._asking = asking
        self._query = query
        self._known = known
        self._full = self._size = size
        self._good = 0

    def walk(self, after: str | None) -> Iterator[RecordPage]:
        """The pages from the first, or from that place on. Raises AnswerError; StalePlaceError where the registry does
        not take the place any more.
        """
        seen: set[int] = set()
        empty = 0
        while True:
            page = self._page(after)
            empty = 0 if page.studies else empty + 1
            after, total, studies = page.next_page_token or None, page.total_count, page.studies
            del page  # its bytes are many: gone before the next one is asked for
            self._check_ends(after, seen, empty)
            yield RecordPage(self._answers(studies), after, total)
            del studies
            if after is None:
                return

    def _check_ends(self, after: str | None, seen: set[int], empty: int) -> None:
        asked = self._words()
        if hash(after) in seen:
            raise trouble(Trouble.ENDLESS, asked, "answered with a page that leads back to an earlier one")
        if empty > _MOST_EMPTY:
            raise trouble(Trouble.ENDLESS, asked, f"answered with more than {_MOST_EMPTY} pages without a record")
        seen.add(hash(after))

    def _page(self, after: str | None) -> pages.Page:
        place = {"countTotal": "true"} if after is None else {"pageToken": after}
        while True:
            params = {**self._query, "pageSize": str(self._size), **place}
            try:
                page = self._asking.page(params, self._words(), hurried=self._size < self._full)
            except AnswerError as error:
                self._shrink_or_raise(error, after)
                continue
            self._grow()
            return page

    def _shrink_or_raise(self, error: AnswerError, after: str | None) -> None:
        if after is not None and error.trouble is Trouble.BAD_REQUEST:
            # the first page was accepted, so it is the token that died, as tokens do when a release appears
            raise StalePlaceError(str(error)) from error
        if self._size == 1 or error.trouble not in _SMALLER_MAY_COME:
            raise error
        self._size = max(1, self._size // _SHRINKS)
        self._good = 0

    def _grow(self) -> None:
        self._good += 1
        if self._size < self._full and self._good >= _GROWS_AFTER:
            self._size, self._good = min(self._full, self._size * 2), 0

    def _answers(self, studies: Sequence[Raw]) -> Iterator[Answer]:
        stamped = self._asking.stamped
        read = [(raw, pages.raw_hash(raw, stamped=stamped), _guess(raw)) for raw in studies]
        known = self._known([guess for _, _, guess in read if guess])
        for raw, digest, guess in read:
            own = known.get(digest)
            yield Unchanged(own, own) if own is not None and own == guess else _record(raw, digest, guess)

    def _words(self) -> str:
        if not self._query:
            return "a page of all its records"
        said = ", ".join(f"{name}={value}" for name, value in self._query.items())
        return f"a page of the records of a search ({said})"


def _guess(raw: Raw) -> str | None:
    """The id that the study seems to have: enough to look up what is stored under it. Only a hash that is the same, or
    the study itself, tells that it is so.
    """
    found = _ID.search(memoryview(raw), 0, _ID_WITHIN)
    return found[1].decode() if found else None


def _record(raw: Raw, digest: bytes, guess: str | None) -> Answer:
    try:
        own = pages.head(raw).id
    except UnreadableStudyError as error:
        return NotAnswered(guess or "", "unreadable", f"a study on a page is not shaped like a study: {error}")
    return RawRecord(own, bytes(raw), digest, own)
