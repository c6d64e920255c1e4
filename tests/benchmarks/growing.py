"""How cost grows with what is watched: the whole of an invented registry of 1,000, 10,000 and 100,000 records.

Each size in a process of its own, as a daemon lives: the baseline, some releases that change nothing, one that changes
a quarter of a percent. `SIZES=1000,600000 make bench ONLY=growth` takes other sizes; `RECORDS=folder` keeps the made
records there and takes them again (2 GB for 100,000).
"""

import hashlib
import os
import re
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

from msgspec import Struct, json

from snapshots.archive import codec
from tests.benchmarks.looking import Phase, served, watching
from tests.benchmarks.measuring import Figure, cpu, median
from tests.benchmarks.synthetic import releases, storing
from tests.benchmarks.synthetic.studies import TODAY, record_id

SIZES = (1_000, 10_000, 100_000)
MOST_MEMORY = 300
"""MB that a sweep may take at its peak, whatever is watched."""
FLAT = 1.2
"""By so much may the dearest record of a size cost more than the cheapest of another."""
NOTHING_NEW = {1_000: 5, 10_000: 3}
"""How many releases without any change are looked at; of larger sizes one."""
SAMPLE = 2_000
"""Records on which the floor of a baseline is taken."""
_MEGABYTE = 1e6


class Grown(Struct, frozen=True, kw_only=True):
    """What one size took: its baseline, the releases without a change, the one with some; what that one changed."""

    size: int
    baseline: Phase
    still: Sequence[Phase]
    changed: Phase
    edited: int
    new: int
    gone: int
    edited_bytes: int
    kinds: Mapping[str, int]
    idle: int
    floor: "Floor"
    made_in: float

    @property
    def unchanged(self) -> float:
        """CPU seconds of one unchanged record: the median over the releases."""
        return median([phase.each for phase in (*self.still, self.changed)])

    @property
    def growth(self) -> int:
        """Bytes by which the database grew in the release that changed something."""
        return self.changed.database - (self.still[-1] if self.still else self.baseline).database


def figures(sizes: Sequence[int] = ()) -> tuple[list[Figure], list[str]]:
    """The figures of all sizes, then how they stand to each other; and what has to be said of them."""
    grown = [measure(size) for size in sizes or _sizes_asked_for()]
    found = [figure for one in grown for figure in _figures(one)]
    return [*_beside_each_other(grown), *found], [*_notes(grown)]


def _sizes_asked_for() -> Sequence[int]:
    given = os.environ.get("SIZES", "")
    if not given:
        return SIZES
    if not re.fullmatch(r"\d+(,\d+)*", given):
        raise SystemExit(f"SIZES={given}: numbers of records, with commas between them, as SIZES=1000,600000")
    return sorted(int(size) for size in given.split(","))


def _figures(one: Grown) -> list[Figure]:
    count, baseline, name = one.size, one.baseline, f"{one.size:,} records"
    phases = [*one.still, one.changed]
    floor = median([phase.floor / phase.answered for phase in phases])
    touched = one.edited + one.new
    drawn = [
        Figure(f"{name}: an unchanged one at the next release", one.unchanged * 1e6, "µs", floor * 1e6,
               "split and hash the same bytes", "≤ 2 ×", series="unchanged"),
        Figure(f"{name}: one at the baseline", baseline.cpu / count * 1e3, "ms", one.floor.cpu * 1e3,
               "decode, hash and compress it", series="baseline"),
        Figure(f"{name}: peak memory", max(each.memory for each in (baseline, *phases)) / _MEGABYTE, "MB",
               one.idle / _MEGABYTE, "the same process before it", f"< {MOST_MEMORY} MB",
               f"baseline {baseline.memory / _MEGABYTE:.0f}, next release {one.changed.memory / _MEGABYTE:.0f}",
               series="memory"),
        Figure(f"{name}: database after the baseline", baseline.database / _MEGABYTE, "MB",
               one.floor.compressed * count / _MEGABYTE, "each record compressed by itself", series="database"),
        Figure(f"{name}: database growth for each that changed or is new", one.growth / touched / 1e3, "KB",
               one.edited_bytes / touched / 1e3, "these records as received", "≤ 1 ×",
               f"{one.growth / 1e3:,.0f} KB for {one.edited} changed and {one.new} new", series="growth"),
        Figure(f"{name}: wall time of the next release", one.changed.wall, "s", series="wall"),
    ]  # fmt: skip
    told = [
        Figure(f"{name}: wall time of the baseline", baseline.wall, "s"),
        Figure(f"{name}: one that changed or is new", one.changed.kept_cpu / max(1, one.changed.kept) * 1e3, "ms"),
    ]
    return [*(replace(figure, at=count) for figure in drawn), *told]


