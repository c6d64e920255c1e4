"""Where the sites are, as points over a plain graticule: sizes and places of an SVG that a template draws."""

import math
from collections.abc import Iterator, Sequence

from msgspec import Struct

from monitor.web.trial.sites import Listed, Point

WIDTH, HEIGHT = 720, 360
"""Of the drawing; it scales with the page."""
MARGIN_TOP, MARGIN_LEFT = 4, 4
_STEPS = (1, 2, 5, 10, 15, 30)
"""Degrees between two lines of the graticule."""
_MOST_LINES = 7
_LEAST_SPAN = 8.0
"""Degrees of latitude that a map shows at least: a single site is no dot on nothing."""
_WORLD_WIDE = 180.0
"""Degrees of longitude from which on a map is cut where maps of the world are: at 180°, between Asia and America."""
_ROUNDING = 0.00001
"""Degrees by which an area is wider than its points: about a metre."""
_GRID = 36
"""So many cells across the drawing: sites in one cell are one point with their number."""


class Dot(Struct, frozen=True, kw_only=True):
    """One point of the map: sites that stand close together. `words` tell what it is; `position` is that of the first
    in the record's list, `area` ("south,west,north,east") holds these sites and no others of the map.
    """

    x: float
    y: float
    radius: float
    is_open: bool
    sites: int
    words: str
    position: int
    area: str


class Line(Struct, frozen=True, kw_only=True):
    """A line of the graticule, with what it is called: "30° N"."""

    x1: float
    y1: float
    x2: float
    y2: float
    label: str
    x: float
    y: float


class SiteMap(Struct, frozen=True, kw_only=True):
    """The drawing: `here` is where distances are counted from, `words` what it shows, for those who do not see it."""

    width: int
    height: int
    lines: tuple[Line, ...]
    dots: tuple[Dot, ...]
    here: tuple[float, float] | None
    words: str


class _Frame(Struct, frozen=True):
    """Which part of the earth is shown, in degrees; longitudes grow along it, beyond 180 where it crosses that line."""

    south: float
    north: float
    west: float
    east: float

    def at(self, point: Point) -> tuple[float, float]:
        latitude, longitude = point
        across = (longitude - self.west) % 360 / (self.east - self.west)
        up = (latitude - self.south) / (self.north - self.south)
        return round(across * WIDTH, 1), round((1 - up) * HEIGHT, 1)


def site_map(found: Sequence[Listed], here: Point | None = None) -> SiteMap | None:
    """The map of these sites (each with a point) and of the place that was asked for; None where there is nothing."""
    points = [each.point for each in found if each.point]
    if not points:
        return None
    frame = _frame([*points, *([here] if here else [])])
    dots = tuple(_dots(found, frame))
    words = f"{len(points):,} sites as points over lines of latitude and longitude; the table below lists them."
    return SiteMap(
        width=WIDTH,
        height=HEIGHT,
        lines=tuple(_graticule(frame)),
        dots=dots,
        here=frame.at(here) if here else None,
        words=words,
    )


def _frame(points: Sequence[Point]) -> _Frame:
    latitudes = [point[0] for point in points]
    west, span = _longitudes([point[1] for point in points])
    middle = (min(latitudes) + max(latitudes)) / 2
    # a degree of longitude is shorter the farther north; the drawing is twice as wide as high
    squeeze = max(0.35, math.cos(math.radians(middle)))
    height = max((max(latitudes) - min(latitudes)) * 1.3, span * 1.2 * squeeze / 2, _LEAST_SPAN)
    height = min(height, 180.0)
    width = min(max(height * 2 / squeeze, span * 1.1), 360.0)
    south = min(max(middle - height / 2, -90.0), 90.0 - height)
    begin = west + span / 2 - width / 2
    if span > _WORLD_WIDE:
        begin = min(max(begin, -180.0), 180.0 - width)
    return _Frame(south, south + height, begin, begin + width)


