"""What changed about who may take part: age, sex, healthy volunteers, criteria, study population."""

from collections.abc import Iterator, Mapping
from typing import Any

from snapshots.canonical import age_days, age_key, enum_key, same_text
from snapshots.changes import Change
from snapshots.prose import SECTIONS, Section, SectionDifference, criteria_differences
from snapshots.rules.build import change
from snapshots.rules.fields import differing_members
from snapshots.sentences import capitalised, clipped, counted, enum_words, listed, quoted
from snapshots.trial import Trial

Json = Any

COVERS = frozenset({"eligibility_criteria", "minimum_age", "maximum_age", "sex", "healthy_volunteers", "population"})


def changes(old: Trial, new: Trial) -> list[Change]:
    """Changes of the criteria and of the structured limits; each kind has one entry."""
    return [*_age(old, new), *_sex(old, new), *_volunteers(old, new), *_criteria(old, new), *_population(old, new)]


# --- limits -----------------------------------------------------------------------------------------------------------

_LIMITS = {"minimum_age": "minimum age", "maximum_age": "maximum age"}


def _age(old: Trial, new: Trial) -> Iterator[Change]:
    limits = [name for name in _LIMITS if age_key(getattr(old, name)) != age_key(getattr(new, name))]
    if not limits:
        return
    before, after = ({name: getattr(trial, name) for name in limits} for trial in (old, new))
    told = "; ".join(_limit_told(_LIMITS[name], before[name], after[name]) for name in limits)
    only = limits[0] if len(limits) == 1 else None
    spelled = {name: new.path(name).rpartition(".")[2] for name in limits}
    yield change(
        "eligibility.age_changed",
        summary=capitalised(told),
        before=before[only] if only else {spelled[name]: before[name] for name in limits},
        after=after[only] if only else {spelled[name]: after[name] for name in limits},
        path=new.path(only) if only else new.path("minimum_age").rpartition(".")[0],
    )


def _limit_told(words: str, before: str | None, after: str | None) -> str:
    if age_key(before) is None:
        return f"{words} set to {clipped(after)} (there was none)"
    if age_key(after) is None:
        return f"{words} removed (was {clipped(before)})"
    days = age_days(before), age_days(after)
    verb = "changed" if days[0] is None or days[1] is None else "raised" if days[1] > days[0] else "lowered"
    return f"{words} {verb} from {clipped(before)} to {clipped(after)}"


def _sex(old: Trial, new: Trial) -> Iterator[Change]:
    if enum_key(old.sex) != enum_key(new.sex):
        yield change(
            "eligibility.sex_changed",
            summary=f"Sex of participants changed from {_sex_words(old.sex)} to {_sex_words(new.sex)}",
            before=old.sex,
            after=new.sex,
            path=new.path("sex"),
        )


def _sex_words(sex: str | None) -> str:
    return "not stated" if sex is None else enum_words(sex)


def _volunteers(old: Trial, new: Trial) -> Iterator[Change]:
    if old.healthy_volunteers == new.healthy_volunteers:
        return
    words = {True: "accepted", False: "not accepted", None: "not mentioned"}
    now, was = words[new.healthy_volunteers], words[old.healthy_volunteers]
    yield change(
        "eligibility.healthy_volunteers_changed",
        summary=f"Healthy volunteers are {now} now (before: {was})",
        before=old.healthy_volunteers,
        after=new.healthy_volunteers,
        path=new.path("healthy_volunteers"),
    )


# --- criteria ---------------------------------------------------------------------------------------------------------


def _criteria(old: Trial, new: Trial) -> Iterator[Change]:
    """One entry with the criteria themselves: `before` holds under inclusion and exclusion what was removed and the
    older words of what was reworded, `after` what was added and the newer words, in the same order.
    """
    if same_text(old.eligibility_criteria, new.eligibility_criteria):
        return
    found = criteria_differences(old.eligibility_criteria, new.eligibility_criteria)
    yield change(
        "eligibility.criteria_changed",
        summary=_criteria_told(found),
        before={
            section: {"removed": list(those.removed), "reworded": [one for one, _ in those.reworded]}
            for section, those in found.items()
        },
        after={
            section: {"added": list(those.added), "reworded": [other for _, other in those.reworded]}
            for section, those in found.items()
        },
        path=new.path("eligibility_criteria"),
    )


def _criteria_told(found: Mapping[Section, SectionDifference]) -> str:
    parts = [part for section in SECTIONS for part in _section_told(section, found[section])]
    if not parts:
        return "Eligibility criteria were put in another order or under other headings; no criterion changed"
    return f"Eligibility criteria changed: {listed(parts)}"


def _section_told(section: Section, those: SectionDifference) -> Iterator[str]:
    """How many were added, removed and reworded; the words themselves where there is just one."""
    for verb, texts in (
        ("added", those.added),
        ("removed", those.removed),
        ("reworded", [other for _, other in those.reworded]),
    ):
        if texts:
            shown = f" ({quoted(texts[0])})" if len(texts) == 1 else ""
            yield f"{counted(len(texts), f'{section} criterion', f'{section} criteria')} {verb}{shown}"


# --- population -------------------------------------------------------------------------------------------------------

_POPULATION_WORDS = {
    "studyPopulation": "study population",
    "samplingMethod": "sampling method",
    "genderBased": "eligibility based on gender",
    "genderDescription": "description of gender eligibility",
}
_ENUMERATED = frozenset({"samplingMethod"})


def _population(old: Trial, new: Trial) -> Iterator[Change]:
    members = differing_members(old.population, new.population, _ENUMERATED)
    if members:
        before, after = members.values()
        yield change(
            "eligibility.population_changed",
            summary=members.told(_POPULATION_WORDS, _ENUMERATED),
            before=before,
            after=after,
            path=".".join(filter(None, (new.path("population"), members.only))),
        )
