"""Does the program read real changes as a careful person did? Needs the real records that only the builders have."""

import statistics
import time
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from snapshots.changes import Cause, Change
from snapshots.registries.ctgov.parse import content, parse
from snapshots.rules import changes_between
from tests import labels

SPEAKING_STEPS = 46
SILENT_STEPS = 3018


def real(test: Any) -> Any:
    """Marks a test that needs the real records."""
    return pytest.mark.real_records(pytest.mark.skipif(not labels.LABELS, reason=labels.ABSENT)(test))


@real
@pytest.mark.parametrize("label", labels.LABELS, ids=lambda path: path.stem)
def test_every_real_change_is_told_as_it_was_labelled(label: Path) -> None:
    told = changes_between(*labels.pair(label))

    assert labels.compare(labels.labelled(label)["changes"], told).told() == []


@real
def test_every_recorded_step_that_says_nothing_is_silent() -> None:
    speaking = {path.stem for path in labels.LABELS}
    steps = [(name, old, new) for name, old, new in labels.steps() if name not in speaking]

    noisy = [f"{name}: {change.summary}" for name, old, new in steps for change in changes_between(old, new)]

    assert noisy == []
    assert len(steps) == SILENT_STEPS


@real
def test_steps_that_speak_are_new_content_and_the_others_are_not() -> None:
    contents: dict[str, set[bytes]] = {}
    for trial, _, raw in labels.snapshots():
        contents.setdefault(trial, set()).add(content(raw))

    speaking = {path.stem[:11] for path in labels.LABELS}
    assert {trial for trial, versions in contents.items() if len(versions) > 1} == speaking


@real
def test_a_real_change_costs_little() -> None:
    costs = sorted(map(_cost, labels.LABELS))

    assert statistics.median(costs) < 0.006
    assert costs[int(len(costs) * 0.95)] < 0.050


def _cost(label: Path) -> float:
    """Seconds of processor time that reading both records and telling their difference takes."""
    records = [(labels.RECORDS / "pairs" / f"{label.stem}.{side}.json").read_bytes() for side in ("old", "new")]
    before = time.process_time()
    changes_between(*map(parse, records))
    return time.process_time() - before


@real
def test_the_labels_are_all_there() -> None:
    kinds = Counter(change["kind"] for path in labels.LABELS for change in labels.labelled(path)["changes"])

    assert len(labels.LABELS) == SPEAKING_STEPS
    assert kinds["site.recruiting"] > 100


# --- the comparison itself ----------------------------------------------------------------------------------------

OPENED = Change(
    kind="site.recruiting",
    severity="critical",
    label="Site recruiting",
    summary="It recruits",
    subject={"type": "site", "name": "Mercy Hospital", "city": "Northfield"},
    before="NOT_YET_RECRUITING",
    after="RECRUITING",
)
LABEL = {
    "kind": "site.recruiting",
    "severity": "critical",
    "subject": "Mercy Hospital",
    "city": "Northfield",
    "after": "RECRUITING",
}


def test_a_change_that_is_told_as_labelled_agrees() -> None:
    assert labels.compare([LABEL], [OPENED])


@pytest.mark.parametrize(
    ("told", "what"),
    [
        (replace(OPENED, severity="major"), "severity"),
        (replace(OPENED, cause=Cause("recruitment.opened")), "cause"),
        (replace(OPENED, after="COMPLETED"), "values"),
    ],
)
def test_a_change_that_is_told_otherwise_is_no_agreement_and_says_in_what(told: Change, what: str) -> None:
    found = labels.compare([LABEL], [told])

    assert not found
    assert [word for _, word, _ in found.near] == [what]


def test_a_change_of_another_subject_or_none_at_all_is_missing_and_extra() -> None:
    other = replace(OPENED, subject={"type": "site", "name": "Grace Clinic", "city": "Northfield"})

    found = labels.compare([LABEL], [other])

    assert (found.missing, found.extra) == ((LABEL,), (other,))
    assert labels.compare([LABEL], []).missing == (LABEL,)
    assert labels.compare([], [OPENED]).extra == (OPENED,)
