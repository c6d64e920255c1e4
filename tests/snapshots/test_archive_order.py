"""History order: by what the registry dates, never by when something was stored."""

from datetime import UTC, date, datetime
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st
from msgspec import Struct

from snapshots.archive import order

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


class Placed(Struct, frozen=True):
    number: int
    source: str
    release: str | None
    registry_date: str | None
    registry_version: int | None = None


def observed(number: int, day: str, time: str = "T09:00:05") -> Placed:
    return Placed(number, "v2", day + time, None)


def filled(number: int, date: str | None, count: int | None = None) -> Placed:
    return Placed(number, "history", None, date, count)


def numbers(*versions: Placed) -> list[int]:
    return [version.number for version in sorted(versions, key=order.history_key)]


days = st.dates(date(2020, 1, 1), date(2020, 1, 20)).map(str)
histories = st.lists(
    st.tuples(st.booleans(), days, st.integers(0, 30)),
    max_size=20,
).map(
    lambda drawn: [
        observed(number, day) if seen else filled(number, day, count)
        for number, (seen, day, count) in enumerate(drawn, 1)
    ]
)


@given(histories, st.randoms())
def test_the_order_does_not_depend_on_the_order_of_storing(versions: list[Placed], chance) -> None:  # type: ignore[no-untyped-def]
    shuffled = list(versions)
    chance.shuffle(shuffled)

    assert numbers(*shuffled) == numbers(*versions)


@given(histories)
def test_dates_never_go_back(versions: list[Placed]) -> None:
    dates = [order.history_date(version) for version in sorted(versions, key=order.history_key)]

    assert dates == sorted(dates)


@given(histories)
def test_on_one_day_what_was_filled_in_comes_before_what_was_observed(versions: list[Placed]) -> None:
    ordered = sorted(versions, key=order.history_key)

    for one, next_one in pairwise(ordered):
        if order.history_date(one) == order.history_date(next_one):
            assert (one.source, next_one.source) != ("v2", "history")


@given(histories, days)
def test_as_of_a_date_is_the_last_version_not_after_it(versions: list[Placed], date: str) -> None:
    ordered = sorted(versions, key=order.history_key)
    found = order.as_of(ordered, date)

    known = [version for version in ordered if order.history_date(version) <= date]
    assert found == (known[-1] if known else None)


def test_the_past_filled_in_late_stands_before_the_first_observation() -> None:
    assert numbers(observed(1, "2026-03-02"), filled(2, "2018-09-27"), filled(3, "2024-05-01")) == [2, 3, 1]


def test_a_gap_filled_in_late_stands_in_the_gap() -> None:
    five, eight = observed(1, "2026-02-02"), observed(2, "2026-03-02")

    assert numbers(five, eight, filled(3, "2026-02-10"), filled(4, "2026-02-20")) == [1, 3, 4, 2]


def test_versions_of_one_day_follow_the_registrys_count() -> None:
    assert numbers(filled(1, "2026-02-02", 7), filled(2, "2026-02-02", 6)) == [2, 1]


def test_two_releases_of_one_day_keep_their_order() -> None:
    assert numbers(observed(1, "2026-02-02", "T15:00:00"), observed(2, "2026-02-02", "T09:00:00")) == [2, 1]


def test_a_version_without_a_date_is_older_than_all() -> None:
    assert numbers(filled(1, "1999"), filled(2, None)) == [2, 1]


def test_a_month_as_of_date_means_its_end() -> None:
    versions = [observed(1, "2026-02-02"), observed(2, "2026-02-27"), observed(3, "2026-03-02")]

    assert order.as_of(versions, "2026-02") == versions[1]


def test_what_a_search_found_comes_after_the_records_own_changes_of_that_release() -> None:
    version = observed(12, "2026-03-02")
    search = order.step_key(None, version.release, NOON, 3)
    own = order.step_key(version, version.release, NOON, 4)
    later = order.step_key(observed(13, "2026-03-03"), "2026-03-03T09:00:05", NOON, 2)

    assert own < search < later


def test_a_told_step_is_left_out_where_finer_ones_cover_it() -> None:
    assert order.finest([(5, 8), (5, 6), (6, 7), (7, 8), (None, 5), (8, 9)]) == {
        (None, 5),
        (5, 6),
        (6, 7),
        (7, 8),
        (8, 9),
    }


def test_a_step_over_a_gap_that_is_filled_in_part_still_counts() -> None:
    assert (5, 8) in order.finest([(5, 8), (5, 6), (7, 8)])
