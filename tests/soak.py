"""`make soak`: a whole daemon at work for 20 minutes (MINUTES=5 for less) on one database (DATABASE=postgresql for the
other): is anything missed, does it hold more and more? Its figures stand in docs/proof.md, its curve beside it.
"""

import sys
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

ROOT = Path(__file__).parents[1]
MINUTES = 20.0
KINDS = {"sqlite": "SQLite", "postgresql": "PostgreSQL"}


def main(minutes: str, database: str) -> int:
    """Soak it, and keep what came out; 1 where the claim did not hold, 2 where it cannot be asked so."""
    sys.path.insert(0, str(ROOT))
    from tests import proof
    from tests.campaigns import soak, victims

    given = minutes.replace(".", "", 1)
    if database not in KINDS or not given.isdigit() or not 0 < float(minutes) <= 24 * 60:
        print(f"MINUTES={minutes} DATABASE={database}: minutes from 0.1 to 1440 and {' or '.join(KINDS)} are needed")
        return 2
    victims.quiet()
    with proof.databases() as kinds:
        fresh: Callable[[], AbstractContextManager[str]] | None = kinds.get(KINDS[database])  # type: ignore[assignment]
        if fresh is None:
            return 1
        with fresh() as url:
            print(f"A daemon works on {KINDS[database]} for {minutes} minutes ...", flush=True)
            picture = ROOT / "docs" / "images" / f"soak-{database}.svg"
            result = soak.run(url, float(minutes) * 60, picture=picture)
    print(
        "held" if result.held else "FAILED",
        *(f"  {name} {number:,}" for name, number in result.counts.items()),
        sep="\n",
    )
    print("\n".join(result.failures))
    proof.keep("soak", result)
    return 0 if result.held else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1] if len(sys.argv) > 1 else f"{MINUTES:g}", sys.argv[2] if len(sys.argv) > 2 else "sqlite"))
