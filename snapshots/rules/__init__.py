"""The rules that turn two versions of a record into changes, one module per family, folding last.

Each family is a function `changes(old, new) -> list[Change]` over two `Trial`s, pure and total: whatever the records
hold, it answers. `COVERS` in each module names the attributes of `Trial` it answers for; together they are all of them.
"""

from snapshots.changes import Change
from snapshots.kinds import SEVERITIES
from snapshots.rules import (
    dates,
    design,
    eligibility,
    folding,
    outcomes,
    people,
    publications,
    record,
    results,
    sites,
    status,
    terms,
)
from snapshots.trial import Trial

FAMILIES = (status, sites, dates, results, design, outcomes, eligibility, people, terms, publications, record)
"""In the order in which their changes are told."""


def changes_between(old: Trial, new: Trial) -> tuple[Change, ...]:
    """What the newer version says that the older did not: most severe first, then by family, then in record order."""
    told = [change for family in FAMILIES for change in family.changes(old, new)] or record.verified(old, new)
    return tuple(sorted(folding.fold(old, new, told), key=lambda change: SEVERITIES.index(change.severity)))
