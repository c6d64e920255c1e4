"""Is everything silent that says nothing? Records written otherwise, singly and combined, must tell nothing."""

import html
import json
import random
import re
import time
import unicodedata
from collections.abc import Callable, Sequence
from typing import Any

from snapshots.registries.ctgov.parse import parse
from snapshots.rules import changes_between
from tests.campaigns import records
from tests.campaigns.records import Place, rewritten
from tests.campaigns.results import Result

Json = Any
Noise = Callable[[Json, random.Random], Json]


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


TEXTS = _words(
    "briefSummary detailedDescription eligibilityCriteria description timeFrame whyStopped briefTitle officialTitle "
    "citation measure studyPopulation maskingDescription interventionModelDescription accessCriteria genderDescription "
    "populationDescription preAssignmentDetails recruitmentDetails comment"
)
PROSE = _words("briefSummary detailedDescription eligibilityCriteria description studyPopulation")
NAMES = _words("facility city state country fullName affiliation name")
LABELS = _words("measure armLabel")
LISTED_LABELS = _words("conditions keywords")
ENUMERATED = _words(
    "overallStatus status studyType phases allocation interventionModel primaryPurpose observationalModel "
    "timePerspective masking whoMasked sex samplingMethod role ipdSharing infoTypes reportingStatus paramType"
)
CLASSES = frozenset({"class"})
POSTING = re.compile(r"(?:lastUpdate|studyFirst|resultsFirst|dispFirst)PostDateStruct")


def noises() -> dict[str, Noise]:
    """Every entry of the documentation's "Silence", by name."""
    return dict(_NOISES)


def combined(record: Json, names: Sequence[str], chance: random.Random) -> Json:
    """The record after several noises, in the order in which they keep apart."""
    for name in sorted(names, key=list(_NOISES).index):
        record = _NOISES[name](record, chance)
    return record


def run(seed: int, budget: int) -> Result:
    """Every noise on every real record, and `budget` combinations on random ones. Every case comes again by its seed.

    Without the real records on the invented ones, which the claim then says.
    """
    began = time.monotonic()
    bases = records.real() or {name: json.dumps(record).encode() for name, record in records.invented().items()}
    single = [(name, [noise]) for name in sorted(bases) for noise in _NOISES]
    chance = random.Random(seed)
    combinations = [
        (chance.choice(sorted(bases)), chance.sample(list(_NOISES), chance.randint(2, len(_NOISES))))
        for _ in range(budget)
    ]
    failures = [
        f"{name} with {', '.join(some)}, seed {seed}: {found[0][:200]}"
        for name, some in (*single, *combinations)
        if (found := _found(bases[name], some, random.Random(f"{seed}/{name}/{some}")))
    ]
    return Result(
        name="noise",
        database="none",
        claim="what is written otherwise and says the same tells nothing" + records.whence(),
        counts={"records": len(bases), "single noises": len(single), "combinations": budget},
        failures=failures,
        seconds=time.monotonic() - began,
    )


def _found(raw: bytes, some: Sequence[str], chance: random.Random) -> list[str]:
    record = records.as_registry_sends(records.decoded(raw))
    return told(record, combined(record, some, chance))


def told(one: Json, other: Json) -> list[str]:
    """What is told in either direction."""
    a, b = (parse(json.dumps(record).encode()) for record in (one, other))
    return [f"{change.kind}: {change.summary}" for change in (*changes_between(a, b), *changes_between(b, a))]


# --- order and what is computed ---------------------------------------------------------------------------------------


def _shuffled_lists(record: Json, chance: random.Random) -> Json:
    if isinstance(record, dict):
        return {key: _shuffled_lists(member, chance) for key, member in record.items()}
    if isinstance(record, list):
        return chance.sample([_shuffled_lists(member, chance) for member in record], len(record))
    return record


def _other_key_order(record: Json, chance: random.Random) -> Json:
    if isinstance(record, dict):
        return {key: _other_key_order(record[key], chance) for key in chance.sample(list(record), len(record))}
    return [_other_key_order(member, chance) for member in record] if isinstance(record, list) else record


def _moved_points(record: Json, chance: random.Random) -> Json:
    if isinstance(record, dict):
        return {
            key: {"lat": chance.uniform(-90, 90), "lon": chance.uniform(-180, 180)}
            if key == "geoPoint"
            else _moved_points(member, chance)
            for key, member in record.items()
        }
    return [_moved_points(member, chance) for member in record] if isinstance(record, list) else record


def _other_derived_section(record: Json, chance: random.Random) -> Json:
    derived = record.get("derivedSection") or {}
    misc = {**(derived.get("miscInfoModule") or {}), "versionHolder": f"20{chance.randint(10, 99)}-01-01"}
    browse = {"meshes": [{"id": "D000001", "term": "Invented"}], "ancestors": []}
    return {**record, "derivedSection": {"miscInfoModule": misc, "conditionBrowseModule": browse}}


def _absent_for_false(record: Json, chance: random.Random) -> Json:
    """No expanded access and no word of it; no results and no word of them."""
    record = json.loads(json.dumps(record))
    status = record.get("protocolSection", {}).get("statusModule", {})
    if status.get("expandedAccessInfo") == {"hasExpandedAccess": False}:
        del status["expandedAccessInfo"]
    if record.get("hasResults") is False:
        del record["hasResults"]
    return record


# --- texts ------------------------------------------------------------------------------------------------------------


def _in(keys: frozenset[str], change: Callable[[str, random.Random], str]) -> Noise:
    """A noise of the texts under these keys."""

    def noise(record: Json, chance: random.Random) -> Json:
        return rewritten(record, lambda place, text: change(text, chance) if _key(place) in keys else text)

    return noise


