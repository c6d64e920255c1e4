"""Changes as a person reads them in a terminal: by family, most severe first, what follows from a change under it."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import click

from monitor.cli.output import clean, width, wrapped
from notifiers.lines import Line, grouped
from notifiers.passages import Detail, Piece, details, some
from snapshots.archive import Place, Step, StoredChange
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


def tell(changes: Sequence[Change], *, expand: bool = False) -> str:
    """All changes of one step, grouped and indented; "" where there are none.

    What follows from another change is one line with its number under that, as are many entries of one kind with the
    same words replaced; with `expand` each of them has a line of its own.
    """
    lines = grouped([StoredChange(number, change) for number, change in enumerate(changes)])
    families = sorted(_by_family(lines).items(), key=lambda item: _severest(item[1]))
    every = changes if expand else ()
    return "\n".join(_family(name, members, every) for name, members in families)


def heading(record_id: str, title: str | None, note: str = "") -> str:
    """The line that names a record, as links and subjects do: id, title, and what is said beside."""
    named = click.style(record_id, bold=True) + (f"  {clean(title)}" if title else "")
    return f"{named}\n{click.style(note, dim=True)}" if note else named


def tell_step(
    step: Step, date: str | None = None, remark: str = "", places: tuple[Place | None, Place | None] = (None, None)
) -> str:
    """One step of a record's history with its changes; `date` is its ISO day where that is not its release's. With the
    `places` of its versions they are called by these, else by their numbers in the archive.
    """
    day = date or (step.release or "")[:10]
    when = f"{day}  " if day else ""
    head = f"{when}{_versions(step, *places)}"
    if len(head) + len(remark) > width():
        remark = f"\n {remark}"
    changes = tell([stored.change for stored in step.changes])
    return f"{click.style(head, bold=True)}{click.style(remark, dim=True)}\n{changes}"


def _versions(step: Step, before: Place | None, after: Place | None) -> str:
    """From which version to which: "version 2 → 3 of 7 (archive no. 8 → 13)"."""
    numbers = f"{step.from_version} → {step.to_version}" if step.from_version else f"{step.to_version}"
    if after is None:
        return f"archive no. {numbers}"
    way = f"{before.place} → {after.place}" if before else f"{after.place}"
    return f"version {way} of {after.of} (archive no. {numbers})"


def _by_family(lines: Iterable[Line]) -> Mapping[str, list[Line]]:
    families: dict[str, list[Line]] = {}
    for line in lines:
        families.setdefault(KINDS[line.lead.kind].family, []).append(line)
    return families


def _severest(lines: Iterable[Line]) -> int:
    return min(SEVERITIES.index(line.lead.severity) for line in lines)


def _family(name: str, lines: Iterable[Line], every: Sequence[Change]) -> str:
    return "\n".join([click.style(f"  {name}", dim=True), *(_line(line, every) for line in lines)])


def _line(line: Line, every: Sequence[Change]) -> str:
    label = line.lead.label
    # some sentences begin with their label: said once is enough
    says_it = line.sentence.startswith(label)
    text = wrapped(line.sentence if says_it else f"{label}: {line.sentence}", indent=6).lstrip()
    styled = click.style(label, bold=True, fg=_MARKS[line.lead.severity][1] if _is_loud(line.lead) else None)
    told = f"    {mark(line.lead.severity)} {styled}{text.removeprefix(label)}"
    folded = _expanded(line, every) if every else (*_details(line), *_followers(line))
    return "\n".join([told, *folded])


def _is_loud(change: Change) -> bool:
    return change.severity in ("critical", "major")


def _followers(line: Line) -> Iterator[str]:
    if line.followers:
        counts = "; ".join(follower.words for follower in line.followers)
        yield click.style(wrapped(f"└ with it: {counts}", indent=6, hanging=8), dim=True)


def _expanded(line: Line, every: Sequence[Change]) -> Iterator[str]:
    """Each change that the line tells together with others, and each that follows from it, in its own words."""
    together = [stored.change for stored in line.changes]
    if len(together) > 1:
        for change in together:
            yield wrapped(f"- {change.summary}", indent=8, hanging=10)
    else:
        yield from _details(line)
    for change in _under(together, every):
        yield click.style(wrapped(f"└ {change.label}: {change.summary}", indent=6, hanging=8), dim=True)


def _under(causes: Sequence[Change], every: Sequence[Change]) -> Iterator[Change]:
    """What follows from these changes, and what follows from that in turn, in the order of telling."""
    named = {_named(change) for change in causes}
    following = [change for change in every if change.cause and (change.cause.kind, change.cause.name) in named]
    following = [change for change in following if change not in causes]
    for change in following:
        yield change
        yield from _under([change], [other for other in every if other not in following])


def _named(change: Change) -> tuple[str, Json]:
    return change.kind, change.subject.get("name") if change.subject else None


def _details(line: Line) -> Iterator[str]:
    """What the sentence cannot hold: of whom a line for many speaks, and criteria line by line."""
    if len(line.changes) > 1:
        yield click.style(wrapped("; ".join(some(line.whom, SHOWN)), indent=8), dim=True)
    else:
        for detail in details(line.lead):
            yield from _detail(detail, line.lead)


def _detail(detail: Detail, change: Change) -> Iterator[str]:
    """A passage with the words that differ marked; of lists only the criteria, which nothing else tells."""
    if detail.pieces:
        marked = " ".join(_marked(piece) for piece in detail.pieces if piece.text.strip())
        yield click.style(wrapped(f"{detail.term}:", indent=8), dim=True)
        yield wrapped(marked, indent=10)
    elif change.kind == "eligibility.criteria_changed":
        sign, colour = ("-", "red") if detail.term.endswith("removed") else ("+", "green")
        yield click.style(wrapped(f"{detail.term}:", indent=8), dim=True)
        for item in detail.items:
            yield click.style(wrapped(f"{sign} {item}", indent=10, hanging=12), fg=colour)


def _marked(piece: Piece) -> str:
    """The words as git marks them, so that they are told apart where there is no colour."""
    signs = {"removed": "[-{}-]", "added": "{{+{}+}}"}
    return signs.get(piece.kind, "{}").format(piece.text.strip())
