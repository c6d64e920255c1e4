"""Does the archive keep real records in less room than git, and give every byte back?"""

import time

from tests.benchmarks import storing
from tests.campaigns.results import Result


def run(_seed: int, lines: int) -> Result:
    """Store the versions of the first so many recorded lines in an archive and in git; nothing is left to chance."""
    began = time.monotonic()
    claim = (
        f"recorded versions come back byte for byte; stored they take at most {storing.AS_APPENDED:.2f} × git's pack, "
        f"and {storing.REPACKED:.2f} × after `archive repack`"
    )
    counts: dict[str, int] = {}
    failures: list[str] = []
    try:
        sizes = storing.measure(storing.distinct_versions(lines))
        counts = {name: int(getattr(sizes, name)) for name in ("versions", "received", "appended", "repacked", "git")}
        failures = problems(sizes)
    except storing.NotHere as error:
        claim += f" (NOT run: {error})"
    return Result(
        name="sizes",
        database="SQLite",
        claim=claim,
        counts=counts,
        failures=failures,
        seconds=time.monotonic() - began,
    )


def problems(sizes: storing.Sizes) -> list[str]:
    """What is beyond its bound."""
    found = []
    for what, exact in (("as appended", sizes.exact), ("after repacking", sizes.exact_repacked)):
        if exact != sizes.versions:
            found.append(f"{what}: {sizes.versions - exact} versions do not come back byte for byte")
    for what, size, bound in (
        ("as appended", sizes.appended, storing.AS_APPENDED),
        ("after repacking", sizes.repacked, storing.REPACKED),
    ):
        if size > bound * sizes.git:
            found.append(f"{what}: {size:,} bytes, git's pack has {sizes.git:,}")
    return found
