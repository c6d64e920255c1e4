"""What changed about who is behind a trial and whom to ask: sponsor, collaborators, organisation, people."""

from collections.abc import Callable, Iterator
from typing import Any, TypeVar

from snapshots.canonical import enum_key, label_key, name_key
from snapshots.changes import Change
from snapshots.diff import differences
from snapshots.matching import ByKey, Matched, match, match_contacts, match_officials, rest_key
from snapshots.rules.build import change, leftovers
from snapshots.rules.persons import Person, before_and_after, contact_person, official_person, what_differs
from snapshots.sentences import clipped, enum_words
from snapshots.trial import Contact, Official, ResponsibleParty, Sponsor, Trial

Json = Any
_Someone = TypeVar("_Someone", Contact, Official)

COVERS = frozenset(
    {"lead_sponsor", "collaborators", "organization", "responsible_party", "officials", "central_contacts"}
)


def changes(old: Trial, new: Trial) -> list[Change]:
    """Changes of sponsor, collaborators, organisation, responsible party, officials and central contacts."""
    unknown = old.unknown | new.unknown
    return [
        found
        for attribute, family in _FAMILIES.items()
        if attribute not in unknown and getattr(old, attribute) != getattr(new, attribute)
        for found in family(old, new)
    ]


# --- organisations ----------------------------------------------------------------------------------------------------

_NOBODY = Sponsor()


def _lead_sponsor(old: Trial, new: Trial) -> Iterator[Change]:
    yield from _one_organisation("sponsor.changed", "lead_sponsor", "Lead sponsor", old, new)


def _organization(old: Trial, new: Trial) -> Iterator[Change]:
    yield from _one_organisation("organization.changed", "organization", "Registering organization", old, new)


def _one_organisation(kind: str, attribute: str, what: str, old: Trial, new: Trial) -> Iterator[Change]:
    before, after = getattr(old, attribute) or _NOBODY, getattr(new, attribute) or _NOBODY
    if name_key(before.name) != name_key(after.name):
        yield change(
            kind,
            summary=f"{what} is now {clipped(after.name) or 'not named'} (was: {clipped(before.name) or 'not named'})",
            before=before.name,
            after=after.name,
            path=new.path(attribute, field="name"),
        )
    yield from leftovers(before.rest, after.rest, new.path(attribute))


def _sponsor_name(sponsor: Sponsor) -> str:
    return name_key(sponsor.name)


def _collaborators(old: Trial, new: Trial) -> Iterator[Change]:
    matched = match(old.collaborators, new.collaborators, (ByKey(key=_sponsor_name, prefer=(rest_key,)),))
    for before, after in matched.pairs:
        yield from leftovers(before.rest, after.rest, new.path("collaborators", after.position))
    for added in matched.added:
        yield change(
            "collaborator.added",
            summary=f"{_named(added)} is a collaborator now",
            subject=_collaborator(added),
            after=added.name,
            path=new.path("collaborators", added.position),
        )
    for removed in matched.removed:
        yield change(
            "collaborator.removed",
            summary=f"{_named(removed)} is no longer a collaborator",
            subject=_collaborator(removed),
            before=removed.name,
            path=old.path("collaborators", removed.position),
        )


def _named(sponsor: Sponsor) -> str:
    return clipped(sponsor.name) or "An unnamed organisation"


def _collaborator(sponsor: Sponsor) -> dict[str, Json]:
    return {"type": "collaborator", "name": sponsor.name}


# --- responsible party ------------------------------------------------------------------------------------------------

_NO_PARTY = ResponsibleParty()


def _responsible_party(old: Trial, new: Trial) -> Iterator[Change]:
    before, after = old.responsible_party or _NO_PARTY, new.responsible_party or _NO_PARTY
    path = new.path("responsible_party")
    if differences(_party_parts(before), _party_parts(after)):
        yield change(
            "responsible_party.changed",
            summary=f"Responsible party is now {_party_words(after)} (was: {_party_words(before)})",
            before=_party_json(before),
            after=_party_json(after),
            path=path,
        )
    yield from leftovers(before.rest, after.rest, path)


def _party_parts(party: ResponsibleParty) -> dict[str, Json]:
    return {
        "type": enum_key(party.type),
        "name": name_key(party.name),
        "title": label_key(party.title),
        "affiliation": name_key(party.affiliation),
    }


def _party_json(party: ResponsibleParty) -> Json:
    parts = {"type": party.type, "name": party.name, "title": party.title, "affiliation": party.affiliation}
    return {part: value for part, value in parts.items() if value} or None


def _party_words(party: ResponsibleParty) -> str:
    role = enum_words(party.type) if party.type else ""
    who = ", ".join(clipped(part) for part in (party.name, party.title, party.affiliation) if part)
    return f"{who} ({role})" if who and role else who or role or "not named"


# --- officials and central contacts -----------------------------------------------------------------------------------


def _officials(old: Trial, new: Trial) -> Iterator[Change]:
    yield from _people("official", match_officials(old.officials, new.officials), official_person, old, new)


def _central_contacts(old: Trial, new: Trial) -> Iterator[Change]:
    matched = match_contacts(old.central_contacts, new.central_contacts)
    yield from _people("contact", matched, contact_person, old, new)


def _people(
    what: str, matched: Matched[_Someone], person: Callable[[_Someone], Person], old: Trial, new: Trial
) -> Iterator[Change]:
    """One entry a person: who is another or is reached otherwise, who came, who went."""
    attribute = _ATTRIBUTES[what]
    for before, after in matched.pairs:
        path = new.path(attribute, after.position)
        told = what_differs(person(before), person(after))
        if told:
            verb = "is " if told.startswith("now ") else ""
            yield _person_changed(what, f"{verb}{told}", person(before), person(after), path)
        yield from leftovers(before.rest, after.rest, path)
    for added in matched.added:
        told = f"{person(added).words} was added"
        yield _person_changed(what, told, None, person(added), new.path(attribute, added.position))
    for removed in matched.removed:
        told = f"{person(removed).words} is no longer listed"
        yield _person_changed(what, told, person(removed), None, old.path(attribute, removed.position))


def _person_changed(what: str, told: str, old: Person | None, new: Person | None, path: str) -> Change:
    before, after = before_and_after([old] if old else [], [new] if new else [])
    who = new or old
    return change(
        f"{what}.changed",
        summary=f"Study {what} {told}",
        subject={"type": what, "name": who.name if who else None},
        before=before,
        after=after,
        path=path,
    )


_ATTRIBUTES = {"official": "officials", "contact": "central_contacts"}

_FAMILIES: dict[str, Callable[[Trial, Trial], Iterator[Change]]] = {
    "lead_sponsor": _lead_sponsor,
    "collaborators": _collaborators,
    "organization": _organization,
    "responsible_party": _responsible_party,
    "officials": _officials,
    "central_contacts": _central_contacts,
}
