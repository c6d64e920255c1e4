"""Which publication, link and identifier is which between two versions?"""

from collections.abc import Hashable
from functools import lru_cache

from rapidfuzz import fuzz

from snapshots.canonical import enum_key, label_key, name_key
from snapshots.matching.engine import ByKey, ByLikeness, Matched, match
from snapshots.matching.people import rest_key
from snapshots.trial import Identifier, Link, Publication, Trial

_label_key = lru_cache(maxsize=1 << 10)(label_key)

ALIKE = 80.0
"""How alike (0 to 100, letter by letter) two citations must be to be one that was reworded."""


def match_publications(old: Trial, new: Trial) -> Matched[Publication]:
    """Matches publications: by PMID, then by citation, then by similar citation."""
    return match(old.publications, new.publications, _PUBLICATION_PASSES)


def match_links(old: Trial, new: Trial) -> Matched[Link]:
    """Matches links by their URL; one without URL by its id, else by its label."""
    return match(old.links, new.links, _LINK_PASSES)


def match_identifiers(old: Trial, new: Trial) -> Matched[Identifier]:
    """Matches identifiers of one kind: by type, id and domain, then by id alone."""
    return match(old.identifiers, new.identifiers, _IDENTIFIER_PASSES)


def pmid(publication: Publication) -> str | None:
    """The PMID without blanks; None where there is none."""
    return "".join((publication.pmid or "").split()) or None


def _citation(publication: Publication) -> str | None:
    return _label_key(publication.citation) or None


def _type(item: Publication | Link | Identifier) -> str | None:
    return enum_key(item.type)


def _similar_citation(old: Publication, new: Publication) -> tuple[float, bool] | None:
    one, other = _citation(old), _citation(new)
    if one is None or other is None or (pmid(old) and pmid(new)):
        return None
    likeness = fuzz.ratio(one, other, score_cutoff=ALIKE)
    return (likeness, _type(old) == _type(new)) if likeness else None


def _anonymous(publication: Publication) -> Hashable | None:
    return None if pmid(publication) or _citation(publication) else (_type(publication), rest_key(publication))


def _retractions(publication: Publication) -> Hashable:
    return frozenset(publication.retractions)


_PUBLICATION_PASSES = (
    ByKey(key=pmid, prefer=(_type, _citation, _retractions, rest_key)),
    ByKey(key=_citation, prefer=(pmid, _type, _retractions, rest_key)),
    ByLikeness(likeness=_similar_citation),
    ByKey(key=_anonymous, prefer=(_retractions,)),
)


def _url(link: Link) -> Hashable:
    url = (link.url or "").strip()
    return link.kind, url or name_key(link.id) or label_key(link.label), bool(url)


_LINK_PASSES = (ByKey(key=_url, prefer=(lambda link: link.label, lambda link: link.id, _type, rest_key)),)


def _whole(identifier: Identifier) -> Hashable:
    return identifier.kind, _type(identifier), label_key(identifier.id), name_key(identifier.domain)


def _id(identifier: Identifier) -> Hashable:
    return identifier.kind, label_key(identifier.id)


_IDENTIFIER_PASSES = (
    ByKey(key=_whole, prefer=(lambda identifier: identifier.link, rest_key)),
    ByKey(key=_id, prefer=(_type, lambda identifier: name_key(identifier.domain), rest_key)),
)
