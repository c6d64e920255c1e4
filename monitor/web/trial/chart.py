"""The time line of a record as a drawing: where each bar, point and line stands; a template writes it as SVG."""

from collections.abc import Iterator, Sequence
from datetime import date, timedelta

from msgspec import Struct

from monitor.questions import Recorded
from snapshots.canonical import enum_key
from snapshots.rules.status import OPEN, STOPPED
from snapshots.sentences import capitalised, counted, date_words, partial_date_words, status_words
from snapshots.timeline import day, enrollment_course, move_words, sites_course, slips, status_periods
from snapshots.timeline.slips import Slips

WIDTH = 960
LEFT, RIGHT = 165, 20
"""Left of the axis stand the names of the lanes."""
TOP = 26
BAR, LANE, COURSE = 26, 40, 84
"""Heights: of a bar, of a lane of bars or points, of a lane with a course of numbers."""
_YEARS_AT_MOST = 12
"""Years that get a line of their own; of longer times every second, fifth or tenth does."""
_NAMES = {
    "start_date": "Start",
    "primary_completion_date": "Primary completion",
    "completion_date": "Completion",
}


class Bar(Struct, frozen=True, kw_only=True):
    """A time in which something stood. `tone`: open, stopped, or plain."""

    x: float
    y: float
    width: float
    tone: str
    label: str
    words: str


class Mark(Struct, frozen=True, kw_only=True):
    """A day that was stated for a date: the latest is filled."""

    x: float
    y: float
    is_latest: bool
    words: str


class Lane(Struct, frozen=True, kw_only=True):
    """One row: its name, what it sums up to, where it begins; a `path` is the line of its numbers."""

    name: str
    note: str
    y: float
    height: float
    bars: tuple[Bar, ...] = ()
    marks: tuple[Mark, ...] = ()
    path: str = ""
    second: str = ""
    labels: tuple[tuple[float, float, str], ...] = ()
    span: tuple[float, float] | None = None


class Chart(Struct, frozen=True, kw_only=True):
    """The drawing. `years` are (place, name), `today` the place of today; `words` say what it shows."""

    width: int
    height: int
    left: int
    lanes: tuple[Lane, ...]
    years: tuple[tuple[float, str], ...]
    today: float
    words: str


class _Axis(Struct, frozen=True):
    """Days along the drawing."""

    begin: date
    end: date

    def at(self, moment: date | None) -> float:
        inside = min(max(moment or self.begin, self.begin), self.end)
        share = (inside - self.begin).days / max(1, (self.end - self.begin).days)
        return round(LEFT + share * (WIDTH - LEFT - RIGHT), 1)


def chart(known: Recorded, today: date) -> Chart | None:
    """The drawing of a record's history as of `today`; None where no version has a date."""
    axis = _axis(known, today)
    if axis is None:
        return None
    lanes: list[Lane] = []
    y = float(TOP)
    for made in (_status(known, today, axis), *(_moved(slip, axis) for slip in slips(known.versions)),
                 _enrollment(known, today, axis), _sites(known, today, axis)):  # fmt: skip
        if made is not None:
            lanes.append(_placed(made, y))
            y += made.height + 12
    words = f"Time line of {known.id} from {date_words(axis.begin.isoformat())} to {date_words(axis.end.isoformat())}."
    return Chart(
        width=WIDTH,
        height=int(y) + 4,
        left=LEFT,
        lanes=tuple(lanes),
        years=tuple(_years(axis)),
        today=axis.at(today),
        words=f"{words} The tables below say the same.",
    )


def _axis(known: Recorded, today: date) -> _Axis | None:
    said = [day(version.date) for version in known.versions]
    stated = [
        day(value.date)
        for slip in slips(known.versions)
        for value in (slip.first, *(move.after for move in slip.moves))
        if value is not None
    ]
    # a mistyped century must not squeeze everything else into one point
    near = [each for each in [*said, *stated, today] if each and abs((each - today).days) < 40 * 366]
    if not any(said):
        return None
    return _Axis(min(near) - timedelta(days=20), max(near) + timedelta(days=45))


def _placed(lane: Lane, y: float) -> Lane:
    """The lane, moved down to where it stands."""
    return Lane(
        name=lane.name,
        note=lane.note,
        y=y,
        height=lane.height,
        bars=lane.bars,
        marks=lane.marks,
        path=lane.path,
        second=lane.second,
        labels=lane.labels,
        span=lane.span,
    )


