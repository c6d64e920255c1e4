"""What differs between two long texts: eligibility criteria one by one, any other text word by word.

Registries write criteria as one text: headings, bullets, numbers, nested lists, in escaped markdown or in HTML. Here
it is read as single criteria under inclusion or exclusion. Laying them out in another way is no difference.
"""

import html
import re
from collections.abc import Iterator, Sequence
from difflib import SequenceMatcher
from typing import Literal

from msgspec import Struct
from rapidfuzz import fuzz, process

from snapshots.canonical import text_key
from snapshots.sentences import counted, listed, quoted

Section = Literal["inclusion", "exclusion"]
SECTIONS: tuple[Section, ...] = ("inclusion", "exclusion")


class Criterion(Struct, frozen=True):
    """One criterion, on one line, without bullet, number and markup. What stands before any heading is inclusion."""

    section: Section
    text: str


class SectionDifference(Struct, frozen=True):
    """What differs among the criteria of one section; `reworded` are (before, after) pairs in the new text's order."""

    added: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    reworded: tuple[tuple[str, str], ...] = ()

    def __bool__(self) -> bool:
        return bool(self.added or self.removed or self.reworded)


class Piece(Struct, frozen=True):
    """A run of words that both texts have ("same") or only the older ("removed") or newer ("added") one has."""

    kind: Literal["same", "removed", "added"]
    text: str


# --- criteria ---------------------------------------------------------------------------------------------------------

_BLOCK_TAG = re.compile(r"</?(?:p|ul|ol|li|br|div|h[1-6]|table|tr)\b[^<>]*>", re.IGNORECASE)
_INLINE_TAG = re.compile(r"</?(?:b|i|u|em|strong|span|sub|sup|a|font)(?:\s[^<>]*)?>", re.IGNORECASE)
_ESCAPE = re.compile(r"\\(?=[!-/:-@\[-`{-~])")
# "E. coli" and "A. fumigatus" begin with no list letter: a capital with a full stop counts only before a capital
_MARKER = re.compile(
    r"\s*(?:(?:[•●◦▪▫‣■□○∙·⦁➢►✓❖§]\s*"
    r"|(?:[*+\-–—]+|\d{1,3}(?:\.\d{1,3})*[.)]|\(\d{1,3}\)|[a-z][.)]|\([A-Za-z]\)|[A-Z]\)|[ivx]{1,5}[.)]|\([ivxIVX]{1,5}\)"
    r"|[A-Z]\.(?=\s+[A-Z0-9(<>≥≤]))\s+))+"
)


def criteria(text: str | None) -> tuple[Criterion, ...]:
    """The single criteria of a text, in its order.

    A section heading counts only at the start of a line and is no criterion itself; one that says for whom it is
    ("Inclusion Criteria for Part B:") is kept as a line of its section, because that meaning can change too.
    """
    section: Section = "inclusion"
    found = []
    for line, marked in _lines(text):
        heading = _heading(line, marked)
        section, said = heading or (section, line)
        if any(letter.isalnum() for letter in said):
            found.append(Criterion(section, said))
    return tuple(found)


def _lines(text: str | None) -> Iterator[tuple[str, bool]]:
    """The lines of a text and whether each has a bullet or number; a sentence that was wrapped is one line."""
    waiting: tuple[str, bool] | None = None
    gap = True
    for raw in readable(text).split("\n"):
        marker = _MARKER.match(raw)
        line = " ".join(raw[marker.end() if marker else 0 :].split())
        if not line:
            gap = gap or not raw.strip()
            continue
        if waiting and not gap and not marker and line[0].islower():
            waiting = (f"{waiting[0]} {line}", waiting[1])
        else:
            if waiting:
                yield waiting
            waiting = (line, marker is not None)
        gap = False
    if waiting:
        yield waiting


