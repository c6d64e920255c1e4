"""Ten mails as they were judged: `python -m tests.notifiers.ten_mails tests/fixtures/mails` writes them anew."""

import pytest

from notifiers.rendering import render
from tests.notifiers.ten_mails import ROOT, TEN, as_text


@pytest.mark.parametrize("name", TEN)
def test_its_text_reads_as_it_was_judged(name: str) -> None:
    assert as_text(render(TEN[name]())) == (ROOT / f"{name}.txt").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", TEN)
def test_its_page_is_as_it_was_looked_at(name: str) -> None:
    assert render(TEN[name]()).html == (ROOT / f"{name}.html").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", TEN)
def test_it_says_what_a_receiver_needs(name: str) -> None:
    text = " ".join(render(TEN[name]()).text.split())

    for said in ("Why you get this", "first seen in the release of 4 March 2026", "clinicaltrials.gov/study/NCT99",
                 "To stop it: https://", "Before you act on it, confirm it", "Sex: any", "Ages: "):  # fmt: skip
        assert said in text


def test_a_site_is_told_with_place_distance_contact_and_who_may_take_part() -> None:
    text = render(TEN["site_recruiting"]()).text

    for said in (
        "102218 Beijing, China (14 km from Beijing)",
        "Site contact: Jun Lee, +1 206-555-0142",
        "45 to 80 years",
    ):
        assert said in text
