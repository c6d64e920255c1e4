"""Which changes follow from another one in the same step? Folding keeps every entry and names its cause.

The five rules stand in the order of their precedence: where several causes fit, the first is the cause.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import cached_property

from msgspec.structs import replace

from snapshots.canonical import country_key, enum_key
from snapshots.changes import Cause, Change
from snapshots.matching import match_sites
from snapshots.rules.status import OPEN, STOPPED, former_status
from snapshots.trial import Trial

COVERS: frozenset[str] = frozenset()

_DATES_REACHED = frozenset({"start_date.reached", "primary_completion_date.reached", "completion_date.reached"})
_SITE_STATUSES = frozenset(
    {
        "site.recruiting",
        "site.invitation_only",
        "site.closed",
        "site.suspended",
        "site.terminated",
        "site.withdrawn",
        "site.status_changed",
    }
)
_CONTACTS = frozenset({"contact.changed", "site.contact_changed"})
_ENROLLMENT = ("enrollment.actual_reported", "enrollment.actual_corrected", "enrollment.target_changed")


def fold(old: Trial, new: Trial, changes: Sequence[Change]) -> list[Change]:
    """The same changes in the same order, each that follows from another one with its `cause`."""
    step = _Step(old, new, changes)
    return [replace(change, cause=cause) if (cause := _cause(step, change)) else change for change in changes]


class _Step:
    """What one step holds that causes may be sought among."""

    def __init__(self, old: Trial, new: Trial, changes: Sequence[Change]) -> None:
        self.old, self.new, self.changes = old, new, changes

    @cached_property
    def study(self) -> Cause | None:
        """The change of the study's own status, if there is one."""
        if enum_key(self.old.overall_status) == enum_key(self.new.overall_status):
            return None
        path = self.new.path("overall_status")
        kinds = (change.kind for change in self.changes if change.path == path)
        return next((Cause(kind, None, path) for kind in kinds), None)

    @cached_property
    def opened(self) -> bool:
        """Whether the study's status became open (rule 1)."""
        return self.study is not None and enum_key(self.new.overall_status) in OPEN

    @cached_property
    def ended(self) -> bool:
        """Whether the study left the open statuses, or was completed or stopped (rule 2)."""
        after = enum_key(self.new.overall_status)
        left = former_status(self.old) in OPEN and after not in OPEN
        return self.study is not None and (left or after == "COMPLETED" or after in STOPPED)

    @cached_property
    def old_statuses(self) -> Mapping[int, str | None]:
        """The former status of each matched site, by its position in the newer record."""
        return {after.position: before.status for before, after in match_sites(self.old.sites, self.new.sites).pairs}

    @cached_property
    def sites(self) -> Mapping[str, Cause]:
        """The sites' own status changes, by where the site stands."""
        return {_site_path(change): _cause_of(change) for change in self.changes if change.kind in _SITE_STATUSES}

    @cached_property
    def new_at_a_place(self) -> Mapping[tuple[str, str], Cause]:
        """The countries that came and went, by what that is and the country."""
        return {
            (change.kind, country_key(_named(change, "name"))): _cause_of(change)
            for change in self.changes
            if change.kind in ("country.added", "country.removed")
        }

    @cached_property
    def results(self) -> Cause | None:
        """The posting of results."""
        return next((_cause_of(change) for change in self.changes if change.kind == "results.posted"), None)


def _cause(step: _Step, change: Change) -> Cause | None:
    return next((cause for rule in _RULES if (cause := rule(step, change))), None)


def _study_opened(step: _Step, change: Change) -> Cause | None:
    """1. The study opened: sites without a status before or not listed, the start, contacts that appear.

    A site that goes does not follow from it: opening makes no site leave, and rule 2 names the sites that go where it
    means them. Told under "Enrollment opened" a reader would take the lost site for one that opens.
    """
    if not step.opened:
        return None
    follows = (
        change.kind == "start_date.reached"
        or (change.kind in _CONTACTS and not change.before)
        or (change.kind.startswith("site.") and _had_no_status(step, change))
    )
    return step.study if follows else None


def _had_no_status(step: _Step, change: Change) -> bool:
    if change.kind in _SITE_STATUSES or change.kind == "site.added":
        return change.before is None
    position = None if change.kind == "site.removed" else _position(change)
    return position is not None and step.old_statuses.get(position, "") is None


def _study_ended(step: _Step, change: Change) -> Cause | None:
    """2. The study left the open statuses, was completed or stopped: statuses of sites, contacts that vanish, dates
    reached, actual enrollment; with a withdrawal also enrollment 0 and sites that go.
    """
    if not step.ended:
        return None
    follows = (
        change.kind in _SITE_STATUSES
        or change.kind in _DATES_REACHED
        or change.kind == "enrollment.actual_reported"
        or (change.kind in _CONTACTS and not change.after)
        or (enum_key(step.new.overall_status) == "WITHDRAWN" and _of_withdrawal(change))
    )
    return step.study if follows else None


def _of_withdrawal(change: Change) -> bool:
    return change.kind == "site.removed" or (change.kind in _ENROLLMENT and change.after == 0)


def _site_changed_status(step: _Step, change: Change) -> Cause | None:
    """3. A site changed its own status: that site's contacts."""
    return step.sites.get(_site_path(change)) if change.kind == "site.contact_changed" else None


def _country_came_or_went(step: _Step, change: Change) -> Cause | None:
    """4. A country came or went: the changes of its sites."""
    if not change.kind.startswith("site.") or not step.new_at_a_place:
        return None
    kind = "country.removed" if change.kind == "site.removed" else "country.added"
    return step.new_at_a_place.get((kind, country_key(_named(change, "country"))))


def _results_posted(step: _Step, change: Change) -> Cause | None:
    """5. Results were posted: the documents posted with them."""
    return step.results if change.kind == "document.posted" else None


_RULES: tuple[Callable[[_Step, Change], Cause | None], ...] = (
    _study_opened,
    _study_ended,
    _site_changed_status,
    _country_came_or_went,
    _results_posted,
)


def _cause_of(change: Change) -> Cause:
    return Cause(change.kind, _named(change, "name"), change.path)


def _named(change: Change, key: str) -> str | None:
    value = (change.subject or {}).get(key)
    return value if isinstance(value, str) else None


def _site_path(change: Change) -> str:
    """Where the site stands that a change is about: "…locations[5]" of "…locations[5].status"."""
    head, bracket, _ = (change.path or "").partition("]")
    return head + bracket


def _position(change: Change) -> int | None:
    digits = _site_path(change).removesuffix("]").rpartition("[")[2]
    return int(digits) if digits.isdecimal() else None
