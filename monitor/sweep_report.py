"""What one sweep did and why it ended, for who asked for it."""

from typing import Literal

from msgspec import Struct, field

from snapshots.archive import Step
from snapshots.registry import NotAnswered, Release

KEPT_STEPS = 5_000
"""Steps that a report holds: a first look at a whole registry makes one for every record."""

Outcome = Literal["finished", "nothing new", "failed", "stopped", "busy"]


class SweepReport(Struct, kw_only=True):
    """What a sweep did. `steps` are what it stored, in the order it came (at most `KEPT_STEPS` of them); `exceptions`
    what was not answered as data.

    `reason` says in a sentence why it did not come to its end. Numbers are of records: `answered` counts the unchanged,
    the `first_seen` and the others; `changed` those of which something is told.
    """

    outcome: Outcome
    release: Release | None = None
    reason: str | None = None
    asked: int = 0
    answered: int = 0
    changed: int = 0
    first_seen: int = 0
    steps: list[Step] = field(default_factory=list)
    exceptions: list[NotAnswered] = field(default_factory=list)

    def numbers(self) -> dict[str, int]:
        """The counts by name."""
        return {
            "asked": self.asked,
            "answered": self.answered,
            "first_seen": self.first_seen,
            "changed": self.changed,
            "failed": len(self.exceptions),
        }


class EndedError(Exception):
    """The program is to end; the record in hand is finished, or its question to the registry is given up."""


class LeaseLostError(Exception):
    """Another process sweeps by now: what is not written yet is its business."""
