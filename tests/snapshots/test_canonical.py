"""When two values say the same thing: each kind of noise leaves the key alone, each real difference changes it."""

import unicodedata
from collections.abc import Callable
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from snapshots.canonical import (
    age_days,
    age_key,
    country_key,
    email_key,
    enum_key,
    interval,
    label_key,
    name_key,
    phone_digits,
    same_text,
    same_value,
    shift_days,
    text_key,
)

TEXTS = st.text(max_size=60) | st.text(alphabet=" \n*-•1.)(aA<>&;#p\\\"'≥²ﬁé\u0301\u200b\t", max_size=40)
WORDS = st.lists(st.text(alphabet="abcXYZ059é≥", min_size=1, max_size=6), min_size=1, max_size=8)

CRITERIA = """Inclusion Criteria:

* Age \\>= 18 years & "informed" consent - signed
* Body-mass index \\< 30 kg/m^2

Exclusion Criteria:

1. Patient's refusal, naïve or not
2. Count below 10⁹/L"""


@given(TEXTS)
@pytest.mark.parametrize("key", [text_key, label_key, name_key, email_key, phone_digits, country_key])
def test_the_key_of_a_key_is_that_key(key: Callable[[str], str], text: str) -> None:
    assert key(key(text)) == key(text)


@given(TEXTS)
def test_the_key_of_an_enumerated_key_is_that_key(text: str) -> None:
    assert enum_key(enum_key(text)) == enum_key(text)


NOISES: dict[str, Callable[[str], str]] = {
    "line breaks": lambda text: text.replace("\n", "\r\n"),
    "blank lines": lambda text: text.replace("\n\n", "\n\n\n"),
    "lines joined": lambda text: text.replace("\n", " "),
    "double blanks": lambda text: text.replace(" ", "  "),
    "blanks at the ends": lambda text: f"\n {text}\t ",
    "no-break spaces": lambda text: text.replace(" ", "\u00a0"),
    "decomposed letters": lambda text: unicodedata.normalize("NFD", text),
    "typographic quotes": lambda text: text.replace('"informed"', "“informed”").replace("'", "’"),
    "long dashes": lambda text: text.replace(" - ", " – ").replace("-mass", "—mass"),
    "no markdown escapes": lambda text: text.replace("\\", ""),
    "entities": lambda text: text.replace("\\>", "&gt;").replace("\\<", "&lt;").replace("& ", "&amp; "),
    "slashes as entities": lambda text: text.replace("/", "&#x2F;"),
    "other bullets": lambda text: text.replace("\n* ", "\n• "),
    "dashes for bullets": lambda text: text.replace("\n* ", "\n- "),
    "indented bullets": lambda text: text.replace("\n* ", "\n   * "),
    "other numbering": lambda text: text.replace("1. ", "1) ").replace("2. ", "(2) "),
    "bullets for numbers": lambda text: text.replace("1. ", "* ").replace("2. ", "* "),
    "letters for numbers": lambda text: text.replace("1. ", "a. ").replace("2. ", "b. "),
    "soft hyphens and zero widths": lambda text: text.replace("informed", "in\u00adfor\u200bmed"),
}


@pytest.mark.parametrize("noise", NOISES.values(), ids=NOISES)
def test_noise_says_nothing(noise: Callable[[str], str]) -> None:
    noisy = noise(CRITERIA)

    assert noisy != CRITERIA
    assert same_text(CRITERIA, noisy)


@given(WORDS, st.sampled_from([" ", "\n", "\r\n", "  ", "\t", "\u00a0", "\n\n"]))
def test_white_space_between_words_says_nothing(words: list[str], space: str) -> None:
    assert text_key(space.join(words)) == text_key(" ".join(words))