def _years(axis: _Axis) -> Iterator[tuple[float, str]]:
    years = range(axis.begin.year + 1, axis.end.year + 1)
    step = next(each for each in (1, 2, 5, 10, 20) if len(years) / each <= _YEARS_AT_MOST)
    for year in years:
        if year % step == 0:
            yield axis.at(date(year, 1, 1)), str(year)


def _status(known: Recorded, today: date, axis: _Axis) -> Lane:
    return Lane(name="Status", note="", y=0, height=BAR, bars=tuple(_bars(known, today, axis)))


def _bars(known: Recorded, today: date, axis: _Axis) -> Iterator[Bar]:
    for period in status_periods(known.versions, today):
        x, until = axis.at(day(period.since)), axis.at(day(period.until) or today)
        status = capitalised(status_words(period.status))
        length = "" if period.days is None else f", {counted(period.days, 'day')}"
        end = f"to {period.until}" if period.until else "until today"
        key = enum_key(period.status)
        width = round(max(until - x, 2.0), 1)
        yield Bar(
            x=x,
            y=0,
            width=width,
            tone="open" if key in OPEN else "stopped" if key in STOPPED else "plain",
            label=status if width > 6.6 * len(status) else "",
            words=f"{status}, {period.since} {end}{length}",
        )


def _moved(slip: Slips, axis: _Axis) -> Lane | None:
    """A date's lane: every day that was stated for it, the latest filled, a line from the first to the latest."""
    if slip.first is None:
        return None
    stated = [(slip.first_on or "", slip.first, "first stated")]
    stated += [(move.on, move.after, move_words(move)) for move in slip.moves if move.after is not None]
    marks = tuple(
        Mark(
            x=axis.at(day(value.date)),
            y=LANE / 2,
            is_latest=number == len(stated),
            words=f"{partial_date_words(value)}, so since {on} ({words})",
        )
        for number, (on, value, words) in enumerate(stated, 1)
    )
    span = (marks[0].x, marks[-1].x) if len(marks) > 1 else None
    moves = len(slip.moves)
    note = "not moved, as far as stored" if not moves else f"moved {'once' if moves == 1 else f'{moves} times'}"
    return Lane(name=_NAMES[slip.date], note=note, y=0, height=LANE, marks=marks, span=span)


def _enrollment(known: Recorded, today: date, axis: _Axis) -> Lane | None:
    points = [(day(each.date), each.count) for each in enrollment_course(known.versions)]
    found = [(on, float(count)) for on, count in points if on and count is not None]
    return _course("Enrollment", found, [], today, axis)


def _sites(known: Recorded, today: date, axis: _Axis) -> Lane | None:
    points = [(day(each.date), each) for each in sites_course(known.versions)]
    opened = [(on, float(each.open)) for on, each in points if on]
    listed = [(on, float(each.sites)) for on, each in points if on]
    if not any(count for _, count in listed):
        return None
    return _course("Open sites", opened, listed, today, axis)


def _course(
    name: str, found: Sequence[tuple[date, float]], beside: Sequence[tuple[date, float]], today: date, axis: _Axis
) -> Lane | None:
    """A lane with numbers as steps: each holds until the next was stated. `beside` is drawn fainter."""
    if not found:
        return None
    highest = max(count for _, count in [*found, *beside]) or 1.0

    def height(count: float) -> float:
        return round(COURSE - 6 - count / highest * (COURSE - 24), 1)

    labels = [(axis.at(on), height(count) - 4, f"{count:,.0f}") for on, count in found]
    note = f"of {beside[-1][1]:,.0f} listed" if beside else "participants"
    return Lane(
        name=name,
        note=note,
        y=0,
        height=COURSE,
        path=_steps(found, today, axis, height),
        second=_steps(beside, today, axis, height) if beside else "",
        labels=tuple(_apart(labels)),
    )


def _steps(found: Sequence[tuple[date, float]], today: date, axis: _Axis, height: object) -> str:
    assert callable(height)
    first, *others = [(axis.at(on), height(count)) for on, count in found]
    drawn = "".join(f"H{x}V{y}" for x, y in others)
    return f"M{first[0]} {first[1]}{drawn}H{axis.at(today)}"


def _apart(labels: Sequence[tuple[float, float, str]]) -> Iterator[tuple[float, float, str]]:
    """Those that do not stand on each other; the newest is always there."""
    kept: list[tuple[float, float, str]] = []
    for label in reversed(labels):
        if all(abs(label[0] - other[0]) > 34 for other in kept):
            kept.append(label)
    return reversed(kept)
