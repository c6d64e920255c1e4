"""What an answer about a deadline is made of, and its words: rule, source, day and days; pure."""

from collections.abc import Mapping
from datetime import date
from typing import Literal

from msgspec import Struct

from snapshots.canonical import Interval, interval
from snapshots.sentences import counted, date_words
from snapshots.timeline.dated import day
from snapshots.trial import Json, PartialDate, Trial

Answer = Literal["yes", "no", "not yet", "does not apply", "cannot be told"]
"""Whether what the rule asks for was done: "no" it is late or was, "not yet" there is still time."""
Applies = Literal["likely", "not likely", "cannot be told", "by custom"]


class Rule(Struct, frozen=True):
    """What is asked for, in a sentence, and where that stands."""

    words: str
    source: str


class Finding(Struct, frozen=True, kw_only=True):
    """One question answered. `question` is its stable name, `summary` the answer in a sentence.

    `due` is the ISO day by which the rule asks for it; `days` by how many days it was or is late, negative where there
    is or was time left; None where nothing can be counted. `basis` are the record's own values that it was computed
    from. `computed` is always True: no authority has said this.
    """

    question: str
    answer: Answer
    summary: str
    rule: str
    source: str
    applies: Applies
    due: str | None = None
    days: int | None = None
    basis: Mapping[str, Json] = {}
    computed: bool = True


DATE_NAMES = {
    "start_date": "start date",
    "primary_completion_date": "primary completion date",
    "completion_date": "completion date",
}


def finding(
    question: str,
    rule: Rule,
    answer: Answer,
    summary: str,
    applies: Applies = "by custom",
    *,
    due: str | None = None,
    days: int | None = None,
    basis: Mapping[str, Json] | None = None,
) -> Finding:
    return Finding(
        question=question,
        answer=answer,
        summary=summary,
        rule=rule.words,
        source=rule.source,
        applies=applies,
        due=due,
        days=days,
        basis=basis or {},
    )


def registered_on(trial: Trial) -> date | None:
    return day(trial.bookkeeping_dates.get("studyFirstSubmitDate"))


def known_interval(known: PartialDate | None) -> Interval | None:
    return interval(known.date) if known else None


def plain(known: PartialDate | None) -> Json:
    return None if known is None else {"date": known.date, "type": known.type}


def unsaid(what: str) -> str:
    return f"The record does not say {what}."


def on_day(moment: date) -> str:
    return date_words(moment.isoformat())


def distance(days: int, before: str, after: str, same: str) -> str:
    if days == 0:
        return same
    return f"{counted(abs(days), 'day')} {after if days > 0 else before}"


def lateness(days: int) -> str:
    return distance(days, "to spare", "late", "on the last day")


def years_after(start: date, years: int) -> date:
    """The same day so many years later; of 29 February the 28th where that year has none."""
    try:
        return start.replace(year=start.year + years)
    except ValueError:
        return start.replace(year=start.year + years, day=28)