def test_the_html_of_the_history_interface_says_what_markdown_says() -> None:
    html = (
        "<p>Inclusion Criteria:</p><ul><li>Age &gt;= 18 years &amp; &quot;informed&quot; consent - signed</li>"
        "<li>Body-mass index &lt; 30 kg&#x2F;m<sup>2</sup></li></ul><p>Exclusion Criteria:</p>"
        "<ol><li>Patient&#39;s refusal, na&iuml;ve or not</li><li>Count below 10<sup>9</sup>&#x2F;L</li></ol>"
    )

    assert same_text(html, CRITERIA)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("Age 18 years", "Age 19 years"),
        ("women", "Women"),
        ("ALT < 3", "ALT > 3"),
        ("ALT < 3", "ALT 3"),
        ("≥ 18", "> 18"),
        ("≥ 18", "18"),
        ("10⁹/L", "109/L"),
        ("5 mg/kg", "5 mg"),
        ("A (B)", "A B"),
        ("no consent", "consent"),
        ("+ 5", "- 5"),
        ("not able", "notable"),
        ("Day 1.", "Day 2."),
        ("5.", "6."),
        ("10%", "10"),
        ("* one\n* two", "* one\n* two\n* three"),
        ("", "something"),
    ],
)
def test_a_real_difference_of_texts_is_one(before: str, after: str) -> None:
    assert not same_text(before, after)
    assert text_key(before) != text_key(after)


def test_absent_and_empty_texts_say_the_same() -> None:
    assert same_text(None, "")
    assert same_text(None, "  \n")


@given(st.text(alphabet="abcdeé -.,'’", min_size=1, max_size=30))
def test_case_and_punctuation_of_names_say_nothing(name: str) -> None:
    spaced = name.upper().replace(".", " ").replace(",", "").replace("’", "'")
    if any(letter.isalnum() for letter in name):
        assert name_key(spaced) == name_key(name)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("Example Hospital", "EXAMPLE-HOSPITAL"),
        ("St. Mary's Clinic", "St Mary’s Clinic"),
        ("Universität München", unicodedata.normalize("NFD", "Universität München")),
        ("Smith &amp; Sons", "Smith & Sons"),
        ("Ｆｕｌｌ Width", "Full width"),
        ("Weißhaus", "WEISSHAUS"),
    ],
)
def test_names_equal_under_their_norm_are_the_same_name(before: str, after: str) -> None:
    assert name_key(before) == name_key(after)


@pytest.mark.parametrize(
    ("before", "after"),
    [("Site 1", "Site 2"), ("Example Hospital", "Example Clinic"), ("???", "!!!"), ("München", "Munchen"), ("A", None)],
)
def test_other_names_stay_other_names(before: str, after: str | None) -> None:
    assert name_key(before) != name_key(after)


@pytest.mark.parametrize(
    ("before", "after", "same"),
    [
        ("Follow-up (Week 12)", "follow–up week 12", True),
        ("Objective  Response\nRate", "objective response rate", True),
        ("AUC \\< 5", "AUC < 5", True),
        ("AUC &gt; 5", "AUC > 5", True),
        ("AUC < 5", "AUC > 5", False),
        ("AUC ≥ 5", "AUC 5", False),
        ("Arm A", "Arm B", False),
        ("CD8+ cells", "CD8 cells", False),
        ("!", "?", False),
    ],
)
def test_labels_drop_punctuation_and_keep_symbols(before: str, after: str, same: bool) -> None:
    assert (label_key(before) == label_key(after)) is same


@pytest.mark.parametrize(
    ("value", "key"),
    [
        ("NOT_YET_RECRUITING", "NOT_YET_RECRUITING"),
        ("not_yet_recruiting", "NOT_YET_RECRUITING"),
        ("Not yet recruiting", "NOT_YET_RECRUITING"),
        ("SOMETHING_NEW", "SOMETHING_NEW"),
        ("", None),
        (None, None),
    ],
)
def test_case_of_enumerated_values_says_nothing(value: str | None, key: str | None) -> None:
    assert enum_key(value) == key


@pytest.mark.parametrize(
    "spellings",
    [
        ("Turkey", "Turkey (Türkiye)", "Türkiye", "TURKEY"),
        ("South Korea", "Korea, Republic of"),
        ("Czechia", "Czech Republic"),
        ("Côte d'Ivoire", "Cote D'Ivoire", "Ivory Coast"),
        ("Vietnam", "Viet Nam"),
        ("Réunion", "Reunion"),
        ("Russia", "Russian Federation"),
    ],
)
def test_a_respelt_country_is_the_same_country(spellings: tuple[str, ...]) -> None:
    assert len({country_key(spelling) for spelling in spellings}) == 1


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Virgin Islands (U.S.)", "Virgin Islands (British)"),
        ("Congo", "Congo, The Democratic Republic of the"),
        ("South Korea", "Korea, Democratic People's Republic of"),
        ("Niger", "Nigeria"),
        ("France", ""),
    ],
)
def test_two_countries_stay_two(one: str, other: str) -> None:
    assert country_key(one) != country_key(other)


