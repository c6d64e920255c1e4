"""What changed around the trial: publications, links, the plan to share participant data, oversight."""

from collections.abc import Iterator

from snapshots.canonical import enum_key, text_key
from snapshots.changes import Change, Subject
from snapshots.kinds import Severity
from snapshots.matching.references import match_links, match_publications, pmid
from snapshots.rules.build import change, leftovers
from snapshots.rules.fields import (
    Compared,
    Field,
    before_and_after,
    compared,
    differing_members,
    enum_field,
    text_field,
    told,
)
from snapshots.sentences import clipped, enum_words, listed, quoted
from snapshots.trial import Link, Publication, Trial

COVERS = frozenset({"publications", "links", "ipd_sharing", "oversight"})


def changes(old: Trial, new: Trial) -> list[Change]:
    """Changes of publications, links, the plan to share participant data and oversight."""
    return [*_publications(old, new), *_links(old, new), *_ipd_sharing(old, new), *_oversight(old, new)]


# --- publications -----------------------------------------------------------------------------------------------------

_PUBLICATION_FIELDS = (
    Field("pmid", "PMID", lambda value: "".join((value or "").split())),
    enum_field("type", "type"),
    text_field("citation", "citation"),
)


def _publications(old: Trial, new: Trial) -> list[Change]:
    if old.publications == new.publications:
        return []
    matched = match_publications(old, new)
    found = [_unlinked(old, publication) for publication in matched.removed]
    found += [_linked(new, publication) for publication in matched.added]
    for item in compared(matched.pairs, _PUBLICATION_FIELDS):
        found += _retracted(new, item.old, item.new)
        found += _differs(new, item)
    return found


def _name(publication: Publication) -> str | None:
    return pmid(publication) or publication.citation


def _subject(publication: Publication) -> Subject:
    return {
        "type": "publication",
        "name": _name(publication),
        "citation": publication.citation,
        "publication_type": publication.type,
    }


def _words(publication: Publication) -> str:
    """A publication in a sentence: its PMID and citation as far as known."""
    number, citation = pmid(publication), publication.citation
    if number is None:
        return quoted(citation) if citation else "without PMID and citation"
    return f"PMID {number}" + (f" ({quoted(citation)})" if citation else "")


def _severity(*publications: Publication) -> Severity | None:
    return "major" if any(enum_key(each.type) == "RESULT" for each in publications) else None


def _linked(new: Trial, publication: Publication) -> Change:
    kind = f", {_TYPE_WORDS.get(enum_key(publication.type) or '') or enum_words(publication.type)}"
    retracted = ", already retracted" if publication.retractions else ""
    return change(
        "publication.added",
        summary=f"Publication linked: {_words(publication)}{kind if publication.type else ''}{retracted}",
        subject=_subject(publication),
        after=publication.citation or _name(publication),
        path=new.path("publications", publication.position),
        severity=_severity(publication),
    )


_TYPE_WORDS = {
    "RESULT": "with results of the trial",
    "BACKGROUND": "as background",
    "DERIVED": "found by the registry itself",
}


def _unlinked(old: Trial, publication: Publication) -> Change:
    return change(
        "publication.removed",
        summary=f"Publication no longer linked: {_words(publication)}",
        subject=_subject(publication),
        before=publication.citation or _name(publication),
        path=old.path("publications", publication.position),
        severity=_severity(publication),
    )


def _notices(publication: Publication) -> list[tuple[str, str]]:
    return sorted({((number or "").strip(), text_key(source)) for number, source in publication.retractions})


def _retracted(new: Trial, before: Publication, after: Publication) -> Iterator[Change]:
    """A critical entry for new retraction notices; notices that vanish are a change of the publication."""
    was, now = _notices(before), _notices(after)
    path = new.path("publications", after.position)
    if set(now) - set(was):
        sources = listed(filter(None, (clipped(source or number, 80) for number, source in after.retractions)))
        yield change(
            "publication.retracted",
            summary=f"Publication retracted: {_words(after)}{f'; notice: {sources}' if sources else ''}",
            subject=_subject(after),
            before=_notices_json(before),
            after=_notices_json(after),
            path=f"{path}.retractions",
        )
    elif was != now:
        yield change(
            "publication.changed",
            summary=f"Publication {_words(after)}: a retraction notice is gone",
            subject=_subject(after),
            before=_notices_json(before),
            after=_notices_json(after),
            path=f"{path}.retractions",
            severity=_severity(before, after),
        )


def _notices_json(publication: Publication) -> list[dict[str, str | None]]:
    return [{"pmid": number, "source": source} for number, source in publication.retractions]


