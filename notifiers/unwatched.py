"""Does a subscription ask for what nobody watches? A group that was mistyped, a record, or anything at all."""

from collections.abc import Collection, Iterator
from difflib import get_close_matches
from shlex import quote

from notifiers.subscriptions import Subscription


def unwatched(
    asked: Subscription,
    groups: Collection[str | None],
    ids: Collection[str | None],
    searches: Collection[str | None] = (),
) -> Iterator[str]:
    """What this one asks for in vain, a sentence each, none where all is well. `groups`, `ids` and `searches` (their
    names) are those of all watches; None among them is that of a watch without one.
    """
    selection = asked.watches
    if isinstance(selection, str):
        if not searches and not any(ids):
            yield "nothing is watched yet; `trialdelta watch add NCT01234567` begins"
        return
    if selection.group is not None and selection.group not in groups:
        yield f"nothing is watched in group {selection.group!r}{_meant(selection.group, groups)}"
    if selection.search is not None and selection.search not in searches:
        yield f"no saved search is called {selection.search!r}; `trialdelta watch list` names them"
    for record_id in selection.ids or ():
        if record_id not in ids:
            yield f"{record_id} is not watched; `trialdelta watch add {record_id}` begins"


def _meant(group: str, groups: Collection[str | None]) -> str:
    """Which of the groups was probably meant, else how somebody gets into this one."""
    known = {each.casefold(): each for each in groups if each}
    near = get_close_matches(group.casefold(), known, n=1)
    if near:
        return f"; did you mean {known[near[0]]!r}?"
    return f"; `trialdelta watch add NCT01234567 --group {quote(group)}` begins"
