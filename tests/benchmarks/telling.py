"""How figures are told: one table for the terminal, JSON, and docs/performance.md from that JSON."""

import json
import os
import platform
import sqlite3
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

from msgspec import Struct

from tests.benchmarks.measuring import Figure

Json = Any
Results = Mapping[str, Json]

LIMITS = {
    "sweeps": (
        "Of an unchanged record nothing is decoded: its bytes are found in the page, hashed, and the hash is looked up "
        "with a thousand others in one query. What remains above the floor is HTTP's and the database's share for a "
        "whole page. A changed record is one short transaction of about 25 statements: half of its time is the "
        "database's driver, a quarter is parsing and comparing. The exceptions at 95 % are records with many sites."
    ),
    "diffs": "Decoding and reading both records takes as long as comparing them; long texts and many sites the rest.",
    "matching": "An index by what a subscription is about, within that by kind and place; whoever it names is asked.",
    "changes": "A long text is kept once, and what replaces it as what differs from it.",
    "archive": (
        "Keeping is a transaction of about ten statements: the record, its place, the chain of hashes, the version as "
        "what differs from an earlier one. A version is given back from a chain of bounded length, link by link."
    ),
    "sizes": (
        "zstd, each version against an earlier one in a chain of bounded length. Repacking compresses anew at leisure, "
        "with a dictionary trained on the archive's own records. The file holds the tables and indexes besides."
    ),
    "webhooks": (
        "Two transactions a message: the attempt is written before it is made, and what became of it together with the "
        "next attempt. SQLite runs in WAL mode with synchronous=NORMAL: no file sync at each commit. After a *power "
        "cut* the last transactions may be gone, all or none of each, and the file is sound; after the death of the "
        "process or of its machine's program nothing is gone. What may go, goes back in time as one: version, step, "
        "changes and deliveries of a sweep stand in one transaction, so the next sweep finds the record changed again "
        "and tells it: no alert is missed. What was sent and is not written down any more is sent again under the same "
        "id: an alert may come twice, as after any crash. FULL would turn the last case into a rarer one, not into "
        "none: the cut may come between the receiver's yes and the commit. On PostgreSQL the server's own "
        "`synchronous_commit` (on by default) decides."
    ),
    "pages": (
        "Most of a page's time is its template and its queries' rows, not their number: each list is cut to a page by "
        "an index before anything is read. The times are one asker's, on loopback, client included."
    ),
    "start": "Python's own start and click; a command imports what it needs when it is called.",
    "memory": (
        "What is imported: SQLAlchemy, the web server and its templates, the mail and HTTP clients. Nothing that is "
        "watched is held in memory."
    ),
    "growth": (
        "What grows is what has to be read: every byte of the registry is received, split and hashed at each release. "
        "A baseline is limited by reading each record and by its row in the database; the next release by the bytes "
        "themselves; memory by the largest page in hand, whatever is watched; the database by what each record takes "
        "compressed and its rows beside it. The registry asks for one second between two requests, which is "
        "no part of these figures: 608 pages of 1,000 records are ten minutes of waiting."
    ),
    "peers": (
        "The others fetch each record by itself, decode it, write it out in lines and compare the lines; of a list in "
        "another order every line is new. This program asks for a thousand records at once, hashes them, and compares "
        "what a record says where its bytes changed. Measured only by `make bench ONLY=peers`, since it installs them."
    ),
}
DRAWN = {"growth": ("growth.svg", "What one record costs at each size; the figures stand in the table below.")}
"""Parts that are drawn: the picture beside the page, and its words."""
TITLES = {
    "sweeps": "Sweeps",
    "diffs": "Comparing",
    "matching": "Who wants it",
    "changes": "Storing changes",
    "archive": "Keeping and giving back",
    "sizes": "Storing versions",
    "webhooks": "Sending",
    "pages": "The page and the API",
    "start": "Starting",
    "memory": "Memory at rest",
    "growth": "Growth",
    "peers": "Beside changedetection.io and webchanges",
}


def machine() -> dict[str, str]:
    """What the figures were taken on."""
    return {
        "processor": f"{_processor()}, {os.cpu_count()} cores",
        "system": f"{platform.system()} {platform.machine()}",
        "Python": platform.python_version(),
        "SQLite": sqlite3.sqlite_version,
        **{name: version(name) for name in ("sqlalchemy", "psycopg", "msgspec", "starlette", "uvicorn")},
        "git": _git(),
    }


