"""What a watch may be called, so that nobody who says it means another."""

from collections.abc import Collection

from notifiers.conditions import InvalidValue
from notifiers.watches import Wish
from snapshots.registries.ctgov.ids import normalise


def check_watch(wish: Wish, taken: Collection[str | None]) -> None:
    """Raises InvalidValue for a new name that cannot be meant; those that are `taken` are kept as they are."""
    if wish.name and wish.name not in taken and _record_id(wish.name) not in (None, wish.record_id):
        raise InvalidValue("name", f"{wish.name!r} reads as a record's id; call it otherwise")


def _record_id(name: str) -> str | None:
    try:
        return normalise(name)
    except ValueError:
        return None