@pytest.mark.parametrize(
    ("text", "start", "end", "precision"),
    [
        ("2026", date(2026, 1, 1), date(2026, 12, 31), "year"),
        ("2026-05", date(2026, 5, 1), date(2026, 5, 31), "month"),
        ("2024-02", date(2024, 2, 1), date(2024, 2, 29), "month"),
        ("2026-05-31", date(2026, 5, 31), date(2026, 5, 31), "day"),
        ("2026-05-31T09:10", date(2026, 5, 31), date(2026, 5, 31), "day"),
        ("9999-12", date(9999, 12, 1), date(9999, 12, 31), "month"),
    ],
)
def test_a_date_is_an_interval_of_days(text: str, start: date, end: date, precision: str) -> None:
    days = interval(text)

    assert days is not None
    assert (days.start, days.end, days.precision) == (start, end, precision)


@pytest.mark.parametrize(
    "text", [None, "", "2026-13", "2026-02-30", "0000-01", "next spring", "2026-05-", "٢٠٢٦", "20260501"]
)
def test_an_absurd_date_is_no_interval(text: str | None) -> None:
    assert interval(text) is None


@given(st.text(max_size=12) | st.dates().map(str) | st.dates().map(lambda day: str(day)[:7]))
def test_reading_a_date_never_fails(text: str) -> None:
    days = interval(text)

    assert days is None or days.start <= days.end


@pytest.mark.parametrize(
    ("before", "after", "days"),
    [
        ("2026-03", "2026-06-30", 92),
        ("2026-06-30", "2026-03", -92),
        ("2026-03-01", "2026-03-31", 30),
        ("2026", "2027-03-05", 365),
        ("2026-03-15", "2026-03", 0),
    ],
)
def test_a_shift_is_counted_at_the_coarser_precision(before: str, after: str, days: int) -> None:
    old, new = interval(before), interval(after)
    assert old is not None
    assert new is not None

    assert shift_days(old, new) == days


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("18 Years", "216 Months", True),
        ("18 Years", "18 years", True),
        ("1 Week", "7 Days", True),
        ("24 Hours", "1 Day", True),
        (None, "N/A", True),
        ("18 Years", "19 Years", False),
        ("18 Years", None, False),
        ("0 Years", None, False),
        ("adult", "child", False),
    ],
)
def test_an_age_is_a_duration(one: str | None, other: str | None, same: bool) -> None:
    assert (age_key(one) == age_key(other)) is same


def test_what_is_no_age_has_no_duration() -> None:
    assert age_days("of age") is None
    assert age_days(None) is None


@pytest.mark.parametrize(
    ("phone", "digits"), [("+1 (555) 01-00", "15550100"), ("555.0100", "5550100"), ("ask at the desk", ""), (None, "")]
)
def test_phone_numbers_are_their_digits(phone: str | None, digits: str) -> None:
    assert phone_digits(phone) == digits


@pytest.mark.parametrize(
    ("before", "after", "same"),
    [
        ({"a": [1, 2]}, {"a": [2, 1]}, True),
        ({"a": "x  y"}, {"a": "x y"}, True),
        ({"a": None}, {}, True),
        ({"a": []}, {}, True),
        ({"a": 1.0}, {"a": 1}, True),
        ({"a": False}, {}, False),
        ({"a": 0}, {}, False),
        ({"a": [1]}, {"a": [1, 1]}, False),
        ({"a": {"b": "x"}}, {"a": {"b": "X"}}, False),
    ],
)
def test_any_value_says_the_same_without_order_and_emptiness(before: object, after: object, same: bool) -> None:
    assert same_value(before, after) is same


def test_an_entity_in_other_letters_is_the_same_label() -> None:
    assert label_key("HEAD &Amp; NECK CANCER") == label_key("Head &amp; Neck Cancer") == label_key("Head & Neck Cancer")
