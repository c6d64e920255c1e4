"""Changes as a person reads them in a terminal: by family, most severe first, what follows from a change under it."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import click

from monitor.cli.output import clean, wrapped
from notifiers.message import Line, grouped
from notifiers.passages import some
from snapshots.archive import Step, StoredChange
from snapshots.changes import Change
from snapshots.kinds import KINDS, SEVERITIES

Json = Any

SHOWN = 12
"""So many are named where a line tells of many; `--format json` has them all."""

_MARKS = {"critical": ("●", "red"), "major": ("◆", "yellow"), "minor": ("○", "cyan"), "admin": ("·", "bright_black")}


def mark(severity: str) -> str:
    """The sign of a severity, coloured: ● critical, ◆ major, ○ minor, · admin."""
    sign, colour = _MARKS[severity]
    return click.style(sign, fg=colour, bold=severity == "critical")


def tell(changes: Sequence[Change]) -> str:
    """All changes of one step, grouped and indented; "" where there are none."""
    lines = grouped([StoredChange(number, change) for number, change in enumerate(changes)])
    families = sorted(_by_family(lines).items(), key=lambda item: _severest(item[1]))
    return "\n".join(_family(name, members) for name, members in families)


def heading(record_id: str, title: str | None, note: str = "") -> str:
    """The line that names a record, as links and subjects do: id, title, and what is said beside."""
    named = click.style(record_id, bold=True) + (f"  {clean(title)}" if title else "")
    return f"{named}\n{click.style(note, dim=True)}" if note else named


def tell_step(step: Step) -> str:
    """One step of a record's history with its changes."""
    when = f"{(step.release or '')[:10]}  " if step.release else ""
    versions = f"version {step.from_version} → {step.to_version}" if step.from_version else f"version {step.to_version}"
    head = click.style(f"{when}{versions}", bold=True)
    return f"{head}\n{tell([stored.change for stored in step.changes])}"


def _by_family(lines: Iterable[Line]) -> Mapping[str, list[Line]]:
    families: dict[str, list[Line]] = {}
    for line in lines:
        families.setdefault(KINDS[line.lead.kind].family, []).append(line)
    return families


def _severest(lines: Iterable[Line]) -> int:
    return min(SEVERITIES.index(line.lead.severity) for line in lines)


def _family(name: str, lines: Iterable[Line]) -> str:
    return "\n".join([click.style(f"  {name}", dim=True), *(_line(line) for line in lines)])


def _line(line: Line) -> str:
    label = line.lead.label
    # some sentences begin with their label: said once is enough
    says_it = line.sentence.startswith(label)
    text = wrapped(line.sentence if says_it else f"{label}: {line.sentence}", indent=6).lstrip()
    styled = click.style(label, bold=True, fg=_MARKS[line.lead.severity][1] if _is_loud(line.lead) else None)
    told = f"    {mark(line.lead.severity)} {styled}{text.removeprefix(label)}"
    return "\n".join([told, *_details(line), *_followers(line)])


def _is_loud(change: Change) -> bool:
    return change.severity in ("critical", "major")


def _followers(line: Line) -> Iterator[str]:
    if line.followers:
        counts = "; ".join(follower.words for follower in line.followers)
        yield click.style(wrapped(f"└ with it: {counts}", indent=6, hanging=8), dim=True)


def _details(line: Line) -> Iterator[str]:
    """What the sentence cannot hold: of whom a line for many speaks, and criteria line by line."""
    if len(line.changes) > 1:
        yield click.style(wrapped("; ".join(some(line.whom, SHOWN)), indent=8), dim=True)
    if line.lead.kind == "eligibility.criteria_changed" and len(line.changes) == 1:
        yield from _criteria(line.lead.before, "-", "red")
        yield from _criteria(line.lead.after, "+", "green")


def _criteria(value: Json, sign: str, colour: str) -> Iterator[str]:
    for text in _texts(value):
        yield click.style(wrapped(f"{sign} {text}", indent=8, hanging=10), fg=colour)


def _texts(value: Json) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for member in value.values():
            yield from _texts(member)
    elif isinstance(value, list | tuple):
        for member in value:
            yield from _texts(member)
