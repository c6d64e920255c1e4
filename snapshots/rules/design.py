"""What changed in the design: enrollment, phase, type of study, arms, interventions."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from snapshots.canonical import age_key, enum_key, enum_value_key, value_key
from snapshots.changes import Change, Subject
from snapshots.diff import differences
from snapshots.kinds import Severity
from snapshots.matching.arms import Echo, echo_of_arms, echo_of_interventions, match_arms, match_interventions
from snapshots.rules.build import change, leftovers
from snapshots.rules.fields import (
    Compared,
    Field,
    before_and_after,
    compared,
    enum_field,
    field_told,
    label_field,
    names_key,
    spelled_out,
    text_field,
    told,
)
from snapshots.sentences import capitalised, enum_words, quoted
from snapshots.trial import Arm, Enrollment, Intervention, Trial

Json = Any

COVERS = frozenset({"study_type", "phases", "enrollment", "design", "arms", "interventions"})


def changes(old: Trial, new: Trial) -> list[Change]:
    """Changes of enrollment, phases, type of study, other fields of the design, arms and interventions."""
    return [
        *_enrollment(old, new),
        *_study_type(old, new),
        *_phases(old, new),
        *_design(old, new),
        *_arms_and_interventions(old, new),
    ]


# --- enrollment -------------------------------------------------------------------------------------------------------

_UNKNOWN_COUNT = 99999999
_PLANNED = frozenset({None, "ESTIMATED", "ANTICIPATED"})
_LARGE_SHARE, _LARGE_NUMBER = 0.2, 100


def _enrollment(old: Trial, new: Trial) -> Iterator[Change]:
    before, after = old.enrollment or Enrollment(), new.enrollment or Enrollment()
    if before == after:
        return
    kind = _enrollment_kind(before, after)
    one, other = _count(before), _count(after)
    if kind is not None:
        yield change(
            kind,
            summary=_ENROLLMENT_WORDS[kind](one, other),
            before=one,
            after=other,
            path=new.path("enrollment"),
            severity=_target_severity(one, other) if kind == "enrollment.target_changed" else None,
        )
    elif _type(before) != _type(after) and not {_type(before), _type(after)} <= _PLANNED:
        yield from leftovers({"type": before.type}, {"type": after.type}, new.path("enrollment"))


def _enrollment_kind(before: Enrollment, after: Enrollment) -> str | None:
    was, now = _type(before) == "ACTUAL", _type(after) == "ACTUAL"
    if was != now:
        return "enrollment.actual_reported" if now else "enrollment.unreached"
    if _count(before) == _count(after):
        return None
    return "enrollment.actual_corrected" if now else "enrollment.target_changed"


def _type(enrollment: Enrollment) -> str | None:
    return enum_key(enrollment.type)


def _count(enrollment: Enrollment) -> Json:
    """The number of participants; None where it is absent or the registry's number for unknown."""
    count = enrollment.count
    if isinstance(count, str) and count.strip().isdecimal():
        count = int(count)
    if isinstance(count, float) and count.is_integer():
        count = int(count)
    return None if count in (None, "", _UNKNOWN_COUNT) else count


def _is_number(count: Json) -> bool:
    return isinstance(count, int | float) and not isinstance(count, bool)


def _target_severity(before: Json, after: Json) -> Severity:
    """Major from 20 % or 100 participants on, and where a number is unknown, so that nobody can say how much it is."""
    if not (_is_number(before) and _is_number(after)):
        return "major"
    moved = abs(after - before)
    return "major" if moved >= _LARGE_NUMBER or moved >= _LARGE_SHARE * before else "minor"


def _target_words(before: Json, after: Json) -> str:
    if before is None or after is None or not (_is_number(before) and _is_number(after)):
        return f"Enrollment target changed from {_people(before)} to {_people(after)}"
    verb = "raised" if after > before else "lowered"
    return f"Enrollment target {verb} from {_people(before)} to {_people(after)}{_share(before, after)}"


