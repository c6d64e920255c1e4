"""What changed among the outcome measures: the place where auditors look first."""

from collections.abc import Iterator

from snapshots.changes import Change, Subject
from snapshots.matching.outcomes import LEVELS, Level, Placed, match_outcomes, outcomes_of
from snapshots.rules.build import change, leftovers
from snapshots.rules.fields import (
    Compared,
    Field,
    before_and_after,
    compared,
    field_told,
    label_field,
    text_field,
    told,
)
from snapshots.sentences import quoted
from snapshots.trial import Outcome, Trial

COVERS = frozenset({"primary_outcomes", "secondary_outcomes", "other_outcomes"})

_FIELDS = (
    label_field("measure", "measure"),
    text_field("time_frame", "time frame"),
    text_field("description", "description"),
)
_PRIMARY_KINDS = {
    "measure": "primary_outcome.reworded",
    "time_frame": "primary_outcome.time_frame_changed",
    "description": "primary_outcome.description_changed",
}


def changes(old: Trial, new: Trial) -> list[Change]:
    """Outcomes added, removed, moved between the lists and changed; primary ones field by field."""
    if all(outcomes_of(old, level) == outcomes_of(new, level) for level in LEVELS):
        return []
    matched = match_outcomes(old, new)
    found = [_removed(old, placed) for placed in matched.removed]
    found += [_added(new, placed) for placed in matched.added]
    items = compared([(before.outcome, after.outcome) for before, after in matched.pairs], _FIELDS)
    for (before, after), item in zip(matched.pairs, items, strict=True):
        found += _moved(new, before, after)
        found += _changed(new, before.level, after, item)
    return found


def _subject(placed: Placed) -> Subject:
    return {"type": "outcome", "name": placed.outcome.measure, "list": placed.level}


def _path(trial: Trial, placed: Placed, field: str | None = None) -> str:
    return trial.path(f"{placed.level}_outcomes", placed.outcome.position, field)


def _added(new: Trial, placed: Placed) -> Change:
    frame = f" (time frame: {quoted(placed.outcome.time_frame)})" if placed.outcome.time_frame else ""
    return change(
        f"{placed.level}_outcome.added",
        summary=f"{placed.level.capitalize()} outcome added: {quoted(placed.outcome.measure)}{frame}",
        subject=_subject(placed),
        after=placed.outcome.measure,
        path=_path(new, placed),
    )


def _removed(old: Trial, placed: Placed) -> Change:
    return change(
        f"{placed.level}_outcome.removed",
        summary=f"{placed.level.capitalize()} outcome removed: {quoted(placed.outcome.measure)}",
        subject=_subject(placed),
        before=placed.outcome.measure,
        path=_path(old, placed),
    )


def _moved(new: Trial, before: Placed, after: Placed) -> Iterator[Change]:
    """The entry for an outcome that left the primary list or came to it; other moves are told with its fields."""
    if before.level == after.level or "primary" not in (before.level, after.level):
        return
    down = before.level == "primary"
    what = quoted(after.outcome.measure)
    yield change(
        "primary_outcome.demoted" if down else "primary_outcome.promoted",
        summary=f"Primary outcome {what} is {_article(after.level)} {after.level} outcome now"
        if down
        else f"{before.level.capitalize()} outcome {what} is a primary outcome now",
        subject=_subject(after),
        before=before.level,
        after=after.level,
        path=_path(new, after),
    )


def _article(word: str) -> str:
    return "an" if word[0] in "aeiou" else "a"


def _changed(new: Trial, level: Level, after: Placed, item: Compared[Outcome]) -> Iterator[Change]:
    """The entries for what differs in an outcome that stood in the list `level` before."""
    if after.level == "primary":
        for field in item.fields:
            yield _primary_field(new, after, field, *item.values(field))
    elif item or {level, after.level} == {"secondary", "other"}:
        yield _any_field(new, level, after, item)
    yield from leftovers(item.old.rest, item.new.rest, _path(new, after))


def _primary_field(new: Trial, after: Placed, field: Field, before: str | None, now: str | None) -> Change:
    what = quoted(after.outcome.measure)
    reworded = f"Primary outcome reworded from {quoted(before)} to {what}"
    return change(
        _PRIMARY_KINDS[field.name],
        summary=reworded
        if field.name == "measure"
        else f"Primary outcome {what}: {field_told(field.words, before, now)}",
        subject=_subject(after),
        before=before,
        after=now,
        path=_path(new, after, field.name),
    )


def _any_field(new: Trial, level: Level, after: Placed, item: Compared[Outcome]) -> Change:
    moved = level not in (after.level, "primary")
    before, now = before_and_after(item, new, f"{after.level}_outcomes", "measure") if item else (level, after.level)
    parts = [f"moved here from the {level} outcomes"] if moved else []
    parts += [told(item)] if item else []
    return change(
        f"{after.level}_outcome.changed",
        summary=f"{after.level.capitalize()} outcome {quoted(after.outcome.measure)}: {'; '.join(parts)}",
        subject=_subject(after),
        before=before,
        after=now,
        path=_path(new, after, item.fields[0].name if len(item.fields) == 1 and not moved else None),
    )
