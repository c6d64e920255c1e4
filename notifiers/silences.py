"""Until when does something rest, who put it to rest and why: pauses and snoozes, pure."""

from datetime import datetime

from msgspec import Struct

from snapshots.sentences import date_words


class Silence(Struct, frozen=True, kw_only=True):
    """A pause (until somebody ends it) or a snooze: `until` a moment (aware UTC), or until the next critical change
    (`until_critical`), or whichever of the two comes first. Nothing of it set: it is awake.
    """

    paused: bool = False
    until: datetime | None = None
    until_critical: bool = False
    by: str | None = None
    reason: str | None = None

    @property
    def is_snooze(self) -> bool:
        """Whether it is a snooze, one that may have ended by now."""
        return self.until is not None or self.until_critical

    def is_snoozed(self, now: datetime) -> bool:
        return self.is_snooze and (self.until is None or self.until > now)

    def in_words(self, now: datetime) -> str:
        """How it rests: "snoozed until 1 December 2026, 00:00 UTC, by alice: audit"; "" where it does not."""
        if self.paused:
            return f"paused{self.author}"
        if not self.is_snoozed(now):
            return ""
        ends = [] if self.until is None else [f"{date_words(self.until.date().isoformat())}, {self.until:%H:%M} UTC"]
        ends += ["the next critical change"] if self.until_critical else []
        return f"snoozed until {' or '.join(ends)}{self.author}"

    @property
    def author(self) -> str:
        """Who and why, as a sentence about it ends."""
        return (f", by {self.by}" if self.by else "") + (f": {self.reason}" if self.reason else "")
