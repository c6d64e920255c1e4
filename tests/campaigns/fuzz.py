"""Does any record break reading or comparing? Hostile shapes and broken bytes must give an answer, and in good time."""

import json
import random
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import msgspec

from snapshots.changes import to_json
from snapshots.registries.ctgov.parse import content, parse
from snapshots.registry import RegistryError
from snapshots.rules import changes_between
from tests.campaigns import records
from tests.campaigns.results import Result

Json = Any
Spoil = Callable[[Json, random.Random], None]

SECONDS = 5.0
"""A generous limit for one pair: the largest real record takes a hundredth of it."""
LARGE = 200_000
"""Bytes; only every hundredth case takes a larger record, so that the campaign tries shapes and not sizes."""

HOSTILE: tuple[Json, ...] = (
    *(None, True, False, 0, -1, 7, 99999999, 10**30, 3.14, -0.0, 1e308),
    *("", " ", "\x00", "\ud83d", "0", "2026-13-45", "next spring", "0000-00-00", "9999-12-31", "-5 Years", "1e9 Years"),
    *("RECRUITING", "recruiting", "A_STATUS_OF_TOMORROW", "<p>", "&#0;&#xFFFFFF;", "\\" * 50, "* " * 50, "ﷺ" * 20),
    *("Inclusion Criteria:" * 20, "(" * 200, "1. 2. 3) (a) iv. - * •", "a" * 5000, "é" * 2000, "\u202e\u200bx\ufeff"),
    *([], [[]], [{}], [None], ["a", 1, None, {}], {}, {"": ""}, {"id": None}, {"type": [], "date": {}}),
    *({"lat": "x", "lon": []}, {"date": 2026, "type": 5}, {"count": "many", "type": []}, [[["deep"]]]),
)
KEYS = (
    "id",
    "type",
    "date",
    "title",
    "label",
    "status",
    "measure",
    "facility",
    "groups",
    "__proto__",
    "rest",
    "",
    "a.b[0]",
)


def run(seed: int, budget: int, bases: Mapping[str, bytes] | None = None) -> Result:
    """`budget` spoilt records, each read, and compared with its origin both ways and with itself.

    Case n of a seed is the same whatever the budget. Without `bases` they are made from the real records where those
    are at hand, else from the invented ones.
    """
    began, slowest, failures = time.monotonic(), 0.0, []
    sources = bases or records.real() or invented()
    small = sorted(name for name, raw in sources.items() if len(raw) < LARGE) or sorted(sources)
    for number in range(budget):
        chance = random.Random(f"{seed}/{number}")
        name = chance.choice(sorted(sources) if number % 100 == 0 else small)
        taken, failure = _timed(sources[name], chance)
        slowest = max(slowest, taken)
        if failure:
            failures.append(f"case {number} of seed {seed} on {name}: {failure}")
    return Result(
        name="fuzz",
        database="none",
        claim="no record makes reading or comparing fail or hang" + ("" if bases else records.whence()),
        counts={"records": len(sources), "cases": budget, "slowest case, ms": round(slowest * 1000)},
        failures=failures,
        seconds=time.monotonic() - began,
    )


def _timed(raw: bytes, chance: random.Random) -> tuple[float, str | None]:
    started = time.perf_counter()
    failure = _case(raw, chance)
    taken = time.perf_counter() - started
    return taken, failure or (f"took {taken:.1f} s" if taken > SECONDS else None)


def invented() -> dict[str, bytes]:
    """The invented records as they are sent."""
    return {name: json.dumps(record).encode() for name, record in records.invented().items()}


def _case(raw: bytes, chance: random.Random) -> str | None:
    """What went wrong with one spoilt record; None where nothing did."""
    try:
        if chance.random() < 0.1:
            return _read_or_refused(_broken_bytes(raw, chance))
        return _compared(raw, spoilt(records.decoded(raw), chance))
    except Exception as error:
        return f"{type(error).__name__}: {str(error)[:200]}"


def _read_or_refused(raw: bytes) -> None:
    """Bytes that are no record are refused by the one error that callers know."""
    try:
        parse(raw)
        content(raw)
    except RegistryError:
        return


