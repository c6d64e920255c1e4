"""How long what people write may be; what is longer is said to be, and never cut."""

from collections.abc import Mapping

from notifiers import names

NAME, TEXT, SEARCHED = names.LONGEST, 2000, 500
LONGEST = {
    **dict.fromkeys(("group", "owner", "name"), NAME),
    **dict.fromkeys(("note", "reason"), TEXT),
    **dict.fromkeys(("query.cond", "query.intr", "query.locn", "query.spons", "query.term"), SEARCHED),
}
"""Characters, by the field's name."""


def too_long(said: Mapping[str, str]) -> dict[str, str]:
    """What is wrong with fields that are longer than they may be, by field; fields without a limit are left alone."""
    found = ((name, len(text), LONGEST.get(name)) for name, text in said.items())
    return {
        name: f"At most {most:,} characters, please: this has {length:,}."
        for name, length, most in found
        if most is not None and length > most
    }
