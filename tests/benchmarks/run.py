"""`make bench`: speed figures, each beside its floor in the same run and its bound; JSON, and a page on demand.

`run.py [PART,PART] [--write]`: the parts alone, and docs/performance.md from all that was measured last. What was
measured is kept in bench/results.json, and with --write beside the page: parts that are not measured again stay.
"""

import json
import os
import sys
from datetime import UTC, datetime
from pathlib import Path
from types import ModuleType
from typing import Any

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))
RESULTS = ROOT / "bench" / "results.json"
PAGE = ROOT / "docs" / "performance.md"
KEPT = ROOT / "docs" / "performance.json"
APART = frozenset({"peers"})
"""Parts that are measured only where they are named: they install other programs."""


def main() -> None:
    import logging

    import structlog

    from tests.benchmarks import telling

    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    parts = _parts()
    asked = [word for word in sys.argv[1:] if not word.startswith("-")]
    names = [name for word in asked for name in word.split(",") if name]
    unknown = set(names).difference(parts)
    if unknown:
        raise SystemExit(f"there is no part {', '.join(sorted(unknown))}; there are {', '.join(parts)}")
    machine, measured = telling.machine(), {}
    for name in names or [part for part in parts if part not in APART]:
        print(f"Measuring {name} ...", file=sys.stderr, flush=True)
        began, load = datetime.now(UTC), os.getloadavg()[0]
        measured[name] = telling.Part(*parts[name].figures(), began, load)
    results = telling.results_of(measured, machine)
    print(telling.table(results))
    results = telling.joined(_before(), results, list(parts))
    telling.write(results, RESULTS)
    if "--write" in sys.argv:
        _write_page(results)


def _parts() -> dict[str, ModuleType]:
    from tests.benchmarks import (
        archiving,
        delivering,
        diffing,
        growing,
        matching,
        pages,
        peers,
        quoting,
        resting,
        starting,
        storing,
        sweeping,
    )

    return {
        "sweeps": sweeping,
        "diffs": diffing,
        "matching": matching,
        "changes": quoting,
        "archive": archiving,
        "sizes": storing,
        "webhooks": delivering,
        "pages": pages,
        "start": starting,
        "memory": resting,
        "growth": growing,
        "peers": peers,
    }


def _before() -> Any:
    """What was measured before: here, else when the page was written."""
    file = next((file for file in (RESULTS, KEPT) if file.is_file()), None)
    return {} if file is None else json.loads(file.read_text())


def _write_page(results: Any) -> None:
    """The page, the figures it was written from, and what is drawn of them."""
    from tests.benchmarks import drawing, telling

    for part, (name, _) in telling.DRAWN.items():
        if any(row.get("series") for row in results["parts"].get(part, [])):
            PAGE.with_name(name).write_text(drawing.draw(results["parts"][part]))
    PAGE.write_text(telling.page(results))
    telling.write(results, KEPT)


if __name__ == "__main__":
    main()