def table(results: Results) -> str:
    """The figures without their details, part by part, each with its verdict; then what has to be said of them."""
    shown = [(part, row) for part, rows in results["parts"].items() for row in rows if not row["is_detail"]]
    width = max(len(row["what"]) for _, row in shown)
    lines = [", ".join(f"{name} {value}" for name, value in results["machine"].items()),
             "; ".join(f"{part}: {taken['when']}, load before {taken['load']}"
                       for part, taken in results["taken"].items()),
             f"{'':{width}}  {'value':>16}  {'floor':>12}  {'ratio':>6}  bound"]  # fmt: skip
    last = ""
    for part, row in shown:
        if part != last:
            lines.append(f"{TITLES.get(part, part)}:")
        last = part
        floor = f"{row['floor']:.2f}" if row["floor"] is not None else ""
        ratio = f"{row['ratio']:.2f}" if row["ratio"] is not None else ""
        value = f"{row['value']:,.2f} {row['unit']:5}"
        lines.append(f"{row['what']:{width}}  {value:>16}  {floor:>12}  {ratio:>6}  {row['bound']:18} {row['verdict']}")
    over = sum(row["verdict"] == "OVER" for rows in results["parts"].values() for row in rows)
    lines += [*(f"  {note}" for notes in results["notes"].values() for note in notes)]
    lines.append(f"{over or 'none'} over the bound." if over else "Every figure keeps its bound.")
    return "\n".join(lines)


class Part(Struct, frozen=True):
    """What was measured of one part, when it began, and the machine's load just before."""

    figures: Sequence[Figure]
    notes: Sequence[str]
    began: datetime
    load: float


def results_of(parts: Mapping[str, Part], on: Mapping[str, str]) -> Results:
    """What was measured, as JSON."""
    rows = {
        name: [asdict(figure) | {"ratio": figure.ratio, "verdict": figure.verdict} for figure in part.figures]
        for name, part in parts.items()
    }
    taken = {name: {"when": f"{part.began:%Y-%m-%d %H:%M} UTC", "load": f"{part.load:.1f}", "machine": dict(on)}
             for name, part in parts.items()}  # fmt: skip
    notes = {name: list(part.notes) for name, part in parts.items()}
    return {"machine": dict(on), "taken": taken, "parts": rows, "notes": notes}


def joined(before: Results, now: Results, order: Sequence[str]) -> Results:
    """What was measured last of each part; parts that are not among `order` are no more."""
    found: dict[str, Json] = {"machine": now["machine"]}
    for what in ("taken", "parts", "notes"):
        both = {**(before.get(what) or {}), **now[what]}
        found[what] = {name: both[name] for name in order if name in both}
    return found


def write(results: Results, into: Path) -> None:
    """Write them as JSON."""
    into.parent.mkdir(exist_ok=True)
    into.write_text(json.dumps(results, indent=1, ensure_ascii=False) + "\n")
    print(f"  written to {into}", file=sys.stderr)


def page(results: Results) -> str:
    """The page for people."""
    told = "; ".join(f"{name} {value}" for name, value in results["machine"].items())
    lines = [
        "# How fast it is, and what limits it",
        "",
        "Written by `make bench WRITE=1` from what it measured. Each figure stands beside its floor in the same run,",
        "the least that anybody must do for it, and beside the bound it is held to. Times are CPU time of the process",
        "unless a part says otherwise. Parts can be taken one by one (`make bench WRITE=1 ONLY=sweeps,start`); the",
        "others stay as they were. A busy machine makes figures worse, so each part says at what load it was taken.",
        "",
        f"Taken on: {told}.",
    ]
    for part, rows in results["parts"].items():
        lines += ["", f"## {TITLES.get(part, part)}", "", LIMITS.get(part, ""), "", _taken(results, part), ""]
        if part in DRAWN and any(row.get("series") for row in rows):
            lines += [f"![{DRAWN[part][1]}]({DRAWN[part][0]})", ""]
        lines += _rows(rows)
        notes = results["notes"].get(part, [])
        if notes:
            lines += ["", *(f"- {note}" for note in notes)]
    return "\n".join(lines) + "\n"


def _taken(results: Results, part: str) -> str:
    """When a part was measured, at what load, and on what where that is not what the head of the page says."""
    taken = results.get("taken", {}).get(part)
    if taken is None:
        return "Taken at an earlier time, which was not written down."
    same = results["machine"]
    other = [f"{name} {value}" for name, value in taken["machine"].items() if same.get(name) != value]
    return f"Taken {taken['when']}, load before {taken['load']}{', ' if other else ''}{', '.join(other)}."


def _rows(rows: Sequence[Json]) -> list[str]:
    lines = ["| | value | floor | ratio | bound | |", "|---|--:|--:|--:|---|---|"]
    for row in rows:
        floor = f"{row['floor']:,.2f} ({row['floor_is']})" if row["floor"] is not None else ""
        ratio = f"{row['ratio']:.2f}" if row["ratio"] is not None else ""
        value = f"{row['value']:,.2f} {row['unit']}" + (f" ({row['detail']})" if row["detail"] else "")
        lines.append(f"| {_plain(row['what'])} | {value} | {floor} | {ratio} | {row['bound']} | {row['verdict']} |")
    return lines


def _plain(words: str) -> str:
    return words.replace("{", "&#123;").replace("}", "&#125;").replace("|", "&#124;")


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor() or "unknown"
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "unknown")


def _git() -> str:
    try:
        told = subprocess.run(["git", "--version"], capture_output=True, text=True, check=True).stdout
    except (OSError, subprocess.CalledProcessError):
        return "not here"
    return told.removeprefix("git version ").strip()
