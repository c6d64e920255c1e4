"""The vocabulary as a page, and changes in a terminal: folded into one line with a number, or each by itself."""

from pathlib import Path

import click
from click.testing import CliRunner

from monitor.cli import trialdelta
from monitor.cli.kinds import as_markdown
from monitor.cli.telling import tell
from snapshots.kinds import KINDS
from tests.snapshots.whole_record import SITES, STATUS, contact, told, whole

PAGE = Path(__file__).parents[2] / "docs" / "change-kinds.md"
OPENED = told(
    whole((f"{STATUS}.overallStatus", "NOT_YET_RECRUITING"), *((f"{SITES}[{n}].status", None) for n in range(3))),
    whole(
        *((f"{SITES}[{n}].status", "RECRUITING") for n in range(3)),
        (f"{SITES}[0].contacts", [contact("Kim Roe", 4)]),
    ),
)


def words(text: str) -> str:
    """The text without colours and line breaks."""
    return " ".join(click.unstyle(text).split())


def test_the_page_of_the_vocabulary_is_what_the_program_prints() -> None:
    """Write it anew with: trialdelta kinds --format markdown > docs/change-kinds.md"""
    assert PAGE.read_text(encoding="utf-8") == as_markdown()
    assert CliRunner().invoke(trialdelta, ["kinds", "--format", "markdown"]).stdout == as_markdown()


def test_the_page_has_every_kind_once() -> None:
    page = as_markdown()

    assert [kind for kind in KINDS if page.count(f"| `{kind}` |") != 1] == []


def test_what_follows_is_one_line_with_its_number() -> None:
    text = words(tell(OPENED))

    assert "Enrollment opened: The study is now recruiting" in text
    assert "with it: 3 sites are now recruiting" in text
    assert "South Sample Clinic" not in text


def test_expanded_each_has_a_line_of_its_own() -> None:
    text = words(tell(OPENED, expand=True))

    assert "with it" not in text
    assert [text.count(change.summary) for change in OPENED] == [1] * len(OPENED)


def test_words_that_differ_are_marked_in_a_reworded_criterion() -> None:
    place = "protocolSection.eligibilityModule.eligibilityCriteria"
    texts = [f"Inclusion Criteria:\n\n* Age {sign} 18 years at the time of consent\n* Fever" for sign in ("≥", ">")]

    text = words(tell(told(whole((place, texts[0])), whole((place, f"{texts[1]}\n* Cough")))))

    assert "Age [-≥-] {+>+} 18 years at the time of consent" in text
    assert "+ Cough" in text
