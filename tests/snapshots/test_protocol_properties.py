"""What holds for every protocol: layout and order say nothing, nothing is dropped, no shape of a record is too odd."""

import copy
import random
import unicodedata
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tests.snapshots.protocol import changes, edited, put, record, shuffled

Json = Any
Place = tuple[str | int, ...]

FREE_TEXTS = frozenset(
    {"description", "briefSummary", "detailedDescription", "eligibilityCriteria", "citation", "timeFrame"}
)
NOT_OURS = frozenset({"statusModule", "sponsorCollaboratorsModule", "nctId", "organization", "stdAges"})


def leaves(value: Json, place: Place = ()) -> Iterator[Place]:
    """The places of all values that are neither object nor list."""
    if isinstance(value, dict):
        for key, member in value.items():
            if key not in NOT_OURS:
                yield from leaves(member, (*place, key))
    elif isinstance(value, list):
        for index, member in enumerate(value):
            yield from leaves(member, (*place, index))
    else:
        yield place


def at(value: Json, place: Place) -> Json:
    for key in place:
        value = value[key]
    return value


LEAVES = sorted(leaves(record()), key=repr)
TEXTS = [place for place in LEAVES if place[-1] in FREE_TEXTS]


def noisy(text: str, chance: random.Random) -> str:
    """The same text in another layout: blanks, Unicode form, quotes, dashes, escapes."""
    return chance.choice(
        [
            text.replace(" ", "  "),
            f"\n {text}\t",
            unicodedata.normalize("NFD", text),
            text.replace("'", "’").replace("-", "–"),
            text.replace("(", "\\(").replace("[", "\\["),
            text.replace("&", "&amp;"),
        ]
    )


@given(st.integers())
def test_a_protocol_in_another_layout_and_order_is_silent(seed: int) -> None:
    chance = random.Random(seed)
    old = record()
    new = copy.deepcopy(old)
    for place in TEXTS:
        put(noisy(at(new, place), chance), *place)(new)

    assert changes(old, shuffled(new, chance)) == []


@pytest.mark.parametrize("place", LEAVES, ids=lambda place: ".".join(map(str, place)))
def test_no_value_that_differs_is_dropped(place: Place) -> None:
    value = at(record(), place)
    other = not value if isinstance(value, bool) else value + 5 if isinstance(value, int) else f"Zz {value} zz"

    assert changes(record(), edited(put(other, *place))) != []


ODD = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-5, 99999999)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text("aZ <\\*9", max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["id", "type", "odd"]), inner, max_size=3)
    ),
    max_leaves=5,
)
PLACES = [place[:depth] for place in LEAVES for depth in range(1, len(place) + 1)]
ODD_PLACES = [place for place in PLACES if place != ("identificationModule",)]  # there would be no id


@settings(max_examples=150)
@given(st.sampled_from(ODD_PLACES), ODD)
def test_no_shape_of_a_protocol_is_too_odd(place: Place, value: Json) -> None:
    odd = edited(put(value, *place))

    assert changes(odd, copy.deepcopy(odd)) == []
    for one, other in ((record(), odd), (odd, record())):
        for change in changes(one, other):
            assert change.summary
            assert "\n" not in change.summary


NAMES = st.sampled_from(["A", "B", "a", "Drug A", "Placebo", ""])
ITEMS = st.fixed_dictionaries(
    {},
    optional={
        "label": NAMES,
        "name": NAMES,
        "type": st.sampled_from(["DRUG", "EXPERIMENTAL", "OTHER"]),
        "description": st.sampled_from(["Daily.", "Weekly."]),
        "interventionNames": st.lists(st.sampled_from(["Drug: A", "Drug: B", "Other: Placebo"]), max_size=2),
        "armGroupLabels": st.lists(NAMES, max_size=2),
        "otherNames": st.lists(NAMES, max_size=2),
    },
)
MODULES = st.fixed_dictionaries(
    {"armGroups": st.lists(ITEMS, max_size=4), "interventions": st.lists(ITEMS, max_size=4)}
)


NEITHER_HAS_A_LABEL = [{"armGroupLabels": ["A", "B"]}, {"name": "A", "otherNames": ["A", "B"]}]
"""What is no arm's is in an order of its own in each: by it they are told apart, and its order says nothing."""


@settings(max_examples=100)
@given(MODULES, st.integers())
@example({"armGroups": NEITHER_HAS_A_LABEL, "interventions": []}, 109)
def test_no_list_of_arms_and_interventions_differs_from_its_own_shuffle(module: Json, seed: int) -> None:
    old = edited(put(module, "armsInterventionsModule"))

    assert changes(old, shuffled(old, random.Random(seed))) == []


REFERENCE = st.fixed_dictionaries(
    {},
    optional={
        "pmid": st.sampled_from(["1", "2", ""]),
        "type": st.sampled_from(["RESULT", "DERIVED"]),
        "citation": st.sampled_from(["Doe J. One.", "Doe J. Two.", "Roe"]),
        "retractions": st.lists(st.fixed_dictionaries({"pmid": st.sampled_from(["8", "9"])}), max_size=2),
        "odd": st.integers(0, 1),
    },
)


@settings(max_examples=100)
@given(st.lists(REFERENCE, max_size=5), st.integers())
def test_no_list_of_publications_differs_from_its_own_shuffle(references: Json, seed: int) -> None:
    old = edited(put(references, "referencesModule", "references"))

    assert changes(old, shuffled(old, random.Random(seed))) == []
