"""Where a list goes on: an opaque text that says after which entry the next page begins."""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from typing import Any

import msgspec

from monitor.web.problems import Problem, check_texts

Json = Any


def encode(*values: Json) -> str:
    """The cursor that stands after the entry with these values."""
    return urlsafe_b64encode(msgspec.json.encode(values)).decode().rstrip("=")


def decode(text: str, *types: Any) -> tuple[Any, ...]:
    """The values in a cursor, each of its type. Raises Problem (400) for one that is none of ours."""
    try:
        found = msgspec.json.decode(urlsafe_b64decode(text + "=" * (-len(text) % 4)))
        values: tuple[Json, ...] = tuple(msgspec.convert(one, type_) for one, type_ in zip(found, types, strict=True))
    except (ValueError, TypeError, RecursionError, msgspec.MsgspecError):
        raise Problem(400, "The cursor is none of this list", "Begin again without it.") from None
    check_texts(value for value in values if isinstance(value, str))
    return values