def _share(before: float, after: float) -> str:
    if not before:
        return ""
    percent = 100 * (after - before) / before
    size = f"{abs(percent):,.0f}" if abs(percent) >= 1 else f"{abs(percent):.1g}"
    return f" ({'+' if percent > 0 else '−'}{size} %)"


def _people(count: Json) -> str:
    if count is None:
        return "an unknown number"
    return f"{count:,}" if _is_number(count) else quoted(str(count))


def _reported_words(before: Json, after: Json) -> str:
    planned = f"planned: {_people(before)}" if before is not None else "no number was planned"
    return f"Actual enrollment reported: {_people(after)} ({planned})"


def _corrected_words(before: Json, after: Json) -> str:
    return f"Actual enrollment corrected from {_people(before)} to {_people(after)}"


def _unreached_words(before: Json, after: Json) -> str:
    return f"Enrollment is planned again: {_people(after)} (actual before: {_people(before)})"


_ENROLLMENT_WORDS: dict[str, Callable[[Json, Json], str]] = {
    "enrollment.target_changed": _target_words,
    "enrollment.actual_reported": _reported_words,
    "enrollment.actual_corrected": _corrected_words,
    "enrollment.unreached": _unreached_words,
}

# --- type, phases, other fields ---------------------------------------------------------------------------------------


def _study_type(old: Trial, new: Trial) -> Iterator[Change]:
    if enum_key(old.study_type) != enum_key(new.study_type):
        yield change(
            "study_type.changed",
            summary=capitalised(field_told("study type", old.study_type, new.study_type, enumerated=True)),
            before=old.study_type,
            after=new.study_type,
            path=new.path("study_type"),
        )


def _phases(old: Trial, new: Trial) -> Iterator[Change]:
    if set(map(enum_key, old.phases)) != set(map(enum_key, new.phases)):
        yield change(
            "phase.changed",
            summary=f"Phase changed from {_phase_words(old.phases)} to {_phase_words(new.phases)}",
            before=list(old.phases),
            after=list(new.phases),
            path=new.path("phases"),
        )


def _phase_words(phases: tuple[str, ...]) -> str:
    return "/".join("not applicable" if enum_key(phase) == "NA" else enum_words(phase) for phase in phases) or "none"


_DESIGN_WORDS = {
    "allocation": "allocation",
    "interventionModel": "intervention model",
    "interventionModelDescription": "description of the intervention model",
    "primaryPurpose": "primary purpose",
    "observationalModel": "observational model",
    "timePerspective": "time perspective",
    "masking": "masking",
    "maskingDescription": "description of the masking",
    "whoMasked": "who is masked",
    "patientRegistry": "patient registry",
    "targetDuration": "target duration of follow-up",
    "retention": "retention of biospecimens",
    "description": "description of the biospecimens",
    "individual": "expanded access for individual patients",
    "intermediate": "expanded access for intermediate-size populations",
    "treatment": "expanded access under a treatment protocol",
    "nPtrsToThisExpAccNctId": "number of records that point to this expanded access",
}


def _design(old: Trial, new: Trial) -> Iterator[Change]:
    if old.design == new.design:
        return
    before, after = _leaves(old.design), _leaves(new.design)
    keys = ({place: _leaf_key(place, value) for place, value in leaves.items()} for leaves in (before, after))
    for found in differences(*keys):
        place = str(found.place[0])
        yield _design_field(new, place, before.get(place), after.get(place))


def _leaves(value: Mapping[str, Json], prefix: str = "") -> dict[str, Json]:
    """The values that are no objects, by their dotted place; empty ones are as good as absent."""
    leaves: dict[str, Json] = {}
    for key, member in value.items():
        if isinstance(member, Mapping):
            leaves |= _leaves(member, f"{prefix}{key}.")
        elif member not in (None, "", []):
            leaves[prefix + key] = member
    return leaves


def _is_text(place: str) -> bool:
    return place.casefold().endswith("description")


def _is_enumerated(place: str) -> bool:
    field = place.rpartition(".")[2]
    return field in _DESIGN_WORDS and field != "targetDuration" and not _is_text(place)


