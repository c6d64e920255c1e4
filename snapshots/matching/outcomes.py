"""Which outcome is which across the primary, secondary and other outcomes of two versions?"""

from collections.abc import Hashable
from functools import lru_cache
from typing import Literal

from msgspec import Struct

from snapshots.canonical import label_key, text_key
from snapshots.matching.engine import ByKey, ByLikeness, Matched, match
from snapshots.matching.people import rest_key
from snapshots.matching.wording import Words, alike, blocks, word_list, words_of
from snapshots.trial import Outcome, Trial

Level = Literal["primary", "secondary", "other"]
LEVELS: tuple[Level, ...] = ("primary", "secondary", "other")

ALIKE = 0.7
"""Share of the telling words that two measures must have in common to be one that was reworded."""
ALIKE_AS_DESCRIBED = 0.4
"""The same where a description that says the same tells what is measured."""
_LEAST_DESCRIPTION = 60
"""Shorter descriptions ("Measured under the tongue.") fit many outcomes."""

_GENERAL: Words = word_list(
    "absolute analysi assessed assessment average baseline calculated change changed comparison difference effect "
    "evaluation experience experiencing incidence level mean measure measured measurement median number occurrence "
    "participant patient percent percentage proportion relative subject total value day hour minute month week year"
)


class Placed(Struct, frozen=True):
    """An outcome and the list it stands in."""

    level: Level
    outcome: Outcome

    @property
    def measure(self) -> str:
        """The norm of the measure."""
        return label_key(self.outcome.measure)

    @property
    def telling(self) -> Words:
        """The words of the measure that tell what is measured."""
        return words_of(self.outcome.measure, _GENERAL)


def outcomes_of(trial: Trial, level: Level) -> tuple[Outcome, ...]:
    """The outcomes of one list."""
    return {
        "primary": trial.primary_outcomes,
        "secondary": trial.secondary_outcomes,
        "other": trial.other_outcomes,
    }[level]


def match_outcomes(old: Trial, new: Trial) -> Matched[Placed]:
    """Matches the outcomes of all three lists: by measure in the same list, then in any, then by similar measure."""
    return match(_placed(old), _placed(new), _PASSES)


def _placed(trial: Trial) -> list[Placed]:
    return [Placed(level, outcome) for level in LEVELS for outcome in outcomes_of(trial, level)]


def _measure(placed: Placed) -> str | None:
    return placed.measure or None


def _measure_in_list(placed: Placed) -> Hashable:
    return placed.level, placed.measure


_text_key = lru_cache(maxsize=1 << 10)(text_key)


def _time_frame(placed: Placed) -> str:
    return _text_key(placed.outcome.time_frame)


def _description(placed: Placed) -> str:
    return _text_key(placed.outcome.description)


def _rest(placed: Placed) -> bytes:
    return rest_key(placed.outcome)


def _likeness(old: Placed, new: Placed) -> tuple[bool, bool, float] | None:
    same_words = _description(old) == _description(new) and len(_description(new)) >= _LEAST_DESCRIPTION
    enough = ALIKE_AS_DESCRIBED if same_words else ALIKE
    likeness = alike(old.telling, new.telling, enough=enough, contained=2)
    if likeness is None:
        return None
    same_time = _time_frame(old) == _time_frame(new)
    return same_time, old.level == new.level, likeness + same_words


_PREFER = (_time_frame, _description, _rest)
_PASSES = (
    ByKey(key=_measure_in_list, prefer=_PREFER),
    ByKey(key=_measure, prefer=_PREFER),
    ByLikeness(likeness=_likeness, blocks=lambda placed: blocks(placed.telling)),
)
