"""One question to the registry, asked politely and again where that can help."""

from collections.abc import Callable, Mapping
from datetime import datetime
from functools import partial
from http import HTTPStatus
from random import Random
from typing import TypeVar
from urllib.parse import urlsplit

from msgspec import Raw, Struct, structs

from snapshots.registries.ctgov import pages, past
from snapshots.registries.ctgov.answers import AnswerError, Patience, Received, Trouble, elsewhere, not_data
from snapshots.registries.ctgov.fields import FIELDS
from snapshots.registries.ctgov.ids import is_id
from snapshots.registries.ctgov.wire import Wire
from snapshots.registry import PastVersion, Turn

_STUDIES = "/api/v2/studies"
_PAST_STUDIES = "/api/int/studies"
_FIELDS = "|".join(FIELDS)
_MOVES = 3
"""Redirects from id to id that are followed: a record can be merged into one that was merged itself."""

Told = TypeVar("Told")


class Single(Struct, frozen=True):
    """A study asked for by itself; `id` is the one it was found under."""

    id: str
    raw: Raw


class Asking:
    """Asks with turns, pauses and second attempts, with `fields` for as long as the registry takes them.

    `clock` tells the time (aware UTC), `sleep` waits seconds, `rng` spreads the pauses.
    """

    def __init__(
        self,
        wire: Wire,
        turn: Turn,
        *,
        patience: Patience,
        rng: Random,
        sleep: Callable[[float], None],
        clock: Callable[[], datetime],
    ) -> None:
        self._wire = wire
        self._turn = turn
        self._patience = patience
        self._hurried = structs.replace(patience, attempts=min(2, patience.attempts))
        self._rng = rng
        self._sleep = sleep
        self._clock = clock
        self._takes_fields: bool | None = None

    @property
    def stamped(self) -> bool:
        """Whether studies come whole, with the stamp of the release in them, because `fields` were refused."""
        return self._takes_fields is False

    def forget_refusal(self) -> None:
        """Asks with `fields` again: a new release can mean a repaired registry."""
        self._takes_fields = None

    def forget_consent(self) -> None:
        """`fields` that were taken before may be refused from now on."""
        self._takes_fields = self._takes_fields and None

    def version(self) -> pages.Version:
        """The registry's version. Raises AnswerError."""
        asked = "its current release"
        return self._again(lambda: pages.version(self._get("/api/v2/version", {}, asked).body, asked), self._patience)

    def page(
        self, params: Mapping[str, str], asked: str, *, fields: str = _FIELDS, hurried: bool = False
    ) -> pages.Page:
        """One page of studies; `hurried` where a second try is enough. Raises AnswerError."""
        patience = self._hurried if hurried else self._patience
        return self._with_fields(params, fields, lambda full: self._page(full, asked), patience)

    def single(self, record: str, asked: str) -> Single | None:
        """One study by its id, under the id it was merged into where it was; None where there is none.

        Raises AnswerError.
        """
        for _ in range(_MOVES + 1):
            ask = partial(self._single, record, asked)
            found = self._with_fields({}, _FIELDS, ask, self._patience)
            if not isinstance(found, str):
                return found
            record = found
        raise AnswerError(Trouble.REDIRECTED, f"ClinicalTrials.gov redirects {asked} from id to id without end")

    def history(self, record: str) -> tuple[PastVersion, ...]:
        """The past versions of a record, oldest first: from the list of them, or where there is none from the record
        as the registry's page shows it. Raises AnswerError.
        """
        asked = f"the history of {record}"
        try:
            return self._history(f"{_PAST_STUDIES}/{record}/history", {}, asked)
        except AnswerError as error:
            if error.trouble not in (Trouble.ABSENT, Trouble.BAD_REQUEST, Trouble.WRONG_SHAPE, Trouble.NOT_DATA):
                raise
            first = error
        try:
            return self._history(f"{_PAST_STUDIES}/{record}", {"history": "true"}, asked)
        except AnswerError:
            raise first from None

    def past(self, record: str, number: int) -> bytes:
        """Version `number` of a record as it came. Raises AnswerError."""
        asked = f"version {number} of {record}"
        path = f"{_PAST_STUDIES}/{record}/history/{number}"
        return self._again(lambda: past.version(self._get(path, {}, asked).body, record, number, asked), self._hurried)

    def _history(self, path: str, params: Mapping[str, str], asked: str) -> tuple[PastVersion, ...]:
        return self._again(lambda: past.versions(self._get(path, params, asked).body, asked), self._hurried)

    def _page(self, params: Mapping[str, str], asked: str) -> pages.Page:
        return pages.page(self._get(_STUDIES, params, asked).body, asked)

    def _single(self, record: str, asked: str, params: Mapping[str, str]) -> Single | str | None:
        try:
            received = self._get(f"{_STUDIES}/{record}", params, asked, moves=True)
        except AnswerError as error:
            if error.trouble is Trouble.ABSENT:
                return None
            raise
        if received.status == HTTPStatus.MOVED_PERMANENTLY:
            return self._moved_to(received, asked)
        return Single(record, pages.study(received.body, asked))

    def _moved_to(self, received: Received, asked: str) -> str:
        place = urlsplit(received.headers["location"])
        record = place.path.rsplit("/", 1)[-1].upper()
        if not is_id(record) or (place.hostname and not self._wire.is_host(place.hostname)):
            raise elsewhere(received, asked)
        return record

    def _with_fields(
        self, params: Mapping[str, str], fields: str, ask: Callable[[Mapping[str, str]], Told], patience: Patience
    ) -> Told:
        """Asks with `fields`; where these can be why it failed, without, and then for the rest of the release."""
        if self.stamped:
            return self._again(lambda: ask(params), patience)
        try:
            told = self._again(lambda: ask({**params, "fields": fields}), patience)
        except AnswerError as error:
            if self._takes_fields or "pageToken" in params or not error.may_be_the_fields:
                raise
            # whatever comes now: where it fails without them too, they were not to blame
            self._takes_fields = True
            told = ask(params)
            self._takes_fields = False
            return told
        if isinstance(told, pages.Page | Single):
            self._takes_fields = True
        return told

    def _again(self, ask: Callable[[], Told], patience: Patience) -> Told:
        attempt = 1
        while True:
            try:
                return ask()
            except AnswerError as error:
                pause = patience.pause(error, attempt, self._rng)
                if pause is None:
                    raise
            self._sleep(pause)
            attempt += 1

    def _get(self, path: str, params: Mapping[str, str], asked: str, *, moves: bool = False) -> Received:
        with self._turn():
            received = self._wire.get(path, params, asked)
        error = not_data(received, asked, self._clock())
        if error is not None:
            raise error
        if received.status != HTTPStatus.OK and not moves:
            raise elsewhere(received, asked)
        return received
