"""What changed in the words a trial goes by: titles, descriptions, conditions, keywords, identifiers."""

from collections.abc import Iterator

from snapshots.canonical import enum_key, label_key, name_key, same_text
from snapshots.changes import Change
from snapshots.matching.references import match_identifiers
from snapshots.rules.build import change, leftovers
from snapshots.rules.fields import field_told
from snapshots.sentences import capitalised, quoted
from snapshots.trial import Identifier, Trial

COVERS = frozenset(
    {
        "brief_title",
        "official_title",
        "acronym",
        "brief_summary",
        "detailed_description",
        "conditions",
        "keywords",
        "identifiers",
        "aliases",
    }
)

_TEXTS = {
    "brief_title": ("title.changed", "brief title"),
    "official_title": ("title.changed", "official title"),
    "acronym": ("title.changed", "acronym"),
    "brief_summary": ("description.changed", "brief summary"),
    "detailed_description": ("description.changed", "detailed description"),
}


def changes(old: Trial, new: Trial) -> list[Change]:
    """Changes of titles, descriptions, conditions, keywords and identifiers; aliases are identifiers here."""
    return [*_texts(old, new), *_conditions(old, new), *_keywords(old, new), *_identifiers(old, new)]


def _texts(old: Trial, new: Trial) -> Iterator[Change]:
    for attribute, (kind, words) in _TEXTS.items():
        before, after = getattr(old, attribute), getattr(new, attribute)
        if same_text(before, after):
            continue
        path = new.path(attribute)
        yield change(
            kind,
            summary=capitalised(field_told(words, before, after)),
            subject={"type": "field", "name": path.rpartition(".")[2]},
            before=before,
            after=after,
            path=path,
        )


# --- conditions and keywords ------------------------------------------------------------------------------------------


def _by_key(terms: tuple[str, ...]) -> dict[str, tuple[int, str]]:
    """Each term once, with its position, under its norm."""
    found: dict[str, tuple[int, str]] = {}
    for position, term in enumerate(terms):
        found.setdefault(label_key(term), (position, term))
    return found


def _conditions(old: Trial, new: Trial) -> Iterator[Change]:
    if old.conditions == new.conditions:
        return
    before, after = _by_key(old.conditions), _by_key(new.conditions)
    for key in [key for key in before if key not in after]:
        position, term = before[key]
        yield change(
            "condition.removed",
            summary=f"Condition removed: {quoted(term)}",
            subject={"type": "condition", "name": term},
            before=term,
            path=old.path("conditions", position),
        )
    for key in [key for key in after if key not in before]:
        position, term = after[key]
        yield change(
            "condition.added",
            summary=f"Condition added: {quoted(term)}",
            subject={"type": "condition", "name": term},
            after=term,
            path=new.path("conditions", position),
        )


def _keywords(old: Trial, new: Trial) -> Iterator[Change]:
    if _by_key(old.keywords).keys() == _by_key(new.keywords).keys():
        return
    yield change(
        "keyword.changed",
        summary=capitalised(field_told("keywords", list(old.keywords), list(new.keywords))),
        before=list(old.keywords),
        after=list(new.keywords),
        path=new.path("keywords"),
    )


# --- identifiers ------------------------------------------------------------------------------------------------------

_KINDS_OF_IDENTIFIER = {
    "org": "organization's study ID",
    "secondary": "secondary ID",
    "alias": "former registry ID",
}


def _identifiers(old: Trial, new: Trial) -> Iterator[Change]:
    if old.identifiers == new.identifiers:
        return
    matched = match_identifiers(old, new)
    for identifier in matched.removed:
        yield change(
            "identifier.removed",
            summary=f"{_words(identifier)} removed: {quoted(identifier.id)}{_issuer(identifier)}",
            subject=_subject(identifier),
            before=identifier.id,
            path=_path(old, identifier),
        )
    for identifier in matched.added:
        yield change(
            "identifier.added",
            summary=f"{_words(identifier)} added: {quoted(identifier.id)}{_issuer(identifier)}",
            subject=_subject(identifier),
            after=identifier.id,
            path=_path(new, identifier),
        )
    for before, after in matched.pairs:
        yield from leftovers(_details(before), _details(after), _path(new, after))


def _words(identifier: Identifier) -> str:
    return capitalised(_KINDS_OF_IDENTIFIER.get(identifier.kind, "identifier"))


def _issuer(identifier: Identifier) -> str:
    return f" ({identifier.domain})" if identifier.domain else ""


def _subject(identifier: Identifier) -> dict[str, str | None]:
    return {"type": "identifier", "name": identifier.id, "domain": identifier.domain, "id_type": identifier.type}


def _details(identifier: Identifier) -> dict[str, object]:
    """What of a kept identifier has no kind of change of its own."""
    named = {"type": enum_key(identifier.type), "domain": name_key(identifier.domain), "link": identifier.link}
    return {**identifier.rest, **named}


def _path(trial: Trial, identifier: Identifier) -> str:
    single = identifier.kind == "org"
    return trial.path(f"identifiers.{identifier.kind}", None if single else identifier.position)
