"""What watches and subscriptions may be called: what everyone can write, and nobody takes for something else."""

import unicodedata
from collections.abc import Collection

from notifiers.clean_text import one_line
from notifiers.conditions import InvalidValue
from notifiers.watches import Wish
from snapshots.registries.ctgov.ids import normalise

LONGEST = 200
"""Characters that a name may have, at the API as in a file."""
_UNSEEN = ("Cc", "Zl", "Zp")


def check(name: str, taken: Collection[str | None]) -> None:
    """Raises InvalidValue for a new name that cannot be meant; those that are `taken` are kept as they are."""
    if name in taken:
        return
    if len(name) > LONGEST:
        raise InvalidValue("name", f"{shown(name)!r} has {len(name)} characters; a name has at most {LONGEST}")
    if any(unicodedata.category(letter) in _UNSEEN for letter in name):
        raise InvalidValue("name", f"{shown(name)!r} holds a line break or another character that does not show")
    if name in (".", ".."):
        raise InvalidValue("name", f"{name!r} is no name: in an address it means another place")


def shown(name: str) -> str:
    """A name of any length as an error says it."""
    return one_line(name, 60)


def check_watch(wish: Wish, taken: Collection[str | None]) -> None:
    """Raises InvalidValue for a new name that cannot be meant; those that are `taken` are kept as they are."""
    if not wish.name or wish.name in taken:
        return
    check(wish.name, ())
    if _record_id(wish.name) not in (None, wish.record_id):
        raise InvalidValue("name", f"{wish.name!r} reads as a record's id; call it otherwise")


def _record_id(name: str) -> str | None:
    try:
        return normalise(name)
    except ValueError:
        return None
