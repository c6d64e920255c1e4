"""For every kind of change at least three made-up edits of an invented trial, each giving exactly that change."""

from collections import Counter
from pathlib import Path

import pytest

from snapshots.kinds import KINDS
from tests.snapshots.vocabulary import design, outcomes, people, places, recruitment, results, texts, timing
from tests.snapshots.vocabulary.cases import Case, Still, said

TABLES = (recruitment, places, timing, results, design, outcomes, people, texts)
CASES: list[Case] = [case for table in TABLES for case in table.CASES]
STILL: list[Still] = [case for table in TABLES for case in table.STILL]

TESTS = Path(__file__).parents[2]
TOLD_BY_THE_SWEEP = {
    "record.first_seen": "monitor/test_sweep.py",
    "record.matched": "monitor/test_searches.py",
    "record.unmatched": "monitor/test_searches.py",
    "record.merged": "monitor/test_sweep.py",
    "record.missing": "monitor/test_sweep.py",
    "record.returned": "monitor/test_sweep.py",
    "registry.reformatted": "monitor/test_sweep.py",
}
"""Kinds that no two versions of a record tell: what happened to the record itself, tested with what sees it."""


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)
def test_a_made_up_edit_gives_exactly_its_change(case: Case) -> None:
    found = case.told()

    first = next((change for change in found if change.kind == case.kind), None)
    assert first, [change.summary for change in found]
    others = [
        (change.kind, change.subject and change.subject["name"], change.cause and change.cause.kind)
        for change in found
        if change is not first
    ]
    assert (said(first), sorted(others, key=repr)) == (case.expected(first), sorted(case.also, key=repr))


@pytest.mark.parametrize("case", STILL, ids=lambda case: case.id)
def test_what_says_the_same_is_not_told(case: Still) -> None:
    assert case.told() == []


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind not in TOLD_BY_THE_SWEEP])
def test_every_kind_has_three_made_up_edits(kind: str) -> None:
    edits = {repr((case.was, case.now)) for case in CASES if case.kind == kind}

    assert len(edits) >= 3


def test_the_made_up_edits_are_of_kinds_that_there_are() -> None:
    assert sorted(set(Counter(case.kind for case in CASES)) - set(KINDS)) == []


@pytest.mark.parametrize(("kind", "where"), TOLD_BY_THE_SWEEP.items())
def test_what_the_sweep_tells_is_tested_with_the_sweep(kind: str, where: str) -> None:
    assert f'"{kind}"' in (TESTS / where).read_text(encoding="utf-8")
