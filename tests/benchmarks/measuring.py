"""How figures are taken and told: CPU of this process, medians, a table, a JSON file."""

import json
import platform
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, TypeVar

Result = TypeVar("Result")


@dataclass(frozen=True)
class Figure:
    """One row of the table: what was measured, its value, its floor in the same run and the bound it is held to."""

    what: str
    value: float
    unit: str
    floor: float | None = None
    floor_is: str = ""
    bound: str = ""

    @property
    def ratio(self) -> float | None:
        return self.value / self.floor if self.floor else None


class Meter:
    """Adds up the CPU seconds that calls take, and keeps each."""

    def __init__(self) -> None:
        self.each: list[float] = []

    @property
    def total(self) -> float:
        return sum(self.each)

    def around(self, call: Callable[..., Result]) -> Callable[..., Result]:
        def measured(*args: Any, **kwargs: Any) -> Result:
            began = time.thread_time()
            try:
                return call(*args, **kwargs)
            finally:
                self.each.append(time.thread_time() - began)

        return measured


def cpu(call: Callable[[], object]) -> float:
    """CPU seconds that one call takes in this thread."""
    began = time.thread_time()
    call()
    return time.thread_time() - began


def median(values: Sequence[float]) -> float:
    return statistics.median(values)


def percentile(values: Sequence[float], share: float) -> float:
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def tell(figures: Sequence[Figure], notes: Sequence[str], into: Path) -> None:
    """Prints the table and writes it as JSON, with the machine it was taken on."""
    machine = f"{platform.machine()}, Python {platform.python_version()}, {platform.system()}"
    print(f"CPU time of this process; {machine}")
    width = max(len(figure.what) for figure in figures)
    print(f"{'':{width}}  {'value':>14}  {'floor':>14}  {'ratio':>6}  bound")
    for figure in figures:
        floor = f"{figure.floor:10.3f} {figure.unit}" if figure.floor is not None else ""
        ratio = f"{figure.ratio:6.2f}" if figure.ratio is not None else ""
        value = f"{figure.value:10.3f} {figure.unit}"
        print(f"{figure.what:{width}}  {value:>14}  {floor:>14}  {ratio:>6}  {figure.bound}")
    for note in notes:
        print(f"  {note}")
    into.parent.mkdir(exist_ok=True)
    rows = [asdict(figure) | {"ratio": figure.ratio} for figure in figures]
    into.write_text(json.dumps({"machine": machine, "figures": rows, "notes": list(notes)}, indent=1) + "\n")
    print(f"  written to {into}", file=sys.stderr)
