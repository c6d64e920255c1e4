"""How often was each date of the study moved, by how much each time, and how far is it from what was first planned?

A date of limited precision is an interval of days: shifts are counted between the starts of two intervals at the
coarser of their precisions, as everywhere (`snapshots.canonical.shift_days`). The running total compares with the first
date itself, so that it does not depend on the way: there and back again is 0, and a month that was made precise adds
nothing.
"""

from collections.abc import Iterator, Sequence
from itertools import accumulate

import msgspec
from msgspec import Struct

from snapshots.canonical import Interval, Precision, interval, shift_days
from snapshots.rules import dates as date_rules
from snapshots.sentences import counted, date_words, partial_date_words, shift_words
from snapshots.timeline.dated import Dated, public, steps
from snapshots.trial import PartialDate, Trial

DATES = ("start_date", "primary_completion_date", "completion_date")
_PRECISIONS: tuple[Precision, ...] = ("day", "month", "year")
_ORDINALS = ("first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth")


class DateMove(Struct, frozen=True, kw_only=True):
    """One time that a date was said differently.

    `date` is the attribute ("start_date"), `kind` that of the change ("start_date.delayed"; "record.changed" where a
    side is no readable date), `on` the ISO day from which it stood so. `days` is the shift, later positive, against the
    date that was known before (also where it had been taken out in between); `total_days` against the first one known;
    None where there is nothing to compare. `precision` is that at which `total_days` counts. `delays` tells how many
    delays there were, this one included.
    """

    date: str
    kind: str
    on: str
    before: PartialDate | None
    after: PartialDate | None
    days: int | None
    total_days: int | None
    precision: Precision | None
    delays: int
    version: int | None = None
    after_gap: bool = False

    @property
    def is_delay(self) -> bool:
        """Whether a plan was put off: a date that came late is `.reached`, and no plan any more."""
        return self.kind.endswith(".delayed")


class Slips(Struct, frozen=True, kw_only=True):
    """All that became of one date. `first` is the first one known, said on `first_on`; `first_is_plan` False: that was
    no plan any more; `from_registration` False: earlier versions are not known, the first plan may have been another.
    """

    date: str
    first: PartialDate | None
    first_on: str | None
    first_is_plan: bool
    from_registration: bool
    latest: PartialDate | None
    moves: tuple[DateMove, ...]

    @property
    def delays(self) -> int:
        """How often it was put off."""
        return sum(move.is_delay for move in self.moves)

    @property
    def total_days(self) -> int | None:
        """How far the latest date is from the first, later positive; 0 where it never moved; None without any."""
        if self.first is None or self.latest is None:
            return None
        return _shift(self.first, self.latest)[0]

    @property
    def uneven(self) -> tuple[bool, ...]:
        """For each move whether from there on the steps add up to something else than the total: a date without a day
        is counted by its month, so that days vanish or appear.
        """
        sums = accumulate(move.days or 0 for move in self.moves)
        apart = [
            None if move.total_days is None else sum_ - move.total_days
            for move, sum_ in zip(self.moves, sums, strict=True)
        ]
        known, found = 0, []
        for difference in apart:
            found.append(difference is not None and difference != known)
            known = known if difference is None else difference
        return tuple(found)


def slips(versions: Sequence[Dated]) -> tuple[Slips, ...]:
    """What became of start, primary completion and completion, in this order, whether they moved or not."""
    shown = public(versions)
    return tuple(_slips(date, shown) for date in DATES)


def move_words(slip: Slips, move: DateMove) -> str:
    """The move as people say it: "third delay, +92 days", "third stored delay" where earlier ones may not be known; the
    total is said by `total_words`.
    """
    stored = "" if slip.from_registration else "stored "
    delay = f"{_ordinal(move.delays)} {stored}delay"
    name = delay if move.is_delay else _KIND_WORDS.get(move.kind.partition(".")[2], "changed")
    if move.days is None:
        return name
    return f"{name}, {signed_days(move.days)}"


def total_words(slip: Slips, days: int | None) -> str:
    """A running total of a date in words: "+638 days (about 21 months) since first planned", or since the first version
    that is stored where earlier ones are not known.
    """
    if days is None:
        return "no total: there is nothing to compare"
    if not slip.from_registration:
        return f"{signed_days(days)} since the first version stored here"
    return f"{signed_days(days)} {'since first planned' if slip.first_is_plan else 'since first known'}"


def signed_days(days: int) -> str:
    """A shift with its direction: "+92 days", "−31 days", "no shift"."""
    if days == 0:
        return "no shift"
    return f"{'+' if days > 0 else '−'}{shift_words(days)}"


def answer_words(slip: Slips) -> str:
    """How often a date was moved, and where it stands: "1 delay and 2 brought forward, 92 days earlier in all; now 30
    June 2027 (estimated)".
    """
    if slip.first is None:
        return "not stated"
    now = f"now {partial_date_words(slip.latest)}" if slip.latest else "taken out by now"
    moved = _moved(slip)
    if not moved:
        return f"not moved in the versions stored here; {now}"
    total = "" if slip.total_days is None else f", {_direction(slip.total_days)} in all"
    return f"{moved}{total}; {now}"


