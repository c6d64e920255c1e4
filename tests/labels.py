"""What careful people said of real changes, and how what the program tells compares with that, change by change."""

import json
import lzma
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from snapshots.changes import Change
from snapshots.registries.ctgov.parse import parse
from snapshots.trial import Trial

RECORDS = Path(__file__).parents[2] / "shared" / "registry"
LABELS = sorted((RECORDS / "labels").glob("*.json"))
ABSENT = "the real registry records are not at hand (../shared/registry)"

Label = dict[str, Any]
Row = tuple[str, ...]


@dataclass(frozen=True)
class Agreement:
    """How the changes told of one step stand to its labels; each label and each change is in one place.

    `agree` are told as labelled. `near` are told of the same subject by the same kind, but differ in what the middle
    words name: "severity", "cause" or "values". `missing` were not told, `extra` were told and not labelled.
    """

    agree: tuple[tuple[Label, Change], ...]
    near: tuple[tuple[Label, str, Change], ...]
    missing: tuple[Label, ...]
    extra: tuple[Change, ...]

    def __bool__(self) -> bool:
        return not (self.near or self.missing or self.extra)

    def told(self) -> list[str]:
        """Every disagreement in one line."""
        return [
            *(f"{what} differs: {row_of_label(label)} told as {row(change)}" for label, what, change in self.near),
            *(f"missing: {row_of_label(label)}" for label in self.missing),
            *(f"extra: {row(change)}" for change in self.extra),
        ]


def labelled(label: Path) -> dict[str, Any]:
    """What a file of labels says: `changes`, and `doubts` with the readings that are defensible too."""
    return json.loads(label.read_bytes())  # type: ignore[no-any-return]


def pair(label: Path) -> tuple[Trial, Trial]:
    """The two versions that a file of labels is about."""
    old, new = (parse((RECORDS / "pairs" / f"{label.stem}.{side}.json").read_bytes()) for side in ("old", "new"))
    return old, new


def compare(expected: Sequence[Label], told: Sequence[Change]) -> Agreement:
    """The labels beside what is told; a value that a label leaves out counts as equal."""
    left, open_labels = list(told), sorted(expected, key=len, reverse=True)
    agree, open_labels = _taken(open_labels, left, lambda label, change: "" if not _differing(label, change) else None)
    near, open_labels = _taken(open_labels, left, _near)
    return Agreement(tuple((label, change) for label, _, change in agree), tuple(near), tuple(open_labels), tuple(left))


def _taken(
    labels: list[Label], left: list[Change], verdict: Any
) -> tuple[list[tuple[Label, str, Change]], list[Label]]:
    """The labels that found a change, which is taken out of `left`, and those that did not."""
    found, not_found = [], []
    for label in labels:
        verdicts = ((change, verdict(label, change)) for change in left)
        change, word = next(((change, word) for change, word in verdicts if word is not None), (None, None))
        if change is None:
            not_found.append(label)
        else:
            left.remove(change)
            found.append((label, word or "", change))
    return found, not_found


def _near(label: Label, change: Change) -> str | None:
    differing = _differing(label, change)
    return None if {"kind", "subject"} & set(differing) else differing[0]


def _differing(label: Label, change: Change) -> list[str]:
    subject = change.subject or {}
    same = {
        "kind": label["kind"] == change.kind,
        "subject": label.get("subject") == (subject.get("name") if change.subject else None)
        and all(label[key] == subject.get(key) for key in ("city", "country", "zip") if key in label),
        "severity": label["severity"] == change.severity,
        "cause": _cause_of_label(label) == _cause(change),
        "values": all(label[key] == getattr(change, key) for key in ("before", "after") if key in label),
    }
    return [what for what, agrees in same.items() if not agrees]


def _cause_of_label(label: Label) -> tuple[str, str | None] | None:
    cause = label.get("cause")
    return (cause["kind"], cause["name"]) if cause else None


def _cause(change: Change) -> tuple[str, str | None] | None:
    return (change.cause.kind, change.cause.name) if change.cause else None


def row_of_label(label: Label) -> Row:
    """A label as one line's worth of words."""
    values = (label[key] for key in ("kind", "severity", "subject"))
    return tuple(map(str, (*values, label.get("before", "-"), label.get("after", "-"), _cause_of_label(label))))


def row(change: Change) -> Row:
    """A change in the same words as `row_of_label`."""
    name = change.subject.get("name") if change.subject else None
    return tuple(map(str, (change.kind, change.severity, name, change.before, change.after, _cause(change))))


# --- the recorded releases --------------------------------------------------------------------------------------------


def steps() -> Iterator[tuple[str, Trial, Trial]]:
    """Consecutive recorded snapshots of one trial, as (name of the step, older record, newer record)."""
    before: tuple[str, str, Trial] | None = None
    for trial, release, raw in snapshots():
        after = (trial, release, parse(raw))
        if before and before[0] == trial:
            yield f"{trial}_{before[1]}_{release}", before[2], after[2]
        before = after


def snapshots() -> Iterator[tuple[str, str, bytes]]:
    """Every recorded snapshot as (trial, day of the release, record as it was sent)."""
    with lzma.open(RECORDS / "releases.ndjson.xz") as lines:
        for line in lines:
            head, _, study = line.partition(b'"study":')
            said = json.loads(head.strip().rstrip(b",") + b"}")
            yield said["nct"], said["dataVersion"][:10], study.strip()[:-1]
