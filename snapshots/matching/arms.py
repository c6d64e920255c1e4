"""Which arm and which intervention is which between two versions, and what of them only echoes the other list?"""

from collections.abc import Callable, Hashable, Iterable, Mapping
from functools import lru_cache
from typing import TypeVar

from msgspec import Struct
from rapidfuzz import fuzz

from snapshots.canonical import enum_key, label_key, text_key
from snapshots.matching.engine import ByKey, ByLikeness, Matched, Pass, match
from snapshots.matching.people import rest_key
from snapshots.matching.wording import Words, alike, letters_alike, word_list, words_of
from snapshots.trial import Arm, Intervention, Trial

_text_key = lru_cache(maxsize=1 << 10)(text_key)
Names = frozenset[str]
Same = Mapping[str, str]
Item = TypeVar("Item")

# --- interventions ----------------------------------------------------------------------------------------------------

_GENERAL_OF_INTERVENTIONS: Words = word_list(
    "arm dose drug experimental group matching mg ml ug intervention study treatment therapy plus"
)


def match_interventions(old: Trial, new: Trial) -> Matched[Intervention]:
    """Matches interventions: by type and name, then by shared other names, then by similar name."""
    return match(old.interventions, new.interventions, _INTERVENTION_PASSES)


def _type_and_name(intervention: Intervention) -> Hashable:
    return enum_key(intervention.type), label_key(intervention.name)


def all_names(intervention: Intervention) -> Names:
    """The norms of the name and the other names."""
    return frozenset(filter(None, map(label_key, (intervention.name, *intervention.other_names))))


def _overlap(old: Intervention, new: Intervention) -> tuple[bool, bool, int] | None:
    shared = len(all_names(old) & all_names(new))
    same_name = label_key(old.name) == label_key(new.name)
    return (same_name, enum_key(old.type) == enum_key(new.type), shared) if shared else None


def _similar_name(old: Intervention, new: Intervention) -> tuple[bool, float] | None:
    words = (words_of(each.name, _GENERAL_OF_INTERVENTIONS) for each in (old, new))
    likeness = letters_alike(old.name, new.name, 0.85) or alike(*words, enough=0.7, contained=1)
    return None if likeness is None else (enum_key(old.type) == enum_key(new.type), likeness)


def _description(item: Arm | Intervention) -> str:
    return _text_key(item.description)


def _other_names(intervention: Intervention) -> Names:
    return all_names(intervention)


def _arm_labels(intervention: Intervention) -> Names:
    return frozenset(map(label_key, intervention.arm_labels))


_INTERVENTION_PASSES = (
    ByKey(key=_type_and_name, prefer=(_other_names, _arm_labels, _description, rest_key)),
    ByLikeness(likeness=_overlap, blocks=all_names),
    ByLikeness(likeness=_similar_name),
)

# --- arms -------------------------------------------------------------------------------------------------------------

_GENERAL_OF_ARMS: Words = word_list("arm group cohort part phase stage period treatment participant patient")
_LEAST_DESCRIPTION = 40
"""Shorter descriptions ("10 mg daily") must be equal: one word makes another arm."""
_NOTHING: Hashable = (None, frozenset[str]())


class _Drawn(Struct, frozen=True):
    """An arm with the interventions it gets, under names that both versions share."""

    arm: Arm
    interventions: Names


def match_arms(old: Trial, new: Trial, interventions: "Echo") -> Matched[Arm]:
    """Matches arms: by label, then by type and set of interventions, then by similar label or description.

    `interventions` tells which names of interventions in the two versions mean the same one.
    """
    olds = [_Drawn(arm, _meant(arm.intervention_names, interventions.old)) for arm in old.arms]
    news = [_Drawn(arm, _meant(arm.intervention_names, interventions.new)) for arm in new.arms]
    matched = match(olds, news, _ARM_PASSES)
    return Matched(
        tuple((one.arm, other.arm) for one, other in matched.pairs),
        tuple(drawn.arm for drawn in matched.removed),
        tuple(drawn.arm for drawn in matched.added),
    )


