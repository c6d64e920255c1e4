"""Invented histories of trials whose slips, periods and outcomes' lives are known by hand."""

from collections.abc import Iterable
from typing import Any

import msgspec

from snapshots.timeline import Dated
from snapshots.trial import Outcome, PartialDate, Trial

NOTHING = Trial(registry="ctgov", id="NCT99000001", paths={})


def said(*versions: tuple[str, dict[str, Any]], registered: bool = True) -> list[Dated]:
    """Versions from (day, what differs from the version before); the first is the registration unless said."""
    trial, found = NOTHING, []
    for number, (date, differing) in enumerate(versions):
        trial = msgspec.structs.replace(trial, **differing)
        found.append(Dated(date, trial, number + 1, number if registered else None))
    return found


def planned(date: str) -> PartialDate:
    return PartialDate(date, "ESTIMATED")


def actual(date: str) -> PartialDate:
    return PartialDate(date, "ACTUAL")


def outcomes(*measures: str) -> tuple[Outcome, ...]:
    return tuple(Outcome(measure=measure, position=at) for at, measure in enumerate(measures))


def statuses(*steps: tuple[str, str | None]) -> list[Dated]:
    return said(*((date, {"overall_status": status}) for date, status in steps))


def primary_completions(*steps: tuple[str, PartialDate | None]) -> list[Dated]:
    return said(*((date, {"primary_completion_date": known}) for date, known in steps))


def without(versions: Iterable[Dated], *numbers: int) -> list[Dated]:
    return [dated for dated in versions if dated.version not in numbers]
