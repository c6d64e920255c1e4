"""What did the study's recruitment status do, why was it stopped, and is there expanded access?"""

from snapshots.canonical import enum_key, same_text, text_key
from snapshots.changes import Change
from snapshots.rules.build import Json, change
from snapshots.sentences import quoted, status_words
from snapshots.trial import Trial

COVERS = frozenset(
    {
        "overall_status",
        "last_known_status",
        "why_stopped",
        "has_expanded_access",
        "expanded_access_id",
        "expanded_access_status",
    }
)

OPEN = frozenset({"RECRUITING", "ENROLLING_BY_INVITATION"})
STOPPED = frozenset({"SUSPENDED", "TERMINATED", "WITHDRAWN"})
_EXPANDED_ACCESS = frozenset(
    {"AVAILABLE", "NO_LONGER_AVAILABLE", "TEMPORARILY_NOT_AVAILABLE", "APPROVED_FOR_MARKETING"}
)
ENDED = {
    "SUSPENDED": "study.suspended",
    "TERMINATED": "study.terminated",
    "WITHDRAWN": "study.withdrawn",
    "COMPLETED": "study.completed",
}
FROM_TO: dict[tuple[str | None, str | None], str] = {
    (None, "RECRUITING"): "recruitment.opened",
    (None, "ENROLLING_BY_INVITATION"): "recruitment.opened",
    ("NOT_YET_RECRUITING", "RECRUITING"): "recruitment.opened",
    ("NOT_YET_RECRUITING", "ENROLLING_BY_INVITATION"): "recruitment.opened",
    **{
        (before, after): "recruitment.resumed"
        for before in ("SUSPENDED", "ACTIVE_NOT_RECRUITING", "COMPLETED")
        for after in sorted(OPEN)
    },
    ("RECRUITING", "ENROLLING_BY_INVITATION"): "recruitment.invitation_only",
    ("ENROLLING_BY_INVITATION", "RECRUITING"): "recruitment.public",
    ("RECRUITING", "ACTIVE_NOT_RECRUITING"): "recruitment.closed",
    ("ENROLLING_BY_INVITATION", "ACTIVE_NOT_RECRUITING"): "recruitment.closed",
    ("NOT_YET_RECRUITING", "ACTIVE_NOT_RECRUITING"): "recruitment.closed",
    ("RECRUITING", "NOT_YET_RECRUITING"): "recruitment.not_yet",
    ("ENROLLING_BY_INVITATION", "NOT_YET_RECRUITING"): "recruitment.not_yet",
}
_REMARKS = {
    "study.withdrawn": "; withdrawn means that nobody was enrolled",
    "status.unknown": "; the registry computes this from passing time, the sponsor did nothing",
}


def changes(old: Trial, new: Trial) -> list[Change]:
    """At most one change of status; of the reason for stopping where the status stands still; of expanded access."""
    kind = status_kind(old, new)
    told = [_status_change(kind, old, new)] if kind else [*_reason(old, new), *_last_known(old, new)]
    return told + _expanded_access(old, new)


def status_kind(old: Trial, new: Trial) -> str | None:
    """The kind of the change of status, by the first row of the table that fits; None where it stands still."""
    before, after = enum_key(old.overall_status), enum_key(new.overall_status)
    if before == after:
        return None
    if after == "WITHHELD":
        return "record.withheld"
    if before == "WITHHELD":
        return "record.released"
    if after == "UNKNOWN":
        return "status.unknown"
    if before == "UNKNOWN" and after == former_status(old):
        return "status.reverified"
    return _between(former_status(old), after, _is_expanded_access(old) or _is_expanded_access(new))


def former_status(old: Trial) -> str | None:
    """The status that a new one is read against: the last known one where the registry says UNKNOWN."""
    status = enum_key(old.overall_status)
    return enum_key(old.last_known_status) if status == "UNKNOWN" else status


