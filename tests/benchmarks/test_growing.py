"""Does the measuring of growth measure what it says: a whole registry, releases without a change, one with some?"""

import pytest

from tests.benchmarks import drawing, growing
from tests.benchmarks.looking import now
from tests.benchmarks.telling import Part, results_of


def test_a_small_registry_is_watched_as_a_large_one_would_be() -> None:
    one = growing.measure(40)

    assert one.baseline.answered == one.baseline.kept == 40
    assert [phase.kept for phase in one.still] == [0]
    assert one.still[0].database == one.baseline.database
    assert (one.edited, one.new, one.gone, one.changed.kept) == (3, 1, 1, 4)
    assert 0 < one.growth < one.edited_bytes + 50_000
    assert 0 < one.baseline.floor < one.baseline.cpu
    rows = results_of({"growth": Part(growing._figures(one), [], now(), 0)}, {})["parts"]["growth"]
    assert "40" in drawing.draw(rows)


def test_sizes_that_are_no_numbers_are_refused_in_a_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SIZES", "1k,ten")

    with pytest.raises(SystemExit, match="SIZES=1k,ten: numbers of records"):
        growing.figures()
