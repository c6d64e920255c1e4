"""`make bench`: one table of speed figures, each beside its floor in the same run, also as JSON under bench/."""

import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))


def main() -> None:
    import logging

    import structlog

    from tests.benchmarks import measuring, sweeping

    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))

    print("Measuring sweeps (about a minute) ...", file=sys.stderr)
    figures, notes = sweeping.figures()
    measuring.tell(figures, notes, ROOT / "bench" / "results.json")


if __name__ == "__main__":
    main()