def readable(text: str | None) -> str:
    """The text as people read it: HTML blocks as lines, no tags, entities or markdown escapes; nothing else changed."""
    known = text or ""
    if "<" in known and _BLOCK_TAG.search(known):
        # in HTML a line break is a blank
        known = _INLINE_TAG.sub("", _BLOCK_TAG.sub("\n\n", " ".join(known.split())))
    return _ESCAPE.sub("", html.unescape(known))


_OPENERS = (
    r"(?:the|key|main|major|general|principal|primary|secondary|additional|common|specific|selected|important|abbreviated"
    r"|overall|full|study|trial|patients?|subjects?|participants?|donors?|recipients?|controls?|volunteers?|screening"
    r"|core|basic|pre|further|other|cohort|protocol|eligibility|summary of)"
)
_HEADING = re.compile(
    rf"(?:{_OPENERS}[\s,/&-]+)*(?P<section>non[\s-]?inclusion|inclusion|exclusion)s?(?P<noun>\s+crit\w*)?(?P<rest>.*)",
    re.IGNORECASE,
)
_TITLE = re.compile(
    r"(?P<before>.*?)\b(?P<section>non[\s-]?inclusion|inclusion|exclusion)s?(?:\s+crit\w*)?(?P<after>.*)", re.IGNORECASE
)
_BOTH = re.compile(r"inclusions?\s*(?:/|and|or|&)\s*exclusion", re.IGNORECASE)
_SENTENCE = re.compile(
    r"\b(?:may|must|shall|will|can|should|meet\w*|met|fulfil\w*|who|if|not|no|any|one|apply|applies|applied|per|see"
    r"|violat\w*|other\s+protocol|protocol-?\s*defined)\b",
    re.IGNORECASE,
)
_FOR_WHOM = re.compile(r"(?:[-–—(]|(?:for|in|of|at|on|to|only|specific)\b|\d|(?-i:[A-Z]))", re.IGNORECASE)


def _heading(line: str, marked: bool) -> tuple[Section, str] | None:
    """The section that a line opens and what it says beyond that ("" for a bare heading); None if it is no heading."""
    if "clusion" not in line[:200].casefold() or _BOTH.search(line):
        return None
    opened = _HEADING.fullmatch(line)
    if opened is None:
        title = None if marked else _title(line)
        return title and (_section_named(title), line)
    said = _said_beyond(opened, line, marked)
    return None if said is None else (_section_named(opened), said)


def _section_named(heading: re.Match[str]) -> Section:
    return "inclusion" if heading["section"].casefold() == "inclusion" else "exclusion"


def _said_beyond(opened: re.Match[str], line: str, marked: bool) -> str | None:
    """What a line that begins with a section's name says beyond it; None if the line goes on as a sentence."""
    rest = opened["rest"].strip()
    if not rest.strip(" .:;-–—"):
        return "" if opened["noun"] or not marked or rest else None
    if rest.startswith(":"):
        return rest.lstrip(": ")
    if marked or not opened["noun"] or _SENTENCE.search(rest.split(":")[0]):
        return None
    return line if _FOR_WHOM.match(rest) or line.endswith(":") else None


def _title(line: str) -> re.Match[str] | None:
    """A heading with words before the section's name ("Part B Inclusion Criteria:"), no sentence that mentions it."""
    title = _TITLE.match(line)
    if not title or _SENTENCE.search(title["before"]) or len(title["before"].split()) > 12:
        return None
    bare = not title["after"].strip(" .") and len(line.split()) <= 8 and line[0].isupper()
    return title if bare or line.endswith(":") else None


# --- differences of criteria ------------------------------------------------------------------------------------------

ALIKE = 55.0
"""How alike (0 to 100) two criteria must be to be one that was reworded; chosen on recorded changes."""
ALIKE_IN_PLACE = 35.0
"""The same where one criterion stands in the other's place, between the same neighbours."""

_Keyed = list[tuple[str, str]]
"""Criteria of one section: what is compared and what is shown."""


