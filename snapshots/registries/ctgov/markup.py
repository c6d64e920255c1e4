"""What do the texts of a past version say without the HTML that the history interface wraps them in? Pure.

There texts are HTML with entities, in API v2 they are markdown. Paragraphs become blank lines and list items lines with
a marker, as in v2, so that a past version reads like a present one wherever a change quotes it. (Whether two texts say
the same is still asked of `snapshots.canonical`.)
"""

import html
import re
from typing import Any

Json = Any

_TAG = re.compile(r"<(/?)(p|ul|ol|li|br|div|sup|sub|b|i|u|em|strong|span|mark)(?:\s[^<>]*)?/?>", re.IGNORECASE)
_ENTITY = re.compile(r"&(?:#[0-9]{1,7}|#[xX][0-9a-fA-F]{1,6}|[A-Za-z][A-Za-z0-9]{1,31});")
_DEEPEST = 8
"""Levels of lists that are told by indentation: a text can open any number of them."""
_EMPTY_LINES = re.compile(r"\n[^\S\n]*(?:\n[^\S\n]*)+(?=\n)")


def unwrap(study: dict[str, Json]) -> None:
    """Replaces every text in `study`, at any depth, by what it says without HTML."""
    waiting: list[Json] = [study]
    while waiting:
        holder = waiting.pop()
        for key, value in list(holder.items() if isinstance(holder, dict) else enumerate(holder)):
            if isinstance(value, str):
                holder[key] = plain(value)
            elif isinstance(value, dict | list):
                waiting.append(value)


def plain(text: str) -> str:
    """A text without its tags and entities, laid out by line breaks and list markers."""
    if "<" in text:
        text = _laid_out(text)
    return _ENTITY.sub(lambda entity: html.unescape(entity[0]), text) if "&" in text else text


def _laid_out(text: str) -> str:
    lists: list[int | None] = []
    pieces, at = [], 0
    for tag in _TAG.finditer(text):
        pieces += [text[at : tag.start()], _in_place_of(tag[2].lower(), tag[1] == "/", lists)]
        at = tag.end()
    if not pieces:
        return text
    return _EMPTY_LINES.sub("\n", "".join([*pieces, text[at:]])).strip()


def _in_place_of(tag: str, closes: bool, lists: list[int | None]) -> str:
    """What stands in a plain text where HTML has this tag. `lists` are the open ones: the number of the last item, None
    for a list with bullets.
    """
    if tag in ("ul", "ol"):
        if not closes:
            lists.append(0 if tag == "ol" else None)
        elif lists:
            lists.pop()
        return "" if lists else "\n\n"
    if tag == "li":
        return "" if closes else f"\n{'  ' * min(len(lists) - 1, _DEEPEST)}{_marker(lists)}"
    if tag == "br":
        return "\n"
    if tag in ("p", "div"):
        return "\n\n" if closes else ""
    return "^" if tag == "sup" and not closes else ""


def _marker(lists: list[int | None]) -> str:
    if not lists or lists[-1] is None:
        return "* "
    lists[-1] += 1
    return f"{lists[-1]}. "
