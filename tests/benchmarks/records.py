"""The records that benchmarks run on: real ones where the builders have them, else the demo's invented ones."""

import json
from collections import defaultdict
from pathlib import Path

from monitor.demo.standin import read_releases
from monitor.demo.trials import first_day

REAL = Path(__file__).parents[3] / "shared" / "registry"
INVENTED_ID = 98_000_000


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
    """The recorded changes as (id, old, new); empty where the records are not at hand."""
    return [
        (old.name[:11], old.read_bytes(), old.with_name(old.name.replace(".old.", ".new.")).read_bytes())
        for old in sorted((REAL / "pairs").glob("*.old.json"))
    ]


def rounds(pairs: list[tuple[str, bytes, bytes]]) -> list[list[tuple[str, bytes, bytes]]]:
    """The pairs in groups that hold each trial once, since one archive has one newest version of it."""
    by_trial: dict[str, list[tuple[str, bytes, bytes]]] = defaultdict(list)
    for pair in pairs:
        by_trial[pair[0]].append(pair)
    longest = max(map(len, by_trial.values()))
    return [[pairs[n] for pairs in by_trial.values() if n < len(pairs)] for n in range(longest)]
