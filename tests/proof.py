"""`make proof`: runs the long campaigns and writes docs/proof.md, what was run, how often, and what came out."""

import importlib
import os
import sys
import time
import tomllib
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from itertools import groupby
from pathlib import Path
from tempfile import TemporaryDirectory

ROOT = Path(__file__).parents[1]
PROOF = ROOT / "docs" / "proof.md"
KILLS = int(os.environ.get("PROOF_KILLS", "100"))
"""How often each kind of work is killed, on each database."""
STOPS = int(os.environ.get("PROOF_STOPS", "40"))
ON_RECORDS = {"edits": 5_000, "fuzz": 50_000, "noise": 1_500}
"""Campaigns that need records and no database, and how many cases of each (of noise: combinations of noises)."""

HEAD = """# What was proven, and how

Written by `make proof`. The campaigns are the same code that the tests run in short; these are the long runs. Every
random choice has a fixed seed, so that whoever runs them again makes the same choices (not the same moments: a process
that is killed after 83 milliseconds is not always at the same line).

"""

Job = tuple[str, Callable[[str], object]]


def main() -> int:
    """Run all campaigns; 1 where a claim did not hold."""
    sys.path.insert(0, str(ROOT))
    from tests.campaigns.victims import quiet

    quiet()
    began = time.monotonic()
    results = []
    for result in _results():
        results.append(result)
        print(f"{'held' if result.held else 'FAILED'}  {result.name} ({result.database}), {result.seconds:.0f} s")
        for failure in result.failures[:10]:
            print(f"        {failure}")
        sys.stdout.flush()
    PROOF.parent.mkdir(exist_ok=True)
    PROOF.write_text(_page(results, time.monotonic() - began))
    print(f"wrote {PROOF.relative_to(ROOT)}")
    return 0 if all(result.held for result in results) else 1


def _results() -> Iterator[object]:
    with _databases() as kinds:
        for kind, fresh in kinds.items():
            for what, run in _jobs():
                with fresh() as url:
                    print(f"...     {what} ({kind})", flush=True)
                    yield run(url)
    for name, cases in ON_RECORDS.items():
        print(f"...     {name}", flush=True)
        yield importlib.import_module(f"tests.campaigns.{name}").run(1, cases)


def _jobs() -> Sequence[Job]:
    from tests.campaigns import kills, replay

    jobs: list[Job] = []
    if replay.REAL_RELEASES.exists():
        half = len(replay.FAULTS) // 2
        jobs += [
            ("replay", replay.run),
            ("replay with an ill registry", lambda url: replay.run(url, offset=0)),
            ("replay with an ill registry, the other ways", lambda url: replay.run(url, offset=half)),
        ]
    else:
        print("The recorded releases are not here: the replays are NOT run.")
    jobs += [
        (f"kills of {what}", lambda url, what=what: kills.run(url, what, KILLS))
        for what in ("sweep", "append", "delivery")
    ]
    return [*jobs, ("stopped sweeps", lambda url: kills.run(url, "stopped sweep", STOPS))]


@contextmanager
def _databases() -> Iterator[dict[str, Callable[[], object]]]:
    """How to get a fresh database with tables, by kind."""
    from tests.databases import NoPostgresql, make_tables, postgresql_server

    @contextmanager
    def file() -> Iterator[str]:
        with TemporaryDirectory() as folder:
            url = f"sqlite:///{folder}/proof.sqlite3"
            make_tables(url)
            yield url

    with ExitStack() as stack:
        kinds: dict[str, Callable[[], object]] = {"SQLite": file}
        try:
            server = stack.enter_context(postgresql_server())
            kinds["PostgreSQL"] = lambda: server.url(tables=True)
        except NoPostgresql as error:
            print(f"PostgreSQL is NOT tested here: {error}")
        yield kinds


def _page(results: Sequence[object], seconds: float) -> str:
    version = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    held = sum(result.held for result in results)
    lines = [
        f"Run on {datetime.now(UTC):%Y-%m-%d} with version {version}, Python {sys.version.split()[0]}, "
        f"in {seconds / 60:.0f} minutes: {held} of {len(results)} campaigns held.",
    ]
    for name, group in groupby(sorted(results, key=lambda result: result.name), key=lambda result: result.name):
        of_name = list(group)
        lines += ["", f"## {name[0].upper()}{name[1:]}", "", f"Claim: {of_name[0].claim}.", ""]
        lines += [line for result in of_name for line in _told(result)]
    return HEAD + "\n".join(lines) + "\n"


def _told(result: object) -> Iterator[str]:
    counts = ", ".join(f"{name} {number:,}" for name, number in result.counts.items())
    where = "" if result.database == "none" else f"{result.database}: "
    yield f"- {where}**{'held' if result.held else 'did not hold'}**; {counts} ({result.seconds:.0f} s)"
    yield from (f"  - {failure}" for failure in result.failures[:20])


if __name__ == "__main__":
    sys.exit(main())
