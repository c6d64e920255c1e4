"""A change: one sentence about a record that a trial coordinator would say aloud, and its JSON form."""

from collections.abc import Mapping
from typing import Any

import msgspec
from msgspec import Struct

Json = Any
Subject = Mapping[str, Json]


class Cause(Struct, frozen=True):
    """The change that another one follows from: its kind, whom that is about (None: the study), and where it stands."""

    kind: str
    name: str | None = None
    path: str | None = None


class Change(Struct, frozen=True, kw_only=True):
    """What differs between two versions of a record, in the vocabulary of `snapshots.kinds`.

    `subject` is None for the record itself, else an object with `type` and `name` (a site also has city, state, zip,
    country, latitude, longitude and, where several rows are alike, ordinal). `before` and `after` are plain JSON
    values; dates are {"date", "type"} objects with the registry's precision. `path` is where it stands in the
    registry's record: in the newer version, or in the older one where the newer has nothing there.
    """

    kind: str
    severity: str
    label: str
    summary: str
    subject: Subject | None = None
    before: Json = None
    after: Json = None
    path: str | None = None
    cause: Cause | None = None


def to_json(change: Change) -> dict[str, Json]:
    """The change as the plain object that `diff`, `history`, webhooks, API and exports share."""
    return msgspec.to_builtins(change)  # type: ignore[no-any-return]


def from_json(value: Json) -> Change:
    """The change that `to_json` gave. Raises msgspec.ValidationError where the shape is another."""
    return msgspec.convert(value, Change)
