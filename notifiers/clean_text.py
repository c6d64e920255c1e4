"""Foreign text made harmless for a line, a header, a paragraph: what nobody can see must not steer what is read."""

import re
import unicodedata

_JOINERS = "\u200c\u200d"  # zero width, but several scripts cannot be written without them
_DOUBTFUL = re.compile(r"[^ -~]")
"""What is not plain ASCII is looked at one by one; the rest, most of any text, is not."""


def one_line(text: str, limit: int | None = None) -> str:
    """The text on one line without control, direction and other invisible characters; clipped at a word's end.

    Safe in a header, a log and a subject: no line break survives, nor anything that turns the reading direction.
    """
    return clip(" ".join(visible(text, keep="").split()), limit)


def paragraphs(text: str, limit: int | None = None) -> str:
    """The same with its lines kept; more than one empty line in a row is one."""
    lines = [" ".join(line.split()) for line in visible(text).split("\n")]
    return clip(re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip(), limit)


def clip(text: str, limit: int | None) -> str:
    """At most `limit` characters, cut at a word's end where one is near, ended by "…" where something was cut."""
    if limit is None or len(text) <= limit:
        return text
    cut = text[: limit - 1]
    head, _, rest = cut.rpartition(" ")
    return (head if head and len(rest) < 30 else cut).rstrip(" \n,;:.") + "…"


def visible(text: str, keep: str = "\n") -> str:
    """The text without characters that nobody can see, blanks, joiners and those in `keep` apart."""
    if text.isascii() and text.isprintable():  # most texts are, and a page has thousands
        return text
    return _DOUBTFUL.sub(lambda found: _shown(found[0], keep), unicodedata.normalize("NFC", text))


def _shown(character: str, keep: str) -> str:
    category = unicodedata.category(character)
    if character in keep or character in _JOINERS:
        return character
    if category in ("Cc", "Zl", "Zp"):
        return " "
    return "" if category in ("Cf", "Cs", "Co", "Cn") else character