def _differs(new: Trial, item: Compared[Publication]) -> Iterator[Change]:
    path = new.path("publications", item.new.position)
    if item:
        before, after = before_and_after(item, new, "publications", "citation")
        words = f"PMID {pmid(item.new)}" if pmid(item.new) else _words(item.old)
        yield change(
            "publication.changed",
            summary=f"Publication {words}: {told(item)}",
            subject=_subject(item.new),
            before=before,
            after=after,
            path=f"{path}.{item.fields[0].name}" if len(item.fields) == 1 else path,
            severity=_severity(item.old, item.new),
        )
    yield from leftovers(item.old.rest, item.new.rest, path)


# --- links ------------------------------------------------------------------------------------------------------------

_LINK_FIELDS = (
    Field("url", "URL", lambda value: (value or "").strip()),
    text_field("label", "label"),
    text_field("id", "ID"),
    text_field("type", "type"),
)
_LINK_WORDS = {"see_also": "Link", "ipd": "Place of participant data"}


def _links(old: Trial, new: Trial) -> list[Change]:
    if old.links == new.links:
        return []
    matched = match_links(old, new)
    found = [_link(old, link, _words_of_link("removed", link), before=_link_name(link)) for link in matched.removed]
    found += [_link(new, link, _words_of_link("added", link), after=_link_name(link)) for link in matched.added]
    for item in compared(matched.pairs, _LINK_FIELDS):
        if item:
            before, after = before_and_after(item, new, f"links.{item.new.kind}", "url")
            summary = f"{_words_of_link('changed', item.old)}: {told(item)}"
            found.append(_link(new, item.new, summary, before=before, after=after))
        found += leftovers(item.old.rest, item.new.rest, _link_path(new, item.new))
    return found


def _link_name(link: Link) -> str | None:
    return link.url or link.id or link.label


def _link_path(trial: Trial, link: Link) -> str:
    return trial.path(f"links.{link.kind}", link.position)


def _words_of_link(verb: str, link: Link) -> str:
    label = f" ({quoted(link.label, 80)})" if link.label and link.url else ""
    return f"{_LINK_WORDS.get(link.kind, 'Link')} {verb}: {clipped(_link_name(link), 200)}{label}"


def _link(trial: Trial, link: Link, summary: str, *, before: object = None, after: object = None) -> Change:
    return change(
        "link.changed",
        summary=summary,
        subject={"type": "link", "name": _link_name(link), "label": link.label},
        before=before,
        after=after,
        path=_link_path(trial, link),
    )


# --- sharing of participant data, oversight ---------------------------------------------------------------------------

_IPD_WORDS = {
    "ipdSharing": "plan to share participant data",
    "description": "description of the plan to share participant data",
    "infoTypes": "supporting information to be shared",
    "timeFrame": "time frame of sharing participant data",
    "accessCriteria": "criteria for access to participant data",
    "url": "URL about sharing participant data",
}
_IPD_ENUMERATED = frozenset({"ipdSharing", "infoTypes"})


def _ipd_sharing(old: Trial, new: Trial) -> Iterator[Change]:
    """One entry for the module; where the yes or no itself differs, that is what `before` and `after` say."""
    members = differing_members(old.ipd_sharing, new.ipd_sharing, _IPD_ENUMERATED)
    if not members:
        return
    plan = "ipdSharing" in members.before
    before, after = (members.before["ipdSharing"], members.after["ipdSharing"]) if plan else members.values()
    withdrawn = plan and _answer(before) == "YES" and _answer(after) == "NO"
    yield change(
        "ipd_sharing.changed",
        summary=members.told(_IPD_WORDS, _IPD_ENUMERATED),
        before=before,
        after=after,
        path=".".join(filter(None, (new.path("ipd_sharing"), "ipdSharing" if plan else members.only))),
        severity="major" if withdrawn else None,
    )


def _answer(value: object) -> str | None:
    return enum_key(value) if isinstance(value, str) else None


_OVERSIGHT_WORDS = {
    "oversightHasDmc": "data monitoring committee",
    "isFdaRegulatedDrug": "FDA-regulated drug product",
    "isFdaRegulatedDevice": "FDA-regulated device product",
    "isUnapprovedDevice": "device not approved or cleared by the FDA",
    "isPpsd": "pediatric postmarket surveillance of a device",
    "isUsExport": "product exported from the U.S.",
}


def _oversight(old: Trial, new: Trial) -> Iterator[Change]:
    members = differing_members(old.oversight, new.oversight, ())
    if members:
        before, after = members.values()
        yield change(
            "oversight.changed",
            summary=members.told(_OVERSIGHT_WORDS, ()),
            before=before,
            after=after,
            path=".".join(filter(None, (new.path("oversight"), members.only))),
        )
