"""How large, how many, how old: the distributions of real records, and what the nth invented record gets of each.

The tables are quantiles of 761 recorded records (with the fields that a sweep asks for) and of what is known of the
whole registry. The nth record's share of a distribution is not left to chance but spread evenly (a Weyl sequence), so
that any thousand records in a row are distributed like all of them, and figures of 1,000 and of 100,000 can be compared
record by record.
"""

from bisect import bisect_right
from collections.abc import Sequence
from math import exp, log, sqrt

from msgspec import Struct

Quantiles = Sequence[tuple[float, float]]

SITES: Quantiles = (
    (0.0, 0), (0.095, 0), (0.0951, 1), (0.70, 1), (0.72, 2), (0.78, 3), (0.84, 7), (0.90, 18), (0.95, 42), (0.99, 165),
    (0.999, 300), (1.0, 460),
)  # fmt: skip
"""Locations: 60 % have one, some 460."""
PROSE: Quantiles = (
    (0.0, 100), (0.05, 1_700), (0.1, 2_300), (0.25, 3_900), (0.5, 6_600), (0.75, 10_600), (0.9, 15_500), (0.95, 19_500),
    (0.99, 34_000), (1.0, 60_000),
)  # fmt: skip
"""Characters of all the texts of a protocol."""
RESULTS: Quantiles = (
    (0.0, 4_000), (0.1, 7_400), (0.25, 14_700), (0.5, 33_000), (0.75, 67_000), (0.9, 120_000), (0.97, 180_000),
    (0.99, 500_000), (0.999, 1_100_000), (1.0, 3_500_000),
)  # fmt: skip
"""Bytes of the results of a record that has some."""
HAVE_RESULTS = 0.11
STATUSES = {
    "COMPLETED": 0.545, "UNKNOWN": 0.140, "RECRUITING": 0.115, "TERMINATED": 0.060, "NOT_YET_RECRUITING": 0.045,
    "ACTIVE_NOT_RECRUITING": 0.040, "WITHDRAWN": 0.030, "ENROLLING_BY_INVITATION": 0.009, "SUSPENDED": 0.003,
    "NO_LONGER_AVAILABLE": 0.013,
}  # fmt: skip
_STEPS = (sqrt(5) / 2 - 0.5, sqrt(2) - 1, sqrt(3) - 1)


class Shape(Struct, frozen=True):
    """What the nth record is to be: its status, how many locations, characters of prose, bytes of results (0: none);
    `age` is its place among all from the oldest (0) to the newest (1).
    """

    status: str
    sites: int
    prose: int
    results: int
    age: float


def shape(nth: int) -> Shape:
    """The shape of the nth record, counted from 0."""
    of_sites, of_prose, of_status = ((nth + 0.5) * step % 1 for step in _STEPS)
    # the first of the statuses is COMPLETED: only what is over has results
    results = at(RESULTS, of_status / HAVE_RESULTS) if of_status < HAVE_RESULTS else 0
    return Shape(
        status=_status(of_status),
        sites=round(at(SITES, of_sites)),
        prose=round(at(PROSE, of_prose)),
        results=round(results),
        age=(nth * 7_919 % 10_007) / 10_007,
    )


def at(quantiles: Quantiles, share: float) -> float:
    """The value below which `share` of all lie; between two that are known along a straight line of logarithms."""
    place = min(bisect_right(quantiles, (share, float("inf"))), len(quantiles) - 1)
    (low, less), (high, more) = quantiles[place - 1], quantiles[place]
    along = (share - low) / (high - low)
    return exp(log(less + 1) * (1 - along) + log(more + 1) * along) - 1


def _status(share: float) -> str:
    reached = 0.0
    for status, part in STATUSES.items():
        reached += part
        if share < reached:
            return status
    return "COMPLETED"
