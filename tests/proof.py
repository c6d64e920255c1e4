"""`make proof`: runs the long campaigns and writes docs/proof.md, what was run, how often, and what came out.

What came out is kept in docs/proof.json, a line for each campaign on each database. With ONLY="copy,replay" just the
campaigns with these words in their names are run, and their lines take the place of their former ones.
"""

import importlib
import json
import os
import sys
import tomllib
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from itertools import groupby
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

ROOT = Path(__file__).parents[1]
PROOF = ROOT / "docs" / "proof.md"
RESULTS = ROOT / "docs" / "proof.json"
KILLS = int(os.environ.get("PROOF_KILLS", "100"))
"""How often each kind of work is killed, on each database."""
UPKEEP_KILLS = int(os.environ.get("PROOF_KILLS", "50"))
"""The same for upkeep: migrations, backups and the like."""
FAILOVERS = int(os.environ.get("PROOF_FAILOVERS", "30"))
"""How often the sweeping one of three daemons is killed or stopped."""
PARTITIONS = int(os.environ.get("PROOF_PARTITIONS", "30"))
"""How often it is cut off from the database, the registry or both."""
UPGRADES = int(os.environ.get("PROOF_UPGRADES", "6"))
"""How often the last release is upgraded to this program while both run."""
ONLY_POSTGRESQL = {"failover", "partition", "partition as released"}
STOPS = int(os.environ.get("PROOF_STOPS", "40"))
EXAMPLES = int(os.environ.get("PROOF_EXAMPLES", "200"))
"""How often each operation of the API is asked."""
ON_RECORDS = {"edits": 5_000, "fuzz": 50_000, "noise": 1_500, "sizes": 10_000}
"""Campaigns that need records and no database, and how many cases of each (of noise: combinations of noises; of sizes:
all recorded lines)."""

APART = frozenset({"soak"})
"""Jobs that are run by a command of their own, and whose lines stay."""

HEAD = """# What was proven, and how

Written by `make proof` (`make proof ONLY=copy` runs those campaigns alone and puts their results in the place of their
former ones). The campaigns are the same code that the tests run in short; these are the long runs. Every random choice
has a fixed seed, so that whoever runs them again makes the same choices (not the same moments: a process that is killed
after 83 milliseconds is not always at the same line).

"""

Job = tuple[str, Callable[[str], object]]
Line = dict[str, Any]
"""A campaign's result as it is kept: those of `Result`, the job, and when and with which versions it was run."""


def main(only: Sequence[str] = ()) -> int:
    """Run the campaigns with one of these words in their names, or all; 1 where a claim did not hold."""
    sys.path.insert(0, str(ROOT))
    from tests.campaigns.victims import quiet

    quiet()
    held = True
    kept = [line for line in _kept() if only or line["job"] in APART]
    for job, result in _results(only):
        held &= result.held
        print(f"{'held' if result.held else 'FAILED'}  {result.name} ({result.database}), {result.seconds:.0f} s")
        for failure in result.failures[:10]:
            print(f"        {failure}")
        sys.stdout.flush()
        kept = _with(kept, _line(job, result))
        if only:
            _write(kept)
    _write(kept)
    print(f"wrote {PROOF.relative_to(ROOT)}")
    return 0 if held else 1


def keep(job: str, result: Any) -> None:
    """Put the result of a job of `APART` in the place of its former one."""
    _write(_with(_kept(), _line(job, result)))
    print(f"wrote {PROOF.relative_to(ROOT)}")


def _kept() -> list[Line]:
    found: list[Line] = json.loads(RESULTS.read_text()) if RESULTS.is_file() else []
    return found


def _with(kept: Sequence[Line], line: Line) -> list[Line]:
    """The new line in the place of the former one of the same job on the same database, or at the end."""
    own = (line["job"], line["database"])
    at = next((number for number, each in enumerate(kept) if (each["job"], each["database"]) == own), len(kept))
    return [*kept[:at], line, *kept[at + 1 :]]


def _line(job: str, result: Any) -> Line:
    version = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    return {
        "job": job,
        **{name: getattr(result, name) for name in ("name", "database", "claim", "counts", "failures")},
        "seconds": round(result.seconds),
        **({"picture": result.picture} if result.picture else {}),
        "run": f"{datetime.now(UTC):%Y-%m-%d}, version {version}, Python {sys.version.split()[0]}",
    }


