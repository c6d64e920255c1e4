"""ClinicalTrials.gov as a registry: its release, its records, its searches."""

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from random import Random
from types import TracebackType
from typing import Self

from msgspec import Raw

from snapshots.registries.ctgov import fields, pages, parse, similar
from snapshots.registries.ctgov.answers import AnswerError, Patience, Trouble, trouble
from snapshots.registries.ctgov.asking import Asking
from snapshots.registries.ctgov.fetching import Fetching
from snapshots.registries.ctgov.ids import is_id, normalise, record_page
from snapshots.registries.ctgov.walking import FULL, Walking
from snapshots.registries.ctgov.wire import Timeouts, Wire
from snapshots.registry import Answer, Known, NotAnswered, PastVersion, RecordPage, Registry, Release, Turn
from snapshots.related.words import Listed
from snapshots.trial import Trial

SEARCH_PARAMETERS: tuple[str, ...] = (
    *(f"query.{area}" for area in ("cond", "term", "locn", "titles", "intr", "outc", "spons", "lead", "id", "patient")),
    *(f"filter.{name}" for name in ("overallStatus", "geo", "ids", "advanced", "synonyms")),
    "aggFilters",
)
"""What a saved search may say, in the registry's own names (API 2.0.5, /studies)."""

_SEARCH_PAGE = 1000
_MOST_SEARCH_PAGES = 1000
"""Enough for the whole registry (608 pages in October 2026)."""
_MEGABYTE = 1_000_000


def _now() -> datetime:
    return datetime.now(UTC)


