"""What one check of the installation found, and what to do about it."""

from collections.abc import Iterable
from typing import Literal

from msgspec import Struct

Verdict = Literal["ok", "note", "failure"]


class Finding(Struct, frozen=True):
    """`check` names what was looked at; `advice` says what to do, "" where nothing is."""

    check: str
    verdict: Verdict
    found: str
    advice: str = ""


_ORDER = {"failure": 0, "note": 1, "ok": 2}


def worst_first(found: Iterable[Finding]) -> list[Finding]:
    """What needs somebody, then what is to be known, then what is well; each in the order it was found."""
    return sorted(found, key=lambda finding: _ORDER[finding.verdict])