def _key(place: Place) -> Any:
    """Under which key a text stands; an arm's label is a label, a link's is a free text."""
    keys = [key for key in place if isinstance(key, str)]
    return "armLabel" if keys[-2:] == ["armGroups", "label"] else keys[-1]


def _white_space(text: str, chance: random.Random) -> str:
    blanks = chance.choice(["  ", "\u00a0", " \t", "\u2009 "])
    return chance.choice(["", " ", "\n"]) + text.replace(" ", blanks) + chance.choice(["", " ", "\r\n\r\n"])


def _line_breaks(text: str, chance: random.Random) -> str:
    return text.replace("\n", chance.choice(["\r\n", "\n\n", " \n", "\r"]))


def _unicode_form(text: str, chance: random.Random) -> str:
    return unicodedata.normalize(chance.choice(["NFC", "NFD"]), text)


def _quotes(text: str, chance: random.Random) -> str:
    single, double = chance.choice(["’", "‘", "′"]), chance.choice(["“", "”", "„"])
    return text.replace("'", single).replace('"', double)


def _dashes(text: str, chance: random.Random) -> str:
    # a dash that begins a line is a bullet
    return re.sub(r"(?<=\S)-(?=\S)", chance.choice("–—‐‑−"), text)


def _escapes(text: str, chance: random.Random) -> str:
    bare = re.sub(r"\\([<>\[\]~])", r"\1", text)
    if "&" in bare:
        return bare
    return chance.choice(
        [
            bare,
            re.sub(r"([<>\[\]~])", r"\\\1", bare),
            bare.replace(">", "&gt;") if "<" not in bare else re.sub(r"([<>])", r"\\\1", bare),
        ]
    )


_BULLET = re.compile(r"^(\s*)[*•]\s+", re.MULTILINE)
_NUMBER = re.compile(r"^(\s*)(\d{1,2})\.\s+(?=\D)", re.MULTILINE)


def _bullets(text: str, chance: random.Random) -> str:
    sign, number = chance.choice(["- ", "• ", "* ", "•"]), chance.choice([r"\1\2) ", r"\1(\2) ", r"\1* "])
    return _NUMBER.sub(number, _BULLET.sub(rf"\1{sign}", text))


def _as_html(text: str, _: random.Random) -> str:
    """What the registry's history interface makes of a text: paragraphs, lists, entities."""
    bare = re.sub(r"\\([<>\[\]~*_#+.()&-])", r"\1", html.unescape(text) if "<" not in text else text)
    blocks = [block for block in re.split(r"\n\s*\n", bare) if block.strip()]
    return "".join(map(_html_block, blocks))


def _html_block(block: str) -> str:
    lines = block.split("\n")
    if all(re.match(r"\s*[*•]\s", line) for line in lines):
        items = (html.escape(re.sub(r"^\s*[*•]\s+", "", line), quote=False) for line in lines)
        return f"<ul>{''.join(f'<li>{item}</li>' for item in items)}</ul>"
    return f"<p>{'<br>'.join(html.escape(line, quote=False) for line in lines)}</p>"


# --- names, labels, enumerated values ---------------------------------------------------------------------------------


def _other_case(text: str, chance: random.Random) -> str:
    """The text in other letters, where going there and back gives the same ones (the Turkish dotless i does not)."""
    other = chance.choice([text.upper(), text.lower(), text.title()])
    return other if other.casefold() == text.casefold() else text


def _other_punctuation(text: str, chance: random.Random) -> str:
    return chance.choice([text.replace(",", ""), text.replace(" ", "  "), f"{text}.", text.replace(" ", ", ", 1)])


def _label_punctuation(text: str, chance: random.Random) -> str:
    return chance.choice([f"{text}.", f"{text}:", text.replace(", ", " "), text.replace(" ", "  ")])


def _listed_labels(record: Json, chance: random.Random) -> Json:
    return _in(LISTED_LABELS, lambda text, chance: _label_punctuation(_other_case(text, chance), chance))(
        record, chance
    )


def _posting_types(record: Json, chance: random.Random) -> Json:
    def other(place: Place, text: str) -> str:
        posting = place[-1:] == ("type",) and POSTING.fullmatch(str(place[-2]))
        return chance.choice(["ACTUAL", "ESTIMATED"]) if posting else text

    return rewritten(record, other)


_NOISES: dict[str, Noise] = {
    "lists in another order": _shuffled_lists,
    "key order": _other_key_order,
    "geo points": _moved_points,
    "derived section": _other_derived_section,
    "absent for false": _absent_for_false,
    "posting date types": _posting_types,
    "organisation class": _in(CLASSES, lambda _, chance: chance.choice(["OTHER", "INDUSTRY", "NETWORK"])),
    "case of enumerations": _in(ENUMERATED, lambda text, _: text.lower()),
    "case of names": _in(NAMES, _other_case),
    "punctuation of names": _in(NAMES, _other_punctuation),
    "case of labels": _in(LABELS, _other_case),
    "punctuation of labels": _in(LABELS, _label_punctuation),
    "conditions and keywords": _listed_labels,
    "bullets and numbering": _in(PROSE, _bullets),
    "escapes": _in(TEXTS, _escapes),
    "HTML of the same text": _in(PROSE, _as_html),
    "line breaks": _in(TEXTS, _line_breaks),
    "white space": _in(TEXTS, _white_space),
    "quotes": _in(TEXTS, _quotes),
    "dashes": _in(TEXTS, _dashes),
    "Unicode form": _in(TEXTS | NAMES | LABELS, _unicode_form),
}
"""Those that look for a layout stand before those that change it."""
