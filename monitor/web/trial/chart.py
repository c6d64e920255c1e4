"""The time line of a record as a drawing: where each bar, point and line stands; a template writes it as SVG."""

import re
from collections.abc import Callable, Iterator, Sequence
from datetime import date

from msgspec import Struct
from msgspec.structs import replace

from monitor.questions import Recorded
from monitor.web.trial.axes import NARROW, WIDE, Axis, Frame, axes
from snapshots.canonical import enum_key
from snapshots.rules.status import OPEN, STOPPED
from snapshots.sentences import capitalised, counted, date_words, partial_date_words, status_words
from snapshots.timeline import (
    Period,
    answer_words,
    day,
    enrollment_course,
    move_words,
    sites_course,
    slips,
    status_periods,
)
from snapshots.timeline.slips import Slips

BAR, LANE, COURSE = 28, 48, 84
"""Heights: of a bar, of a lane of points, of a lane with a course of numbers."""
_TOP, _BETWEEN = 26, 12
_NOTE = 27
"""Letters that fit under a lane's name; of more the net shift alone is said there."""
_LETTER = 6.6
"""Width of a letter in a bar."""
_NAMES = {
    "start_date": "Start",
    "primary_completion_date": "Primary completion",
    "completion_date": "Completion",
}


class Bar(Struct, frozen=True, kw_only=True):
    """A time in which something stood. `tone`: open, stopped, or plain."""

    x: float
    width: float
    tone: str
    label: str
    words: str


class Mark(Struct, frozen=True, kw_only=True):
    """A day that was stated for a date: the latest is filled."""

    x: float
    is_latest: bool
    words: str


class Label(Struct, frozen=True):
    """Words in the drawing; `anchor` is which of their ends stands at `x`."""

    x: float
    y: float
    words: str
    anchor: str = "start"


class Lane(Struct, frozen=True, kw_only=True):
    """One row: its name, what it sums up to, where it begins; a `path` is the line of its numbers."""

    name: str
    note: str
    height: float
    y: float = 0
    bars: tuple[Bar, ...] = ()
    marks: tuple[Mark, ...] = ()
    path: str = ""
    second: str = ""
    labels: tuple[Label, ...] = ()
    span: tuple[float, float] | None = None


class Panel(Struct, frozen=True, kw_only=True):
    """Lanes over one axis. `title` says which time it shows, "" where there is only one; `days` are (place, name),
    `today` the place of today.
    """

    title: str
    y: float
    height: float
    lanes: tuple[Lane, ...]
    days: tuple[tuple[float, str], ...]
    today: float


class Chart(Struct, frozen=True, kw_only=True):
    """The drawing in a `frame`; `words` say what it shows."""

    frame: Frame
    height: int
    panels: tuple[Panel, ...]
    words: str


def charts(known: Recorded, today: date) -> tuple[Chart, ...]:
    """The drawing of a record's history as of `today`, for wide and for narrow screens; none where no version has a
    date.
    """
    seen = [day(version.date) for version in known.versions]
    if not any(seen):
        return ()
    return tuple(_chart(known, today, seen, frame) for frame in (WIDE, NARROW))


def _chart(known: Recorded, today: date, seen: Sequence[date | None], frame: Frame) -> Chart:
    moved = slips(known.versions)
    stated = [
        day(value.date) for slip in moved for value in (slip.first, *(move.after for move in slip.moves)) if value
    ]
    observed, dates = axes(seen, stated, today, frame)
    course = [_status(known, today, observed), _enrollment(known, today, observed), _sites(known, today, observed)]
    points = [_moved(slip, dates) for slip in moved]
    parts = [("What was observed", observed, course), ("The dates that were stated", dates, points)]
    if observed is dates:
        parts = [("", observed, [course[0], *points, *course[1:]])]
    panels, y = [], 0.0
    for title, axis, lanes in parts:
        panel = _panel(title, axis, [lane for lane in lanes if lane is not None], today, y)
        panels.append(panel)
        y = panel.y + panel.height + _BETWEEN
    span = [date_words(each.isoformat()) for each in (min(observed.begin, dates.begin), max(observed.end, dates.end))]
    words = f"Time line of {known.id} from {span[0]} to {span[1]}. The tables below say the same."
    return Chart(frame=frame, height=int(y), panels=tuple(panels), words=words)


def _panel(title: str, axis: Axis, lanes: Sequence[Lane], today: date, top: float) -> Panel:
    top += 22 if title else 0
    placed, y = [], float(_TOP)
    for lane in lanes:
        y += axis.frame.above
        placed.append(replace(lane, y=y))
        y += lane.height + _BETWEEN
    return Panel(title=title, y=top, height=y, lanes=tuple(placed), days=axis.names(), today=axis.at(today))


def _status(known: Recorded, today: date, axis: Axis) -> Lane:
    bars = tuple(_bar(period, today, axis) for period in status_periods(known.versions, today))
    # where the bar has no room for its name, the name stands beside it
    note = "" if not bars or bars[-1].label else bars[-1].words.partition(",")[0]
    return Lane(name="Status", note=f"now {note.lower()}" if note else "", height=BAR, bars=bars)


