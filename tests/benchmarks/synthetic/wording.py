"""Words that no language has: a corpus to take texts from, and pools of names of places, people and things."""

import random
from collections.abc import Sequence

from msgspec import Struct

SEED = 8
WORDS, PHRASES, CORPUS = 12_000, 4_000, 6_000_000
"""Different words, different phrases of three to seven of them, characters of the corpus."""
SENTENCE = 12
"""Words of a sentence, about."""
_BEGINNINGS = ("b", "br", "c", "d", "dr", "f", "g", "gl", "h", "l", "m", "n", "p", "pr", "r", "s", "st", "t", "tr", "v")
_MIDDLES = ("a", "e", "i", "o", "u", "ai", "ea", "io", "ou", "y")
_ENDS = ("", "", "l", "m", "n", "r", "s", "t", "x", "nd", "st", "ct")


class Place(Struct, frozen=True):
    """An invented hospital, as a location names it."""

    facility: str
    city: str
    state: str | None
    zip: str | None
    country: str
    latitude: float
    longitude: float


class Wording:
    """All that records are worded with; the same for the same seed. Making one takes a second."""

    def __init__(self, seed: int = SEED) -> None:
        chance = random.Random(seed)
        self.words = _words(chance, WORDS)
        self._corpus = _corpus(chance, self.words)
        self.places = _places(chance, self.words)
        self.people = [_name(chance, self.words, 2) for _ in range(20_000)]
        self.sponsors = [_name(chance, self.words, 3) for _ in range(5_000)]
        self.conditions = [_name(chance, self.words, chance.choice((1, 2, 2, 3))) for _ in range(3_000)]
        self.treatments = [_name(chance, self.words, chance.choice((1, 1, 2))) for _ in range(5_000)]
        self.events = [_name(chance, self.words, chance.choice((1, 2, 2))) for _ in range(3_000)]

    def text(self, chance: random.Random, length: int) -> str:
        """Prose of about `length` characters, beginning anywhere in the corpus."""
        if length <= 0:
            return ""
        start = int(chance.random() * (CORPUS - length - 40)) if length < CORPUS // 2 else 0
        start = self._corpus.index(" ", start) + 1
        return self._corpus[start : start + length].rstrip()

    def lines(self, chance: random.Random, length: int, mark: str = "* ") -> str:
        """A list of prose of about `length` characters."""
        found, left = [], length
        while left > 0:
            line = self.text(chance, min(left, 30 + int(chance.random() * 140)))
            found.append(mark + line)
            left -= len(line) + len(mark) + 1
        return "\n".join(found)


def _words(chance: random.Random, count: int) -> list[str]:
    found: dict[str, None] = {}
    while len(found) < count:
        parts = chance.choice((1, 2, 2, 3, 3, 4))
        found["".join(chance.choice(_BEGINNINGS) + chance.choice(_MIDDLES) for _ in range(parts))
              + chance.choice(_ENDS)] = None  # fmt: skip
    return sorted(found, key=len)[: count // 10] + chance.sample(sorted(found), count - count // 10)


def _corpus(chance: random.Random, words: Sequence[str]) -> str:
    """Words as often as in a language (the nth a nth as often as the first), half of them in phrases that recur."""
    weights = _cumulated(len(words), 1.0)
    phrases = [" ".join(chance.choices(words, cum_weights=weights, k=chance.randint(3, 7))) for _ in range(PHRASES)]
    of_phrases = _cumulated(PHRASES, 0.9)
    pieces: list[str] = []
    size = 0
    while size < CORPUS:
        some = chance.choices(words, cum_weights=weights, k=SENTENCE)
        for at in range(0, 12, 3):
            some[at : at + 2] = chance.choices(phrases, cum_weights=of_phrases, k=1)
        sentence = " ".join(some)
        pieces.append(f"{sentence[0].upper()}{sentence[1:]}.")
        size += len(sentence) + 2
    return " ".join(pieces)


def _cumulated(count: int, power: float) -> list[float]:
    total, found = 0.0, []
    for rank in range(1, count + 1):
        total += rank**-power
        found.append(total)
    return found


def _name(chance: random.Random, words: Sequence[str], count: int) -> str:
    return " ".join(chance.choice(words).capitalize() for _ in range(count))


_COUNTRIES = (("Freedonia", True, 0.42), ("Sylvania", False, 0.2), ("Ruritania", False, 0.18), ("Borduria", False, 0.2))
"""Invented countries, whether addresses there name a state, and their share of the places."""


def _places(chance: random.Random, words: Sequence[str]) -> list[Place]:
    cities = [_city(chance, words) for _ in range(3_000)]
    found = []
    for _ in range(30_000):
        city, state, country, latitude, longitude = chance.choice(cities)
        facility = "Research Site" if chance.random() < 0.08 else _name(chance, words, chance.choice((2, 3, 4)))
        number = f"{chance.randrange(100_000):05}" if chance.random() > 0.13 else None
        found.append(Place(facility, city, state, number, country, latitude, longitude))
    return found


def _city(chance: random.Random, words: Sequence[str]) -> tuple[str, str | None, str, float, float]:
    country, has_states, _ = chance.choices(_COUNTRIES, [share for _, _, share in _COUNTRIES])[0]
    state = chance.choice(words[:60]).capitalize() if has_states else None
    return (_name(chance, words, chance.choice((1, 1, 2))), state, country,
            round(chance.uniform(-60, 70), 5), round(chance.uniform(-180, 180), 5))  # fmt: skip