def _label(drawn: _Drawn) -> str:
    return label_key(drawn.arm.label)


def _type_and_interventions(drawn: _Drawn) -> Hashable:
    return enum_key(drawn.arm.type), drawn.interventions


def _telling(drawn: _Drawn) -> Iterable[Hashable]:
    """Cohorts without type and interventions are not the same for that."""
    both = _type_and_interventions(drawn)
    return () if both == _NOTHING else (both,)


def _more_alike(old: _Drawn, new: _Drawn) -> tuple[bool, float]:
    return _same_description(old, new), fuzz.ratio(_label(old), _label(new))


def _same_description(old: _Drawn, new: _Drawn) -> bool:
    return _description(old.arm) == _description(new.arm) != ""


def _similar(old: _Drawn, new: _Drawn) -> tuple[float, bool] | None:
    words = (words_of(drawn.arm.label, _GENERAL_OF_ARMS) for drawn in (old, new))
    likeness = max(alike(*words, enough=0.7, contained=2) or 0, _descriptions_alike(old.arm, new.arm))
    return (likeness, _type_and_interventions(old) == _type_and_interventions(new)) if likeness else None


def _descriptions_alike(old: Arm, new: Arm) -> float:
    one, other = _description(old), _description(new)
    if one == other != "":
        return 1.0
    if min(len(one), len(other)) < _LEAST_DESCRIPTION:
        return 0.0
    return fuzz.ratio(one, other, score_cutoff=90) / 100


_ARM_PASSES: tuple[Pass[_Drawn], ...] = (
    ByKey(
        key=_label,
        prefer=(_type_and_interventions, lambda drawn: _description(drawn.arm), lambda drawn: rest_key(drawn.arm)),
    ),
    ByLikeness(likeness=_more_alike, blocks=_telling),
    ByLikeness(likeness=_similar),
    # only cohorts that tell nothing are left here: one for one is a new label
    ByKey(key=lambda drawn: _NOTHING if _type_and_interventions(drawn) == _NOTHING else None, only=True),
)

# --- echoes -----------------------------------------------------------------------------------------------------------


class Echo(Struct, frozen=True):
    """What the names in the other list's items mean, when added, removed and renamed ones are explained already.

    Arms name their interventions ("Drug: Placebo") and interventions their arms. `old` and `new` map a norm in that
    version to the one that both share; `explained` are the norms of what was added or removed.
    """

    old: Same
    new: Same
    explained: Names

    def of_old(self, names: Iterable[str]) -> Names:
        """What the older version's names mean, without what was removed."""
        return _meant(names, self.old) - self.explained

    def of_new(self, names: Iterable[str]) -> Names:
        """What the newer version's names mean, without what was added."""
        return _meant(names, self.new) - self.explained


def _meant(names: Iterable[str], same: Same) -> Names:
    return frozenset(same.get(key, key) for key in map(label_key, names))


def echo_of_interventions(matched: Matched[Intervention]) -> Echo:
    """What "Drug: Placebo" among an arm's interventions means."""
    return _echo(matched, _listed_name)


def echo_of_arms(matched: Matched[Arm]) -> Echo:
    """What a label among an intervention's arms means."""
    return _echo(matched, lambda arm: label_key(arm.label))


def _listed_name(intervention: Intervention) -> str:
    kind = (intervention.type or "").replace("_", " ")
    return label_key(f"{kind}: {intervention.name or ''}")


def _echo(matched: Matched[Item], named: Callable[[Item], str]) -> Echo:
    pairs = [(named(old), named(new)) for old, new in matched.pairs]
    renamed = dict(pairs)
    current = set(renamed.values())
    # a stale echo: the newer version's other list may still hold the old name
    stale = {old: new for old, new in pairs if old not in current}
    removed = {named(item) for item in matched.removed} - renamed.keys() - current
    added = {named(item) for item in matched.added} - current
    return Echo(old=renamed, new=stale, explained=frozenset(removed | added))
