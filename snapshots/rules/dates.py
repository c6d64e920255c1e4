"""How did the start, the primary completion and the completion of the study move?"""

from collections.abc import Callable

from snapshots.canonical import Interval, enum_key, interval, shift_days
from snapshots.changes import Change
from snapshots.kinds import Severity
from snapshots.rules.build import Json, change
from snapshots.sentences import date_words, partial_date_words, shift_words
from snapshots.trial import PartialDate, Trial

_NAMES = {
    "start_date": "Start date",
    "primary_completion_date": "Primary completion date",
    "completion_date": "Completion date",
}
COVERS = frozenset(_NAMES)

_Sentence = Callable[[PartialDate, PartialDate, int | None], str]
_PLANNED = frozenset({None, "ESTIMATED", "ANTICIPATED"})
_LONG_DELAY = 90  # days; a delay of this length is major whatever the date


def changes(old: Trial, new: Trial) -> list[Change]:
    """At most one change a date."""
    told = (_date_change(date, getattr(old, date), getattr(new, date), new) for date in _NAMES)
    return [change for change in told if change]


def is_actual(date: PartialDate) -> bool:
    """Whether the day has come; a date without type, or of any other type, is planned."""
    return enum_key(date.type) == "ACTUAL"


def _date_change(date: str, before: PartialDate | None, after: PartialDate | None, new: Trial) -> Change | None:
    if before == after:
        return None
    if before is None or after is None:
        return _come_or_gone(date, before, after, new)
    if is_actual(before) != is_actual(after):
        word = ".reached" if is_actual(after) else ".unreached"
        return _told(date, word, before, after, new)
    moved = _moved(before, after)
    if moved is None:
        return _otherwise_different(date, before, after, new)
    return _told(date, moved, before, after, new) if moved else None


def _moved(before: PartialDate, after: PartialDate) -> str | None:
    """How two dates of one class differ: an ending of the table, "" for not at all, None where one is not readable."""
    old, new = interval(before.date), interval(after.date)
    if old is None or new is None:
        return None
    if (old.start, old.end) == (new.start, new.end):
        return "" if _same_type(before, after) else None
    if old.overlaps(new):  # days, months and years overlap only where one holds the other
        return ".refined"
    if is_actual(after):
        return ".corrected"
    return ".delayed" if new.start > old.end else ".advanced"


def _same_type(before: PartialDate, after: PartialDate) -> bool:
    types = {enum_key(before.type), enum_key(after.type)}
    return len(types) == 1 or types <= _PLANNED


def _come_or_gone(date: str, before: PartialDate | None, after: PartialDate | None, new: Trial) -> Change:
    word, verb = (".removed", "removed") if after is None else (".added", "added")
    summary = f"{_NAMES[date]} {verb}: {partial_date_words(after or before)}"
    return change(date + word, summary=summary, before=_json(before), after=_json(after), path=new.path(date))


def _otherwise_different(date: str, before: PartialDate, after: PartialDate, new: Trial) -> Change | None:
    """Dates that are no dates, or of types we never heard of: told as they stand."""
    if before.date.split() == after.date.split() and _same_type(before, after):
        return None
    return change(
        "record.changed",
        summary=f"{_NAMES[date]} changed from {partial_date_words(before)} to {partial_date_words(after)}",
        before=_json(before),
        after=_json(after),
        path=new.path(date),
    )


def _told(date: str, word: str, before: PartialDate, after: PartialDate, new: Trial) -> Change:
    days = _shift(before, after)
    return change(
        date + word,
        summary=f"{_NAMES[date]} {_SENTENCES[word](before, after, days)}",
        before=_json(before),
        after=_json(after),
        path=new.path(date),
        severity=_severity(word, days),
    )


def _severity(word: str, days: int | None) -> Severity | None:
    return "major" if word == ".delayed" and days is not None and days >= _LONG_DELAY else None


def _shift(before: PartialDate, after: PartialDate) -> int | None:
    intervals: tuple[Interval | None, Interval | None] = interval(before.date), interval(after.date)
    return shift_days(intervals[0], intervals[1]) if intervals[0] and intervals[1] else None


def _moved_words(verb: str) -> _Sentence:
    def words(before: PartialDate, after: PartialDate, days: int | None) -> str:
        return f"{verb} by {shift_words(days or 0)}, from {date_words(before.date)} to {date_words(after.date)}"

    return words


def _reached_words(before: PartialDate, after: PartialDate, days: int | None) -> str:
    planned = f"{_distance(days)} planned" if days != 0 else "as planned"
    was = f" ({date_words(before.date)})" if before.date != after.date else ""
    return f"reached: {date_words(after.date)}, {planned}{was}"


def _unreached_words(before: PartialDate, after: PartialDate, days: int | None) -> str:
    shift = f"{_distance(days)} the actual date" if days != 0 else "the same as the actual date"
    return f"no longer actual: now planned for {date_words(after.date)}, {shift} ({date_words(before.date)})"


def _distance(days: int | None) -> str:
    if days is None:
        return "not comparable with what was"
    return f"{shift_words(days)} {'later' if days > 0 else 'earlier'} than"


def _refined_words(before: PartialDate, after: PartialDate, _: int | None) -> str:
    old, new = interval(before.date), interval(after.date)
    word = "more" if old and new and old.contains(new) else "less"
    return f"made {word} precise without a shift: {date_words(after.date)} (was: {date_words(before.date)})"


def _json(date: PartialDate | None) -> Json:
    return None if date is None else {"date": date.date, "type": date.type}


_SENTENCES: dict[str, _Sentence] = {
    ".delayed": _moved_words("delayed"),
    ".advanced": _moved_words("brought forward"),
    ".corrected": _moved_words("corrected"),
    ".reached": _reached_words,
    ".unreached": _unreached_words,
    ".refined": _refined_words,
}