class CtgovRegistry(Registry):
    """Implements `snapshots.registry.Registry` over the API v2 at `base_url` ("https://clinicaltrials.gov").

    Every request waits for its `turn`. `batch_size` ids are asked for at once (the registry's limit is that of an
    address's length; 100 to 200 are usual), `page_size` records are on a page of `walk`. A larger answer than
    `max_bytes` is refused. `rng` spreads the pauses before further attempts, `sleep` waits seconds, `clock` tells the
    time (aware UTC). Raises ValueError for a bad address.
    """

    name = parse.REGISTRY

    def __init__(
        self,
        base_url: str,
        user_agent: str,
        turn: Turn,
        *,
        batch_size: int = 100,
        page_size: int = FULL,
        timeouts: Timeouts | None = None,
        patience: Patience | None = None,
        max_bytes: int = 64 * _MEGABYTE,
        rng: Random | None = None,
        sleep: Callable[[float], None] = time.sleep,
        clock: Callable[[], datetime] = _now,
    ) -> None:
        self._wire = Wire(base_url, user_agent, timeouts or Timeouts(), max_bytes)
        self._asking = Asking(
            self._wire,
            turn,
            patience=patience or Patience(),
            rng=rng or Random(),  # noqa: S311 - spreads pauses, guards nothing
            sleep=sleep,
            clock=clock,
        )
        self._batch_size = batch_size
        self._page_size = page_size
        self._release: Release | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Closes the connection."""
        self._wire.close()

    def normalise_id(self, text: str) -> str:
        """See `ids.normalise`."""
        return normalise(text)

    @property
    def told_date(self) -> str | None:
        """What time it was by the registry's clock when it answered last, as its header Date said it."""
        return self._wire.told_date

    def release(self) -> Release:
        """The current release, by the registry's own word. Raises RegistryError."""
        stamp = self._asking.version().data_timestamp
        release = Release(self.name, _day(stamp), stamp)
        if release != self._release:
            self._asking.forget_refusal()
        self._release = release
        return release

    def fetch(self, ids: Sequence[str], known: dict[bytes, str]) -> Iterator[Answer]:
        """See `Registry.fetch`. Malformed ids are answered first, without asking: one would spoil its whole batch."""
        self._asking.forget_consent()
        asked = list(dict.fromkeys(ids))
        yield from (_malformed(record) for record in asked if not is_id(record))
        good = [record for record in asked if is_id(record)]
        yield from Fetching(self._asking, known, self._batch_size).answers(good)

    def search(self, query: dict[str, str]) -> Iterable[str]:
        """The ids that a saved search finds now, each once, page by page as they are taken.

        `query` holds `SEARCH_PARAMETERS`. Raises ValueError at once for any other, or for none at all (which would be
        the whole registry); RegistryError while pages are taken: what was found until then is not the answer.
        """
        _check(query)
        return self._found(query)

    def gives_records(self, query: Mapping[str, str]) -> bool:
        """See `Registry.gives_records`. A `query.…` parameter puts marks into the texts of what it finds."""
        return not any(name.startswith("query.") for name in query)

    def walk(self, query: Mapping[str, str], known: Known, after: str | None = None) -> Iterator[RecordPage]:
        """See `Registry.walk`. Nothing is asked before the first page is taken."""
        _check_names(query)
        self._asking.forget_consent()
        return Walking(self._asking, query, known, self._page_size).walk(after)

    def count(self, query: Mapping[str, str]) -> int | None:
        """How many records a saved search finds now, in one question; None where the registry does not say.

        Raises ValueError and RegistryError as `search`.
        """
        _check(query)
        self._asking.forget_consent()
        asked = f"the number of a search's records ({', '.join(f'{name}={value}' for name, value in query.items())})"
        params = {**query, "countTotal": "true", "pageSize": "1"}
        return self._asking.page(params, asked, fields="NCTId", hurried=True).total_count

    def versions(self, record_id: str) -> Sequence[PastVersion]:
        """See `Registry.versions`. The interface is the one of the registry's own page: undocumented, it may break."""
        return self._asking.history(record_id)

    def version(self, record_id: str, number: int) -> bytes:
        """See `Registry.version`. The bytes are those of the answer: {"studyVersion": number, "study": {…}}."""
        return self._asking.past(record_id, number)

    def similar(self, trial: Trial, most: int) -> tuple[Listed, ...]:
        """Trials that the registry lists beside this one, the likest first: one question. Raises RegistryError."""
        params = similar.question(trial)
        if params is None:
            return ()
        page = self._asking.page(params, f"trials like {trial.id}", fields=similar.FIELDS, hurried=True)
        return similar.listed(page.studies, trial, most)

    def content(self, raw: bytes) -> bytes:
        """See `fields.content`."""
        return fields.content(raw)

    def parse(self, raw: bytes) -> Trial:
        """See `parse.parse`."""
        return parse.parse(raw)

    def url(self, record_id: str) -> str:
        """The record's page at the registry."""
        return record_page(record_id)

    def _found(self, query: Mapping[str, str]) -> Iterator[str]:
        self._asking.forget_consent()
        asked = f"a search ({', '.join(f'{name}={value}' for name, value in query.items())})"
        seen: set[str] = set()
        for page in pages.pages(lambda token: self._search_page(query, token, asked), asked, _MOST_SEARCH_PAGES):
            for raw in page.studies:
                record = _id_of(raw, asked)
                if record not in seen:
                    seen.add(record)
                    yield record

    def _search_page(self, query: Mapping[str, str], token: str | None, asked: str) -> pages.Page:
        params = {**query, "pageSize": str(_SEARCH_PAGE)}
        if token is None:
            return self._asking.page(params, asked, fields="NCTId")
        try:
            return self._asking.page({**params, "pageToken": token}, asked, fields="NCTId")
        except AnswerError as error:
            if error.trouble is not Trouble.BAD_REQUEST:
                raise
            # the first page was accepted, so it is the token that died, as tokens do when a release appears
            raise AnswerError(error.trouble, str(error), status=error.status, permanent=False) from error


def _malformed(record: str) -> NotAnswered:
    return NotAnswered(record, "malformed id", f"not a ClinicalTrials.gov id: {record!r} (NCT and eight digits)")


def _day(stamp: str) -> str:
    try:
        return datetime.fromisoformat(stamp).date().isoformat()
    except ValueError:
        raise trouble(Trouble.WRONG_SHAPE, "its current release", f"answered with the time {stamp[:40]!r}") from None


def _id_of(raw: Raw, asked: str) -> str:
    try:
        return pages.head(raw).id
    except pages.UnreadableStudyError as error:
        raise trouble(Trouble.WRONG_SHAPE, asked, f"answered with a study that has no id ({error})") from None


def _check(query: Mapping[str, str]) -> None:
    _check_names(query)
    if not any(value.strip() for value in query.values()):
        known = ", ".join(SEARCH_PARAMETERS)
        raise ValueError(f"a search needs at least one parameter with a value; known are: {known}")


def _check_names(query: Mapping[str, str]) -> None:
    for name in query:
        if name not in SEARCH_PARAMETERS:
            raise ValueError(f"unknown search parameter {name!r}; known are: {', '.join(SEARCH_PARAMETERS)}")
