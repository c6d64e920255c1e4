"""What stands on a page of the registry, without decoding the studies on it?"""

from collections.abc import Callable, Iterator
from hashlib import sha256
from typing import TypeVar

import msgspec
from msgspec import Raw, Struct

from snapshots.registries.ctgov.answers import AnswerError, Trouble, trouble
from snapshots.registries.ctgov.fields import mask
from snapshots.registries.ctgov.ids import is_id

Told = TypeVar("Told")


class Page(Struct, rename="camel"):
    """Studies as their bytes. The token of the next page, where there is one, can follow an empty page too."""

    studies: list[Raw]
    next_page_token: str | None = None
    total_count: int | None = None


class Version(Struct, rename="camel"):
    """What the registry says of its data: the time stamp of the release, UTC without a zone."""

    data_timestamp: str


class _Identification(Struct, rename="camel"):
    nct_id: str
    nct_id_aliases: list[str] = []


class _Protocol(Struct, rename="camel"):
    identification_module: _Identification


class _Study(Struct, rename="camel"):
    protocol_section: _Protocol


class UnreadableStudyError(Exception):
    """A study that has no id where ids stand; the message says what was found instead."""


class Head(Struct, frozen=True):
    """The ids of a study: its own and the ones it was merged from."""

    id: str
    aliases: tuple[str, ...]


_decode_page = msgspec.json.Decoder(Page).decode
_decode_version = msgspec.json.Decoder(Version).decode
_decode_raw = msgspec.json.Decoder(Raw).decode
_decode_study = msgspec.json.Decoder(_Study).decode


def page(body: bytes, asked: str) -> Page:
    """The page in `body`. Raises AnswerError where it is damaged or of another shape."""
    return _read(_decode_page, body, asked)


def version(body: bytes, asked: str) -> Version:
    """The registry's version. Raises AnswerError as `page`."""
    return _read(_decode_version, body, asked)


def study(body: bytes, asked: str) -> Raw:
    """The one study in `body`, white space around it dropped. Raises AnswerError as `page`."""
    return _read(_decode_raw, body, asked)


def pages(ask: Callable[[str | None], Page], asked: str, most: int) -> Iterator[Page]:
    """The pages that follow from the first, each asked for with the token of the one before.

    Raises AnswerError where they do not end: after `most` pages, or where a token comes a second time.
    """
    seen: set[str] = set()
    token: str | None = None
    for _ in range(most):
        current = ask(token)
        yield current
        token = current.next_page_token or None
        if token is None:
            return
        if token in seen:
            raise trouble(Trouble.ENDLESS, asked, "answered with a page that leads back to an earlier one")
        seen.add(token)
    raise trouble(Trouble.ENDLESS, asked, f"answered with more than {most} pages")


def raw_hash(raw: Raw, *, stamped: bool) -> bytes:
    """SHA-256 of a study's bytes; where they are `stamped` with the release, without the stamp."""
    return sha256(mask(bytes(raw)) if stamped else raw).digest()


def head(raw: Raw) -> Head:
    """The ids of a study; nothing else of it is decoded. Raises UnreadableStudyError."""
    try:
        identification = _decode_study(raw).protocol_section.identification_module
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise UnreadableStudyError(str(error)) from None
    if not is_id(identification.nct_id):
        raise UnreadableStudyError(f"its id is {identification.nct_id[:40]!r}")
    return Head(identification.nct_id, tuple(identification.nct_id_aliases))


def _read(decode: Callable[[bytes], Told], body: bytes, asked: str) -> Told:
    try:
        return decode(body)
    except msgspec.ValidationError as error:
        raise _trouble(Trouble.WRONG_SHAPE, asked, "answered with JSON of another shape", error) from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise _trouble(Trouble.GARBLED, asked, "answered with damaged JSON", error) from None


def _trouble(kind: Trouble, asked: str, came: str, error: Exception) -> AnswerError:
    return trouble(kind, asked, f"{came} ({error})", 200)
