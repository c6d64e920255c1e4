"""Text that is read from right to left stands apart from the words around it, on every page of a trial."""

import re
from typing import Any

import pytest

from notifiers import watches
from notifiers.reading_order import own, told
from tests.monitor.web.browsing import SiteUnderTest
from tests.monitor.web.test_trial_page import page
from tests.monitor.web.trials import TRIAL, lived, record, site

Json = Any

ARABIC = "دراسة الحمى (STUDY-42)"
HEBREW = "מחקר"
_FROM_THE_RIGHT = re.compile("[\u0590-\u08ff]")
_ELSEWHERE = re.compile(r"<(title|option|svg|head|script)\b.*?</\1>|<(?!bdi)[^>]*>", re.DOTALL)
"""What can hold no element, and the tags."""


def unguarded(text: str) -> list[str]:
    """What is read from the right and stands neither in a <bdi> nor in an element of its own direction."""
    text = re.sub(r'<(\w+)\b[^>]*dir="auto"[^>]*>.*?</\1>|<bdi>.*?</bdi>', " ", text, flags=re.DOTALL)
    return _FROM_THE_RIGHT.findall(_ELSEWHERE.sub(" ", text))


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Example (STUDY-42)", "Example (STUDY-42)"),
        (ARABIC, f"<bdi>{ARABIC}</bdi>"),
        (f"<b>{HEBREW}", f"<bdi>&lt;b&gt;{HEBREW}</bdi>"),
        (None, None),
    ],
)
def test_a_text_of_others_stands_apart_where_it_needs_to(text: str | None, shown: str | None) -> None:
    assert own(text) == shown


@pytest.mark.parametrize(
    ("sentence", "shown"),
    [
        ("Title changed from “A” to “B”", "Title changed from “A” to “B”"),
        (f"From “A & b” to “{ARABIC}”", f"From “A &amp; b” to “<bdi>{ARABIC}</bdi>”"),
        (f"{HEBREW} 12 {HEBREW}, Haifa is now recruiting", f"<bdi>{HEBREW} 12 {HEBREW}</bdi>, Haifa is now recruiting"),
        (f"“{HEBREW} was cut", f"“<bdi>{HEBREW}</bdi> was cut"),
    ],
)
def test_in_a_sentence_of_ours_what_is_quoted_or_named_stands_apart(sentence: str, shown: str) -> None:
    assert told(sentence) == shown


def hebrew(**said: Json) -> dict[str, Json]:
    """A record in which everybody writes from the right."""
    sites = [site(f"{HEBREW} 7", said.get("open", "RECRUITING"), HEBREW, HEBREW, contacts=[{"name": HEBREW}])]
    texts = dict.fromkeys(("title", "summary", "condition", "intervention", "sponsor", "criteria"), ARABIC)
    return record(**{**texts, "sites": sites, "outcomes": [{"measure": ARABIC, "description": ARABIC}], **said})


def test_no_page_mixes_what_is_read_from_the_right_with_its_own_words(site: SiteUnderTest) -> None:
    lived(site.database, [hebrew(open="NOT_YET_RECRUITING")], [hebrew(title=f"{ARABIC} {HEBREW}")])
    with site.database.write() as connection:
        watches.change(
            connection, watches.Wish(registry="ctgov", record_id=TRIAL, group=HEBREW, note=ARABIC), site.clock()
        )

    paths = ("", "/history", "/timeline", "/versions", "/compare?all=yes")
    for path in (*(f"/trials/{TRIAL}{each}" for each in paths), f"/trials/{TRIAL}?as_of=2026-03-02", "/", "/watchlist"):
        text = page(site, path).text
        assert _FROM_THE_RIGHT.search(text)
        assert unguarded(text) == [], path
