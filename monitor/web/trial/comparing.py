"""Two versions of a record side by side: section by section, with the words that differ marked."""

from collections.abc import Iterator, Sequence

from msgspec import Struct

from monitor.audit.shown import Pair, pair
from monitor.web.trial.parts import Part, Section
from monitor.web.trial.sections import sections
from snapshots.canonical import label_key
from snapshots.matching import match_sites
from snapshots.sentences import capitalised, site_words, status_words
from snapshots.trial import Contact, Site, Trial

MOST_SITES = 100
"""Sites whose difference is shown on one page."""


class Beside(Struct, frozen=True):
    """A part as both versions say it; `differs` is judged by what is shown."""

    name: str
    sides: Pair
    differs: bool


class Compared(Struct, frozen=True, kw_only=True):
    """A section of both versions."""

    id: str
    title: str
    parts: tuple[Beside, ...]

    @property
    def differs(self) -> bool:
        return any(part.differs for part in self.parts)


class SiteRow(Struct, frozen=True, kw_only=True):
    """A site that differs: what it was and what it is, nothing where it is not listed."""

    name: str
    sides: Pair


class SitesCompared(Struct, frozen=True, kw_only=True):
    """The sites that differ, at most `MOST_SITES`, and how many there are in all, alike ones among them."""

    rows: tuple[SiteRow, ...]
    differing: int
    before: int
    after: int


def compared(old: Trial, new: Trial, *, everything: bool = False) -> list[Compared]:
    """The sections of two versions; those that say the same only where `everything` is wanted."""
    before = {section.id: section for section in sections(old)}
    after = {section.id: section for section in sections(new)}
    found = [_section(before.get(name), after.get(name), everything=everything) for name in [*_order(before, after)]]
    return [each for each in found if everything or each.differs]


def sites_compared(old: Trial, new: Trial) -> SitesCompared:
    """The sites that came, went or say something else."""
    matched = match_sites(old.sites, new.sites)
    rows: list[tuple[Site | None, Site | None]] = [
        *((before, after) for before, after in matched.pairs if _said(before) != _said(after)),
        *((None, site) for site in matched.added),
        *((site, None) for site in matched.removed),
    ]
    return SitesCompared(
        rows=tuple(_site_row(*row) for row in rows[:MOST_SITES]),
        differing=len(rows),
        before=len(old.sites),
        after=len(new.sites),
    )


def _order(before: dict[str, Section], after: dict[str, Section]) -> Iterator[str]:
    yield from after
    yield from (name for name in before if name not in after)


def _section(old: Section | None, new: Section | None, *, everything: bool) -> Compared:
    shown = new or old
    assert shown is not None
    parts = list(_parts(old.parts if old else (), new.parts if new else ()))
    kept = tuple(part for part in parts if everything or part.differs)
    return Compared(id=shown.id, title=shown.title, parts=kept)


def _parts(old: Sequence[Part], new: Sequence[Part]) -> Iterator[Beside]:
    """The newer version's parts with the older's of the same name, then those that the newer has not."""
    left: dict[tuple[str, str], list[Part]] = {}
    for part in old:
        left.setdefault(_name(part), []).append(part)
    for part in new:
        same = left.get(_name(part))
        yield _beside(same.pop(0) if same else None, part)
    yield from (_beside(part, None) for parts in left.values() for part in parts)


def _name(part: Part) -> tuple[str, str]:
    return part.path, label_key(part.key or part.name)


def _beside(old: Part | None, new: Part | None) -> Beside:
    shown = new or old
    assert shown is not None
    before, after = (_text(part) for part in (old, new))
    return Beside(shown.name, pair("", before, after), before != after)


def _text(part: Part | None) -> str:
    if part is None:
        return ""
    return part.text or part.name


def _site_row(before: Site | None, after: Site | None) -> SiteRow:
    named = after or before
    assert named is not None
    return SiteRow(name=site_words(named), sides=pair("", *(_said(site) if site else "" for site in (before, after))))


def _said(site: Site) -> str:
    """What a site says, on lines: its name and place, its status, its contacts."""
    status = capitalised(status_words(site.status)) if site.status else "Status not shown"
    place = ", ".join(filter(None, (site.facility, site.city, site.state, site.zip, site.country)))
    return "\n".join([place, status, *map(_contact, site.contacts)])


def _contact(contact: Contact) -> str:
    return ", ".join(filter(None, (contact.name, contact.phone, contact.phone_ext, contact.email))) or "a contact"
