"""Which part of a ClinicalTrials.gov record is its content, and which bytes say nothing?

The derived section is computed by the registry and restamped at every release; of it only the tracking of results
submissions and the removed countries are content.
"""

import re
from typing import Any

import msgspec

from snapshots.registry import RegistryError

Json = Any

_DERIVED = ("submissionTracking", "removedCountries")

FIELDS: tuple[str, ...] = (
    "protocolSection",
    "resultsSection",
    "annotationSection",
    "documentSection",
    "hasResults",
    *(f"derivedSection.miscInfoModule.{name}" for name in _DERIVED),
)
"""The list of `fields` to ask the registry for."""

_VERSION_HOLDER = re.compile(rb'("versionHolder"\s*:\s*)"[^"\\]*"')
_encode = msgspec.json.Encoder(order="deterministic").encode


def decode(raw: bytes) -> dict[str, Json]:
    """The study in `raw`: a record of the API, or one wrapped as the history interface wraps it.

    Raises RegistryError(permanent) where `raw` is no JSON object, or its study has no NCT id as text.
    """
    study, _ = decode_with_source(raw)
    return study


def decode_with_source(raw: bytes) -> tuple[dict[str, Json], bool]:
    """The study in `raw` and whether it is a past version from the history interface. Errors as `decode`."""
    try:
        value = msgspec.json.decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise RegistryError(f"not a record: no valid JSON ({error})", permanent=True) from None
    wrapped = isinstance(value, dict) and "protocolSection" not in value and isinstance(value.get("study"), dict)
    study = value["study"] if wrapped else value
    if not record_id(study):
        raise RegistryError(
            "not a record: there is no text at protocolSection.identificationModule.nctId", permanent=True
        )
    return study, wrapped and "studyVersion" in value


def record_id(study: Json) -> str | None:
    """The study's NCT id; None where the value is not shaped like a study."""
    for key in ("protocolSection", "identificationModule", "nctId"):
        study = study.get(key) if isinstance(study, dict) else None
    return study if isinstance(study, str) and study else None


def project(study: dict[str, Json]) -> dict[str, Json]:
    """The study without what is not asked for: the derived section but for the parts in `FIELDS`.

    A top-level section that is new to us stays: nothing a registry says is dropped.
    """
    kept = {key: value for key, value in study.items() if key != "derivedSection"}
    derived = _object(_object(study, "derivedSection"), "miscInfoModule")
    tracked = {name: derived[name] for name in _DERIVED if name in derived}
    return {**kept, "derivedSection": {"miscInfoModule": tracked}} if tracked else kept


def _object(value: dict[str, Json], key: str) -> dict[str, Json]:
    member = value.get(key)
    return member if isinstance(member, dict) else {}


def content(raw: bytes) -> bytes:
    """The canonical bytes of what a record says: two records with the same are one version. Errors as `decode`."""
    return _encode(project(decode(raw)))


def mask(raw: bytes) -> bytes:
    """The bytes with the stamp of the release taken out: what is left stands still while the record does."""
    return _VERSION_HOLDER.sub(rb'\1""', raw) if b'"versionHolder"' in raw else raw
