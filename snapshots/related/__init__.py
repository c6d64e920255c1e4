"""Which trials are like a trial? Asked of the archive's own full-text index, and of the registry, whose answer is kept.

The index is brought up to date by `catch_up`, some records at a time, outside of the sweep's transactions.
"""

from snapshots.related.answers import Answer, answer_of, keep, keep_trouble, want, wanted
from snapshots.related.likeness import Likeness, catch_up, index_again, like
from snapshots.related.words import Listed, Wording, ranked, wording

__all__ = [
    "Answer",
    "Likeness",
    "Listed",
    "Wording",
    "answer_of",
    "catch_up",
    "index_again",
    "keep",
    "keep_trouble",
    "like",
    "ranked",
    "want",
    "wanted",
    "wording",
]
