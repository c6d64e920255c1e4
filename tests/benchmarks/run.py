"""`make bench`: speed figures, each beside its floor in the same run and its bound; JSON, and a page on demand.

`run.py [PART,PART] [--write]`: the parts alone, and docs/performance.md from all that was measured last.
"""

import json
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))
RESULTS = ROOT / "bench" / "results.json"


def main() -> None:
    import logging

    import structlog

    from tests.benchmarks import (
        delivering,
        diffing,
        matching,
        pages,
        quoting,
        starting,
        storing,
        sweeping,
        telling,
    )

    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    parts = {
        "sweeps": sweeping,
        "diffs": diffing,
        "matching": matching,
        "changes": quoting,
        "sizes": storing,
        "webhooks": delivering,
        "pages": pages,
        "start": starting,
    }
    asked = [word for word in sys.argv[1:] if not word.startswith("-")]
    names = [name for word in asked for name in word.split(",") if name]
    unknown = set(names).difference(parts)
    if unknown:
        raise SystemExit(f"there is no part {', '.join(sorted(unknown))}; there are {', '.join(parts)}")
    machine, measured = telling.machine(), {}
    for name in names or parts:
        print(f"Measuring {name} ...", file=sys.stderr, flush=True)
        measured[name] = parts[name].figures()
    results = telling.results_of(measured, machine)
    print(telling.table(results))
    if names and RESULTS.is_file():
        results = _joined(json.loads(RESULTS.read_text()), results, list(parts))
    telling.write(results, RESULTS)
    if "--write" in sys.argv:
        (ROOT / "docs" / "performance.md").write_text(telling.page(results))


def _joined(before, now, order):  # type: ignore[no-untyped-def]
    """What was measured last of each part."""
    joined = {"machine": now["machine"]}
    for what in ("parts", "notes"):
        both = before.get(what, {}) if isinstance(before.get(what), dict) else {}
        both = {**both, **now[what]}
        joined[what] = {name: both[name] for name in order if name in both}
    return joined


if __name__ == "__main__":
    main()
