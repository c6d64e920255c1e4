"""Criteria one by one, and texts word by word."""

import random
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from snapshots.prose import (
    Criterion,
    Piece,
    SectionDifference,
    criteria,
    criteria_differences,
    readable,
    rewording,
    word_differences,
)

MARKDOWN = r"""Inclusion Criteria:

1. Fever \> 38 °C
2. One of the following:

   * Cough for \>= 2 weeks
   * Sneezing & wheezing
3. Consent

Exclusion Criteria:

* Pregnancy
* Surgery \[any\] within 4 weeks"""

HTML = (
    "<p>Inclusion Criteria:</p><ol><li>Fever &gt; 38 °C</li><li><p>One of the\nfollowing:</p><ul>"
    "<li>Cough for &gt;= 2 weeks</li><li>Sneezing &amp; wheezing</li></ul></li><li>Consent</li></ol>"
    "<p>Exclusion Criteria:</p><ul><li>Pregnancy</li><li>Surgery [any] within 4 weeks</li></ul>"
)

INCLUSION = ["Fever > 38 °C", "One of the following:", "Cough for >= 2 weeks", "Sneezing & wheezing", "Consent"]
EXCLUSION = ["Pregnancy", "Surgery [any] within 4 weeks"]


def texts(found: tuple[Criterion, ...], section: str) -> list[str]:
    return [criterion.text for criterion in found if criterion.section == section]


@pytest.mark.parametrize("text", [MARKDOWN, HTML], ids=["markdown", "HTML"])
def test_criteria_are_read_one_by_one_under_inclusion_and_exclusion(text: str) -> None:
    found = criteria(text)

    assert texts(found, "inclusion") == INCLUSION
    assert texts(found, "exclusion") == EXCLUSION


@pytest.mark.parametrize(
    "heading",
    [
        "Exclusion Criteria:",
        "EXCLUSION CRITERIA",
        "Exclusion criteria :",
        "Key Exclusion Criteria:",
        "Main exclusion criteria",
        "* Exclusion Criteria:",
        "2. Exclusion Criteria",
        "General Exclusion Criteria:",
        "Patient exclusion criteria:",
        "Non-inclusion criteria:",
        "Exclusion:",
        "<p>Exclusion Criteria:</p>",
    ],
)
def test_a_bare_heading_opens_its_section_and_is_no_criterion(heading: str) -> None:
    assert criteria(f"Fever\n\n{heading}\n\nPregnancy") == (
        Criterion("inclusion", "Fever"),
        Criterion("exclusion", "Pregnancy"),
    )


@pytest.mark.parametrize(
    "heading",
    [
        "Exclusion Criteria for Part B:",
        "Part B Exclusion Criteria:",
        "Additional Exclusion Criteria - Arm 2 only",
        "Cohort C [second line] - Specific Exclusion Criteria:",
        "Exclusion Criteria (healthy controls)",
        "Exclusion criteria 1-5 for all parts plus:",
    ],
)
def test_a_heading_that_says_for_whom_is_kept_under_its_section(heading: str) -> None:
    assert criteria(f"Fever\n\n{heading}\n\n* Pregnancy") == (
        Criterion("inclusion", "Fever"),
        Criterion("exclusion", heading),
        Criterion("exclusion", "Pregnancy"),
    )


@pytest.mark.parametrize(
    "line",
    [
        "Subject not meeting one of the exclusion criteria.",
        "Other protocol-defined inclusion/exclusion criteria may apply",
        "Other protocol-defined exclusion criteria may apply",
        "Note: see exclusion criterion 11 for limits",
        "Exclusion of malignancy by biopsy",
        "Free of any other condition. Exclusion criteria: none of these",
        "Rechallenge leads to exclusion",
    ],
)
def test_a_sentence_that_mentions_a_section_opens_none(line: str) -> None:
    assert criteria(f"Inclusion Criteria:\n\n* {line}\n* Fever") == (
        Criterion("inclusion", line),
        Criterion("inclusion", "Fever"),
    )


def test_what_follows_a_heading_on_its_line_is_a_criterion() -> None:
    assert criteria("Inclusion Criteria: Fever\n\nEXCLUSION CRITERIA: none") == (
        Criterion("inclusion", "Fever"),
        Criterion("exclusion", "none"),
    )


def test_names_of_species_are_not_taken_for_list_letters() -> None:
    assert texts(criteria("A. Fever\n\nb) Cough\n\nE. coli infection\n\n(iv) 1.5 litres"), "inclusion") == [
        "Fever",
        "Cough",
        "E. coli infection",
        "1.5 litres",
    ]


@pytest.mark.parametrize("text", [None, "", "  \n ", "* \n\n* "])
def test_a_text_without_words_has_no_criteria(text: str | None) -> None:
    assert criteria(text) == ()


def test_the_same_criteria_in_html_and_markdown_do_not_differ() -> None:
    assert not any(criteria_differences(MARKDOWN, HTML).values())


