"""What somebody filled in, as the form itself says it: its labels and words, without what nobody touched; pure."""

from collections.abc import Callable, Mapping, Sequence

from monitor.web.pages.searching import FIELDS
from monitor.web.subscriptions.filling import USUAL
from notifiers.filters import severe_in_words
from snapshots.kind_titles import title
from snapshots.sentences import capitalised, date_words, status_words

LABELS: Mapping[str, str] = {
    **{name: label for name, label, _ in FIELDS},
    "name": "Name",
    "to": "Send to",
    "about": "Which trials",
    "ids": "Trials",
    "group": "Group",
    "search": "Saved search",
    "note": "Note",
    "kind": "Kinds of change",
    "kinds_typed": "Kinds by name, and exceptions",
    "min_severity": "Severity",
    "status": "Status",
    "becomes": "Or another new value",
    "shift_days_over": "Dates that move by more than … days",
    "sponsor": "Lead sponsor",
    "countries": "Countries",
    "sites": "Sites",
    "place": "Near",
    "place_choice": "Which one is meant",
    "km": "Within kilometres",
    "told": "When",
    "every": "The digest comes",
    "weekday": "On",
    "monthday": "On day of the month",
    "at": "At",
    "timezone": "Time zone of the clock",
    "immediately": "Told at once",
    "quiet_from": "Quiet from",
    "quiet_to": "Quiet until",
    "quiet_timezone": "Time zone of the quiet hours",
    "max_per_hour": "At most … messages an hour to one address",
    "severity": "Severities of your own",
    "templates": "Folder of templates",
    "since": "Since",
    "send_standing": "Send today’s state as a first message when it is saved",
    "until": "Snooze until",
    "until_critical": "Until the next critical change, at the latest",
    "reason": "Reason",
    "owner": "Owner",
    "hours": "Hours in which both sign",
    "force": "Drop the older of the two that sign now",
    "renew": "Also change group and note of what is watched already",
}
"""What the forms call their fields; of others (numbers of rows, which button) nobody knows what they mean."""
_WORDS: Mapping[tuple[str, str], str] = {
    ("about", "group"): "A group",
    ("about", "ids"): "Certain trials",
    ("about", "search"): "What a saved search finds",
    ("about", "trial"): "A trial",
    ("about", "subscription"): "A subscription",
    ("told", "digest"): "In a digest",
    ("told", "both"): "Severe ones at once, all the rest in a digest",
    ("every", "daily"): "every day",
    ("every", "monthly"): "every month",
}
_OF_A_DIGEST = ("every", "weekday", "monthday", "at", "timezone", "immediately")


def shown(fields: Sequence[tuple[str, str]]) -> list[tuple[str, str]]:
    """Each field of a form that somebody filled in, once: its label, and in words all that it says."""
    said = {name: [value for key, value in fields if key == name and value.strip()] for name, _ in fields}
    return [
        (LABELS[name], ", ".join(_in_words(name, value) for value in values))
        for name, values in said.items()
        if values and name in LABELS and not _goes_without_saying(name, values, said)
    ]


def _goes_without_saying(name: str, values: Sequence[str], said: Mapping[str, Sequence[str]]) -> bool:
    """Whether it stands in the form as it does when that is opened, or the form's other answers leave it out."""
    if "told" in said and name in _OF_A_DIGEST and "immediately" in said["told"]:
        return True
    return list(values) == [USUAL.get(name)] or (name, list(values)) == ("hours", ["24"])


def _in_words(name: str, value: str) -> str:
    return _SAID[name](value) if name in _SAID else _WORDS.get((name, value), value)


_SAID: Mapping[str, Callable[[str], str]] = {
    **dict.fromkeys(("send_standing", "until_critical", "force", "renew"), lambda _: "yes"),
    **dict.fromkeys(("min_severity", "immediately"), severe_in_words),
    **dict.fromkeys(("since", "until"), date_words),
    "kind": lambda pattern: capitalised(title(pattern)),
    "status": lambda status: capitalised(status_words(status)),
    "weekday": str.capitalize,
}
