"""What a comparison costs: `diff --batch` over the recorded changes beside a bare walk of the same decoded records."""

import gc
import json
from typing import Any

from monitor.cli.diff import _batch_line
from snapshots.registries.ctgov.parse import parse
from snapshots.rules import changes_between
from tests.benchmarks import records
from tests.benchmarks.measuring import Figure, cpu, median, percentile
from tests.snapshots.whole_record import SITES, whole

Json = Any
ROUNDS = 5
SITES_AT_ONCE = 1000


def figures() -> tuple[list[Figure], list[str]]:
    """The figures of comparing and what has to be said of them."""
    many = Figure(
        f"one pair, all its {SITES_AT_ONCE:,} sites change status", _many_sites() * 1000, "ms", bound="< 150 ms"
    )
    pairs = records.real_pairs()
    if not pairs:
        return [many], ["diff --batch: not measured, the recorded pairs are not at hand"]
    costs, walks = _batch(pairs)
    what = "diff --batch, one pair: decode, parse, compare, classify, encode"
    floor = "a bare recursive walk of the two decoded records"
    return [
        Figure(f"{what}, median", median(costs), "ms", median(walks), floor, "< 5 ms"),
        Figure(
            "diff --batch, one pair, 95 %", percentile(costs, 0.95), "ms", percentile(walks, 0.95), floor, "< 40 ms"
        ),
        many,
    ], [
        f"diff --batch: {len(pairs)} recorded pairs, each met once; the walk, best of {ROUNDS}, is over decoded records"
    ]


def _batch(pairs: list[tuple[str, bytes, bytes]]) -> tuple[list[float], list[float]]:
    """CPU milliseconds of each pair: as a line of a batch, and of the bare walk.

    A pair's line is timed when it is met first, as a batch meets it: names and texts that are kept for a second time
    would flatter it.
    """
    costs, walks = [], []
    _batch_line(b'{"id":"warm","old":%s,"new":%s}' % ((json.dumps(whole()).encode(),) * 2))  # imports
    for name, old, new in pairs:
        line = b'{"id":"%s","old":%s,"new":%s}' % (name.encode(), old.strip(), new.strip())
        before, after = json.loads(old), json.loads(new)
        gc.collect()
        costs.append(cpu(lambda line=line: _batch_line(line)) * 1000)
        walks.append(_best(lambda before=before, after=after: _walk(before, after)))
    return costs, walks


def _best(call: Any) -> float:
    gc.collect()
    return min(cpu(call) for _ in range(ROUNDS)) * 1000


def _walk(one: Json, other: Json) -> int:
    """How many places differ, as the shortest program counts them: the floor of every comparison."""
    if isinstance(one, dict) and isinstance(other, dict):
        return sum(_walk(one.get(key), other.get(key)) for key in {**one, **other})
    if isinstance(one, list) and isinstance(other, list):
        return abs(len(one) - len(other)) + sum(map(_walk, one, other))
    return one != other


def _many_sites() -> float:
    old, new = (
        parse(json.dumps(whole((SITES, _sites(status)))).encode()) for status in ("NOT_YET_RECRUITING", "RECRUITING")
    )
    assert len(changes_between(old, new)) == SITES_AT_ONCE
    return min(cpu(lambda: changes_between(old, new)) for _ in range(ROUNDS))


def _sites(status: str) -> list[dict[str, str]]:
    return [
        {"facility": f"Example Hospital {n}", "city": f"Town {n % 300}", "country": "Freedonia", "status": status}
        for n in range(SITES_AT_ONCE)
    ]
