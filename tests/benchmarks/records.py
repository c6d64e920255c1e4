"""The records that benchmarks run on: real ones where the builders have them, else the demo's invented ones."""

import json
from pathlib import Path

from monitor.demo.standin import read_releases
from monitor.demo.trials import first_day

REAL = Path(__file__).parents[3] / "shared" / "registry"
INVENTED_ID = 98_000_000
PAIR_ID = 97_000_000


def many(count: int) -> tuple[dict[str, bytes], str]:
    """`count` records by id, and where they come from. Few trials are repeated under other, invented ids."""
    studies, origin = _sources()
    return {f"NCT{INVENTED_ID + n}": _renamed(studies[n % len(studies)], INVENTED_ID + n) for n in range(count)}, origin


def _sources() -> tuple[list[bytes], str]:
    if not REAL.is_dir():
        invented = [json.dumps(study, ensure_ascii=False, separators=(",", ":")).encode() for study in first_day()]
        return invented, "the demo's invented trials"
    latest: dict[str, bytes] = {}
    for _, studies in read_releases(REAL / "releases.ndjson.xz"):
        latest.update({record: bytes(study) for record, study in studies.items() if isinstance(study, bytes)})
    return list(latest.values()), f"{len(latest)} real records"


def _renamed(study: bytes, number: int) -> bytes:
    value = json.loads(study)
    value["protocolSection"]["identificationModule"]["nctId"] = f"NCT{number}"
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()


def real_pairs() -> list[tuple[str, bytes, bytes]]:
    """The recorded changes as (id, old, new), each under an invented id of its own, so that one archive can hold them
    all; empty where the records are not at hand.
    """
    found = sorted((REAL / "pairs").glob("*.old.json"))
    return [
        (f"NCT{PAIR_ID + n}", _renamed(old.read_bytes(), PAIR_ID + n), _renamed(_newer(old).read_bytes(), PAIR_ID + n))
        for n, old in enumerate(found)
    ]


def _newer(old: Path) -> Path:
    return old.with_name(old.name.replace(".old.", ".new."))
