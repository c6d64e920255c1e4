"""`make chaos`: the short chaos of `.ci/run`: ten kills on each database, and five failovers of the daemon that sweeps
on PostgreSQL; `make proof` has a hundred, and thirty.
"""

import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.campaigns.results import Result

ROOT = Path(__file__).parents[1]
KILLS = 10
FAILOVERS = 5


def main() -> int:
    """Run it on both databases; 1 where its claim did not hold."""
    sys.path.insert(0, str(ROOT))
    from tests.campaigns import chaos, failover
    from tests.campaigns.victims import quiet
    from tests.proof import databases

    quiet()
    held = True
    with databases() as kinds:
        for kind, fresh in kinds.items():
            with fresh() as url:
                held &= _told(chaos.run(url, KILLS))
            if kind == "PostgreSQL":
                with fresh() as url:
                    held &= _told(failover.run(url, FAILOVERS))
    return 0 if held else 1


def _told(result: "Result") -> bool:
    counts = ", ".join(f"{name} {number:,}" for name, number in result.counts.items())
    verdict = "held" if result.held else "FAILED"
    print(f"{verdict}  {result.name} ({result.database}), {result.seconds:.0f} s: {counts}")
    for failure in result.failures[:10]:
        print(f"        {failure}")
    return result.held


if __name__ == "__main__":
    sys.exit(main())