def _beside_each_other(grown: Sequence[Grown]) -> list[Figure]:
    """The dearest size beside the cheapest, record by record; what an unchanged release writes."""
    if len(grown) < 2:
        return []
    what = f"{grown[0].size:,} to {grown[-1].size:,}"
    costs = {
        "CPU of an unchanged record": ([one.unchanged * 1e6 for one in grown], "µs"),
        "CPU of a record at the baseline": ([one.baseline.cpu / one.size * 1e6 for one in grown], "µs"),
    }
    return [
        Figure(f"{name}, {what}: the dearest size", max(costs), unit, min(costs), "the cheapest size", f"≤ {FLAT} ×")
        for name, (costs, unit) in costs.items()
    ]


def _notes(grown: Sequence[Grown]) -> Iterator[str]:
    yield (
        "records: invented, distributed as real ones are (sizes, locations, statuses, results), the same share of each "
        "size; every text, name, date and number varies, the vocabulary and the fields' names do not; each by itself "
        "compresses to a third, real ones to a quarter"
    )
    yield (
        "CPU is that of the whole process less what is spent in HTTP; the registry is a stand-in in a process of its "
        "own; one address wants everything; SQLite"
    )
    for one in grown:
        made = f"made in {one.made_in:.0f} s" if one.made_in > 0.1 else "made before"
        told = ", ".join(f"{kind} {count}" for kind, count in sorted(one.kinds.items()))
        yield (
            f"{one.size:,} records: {one.baseline.received / _MEGABYTE:,.0f} MB of JSON ({made}); "
            f"changed: {told}; {one.new} new, {one.gone} gone; {len(one.still)} releases without a change"
        )


# --- one size ---------------------------------------------------------------------------------------------------------


def measure(size: int) -> Grown:
    """Make so many records, serve them, watch them all."""
    with tempfile.TemporaryDirectory(prefix="trialdelta-growth-") as folder:
        began = time.monotonic()
        records = _made(Path(os.environ.get("RECORDS", folder)), size)
        made_in = time.monotonic() - began
        with served(records) as (url, publish), watching(Path(folder), url) as (idle, look):
            baseline = look()
            still = []
            for day in range(1, NOTHING_NEW.get(size, 1) + 1):
                publish(TODAY + timedelta(days=day), {}, ())
                still.append(look())
            last = releases.difference(*storing.worded(), size, TODAY + timedelta(days=10))
            publish(last.day, last.studies, last.gone)
            return Grown(
                size=size,
                baseline=baseline,
                still=still,
                changed=look(),
                edited=last.changed,
                new=len(last.new),
                gone=len(last.gone),
                edited_bytes=sum(map(len, last.studies.values())),
                kinds=last.kinds,
                idle=idle,
                floor=_floor_of_storing(records, size),
                made_in=made_in,
            )


def _made(folder: Path, size: int) -> Path:
    """The folder of so many records; they are made unless all of them are there."""
    records = folder / f"records-{size}"
    if not (records / "all-made").exists():
        records.mkdir(parents=True, exist_ok=True)
        storing.write(records, size)
        (records / "all-made").touch()
    return records


class Floor(Struct, frozen=True):
    """Of one record: seconds to decode, hash and compress it, bytes of it compressed."""

    cpu: float
    compressed: float


def _floor_of_storing(records: Path, size: int) -> Floor:
    """The mean over at most `SAMPLE` records, evenly taken."""
    catalogue = storing.StoredCatalogue(records)
    sample = [catalogue.bytes_of(record_id(nth)) for nth in range(0, size, max(1, size // SAMPLE))]
    packed: list[bytes] = []

    def store() -> None:
        for raw in sample:
            json.decode(raw)
            hashlib.sha256(raw).digest()
            packed.append(codec.encode(raw, None))

    spent = cpu(store)
    return Floor(spent / len(sample), sum(map(len, packed)) / len(sample))
