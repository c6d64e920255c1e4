"""Does the program read real changes as a careful person did? Needs the real records that only the builders have."""

import json
import lzma
import statistics
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from snapshots.changes import Change
from snapshots.registries.ctgov.parse import content, parse
from snapshots.rules import changes_between
from snapshots.trial import Trial

RECORDS = Path(__file__).parents[3] / "shared" / "registry"
LABELS = sorted((RECORDS / "labels").glob("*.json"))
SPEAKING_STEPS = 46
SILENT_STEPS = 3018

pytestmark = [
    pytest.mark.real_records,
    pytest.mark.skipif(not LABELS, reason="the real registry records are not at hand (../shared/registry)"),
]

Row = tuple[str, ...]


@pytest.mark.parametrize("label", LABELS, ids=lambda path: path.stem)
def test_every_real_change_is_told_as_it_was_labelled(label: Path) -> None:
    expected = json.loads(label.read_bytes())["changes"]

    told = changes_between(
        *(parse((RECORDS / "pairs" / f"{label.stem}.{side}.json").read_bytes()) for side in ("old", "new"))
    )

    missed, invented = _difference(expected, told)
    assert (missed, invented) == ([], [])


def test_every_recorded_step_that_says_nothing_is_silent() -> None:
    speaking = {path.stem for path in LABELS}
    steps = [(name, old, new) for name, old, new in _steps() if name not in speaking]

    noisy = [f"{name}: {change.summary}" for name, old, new in steps for change in changes_between(old, new)]

    assert noisy == []
    assert len(steps) == SILENT_STEPS


def test_steps_that_speak_are_new_content_and_the_others_are_not() -> None:
    contents: dict[str, set[bytes]] = {}
    for trial, _, raw in _snapshots():
        contents.setdefault(trial, set()).add(content(raw))

    assert {trial for trial, versions in contents.items() if len(versions) > 1} == {path.stem[:11] for path in LABELS}


def test_a_real_change_costs_little() -> None:
    costs = sorted(map(_cost, LABELS))

    assert statistics.median(costs) < 0.006
    assert costs[int(len(costs) * 0.95)] < 0.050


def _cost(label: Path) -> float:
    """Seconds of processor time that reading both records and telling their difference takes."""
    records = [(RECORDS / "pairs" / f"{label.stem}.{side}.json").read_bytes() for side in ("old", "new")]
    before = time.process_time()
    changes_between(*map(parse, records))
    return time.process_time() - before


def _steps() -> Iterator[tuple[str, Trial, Trial]]:
    """Consecutive recorded snapshots of one trial, as (name of the step, older record, newer record)."""
    before: tuple[str, str, Trial] | None = None
    for trial, release, raw in _snapshots():
        after = (trial, release, parse(raw))
        if before and before[0] == trial:
            yield f"{trial}_{before[1]}_{release}", before[2], after[2]
        before = after


def _snapshots() -> Iterator[tuple[str, str, bytes]]:
    """Every recorded snapshot as (trial, day of the release, record as it was sent)."""
    with lzma.open(RECORDS / "releases.ndjson.xz") as lines:
        for line in lines:
            head, _, study = line.partition(b'"study":')
            said = json.loads(head.strip().rstrip(b",") + b"}")
            yield said["nct"], said["dataVersion"][:10], study.strip()[:-1]


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
