"""The filters that lists of changes share: kinds, families and severities."""

from fnmatch import fnmatchcase
from typing import Any

from sqlalchemy import Connection

from monitor.web.api import shapes
from monitor.web.api.operations import Call, Param
from monitor.web.problems import Problem
from notifiers import watches
from notifiers.conditions import InvalidValue, check_kind_pattern
from snapshots.kinds import KINDS

Json = Any

FILTERS = (
    Param(name="kind", type=list[str], words='Only this kind, or "group.*"; may be repeated.'),
    Param(name="family", type=list[str], words='Only this family of kinds, such as "Sites"; may be repeated.'),
    Param(name="severity", type=list[shapes.Severity], words="Only this severity; may be repeated."),
)


def kinds_asked(call: Call) -> frozenset[str] | None:
    """The kinds that are asked for by name and family; None: any. Raises Problem (400)."""
    chosen = [names for names in (_of_patterns(call.asked["kind"]), _of_families(call.asked["family"])) if names]
    return frozenset.intersection(*chosen) if chosen else None


def severities_asked(call: Call) -> frozenset[str] | None:
    """The severities that are asked for; None: any."""
    return frozenset(call.asked["severity"]) or None


def checked_group(connection: Connection, group: str | None) -> str | None:
    """The group that is asked for. Raises Problem (404) where nothing is watched in it."""
    if group and group not in watches.groups(connection):
        known = ", ".join(watches.groups(connection)) or "none"
        raise Problem(404, f"Nothing is watched in a group {group[:60]!r}", f"The groups are: {known}.")
    return group


def _of_patterns(patterns: list[str]) -> frozenset[str]:
    try:
        for pattern in patterns:
            check_kind_pattern("kind", pattern)
    except InvalidValue as error:
        raise Problem(400, str(error), "GET /api/v1/kinds tells which there are.") from None
    return frozenset(kind for kind in KINDS if any(fnmatchcase(kind, pattern) for pattern in patterns))


def _of_families(asked: list[str]) -> frozenset[str]:
    names = dict.fromkeys(kind.family for kind in KINDS.values())
    unknown = next((each for each in asked if each.casefold() not in {name.casefold() for name in names}), None)
    if unknown is not None:
        raise Problem(400, f"There is no family {unknown[:60]!r}", f"The families are: {', '.join(names)}.")
    meant = {each.casefold() for each in asked}
    return frozenset(name for name, kind in KINDS.items() if kind.family.casefold() in meant)