def criteria_differences(before: str | None, after: str | None) -> dict[Section, SectionDifference]:
    """What was added, removed and reworded in each section, whatever the order; both sections are always there."""
    old, new = criteria(before), criteria(after)
    same = {criterion.text for criterion in old} & {criterion.text for criterion in new}
    return {
        section: _section_difference(_keyed(old, section, same), _keyed(new, section, same)) for section in SECTIONS
    }


def _keyed(found: Sequence[Criterion], section: Section, same: set[str]) -> _Keyed:
    return [(_key(criterion.text, same), criterion.text) for criterion in found if criterion.section == section]


def _key(text: str, same: set[str]) -> str:
    """What a line is compared by; one that stands in both texts to the letter needs no key, which costs time."""
    return text if text in same else text_key(text)


def _section_difference(old: _Keyed, new: _Keyed) -> SectionDifference:
    gone, come = _without_common(old, new), _without_common(new, old)
    pairs = _alike(old, new, gone, come)
    pairs |= _in_place(old, new, set(gone) - pairs.keys(), set(come) - set(pairs.values()))
    return SectionDifference(
        added=tuple(new[j][1] for j in come if j not in pairs.values()),
        removed=tuple(old[i][1] for i in gone if i not in pairs),
        reworded=tuple((old[i][1], new[j][1]) for i, j in sorted(pairs.items(), key=lambda pair: pair[1])),
    )


def _without_common(these: _Keyed, those: _Keyed) -> list[int]:
    """Indexes of what stands in `these` and not in `those`, counted as multisets."""
    counts: dict[str, int] = {}
    for key, _ in those:
        counts[key] = counts.get(key, 0) + 1
    left = []
    for index, (key, _) in enumerate(these):
        counts[key] = counts.get(key, 0) - 1
        if counts[key] < 0:
            left.append(index)
    return left


def _alike(old: _Keyed, new: _Keyed, gone: list[int], come: list[int]) -> dict[int, int]:
    """Old index → new index of reworded criteria, the most alike first."""
    choices = {j: new[j][0].casefold() for j in come}
    candidates = [
        (-score, i, j)
        for i in gone
        for _, score, j in process.extract(
            old[i][0].casefold(), choices, scorer=fuzz.ratio, processor=None, score_cutoff=ALIKE, limit=5
        )
    ]
    return _one_to_one(sorted(candidates))


def _one_to_one(candidates: Sequence[tuple[float, int, int]]) -> dict[int, int]:
    pairs: dict[int, int] = {}
    taken: set[int] = set()
    for _, i, j in candidates:
        if i not in pairs and j not in taken:
            pairs[i] = j
            taken.add(j)
    return pairs


def _in_place(old: _Keyed, new: _Keyed, gone: set[int], come: set[int]) -> dict[int, int]:
    """What is left where one criterion alone took one other's place: less likeness is enough there."""
    if not (gone and come):
        return {}
    old_places, new_places = _places(old, gone), _places(new, come)
    found = {}
    for place, members in old_places.items():
        others = new_places.get(place, [])
        if len(members) == len(others) == 1 and _likeness(old[members[0]][0], new[others[0]][0]) >= ALIKE_IN_PLACE:
            found[members[0]] = others[0]
    return found


def _places(items: _Keyed, left: set[int]) -> dict[tuple[str, str], list[int]]:
    """The left ones by the keys of their nearest neighbours that are not left."""
    places: dict[tuple[str, str], list[int]] = {}
    for index in sorted(left):
        above = next((items[i][0] for i in range(index - 1, -1, -1) if i not in left), "")
        below = next((items[i][0] for i in range(index + 1, len(items)) if i not in left), "")
        places.setdefault((above, below), []).append(index)
    return places


def _likeness(one: str, other: str) -> float:
    return max(fuzz.ratio(one, other), fuzz.token_sort_ratio(one, other))


# --- words ------------------------------------------------------------------------------------------------------------

_MOST_WORDS_COMPARED = 1_000_000
"""Above this product of word counts a replaced block is told as a whole: comparing its words would take seconds."""


