"""What does an answer of the registry mean where it is not data, and is it worth asking again?"""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from enum import Enum
from http import HTTPStatus
from random import Random

from msgspec import Struct

from snapshots.registry import RegistryError

_SHOWN = 200
"""Characters of the registry's own words that a message shows."""
_TITLE = re.compile(rb"<title[^>]*>(.*?)</title", re.IGNORECASE | re.DOTALL)


class Trouble(Enum):
    """Why an answer is not data."""

    UNREACHABLE = "the registry cannot be reached, or says nothing"
    TOO_SLOW = "the answer came too slowly"
    TOO_BIG = "the answer is larger than any page can be"
    TOO_FAST = "the registry wants fewer questions"
    FORBIDDEN = "the registry refuses to talk to us"
    BAD_REQUEST = "the registry does not accept the question"
    TOO_LONG = "the question is too long"
    SERVER = "the registry failed"
    ABSENT = "the registry does not know what was asked for"
    REDIRECTED = "the registry points elsewhere"
    NOT_DATA = "the answer is something else than data"
    GARBLED = "the answer is damaged data"
    WRONG_SHAPE = "the answer is data of another shape"
    ENDLESS = "the pages of the answer do not end"


_PERMANENT = {Trouble.FORBIDDEN, Trouble.BAD_REQUEST, Trouble.TOO_LONG, Trouble.ABSENT, Trouble.REDIRECTED}
_SPLITS = {
    Trouble.TOO_SLOW,
    Trouble.TOO_BIG,
    Trouble.BAD_REQUEST,
    Trouble.TOO_LONG,
    Trouble.SERVER,
    Trouble.GARBLED,
    Trouble.ENDLESS,
}
_STOPS = {Trouble.UNREACHABLE, Trouble.TOO_FAST, Trouble.FORBIDDEN}
_NOT_AGAIN = {Trouble.TOO_SLOW, Trouble.TOO_BIG, Trouble.ENDLESS}
"""Not permanent, but at once the same again: fewer records, or another hour, can help."""


class AnswerError(RegistryError):
    """The registry was asked and did not answer with data. `text` is what it said, where it said something."""

    def __init__(
        self,
        trouble: Trouble,
        message: str,
        *,
        status: int | None = None,
        text: str = "",
        retry_after: float | None = None,
        permanent: bool | None = None,
    ) -> None:
        final = trouble in _PERMANENT if permanent is None else permanent
        super().__init__(message, permanent=final, retry_after=retry_after)
        self.trouble = trouble
        self.status = status
        self.text = text

    @property
    def splits(self) -> bool:
        """Whether one record of a batch can be to blame, so that asking for fewer can help."""
        return self.trouble in _SPLITS

    @property
    def stops(self) -> bool:
        """Whether it has nothing to do with what was asked for, so that asking for other records is no use either."""
        return self.trouble in _STOPS

    @property
    def may_be_the_fields(self) -> bool:
        """Whether the list of `fields` can be to blame: the registry answers a wrong one with 500 or a text."""
        named = self.trouble is Trouble.BAD_REQUEST and "field" in self.text.casefold()
        return named or self.status == HTTPStatus.INTERNAL_SERVER_ERROR


class Patience(Struct, frozen=True):
    """How often and how long: `attempts` in all, `unreached` where nobody answers at all; pauses in seconds that double
    from `first`; a `Retry-After` of more than `longest` is not waited for here, but told to whoever asked.
    """

    attempts: int = 4
    unreached: int = 4
    first: float = 2.0
    longest: float = 120.0

    def pause(self, error: AnswerError, attempt: int, rng: Random) -> float | None:
        """Seconds to wait after failed attempt number `attempt` (from 1); None: asking again is no use."""
        most = min(self.attempts, self.unreached) if error.trouble is Trouble.UNREACHABLE else self.attempts
        if error.permanent or error.trouble in _NOT_AGAIN or attempt >= most:
            return None
        if error.retry_after is None:
            doubled: float = self.first * 2 ** (attempt - 1)
            return min(self.longest, doubled) * rng.uniform(0.5, 1.5)
        if error.retry_after > self.longest:
            return None
        return error.retry_after + rng.uniform(0, 1)


class Received(Struct, frozen=True):
    """An answer as it came: header names in lower case, `body` decompressed."""

    status: int
    headers: Mapping[str, str]
    body: bytes


