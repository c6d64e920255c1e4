"""What a registry must offer. Each registry is a folder under `registries/`; they do not know each other."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Protocol

from msgspec import Struct

from snapshots.trial import Trial


class RegistryError(Exception):
    """The registry could not be asked, or what it answered is not data.

    The message is one sentence fit for an operator: what was asked, what came back. `permanent` says that asking the
    same again cannot help; `retry_after` is in seconds, where the registry named a time.
    """

    def __init__(self, message: str, *, permanent: bool = False, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.permanent = permanent
        self.retry_after = retry_after


class StalePlaceError(RegistryError):
    """The place to go on from is not taken any more, as when a new release has appeared: begin anew."""


class Release(Struct, frozen=True):
    """One data release of a registry. `date` is its ISO day ("2026-03-25"), `timestamp` what the registry called it."""

    registry: str
    date: str
    timestamp: str


class RawRecord(Struct, frozen=True):
    """One record as received: `raw` is its exact bytes, `raw_hash` their SHA-256 (parts that the registry restamps at
    every release masked): the fast path that tells an unchanged record without decoding it.

    `id` is the id that the record itself carries. `asked` is the one that was asked for: another where the registry
    merged that into this record, so that the same record can answer two ids.
    """

    id: str
    raw: bytes
    raw_hash: bytes
    asked: str


class Unchanged(Struct, frozen=True):
    """The answer for a record whose bytes hash as its stored head does. `id` is the one known for that hash; `asked` as
    in `RawRecord`.
    """

    id: str
    asked: str


class NotAnswered(Struct, frozen=True):
    """An id that was asked for (`id`) and not answered as data.

    `reason` is one of "absent" (the registry does not list it), "malformed id", "unreadable" (its study is not of the
    expected shape), "not fetched" (the batch it was in failed); `detail` is a sentence for the operator.
    """

    id: str
    reason: str
    detail: str


Answer = RawRecord | Unchanged | NotAnswered


Known = Callable[[Sequence[str]], Mapping[bytes, str]]
"""Asked with ids of records; answers with the hashes of their stored heads, and the id of each."""


class RecordPage(Struct, frozen=True):
    """A page of whole records. `answers` can be taken once, and reads its records as they are taken: `RawRecord`,
    `Unchanged` or NotAnswered("unreadable"; its id "" where none could be read). `next` is the place where the
    following page begins (None: this is the last); `total` how many records there are in all, said on the first page.
    """

    answers: Iterator[Answer]
    next: str | None
    total: int | None = None


class PastVersion(Struct, frozen=True):
    """One version in the registry's own history of a record: `number` is the registry's count (from 0), `date` the ISO
    day on which it was submitted, `status` the recruitment status it had, where the registry says so.
    """

    number: int
    date: str
    status: str | None = None


class Turn(Protocol):
    """Grants one request at a time across processes, spaced politely. Entering waits for the turn."""

    def __call__(self) -> AbstractContextManager[None]: ...


class Registry(Protocol):
    """A registry of trial records. Network happens in `release`, `fetch`, `search`, `walk`, `versions` and `version`;
    the rest is pure.
    """

    name: str

    def normalise_id(self, text: str) -> str:
        """The id that a person meant (" nct01234567 ", a record's address). Raises ValueError naming the text."""
        ...

    def release(self) -> Release:
        """The current release. Raises RegistryError."""
        ...

    def fetch(self, ids: Sequence[str], known: dict[bytes, str]) -> Iterator[Answer]:
        """Every id of `ids` answered once, in batches, lazily. `known` maps the hashes of stored heads to their ids.

        Trouble with one record or one batch is an answer; RegistryError is raised only where nothing can be asked.
        """
        ...

    def search(self, query: dict[str, str]) -> Iterable[str]:
        """The ids that a saved search finds now. Raises RegistryError; ValueError for a parameter it does not know."""
        ...

    def gives_records(self, query: Mapping[str, str]) -> bool:
        """Whether `walk` can be asked for what this search finds: its records come as they stand, unmarked."""
        ...

    def walk(self, query: Mapping[str, str], known: Known, after: str | None = None) -> Iterator[RecordPage]:
        """The whole records that a search finds, or with no parameter all that the registry has, page by page. `after`
        is the `next` of a page taken before, of the same release. A record can come twice. A page that does not come
        whole is asked for again in smaller ones.

        Raises RegistryError; StalePlaceError where `after` is of another release; ValueError for a parameter it does
        not know.
        """
        ...

    def versions(self, record_id: str) -> Sequence[PastVersion]:
        """The versions in the registry's own history of a record, oldest first. Raises RegistryError."""
        ...

    def version(self, record_id: str, number: int) -> bytes:
        """The bytes of one version of its history, which `content` and `parse` can read. Raises RegistryError:
        permanent where the registry does not give this version to anybody.
        """
        ...

    def content(self, raw: bytes) -> bytes:
        """The canonical form of what a record says (the fields asked for, key order and white space gone): two
        records with the same are one version. Raises RegistryError(permanent) where `raw` is not a record.
        """
        ...

    def parse(self, raw: bytes) -> Trial:
        """The record as a `Trial`. Raises RegistryError(permanent) where `raw` is not a record."""
        ...

    def url(self, record_id: str) -> str:
        """Where a person reads the record."""
        ...
