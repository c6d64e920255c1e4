"""What one check of the installation found, and what to do about it."""

from typing import Literal

from msgspec import Struct

Verdict = Literal["ok", "note", "failure"]


class Finding(Struct, frozen=True):
    """`check` names what was looked at; `advice` says what to do, "" where nothing is."""

    check: str
    verdict: Verdict
    found: str
    advice: str = ""
