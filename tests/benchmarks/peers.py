"""The same work beside changedetection.io and webchanges: what it costs, and what each told its user.

They are installed for this alone, into a virtual environment below bench/ that the project knows nothing of; where they
cannot be, it is said why. Everything is on 127.0.0.1: the registry is the stand-in, messages go to sinks.
"""

import html
import re
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

import httpx2
from msgspec import Struct

from monitor.demo.sinks import HookSink, MailSink
from monitor.demo.standin import StandIn
from tests.benchmarks import peer_programs, peer_releases
from tests.benchmarks.measuring import Figure
from tests.benchmarks.peer_programs import Program, Stage, Told, TookTooLongError
from tests.benchmarks.peer_releases import QUOTED, Releases

ROOT = Path(__file__).parents[2]
PLACE = ROOT / "bench" / "peers"
SIZES = (200, 2_000)
PACKAGES = ("changedetection.io", "webchanges", "jq")
INSTALLING = 900
"""Seconds that the installation may take."""
SHOWN = 240
"""Characters that are quoted of a message."""
OWN = "trialdelta"
FILTERS = {
    "as documented": "",
    "without the stamp": peer_programs.WITHOUT_STAMP,
    "without it, lists sorted": peer_programs.SORTED,
}
HALF_WAY, SMALLEST = "without the stamp", 200
"""The middle filter costs what the other two do, and is run on few records alone."""
FORMER = "NOT_YET_RECRUITING"
Make = Callable[[Stage], Program]


class Outcome(Struct, frozen=True):
    """What came out of one program: both looks, bytes on disk after each, records rightly told of, told of though
    nothing was new, and not told of; of those told wrongly, how many were told of for their order alone.
    """

    first: Told
    second: Told
    disk: tuple[int, int]
    right: int
    wrong: int
    missed: int
    for_order: int


def figures(sizes: Sequence[int] = SIZES) -> tuple[list[Figure], list[str]]:
    """The figures of every program at every size, and what each said of the same change."""
    programs, notes = _programs()
    found: list[Figure] = []
    quoted: dict[str, str] = {}
    for count in sizes:
        given = peer_releases.releases(count)
        outcomes: dict[str, Outcome] = {}
        for name, make in programs.items():
            if count > SMALLEST and name.endswith(HALF_WAY):
                continue
            print(f"  {count} records, {name} ...", file=sys.stderr, flush=True)
            try:
                outcomes[name] = _compared(make, given)
            except (TookTooLongError, httpx2.HTTPError) as error:
                notes.append(f"{count:,} records, {name}: {error}")
        found += _rows(count, outcomes)
        quoted |= {name: _quoted(outcome.second.said.get(QUOTED, "")) for name, outcome in outcomes.items()}
    notes.append(_released(sizes))
    notes += [f"{name}, of the trial with {peer_releases.SITES} sites: {said}" for name, said in quoted.items()]
    return found, notes


def _released(sizes: Sequence[int]) -> str:
    shares = " and ".join(f"{count // peer_releases.EVERY:,} of {count:,}" for count in sizes)
    return (
        f"the next release puts a new stamp on every record, as the registry does; {shares} records say something new "
        "(a site recruits, more participants, a date slips, a lower age), and as many list the same in another order. "
        "CPU is that of all processes of a program; wall time says little where the load before was high. Each "
        "was asked for one look at everything, and nobody waited between requests"
    )


# --- one program ------------------------------------------------------------------------------------------------------


def _compared(make: Make, given: Releases) -> Outcome:
    """Both releases, one after the other."""
    with (
        tempfile.TemporaryDirectory(prefix="trialdelta-peers-") as folder,
        StandIn() as standin,
        HookSink() as hook,
        MailSink() as mail,
    ):
        own = Path(folder) / "it"
        own.mkdir()

        def asked() -> int:
            return len({each.path for each in list(standin.requests) if each.path.startswith("/api/v2/studies/")})

        standin.publish(peer_releases.DAYS[0], given.first)
        program = make(Stage(standin.url, asked, list(given.first), own, hook, mail))
        try:
            first = program.baseline()
            disk = _size(own)
            standin.clear()
            standin.publish(peer_releases.DAYS[1], given.second)
            second = program.next_release()
        finally:
            program.close()
        return _outcome(given, first, second, (disk, _size(own)))


def _outcome(given: Releases, first: Told, second: Told, disk: tuple[int, int]) -> Outcome:
    told = set(second.said)
    return Outcome(
        first=first,
        second=second,
        disk=disk,
        right=len(told & given.changed),
        wrong=len(told - given.changed) + len(first.said),
        missed=len(given.changed - told),
        for_order=len(told & given.reordered),
    )


def _size(folder: Path) -> int:
    """Bytes that the files take of the disk."""
    return sum(each.stat().st_blocks * 512 for each in folder.rglob("*") if each.is_file())


# --- how it is told ---------------------------------------------------------------------------------------------------