def not_data(received: Received, asked: str, now: datetime) -> AnswerError | None:
    """The trouble with an answer; None where it looks like JSON, or moves a record to another id (301).

    `asked` says what was asked for ("the current release"); `now` is aware UTC, for a `Retry-After` that is a date.
    """
    if received.status == HTTPStatus.OK:
        return _not_json(received, asked)
    if received.status == HTTPStatus.MOVED_PERMANENTLY and received.headers.get("location"):
        return None
    return _refusal(received, asked, now)


def trouble(kind: Trouble, asked: str, came: str, status: int | None = None) -> AnswerError:
    """The error that says what was asked and what came."""
    return AnswerError(kind, _sentence(asked, came), status=status)


def elsewhere(received: Received, asked: str) -> AnswerError:
    """The error for an answer that points to an address we do not follow."""
    place = _clip(received.headers.get("location", "") or "nowhere")
    return trouble(Trouble.REDIRECTED, asked, f"pointed elsewhere ({received.status} to {place})", received.status)


def retry_after(value: str | None, now: datetime) -> float | None:
    """Seconds that a `Retry-After` header asks for: a number, or a date seen from `now`. None: nothing usable."""
    if value is None:
        return None
    if value.strip().isdecimal():
        return float(min(int(value), 10**9))
    try:
        moment = parsedate_to_datetime(value)
    except ValueError:
        return None
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return max(0.0, (moment - now).total_seconds())


def _sentence(asked: str, came: str) -> str:
    return f"ClinicalTrials.gov was asked for {asked} and {came}"


def _not_json(received: Received, asked: str) -> AnswerError | None:
    start = received.body[:64].lstrip()[:1]
    if start in (b"{", b"[", b'"') or received.body.strip() == b"null":
        return None
    if not start:
        return trouble(Trouble.NOT_DATA, asked, "answered with nothing", received.status)
    if start == b"<":
        return trouble(Trouble.NOT_DATA, asked, f"answered with {_page(received.body)}, not with data", received.status)
    return trouble(Trouble.NOT_DATA, asked, "answered with something that is not JSON", received.status)


def _refusal(received: Received, asked: str, now: datetime) -> AnswerError:
    if 300 <= received.status < 400:
        return elsewhere(received, asked)
    kind = _kind(received)
    words = _words(received.body)
    return AnswerError(
        kind,
        _sentence(asked, f"answered {_status(received.status)}{_hint(kind)}{f': {words}' if words else ''}"),
        status=received.status,
        text=words,
        retry_after=retry_after(received.headers.get("retry-after"), now),
    )


_KINDS = {
    401: Trouble.FORBIDDEN,
    403: Trouble.FORBIDDEN,
    404: Trouble.ABSENT,
    408: Trouble.SERVER,
    414: Trouble.TOO_LONG,
    425: Trouble.TOO_FAST,
    429: Trouble.TOO_FAST,
    431: Trouble.TOO_LONG,
}


def _kind(received: Received) -> Trouble:
    if received.status == HTTPStatus.NOT_FOUND and _is_html(received.body):
        # the registry words its own 404 in plain text: a page comes from a front end that has lost the registry
        return Trouble.NOT_DATA
    usual = Trouble.BAD_REQUEST if 400 <= received.status < 500 else Trouble.SERVER
    return _KINDS.get(received.status, usual)


def _hint(kind: Trouble) -> str:
    return ", which can be due to the user agent it was sent" if kind is Trouble.FORBIDDEN else ""


def _status(status: int) -> str:
    try:
        return f"{status} {HTTPStatus(status).phrase}"
    except ValueError:
        return str(status)


def _is_html(body: bytes) -> bool:
    return body[:64].lstrip()[:1] == b"<"


def _words(body: bytes) -> str:
    if not body.strip():
        return ""
    return _page(body) if _is_html(body) else f"“{_clip(body[: 4 * _SHOWN].decode('utf-8', 'replace'))}”"


def _page(body: bytes) -> str:
    title = _TITLE.search(body[:16_384])
    words = _clip(title[1].decode("utf-8", "replace")) if title else ""
    return f"an HTML page (“{words}”)" if words else "an HTML page"


def _clip(text: str) -> str:
    line = "".join(letter if letter.isprintable() else " " for letter in text)
    line = " ".join(line.split())
    return line if len(line) <= _SHOWN else f"{line[: _SHOWN - 1]}…"