def _bar(period: Period, today: date, axis: Axis) -> Bar:
    x, until = axis.at(day(period.since)), axis.at(day(period.until) or today)
    status = capitalised(status_words(period.status))
    length = "" if period.days is None else f", {counted(period.days, 'day')}"
    end = f"to {date_words(period.until)}" if period.until else "until today"
    key = enum_key(period.status)
    width = round(max(until - x, 2.0), 1)
    return Bar(
        x=x,
        width=width,
        tone="open" if key in OPEN else "stopped" if key in STOPPED else "plain",
        label=status if width > _LETTER * len(status) + 8 else "",
        words=f"{status}, {date_words(period.since)} {end}{length}",
    )


def _moved(slip: Slips, axis: Axis) -> Lane | None:
    """A date's lane: every day that was stated for it, the latest filled, a line from the first to the latest."""
    if slip.first is None:
        return None
    stated = [(slip.first_on or "", slip.first, "first stated")]
    stated += [(move.on, move.after, move_words(slip, move)) for move in slip.moves if move.after is not None]
    marks = tuple(
        Mark(
            x=axis.at(day(value.date)),
            is_latest=number == len(stated),
            words=f"{partial_date_words(value)}, so since {date_words(on)} ({words})",
        )
        for number, (on, value, words) in enumerate(stated, 1)
    )
    span = (marks[0].x, marks[-1].x) if len(marks) > 1 else None
    labels = _ends([(mark.x, date_words(value.date)) for mark, (_, value, _) in zip(marks, stated, strict=True)], axis)
    return Lane(name=_NAMES[slip.date], note=_note(slip), height=LANE, marks=marks, span=span, labels=tuple(labels))


def _note(slip: Slips) -> str:
    said = re.sub(r" \(.*?\)", "", answer_words(slip).partition(";")[0])
    if said.startswith("not moved"):
        return "not moved, as far as stored"
    whole = said.removesuffix(" in all")
    return whole if len(whole) <= _NOTE else whole.rpartition(", ")[2]


def _ends(stated: Sequence[tuple[float, str]], axis: Axis) -> Iterator[Label]:
    """The latest date in words above its mark, and the first where there is room for both."""
    (first, first_words), (last, last_words) = stated[0], stated[-1]
    anchor = _anchor(last, axis.frame)
    yield Label(last, 12, last_words, anchor)
    room = _LETTER * (len(first_words) + len(last_words))
    if abs(first - last) > room and _anchor(first, axis.frame) != anchor:
        yield Label(first, 12, first_words, _anchor(first, axis.frame))


def _anchor(x: float, frame: Frame) -> str:
    third = (frame.width - frame.left) / 3
    return "start" if x < frame.left + third else "end" if x > frame.width - third else "middle"


def _enrollment(known: Recorded, today: date, axis: Axis) -> Lane | None:
    points = [(day(each.date), each.count) for each in enrollment_course(known.versions)]
    found = [(on, float(count)) for on, count in points if on and count is not None]
    return _course("Enrollment", found, [], today, axis)


def _sites(known: Recorded, today: date, axis: Axis) -> Lane | None:
    points = [(day(each.date), each) for each in sites_course(known.versions)]
    opened = [(on, float(each.open)) for on, each in points if on]
    listed = [(on, float(each.sites)) for on, each in points if on]
    if not any(count for _, count in listed):
        return None
    return _course("Open sites", opened, listed, today, axis)


Course = Sequence[tuple[date, float]]


def _course(name: str, found: Course, beside: Course, today: date, axis: Axis) -> Lane | None:
    """A lane with numbers as steps: each holds until the next was stated. `beside` is drawn fainter."""
    if not found:
        return None
    highest = max(count for _, count in [*found, *beside]) or 1.0

    def height(count: float) -> float:
        return round(COURSE - 6 - count / highest * (COURSE - 24), 1)

    labels = [Label(axis.at(on) + 2, height(count) - 4, f"{count:,.0f}") for on, count in found]
    note = f"of {beside[-1][1]:,.0f} listed" if beside else "participants"
    return Lane(
        name=name,
        note=note,
        height=COURSE,
        path=_steps(found, today, axis, height),
        second=_steps(beside, today, axis, height) if beside else "",
        labels=tuple(_apart(labels)),
    )


def _steps(found: Course, today: date, axis: Axis, height: Callable[[float], float]) -> str:
    first, *others = [(axis.at(on), height(count)) for on, count in found]
    drawn = "".join(f"H{x}V{y}" for x, y in others)
    return f"M{first[0]} {first[1]}{drawn}H{axis.at(today)}"


def _apart(labels: Sequence[Label]) -> Iterator[Label]:
    """Those that do not stand on each other; the newest is always there."""
    kept: list[Label] = []
    for label in reversed(labels):
        if all(abs(label.x - other.x) > 34 for other in kept):
            kept.append(label)
    return reversed(kept)
