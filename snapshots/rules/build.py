"""How a rule makes a change: the kind's label and usual severity come from the vocabulary, the rest from the rule."""

from typing import Any

from snapshots.changes import Change, Subject
from snapshots.kinds import KINDS, Severity

Json = Any


def change(
    kind: str,
    *,
    summary: str,
    subject: Subject | None = None,
    before: Json = None,
    after: Json = None,
    path: str | None = None,
    severity: Severity | None = None,
) -> Change:
    """A change of `kind`; `severity` where the table lets values decide it. Raises KeyError for an unknown kind."""
    known = KINDS[kind]
    return Change(
        kind=kind,
        severity=severity or known.severity,
        label=known.label,
        summary=summary,
        subject=subject,
        before=before,
        after=after,
        path=path,
    )
