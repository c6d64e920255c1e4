"""Does the program read real changes as a careful person did? Needs the real records that only the builders have."""

import json
import lzma
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from snapshots.changes import Change
from snapshots.registries.ctgov.parse import content, parse
from snapshots.rules import changes_between

RECORDS = Path(__file__).parents[3] / "shared" / "registry"
LABELS = sorted((RECORDS / "labels").glob("*.json"))
SPEAKING_STEPS = 46
SILENT_STEPS = 3018

pytestmark = [
    pytest.mark.real_records,
    pytest.mark.skipif(not LABELS, reason="the real registry records are not at hand (../shared/registry)"),
]

CONTESTED: dict[str, str] = {}
"""Labels that we are convinced are wrong: pair → reason. None is special-cased in the program."""

Row = tuple[str, ...]


@pytest.mark.parametrize("label", LABELS, ids=lambda path: path.stem)
def test_every_real_change_is_told_as_it_was_labelled(label: Path) -> None:
    if label.stem in CONTESTED:
        pytest.skip(CONTESTED[label.stem])
    expected = json.loads(label.read_bytes())["changes"]

    told = changes_between(
        *(parse((RECORDS / "pairs" / f"{label.stem}.{side}.json").read_bytes()) for side in ("old", "new"))
    )

    missed, invented = _difference(expected, told)
    assert (missed, invented) == ([], [])


def test_every_recorded_step_that_says_nothing_is_silent() -> None:
    speaking = {path.stem for path in LABELS}
    noisy = []
    silent = 0
    for name, old, new in _steps():
        if name in speaking:
            continue
        silent += 1
        if content(old) != content(new):
            told = changes_between(parse(old), parse(new))
            noisy += [f"{name}: {change.kind}: {change.summary}" for change in told]

    assert noisy == []
    assert silent == SILENT_STEPS


def _steps() -> Iterator[tuple[str, bytes, bytes]]:
    """Consecutive recorded snapshots of one trial, as (name of the step, older record, newer record)."""
    before: tuple[str, str, bytes] = ("", "", b"")
    with lzma.open(RECORDS / "releases.ndjson.xz") as lines:
        for line in lines:
            head, _, study = line.partition(b'"study":')
            trial, release = _words(head)
            after = (trial, release, study.strip()[:-1])
            if trial == before[0]:
                yield f"{trial}_{before[1]}_{release}", before[2], after[2]
            before = after


def _words(head: bytes) -> tuple[str, str]:
    value = json.loads(head.strip().rstrip(b",") + b"}")
    return value["nct"], value["dataVersion"][:10]


def _difference(expected: list[dict[str, Any]], told: tuple[Change, ...]) -> tuple[list[Row], list[Row]]:
    """(labelled but not told, told but not labelled); a value that the label leaves out counts as equal."""
    left = list(told)
    missed = []
    for label in sorted(expected, key=lambda label: -len(label)):
        found = next((change for change in left if _agrees(label, change)), None)
        if found is None:
            missed.append(_row_of_label(label))
        else:
            left.remove(found)
    return sorted(missed), sorted(_row(change) for change in left)


def _agrees(label: dict[str, Any], change: Change) -> bool:
    subject = change.subject or {}
    return (
        (label["kind"], label["severity"]) == (change.kind, change.severity)
        and label.get("subject") == (subject.get("name") if change.subject else None)
        and all(label[key] == subject.get(key) for key in ("city", "country", "zip") if key in label)
        and all(label[key] == getattr(change, key) for key in ("before", "after") if key in label)
        and _cause_of_label(label) == _cause(change)
    )


def _cause_of_label(label: dict[str, Any]) -> tuple[str, str | None] | None:
    cause = label.get("cause")
    return (cause["kind"], cause["name"]) if cause else None


def _cause(change: Change) -> tuple[str, str | None] | None:
    return (change.cause.kind, change.cause.name) if change.cause else None


def _row_of_label(label: dict[str, Any]) -> Row:
    values = (label[key] for key in ("kind", "severity", "subject"))
    return tuple(map(str, (*values, label.get("before", "-"), label.get("after", "-"), _cause_of_label(label))))


def _row(change: Change) -> Row:
    name = change.subject.get("name") if change.subject else None
    return tuple(map(str, (change.kind, change.severity, name, change.before, change.after, _cause(change))))


def test_the_labels_are_all_there() -> None:
    kinds = Counter(change["kind"] for path in LABELS for change in json.loads(path.read_bytes())["changes"])

    assert len(LABELS) == SPEAKING_STEPS
    assert kinds["site.recruiting"] > 100
