"""What a section of a trial's page is made of: parts that stand somewhere in the registry's record."""

from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby
from typing import Any, Literal

from msgspec import Struct

from snapshots.prose import readable
from snapshots.sentences import capitalised, counted, enum_words, partial_date_words
from snapshots.trial import Enrollment, PartialDate, Trial

Json = Any

UNKNOWN_COUNT = 99999999
"""How the registry writes an unknown number of participants."""

Shape = Literal["fact", "text", "item", "entry"]


class Part(Struct, frozen=True, kw_only=True):
    """A piece of a record that can change by itself. `shape`: a "fact" is a name and a short value, a "text" is prose,
    an "item" has a heading, facts and prose of its own (a study group), an "entry" is one line of a list.

    `path` is where it stands in the registry's record, without places in lists: they are reordered at will. Of several
    that stand in one list `key` tells which one it is: the name under which a change calls it.
    """

    shape: Shape
    name: str
    lines: tuple[str, ...]
    path: str
    facts: tuple[tuple[str, str], ...] = ()
    key: str | None = None

    @property
    def text(self) -> str:
        """All that it says, as one text."""
        return "\n".join([*(f"{name}: {value}" for name, value in self.facts), *self.lines])


class Section(Struct, frozen=True, kw_only=True):
    """A section: `help` says what a reader finds in it, `empty` what it means that nothing is said."""

    id: str
    title: str
    help: str
    parts: tuple[Part, ...]
    empty: str | None = None


def grouped_parts(section: Section) -> list[tuple[Shape, list[tuple[int, Part]]]]:
    """The parts of a section, those of one shape that follow each other together, each with its number."""
    together = groupby(enumerate(section.parts), key=lambda numbered: numbered[1].shape)
    return [(shape, list(found)) for shape, found in together]


def fact(trial: Trial, attribute: str, name: str, value: str | None) -> list[Part]:
    """A fact, or nothing where the record does not say it."""
    return [Part(shape="fact", name=name, lines=(value,), path=trial.path(attribute))] if value else []


def text(trial: Trial, attribute: str, said: str | None) -> list[Part]:
    """A text in paragraphs, or nothing."""
    lines = paragraphs(said)
    return [Part(shape="text", name="", lines=lines, path=trial.path(attribute))] if lines else []


def entries(trial: Trial, attribute: str, said: Iterable[str | None]) -> list[Part]:
    """One entry for each that says something."""
    path = trial.path(attribute)
    return [Part(shape="entry", name=each, lines=(each,), path=path, key=each) for each in said if each]


def paragraphs(said: str | None) -> tuple[str, ...]:
    """A registry's prose as paragraphs, without its markup."""
    return tuple(line.strip() for line in readable(said).split("\n") if line.strip())


def facts(*pairs: tuple[str, str | None]) -> tuple[tuple[str, str], ...]:
    """The pairs that say something."""
    return tuple((name, value) for name, value in pairs if value)


def others(rest: Mapping[str, Json]) -> tuple[tuple[str, str], ...]:
    """What an item says beside what is known of such items, under the registry's own names."""
    return facts(*((name, value) for name, value, _ in flattened(rest)))


def words(value: Json) -> str | None:
    """An enumerated value, or several, as people read them; None where nothing is said."""
    if isinstance(value, list | tuple):
        return ", ".join(map(_said, value)) or None
    return None if value is None or value == "" else _said(value)


def _said(value: Json) -> str:
    return "Not applicable" if value == "NA" else capitalised(enum_words(value))


def date(known: PartialDate | None) -> str | None:
    return partial_date_words(known) if known else None


def enrollment_words(known: Enrollment | None) -> str | None:
    """The number of participants with its type: "120 participants (estimated)"."""
    if known is None or known.count is None:
        return None
    count = known.count
    is_number = isinstance(count, int) and not isinstance(count, bool)
    number = "unknown" if count == UNKNOWN_COUNT else counted(count, "participant") if is_number else str(count)
    return f"{number} ({enum_words(known.type)})" if known.type else number


def spaced(name: str) -> str:
    """A registry's key as words: "interventionModelDescription" is "Intervention model description"."""
    spread = "".join(f" {letter.lower()}" if letter.isupper() else letter for letter in name)
    return capitalised(spread.strip())


_NAMES = {
    "oversightHasDmc": "Data monitoring committee",
    "isFdaRegulatedDrug": "Studies a U.S. FDA-regulated drug product",
    "isFdaRegulatedDevice": "Studies a U.S. FDA-regulated device product",
    "isUnapprovedDevice": "Device product not approved or cleared by the U.S. FDA",
    "isPpsd": "Pediatric postmarket surveillance of a device product",
    "isUsExport": "Product manufactured in and exported from the U.S.",
    "fdaaa801Violation": "FDAAA 801 violation",
    "ipdSharing": "Plan to share individual participant data (IPD)",
    "infoTypes": "IPD sharing supporting information",
    "accessCriteria": "Access criteria",
    "url": "Address",
    "whoMasked": "Who is masked",
    "numArms": "Number of arms",
    "numGroups": "Number of groups",
    "genderBased": "Gender-based eligibility",
    "genderDescription": "Gender eligibility description",
    "stdAges": "Age groups",
    "patientRegistry": "Patient registry",
    "targetDuration": "Target follow-up duration",
    "bioSpec": "Biospecimens",
}
"""What the field calls what the registry's keys do not say."""


def named(key: str) -> str:
    """A registry's key in the words of the field, else as `spaced`."""
    return _NAMES.get(key) or spaced(key)


def flattened(value: Mapping[str, Json], path: str = "") -> Iterable[tuple[str, str, str]]:
    """(name, value in words, path) of everything in an object, however deep."""
    for key, inner in value.items():
        place = f"{path}.{key}" if path else key
        if isinstance(inner, Mapping):
            yield from flattened(inner, place)
        elif isinstance(inner, Sequence) and not isinstance(inner, str):
            yield named(key), _listed(inner), place
        elif inner not in (None, ""):
            yield named(key), _plain(inner), place


def _listed(values: Sequence[Json]) -> str:
    return "; ".join(
        ", ".join(f"{name}: {said}" for name, said, _ in flattened(each)) if isinstance(each, Mapping) else _plain(each)
        for each in values
        if not isinstance(each, list)
    )


def _plain(value: Json) -> str:
    if isinstance(value, bool):
        return "Yes" if value else "No"
    return _said(value) if isinstance(value, str) and value.isupper() else str(value)