def _between(before: str | None, after: str | None, expanded_access: bool) -> str:
    if before in ("TERMINATED", "WITHDRAWN") and after not in STOPPED:
        return "study.stop_reversed"
    if after in ENDED:
        return ENDED[after]
    if expanded_access or before in _EXPANDED_ACCESS or after in _EXPANDED_ACCESS:
        return "expanded_access.changed"
    return FROM_TO.get((before, after), "status.changed")


def _is_expanded_access(trial: Trial) -> bool:
    return enum_key(trial.study_type) == "EXPANDED_ACCESS"


def _status_change(kind: str, old: Trial, new: Trial) -> Change:
    remark = _REMARKS.get(kind, "")
    return change(
        kind,
        summary=f"The study is now {_after(new)} (was: {_before(old)}){remark}{_reason_given(old, new)}",
        before=old.overall_status,
        after=new.overall_status,
        path=new.path("overall_status"),
    )


def _after(new: Trial) -> str:
    if not new.overall_status:
        return "without a status"
    return "of unknown status" if enum_key(new.overall_status) == "UNKNOWN" else status_words(new.overall_status)


def _before(old: Trial) -> str:
    words = status_words(old.overall_status)
    if enum_key(old.overall_status) == "UNKNOWN" and old.last_known_status:
        return f"{words}, last known: {status_words(old.last_known_status)}"
    return words


def _reason_given(old: Trial, new: Trial) -> str:
    stopped = enum_key(new.overall_status) in STOPPED
    if text_key(new.why_stopped) and (stopped or not same_text(old.why_stopped, new.why_stopped)):
        return f"; reason given: {quoted(new.why_stopped, 300)}"
    return "; no reason given" if stopped else ""


def _reason(old: Trial, new: Trial) -> list[Change]:
    if same_text(old.why_stopped, new.why_stopped):
        return []
    before, after = quoted(old.why_stopped, 300), quoted(new.why_stopped, 300)
    return [
        change(
            "why_stopped.changed",
            summary=f"The reason for stopping is now {after} (was: {before})",
            before=old.why_stopped,
            after=new.why_stopped,
            path=new.path("why_stopped"),
        )
    ]


def _last_known(old: Trial, new: Trial) -> list[Change]:
    """The last known status speaks only beside UNKNOWN; where it moves alone no other kind names it."""
    if enum_key(old.last_known_status) == enum_key(new.last_known_status):
        return []
    before, after = status_words(old.last_known_status), status_words(new.last_known_status)
    return [
        change(
            "record.changed",
            summary=f"The last known status is now {after} (was: {before})",
            before=old.last_known_status,
            after=new.last_known_status,
            path=new.path("last_known_status"),
        )
    ]


def _expanded_access(old: Trial, new: Trial) -> list[Change]:
    """One entry: whether there is expanded access says more than its study's status, and that more than its id."""
    before, after = bool(old.has_expanded_access), bool(new.has_expanded_access)
    if before != after:
        words = "available" if after else "no longer available"
        return [
            _access_change("has_expanded_access", f"Expanded access is {words}{_which(old, new)}", before, after, new)
        ]
    if enum_key(old.expanded_access_status) != enum_key(new.expanded_access_status):
        status = status_words(new.expanded_access_status)
        was = status_words(old.expanded_access_status)
        summary = f"Expanded access{_which(old, new)}: the status is now {status} (was: {was})"
        statuses = (old.expanded_access_status, new.expanded_access_status)
        return [_access_change("expanded_access_status", summary, *statuses, new)]
    if (old.expanded_access_id or "").casefold() != (new.expanded_access_id or "").casefold():
        ids = (old.expanded_access_id, new.expanded_access_id)
        summary = f"The study that offers expanded access is now {ids[1] or 'none'} (was: {ids[0] or 'none'})"
        return [_access_change("expanded_access_id", summary, *ids, new)]
    return []


def _which(old: Trial, new: Trial) -> str:
    record = new.expanded_access_id or old.expanded_access_id
    return f" ({record})" if record else ""


def _access_change(attribute: str, summary: str, before: Json, after: Json, new: Trial) -> Change:
    return change("expanded_access.changed", summary=summary, before=before, after=after, path=new.path(attribute))