def _rows(count: int, outcomes: dict[str, Outcome]) -> list[Figure]:
    """This program's own row beside the cheapest other one, each other one beside this one."""
    own, others = outcomes.get(OWN), [each for name, each in outcomes.items() if name != OWN]
    found = []
    for name, outcome in outcomes.items():
        what = f"{count:,} records, next release, {name}: CPU"
        if name == OWN:
            floor = min((each.second.cpu for each in others), default=None)
            found.append(
                Figure(
                    what,
                    outcome.second.cpu,
                    "s",
                    floor,
                    "the least of the others",
                    "≤ 1 ×" if others else "",
                    _cost(outcome),
                )
            )
        else:
            floor = own.second.cpu if own else None
            found.append(Figure(what, outcome.second.cpu, "s", floor, OWN, detail=_cost(outcome)))
    return found + _verdicts(count, outcomes)


def _verdicts(count: int, outcomes: dict[str, Outcome]) -> list[Figure]:
    rows = []
    for name, outcome in outcomes.items():
        wrong = f"{outcome.wrong:,} of nothing new ({outcome.for_order:,} of them in another order)"
        detail = f"told of {outcome.right:,} that changed, {wrong}; not of {outcome.missed:,} that changed"
        what = f"{count:,} records, next release, {name}: told wrongly or not at all"
        bound = "≤ 0" if name == OWN else ""
        rows.append(Figure(what, outcome.wrong + outcome.missed, "records", bound=bound, detail=detail))
    return rows


def _cost(outcome: Outcome) -> str:
    first, second, (before, after) = outcome.first, outcome.second, outcome.disk
    letters = [len(said) for said in second.said.values()] or [0]
    return (
        f"wall {second.wall:.1f} s; first look CPU {first.cpu:.1f} s, wall {first.wall:.1f} s; disk "
        f"{before / 1e6:.1f} MB, then {after / 1e6:.1f} MB; {sum(letters) / len(letters) / 1000:.1f} KB "
        "told of a record"
    )


def _quoted(said: str) -> str:
    """What was said of the site, without markup and headings, or else its beginning; and how much there was."""
    plain = html.unescape(re.sub(r"<[^>]+>", "", said))
    words = " ".join(re.sub(r"https?://\S+|-{5,}|[-+]{3} @ .*", "", plain).replace("`", "'").split())
    if not words:
        return "not a word"
    names = "names" if peer_releases.OPENED in plain else "does not name"
    at = max(words.find(FORMER) - SHOWN // 2, 0)
    cut = f"{'… ' if at else ''}{words[at : at + SHOWN]}{' …' if len(words) > at + SHOWN else ''}"
    return f"`{cut}` ({len(said.encode()) / 1000:.1f} KB in all, which {names} the site)"


# --- the programs -----------------------------------------------------------------------------------------------------


def _programs() -> tuple[dict[str, Make], list[str]]:
    """Each program by its name, and what has to be said of those that cannot be had."""
    programs: dict[str, Make] = {OWN: peer_programs.OwnProgram}
    binaries, said = _installed()
    if binaries is None:
        return programs, [f"the other programs: not measured, {said}"]
    for name, kind in (("changedetection.io", peer_programs.Changedetection), ("webchanges", peer_programs.Webchanges)):
        for words, jq in FILTERS.items():
            programs[f"{name} {words}"] = _maker(kind, binaries, jq)
    filters = "; ".join(f"{words!r}: jq `{jq}`" for words, jq in FILTERS.items() if jq)
    return programs, [f"{said}; the filters that a user sets who knows the registry, {filters}"]


def _maker(kind: Callable[[Stage, Path, str], Program], binaries: Path, jq: str) -> Make:
    return lambda stage: kind(stage, binaries, jq)


def _installed() -> tuple[Path | None, str]:
    """Where their commands are, installed now where they are not; and their versions, or why there are none."""
    binaries = PLACE / "bin"
    try:
        if not (binaries / "changedetection.io").exists() or not (binaries / "webchanges").exists():
            print(f"  installing {', '.join(PACKAGES)} into {PLACE.relative_to(ROOT)} ...", file=sys.stderr, flush=True)
            _quietly([sys.executable, "-m", "venv", "--clear", str(PLACE)])
            _quietly([str(binaries / "pip"), "install", "--quiet", "--disable-pip-version-check", *PACKAGES])
        listed = _quietly([str(binaries / "pip"), "list", "--disable-pip-version-check"])
    except subprocess.CalledProcessError as error:
        return None, f"they could not be installed: {_last_line(error.stderr)}"
    except subprocess.TimeoutExpired:
        return None, f"their installation took longer than {INSTALLING} s"
    versions = [
        " ".join(line.split()) for line in listed.splitlines() if line.split()[:1] and line.split()[0] in PACKAGES
    ]
    return binaries, ", ".join(versions)


def _quietly(command: Sequence[str]) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=INSTALLING)
    return done.stdout


def _last_line(said: str) -> str:
    """Why it failed, without the addresses of whatever packages come from."""
    lines = [line for line in said.splitlines() if line.strip()] or ["nobody says why"]
    return re.sub(r"\S*://\S+", "…", lines[-1])[:200]


if __name__ == "__main__":
    for each in figures([int(word) for word in sys.argv[1:]] or SIZES)[0]:
        print(each)
