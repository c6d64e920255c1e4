"""Two versions of a record side by side: section by section, with the words that differ marked."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence

from msgspec import Struct

from monitor.audit.shown import Pair, pair
from monitor.web.trial.parts import Part, Section, others, words
from monitor.web.trial.sections import sections
from monitor.web.trial.unshown import unshown_values
from snapshots.canonical import label_key
from snapshots.matching import match_sites
from snapshots.rules.sites import is_no_news
from snapshots.sentences import capitalised, site_words, status_words
from snapshots.trial import Contact, Site, Trial

SITES_ON_A_PAGE = 100
"""Sites whose difference is shown on one page."""

NO_NEWS = (
    "Its status is told as no change: the registry shows a site's status only while the study recruits, and that this "
    "one was not recruiting yet says nothing new."
)


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
    """A site that differs: what it was and what it is, nothing where it is not listed. `note` says why a difference is
    not among the changes; "" where it is.
    """

    name: str
    sides: Pair
    note: str = ""


class SitesCompared(Struct, frozen=True, kw_only=True):
    """The sites that differ, or those of one `which`, page by page; `counts` tells of each which there is how many
    there are in all. `before` and `after` are the numbers of sites listed, alike ones among them.
    """

    rows: tuple[SiteRow, ...]
    which: str
    page: int
    pages: int
    counts: Mapping[str, int]
    before: int
    after: int

    @property
    def differing(self) -> int:
        return sum(self.counts.values())


Sides = tuple[Site | None, Site | None]
WHICH: Mapping[str, Callable[[Sides], bool]] = {
    "gone": lambda sides: sides[1] is None,
    "new": lambda sides: sides[0] is None,
    "changed": lambda sides: None not in sides,
}
"""What became of a site, as a link asks for it."""


def compared(old: Trial, new: Trial, *, everything: bool = False) -> list[Compared]:
    """The sections of two versions; those that say the same only where `everything` is wanted. The last one, where it
    is needed, names what differs and no section shows.
    """
    before = {section.id: section for section in sections(old)}
    after = {section.id: section for section in sections(new)}
    found = [_section(before.get(name), after.get(name), everything=everything) for name in [*_order(before, after)]]
    found.append(Compared(id="unshown", title="Beside that, in what no section shows", parts=tuple(unshown(old, new))))
    return [each for each in found if (everything and each.parts) or each.differs]


def unshown(old: Trial, new: Trial) -> Iterator[Beside]:
    """What differs without any section, or the sites, telling so."""
    said = _all_said(new)

    def is_shown(other: Trial) -> bool:
        return _all_said(other) != said or any(_differing_sites(other, new))

    for name, before, after in unshown_values(old, new, is_shown):
        yield Beside(name, pair("", before, after), differs=True)


def _all_said(trial: Trial) -> Counter[tuple[str, str, str]]:
    return Counter((section.id, part.name, part.text) for section in sections(trial) for part in section.parts)


def sites_compared(old: Trial, new: Trial, *, which: str = "", page: int = 1) -> SitesCompared:
    """The sites that went, came or say something else: a page of all of them, or of one of `WHICH`."""
    found = list(_differing_sites(old, new))
    wanted = [sides for sides in found if which not in WHICH or WHICH[which](sides)]
    pages = max(1, -(-len(wanted) // SITES_ON_A_PAGE))
    page = min(max(page, 1), pages)
    return SitesCompared(
        rows=tuple(_site_row(*sides) for sides in wanted[(page - 1) * SITES_ON_A_PAGE : page * SITES_ON_A_PAGE]),
        which=which if which in WHICH else "",
        page=page,
        pages=pages,
        counts={name: sum(map(fits, found)) for name, fits in WHICH.items()},
        before=len(old.sites),
        after=len(new.sites),
    )


def _differing_sites(old: Trial, new: Trial) -> Iterator[Sides]:
    if old.sites == new.sites:
        return
    matched = match_sites(old.sites, new.sites)
    yield from ((site, None) for site in matched.removed)
    yield from ((None, site) for site in matched.added)
    yield from ((before, after) for before, after in matched.pairs if _said(before) != _said(after))


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
    is_renamed = old is not None and new is not None and old.name != new.name
    before, after = (_text(part, with_name=is_renamed) for part in (old, new))
    return Beside(shown.name, pair("", before, after), before != after)


def _text(part: Part | None, *, with_name: bool) -> str:
    if part is None:
        return ""
    return f"{part.name}\n{part.text}".strip() if with_name else part.text or part.name


def _site_row(before: Site | None, after: Site | None) -> SiteRow:
    named = after or before
    assert named is not None
    sides = pair("", *(_said(site) if site else "" for site in (before, after)))
    quiet = before is not None and after is not None and is_no_news(before.status, after.status)
    return SiteRow(name=site_words(named), sides=sides, note=NO_NEWS if quiet else "")


def _said(site: Site) -> str:
    """What a site says, on lines: its name and place, its status, its contacts."""
    status = capitalised(status_words(site.status)) if site.status else "Status not shown"
    place = ", ".join(filter(None, (site.facility, site.city, site.state, site.zip, site.country)))
    more = (f"{name}: {value}" for name, value in others(site.rest))
    return "\n".join([place, status, *more, *map(_contact, site.contacts)])


def _contact(contact: Contact) -> str:
    said = (contact.name, words(contact.role), contact.phone, contact.phone_ext, contact.email)
    more = (f"{name}: {value}" for name, value in others(contact.rest))
    return ", ".join(filter(None, (*said, *more))) or "a contact"
