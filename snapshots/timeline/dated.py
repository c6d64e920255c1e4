"""What a record said from which day on: the form in which all questions over a history take it."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from itertools import pairwise

from msgspec import Struct

from snapshots.canonical import enum_key, interval
from snapshots.trial import Trial


class Dated(Struct, frozen=True):
    """What a record said from `date` on (ISO day: of the release, or the registry's own date for a past version).

    `version` is its number in the archive. `registry_version` is the registry's own count, from 0, where that is known.
    `gap`: so many versions between the one before and this are known to be missing; what changed may have changed in
    any of them.
    """

    date: str
    trial: Trial
    version: int | None = None
    registry_version: int | None = None
    gap: int = 0

    @property
    def is_registration(self) -> bool:
        """Whether the record began with this: nothing was said before."""
        if self.registry_version is not None:
            return self.registry_version == 0
        first, last = (self.trial.bookkeeping_dates.get(name) for name in ("studyFirstSubmitDate", _SUBMITTED))
        return first is not None and first == last


_SUBMITTED = "lastUpdateSubmitDate"


def day(text: str | None) -> date | None:
    """The first day that a registry's date means; None where it is no date."""
    known = interval(text)
    return known.start if known else None


def submitted_on(dated: Dated) -> str:
    """When the sponsor said it, as the record itself tells; where it does not, the day from which it stood so."""
    told = dated.trial.bookkeeping_dates.get(_SUBMITTED)
    known = interval(told)
    if told is None or known is None or known.precision != "day" or told[:10] > dated.date:
        return dated.date
    return told[:10]


def steps(versions: Sequence[Dated]) -> Iterator[tuple[Dated, Dated]]:
    """Each version with the one before it."""
    return pairwise(versions)


def days_between(since: str, until: str | date | None) -> int | None:
    """Whole days from one day to another, not less than 0; None where either is no date."""
    start = day(since)
    end = until if isinstance(until, date) else day(until)
    return max((end - start).days, 0) if start and end else None


def public(versions: Iterable[Dated]) -> tuple[Dated, ...]:
    """The versions that say something: while a record is withheld, what it hides is unknown, not gone."""
    return tuple(dated for dated in versions if enum_key(dated.trial.overall_status) != "WITHHELD")
