"""The drawing of a time line: an axis for what is there, marks that do not vanish, words that stay inside."""

from datetime import date, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.questions import Recorded
from monitor.web.trial.axes import NARROW, WIDE, Axis, Frame, axes
from monitor.web.trial.chart import Chart, charts
from tests.snapshots.histories import planned, said

TODAY = date(2026, 11, 22)


def drawn(*versions: tuple[str, dict[str, object]]) -> tuple[Chart, ...]:
    return charts(Recorded(registry="ctgov", id="NCT99000001", title="Example", versions=tuple(said(*versions))), TODAY)


def short() -> tuple[Chart, ...]:
    """A trial that was observed for two weeks, with a completion years away."""
    return drawn(
        ("2026-11-08", {"overall_status": "RECRUITING", "completion_date": planned("2029-06")}),
        ("2026-11-15", {"overall_status": "SUSPENDED", "completion_date": planned("2030-06")}),
    )


def test_a_time_of_two_weeks_has_an_axis_of_its_own_and_its_bars_can_be_seen() -> None:
    for chart in short():
        observed, stated = chart.panels

        assert (observed.title, stated.title) == ("What was observed", "The dates that were stated")
        assert [bar.width > 100 for bar in observed.lanes[0].bars] == [True, True]
        assert all(words.endswith("Nov") for _, words in observed.days)
        assert all(words.isdecimal() for _, words in stated.days)


def test_a_long_time_and_its_dates_share_one_axis() -> None:
    (wide, narrow) = drawn(
        ("2022-01-01", {"overall_status": "RECRUITING", "completion_date": planned("2026-06")}),
        ("2024-01-01", {"overall_status": "RECRUITING", "completion_date": planned("2028-06")}),
    )

    assert [panel.title for panel in (*wide.panels, *narrow.panels)] == ["", ""]


def test_the_drawing_for_a_phone_is_as_narrow_and_has_its_names_above_the_lanes() -> None:
    wide, narrow = short()

    assert (wide.frame.above, narrow.frame.width) == (0, 340)
    assert narrow.panels[0].lanes[0].y >= wide.panels[0].lanes[0].y + narrow.frame.above


def test_a_mistyped_century_does_not_squeeze_the_rest() -> None:
    (wide, _) = drawn(("2026-11-08", {"overall_status": "RECRUITING", "completion_date": planned("2928-06-01")}))

    assert all(panel.days for panel in wide.panels)


def test_without_any_date_nothing_is_drawn() -> None:
    assert drawn(("", {"overall_status": "RECRUITING"})) == ()


@pytest.mark.parametrize("frame", [WIDE, NARROW], ids=["wide", "narrow"])
@given(days=st.integers(0, 20_000), back=st.integers(0, 9_000))
def test_named_days_never_stand_on_each_other_nor_outside(frame: Frame, days: int, back: int) -> None:
    begin = TODAY - timedelta(days=back)

    for axis in axes([begin], [begin + timedelta(days=days)], TODAY, frame):
        places = [x for x, _ in axis.names()]
        assert all(frame.left < x < frame.width - 20 for x in places)
        assert all(after - before > 30 for before, after in pairwise(places))


def test_what_is_outside_an_axis_stands_at_its_edge() -> None:
    axis = Axis(date(2026, 1, 1), date(2026, 12, 31), WIDE)

    assert axis.at(date(1990, 1, 1)) == WIDE.left
    assert axis.at(date(2090, 1, 1)) == WIDE.width - WIDE.right