def uneven_words(slip: Slips, move: DateMove) -> str:
    """Why the steps up to a move do not add up to its total."""
    dates = [each.date for each in (move.before, move.after, slip.first) if each and each.date]
    coarse = next((each for each in dates if _precision(each) != "day"), None)
    named = f"{date_words(coarse)} names no day" if coarse else "a date names no day"
    return f"the steps do not add up to the total here: {named}, and is compared by its {_coarse_noun(coarse)}"


def _precision(date: str) -> Precision | None:
    known = interval(date)
    return known.precision if known else None


def _coarse_noun(date: str | None) -> str:
    return (_precision(date) if date else None) or "month"


def _moved(slip: Slips) -> str:
    """What moved the date, each counted: "1 delay and 2 brought forward"; nothing where nothing did."""
    last = len(slip.moves) - 1
    moving = [
        move.kind.partition(".")[2]
        for number, move in enumerate(slip.moves)
        if _is_moving(slip, move, is_last=number == last)
    ]
    later, sooner = moving.count("delayed"), moving.count("advanced")
    others = len(moving) - later - sooner
    told = [counted(later, "delay")] if later else []
    told += [f"{sooner:,} brought forward"] if sooner else []
    told += [counted(others, "other move" if told else "move")] if others else []
    return " and ".join(told) if len(told) < 3 else f"{told[0]}, {told[1]} and {told[2]}"


def _is_moving(slip: Slips, move: DateMove, *, is_last: bool) -> bool:
    """That it was added, came to pass on its day or was said more precisely moves nothing; nor does taking it out
    where it was stated again: the return is compared with what it was.
    """
    if move.days is not None:
        return move.days != 0
    return move.before is not None and (move.after is not None or (is_last and slip.latest is None))


def _direction(days: int) -> str:
    return f"{shift_words(days)} {'later' if days > 0 else 'earlier'}" if days else "no shift"


_KIND_WORDS = {
    "advanced": "brought forward",
    "reached": "reached",
    "unreached": "no longer actual",
    "corrected": "actual date corrected",
    "refined": "precision changed",
    "added": "added",
    "removed": "removed",
}


def _ordinal(number: int) -> str:
    if number <= len(_ORDINALS):
        return _ORDINALS[number - 1]
    teen = number % 100 in (11, 12, 13)
    return f"{number}{'th' if teen else {1: 'st', 2: 'nd', 3: 'rd'}.get(number % 10, 'th')}"


def _slips(date: str, versions: Sequence[Dated]) -> Slips:
    said = [(dated, _date(dated.trial, date)) for dated in versions]
    found = next(((dated, known) for dated, known in said if known is not None), None)
    first, first_on = (found[1], found[0].date) if found else (None, None)
    return Slips(
        date=date,
        first=first,
        first_on=first_on,
        first_is_plan=first is not None and not date_rules.is_actual(first),
        from_registration=bool(versions) and versions[0].is_registration,
        latest=said[-1][1] if said else None,
        moves=tuple(_counted(_moves(date, first, versions))),
    )


def _moves(date: str, first: PartialDate | None, versions: Sequence[Dated]) -> Iterator[DateMove]:
    known: PartialDate | None = None
    for old, new in steps(versions):
        before, after = _date(old.trial, date), _date(new.trial, date)
        known = before or known
        kind = _kind(date, old.trial, new.trial)
        if kind is None:
            continue
        total, precision = _shift(first, after)
        yield DateMove(
            date=date,
            kind=kind,
            on=new.date,
            before=before,
            after=after,
            days=_shift(known, after)[0],
            total_days=total,
            precision=precision,
            delays=0,
            version=new.version,
            after_gap=new.gap > 0,
        )


def _counted(moves: Iterator[DateMove]) -> Iterator[DateMove]:
    delays = 0
    for move in moves:
        delays += move.is_delay
        yield msgspec.structs.replace(move, delays=delays)


def _kind(date: str, old: Trial, new: Trial) -> str | None:
    """The kind of change that the rules see in this date; None where it says the same."""
    if _date(old, date) == _date(new, date):
        return None
    path = new.path(date)
    return next((change.kind for change in date_rules.changes(old, new) if change.path == path), None)


def _date(trial: Trial, date: str) -> PartialDate | None:
    return getattr(trial, date)  # type: ignore[no-any-return]


def _shift(before: PartialDate | None, after: PartialDate | None) -> tuple[int | None, Precision | None]:
    old, new = (interval(date.date if date else None) for date in (before, after))
    return (shift_days(old, new), _coarser(old, new)) if old and new else (None, None)


def _coarser(one: Interval, other: Interval) -> Precision:
    return max((one.precision, other.precision), key=_PRECISIONS.index)


def slips_words(slip: Slips) -> str:
    """What became of a date in one phrase: "3 delays, +638 days (about 21 months) since first planned"."""
    if slip.first is None:
        return "not stated"
    moved = _moved(slip)
    if not moved:
        return "not moved in the versions stored here"
    return f"{moved}, {total_words(slip, slip.total_days)}"
