"""Foreign text that is read from right to left, kept apart from the words around it: for pages and mails in HTML.

Without that, brackets, numbers and quotation marks beside it would stand on the wrong side. Text that is read from left
to right needs none of it and is left as it is.
"""

import re
from typing import Any

from markupsafe import Markup

from notifiers.clean_text import visible

_FROM_THE_RIGHT = "\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc\U00010800-\U00010fff\U0001e800-\U0001efff"
_ANY = re.compile(f"[{_FROM_THE_RIGHT}]")
_QUOTED = "“[^“”]*”"
_RUN = f"[{_FROM_THE_RIGHT}](?:[^A-Za-z“”]*[{_FROM_THE_RIGHT}])?"
_FOREIGN = re.compile(f"({_QUOTED}|{_RUN})")


def own(text: Any) -> Any:
    """A text that somebody else wrote, as a whole: a title, a name, a note. What is no text passes."""
    if type(text) is not str or not _ANY.search(text):
        return text
    return Markup("<bdi>{}</bdi>").format(visible(text))


def told(sentence: Any) -> Any:
    """A sentence of ours, in which others are quoted or named. What is no text passes."""
    if type(sentence) is not str or not _ANY.search(sentence):
        return sentence
    return Markup().join(_apart(piece) for piece in _FOREIGN.split(visible(sentence)))


def _apart(piece: str) -> str:
    if not _ANY.search(piece):
        return piece
    if piece.startswith("“"):
        return Markup("“<bdi>{}</bdi>”").format(piece[1:-1])
    return Markup("<bdi>{}</bdi>").format(piece)
