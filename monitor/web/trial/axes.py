"""Where a day stands along the drawing of a time line, and which days get a line and a name of their own."""

from collections.abc import Iterator, Sequence
from datetime import date, timedelta

from msgspec import Struct

_LONG, _MIDDLE = 3 * 366, 100
"""Days from which on years, and months, are named."""
_YEARS, _MONTHS, _DAYS = (1, 2, 5, 10, 20, 50), (1, 2, 3, 6, 12), (1, 2, 7, 14, 28)
"""Steps between two names."""
_FAR = 40 * 366
"""A mistyped century must not squeeze everything else into one point."""
_TINY = 8
"""How many times longer the stated dates may reach than what was observed, before each gets an axis of its own."""


class Frame(Struct, frozen=True):
    """The room that a drawing has: its width, what is left free at its sides, how high the names above a lane stand (0:
    they stand at its left), and how many names of days fit.
    """

    width: int
    left: int
    right: int
    above: int
    names: int


WIDE = Frame(960, 165, 24, 0, 11)
NARROW = Frame(340, 6, 10, 20, 4)
"""For screens as narrow as a phone's."""


class Axis(Struct, frozen=True):
    """Days along the drawing."""

    begin: date
    end: date
    frame: Frame

    def at(self, moment: date | None) -> float:
        """Where a day stands; what is outside stands at the edge."""
        inside = min(max(moment or self.begin, self.begin), self.end)
        share = (inside - self.begin).days / max(1, (self.end - self.begin).days)
        return round(self.frame.left + share * (self.frame.width - self.frame.left - self.frame.right), 1)

    def names(self) -> tuple[tuple[float, str], ...]:
        """The days that are named, as (place, name): years, months or days, by how long the axis is."""
        named = ((self.at(day), words) for day, words in self._named())
        return tuple((x, words) for x, words in named if self.frame.left + 16 <= x <= self.frame.width - 22)

    def _named(self) -> Iterator[tuple[date, str]]:
        days = (self.end - self.begin).days
        if days > _LONG:
            step = _step(_YEARS, days / 365.25 / self.frame.names)
            years = range(self.begin.year + 1, self.end.year + 1)
            yield from ((date(year, 1, 1), str(year)) for year in years if year % step == 0)
        elif days > _MIDDLE:
            yield from self._months(_step(_MONTHS, days / 30.4 / self.frame.names))
        else:
            step = _step(_DAYS, days / self.frame.names)
            for passed in range(0, days + 1, step):
                day = self.begin + timedelta(days=passed)
                yield day, f"{day.day} {day:%b}"

    def _months(self, step: int) -> Iterator[tuple[date, str]]:
        first, last = (each.year * 12 + each.month - 1 for each in (self.begin, self.end))
        for month in range(first + 1, last + 1):
            if month % step == 0:
                day = date(month // 12, month % 12 + 1, 1)
                yield day, f"{day:%b} {day.year}"


def _step(steps: Sequence[int], least: float) -> int:
    return next((each for each in steps if each >= least), steps[-1])


def axes(seen: Sequence[date | None], stated: Sequence[date | None], today: date, frame: Frame) -> tuple[Axis, Axis]:
    """The axis of what was observed, and that of the dates which the record states: one and the same, unless the
    observed time would be a sliver of it.
    """
    known, dates = ([each for each in group if each and abs((each - today).days) < _FAR] for group in (seen, stated))
    observed = _axis([*known, today], frame)
    whole = _axis([*known, *dates, today], frame)
    if _length(observed) * _TINY >= _length(whole):
        return whole, whole
    return observed, _axis([*dates, today], frame)


def _axis(days: Sequence[date], frame: Frame) -> Axis:
    begin, end = min(days), max(days)
    room = max(1, (end - begin).days // 25)
    return Axis(begin - timedelta(days=room), end + timedelta(days=room), frame)


def _length(axis: Axis) -> int:
    return (axis.end - axis.begin).days
