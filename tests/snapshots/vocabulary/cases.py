"""One made-up edit of an invented trial and exactly the one change that it must give."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from snapshots.changes import Change
from snapshots.kinds import KINDS
from tests.snapshots.whole_record import told, whole

Json = Any
Edit = tuple[str, Json]
ANY = object()
"""A value that the case leaves open."""


@dataclass(frozen=True)
class Case:
    """The invented record after the edits `was`, and after `now` too: what differs is one change of `kind`.

    `about` is the name of its subject (None: the record itself), `severity` None the usual one of the kind. `also` are
    changes that cannot but come with it: kind, subject, and the kind of the change that they follow from.
    """

    kind: str
    now: Sequence[Edit]
    was: Sequence[Edit] = ()
    about: str | None = None
    before: Json = ANY
    after: Json = ANY
    severity: str | None = None
    edge: str = ""
    also: Sequence[tuple[str, str | None, str | None]] = ()

    @property
    def id(self) -> str:
        return f"{self.kind} {self.edge or ' '.join(f'{place}={value!r}' for place, value in self.now)}"[:110]

    def told(self) -> list[Change]:
        """What the program says of it."""
        return told(whole(*self.was), whole(*self.was, *self.now))

    def expected(self, found: Change) -> tuple[Json, ...]:
        """What must be told; where the case leaves a value open, whatever `found` has."""
        return (
            self.kind,
            self.severity or KINDS[self.kind].severity,
            self.about,
            found.before if self.before is ANY else self.before,
            found.after if self.after is ANY else self.after,
            None,
        )


def said(found: Change) -> tuple[Json, ...]:
    """A change as `Case.expected` puts it."""
    name = found.subject["name"] if found.subject else None
    return found.kind, found.severity, name, found.before, found.after, found.cause and found.cause.kind


@dataclass(frozen=True)
class Still:
    """A made-up edit of which nothing may be told, and why."""

    why: str
    now: Sequence[Edit]
    was: Sequence[Edit] = ()

    @property
    def id(self) -> str:
        return self.why[:110]

    def told(self) -> list[Change]:
        """What the program says of it."""
        return told(whole(*self.was), whole(*self.was, *self.now))


def swap(kind: str, place: str, *values: tuple[Json, Json], **more: Any) -> list[Case]:
    """A case for each (value before, value now) of one place, told as `before` and `after`."""
    return [
        Case(kind, [(place, now)], was=[(place, was)], **{"before": was, "after": now, **more}) for was, now in values
    ]
