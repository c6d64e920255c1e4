"""How cost grows, drawn: a panel for each kind of cost, a point for each size; one picture for light and dark pages."""

from collections.abc import Mapping, Sequence
from math import ceil, floor, log10
from typing import Any
from xml.sax.saxutils import escape

from msgspec import Struct

Row = Mapping[str, Any]
"""A figure as in the results: "series", "at" (how many records), "value", "floor", …"""
ACROSS, WIDTH, HEIGHT = 3, 310, 215
HEAD, FOOT = 58, 12
LEFT, RIGHT, TOP, BOTTOM = 46, 18, 44, 46
"""Inside a panel: room for its numbers, its title, its sizes."""
STYLE = """
text { font: 12px system-ui, sans-serif; fill: #1f2328 }
.title { font-size: 16px; font-weight: 600 } .panel { font-weight: 600 } .small { font-size: 11px; fill: #59636e }
.grid { stroke: #d1d9e0 } .line { fill: none; stroke: #0969da; stroke-width: 2 } circle { fill: #0969da }
.floor { fill: none; stroke: #59636e; stroke-width: 1.5; stroke-dasharray: 4 4 }
@media (prefers-color-scheme: dark) {
  text { fill: #f0f6fc } .small { fill: #9198a1 } .grid { stroke: #3d444d } .floor { stroke: #9198a1 }
  .line { stroke: #4493f8 } circle { fill: #4493f8 }
}
"""


class Panel(Struct, frozen=True):
    """`series` is its figures' among all, `unit` that of the numbers shown, which are the figures' `times` so much,
    `per_record`: divided by how many are watched; `floor` names the dashed line.
    """

    series: str
    title: str
    unit: str
    times: float = 1
    per_record: bool = False
    floor: str = ""


class _Point(Struct, frozen=True):
    at: float
    value: float
    floor: float | None


PANELS = (
    Panel("unchanged", "Unchanged record, next release", "µs of CPU", floor="split and hash"),
    Panel("baseline", "Record at the baseline", "ms of CPU", floor="decode, hash, compress"),
    Panel("memory", "Peak memory", "MB", floor="the process before it"),
    Panel("database", "Database after the baseline", "KB for each record", 1000, True, "each compressed by itself"),
    Panel("growth", "Database growth, next release", "KB for each record that changed or is new",
          floor="such records as received"),
    Panel("wall", "Next release, wall time", "ms for each record", 1000, True),
)  # fmt: skip


