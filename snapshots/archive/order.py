"""In which order a record's versions and steps make its history, whenever they were stored; pure.

What was observed stands at its release, what was back-filled at the registry's date for it, before anything observed
that day. So versions filled in late take their place before the first observation, or in the gap that they fill.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Protocol, TypeVar

BACK_FILLED = "history"
"""The source of versions that were fetched from the registry's own history; any other source was observed."""

Key = tuple[str, bool, str, int, float, int]


class Placed(Protocol):
    """What decides a version's place in history."""

    @property
    def number(self) -> int: ...
    @property
    def source(self) -> str: ...
    @property
    def release(self) -> str | None: ...
    @property
    def registry_date(self) -> str | None: ...
    @property
    def registry_version(self) -> int | None: ...


P = TypeVar("P", bound=Placed)


def is_back_filled(source: str) -> bool:
    return source == BACK_FILLED


def history_date(version: Placed) -> str:
    """The ISO date at which a version stands in history: of its release, or the registry's own; "" where unknown."""
    return _day(version.registry_date if is_back_filled(version.source) else version.release)


def history_key(version: Placed) -> Key:
    """Sorts a record's versions into history order. Several of one day: by the registry's count, release, append."""
    observed = not is_back_filled(version.source)
    count = -1 if version.registry_version is None else version.registry_version
    release = version.release or "" if observed else ""
    return (history_date(version), observed, release, -1 if observed else count, version.number, 0)


def step_key(version: Placed | None, release: str | None, observed_at: datetime, step: int) -> Key:
    """Sorts a record's steps into history order: at the version a step led to; a step without one after all versions
    of its release (of its day, where no release is known).
    """
    if version is not None:
        return (*history_key(version)[:5], step)
    moment = release or observed_at.date().isoformat()
    return (_day(moment), True, moment, 0, float("inf"), step)


def as_of(versions: Sequence[P], date: str) -> P | None:
    """The version that stood on the ISO `date` ("2026-03", all of March: as on its last day); None: before them all.

    `versions` in history order.
    """
    # "~" sorts after every digit and "-"
    known = [version for version in versions if history_date(version) <= date + "~"]
    return known[-1] if known else None


def finest(spans: Iterable[tuple[int | None, int | None]]) -> set[tuple[int | None, int | None]]:
    """Of the (from, to) version spans of a record's steps those that no chain of finer ones covers.

    Versions 6 and 7 filled in between a told 5 → 8 give 5 → 6, 6 → 7, 7 → 8: sums over the history count these.
    """
    all_spans = set(spans)
    return {span for span in all_spans if not _covered(span, all_spans)}


def _covered(span: tuple[int | None, int | None], spans: set[tuple[int | None, int | None]]) -> bool:
    start, end = span
    if start is None or end is None:
        return False
    reached, waiting = {start}, [start]
    while waiting:
        here = waiting.pop()
        onward = {to for frm, to in spans if frm == here and to is not None and (frm, to) != span} - reached
        if end in onward:
            return True
        reached |= onward
        waiting.extend(onward)
    return False


def _day(moment: str | None) -> str:
    return (moment or "")[:10]
