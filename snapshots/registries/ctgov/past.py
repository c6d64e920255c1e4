"""What does the history interface of ClinicalTrials.gov say: which versions of a record there were, and one of them?

The interface is internal to the registry's own page, undocumented, and may break: of its answers only what is needed
is read, and any other shape is an error that says so.
"""

from typing import Annotated, TypeVar

from msgspec import DecodeError, Meta, Raw, Struct, ValidationError, json

from snapshots.registries.ctgov import pages
from snapshots.registries.ctgov.answers import AnswerError, Trouble, trouble
from snapshots.registry import PastVersion

Told = TypeVar("Told")


_MOST_VERSIONS = 10_000
"""Far more than any record has (225 is the most known)."""


class _Version(Struct):
    version: Annotated[int, Meta(ge=0, lt=1_000_000)]
    date: Annotated[str, Meta(pattern="^[0-9]{4}-[0-9]{2}-[0-9]{2}")]
    status: str | None = None


class _Changes(Struct):
    changes: list[_Version]


class _Shown(Struct):
    """A record as the registry's page gets it, its history with it."""

    history: _Changes


class _Wrapped(Struct, rename="camel"):
    study_version: int
    study: Raw


def versions(body: bytes, asked: str) -> tuple[PastVersion, ...]:
    """The versions that an answer lists, by the registry's count. Raises AnswerError where it lists none."""
    found = _listed(body, asked)
    if not 0 < len(found) <= _MOST_VERSIONS:
        raise trouble(Trouble.WRONG_SHAPE, asked, f"answered with a history of {len(found):,} versions", 200)
    by_number = {each.version: PastVersion(each.version, each.date[:10], each.status) for each in found}
    return tuple(by_number[number] for number in sorted(by_number))


def version(body: bytes, record: str, number: int, asked: str) -> bytes:
    """The answer itself, white space around it dropped. Raises AnswerError where it is another version or record."""
    raw = body.strip()
    wrapped = _read(raw, _Wrapped, asked)
    try:
        head = pages.head(wrapped.study)
    except pages.UnreadableStudyError as error:
        raise trouble(Trouble.WRONG_SHAPE, asked, f"answered with a study that has no id ({error})", 200) from None
    if wrapped.study_version != number or record not in (head.id, *head.aliases):
        came = f"answered with version {wrapped.study_version} of {head.id}"
        raise trouble(Trouble.WRONG_SHAPE, asked, came, 200)
    return raw


def _listed(body: bytes, asked: str) -> list[_Version]:
    try:
        return _read(body, _Changes, asked).changes
    except AnswerError as error:
        if error.trouble is not Trouble.WRONG_SHAPE:
            raise
    return _read(body, _Shown, asked).history.changes


def _read(body: bytes, shape: type[Told], asked: str) -> Told:
    try:
        return json.decode(body, type=shape)
    except ValidationError as error:
        came = f"answered with JSON of another shape ({error})"
        raise trouble(Trouble.WRONG_SHAPE, asked, came, 200) from None
    except (DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise trouble(Trouble.GARBLED, asked, f"answered with damaged JSON ({error})", 200) from None
