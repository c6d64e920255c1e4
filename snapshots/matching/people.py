"""Who is who among contacts and officials."""

from collections.abc import Hashable, Sequence

import msgspec

from snapshots.canonical import email_key, enum_key, name_key, phone_digits, value_key
from snapshots.matching.engine import ByKey, Matched, match
from snapshots.trial import Contact, Official, Part

_encode = msgspec.json.Encoder(order="deterministic").encode


def match_contacts(old: Sequence[Contact], new: Sequence[Contact]) -> Matched[Contact]:
    """Contacts by e-mail, then by name and role, then by the digits of their phone."""
    return match(old, new, _CONTACT_PASSES)


def match_officials(old: Sequence[Official], new: Sequence[Official]) -> Matched[Official]:
    """Officials by name and role, then whoever is the only one of a role."""
    return match(old, new, _OFFICIAL_PASSES)


def contact_key(contact: Contact) -> tuple[str, str, str, str, str]:
    """What a contact says: name, role, digits of phone and extension, e-mail."""
    return (
        name_key(contact.name),
        enum_key(contact.role) or "",
        phone_digits(contact.phone),
        phone_digits(contact.phone_ext),
        email_key(contact.email),
    )


def contacts_key(contacts: Sequence[Contact]) -> tuple[tuple[str, ...], ...]:
    """What a list of contacts says, in whatever order."""
    return tuple(sorted(map(contact_key, contacts))) if contacts else ()


def rest_key(item: Part) -> bytes:
    """What an item's fields that no attribute takes say; empty where there are none."""
    return _encode(value_key(item.rest)) if item.rest else b""


def _everything(contact: Contact) -> Hashable:
    return contact_key(contact), rest_key(contact)


def _email(contact: Contact) -> Hashable | None:
    return email_key(contact.email) or None


def _name(contact: Contact) -> Hashable:
    return name_key(contact.name)


def _name_and_role(contact: Contact) -> Hashable | None:
    return (name_key(contact.name), enum_key(contact.role)) if name_key(contact.name) else None


def _phone(contact: Contact) -> Hashable | None:
    return phone_digits(contact.phone) or None


_CONTACT_PASSES = (
    ByKey(key=_everything),
    ByKey(key=_email, prefer=(_name_and_role, _name, _phone)),
    ByKey(key=_name_and_role, prefer=(_phone,)),
    ByKey(key=_phone, prefer=(_name,)),
)


def _official_name_and_role(official: Official) -> Hashable | None:
    return (name_key(official.name), enum_key(official.role)) if name_key(official.name) else None


def _affiliation(official: Official) -> Hashable:
    return name_key(official.affiliation)


def _everything_of_official(official: Official) -> Hashable:
    return _official_name_and_role(official), enum_key(official.role), _affiliation(official), rest_key(official)


def _role(official: Official) -> Hashable | None:
    return enum_key(official.role)


_OFFICIAL_PASSES = (
    ByKey(key=_everything_of_official),
    ByKey(key=_official_name_and_role, prefer=(_affiliation,)),
    ByKey(key=_role, only=True),
)
