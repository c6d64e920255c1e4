"""How figures are taken: CPU of this process, medians, percentiles; and whether each keeps its bound."""

import re
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeVar

Result = TypeVar("Result")
Verdict = Literal["ok", "OVER", ""]

_BOUND = re.compile(r"(?:<|≤|under) ?(?P<most>[\d,.]+)(?P<ratio> ×)?")


@dataclass(frozen=True)
class Figure:
    """One row of the table: what was measured, its value, its floor in the same run and the bound it is held to ("< 5
    ms": of the value; "≤ 2 ×": of value to floor; "": there is none). `is_detail`: it stands in the page alone.
    `series` and `at`: which line of a drawing it is a point of, and for how many records.
    """

    what: str
    value: float
    unit: str
    floor: float | None = None
    floor_is: str = ""
    bound: str = ""
    detail: str = ""
    is_detail: bool = False
    series: str = ""
    at: int | None = None

    @property
    def ratio(self) -> float | None:
        return self.value / self.floor if self.floor else None

    @property
    def verdict(self) -> Verdict:
        """Whether it keeps its bound; "" where it has none."""
        found = _BOUND.match(self.bound)
        if found is None:
            return ""
        measured = self.ratio if found["ratio"] else self.value
        return "ok" if measured is not None and measured <= float(found["most"].replace(",", "")) else "OVER"


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