def _longitudes(found: Sequence[float]) -> tuple[float, float]:
    """Where the points begin in the west and how many degrees they span: the widest gap between two is left out; where
    they stand all over the world, it is that at 180°.
    """
    around = sorted({longitude % 360 for longitude in found})
    gaps = [(after - before, after) for before, after in zip(around, [*around[1:], around[0] + 360], strict=True)]
    widest, begin = max(gaps)
    if 360 - widest > _WORLD_WIDE:
        usual = [_around(longitude) for longitude in around]
        return min(usual), max(usual) - min(usual)
    return begin % 360, 360 - widest


def _dots(found: Sequence[Listed], frame: _Frame) -> Iterator[Dot]:
    cells: dict[tuple[int, int], list[Listed]] = {}
    for each in found:
        if each.point:
            x, y = frame.at(each.point)
            cells.setdefault((int(x * _GRID / WIDTH), int(y * _GRID / WIDTH)), []).append(each)
    # the open ones are drawn last, above the others
    for together in sorted(cells.values(), key=lambda cell: any(each.is_open for each in cell)):
        yield _dot(together, frame)


def _dot(together: Sequence[Listed], frame: _Frame) -> Dot:
    places = [frame.at(each.point) for each in together if each.point]
    x, y = (sum(axis) / len(places) for axis in zip(*places, strict=True))
    opened = sum(each.is_open for each in together)
    return Dot(
        x=round(x, 1),
        y=round(y, 1),
        radius=4 if len(together) == 1 else round(8 + 1.6 * math.log2(len(together)), 1),
        is_open=opened > 0,
        sites=len(together),
        words=_dot_words(together, opened),
        position=together[0].site.position,
        area=_area([each.point for each in together if each.point], frame),
    )


def _area(points: Sequence[Point], frame: _Frame) -> str:
    """The least area that holds these points, rounded outwards."""
    latitudes = [latitude for latitude, _ in points]
    across = [(longitude - frame.west) % 360 for _, longitude in points]
    west, east = (_around(edge + frame.west) for edge in (min(across) - _ROUNDING, max(across) + _ROUNDING))
    edges = (min(latitudes) - _ROUNDING, west, max(latitudes) + _ROUNDING, east)
    return ",".join(f"{edge:.5f}" for edge in edges)


def _around(longitude: float) -> float:
    """The same longitude from -180 to 180."""
    return (longitude + 180) % 360 - 180


def _dot_words(together: Sequence[Listed], opened: int) -> str:
    first = together[0]
    if len(together) == 1:
        said = (first.site.facility, first.site.city, first.status)
        return ", ".join(each for each in said if each)
    cities = list(dict.fromkeys(each.site.city for each in together if each.site.city))
    named = ", ".join(cities[:3]) + (" and others" if len(cities) > 3 else "")
    return f"{len(together):,} sites in {named}, {opened:,} of them open"


def _graticule(frame: _Frame) -> Iterator[Line]:
    for longitude in _degrees(frame.west, frame.east):
        x = round((longitude - frame.west) / (frame.east - frame.west) * WIDTH, 1)
        label = _label(_around(longitude), "E", "W")
        yield Line(x1=x, y1=0, x2=x, y2=HEIGHT, label=label, x=x + 3, y=HEIGHT - 5)
    for latitude in _degrees(frame.south, frame.north):
        y = round((frame.north - latitude) / (frame.north - frame.south) * HEIGHT, 1)
        yield Line(x1=0, y1=y, x2=WIDTH, y2=y, label=_label(latitude, "N", "S"), x=3, y=y - 3)


def _degrees(begin: float, end: float) -> Iterator[int]:
    """The degrees at which lines are drawn: as many as fit, not at the drawing's edge."""
    step = next((each for each in _STEPS if (end - begin) / each <= _MOST_LINES), 60)
    first = math.floor(begin / step) + 1
    for number in range(first, math.ceil(end / step)):
        if begin + (end - begin) * 0.02 < number * step < end - (end - begin) * 0.02:
            yield number * step


def _label(degrees: float, positive: str, negative: str) -> str:
    side = "" if degrees in (0, 180, -180) else f" {positive if degrees > 0 else negative}"
    return f"{abs(degrees):g}°{side}"
