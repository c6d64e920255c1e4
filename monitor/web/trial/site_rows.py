"""Which site of the list as it stands is a change of a site about?"""

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from snapshots.changes import Change
from snapshots.matching import match_sites, site_key
from snapshots.rules.sites import UNNAMED
from snapshots.trial import Site

Json = Any
Key = tuple[str, str, str, str, str]
SitesOf = Callable[[int], Sequence[Site]]
"""The sites of a version by its number; none where it cannot be read."""

_KEY = ("name", "city", "state", "zip", "country")
VERSIONS_READ = 8
"""Older versions read at most for one page: only sites that read alike need them."""


class SiteRows:
    """The sites of a list as rows, each known by its `position`; changes are asked for from the newest on."""

    def __init__(self, sites: Sequence[Site], sites_of: SitesOf) -> None:
        self._sites = sites
        self._sites_of = sites_of
        self._rows: dict[Key, list[int]] = defaultdict(list)
        self._keys_at: dict[tuple[str, str], set[Key]] = defaultdict(set)
        for site in sites:
            key = site_key(site)
            self._rows[key].append(site.position)
            self._keys_at[key[:2]].add(key)
        self._became: dict[int, Mapping[int, int]] = {}
        self._came_again: Counter[Key] = Counter()

    def row(self, change: Change, version: int | None) -> int | None:
        """The position of the site that this change, of the step to `version`, is about; None where it is not listed
        any more, or `cannot_be_told` from others.
        """
        alike = self._alike(change)
        if len(alike) == 1 and not _is_one_of_several(change):
            return alike[0]
        at = re.search(r"\[(\d+)\]", change.path or "")
        became = self._now(version) if alike else None
        return None if became is None or at is None else became.get(int(at[1]))

    def cannot_be_told(self, change: Change, version: int | None) -> bool:
        """Whether sites are listed that read like the one of the change, and no version is left that tells which."""
        alike = self._alike(change)
        return bool(alike) and (len(alike) > 1 or _is_one_of_several(change)) and self._now(version) is None

    def is_gone(self, change: Change) -> bool:
        """Whether the site that this change takes out of the list did not come again since."""
        key = _key(change)
        if self._came_again[key]:
            self._came_again[key] -= 1
            return False
        return _is_one_of_several(change) or key not in self._rows

    def came(self, change: Change) -> None:
        """Count what this change says of a site that came: one that went before it is listed again."""
        if _is_new(change):
            self._came_again[_key(change)] += 1

    def _alike(self, change: Change) -> list[int]:
        """The rows that read like this site, or else those that say what it said and something where it said nothing:
        that something was filled in is told of no site.
        """
        key = _key(change)
        if key in self._rows or all(key):
            return self._rows.get(key, [])
        filled = (
            known
            for known in self._keys_at.get(key[:2], ())
            if all(not said or said == now for said, now in zip(key, known, strict=True))
        )
        return [position for known in filled for position in self._rows[known]]

    def _now(self, version: int | None) -> Mapping[int, int] | None:
        """The positions as they are, by those in the list of that version; None where that cannot be read."""
        if version is None or (version not in self._became and len(self._became) >= VERSIONS_READ):
            return None
        if version not in self._became:
            pairs = match_sites(self._sites_of(version), self._sites).pairs
            self._became[version] = {before.position: after.position for before, after in pairs}
        return self._became[version] or None


def _is_one_of_several(change: Change) -> bool:
    return "ordinal" in (change.subject or {})


def _key(change: Change) -> Key:
    said = change.subject or {}
    name, city, state, zip_, country = (_text(said.get(each)) for each in _KEY)
    facility = None if name == UNNAMED else name
    return site_key(Site(facility=facility, city=city, state=state, zip=zip_, country=country))


def _is_new(change: Change) -> bool:
    """Whether it tells of a site that was not listed: it stands at the site as a whole, and takes nothing away."""
    return (change.path or "").endswith("]") and change.kind not in ("site.moved", "site.removed")


def _text(value: Json) -> str | None:
    return value if isinstance(value, str) else None
