"""The rules that turn two versions of a record into changes, one module per family, folding last.

Each family is a function `changes(old, new) -> list[Change]` over two `Trial`s, pure and total: whatever the records
hold, it answers. `COVERS` in each module names the attributes of `Trial` it answers for; together they are all of them.
"""

import importlib
from types import ModuleType

from snapshots.changes import Change
from snapshots.kinds import SEVERITIES
from snapshots.rules import folding, record
from snapshots.trial import Trial

_NAMES = (
    "status", "dates", "sites", "results", "outcomes", "eligibility", "design", "people", "terms", "publications",
)


def _families() -> tuple[ModuleType, ...]:
    found = []
    for name in _NAMES:
        try:
            found.append(importlib.import_module(f"snapshots.rules.{name}"))
        except ImportError:
            continue
    return tuple(found)


FAMILIES = _families()


def changes_between(old: Trial, new: Trial) -> tuple[Change, ...]:
    """What the newer version says that the older did not: most severe first, then by family, then in record order."""
    told = [change for family in FAMILIES for change in family.changes(old, new)]
    told += record.changes(old, new)
    if not told:
        told = record.verified(old, new)
    return tuple(sorted(folding.fold(old, new, told), key=lambda change: SEVERITIES.index(change.severity)))
