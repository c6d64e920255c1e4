"""The records of a search, or of a whole registry, taken page by page; what is cut off goes on from its page."""

from collections.abc import Callable, Mapping, Sequence

import structlog

from monitor.answers import Look
from monitor.sweep_report import EndedError
from notifiers import due_watches, search_members, search_pages
from notifiers.search_pages import Taken
from notifiers.watches import Watch
from snapshots import archive
from snapshots.archive import Head
from snapshots.id_set import IdSet
from snapshots.registry import RecordPage, RegistryError, StalePlaceError

LOGGED_EVERY = 25
"""Pages between two lines in the log."""
FEW_NEW = 1000
"""So many registrations may be new at once and be believed; beyond a tenth of all, the answer is not."""

Progress = Callable[[int, int], None]

log = structlog.get_logger()


class SearchGoneError(Exception):
    """The search was removed, or asks for something else, since its first page was asked for."""


class Walk:
    """The pages of one search in one sweep. `progress` is told how many records of how many are taken, `stop` is asked
    between two records.
    """

    def __init__(self, look: Look, search: Watch, progress: Progress, stop: Callable[[], bool]) -> None:
        self._look = look
        self._search = search
        self._progress = progress
        self._stop = stop
        self._heads: Mapping[str, Head] = {}
        self._taken = Taken(0, IdSet(), IdSet())
        self._new = 0
        self.present = IdSet()

    def run(self) -> Taken:
        """Take the pages that are left to be taken. What is new in them is kept page by page.

        Raises RegistryError, where the registry ends it in the middle; EndedError; SearchGoneError.
        """
        with self._look.reading() as connection:
            if self._search.baseline_sweep is not None:
                self.present = search_members.present(connection, self._search.id)
            self._taken = search_pages.taken(connection, self._search.id, self._look.release.timestamp)
        if not self._taken.pages:
            self._begin()
            self._go_on()
        else:
            self._resume()
        self._check()
        return self._taken

    def _resume(self) -> None:
        """Go on after the pages that were taken; from the first one on, where that place is not taken any more."""
        try:
            self._go_on()
        except StalePlaceError:
            self._begin()
            if self._look.registry.release() != self._look.release:
                raise
            self._go_on()

    def _begin(self) -> None:
        self._taken, self._new = Taken(0, IdSet(), IdSet()), 0
        with self._look.writing() as connection:
            search_pages.forget(connection, self._search.id)

    def _go_on(self) -> None:
        if self._taken.is_whole:
            return
        query, place = self._search.search or {}, self._taken.next
        for page in self._look.registry.walk(query, self._known, place):
            with self._look.keeping():
                ids = self._take(page)
            self._note(page, ids)

    def _known(self, ids: Sequence[str]) -> Mapping[bytes, str]:
        self._heads = self._look.heads(ids)
        return archive.known_hashes(self._heads)

    def _take(self, page: RecordPage) -> list[str]:
        """Deal with the records of a page; their ids, without those that an earlier page brought."""
        ids: list[str] = []
        look, taken = self._look, self._taken.ids
        for answer in page.answers:
            if not answer.id:
                look.excepted(self._search.called, "unreadable", getattr(answer, "detail", ""))
            elif taken.add(answer.id):
                ids.append(answer.id)
                self._new += answer.id not in self._heads
                if not look.has_taken(answer.id):
                    look.take(answer, self._heads)
                if self._stop():
                    raise EndedError
        return ids

    def _note(self, page: RecordPage, ids: Sequence[str]) -> None:
        """A page is dealt with: the one write that it costs where nothing on it is new."""
        self._look.ask_for(len(ids))
        taken, search = self._taken, self._search
        taken.pages, taken.next, taken.is_whole = taken.pages + 1, page.next, page.next is None
        taken.total = taken.total if page.total is None else page.total
        taken.untaken.update(self._look.unanswered.intersection(ids))
        with self._look.writing() as connection:
            if not due_watches.is_same_search(connection, search):
                raise SearchGoneError
            search_pages.note(connection, search.id, self._look.release.timestamp, taken, ids)
            self._look.answered(connection, ids)
        self._tell_how_far()
        self._doubt_news()

    def _tell_how_far(self) -> None:
        done, of = len(self._taken.ids), self._taken.total or len(self._taken.ids)
        self._progress(done, max(done, of))
        if self._taken.pages % LOGGED_EVERY == 0:
            log.info("pages", search=self._search.name, pages=self._taken.pages, records=done, of=of)

    def _doubt_news(self) -> None:
        if not self._search.is_everything or self._search.baseline_sweep is None:
            return
        if self._new > max(FEW_NEW, len(self.present) // 10):
            new, known = f"{self._new:,} records that are new", f"{len(self.present):,} known"
            self._refuse(f"the registry shows {new} beside {known} (if that is so, remove the watch and add it again)")

    def _check(self) -> None:
        """Whether the pages are believed to be all of one release."""
        taken, search = self._taken, self._search
        if taken.pages > 1 and self._look.registry.release() != self._look.release:
            self._refuse("a new release appeared while the pages of the one before were taken")
        if taken.total is not None and len(taken.ids) < taken.total - taken.total // 10:
            self._refuse(f"the registry listed {len(taken.ids):,} of the {taken.total:,} records that it has")
        if search.is_everything and not taken.ids:
            self._refuse("the registry lists no record at all")
        gone = len(self.present - taken.ids)
        if search.is_everything and gone > max(search_members.FEW_LOST, len(self.present) // 10):
            self._refuse(f"the registry lists {gone:,} of {len(self.present):,} known records no more")

    def _refuse(self, why: str) -> None:
        with self._look.writing() as connection:
            search_pages.forget(connection, self._search.id)
        raise RegistryError(f"{why}; the pages are taken anew at the next try")
