"""The made-up edits on random real records: what surrounds an edit must not change what is told of it."""

import copy
import random
from typing import Any

import pytest

from tests import labels
from tests.campaigns import edits, records
from tests.snapshots.vocabulary.cases import Case, said
from tests.snapshots.vocabulary.test_vocabulary import CASES
from tests.snapshots.whole_record import edited, told, whole

Json = Any
SEED = 20261122
EDITS = 500

pytestmark = [pytest.mark.real_records, pytest.mark.skipif(not labels.LABELS, reason=labels.ABSENT)]


def test_edits_of_random_real_records_tell_what_was_edited() -> None:
    result = edits.run(SEED, EDITS)

    assert result.failures == []
    assert result.counts["edits made"] > EDITS / 2


def grafted(real: Json, case: Case) -> Json:
    """The real record with those of its modules that the case edits taken from the invented one, all others its own."""
    study, invented = copy.deepcopy(real), whole()
    for place, _ in (*case.was, *case.now):
        section, _, rest = place.partition(".")
        module = rest.partition(".")[0].partition("[")[0]
        if section == "protocolSection":
            _taken(study["protocolSection"], invented["protocolSection"], module)
        else:
            _taken(study, invented, section)
    return study


def _taken(into: Json, other: Json, key: str) -> None:
    into.pop(key, None)
    if key in other:
        into[key] = other[key]


def test_the_cases_of_the_vocabulary_hold_within_random_real_records() -> None:
    chance = random.Random(SEED)
    names = [name for name in sorted(records.real()) if len(records.real()[name]) < 100_000]
    wrong = []
    for case in CASES:
        name = chance.choice(names)
        old = edited(grafted(records.decoded(records.real()[name]), case), *case.was)
        found = told(old, edited(old, *case.now))
        first = next((change for change in found if change.kind == case.kind), None)
        if first is None or said(first) != case.expected(first) or len(found) != 1 + len(case.also):
            wrong.append((name, case.id, [change.summary for change in found]))

    assert wrong == []
