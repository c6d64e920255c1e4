"""Which ClinicalTrials.gov record did a person mean?"""

import re
import unicodedata
from urllib.parse import urlsplit

REGISTRY_HOST = "clinicaltrials.gov"

_ID = re.compile(r"NCT(?!0{8})[0-9]{8}")
_BARE = re.compile(r"NCT[\s:#_-]*([0-9]{8})")
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
    raise ValueError(
        f"not a ClinicalTrials.gov id: {text!r} (expected NCT and eight digits, or a record's address there)"
    )


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