def test_criteria_added_removed_and_reworded_are_told_under_their_section() -> None:
    new = MARKDOWN.replace("Fever \\> 38 °C", "Fever \\> 39 °C").replace("* Pregnancy", "* Pregnancy\n* Live vaccines")
    new = new.replace("3. Consent\n", "")

    found = criteria_differences(MARKDOWN, new)

    assert found["inclusion"] == SectionDifference(removed=("Consent",), reworded=(("Fever > 38 °C", "Fever > 39 °C"),))
    assert found["exclusion"] == SectionDifference(added=("Live vaccines",))


def test_a_criterion_that_changes_sides_is_removed_and_added() -> None:
    found = criteria_differences(
        "Inclusion:\n* Diabetes\n* Consent\n\nExclusion:\n* Asthma",
        "Inclusion:\n* Consent\n\nExclusion:\n* Diabetes\n* Asthma",
    )

    assert found["inclusion"] == SectionDifference(removed=("Diabetes",))
    assert found["exclusion"] == SectionDifference(added=("Diabetes",))


def test_one_criterion_in_anothers_place_is_reworded_though_less_alike() -> None:
    old = "* Consent\n* Prior therapy with a checkpoint inhibitor\n* Fever"
    new = "* Consent\n* Received checkpoint blockade before\n* Fever"

    assert criteria_differences(old, new)["inclusion"].reworded == (
        ("Prior therapy with a checkpoint inhibitor", "Received checkpoint blockade before"),
    )


def test_criteria_with_nothing_in_common_are_removed_and_added() -> None:
    found = criteria_differences("* Consent\n* Pregnancy\n* Fever", "* Consent\n* QTcF > 470 ms\n* Fever")

    assert found["inclusion"] == SectionDifference(added=("QTcF > 470 ms",), removed=("Pregnancy",))


LINES = st.lists(st.text("abc deEN.:*-1\n\\<", min_size=1, max_size=30), max_size=12)


@given(LINES, st.integers())
def test_every_criterion_is_kept_or_told_exactly_once(lines: list[str], seed: int) -> None:
    old = ["Inclusion Criteria:", *lines]
    new = random.Random(seed).sample(lines, len(lines) // 2)

    before, after = criteria("\n\n".join(old)), criteria("\n\n".join(new))
    found = criteria_differences("\n\n".join(old), "\n\n".join(new)).values()

    gained = sum(len(each.added) - len(each.removed) for each in found)
    assert len(after) - len(before) == gained


@given(LINES, st.integers())
def test_shuffled_criteria_do_not_differ(lines: list[str], seed: int) -> None:
    plain = [line.replace("\n", " ") for line in lines]
    shuffled = random.Random(seed).sample(plain, len(plain))

    # whatever stands in front keeps its section: no heading is among these letters
    assert not any(criteria_differences("\n\n".join(plain), "\n\n".join(shuffled)).values())


# --- words ------------------------------------------------------------------------------------------------------------


def test_words_are_compared_inside_lines_that_were_replaced() -> None:
    assert word_differences("One\nUp to 59 months\nTwo", "One\nUp to 58 months\nTwo") == (
        Piece("same", "One\nUp to "),
        Piece("removed", "59 "),
        Piece("added", "58 "),
        Piece("same", "months\nTwo\n"),
    )


def words(pieces: tuple[Piece, ...], *kinds: str) -> list[str]:
    return "".join(piece.text for piece in pieces if piece.kind in kinds).split()


@given(st.text("ab \n", max_size=60), st.text("ab \n", max_size=60))
def test_the_pieces_give_back_both_texts(before: str, after: str) -> None:
    pieces = word_differences(before, after)

    assert words(pieces, "same", "removed") == before.split()
    assert words(pieces, "same", "added") == after.split()


def test_markup_is_no_difference_of_words() -> None:
    assert all(piece.kind == "same" for piece in word_differences(HTML, readable(HTML)))


@pytest.mark.parametrize(
    ("before", "after", "sentence"),
    [
        ("up to 59 months", "up to 58 months", "“59” became “58”"),
        ("a Phase II study", "a study", "“Phase II” removed"),
        ("a study", "a large study", "“large” added"),
        ("x " * 60, "y " * 70, "60 words removed and 70 words added"),
        ("same", "same", "laid out in another way"),
    ],
)
def test_a_rewording_is_told_in_few_words(before: str, after: str, sentence: str) -> None:
    assert rewording(before, after) == sentence


def test_twenty_kilobytes_of_criteria_are_compared_quickly() -> None:
    chance = random.Random(7)
    vocabulary = [f"word{number}" for number in range(400)]
    old = [" ".join(chance.choices(vocabulary, k=18)) for _ in range(150)]
    new = [line.replace("word7", "other") if number % 10 == 0 else line for number, line in enumerate(old)]
    texts = ["Inclusion Criteria:\n\n" + "\n".join(f"* {line}" for line in lines) for lines in (old, new)]

    spent = []
    for _ in range(5):
        start = time.process_time()
        criteria_differences(*texts)
        word_differences(*texts)
        spent.append(time.process_time() - start)

    # 5 ms where nothing else runs; the bound leaves room for a busy machine
    assert min(spent) < 0.05
