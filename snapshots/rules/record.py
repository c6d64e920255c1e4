"""What differs that no other rule names, and was the record merely submitted again?"""

from snapshots.canonical import age_key, interval
from snapshots.changes import Change
from snapshots.rules.build import change, leftovers
from snapshots.sentences import date_words
from snapshots.trial import Trial

COVERS = frozenset({"registry", "id", "paths", "unknown", "bookkeeping_dates", "rest"})

_LEVELS = 4
"""Down to here a record's objects are sections, modules and the parts of modules."""
_TRACKED = frozenset({"estimatedResultsFirstSubmitDate", "firstMcpInfo"})
"""Dates that stand where the submission events do: a source that never carries those never carries these."""
_DATE_WORDS = {
    "lastUpdateSubmitDate": "last update submitted",
    "lastUpdatePostDateStruct": "last update posted",
    "statusVerifiedDate": "verified",
}


def changes(old: Trial, new: Trial) -> list[Change]:
    """`record.changed` for another id, and for every field that no attribute takes."""
    return [
        *_other_id(old, new),
        *(left for left in leftovers(old.rest, new.rest, None, levels=_LEVELS) if not _echo(left, old, new)),
    ]


def _other_id(old: Trial, new: Trial) -> list[Change]:
    if (old.registry, old.id) == (new.registry, new.id):
        return []
    return [
        change(
            "record.changed",
            summary=f"The record's id is now {new.id} (was: {old.id})",
            before=old.id,
            after=new.id,
            path=new.path("id"),
        )
    ]


def _echo(left: Change, old: Trial, new: Trial) -> bool:
    """Whether a leftover only repeats what another field says and a rule tells: the age groups that the registry
    computes from the age limits; whose submission it is that the tracking begins or ends to list.
    """
    field = (left.path or "").rpartition(".")[2]
    if field == "stdAges":
        limits = [(age_key(trial.minimum_age), age_key(trial.maximum_age)) for trial in (old, new)]
        return limits[0] != limits[1]
    return field == "unpostedResponsibleParty" and (left.before is None or left.after is None)


def verified(old: Trial, new: Trial) -> list[Change]:
    """`record.verified` where a verification, submission, QC or posting date moved; told only where nothing else is."""
    before, after = _bookkeeping(old), _bookkeeping(new)
    tracked = _TRACKED if "submission_events" in old.unknown | new.unknown else frozenset()
    keys = sorted({*before, *after} - tracked)
    moved = [key for key in keys if not _same_day(before.get(key), after.get(key))]
    if not moved:
        return []
    first = next((key for key in _DATE_WORDS if key in moved), moved[0])
    dates = f"{date_words(after.get(first))}, before that {date_words(before.get(first))}"
    what = "The record was submitted again" if first in _DATE_WORDS else "A date of the registry's bookkeeping moved"
    return [
        change(
            "record.verified",
            summary=f"{what}, nothing else changed ({_DATE_WORDS.get(first, first)} {dates})",
            before={key: before.get(key) for key in moved},
            after={key: after.get(key) for key in moved},
            path=new.paths.get(f"bookkeeping_dates.{first}") or f"{new.path('bookkeeping_dates')}.{first}",
        )
    ]


def _bookkeeping(trial: Trial) -> dict[str, str]:
    """The dates of the registry's own keeping; of a certificate of delay only its posting, the rest is told."""
    posted = {key: date for key, date in trial.delay_certificate_dates.items() if key == "dispFirstPostDateStruct"}
    return {**trial.bookkeeping_dates, **posted}


def _same_day(before: str | None, after: str | None) -> bool:
    return before == after or (interval(before) is not None and interval(before) == interval(after))