def _compared(raw: bytes, record: Json) -> str | None:
    # a lone surrogate has no UTF-8; as an escape it is what a careless sender sends
    sent = json.dumps(record).encode()
    try:
        other = parse(sent)
        content(sent)
    except RegistryError:
        return None
    origin = parse(raw)
    if itself := changes_between(other, parse(sent)):
        return f"differs from itself: {itself[0].kind}: {itself[0].summary[:150]}"
    for change in (*changes_between(origin, other), *changes_between(other, origin)):
        msgspec.json.encode(to_json(change))
        if not change.summary or "\n" in change.summary:
            return f"{change.kind} has no sentence of one line: {change.summary!r}"
    return None


def _broken_bytes(raw: bytes, chance: random.Random) -> bytes:
    at = chance.randrange(len(raw))
    return chance.choice(
        [
            raw[:at],
            raw[:at] + bytes([chance.randrange(256)]) + raw[at + 1 :],
            raw[:at] + b"\xff\xfe" + raw[at:],
            b"\xef\xbb\xbf" + raw,
            raw[at:],
            b"[" * 100_000,
            b'{"protocolSection":' * 2000,
            chance.choice([b"", b"null", b"[]", b"{}", b'"x"', b"7", b'{"protocolSection":null}', b"<html>"]),
        ]
    )


# --- spoiling a record ------------------------------------------------------------------------------------------------


def spoilt(record: Json, chance: random.Random) -> Json:
    """The record after one to six random misfortunes; it may be left without its id."""
    for _ in range(chance.choice([1, 1, 1, 2, 3, 6])):
        chance.choice(_SPOILS)(record, chance)
    return record


def _somewhere(record: Json, chance: random.Random) -> tuple[Json, Any] | None:
    """A random object or list and one of its keys, at any depth."""
    here, found = record, None
    while isinstance(here, dict | list) and here:
        key = chance.choice(list(here)) if isinstance(here, dict) else chance.randrange(len(here))
        found = (here, key)
        if chance.random() < 0.15:
            break
        here = here[key]
    return found


def _at_a_place(spoil: Callable[[Json, Any, random.Random], None]) -> Spoil:
    def spoiling(record: Json, chance: random.Random) -> None:
        place = _somewhere(record, chance)
        if place:
            spoil(*place, chance)

    return spoiling


def _replace(holder: Json, key: Any, chance: random.Random) -> None:
    holder[key] = json.loads(json.dumps(chance.choice(HOSTILE)))


def _remove(holder: Json, key: Any, _: random.Random) -> None:
    del holder[key]


def _as_text(holder: Json, key: Any, _: random.Random) -> None:
    if not isinstance(holder[key], dict | list):
        holder[key] = str(holder[key])


def _as_number(holder: Json, key: Any, chance: random.Random) -> None:
    holder[key] = chance.choice([0, 12, 1.5, -3])


def _in_a_list(holder: Json, key: Any, _: random.Random) -> None:
    holder[key] = [holder[key]]


def _alone(holder: Json, key: Any, _: random.Random) -> None:
    if isinstance(holder[key], list):
        holder[key] = holder[key][0] if holder[key] else None


def _repeated(holder: Json, key: Any, chance: random.Random) -> None:
    if isinstance(holder[key], list):
        holder[key] = (holder[key] * chance.choice([2, 3, 30]))[:600]


def _null_items(holder: Json, key: Any, _: random.Random) -> None:
    if isinstance(holder[key], list):
        holder[key] = [None for _ in holder[key]]


def _stranger(holder: Json, key: Any, chance: random.Random) -> None:
    if isinstance(holder, dict):
        holder[chance.choice(KEYS)] = json.loads(json.dumps(chance.choice(HOSTILE)))


def _swapped(holder: Json, key: Any, chance: random.Random) -> None:
    keys = list(holder) if isinstance(holder, dict) else list(range(len(holder)))
    other = chance.choice(keys)
    holder[key], holder[other] = holder[other], holder[key]


def _longer_text(holder: Json, key: Any, chance: random.Random) -> None:
    if isinstance(holder[key], str):
        holder[key] = chance.choice(
            [holder[key][::-1], holder[key] * 20, f"{holder[key]}\n\n* x\n1. y", holder[key] + "\x00"]
        )


_SPOILS: Sequence[Spoil] = tuple(
    map(
        _at_a_place,
        (
            *(_replace, _replace, _replace, _remove, _remove, _as_text, _as_number, _in_a_list, _alone),
            *(_repeated, _null_items, _stranger, _stranger, _swapped, _longer_text),
        ),
    )
)
