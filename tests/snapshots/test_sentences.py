"""The words that sentences share: plain English, nothing cut in the middle of a word, nothing lost."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from snapshots.sentences import (
    capitalised,
    clipped,
    counted,
    date_words,
    enum_words,
    listed,
    partial_date_words,
    place_words,
    quoted,
    shift_words,
    site_words,
    status_words,
)
from snapshots.trial import PartialDate, Site


@pytest.mark.parametrize(
    ("date", "words"),
    [
        ("2026-03", "March 2026"),
        ("2026-06-30", "30 June 2026"),
        ("2026", "2026"),
        ("2026-13", "2026-13"),
        (None, "no date"),
        ("", "no date"),
    ],
)
def test_a_date_in_words(date: str | None, words: str) -> None:
    assert date_words(date) == words


def test_a_date_with_its_type_in_words() -> None:
    assert partial_date_words(PartialDate("2026-03", "ESTIMATED")) == "March 2026 (estimated)"
    assert partial_date_words(PartialDate("2026-03")) == "March 2026"
    assert partial_date_words(None) == "no date"


@pytest.mark.parametrize(
    ("days", "words"),
    [
        (1, "1 day"),
        (-1, "1 day"),
        (92, "92 days"),
        (459, "459 days (about 15 months)"),
        (1126, "1,126 days (about 3.1 years)"),
        (1096, "1,096 days (about 3 years)"),
    ],
)
def test_a_shift_in_words(days: int, words: str) -> None:
    assert shift_words(days) == words


@pytest.mark.parametrize(
    ("status", "words"),
    [
        ("NOT_YET_RECRUITING", "not yet recruiting"),
        ("ACTIVE_NOT_RECRUITING", "active, not recruiting"),
        ("ENROLLING_BY_INVITATION", "enrolling by invitation"),
        ("A_STATUS_OF_TOMORROW", "a status of tomorrow"),
        ("Odd, mixed", "Odd, mixed"),
        (None, "no status"),
    ],
)
def test_a_status_in_words(status: str | None, words: str) -> None:
    assert status_words(status) == words


@pytest.mark.parametrize(
    ("value", "words"),
    [("EARLY_PHASE1", "early phase 1"), (True, "yes"), (False, "no"), (None, "none"), ("SAP", "SAP"), ("NIH", "NIH")],
)
def test_an_enumerated_value_in_words(value: str | bool | None, words: str) -> None:
    assert enum_words(value) == words


@given(st.text(max_size=300), st.integers(10, 120))
def test_a_clipped_text_is_one_line_of_the_length_asked_for(text: str, limit: int) -> None:
    line = clipped(text, limit)

    assert len(line) <= limit
    assert "\n" not in line


def test_a_text_is_cut_at_the_end_of_a_word_and_quoted_without_escapes() -> None:
    assert clipped("one two three four", 12) == "one two…"
    assert quoted("BMI \\> 30") == "“BMI > 30”"
    assert quoted(" \n") == "nothing"


@pytest.mark.parametrize(
    ("items", "limit", "words"),
    [
        ([], None, ""),
        (["a"], None, "a"),
        (["a", "b"], None, "a and b"),
        (["a", "b", "c"], None, "a, b and c"),
        (["a", "b", "c", "d"], 2, "a, b and 2 more"),
        (["a", "b", "c"], 2, "a, b and c"),
    ],
)
def test_a_list_in_words(items: list[str], limit: int | None, words: str) -> None:
    assert listed(items, limit) == words


def test_numbers_places_and_sentences() -> None:
    assert (counted(1, "site"), counted(1200, "site"), counted(2, "country", "countries")) == (
        "1 site",
        "1,200 sites",
        "2 countries",
    )
    assert place_words(("Example Hospital", None, " ", "Norway")) == "Example Hospital, Norway"
    assert (
        site_words(Site(facility="Example Hospital", city="Oslo", country="Norway")) == "Example Hospital, Oslo, Norway"
    )
    assert site_words(Site()) == "a site without a name"
    assert capitalised("fDA notice") == "FDA notice"