def word_differences(before: str | None, after: str | None) -> tuple[Piece, ...]:
    """The newer text beside the older one, in runs of words that are the same, removed or added.

    Compared by line first and by word inside replaced blocks, which keeps long texts cheap. Lines keep their ends; the
    pieces that are "same" or "added" give the newer text's words, those "same" or "removed" the older one's.
    """
    old, new = _text_lines(before), _text_lines(after)
    same = set(old) & set(new)
    old_keys, new_keys = [_key(line, same) for line in old], [_key(line, same) for line in new]
    matcher = SequenceMatcher(None, old_keys, new_keys, autojunk=False)
    pieces: list[Piece] = []
    for verb, i1, i2, j1, j2 in matcher.get_opcodes():
        if verb == "equal":
            pieces.append(Piece("same", "\n".join(new[j1:j2]) + "\n"))
        else:
            pieces += _block_differences(old[i1:i2], new[j1:j2])
    return _joined(pieces)


def _text_lines(text: str | None) -> list[str]:
    return [" ".join(line.split()) for line in readable(text).split("\n") if line.strip()]


def _block_differences(old: list[str], new: list[str]) -> list[Piece]:
    if len(old) == len(new) > 1:
        return [piece for one, other in zip(old, new, strict=True) for piece in _block_differences([one], [other])]
    old_words, new_words = _words(old), _words(new)
    if not (old_words and new_words) or len(old_words) * len(new_words) > _MOST_WORDS_COMPARED:
        return [*_piece("removed", old_words), *_piece("added", new_words)]
    pieces = []
    # a word at a line's end is the same word in the middle of one
    bare_old, bare_new = ([word.strip() for word in words] for words in (old_words, new_words))
    for verb, i1, i2, j1, j2 in SequenceMatcher(None, bare_old, bare_new, autojunk=False).get_opcodes():
        if verb == "equal":
            pieces += _piece("same", new_words[j1:j2])
        else:
            pieces += [*_piece("removed", old_words[i1:i2]), *_piece("added", new_words[j1:j2])]
    return pieces


def _words(lines: Sequence[str]) -> list[str]:
    return [word for line in lines for word in re.findall(r"\S+\s*", line + "\n")]


def _piece(kind: Literal["same", "removed", "added"], words: Sequence[str]) -> list[Piece]:
    return [Piece(kind, "".join(words))] if words else []


def _joined(pieces: Sequence[Piece]) -> tuple[Piece, ...]:
    joined: list[Piece] = []
    for piece in pieces:
        if joined and joined[-1].kind == piece.kind:
            joined[-1] = Piece(piece.kind, joined[-1].text + piece.text)
        else:
            joined.append(piece)
    return tuple(joined)


_FEW_WORDS = 100


def rewording(before: str | None, after: str | None) -> str:
    """What was reworded, for a sentence: the words themselves where they are few ("“59” became “58”"), else counts."""
    pieces = [piece for piece in word_differences(before, after) if piece.kind != "same"]
    if len(pieces) <= 4 and sum(len(piece.text) for piece in pieces) <= _FEW_WORDS:
        return _spots(pieces) or "laid out in another way"
    counts = {kind: sum(len(piece.text.split()) for piece in pieces if piece.kind == kind) for kind in _VERBS}
    return listed(f"{counted(count, 'word')} {kind}" for kind, count in counts.items() if count)


_VERBS = ("removed", "added")


def _spots(pieces: Sequence[Piece]) -> str:
    told: list[str] = []
    waiting: str | None = None
    for piece in pieces:
        words = quoted(piece.text.strip(" ,;"))
        if piece.kind == "removed":
            told += [f"{waiting} removed"] if waiting else []
            waiting = words
        else:
            told.append(f"{waiting} became {words}" if waiting else f"{words} added")
            waiting = None
    told += [f"{waiting} removed"] if waiting else []
    return listed(told)
