"""Which steps count where finer ones tell the same: sums count each change once."""

from collections.abc import Collection, Iterable

import msgspec

from snapshots.archive import order
from snapshots.archive.history import Step, StoredChange

NOT_IN_PAST_VERSIONS = ("annotationSection.", "derivedSection.")
"""Where the path of a change begins that no past version can tell: the history interface leaves these sections out."""


def finest_steps(found: Iterable[Step]) -> list[Step]:
    """What sums over a history may count: without the steps that a chain of finer ones covers, except for what these
    cannot tell because the registry's own history leaves it out, such as that results were submitted.
    """
    listed = list(found)
    fine = order.finest((step.from_version, step.to_version) for step in listed)
    fine_steps = [step for step in listed if (step.from_version, step.to_version) in fine]
    told = {_said(stored) for step in fine_steps for stored in step.changes}
    kept = (step if (step.from_version, step.to_version) in fine else _beyond(step, told) for step in listed)
    return [step for step in kept if step is not None]


def _beyond(covered: Step, told: Collection[tuple[str, str]]) -> Step | None:
    """The covered step with what stands where past versions have nothing, and was not `told` by a finer step."""
    left = tuple(each for each in covered.changes if _is_left_out(each) and _said(each) not in told)
    return msgspec.structs.replace(covered, changes=left) if left else None


def _is_left_out(stored: StoredChange) -> bool:
    return (stored.change.path or "").startswith(NOT_IN_PAST_VERSIONS)


def _said(stored: StoredChange) -> tuple[str, str]:
    return stored.change.kind, stored.change.summary
