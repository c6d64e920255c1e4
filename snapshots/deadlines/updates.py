"""Was the record updated in time: once a year, and within 30 days of a date that was reached? Pure."""

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any

from msgspec import Struct

from snapshots.canonical import enum_key
from snapshots.deadlines.covered import RULE_SINCE, probably_covered
from snapshots.deadlines.findings import (
    DATE_NAMES,
    Answer,
    Applies,
    Finding,
    Rule,
    finding,
    known_interval,
    lateness,
    on_day,
    plain,
    unsaid,
    years_after,
)
from snapshots.rules.dates import is_actual
from snapshots.rules.status import STOPPED
from snapshots.sentences import counted, date_words, status_words
from snapshots.timeline.dated import Dated, day, steps, submitted_on
from snapshots.trial import PartialDate, Trial

UPDATED_YEARLY = Rule(
    "The record is updated at least every 12 months, until all that is due of its results was submitted.",
    "42 CFR 11.64(a)(1)",
)
UPDATED_IN_30_DAYS = Rule(
    "Such a date is updated within 30 days of the day on which it was reached.", "42 CFR 11.64(a)(1)"
)
UPDATED_IN_30_DAYS_SINCE_2017 = Rule(
    "Such a date is updated within 30 days of the day on which it was reached; asked of studies that began on 18 "
    "January 2017 or later.",
    "42 CFR 11.64(a)(1)(ii)",
)
_UPDATED = timedelta(days=30)
_OVER = (STOPPED - {"SUSPENDED"}) | {"COMPLETED"}


def updated_yearly(trial: Trial, today: date) -> Finding:
    """Whether the last update is not older than 12 months while the study goes on."""
    question, applies = "updated within a year", probably_covered(trial)
    last = day(trial.bookkeeping_dates.get("lastUpdateSubmitDate"))
    if enum_key(trial.overall_status) == "WITHDRAWN" or (trial.has_results and _is_over(trial)):
        words = f"The study is over: {status_words(trial.overall_status)}{', with results' * bool(trial.has_results)}."
        return finding(question, UPDATED_YEARLY, "does not apply", words, applies)
    if last is None:
        return finding(question, UPDATED_YEARLY, "cannot be told", unsaid("when it was updated"), applies)
    due = years_after(last, 1)
    days = (today - due).days
    words = f"{counted(days, 'day')} overdue" if days > 0 else f"the next is due {on_day(due)}"
    return finding(
        question,
        UPDATED_YEARLY,
        "no" if days > 0 else "yes",
        f"Last updated {on_day(last)}; {words}.",
        applies,
        due=due.isoformat(),
        days=days,
        basis={"last_update_submitted": last.isoformat()},
    )


def reached_in_time(versions: Sequence[Dated], attribute: str, today: date) -> Finding:
    """Whether a date (an attribute of `Trial`) was told as actual within 30 days of that day.

    A planned date that went by more than 30 days ago without a word counts as not told. A date that was actual when the
    record was first seen here leaves it open, unless that was its registration.
    """
    asked = _asked(versions[-1].trial, attribute)
    current: PartialDate | None = getattr(versions[-1].trial, attribute)
    known = known_interval(current)
    if enum_key(versions[-1].trial.overall_status) == "WITHDRAWN":
        return asked.answered("does not apply", "Withdrawn: it was never reached.")
    if current is None or known is None:
        return asked.answered("cannot be told", unsaid(f"its {DATE_NAMES[attribute]}"))
    if current.type is None:
        words = "The record does not say whether that date is planned or actual."
        return asked.answered("cannot be told", words)
    if not is_actual(current):
        return _still_planned(asked, current, known.end + _UPDATED, today)
    told = _told_actual(versions, attribute)
    if told is None:
        words = "It was actual already when the record was first seen here: when that was told is not known."
        return asked.answered("cannot be told", words)
    return _was_told(asked, current, known.end + _UPDATED, told)


class _Asked(Struct, frozen=True):
    """The question about one date, by which rule it is judged."""

    attribute: str
    rule: Rule
    applies: Applies

    def answered(self, answer: Answer, words: str, due: date | None = None, **facts: Any) -> Finding:
        question = f"{DATE_NAMES[self.attribute]} updated in time"
        by = due.isoformat() if due else None
        return finding(question, self.rule, answer, words, self.applies, due=by, **facts)


def _asked(trial: Trial, attribute: str) -> _Asked:
    """The rule for primary completion is older than that for start and completion."""
    applies = probably_covered(trial)
    if attribute == "primary_completion_date":
        return _Asked(attribute, UPDATED_IN_30_DAYS, applies)
    start = known_interval(trial.start_date)
    began_before = start is not None and start.end < RULE_SINCE
    return _Asked(attribute, UPDATED_IN_30_DAYS_SINCE_2017, "not likely" if began_before else applies)


def _was_told(asked: _Asked, reached: PartialDate, due: date, told: date) -> Finding:
    days = (told - due).days
    until = f"there was time until {on_day(due)}: {lateness(days)}"
    return asked.answered(
        "no" if days > 0 else "yes",
        f"Reached {date_words(reached.date)} and told {on_day(told)}; {until}.",
        due,
        days=days,
        basis={asked.attribute: plain(reached), "told": told.isoformat()},
    )


def _still_planned(asked: _Asked, planned: PartialDate, due: date, today: date) -> Finding:
    days = (today - due).days
    late = f"went by without a word: {lateness(days)}" if days > 0 else "is still planned"
    return asked.answered(
        "no" if days > 0 else "not yet",
        f"The {DATE_NAMES[asked.attribute]} planned for {date_words(planned.date)} {late}.",
        due,
        days=days,
        basis={asked.attribute: plain(planned)},
    )


def _is_over(trial: Trial) -> bool:
    return enum_key(trial.overall_status) in _OVER


def _told_actual(versions: Sequence[Dated], attribute: str) -> date | None:
    """The day on which the date was last said to be actual after it had not been."""
    told: str | None = submitted_on(versions[0]) if versions[0].is_registration else None
    for old, new in steps(versions):
        if _is_actual(new, attribute) and not _is_actual(old, attribute):
            told = submitted_on(new)
    return day(told)


def _is_actual(dated: Dated, attribute: str) -> bool:
    known: PartialDate | None = getattr(dated.trial, attribute)
    return known is not None and is_actual(known)