def _write(kept: Sequence[Line]) -> None:
    PROOF.parent.mkdir(exist_ok=True)
    RESULTS.write_text("[\n" + ",\n".join(json.dumps(line, ensure_ascii=False) for line in kept) + "\n]\n")
    PROOF.write_text(_page(kept))


def _results(only: Sequence[str]) -> Iterator[tuple[str, Any]]:
    wanted = lambda what: not only or any(word in what for word in only)  # noqa: E731
    with ExitStack() as stack:
        jobs = [job for job in _jobs() if wanted(job[0])]
        kinds = stack.enter_context(databases()) if jobs else {}
        for kind, fresh in kinds.items():
            for what, run in jobs:
                if what in (_only_sqlite() if kind == "PostgreSQL" else ONLY_POSTGRESQL):
                    continue
                with fresh() as url:
                    print(f"...     {what} ({kind})", flush=True)
                    yield what, run(url)
    for name, cases in ON_RECORDS.items():
        if wanted(name):
            print(f"...     {name}", flush=True)
            yield name, importlib.import_module(f"tests.campaigns.{name}").run(1, cases)


def _only_sqlite() -> set[str]:
    from tests.campaigns import upkeep

    return {f"kills of {what}" for what in upkeep.ONLY_SQLITE}


def _jobs() -> Sequence[Job]:
    from tests.campaigns import (
        api,
        chaos,
        failover,
        failover_victims,
        former_program,
        kills,
        partition,
        replay,
        upgrade,
        upkeep,
        whole_registry,
    )

    jobs: list[Job] = [("the API", lambda url: api.run(url, EXAMPLES))]
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
    jobs += [
        (f"kills of {what}", lambda url, what=what: upkeep.run(url, what, UPKEEP_KILLS)) for what in upkeep.CAMPAIGNS
    ]
    jobs.append(("kills of a whole registry's sweep", lambda url: whole_registry.run(url, KILLS)))
    jobs.append(("chaos", lambda url: chaos.run(url, KILLS)))
    jobs.append(("failover", lambda url: failover.run(url, FAILOVERS)))
    jobs.append(("partition", lambda url: partition.run(url, PARTITIONS)))
    as_released = failover_victims.AS_RELEASED
    jobs.append(("partition as released", lambda url: partition.run(url, len(partition.CUTS), as_released)))
    try:
        former_program.commit_of(former_program.last_release())
        jobs.append(("upgrade", lambda url: upgrade.run(url, UPGRADES)))
    except former_program.NoFormerProgram as error:
        print(f"The rolling upgrade is NOT run: {error}.")
    return [*jobs, ("stopped sweeps", lambda url: kills.run(url, "stopped sweep", STOPS))]


@contextmanager
def databases() -> Iterator[dict[str, Callable[[], object]]]:
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


def _page(kept: Sequence[Line]) -> str:
    held = sum(not line["failures"] for line in kept)
    lines = [f"{held} of {len(kept)} runs held. Last run: " + "; ".join(sorted({line["run"] for line in kept})) + "."]
    for name, group in groupby(sorted(kept, key=_name), key=_name):
        of_name = list(group)
        lines += ["", f"## {name[0].upper()}{name[1:]}", "", f"Claim: {of_name[0]['claim']}.", ""]
        lines += [line for result in of_name for line in _told(result)]
    return HEAD + "\n".join(lines) + "\n"


def _name(line: Line) -> str:
    return str(line["name"])


def _told(line: Line) -> Iterator[str]:
    counts = ", ".join(f"{name} {number:,}" for name, number in line["counts"].items())
    where = "" if line["database"] == "none" else f"{line['database']}: "
    verdict = "did not hold" if line["failures"] else "held"
    yield f"- {where}**{verdict}**; {counts} ({line['seconds']} s, {line['run'].partition(',')[0]})"
    yield from (f"  - {failure}" for failure in line["failures"][:20])
    if "picture" in line:
        yield f"\n  ![{line['name']}, {line['database']}]({line['picture']})\n"


if __name__ == "__main__":
    sys.exit(main([word.strip() for argument in sys.argv[1:] for word in argument.split(",") if word.strip()]))
