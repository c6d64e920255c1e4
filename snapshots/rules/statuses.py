"""In which statuses can a change of each kind end? Read off the rules themselves; pure."""

from collections.abc import Mapping

from snapshots.rules import sites, status


def _ends() -> dict[str, frozenset[str]]:
    found: dict[str, set[str]] = {"status.unknown": {"UNKNOWN"}, "record.withheld": {"WITHHELD"}}
    site_rows = (*sites.KIND_OF_STATUS.items(), *sites.KIND_OF_CLOSING.items())
    study_rows = (*status.ENDED.items(), *((after, kind) for (_, after), kind in status.FROM_TO.items() if after))
    for after, kind in (*site_rows, *study_rows):
        found.setdefault(kind, set()).add(after)
    return {kind: frozenset(statuses) for kind, statuses in found.items()}


STATUSES_OF_KIND: Mapping[str, frozenset[str]] = _ends()
"""The new statuses by kind, of the kinds that one or a few statuses make; of others the new value says nothing sure."""
