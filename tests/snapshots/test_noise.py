"""Nothing is told of what says the same: every entry of "Silence", singly and combined."""

import json
import random
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests import labels
from tests.campaigns import noise, records

Json = Any
FIXTURES = sorted((Path(__file__).parents[1] / "fixtures" / "registry").glob("*.json"))
RECORDS = {**records.invented(), **{path.stem: json.loads(path.read_bytes()) for path in FIXTURES}}
EACH_RECORD = pytest.mark.parametrize("record", RECORDS.values(), ids=RECORDS)
NOISES = list(noise.noises())


@EACH_RECORD
@pytest.mark.parametrize("name", NOISES)
@settings(max_examples=8)
@given(seed=st.integers(0, 10_000))
def test_a_single_noise_tells_nothing(record: Json, name: str, seed: int) -> None:
    assert noise.told(record, noise.combined(record, [name], random.Random(seed))) == []


@EACH_RECORD
@settings(max_examples=80)
@given(some=st.lists(st.sampled_from(NOISES), unique=True, min_size=2), seed=st.integers(0, 10_000))
def test_noises_together_tell_nothing(record: Json, some: list[str], seed: int) -> None:
    assert noise.told(record, noise.combined(record, some, random.Random(seed))) == []


@pytest.mark.parametrize("name", NOISES)
def test_every_noise_makes_other_bytes_of_some_record(name: str) -> None:
    noisy = [noise.combined(record, [name], random.Random(7)) for record in RECORDS.values()]

    assert [json.dumps(record) for record in noisy] != [json.dumps(record) for record in RECORDS.values()]


@pytest.mark.real_records
@pytest.mark.skipif(not labels.LABELS, reason=labels.ABSENT)
def test_noises_together_tell_nothing_of_random_real_records() -> None:
    chance = random.Random(20261122)
    for name in chance.sample(sorted(records.real()), 60):
        record = records.as_registry_sends(records.decoded(records.real()[name]))
        some = chance.sample(NOISES, chance.randint(1, len(NOISES)))
        assert (name, some, noise.told(record, noise.combined(record, some, chance))) == (name, some, [])
