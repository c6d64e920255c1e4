"""How long did the study stand in which recruitment status, also in one that the registry computed?"""

from collections.abc import Iterable, Sequence
from datetime import date

import msgspec
from msgspec import Struct

from snapshots.canonical import enum_key
from snapshots.rules.status import STOPPED, status_kind
from snapshots.timeline.dated import Dated, days_between


class Period(Struct, frozen=True, kw_only=True):
    """A time in which the status stood still.

    `since` and `until` are ISO days (`until` None: it stands still today); `days` its length, to today where it has no
    end. `since_known` False: it stood so when the record was first seen, nobody here knows since when. `last_known` is
    the status behind UNKNOWN. `began_by` is the kind of the change that began it: "study.stop_reversed",
    "status.reverified" and so on, None for the first. `why_stopped` is the reason given last. `after_gap`: versions
    are missing before it, it may have begun earlier.
    """

    status: str | None
    last_known: str | None = None
    since: str
    since_known: bool = True
    until: str | None = None
    days: int | None = None
    began_by: str | None = None
    why_stopped: str | None = None
    version: int | None = None
    after_gap: bool = False

    @property
    def is_unknown(self) -> bool:
        """Whether the registry computed it from passing time."""
        return enum_key(self.status) == "UNKNOWN"


def status_periods(versions: Sequence[Dated], today: date) -> tuple[Period, ...]:
    """The periods in history order. A status that comes back (A → B → A) is a period of its own each time."""
    found: list[Period] = []
    before: Dated | None = None
    for dated in versions:
        if before is None or enum_key(before.trial.overall_status) != enum_key(dated.trial.overall_status):
            found.append(_begun(before, dated))
        elif _stopped(dated) and dated.trial.why_stopped:
            found[-1] = msgspec.structs.replace(found[-1], why_stopped=dated.trial.why_stopped)
        before = dated
    ends = [period.since for period in found[1:]]
    return tuple(_measured(period, end, today) for period, end in zip(found, [*ends, None], strict=False))


def days_by_status(periods: Iterable[Period]) -> dict[str | None, int]:
    """How many days the study stood in each status in all, in the order in which they first came."""
    sums: dict[str | None, int] = {}
    for period in periods:
        sums[period.status] = sums.get(period.status, 0) + (period.days or 0)
    return sums


def _begun(before: Dated | None, dated: Dated) -> Period:
    trial = dated.trial
    unknown = enum_key(trial.overall_status) == "UNKNOWN"
    return Period(
        status=trial.overall_status,
        last_known=trial.last_known_status if unknown else None,
        since=dated.date,
        since_known=before is not None or dated.is_registration,
        began_by=status_kind(before.trial, trial) if before else None,
        why_stopped=trial.why_stopped if _stopped(dated) else None,
        version=dated.version,
        after_gap=before is not None and dated.gap > 0,
    )


def _stopped(dated: Dated) -> bool:
    return enum_key(dated.trial.overall_status) in STOPPED


def _measured(period: Period, until: str | None, today: date) -> Period:
    return msgspec.structs.replace(period, until=until, days=days_between(period.since, until or today))
