"""What watches and subscriptions may be called: what everyone can write, and nobody takes for something else."""

import unicodedata
from collections.abc import Collection

from notifiers.clean_text import one_line
from notifiers.conditions import InvalidValue
from notifiers.watches import Wish
from snapshots.registries.ctgov.ids import normalise

LONGEST = 200
"""Characters that a name may have, at the API as in a file."""
_UNSEEN = ("Cc", "Cf", "Zl", "Zp")
_JOINERS = "\u200c\u200d"
"""They have no width, but within words several scripts cannot be written without them."""
_JOINED = ("L", "M", "S")
_FILLERS = "\u115f\u1160\u2800\u3164\uffa0"
"""Letters and signs by their category, and blank."""


def check(name: str, taken: Collection[str | None]) -> None:
    """Raises InvalidValue for a new name that cannot be meant; those that are `taken` are kept as they are."""
    if name in taken:
        return
    if len(name) > LONGEST:
        raise InvalidValue("name", f"{shown(name)!r} has {len(name)} characters; a name has at most {LONGEST}")
    unseen = next((letter for at, letter in enumerate(name) if _is_unseen(name, at)), None)
    if unseen is not None:
        what = f"a line break or another character that does not show (U+{ord(unseen):04X})"
        raise InvalidValue("name", f"{shown(name)!r} holds {what}")
    if not any(map(_shows, name)):
        raise InvalidValue("name", "it shows nothing, so nobody could see what is meant")
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


def _is_unseen(name: str, at: int) -> bool:
    if name[at] in _JOINERS:
        beside = (name[at - 1 : at], name[at + 1 : at + 2])
        return not all(each and unicodedata.category(each).startswith(_JOINED) for each in beside)
    return unicodedata.category(name[at]) in _UNSEEN


def _shows(letter: str) -> bool:
    return letter not in _FILLERS and not unicodedata.category(letter).startswith(("Z", "M"))


def _record_id(name: str) -> str | None:
    try:
        return normalise(name)
    except ValueError:
        return None
