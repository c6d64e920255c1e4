"""Is this text one mailbox that mail can be sent to? Pure; asked when an address is given and again when mail goes."""

import re

from notifiers.clean_text import one_line

_SPEC = re.compile(r"[^\s\x00-\x1f\x7f<>()\[\],;:\"\\@]{1,64}@[^\s\x00-\x1f\x7f<>()\[\],;:\"\\@]{1,253}")
_OTHERWISE_SINCE_2008 = frozenset("\u00df\u03c2\u200c\u200d")
"""Letters that IDNA 2003, as Python has it, turns into others and IDNA 2008 keeps: they would name another's domain."""


def is_mailbox(spec: str) -> bool:
    """Whether the text has the shape of a mail address, whatever its domain."""
    return _SPEC.fullmatch(spec) is not None


def mailbox(spec: str) -> str:
    """The address with its domain in ASCII. Quoted local parts are refused: nobody has one, and many tricks do.

    Raises ValueError naming what is no mail address or no domain.
    """
    if not is_mailbox(spec):
        raise ValueError(f"“{one_line(spec, 80)}” is not a mail address")
    local, _, domain = spec.rpartition("@")
    return f"{local}@{_ascii_domain(domain)}"


def _ascii_domain(domain: str) -> str:
    if not _OTHERWISE_SINCE_2008.isdisjoint(domain):
        raise ValueError(f"“{one_line(domain, 80)}” is read differently by different systems; give its form xn--…")
    try:
        return domain.encode("idna").decode("ascii").lower()
    except UnicodeError:
        raise ValueError(f"“{one_line(domain, 80)}” is not a mail domain") from None
