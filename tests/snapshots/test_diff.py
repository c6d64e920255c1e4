"""Structured differences between two comparable parts."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from snapshots.diff import Difference, differences


def test_equal_parts_have_none() -> None:
    assert differences({"a": {"b": [1]}}, {"a": {"b": [1]}}) == []


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        ({"a": 1}, {"a": 2}, [Difference(("a",), 1, 2)]),
        ({}, {"a": 2}, [Difference(("a",), None, 2)]),
        ({"a": 1}, {}, [Difference(("a",), 1, None)]),
        ({"a": 1}, {"a": "1"}, [Difference(("a",), 1, "1")]),
        ({"a": {"b": 1, "c": 1}}, {"a": {"b": 1, "c": 2}}, [Difference(("a", "c"), 1, 2)]),
        ({'it\'s [0]."x"': 1}, {'it\'s [0]."x"': 2}, [Difference(('it\'s [0]."x"',), 1, 2)]),
        ({"b": 1, "a": 1}, {"b": 2, "a": 2}, [Difference(("a",), 1, 2), Difference(("b",), 1, 2)]),
    ],
)
def test_each_place_that_differs_is_told(before: dict[str, object], after: dict[str, object], expected: object) -> None:
    assert differences(before, after) == expected


PARTS = st.dictionaries(st.text(alphabet="abc_'\". ", max_size=4), st.integers(0, 2) | st.text(max_size=2), max_size=6)


@given(PARTS, PARTS)
def test_flat_parts_differ_exactly_where_their_values_do(before: dict[str, object], after: dict[str, object]) -> None:
    found = {difference.place[0] for difference in differences(before, after)}

    absent = object()
    assert found == {key for key in {*before, *after} if before.get(key, absent) != after.get(key, absent)}
