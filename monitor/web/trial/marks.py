"""Since when does each part of a record say what it says, and what before? The latest change of each part."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from msgspec import Struct

from monitor.audit.shown import Pair, shown
from monitor.web.trial.parts import Part, Section, flattened
from monitor.web.trial.site_rows import SiteRows, SitesOf
from snapshots.archive import Step, StoredChange
from snapshots.archive.latest import StepPlace
from snapshots.canonical import label_key
from snapshots.changes import Change
from snapshots.sentences import capitalised, date_words, enum_words
from snapshots.trial import Trial

Json = Any

SHOWN_BESIDE = 6
"""Changes of a section that belong to none of its parts and are shown (what left it, above all)."""


class Mark(Struct, frozen=True, kw_only=True):
    """The latest change of a part: since which day the registry says it so, and what it said before: in a few words,
    or as texts side by side with the words that differ.
    """

    label: str
    severity: str
    summary: str
    since: str
    dated_by: str
    before: str
    pairs: tuple[Pair, ...]
    change: int
    step: int
    from_version: int | None
    to_version: int | None


class Marks(Struct, frozen=True):
    """The marks of a page: `of_part` by the section's id and the place of the part in it, `beside` by the section's id,
    `of_site` by the position of a site, `gone_sites` of those that are not listed any more.
    """

    of_part: Mapping[tuple[str, int], Mark]
    beside: Mapping[str, tuple[Mark, ...]]
    of_site: Mapping[int, Mark]
    gone_sites: tuple[Mark, ...]


_SILENT = {"record.first_seen", "record.verified", "record.matched", "record.unmatched"}
"""Kinds that say nothing of a part."""


def marks(
    found: Iterable[tuple[StepPlace, Step]], shown_sections: Sequence[Section], trial: Trial, sites_of: SitesOf
) -> Marks:
    """The marks for these sections, from steps newest first: of each part the newest change counts."""
    placed = _Placed(shown_sections, trial, sites_of)
    for place, step in found:
        for stored in step.changes:
            if stored.change.kind not in _SILENT and step.cause != "search":
                placed.take(place, step, stored)
    return Marks(
        placed.of_part,
        {name: tuple(told) for name, told in placed.beside.items()},
        placed.of_site,
        tuple(placed.gone_sites),
    )


class _Placed:
    """Where the changes belong that were looked at so far."""

    def __init__(self, shown_sections: Sequence[Section], trial: Trial, sites_of: SitesOf) -> None:
        self.of_part: dict[tuple[str, int], Mark] = {}
        self.beside: dict[str, list[Mark]] = {}
        self.of_site: dict[int, Mark] = {}
        self.gone_sites: list[Mark] = []
        self._rows = SiteRows(trial.sites, sites_of)
        self._sites_path = trial.path("sites")
        self._parts = [
            (section.id, number, part) for section in shown_sections for number, part in enumerate(section.parts)
        ]
        self._homes = _homes(trial)
        self._seen: set[tuple[str, str]] = set()

    def take(self, place: StepPlace, step: Step, stored: StoredChange) -> None:
        change = stored.change
        path = without_places(change.path or "")
        if (change.subject or {}).get("type") == "site":
            self._take_site(place, step, stored)
            return
        home = next(((name, number) for name, number, part in self._parts if is_about(part, path, change)), None)
        if home is not None:
            if home not in self.of_part:
                self.of_part[home] = _mark(place, step, stored)
        else:
            self._take_beside(path, place, step, stored)

    def _take_site(self, place: StepPlace, step: Step, stored: StoredChange) -> None:
        change = stored.change
        if change.kind == "site.removed":
            if self._rows.is_gone(change) and len(self.gone_sites) < SHOWN_BESIDE:
                self.gone_sites.append(_mark(place, step, stored))
            return
        row = self._rows.row(change, step.to_version)
        self._rows.came(change)
        if row is not None and row not in self.of_site:
            self.of_site[row] = _mark(place, step, stored)
        elif row is None and self._rows.cannot_be_told(change, step.to_version):
            self._add_beside("locations", change.summary, _mark(place, step, stored))

    def _take_beside(self, path: str, place: StepPlace, step: Step, stored: StoredChange) -> None:
        change = stored.change
        home = max((each for each in self._homes if _is_within(path, each)), key=len, default=None)
        name = self._homes[home] if home else "further"
        self._add_beside(name, str((change.subject or {}).get("name")), _mark(place, step, stored), change.kind)

    def _add_beside(self, name: str, about: str, mark: Mark, kind: str = "") -> None:
        said = (kind, about)
        if said not in self._seen and len(self.beside.setdefault(name, [])) < SHOWN_BESIDE:
            self._seen.add(said)
            self.beside[name].append(mark)


def without_places(path: str) -> str:
    """A path without the places in lists: "a.b[3].c" is "a.b.c"."""
    return re.sub(r"\[\d+\]", "", path)


def is_about(part: Part, path: str, change: Change) -> bool:
    """Whether a change is about this part: it stands there, and calls it by its name where there are several."""
    if not _is_within(path, part.path):
        return False
    if part.key is None:
        return True
    name = (change.subject or {}).get("name")
    return isinstance(name, str) and label_key(name) == label_key(part.key)


def _is_within(path: str, place: str) -> bool:
    return bool(place) and (path == place or path.startswith(f"{place}."))


def _mark(place: StepPlace, step: Step, stored: StoredChange) -> Mark:
    told = shown(stored)
    before = before_words(stored.change)
    return Mark(
        label=told.label,
        severity=told.severity,
        summary=capitalised(stored.change.summary),
        since=place.day,
        dated_by=place.dated_by,
        before=before or "",
        pairs=told.pairs,
        change=stored.id,
        step=step.id,
        from_version=step.from_version,
        to_version=step.to_version,
    )


_LONG = 160


_WERE_PLANNED = ("enrollment.actual_reported", "enrollment.target_changed")


def before_words(change: Change) -> str | None:
    """What was said before, in a few words; None where that takes more than a line, or it is not the kind of change
    that replaces something.
    """
    if change.kind == "eligibility.criteria_changed":
        return None
    said = _words(change.before) + (" (planned)" if change.kind in _WERE_PLANNED and change.before is not None else "")
    return said if len(said) <= _LONG else None


def _words(value: Json) -> str:
    if value is None or value in ("", [], {}):
        return "nothing"
    if isinstance(value, Mapping):
        if isinstance(value.get("date"), str) and set(value) <= {"date", "type"}:
            kind = f" ({enum_words(value['type'])})" if value.get("type") else ""
            return f"{date_words(value['date'])}{kind}"
        return "; ".join(f"{name}: {said}" for name, said, _ in flattened(value))
    if isinstance(value, Sequence) and not isinstance(value, str):
        return ", ".join(map(_words, value))
    return capitalised(enum_words(value)) if isinstance(value, bool) or _is_enum(value) else str(value)


def _is_enum(value: Json) -> bool:
    return isinstance(value, str) and re.fullmatch(r"[A-Z][A-Z0-9_]*", value) is not None and len(value) > 3


_HOMES = {
    "results": ("has_results", "results", "submission_events", "fda_notices"),
    "basics": ("overall_status", "why_stopped", "phases", "enrollment", "study_type", "brief_title", "official_title"),
    "summary": ("brief_summary",),
    "description": ("detailed_description",),
    "conditions": ("conditions", "keywords"),
    "design": ("design",),
    "groups": ("arms",),
    "interventions": ("interventions",),
    "outcomes": ("primary_outcomes", "secondary_outcomes", "other_outcomes"),
    "eligibility": ("population",),
    "sponsors": ("lead_sponsor", "collaborators"),
    "responsible": ("responsible_party", "officials"),
    "contacts": ("central_contacts",),
    "locations": ("sites",),
    "identifiers": ("identifiers",),
    "references": ("links", "documents"),
    "sharing": ("ipd_sharing",),
    "oversight": ("oversight",),
    "dates": ("bookkeeping_dates",),
}


def _homes(trial: Trial) -> dict[str, str]:
    """The section for each place of the record; of two places that fit the longer one counts."""
    pairs: Iterator[tuple[str, str]] = (
        (trial.path(attribute), name) for name, attributes in _HOMES.items() for attribute in attributes
    )
    return dict(pairs)
