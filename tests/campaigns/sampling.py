"""What a process holds from moment to moment, memory, open files, threads, connections, and whether that grows."""

import re
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from msgspec import Struct

WARMING = 1 / 3
"""The share of the time that is no evidence: what is loaded on first use is loaded, pools are filled."""
WINDOWS = 20
"""The rest is cut into so many windows, and the least of each counts: work comes and goes, what leaks stays."""


class Measure(Struct, frozen=True):
    """One thing that must not grow: its unit, and by how much its line may rise over what is judged."""

    unit: str
    bound: float


MEASURES: Mapping[str, Measure] = {
    "memory": Measure("KB", 8192),
    "open files": Measure("", 2),
    "sockets": Measure("", 2),
    "threads": Measure("", 4),
    "database connections": Measure("", 2),
}
"""Pools fill when there is more to do than ever before, be it late, and so do caches that are bounded: SQLAlchemy's of
compiled statements, the drivers' of prepared ones, SQLite's pages of each connection. Hence bounds that are not 0. What
leaks a thing in two minutes, or a megabyte in one, rises by more within twenty.
"""


class Sample(Struct, frozen=True):
    """What is held `at` so many seconds after the start, by the name of its measure."""

    at: float
    held: Mapping[str, int]


def held_by(process: int) -> dict[str, int]:
    """What a process holds now: resident memory in KB, open files, sockets among them, threads (Linux's /proc).

    Raises OSError where it has ended.
    """
    said = Path(f"/proc/{process}/status").read_text(encoding="ascii")
    links = _links(Path(f"/proc/{process}/fd"))
    sockets = sum(link.startswith("socket:") for link in links)
    return {
        "memory": _number("VmRSS", said),
        "open files": len(links) - sockets,
        "sockets": sockets,
        "threads": _number("Threads", said),
    }


def most_memory(process: int) -> int:
    """The most KB that were ever resident. Raises OSError where it has ended."""
    return _number("VmHWM", Path(f"/proc/{process}/status").read_text(encoding="ascii"))


def judged(samples: Sequence[Sample]) -> Sequence[Sample]:
    """The samples after warming up."""
    since = samples[0].at + (samples[-1].at - samples[0].at) * WARMING
    return [each for each in samples if each.at >= since]


def slope(samples: Sequence[Sample], name: str) -> float:
    """By how much a measure rises in a second: the line with the least squares through all of `samples`."""
    count = len(samples)
    middle = sum(each.at for each in samples) / count
    mean = sum(each.held[name] for each in samples) / count
    spread = sum((each.at - middle) ** 2 for each in samples)
    return sum((each.at - middle) * (each.held[name] - mean) for each in samples) / spread if spread else 0.0


def rise(samples: Sequence[Sample], name: str) -> float:
    """By how much the line through the least of each window of what is judged rises over that time."""
    after = judged(samples)
    return slope(least(after, name), name) * (after[-1].at - after[0].at)


def least(samples: Sequence[Sample], name: str) -> list[Sample]:
    """Of each window the sample that holds least."""
    first, long = samples[0].at, (samples[-1].at - samples[0].at) / WINDOWS or 1
    windows: dict[int, Sample] = {}
    for each in samples:
        window = min(int((each.at - first) / long), WINDOWS - 1)
        if window not in windows or each.held[name] < windows[window].held[name]:
            windows[window] = each
    return list(windows.values())


def growing(samples: Sequence[Sample]) -> list[str]:
    """A sentence for each measure that rose by more than its bound; none where everything is flat."""
    found = []
    for name in samples[0].held:
        risen, bound, unit = rise(samples, name), MEASURES[name].bound, MEASURES[name].unit
        if risen > bound:
            found.append(
                f"{name}: risen by {risen:,.1f} {unit} after warming up, at most {bound:g} may be".replace("  ", " ")
            )
    return found


def _links(folder: Path) -> list[str]:
    """What each open file is; one that is closed meanwhile is none."""
    found = []
    for each in folder.iterdir():
        with suppress(FileNotFoundError):
            found.append(str(each.readlink()))
    return found


def _number(name: str, text: str) -> int:
    found = re.search(rf"^{name}:\s+(\d+)", text, re.MULTILINE)
    return int(found[1]) if found else 0


# --- the curve --------------------------------------------------------------------------------------------------------

_WIDE, _HIGH, _LEFT, _RIGHT = 720, 96, 150, 70


def curve(title: str, samples: Sequence[Sample]) -> str:
    """An SVG drawing: a band for each measure, from 0 up, the warming up shaded."""
    names = list(samples[0].held)
    high = 40 + _HIGH * len(names)
    bands = "".join(_band(samples, name, 40 + _HIGH * number) for number, name in enumerate(names))
    shade = (_WIDE - _LEFT - _RIGHT) * WARMING
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDE} {high}" font-family="sans-serif" font-size="12" '
        f'role="img"><title>{title}</title><rect width="{_WIDE}" height="{high}" fill="#fff"/>'
        f'<text x="12" y="22" font-size="14" fill="#222">{title}</text>'
        f'<rect x="{_LEFT}" y="34" width="{shade:.0f}" height="{high - 42}" fill="#f1f1ee"/>{bands}</svg>\n'
    )


def _band(samples: Sequence[Sample], name: str, top: int) -> str:
    low, high = top + _HIGH - 18, top + 6
    most = max(each.held[name] for each in samples) or 1
    across = _scale(samples[0].at, samples[-1].at, _LEFT, _WIDE - _RIGHT)
    up = _scale(0, most, low, high)
    points = " ".join(f"{across(each.at):.1f},{up(each.held[name]):.1f}" for each in samples)
    last, unit = samples[-1].held[name], MEASURES[name].unit
    return (
        f'<text x="12" y="{low - 4}" fill="#222">{name}</text>'
        f'<line x1="{_LEFT}" x2="{_WIDE - _RIGHT}" y1="{low}" y2="{low}" stroke="#bbb"/>'
        f'<polyline fill="none" stroke="#205493" stroke-width="1.5" points="{points}"/>'
        f'<text x="{_LEFT - 6}" y="{high + 8}" text-anchor="end" fill="#666">{most:,} {unit}</text>'
        f'<text x="{_WIDE - _RIGHT + 6}" y="{up(last) + 4:.0f}" fill="#205493">{last:,}</text>'
    )


def _scale(first: float, last: float, start: float, end: float) -> Callable[[float], float]:
    step = (end - start) / ((last - first) or 1)
    return lambda value: start + (value - first) * step
