"""Which ClinicalTrials.gov record did a person mean?"""

import re
import unicodedata
from urllib.parse import urlsplit

from msgspec import Struct

REGISTRY_HOST = "clinicaltrials.gov"

_ID = re.compile(r"NCT(?!0{8})[0-9]{8}")
_BARE = re.compile(r"NCT[\s:#_-]*([0-9]{8})")
_IN_TEXT = re.compile(r"(?<![A-Z0-9])NCT[\s:#._-]{0,3}([0-9]{8}|[0-9]{4}[\s-][0-9]{4})(?![0-9])")
_MISTYPED = re.compile(r"(?<![A-Z0-9])NCT[\s:#._-]{0,3}[0-9][0-9A-Z]*|(?<![A-Z0-9])NCT[0-9A-Z]{4,}")
_ELSEWHERE = re.compile(
    r"(?<![A-Z0-9])(?:(?:ISRCTN|DRKS|JRCTS?|UMIN|JAPICCTI-?|JMA-IIA|ACTRN|KCT|PACTR|TCTR|LBCTR|RPCEC|NTR|NL-OMON)[0-9]{4,}"
    r"|EUCTR[0-9][0-9-]{5,}[0-9](?:-[A-Z]{2,5})?|(?:CHICTR|ITMCTR|JPRN)-?(?:[A-Z]+-?)?[0-9]{4,}|IRCT[0-9]{4,}(?:N[0-9]+)?"
    r"|RBR-[0-9A-Z]{5,}|CTRI/[0-9]{4}/[0-9/]*[0-9]|SLCTR/[0-9]{4}/[0-9]+|20[0-9]{2}-5[0-9]{5}-[0-9]{2}-[0-9]{2})(?![A-Z0-9])"
)
_IN_ADDRESS = re.compile(r"(?<![A-Z0-9])NCT[0-9]{8}(?![0-9])")


def is_id(text: str) -> bool:
    """Whether `text` is an id as the registry writes it: "NCT" and eight digits that are not all zero."""
    return _ID.fullmatch(text) is not None


def record_page(record_id: str) -> str:
    """Where a person reads the record."""
    return f"https://{REGISTRY_HOST}/study/{record_id}"


def normalise(text: str) -> str:
    """The id that `text` means: an id in any case, width and spacing, or an address of one record at the registry.

    Raises ValueError that names the text.
    """
    plain = _plain(text)
    bare = _BARE.fullmatch(plain)
    found = {f"NCT{bare[1]}"} if bare else _ids_in_address(plain)
    if len(found) == 1 and is_id(record := found.pop()):
        return record
    if bare and not is_id(f"NCT{bare[1]}"):
        raise ValueError(f"not a ClinicalTrials.gov id: {text!r} (the registry gives no number that is all zeros)")
    raise ValueError(
        f"not a ClinicalTrials.gov id: {text!r} (expected NCT and eight digits, or a record's address there)"
    )


class Pasted(Struct, frozen=True):
    """What a pasted text holds: `ids` in their order, each once; `mistyped` what looks like an id and is none;
    `elsewhere` ids of other registries.
    """

    ids: tuple[str, ...]
    mistyped: tuple[str, ...]
    elsewhere: tuple[str, ...]


def pasted(text: str) -> Pasted:
    """The ids in a text of any form: a list, a table, a mail, addresses, "NCT 0123 4567"."""
    plain = _plain(text)
    ids: dict[str, None] = {}
    mistyped: dict[str, None] = {}
    for found in _IN_TEXT.finditer(plain):
        record = "NCT" + "".join(letter for letter in found[1] if letter.isdigit())
        (ids if is_id(record) else mistyped)[record] = None
    rest = _IN_TEXT.sub(" ", plain)
    mistyped |= dict.fromkeys(" ".join(found[0].split()) for found in _MISTYPED.finditer(rest))
    return Pasted(tuple(ids), tuple(mistyped), tuple(dict.fromkeys(_ELSEWHERE.findall(rest))))


def _plain(text: str) -> str:
    # full-width forms become plain ones; format characters (zero-width spaces, byte order marks) come with pasted text
    folded = unicodedata.normalize("NFKC", text)
    return "".join(letter for letter in folded if unicodedata.category(letter) != "Cf").strip().upper()


def _ids_in_address(plain: str) -> set[str]:
    try:
        host = urlsplit(plain if "//" in plain else f"//{plain}").hostname or ""
    except ValueError:
        return set()
    ours = host == REGISTRY_HOST or host.endswith(f".{REGISTRY_HOST}")
    return set(_IN_ADDRESS.findall(plain)) if ours else set()
