"""`make chaos`: the short chaos of `.ci/run`: ten kills on each database; `make proof` has a hundred."""

import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
KILLS = 10


def main() -> int:
    """Run it on both databases; 1 where its claim did not hold."""
    sys.path.insert(0, str(ROOT))
    from tests.campaigns import chaos
    from tests.campaigns.victims import quiet
    from tests.proof import databases

    quiet()
    held = True
    with databases() as kinds:
        for kind, fresh in kinds.items():
            with fresh() as url:
                result = chaos.run(url, KILLS)
            counts = ", ".join(f"{name} {number:,}" for name, number in result.counts.items())
            print(f"{'held' if result.held else 'FAILED'}  {result.name} ({kind}), {result.seconds:.0f} s: {counts}")
            for failure in result.failures[:10]:
                print(f"        {failure}")
            held = held and result.held
    return 0 if held else 1


if __name__ == "__main__":
    sys.exit(main())
