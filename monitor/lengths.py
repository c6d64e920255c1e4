"""How long what people write of a watch may be; what is longer is said to be, and never cut."""

from collections.abc import Mapping

LONGEST = {"group": 200, "note": 2000, "reason": 2000, "name": 200,
           **dict.fromkeys(("query.cond", "query.intr", "query.locn", "query.spons", "query.term"), 500)}  # fmt: skip
"""Letters, by field."""


def too_long(said: Mapping[str, str]) -> dict[str, str]:
    """What is wrong with fields that are longer than they may be, by field; fields without a limit are left alone."""
    found = ((name, len(text), LONGEST.get(name)) for name, text in said.items())
    return {
        name: f"At most {most:,} characters, please: this has {length:,}."
        for name, length, most in found
        if most is not None and length > most
    }
