"""The records that campaigns run on: all the real ones where they are at hand, and the invented ones always."""

import json
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

from tests import labels
from tests.snapshots.whole_record import whole, with_results

Json = Any


def invented() -> dict[str, Json]:
    """The invented records by name."""
    return {"whole": whole(), "with results": with_results(), "typographic": whole(*_TYPOGRAPHIC)}


_TYPOGRAPHIC = (
    ("protocolSection.contactsLocationsModule.locations[0].facility", 'Hôpital d\'Exemple "Étoile", Århus'),
    ("protocolSection.identificationModule.briefTitle", 'Exámplimab\'s effect - a "double-blind" study (≥ 18 years)'),
    (
        "protocolSection.descriptionModule.detailedDescription",
        'Dose \\> 10 mg/m² & \\< 20 mg - "as needed" \\[see below\\], \\~5 µg.\n\n1. First, don\'t stop\n'
        "2. Then, rest\n\n* Seen at week 4\n* Seen at week 8-12",
    ),
    ("protocolSection.outcomesModule.primaryOutcomes[0].measure", "Température (°C), patient's own"),
)


@cache
def real() -> dict[str, bytes]:
    """The newest recorded version of every real trial, and what stands beside: odd ones, ones with results."""
    if not labels.LABELS:
        return {}
    found = {trial: raw for trial, _, raw in labels.snapshots()}
    found.update((f"studies/{path.stem}", path.read_bytes()) for path in _files("studies", "*.json"))
    newest = {path.parent.name: path for path in _files("versions", "*/*.json")}
    found.update((f"versions/{name}", path.read_bytes()) for name, path in newest.items())
    return found


def whence() -> str:
    """What has to be said of a campaign that had no real records."""
    return "" if labels.LABELS else f" (of INVENTED records only: {labels.ABSENT})"


def decoded(raw: bytes) -> Json:
    """The record as Python has it."""
    return json.loads(raw)


def as_registry_sends(record: Json) -> Json:
    """The record without what a recording tool added to two of them: a field that the registry does not have is
    compared as it stands, with names' letter case and all.
    """
    if isinstance(record, dict):
        return {key: as_registry_sends(member) for key, member in record.items() if not key.endswith("_nested")}
    return [as_registry_sends(member) for member in record] if isinstance(record, list) else record


def _files(folder: str, pattern: str) -> Iterator[Path]:
    yield from sorted((labels.RECORDS / folder).glob(pattern))


Place = tuple[str | int, ...]


def leaves(value: Json, place: Place = ()) -> Iterator[tuple[Place, Json]]:
    """Every value that is neither object nor list, with its place."""
    members = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else None
    if members is None:
        yield place, value
    else:
        for key, member in members:
            yield from leaves(member, (*place, key))


def rewritten(value: Json, rewrite: Any, place: Place = ()) -> Json:
    """A copy in which every text is what `rewrite(place, text)` makes of it."""
    if isinstance(value, dict):
        return {key: rewritten(member, rewrite, (*place, key)) for key, member in value.items()}
    if isinstance(value, list):
        return [rewritten(member, rewrite, (*place, index)) for index, member in enumerate(value)]
    return rewrite(place, value) if isinstance(value, str) else value
