"""A digest of more than fits into a message is told all the same, and says how much it left out."""

import pytest

from notifiers.layout import LONGEST
from notifiers.message import News
from notifiers.rendering import render
from snapshots.kinds import KINDS
from tests.notifiers.messages import change, digest, message, news, step

KINDS_TOLD = [kind for kind in KINDS if kind.startswith(("eligibility.", "study.", "arm."))][:10]


def _told(trials: int, words: int) -> list[News]:
    """News of so many trials, each of ten kinds and with many words."""
    changes = [change(kind, f"{kind} changed " + "in the Example Sisters' view " * words) for kind in KINDS_TOLD]
    return [news(step(*changes, record=f"NCT{99000000 + number}", number=number + 1)) for number in range(trials)]


@pytest.mark.parametrize("kind", ["digest", "summary"])
def test_what_is_too_much_for_one_message_is_told_by_its_number(kind: str) -> None:
    told = _told(350, 8)

    rendered = render(digest(*told) if kind == "digest" else message(*told, type="summary"))

    assert len(rendered.text) < LONGEST
    assert "350 trials" in rendered.text
    shown = rendered.text.count("https://clinicaltrials.gov/study/")
    assert shown >= 80
    assert f"and {350 - shown} more trials that changed" in rendered.text
    assert f"and {350 - shown} more trials that changed" in rendered.html


def test_what_fits_is_told_whole() -> None:
    rendered = render(digest(*_told(90, 1)))

    assert rendered.text.count("https://clinicaltrials.gov/study/") == 90
    assert "more trials" not in rendered.text
