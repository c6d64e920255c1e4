"""What leaves for a terminal is harmless: no text, whoever wrote it, moves the cursor, hides or turns what is read."""

import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

_STEERING = re.compile(
    "(?P<style>\x1b\\[(?:0|[1-4]|3[1-79]|9[1-7])?(?:;(?:0|[1-4]|3[1-79]|9[1-7]))*m)"
    "|[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028\u2029\u202a-\u202e\u2060-\u206f\ufeff\U000e0000-\U000e007f]"
)
"""Control and direction characters. What sets bold, dim or a colour is ours and stays: it can paint, and no more."""


def harmless(text: str) -> str:
    """The text without what steers a terminal, but for colours; line feeds and tabs stay."""
    return _STEERING.sub(lambda found: found["style"] or "", text)


class Harmless:
    """A text stream through which only harmless text gets. Bytes go past it: what a program reads is exact."""

    def __init__(self, stream: Any) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        """As any text stream; tells the length of what was given."""
        self._stream.write(harmless(text))
        return len(text)

    def writelines(self, lines: Any) -> None:
        """As any text stream."""
        for line in lines:
            self.write(line)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


@contextmanager
def harmless_streams() -> Iterator[None]:
    """What is written to stdout and stderr as text is harmless meanwhile."""
    before = sys.stdout, sys.stderr
    sys.stdout, sys.stderr = (Harmless(stream) for stream in before)
    try:
        yield
    finally:
        sys.stdout, sys.stderr = before
