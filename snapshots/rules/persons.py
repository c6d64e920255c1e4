"""How contacts and officials are told: who they are in words, and what about them differs."""

from collections.abc import Callable, Mapping, Sequence

from msgspec import Struct

from snapshots.canonical import email_key, enum_key, name_key, phone_digits
from snapshots.sentences import clipped, enum_words
from snapshots.trial import Contact, Official


class Person(Struct, frozen=True):
    """A person or desk: `shown` are their parts in words, only those that are given; `said` are the parts' keys."""

    shown: Mapping[str, str]
    said: Mapping[str, str]

    @property
    def name(self) -> str:
        """The name, else whatever else tells who is meant."""
        return self.shown.get("name") or self.words

    @property
    def words(self) -> str:
        """All that is known: "Kim Roe, study coordinator, 555-0100, kim@example.org"."""
        return ", ".join(self.shown.values()) or "an unnamed person"


def contact_person(contact: Contact) -> Person:
    """A contact as a person: name, role, phone, extension, e-mail."""
    return Person(
        _given(
            name=contact.name,
            role=contact.role and enum_words(contact.role),
            phone=contact.phone,
            extension=contact.phone_ext and f"ext. {contact.phone_ext}",
            **{"e-mail": contact.email},
        ),
        {
            "name": name_key(contact.name),
            "role": enum_key(contact.role) or "",
            "phone": phone_digits(contact.phone),
            "extension": phone_digits(contact.phone_ext),
            "e-mail": email_key(contact.email),
        },
    )


def official_person(official: Official) -> Person:
    """An official as a person: name, role, affiliation."""
    return Person(
        _given(name=official.name, role=official.role and enum_words(official.role), affiliation=official.affiliation),
        {
            "name": name_key(official.name),
            "role": enum_key(official.role) or "",
            "affiliation": name_key(official.affiliation),
        },
    )


def _given(**parts: str | None) -> dict[str, str]:
    return {part: clipped(value) for part, value in parts.items() if value and value.strip()}


def what_differs(before: Person, after: Person) -> str:
    """Which parts of one person differ, in words; "" where none does: "Kim Roe: phone 555-0101 (was: 555-0100)",
    "now Lee Doe (was: Kim Roe), role other (was: contact)".
    """
    parts = [part for part, key in after.said.items() if before.said[part] != key]
    told = [f"{part} {after.shown.get(part, 'none')} (was: {before.shown.get(part, 'none')})" for part in parts]
    if "name" not in parts:
        return f"{after.name}: {', '.join(told)}" if parts else ""
    return ", ".join([f"now {after.name} (was: {before.name})", *told[1:]])


def before_and_after(before: Sequence[Person], after: Sequence[Person]) -> tuple[str | None, str | None]:
    """The people of both versions, joined by "; ": by name, or where the names are equal by all that is known."""
    if _names(before) == _names(after):
        return _joined(before, lambda person: person.words), _joined(after, lambda person: person.words)
    return _joined(before, lambda person: person.name), _joined(after, lambda person: person.name)


def _names(people: Sequence[Person]) -> list[str]:
    return sorted(person.said["name"] for person in people)


def _joined(people: Sequence[Person], words: Callable[[Person], str]) -> str | None:
    return "; ".join(words(person) for person in people) or None