def _leaf_key(place: str, value: Json) -> Json:
    if isinstance(value, str):
        if place.endswith("targetDuration"):
            return str(age_key(value))
        return enum_key(value) if _is_enumerated(place) else value_key(value)
    return str(enum_value_key(value)) if isinstance(value, list) else value_key(value)


def _design_field(new: Trial, place: str, before: Json, after: Json) -> Change:
    field = place.rpartition(".")[2]
    words = _DESIGN_WORDS.get(field) or spelled_out(field)
    return change(
        "design.changed",
        summary=capitalised(field_told(words, before, after, enumerated=_is_enumerated(place))),
        subject={"type": "field", "name": field},
        before=before,
        after=after,
        path=f"{new.path('design')}.{place}",
        severity="minor" if _is_text(place) else None,
    )


# --- arms and interventions -------------------------------------------------------------------------------------------


def _arms_and_interventions(old: Trial, new: Trial) -> list[Change]:
    """Both lists together: each echoes the names of the other's items."""
    if old.arms == new.arms and old.interventions == new.interventions:
        return []
    interventions = match_interventions(old, new)
    named = echo_of_interventions(interventions)
    arms = match_arms(old, new, named)
    labelled = echo_of_arms(arms)
    found = [_gone("arm", old, "arms", arm, arm.label) for arm in arms.removed]
    found += [_come("arm", new, "arms", arm, arm.label) for arm in arms.added]
    for arm in compared(arms.pairs, _arm_fields(named)):
        found += _differs("arm", new, "arms", arm, "label")
    found += [_gone("intervention", old, "interventions", each, each.name) for each in interventions.removed]
    found += [_come("intervention", new, "interventions", each, each.name) for each in interventions.added]
    for each in compared(interventions.pairs, _intervention_fields(labelled)):
        found += _differs("intervention", new, "interventions", each, "name")
    return found


def _arm_fields(named: Echo) -> tuple[Field, ...]:
    return (
        label_field("label", "label"),
        enum_field("type", "type"),
        text_field("description", "description"),
        Field("intervention_names", "interventions", named.of_old, named.of_new),
    )


def _intervention_fields(labelled: Echo) -> tuple[Field, ...]:
    return (
        label_field("name", "name"),
        enum_field("type", "type"),
        text_field("description", "description"),
        Field("other_names", "other names", names_key),
        Field("arm_labels", "arms", labelled.of_old, labelled.of_new),
    )


def _subject(kind: str, item: Arm | Intervention) -> Subject:
    name = item.label if isinstance(item, Arm) else item.name
    return {"type": kind, "name": name, f"{kind}_type": item.type}


def _gone(kind: str, old: Trial, attribute: str, item: Arm | Intervention, name: str | None) -> Change:
    return change(
        f"{kind}.removed",
        summary=f"{kind.capitalize()} removed: {quoted(name)}",
        subject=_subject(kind, item),
        before=name,
        path=old.path(attribute, item.position),
    )


def _come(kind: str, new: Trial, attribute: str, item: Arm | Intervention, name: str | None) -> Change:
    return change(
        f"{kind}.added",
        summary=f"{kind.capitalize()} added: {quoted(name)}{f' ({enum_words(item.type)})' if item.type else ''}",
        subject=_subject(kind, item),
        after=name,
        path=new.path(attribute, item.position),
    )


def _differs(
    kind: str, new: Trial, attribute: str, item: Compared[Arm] | Compared[Intervention], named: str
) -> Iterator[Change]:
    """The one entry of a matched arm or intervention that differs; `named` is the attribute that holds its name."""
    if item:
        before, after = before_and_after(item, new, attribute, named)
        only = item.fields[0].name if len(item.fields) == 1 else None
        yield change(
            f"{kind}.changed",
            summary=f"{kind.capitalize()} {quoted(getattr(item.new, named))}: {told(item)}",
            subject=_subject(kind, item.new),
            before=before,
            after=after,
            path=new.path(attribute, item.new.position, only),
        )
    yield from leftovers(item.old.rest, item.new.rest, new.path(attribute, item.new.position))
