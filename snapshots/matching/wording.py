"""How alike are two short wordings: measures of outcomes, labels of arms, names of interventions?"""

import re
from functools import lru_cache

from rapidfuzz import fuzz

from snapshots.canonical import label_key

Words = frozenset[str]


def word_list(text: str) -> Words:
    """The words of a list that is written as one text."""
    return frozenset(text.split())


_FRAME = word_list(
    "a all an and any are as at by for from in into is of on or per the to up via vs versus with within without "
    "after before between both defined during either each evaluated every following over since until who"
)
"""Words that frame a wording of any kind and never tell what it is about."""

_WORD = re.compile(r"[^\W_]+")


@lru_cache(maxsize=1 << 14)
def words_of(text: str | None, general: Words = frozenset()) -> Words:
    """The words that tell what a wording is about: no framing words, none of the `general` ones of its kind, plurals
    as singulars, numbers left out. All of its words where nothing would be left.
    """
    every = [_singular(word) for word in _WORD.findall(label_key(text))]
    telling = frozenset(
        word for word in every if word not in _FRAME and word not in general and not word.isdigit() and len(word) > 1
    )
    return telling or frozenset(every)


def _singular(word: str) -> str:
    return word[:-1] if len(word) > 3 and word.endswith("s") and not word.endswith("ss") else word


def alike(one: Words, other: Words, *, enough: float, contained: int) -> float | None:
    """How alike (0 to 1) two sets of words are; None where that is less than `enough`.

    For a set of at least `contained` words that lies whole in the other one, half is enough.
    """
    if not (one and other):
        return None
    shared = len(one & other)
    shared += _respelt(one - other, other - one) if shared < min(len(one), len(other)) else 0
    likeness = 2 * shared / (len(one) + len(other))
    whole = shared == min(len(one), len(other)) and shared >= contained
    return likeness if likeness >= (min(enough, 0.5) if whole else enough) else None


def blocks(words: Words) -> Words:
    """Of these two sets of words must share one to be alike at all: the words, and what a respelt one would keep."""
    return words | {f"{word[0]}…{word[-4:]}" for word in words if len(word) > 5}


def _respelt(these: Words, those: Words) -> int:
    """How many of the words are the others in another spelling: "hemoglobin" is, "hypoglycemia" for "hyper-" is not."""
    if max(len(these), len(those)) > 5:
        return 0
    return sum(any(_is_respelt(word, other) for other in those) for word in these)


def _is_respelt(word: str, other: str) -> bool:
    return word.isalpha() and other.isalpha() and fuzz.ratio(word, other) >= 92


def letters_alike(one: str | None, other: str | None, enough: float) -> float | None:
    """How alike (0 to 1) two wordings are letter by letter under their norm; None where less than `enough`."""
    likeness = fuzz.ratio(label_key(one), label_key(other), score_cutoff=enough * 100) / 100
    return likeness or None
