"""`make bench`: one table of speed figures, each beside its floor in the same run, also as JSON under bench/."""

import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))


def main() -> None:
    import logging

    import structlog

    from tests.benchmarks import delivering, diffing, matching, measuring, quoting, storing, sweeping

    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))

    figures, notes = [], []
    for what, part in (
        ("sweeps", sweeping),
        ("diffs", diffing),
        ("webhooks", delivering),
        ("matching", matching),
        ("changes", quoting),
        ("sizes", storing),
    ):
        print(f"Measuring {what} ...", file=sys.stderr)
        some, said = part.figures()
        figures += some
        notes += said
    measuring.tell(figures, notes, ROOT / "bench" / "results.json")


if __name__ == "__main__":
    main()
