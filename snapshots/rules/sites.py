"""What changed about where a trial is conducted: its sites, their recruitment, places and contacts, its countries."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from typing import Any

from snapshots.canonical import country_key, enum_key, name_key
from snapshots.changes import Change
from snapshots.diff import differences
from snapshots.matching import Matched, contacts_key, is_placeholder, match_contacts, match_sites, site_key
from snapshots.rules.build import change, leftovers
from snapshots.rules.persons import before_and_after, contact_person, what_differs
from snapshots.sentences import clipped, counted, listed, place_words, status_words
from snapshots.trial import Site, Trial

Json = Any

COVERS = frozenset({"sites"})

UNNAMED = "Unnamed site"
"""The name of a site in a change where the record gives none."""

_OPEN = frozenset({"RECRUITING", "ENROLLING_BY_INVITATION"})
KIND_OF_STATUS = {
    "RECRUITING": "site.recruiting",
    "ENROLLING_BY_INVITATION": "site.invitation_only",
    "SUSPENDED": "site.suspended",
    "TERMINATED": "site.terminated",
    "WITHDRAWN": "site.withdrawn",
}
KIND_OF_CLOSING = {
    "ACTIVE_NOT_RECRUITING": "site.closed",
    "COMPLETED": "site.closed",
    "SUSPENDED": "site.suspended",
    "TERMINATED": "site.terminated",
    "WITHDRAWN": "site.withdrawn",
}
"""What becomes of an open site that takes this status, or that loses its status when the study takes it."""


def changes(old: Trial, new: Trial) -> list[Change]:
    """Countries first, then the sites as the newer record lists them, then those that it lists no more."""
    if old.sites == new.sites or "sites" in old.unknown | new.unknown:
        return []
    matched = match_sites(old.sites, new.sites)
    return [*_countries(old, new), *_Sites(old, new, matched).changes()]


def is_no_news(before: str | None, after: str | None) -> bool:
    """Whether a site's status, None where it shows none, is told as no change: the registry shows it only while the
    study recruits, and that a site was not recruiting yet says nothing new.
    """
    return {enum_key(before), enum_key(after)} == {None, "NOT_YET_RECRUITING"}


# --- countries --------------------------------------------------------------------------------------------------------


def _countries(old: Trial, new: Trial) -> Iterator[Change]:
    before, after = _by_country(old), _by_country(new)
    if not (before and after):
        return
    for key, names in after.items():
        if key not in before:
            summary = f"{names[0]} is a country of the study now, with {counted(len(names), 'site')}"
            path = new.path("sites")
            yield change("country.added", summary=summary, subject=_country(names), after=names[0], path=path)
    for key, names in before.items():
        if key not in after:
            summary = f"{names[0]} is no longer a country of the study; it had {counted(len(names), 'site')}"
            path = old.path("sites")
            yield change("country.removed", summary=summary, subject=_country(names), before=names[0], path=path)


def _by_country(trial: Trial) -> Mapping[str, list[str]]:
    """The sites' countries by key, each as often as it is written, in the record's order."""
    found: dict[str, list[str]] = defaultdict(list)
    for site in trial.sites:
        if site.country and country_key(site.country):
            found[country_key(site.country)].append(site.country)
    return found


def _country(names: Sequence[str]) -> dict[str, Json]:
    return {"type": "country", "name": names[0]}


# --- sites ------------------------------------------------------------------------------------------------------------


class _Sites:
    """The sites of both versions, matched: turns what differs into changes."""

    def __init__(self, old: Trial, new: Trial, matched: Matched[Site]) -> None:
        self.old, self.new, self.matched = old, new, matched
        self._old_rows, self._new_rows = _Rows(old.sites), _Rows(new.sites)
        study = enum_key(new.overall_status)
        self._study_became = study if study != enum_key(old.overall_status) else None

    def changes(self) -> Iterator[Change]:
        found = [*self._of_pairs(), *((site.position, self._added(site)) for site in self.matched.added)]
        for _, one in sorted(found, key=lambda positioned: positioned[0]):
            yield one
        for site in self.matched.removed:
            yield self._removed(site)

    def _of_pairs(self) -> Iterator[tuple[int, Change]]:
        """(position in the newer list, change) of every matched site that differs in anything."""
        pairs = [pair for pair in self.matched.pairs if not _stands_still(*pair)]
        before: dict[str, Json] = {}
        after: dict[str, Json] = {}
        for number, (old, new) in enumerate(pairs):
            for field, said_before, said_after in _comparable(old, new):
                before[f"{number} {field}"], after[f"{number} {field}"] = said_before, said_after
        differing: dict[int, set[str]] = defaultdict(set)
        for found in differences(before, after):
            number_text, _, field = str(found.place[0]).partition(" ")
            differing[int(number_text)].add(field)
        for number, (old, new) in enumerate(pairs):
            for one in self._of_pair(old, new, differing.get(number, set())):
                yield new.position, one

    def _of_pair(self, old: Site, new: Site, differing: set[str]) -> Iterator[Change]:
        if "status" in differing:
            yield from self._status(old, new)
        if "facility" in differing:
            yield self._renamed(old, new)
        if differing & {"city", "state", "zip", "country"}:
            yield self._moved(old, new)
        if "contacts" in differing:
            yield self._contacts(old, new)
        yield from self._rest(old, new)

    def _status(self, old: Site, new: Site) -> Iterator[Change]:
        before, after = enum_key(old.status), enum_key(new.status)
        if is_no_news(before, after):
            return
        kind = _kind_of_status(before, after, self._study_became)
        yield change(
            kind,
            summary=f"{self._words(new)} {self._status_told(kind, before, after)}",
            subject=self._subject(new),
            before=old.status,
            after=new.status,
            path=self.new.path("sites", new.position, "status"),
        )

    def _status_told(self, kind: str, before: str | None, after: str | None) -> str:
        was = f"(was: {status_words(before)})"
        if kind == "site.closed" and after:
            return f"is closed to enrollment: now {status_words(after)} {was}"
        if after:
            return f"is now {status_words(after)} {was}"
        if kind == "site.status_changed":
            return f"gives no status any more {was}"
        if kind == "site.closed":
            return f"is closed to enrollment with the study, now {status_words(self._study_became)} {was}"
        return f"is {status_words(self._study_became)} with the study {was}"

    def _renamed(self, old: Site, new: Site) -> Change:
        names = f"{clipped(new.facility) or 'without a name'} (was: {clipped(old.facility) or 'without a name'})"
        return change(
            "site.renamed",
            summary=f"A site in {_place(new, self._new_rows) or 'an unnamed place'} is now listed as {names}",
            subject=self._subject(new),
            before=old.facility,
            after=new.facility,
            path=self.new.path("sites", new.position, "facility"),
        )

    def _moved(self, old: Site, new: Site) -> Change:
        return change(
            "site.moved",
            summary=f"{_name(new)} is now listed in {_address(new) or 'no place'} (was: {_address(old) or 'no place'})"
            f"{_recruits_elsewhere(old, new)}",
            subject=self._subject(new),
            before=_address(old),
            after=_address(new),
            path=self.new.path("sites", new.position),
        )

    def _contacts(self, old: Site, new: Site) -> Change:
        matched = match_contacts(old.contacts, new.contacts)
        told = [what_differs(contact_person(one), contact_person(other)) for one, other in matched.pairs]
        told += [f"{contact_person(contact).words} was added" for contact in matched.added]
        told += [f"{contact_person(contact).words} is no longer listed" for contact in matched.removed]
        before, after = before_and_after([*map(contact_person, old.contacts)], [*map(contact_person, new.contacts)])
        return change(
            "site.contact_changed",
            summary=f"Contact at {self._words(new)}: {listed(filter(None, told), 3)}",
            subject=self._subject(new),
            before=before,
            after=after,
            path=self.new.path("sites", new.position, "contacts"),
        )

    def _rest(self, old: Site, new: Site) -> Iterator[Change]:
        """Fields that no rule knows, of the site and of its contacts."""
        yield from leftovers(old.rest, new.rest, self.new.path("sites", new.position))
        if old.contacts == new.contacts:
            return
        base = self.new.path("sites", new.position, "contacts")
        for before, after in match_contacts(old.contacts, new.contacts).pairs:
            yield from leftovers(before.rest, after.rest, f"{base}[{after.position}]")

    def _added(self, site: Site) -> Change:
        kind = KIND_OF_STATUS.get(enum_key(site.status) or "", "site.added")
        told = f"is newly listed, {status_words(site.status)}" if site.status else "is newly listed"
        if kind == "site.recruiting":
            told = "is newly listed and already recruiting"
        return change(
            kind,
            summary=f"{self._words(site)} {told}",
            subject=self._subject(site),
            after=_name(site) if kind == "site.added" else site.status,
            path=self.new.path("sites", site.position),
        )

    def _removed(self, site: Site) -> Change:
        was = f" (was: {status_words(site.status)})" if site.status else ""
        return change(
            "site.removed",
            summary=f"{_words(site, self._old_rows)} is no longer listed{was}",
            subject=_subject(site, self._old_rows),
            before=_name(site),
            path=self.old.path("sites", site.position),
        )

    def _words(self, site: Site) -> str:
        return _words(site, self._new_rows)

    def _subject(self, site: Site) -> dict[str, Json]:
        return _subject(site, self._new_rows)


def _recruits_elsewhere(old: Site, new: Site) -> str:
    """Whoever lives in the new city learns of the site by this entry alone, so it says that one may ask there."""
    elsewhere = name_key(old.city) != name_key(new.city) and enum_key(new.status) in _OPEN
    return f"; it is {status_words(new.status)} there" if elsewhere else ""


def _kind_of_status(before: str | None, after: str | None, study_became: str | None) -> str:
    """The kind of a listed site's new status; `study_became` is the study's new status, None where it stands still."""
    if after in KIND_OF_STATUS:
        return KIND_OF_STATUS[after]
    if before in _OPEN:
        return KIND_OF_CLOSING.get(after or study_became or "", "site.status_changed")
    return "site.status_changed"


def _stands_still(old: Site, new: Site) -> bool:
    """Whether two rows are equal as written, besides their position and geo point: true of nearly all."""
    return (
        old.status == new.status
        and old.facility == new.facility
        and (old.city, old.state, old.zip, old.country) == (new.city, new.state, new.zip, new.country)
        and old.contacts == new.contacts
        and old.rest == new.rest
    )


def _comparable(old: Site, new: Site) -> Iterator[tuple[str, Json, Json]]:
    """(field, what it said, what it says): the fields that are told. What was absent and is filled in says nothing."""
    yield "status", enum_key(old.status), enum_key(new.status)
    yield "facility", name_key(old.facility), name_key(new.facility)
    if old.contacts != new.contacts:
        yield "contacts", contacts_key(old.contacts), contacts_key(new.contacts)
    for part in ("city", "state", "zip"):
        if name_key(getattr(old, part)):
            yield part, name_key(getattr(old, part)), name_key(getattr(new, part))
    if country_key(old.country):
        yield "country", country_key(old.country), country_key(new.country)


# --- words ------------------------------------------------------------------------------------------------------------


class _Rows:
    """The sites of one list: which stand there several times over, and which of them one is."""

    def __init__(self, sites: Sequence[Site]) -> None:
        self._sites = sites

    @cached_property
    def _ordinals(self) -> dict[tuple[str, ...], dict[int, int]]:
        found: dict[tuple[str, ...], dict[int, int]] = defaultdict(dict)
        for site in self._sites:
            alike = found[site_key(site)]
            alike[site.position] = len(alike) + 1
        return found

    def ordinal(self, site: Site) -> int | None:
        """Which of the rows that read alike this one is, from 1 on; None where no other reads like it."""
        return self._ordinals[site_key(site)][site.position] if self.alike(site) > 1 else None

    def alike(self, site: Site) -> int:
        """How many rows read like this one, itself included."""
        return len(self._ordinals[site_key(site)])


def _name(site: Site) -> str:
    return site.facility or UNNAMED


def _subject(site: Site, rows: _Rows) -> dict[str, Json]:
    subject = {
        "type": "site",
        "name": _name(site),
        "city": site.city,
        "state": site.state,
        "zip": site.zip,
        "country": site.country,
        "latitude": site.latitude,
        "longitude": site.longitude,
    }
    ordinal = rows.ordinal(site)
    return subject if ordinal is None else {**subject, "ordinal": ordinal}


def _words(site: Site, rows: _Rows) -> str:
    """A site as people name it: facility, city, country; where the name tells nothing, also its zip and its ordinal."""
    return place_words((_name(site), _place(site, rows)))


def _place(site: Site, rows: _Rows) -> str:
    ordinal = rows.ordinal(site)
    which = f" (no. {ordinal} of {rows.alike(site)} there)" if ordinal else ""
    city = f"{site.city or ''} {site.zip or ''}".strip() if is_placeholder(site.facility) else site.city
    return place_words((city, site.country)) + which


def _address(site: Site) -> str | None:
    return ", ".join(part for part in (site.city, site.state, site.zip, site.country) if part) or None