def draw(rows: Sequence[Row], panels: Sequence[Panel] = PANELS) -> str:
    """The picture as SVG; panels without any figure are left out. Raises ValueError where none is left."""
    found = [(panel, points) for panel in panels if (points := _points(rows, panel))]
    if not found:
        raise ValueError("there is no figure of growth to draw")
    lines = (len(found) + ACROSS - 1) // ACROSS
    width, height = ACROSS * WIDTH, HEAD + lines * HEIGHT + FOOT
    drawn = [_panel(panel, points, at % ACROSS * WIDTH, HEAD + at // ACROSS * HEIGHT)
             for at, (panel, points) in enumerate(found)]  # fmt: skip
    return "\n".join([
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" '
        'role="img" aria-labelledby="t d">',
        '<title id="t">What one record costs, by how many are watched</title>',
        f'<desc id="d">{escape(_words(found))}</desc>',
        f"<style>{STYLE}</style>",
        '<text x="16" y="26" class="title">What one record costs, by how many are watched</text>',
        '<text x="16" y="44" class="small">A flat line: it costs the same however many there are. '
        "Dashed: the floor, measured in the same run.</text>",
        *drawn,
        "</svg>",
        "",
    ])  # fmt: skip


def _points(rows: Sequence[Row], panel: Panel) -> list[_Point]:
    def shown(row: Row, name: str) -> float:
        return float(row[name]) * panel.times / (float(row["at"]) if panel.per_record else 1)

    of_panel = sorted((row for row in rows if row.get("series") == panel.series), key=lambda row: float(row["at"]))
    return [_Point(float(row["at"]), shown(row, "value"), None if row["floor"] is None else shown(row, "floor"))
            for row in of_panel]  # fmt: skip


def _panel(panel: Panel, points: Sequence[_Point], x: int, y: int) -> str:
    top = _round_up(max(max(point.value, point.floor or 0) for point in points) * 1.12)
    frame = _Frame(x, y, [point.at for point in points], top)
    values = [(point.at, point.value) for point in points]
    floors = [(point.at, point.floor) for point in points if point.floor is not None]
    parts = [f'<text x="{x + 16}" y="{y + 20}" class="panel">{escape(panel.title)}</text>',
             f'<text x="{x + 16}" y="{y + 35}" class="small">{escape(panel.unit)}</text>', *frame.grid()]  # fmt: skip
    if floors:
        parts += [frame.line(floors, "floor"), frame.name(floors[-1], panel.floor)]
    parts += [frame.line(values, "line"), *map(frame.point, values)]
    return "\n".join(["<g>", *parts, "</g>"])


class _Frame:
    """Where the numbers of one panel lie: sizes along a logarithm, values from nought to `top`."""

    def __init__(self, x: int, y: int, sizes: Sequence[float], top: float) -> None:
        self._left, self._right = x + LEFT, x + WIDTH - RIGHT
        self._high, self._low = y + TOP, y + HEIGHT - BOTTOM
        self._sizes, self._top = sizes, top

    def grid(self) -> list[str]:
        """Three lines with their values, and the sizes."""
        found = []
        for value in (0, self._top / 2, self._top):
            y = self._y(value)
            found.append(f'<path class="grid" d="M{self._left} {y:.1f}H{self._right}"/>')
            found.append(f'<text x="{self._left - 6}" y="{y + 4:.1f}" text-anchor="end" class="small">{value:g}</text>')
        for size in self._sizes:
            found.append(f'<text x="{self._x(size):.1f}" y="{self._low + 18}" text-anchor="middle" class="small">'
                         f"{_short(size)}</text>")  # fmt: skip
        return found

    def line(self, values: Sequence[tuple[float, float]], look: str) -> str:
        """Straight from point to point."""
        path = "L".join(f"{self._x(at):.1f} {self._y(value):.1f}" for at, value in values)
        return f'<path class="{look}" d="M{path}"/>'

    def point(self, value: tuple[float, float]) -> str:
        """A dot with its number."""
        x, y = self._x(value[0]), self._y(value[1])
        return (f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3.5"/>'
                f'<text x="{x:.1f}" y="{y - 9:.1f}" text-anchor="middle">{_number(value[1])}</text>')  # fmt: skip

    def name(self, value: tuple[float, float], words: str) -> str:
        """What a line is called: below its end, or above, where no other line runs through the words."""
        x, y = self._x(value[0]) + 12, self._y(value[1])
        grid = [self._y(each) for each in (0, self._top / 2, self._top)]
        free = [at for at in (y + 15, y - 6) if all(abs(at - 4 - other) > 7 for other in grid) and at < self._low]
        at = free[0] if free else y + 15
        return f'<text x="{x:.1f}" y="{at:.1f}" text-anchor="end" class="small">{escape(words)}</text>'

    def _x(self, size: float) -> float:
        low, high = log10(self._sizes[0]), log10(self._sizes[-1])
        along = (log10(size) - low) / (high - low) if high > low else 0.5
        return self._left + 22 + along * (self._right - self._left - 44)

    def _y(self, value: float) -> float:
        return self._low - value / self._top * (self._low - self._high)


def _round_up(value: float) -> float:
    """The next of 1, 2, 4, 5, 6, 8 and 10 at its power of ten."""
    power = 10.0 ** floor(log10(value)) if value > 0 else 1.0
    return next(step for step in (1, 2, 4, 5, 6, 8, 10) if step >= ceil(value / power * 100) / 100) * power


def _short(size: float) -> str:
    return f"{size / 1000:g} k" if size >= 1000 else f"{size:g}"


def _number(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def _words(found: Sequence[tuple[Panel, Sequence[_Point]]]) -> str:
    """The picture for those who do not see it."""
    told = []
    for panel, points in found:
        values = ", ".join(f"{_number(point.value)} of {_short(point.at)}" for point in points)
        told.append(f"{panel.title}, {panel.unit}: {values}.")
    return " ".join(told)
