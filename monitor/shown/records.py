"""A stored version, with the record exactly as the registry sent it, as JSON."""

from typing import Any

import msgspec

from monitor.as_of import Answer
from monitor.shown.deliveries import at
from snapshots.archive import Place, VersionInfo, rfc3339
from snapshots.registries.ctgov.ids import record_page

Json = Any
_DAY = ("asked", "answer", "sentence", "dated_by", "date", "last_shown", "confirmed", "next_look", "or_version")


def version_json(version: VersionInfo, place: Place, record_id: str, title: str, raw: bytes) -> dict[str, Json]:
    """A version and the record in it; `record_id` and `title` are what it says itself. `version` is its number in the
    archive, `place` which of its record's versions it is.
    """
    return {
        "registry": version.registry,
        "id": record_id,
        "title": title,
        "url": record_page(record_id),
        "version": version.number,
        **_place_json(place),
        "release": version.release,
        "registry_date": version.registry_date,
        "registry_version": version.registry_version,
        "observed_at": rfc3339(version.observed_at),
        "sha256": version.raw_sha256.hex(),
        "record": msgspec.Raw(raw),
    }


def day_json(answer: Answer) -> dict[str, Json]:
    """What is to be said of the day that was asked for."""
    return {"as_of": {name: getattr(answer, name) for name in _DAY}}


def _place_json(place: Place) -> dict[str, Json]:
    return {"place": place.place, "places": place.of}


def listed_json(version: VersionInfo, place: Place) -> dict[str, Json]:
    """A version in a list: its dates, size and hashes; `pruned_at` and `pruned_by` where its bytes were taken away."""
    return {
        "version": version.number,
        **_place_json(place),
        "id": version.registry_id,
        "source": version.source,
        "release": version.release,
        "registry_date": version.registry_date,
        "registry_version": version.registry_version,
        "observed_at": rfc3339(version.observed_at),
        "size": version.raw_size,
        "sha256": version.raw_sha256.hex(),
        "pruned_at": at(version.pruned_at),
        "pruned_by": version.pruned_by,
    }
