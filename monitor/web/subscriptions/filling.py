"""What a form of a subscription says, as the table that the watchlist file would hold; how one is filled in; pure."""

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from msgspec import Struct

from monitor.web.forms import Form
from notifiers.addresses import shown
from notifiers.conditions import Near, Place
from notifiers.subscriptions import Selection, Subscription, Timing
from snapshots.kinds import Kind
from snapshots.registries.ctgov.ids import normalise
from snapshots.sentences import whole_sentence

Json = Any

TEXTS = (
    *("name", "to", "about", "group", "ids", "search", "kinds_typed", "min_severity", "becomes", "shift_days_over"),
    *(
        "sponsor",
        "countries",
        "sites",
        "place",
        "point",
        "km",
        "told",
        "every",
        "weekday",
        "monthday",
        "at",
        "timezone",
    ),
    *("immediately", "quiet_from", "quiet_to", "quiet_timezone", "max_per_hour", "severity", "templates", "since"),
)
"""The fields that hold a text, in the form's order."""
USUAL = {"about": "all", "told": "immediately", "every": "weekly", "weekday": "monday", "monthday": "1", "at": "08:00",
         "immediately": "critical", "timezone": "UTC", "km": "50"}  # fmt: skip
"""What a new form says."""
STATUSES = ("RECRUITING", "NOT_YET_RECRUITING", "ENROLLING_BY_INVITATION", "ACTIVE_NOT_RECRUITING", "SUSPENDED",
            "TERMINATED", "COMPLETED", "WITHDRAWN")  # fmt: skip
"""New values that have a box of their own."""

_LINES = re.compile(r"[\r\n]+")
_ENTRIES = re.compile(r"[,;\r\n]+")
_WORDS = re.compile(r"[\s,;]+")
_FIELDS = {
    "watches": "about",
    "watches.ids": "ids",
    "watches.group": "group",
    "watches.search": "search",
    "when.kinds": "kinds_typed",
    "when.near": "place",
    "when.near.place": "place",
    "when.near.place.latitude": "place",
    "when.near.place.longitude": "place",
    "when.near.km": "km",
    "deliver": "told",
    "deliver.digest": "every",
    "deliver.at": "at",
    "deliver.timezone": "timezone",
    "deliver.immediately": "immediately",
    "quiet": "quiet_from",
    "quiet.from": "quiet_from",
    "quiet.to": "quiet_to",
    "quiet.timezone": "quiet_timezone",
}


class Said(Struct, frozen=True):
    """What a form says: its texts, ticked kinds and statuses, to be shown again; the table; what is wrong by field."""

    texts: Mapping[str, str]
    kinds: frozenset[str]
    table: Mapping[str, Json]
    wrong: Mapping[str, str]
    statuses: frozenset[str] = frozenset()


def field_of(key: str, texts: Mapping[str, str]) -> str:
    """The field in which stands what a complaint calls `key`, a key of the watchlist file."""
    if key.startswith("severity"):
        return "severity"
    if key == "deliver.on":
        return "weekday" if texts["every"] == "weekly" else "monthday"
    key = re.sub(r"\[\d+\]", "", re.sub(r'^subscription ".*"\.', "", key))
    return _FIELDS.get(key, key.removeprefix("when."))


def note(wrong: dict[str, str], field: str, problem: str) -> None:
    """Add a sentence to what is wrong with a field, unless it is said already."""
    said, more = wrong.get(field, ""), whole_sentence(problem)
    if more not in said:
        wrong[field] = f"{said} {more}".strip()


def in_order(wrong: Mapping[str, str]) -> dict[str, str]:
    """What is wrong by field, in the form's order."""
    return {name: wrong[name] for name in sorted(wrong, key=lambda name: TEXTS.index(name) if name in TEXTS else -1)}


def read(form: Form) -> Said:
    """What the form says. A place that was chosen among candidates stands for the one that was typed."""
    texts = {name: form.text(name) for name in TEXTS}
    texts |= {name: form.text(name) or USUAL[name] for name in ("about", "told", "every")}
    texts["place"] = form.text("place_choice") or texts["place"]
    kinds, statuses = frozenset(form.all("kind")), frozenset(form.all("status"))
    wrong: dict[str, str] = {}
    table = _table(texts, sorted(kinds), sorted(statuses), wrong)
    return Said(texts, kinds, table, wrong, statuses)


def begun(given: Mapping[str, str], zone: str = "UTC") -> Said:
    """A new form; `given` are texts that an address brought, `zone` is the time zone to begin with."""
    texts = dict.fromkeys(TEXTS, "") | USUAL | {"timezone": zone}
    texts |= {name: text for name, text in given.items() if name in texts}
    if texts["ids"]:
        texts["about"] = "ids"
    elif texts["group"]:
        texts["about"] = "group"
    return Said(texts, frozenset(), {}, {})


def _table(texts: Mapping[str, str], kinds: list[str], statuses: list[str], wrong: dict[str, str]) -> dict[str, Json]:
    table: dict[str, Json] = {
        "name": texts["name"],
        "to": _each(_WORDS, texts["to"]),
        "watches": _watches(texts, wrong),
        "when": _when(texts, kinds, statuses, wrong),
        "deliver": _deliver(texts, wrong),
        "severity": _severities(texts, wrong),
    }
    if texts["quiet_from"] or texts["quiet_to"]:
        missing = "quiet_to" if texts["quiet_from"] else "quiet_from"
        if not texts[missing]:
            wrong[missing] = "Say both: from when and until when it is quiet."
        zone = texts["quiet_timezone"] or texts["timezone"] or "UTC"
        table["quiet"] = {"from": texts["quiet_from"], "to": texts["quiet_to"], "timezone": zone}
    if texts["max_per_hour"]:
        table["max_per_hour"] = _number(int, "max_per_hour", "number of messages", texts, wrong)
    if texts["templates"]:
        table["templates"] = texts["templates"]
    if not table["to"]:
        wrong.setdefault("to", "Say where it is to be told: a mail address or an address that begins with https://.")
    return table


def _watches(texts: Mapping[str, str], wrong: dict[str, str]) -> Json:
    about = texts["about"]
    if about not in ("group", "ids", "search"):
        return "all"
    if not texts[about]:
        asked = {"group": "Choose a group.", "ids": "Name the trials.", "search": "Choose a saved search."}
        wrong[about] = asked[about]
    return {about: _ids(texts["ids"], wrong) if about == "ids" else texts[about]}


def _ids(text: str, wrong: dict[str, str]) -> list[str]:
    found = []
    for each in _each(_WORDS, text):
        try:
            found.append(normalise(each))
        except ValueError as error:
            note(wrong, "ids", str(error))
    return list(dict.fromkeys(found))


def _when(texts: Mapping[str, str], kinds: list[str], statuses: list[str], wrong: dict[str, str]) -> dict[str, Json]:
    when: dict[str, Json] = {
        "kinds": [*kinds, *_each(_WORDS, texts["kinds_typed"])],
        "countries": _each(_LINES, texts["countries"]),
        "sites": _each(_LINES, texts["sites"]),
        "becomes": [*statuses, *_each(_ENTRIES, texts["becomes"])],
        "sponsor": _each(_LINES, texts["sponsor"]),
    }
    if texts["min_severity"]:
        when["min_severity"] = texts["min_severity"]
    if texts["shift_days_over"]:
        when["shift_days_over"] = _number(int, "shift_days_over", "number of days", texts, wrong)
    if texts["place"] or texts["km"] not in ("", USUAL["km"]):
        when["near"] = _near(texts, wrong)
    return {key: value for key, value in when.items() if value not in ([], None)}


def _near(texts: Mapping[str, str], wrong: dict[str, str]) -> dict[str, Json]:
    if not texts["place"]:
        wrong["place"] = "Name the place that the distance is measured from."
    if not texts["km"]:
        wrong["km"] = "Say within how many kilometres."
    km = _number(float, "km", "number of kilometres", texts, wrong) if texts["km"] else 1.0
    return {"place": _known_point(texts) or texts["place"], "km": km}


def _known_point(texts: Mapping[str, str]) -> Json:
    """The place as it was found before, so that editing something else never moves it; or coordinates as written."""
    latitude, longitude, name = ([*texts["point"].split(" ", 2), "", ""])[:3]
    typed = texts["place"].replace(",", " ").split()
    try:
        if texts["place"] and name == texts["place"]:
            return {"name": name, "latitude": float(latitude), "longitude": float(longitude)}
        if len(typed) == 2:
            return {"latitude": float(typed[0]), "longitude": float(typed[1])}
    except ValueError:
        return None
    return None


def _deliver(texts: Mapping[str, str], wrong: dict[str, str]) -> Json:
    if texts["told"] not in ("digest", "both"):
        return "immediately"
    if not texts["at"]:
        wrong["at"] = "Give a time of day."
    timing: dict[str, Json] = {"digest": texts["every"], "at": texts["at"], "timezone": texts["timezone"] or "UTC"}
    if texts["every"] == "weekly":
        timing["on"] = texts["weekday"] or "monday"
    elif texts["every"] == "monthly":
        timing["on"] = _number(int, "monthday", "day of the month", texts, wrong) if texts["monthday"] else 1
    if texts["told"] == "both":
        timing["immediately"] = texts["immediately"] or "critical"
    return timing


def _severities(texts: Mapping[str, str], wrong: dict[str, str]) -> dict[str, str]:
    found = {}
    for line in _each(_LINES, texts["severity"]):
        pattern, equals, severity = (part.strip(' "') for part in line.partition("="))
        if not equals:
            note(wrong, "severity", f"{line!r} is not written KIND = SEVERITY, such as site.renamed = minor")
        else:
            found[pattern] = severity
    return found


def _number(
    kind: Callable[[str], float], field: str, words: str, texts: Mapping[str, str], wrong: dict[str, str]
) -> float | None:
    try:
        return kind(texts[field])
    except ValueError:
        wrong[field] = f"{texts[field]!r} is no {words}"
        return None


def _each(between: re.Pattern[str], text: str) -> list[str]:
    return [part.strip() for part in between.split(text) if part.strip()]


# --- a form of what is kept -------------------------------------------------------------------------------------------


def filled(kept: Subscription, ticked: Callable[[str], bool]) -> Said:
    """The form of a subscription that is kept; `ticked` are the kinds and groups that have a box."""
    when = kept.when
    texts = {
        "name": kept.name,
        "to": "\n".join(_shown(uri) for uri in kept.to),
        "min_severity": when.min_severity or "",
        "countries": "\n".join(when.countries),
        "sites": "\n".join(when.sites),
        "becomes": ", ".join(value for value in when.becomes if value not in STATUSES),
        "sponsor": "\n".join(when.sponsor),
        "shift_days_over": "" if when.shift_days_over is None else str(when.shift_days_over),
        "kinds_typed": " ".join(kind for kind in when.kinds if not ticked(kind)),
        "max_per_hour": str(kept.max_per_hour or ""),
        "severity": "\n".join(f"{pattern} = {severity}" for pattern, severity in kept.severity.items()),
        "templates": kept.templates or "",
    }
    texts = {**begun({}).texts, **texts} | _about(kept.watches) | _told(kept.deliver) | _around(when.near)
    if kept.quiet is not None:
        texts |= {"quiet_from": kept.quiet.from_, "quiet_to": kept.quiet.to, "quiet_timezone": kept.quiet.timezone}
    statuses = frozenset(value for value in when.becomes if value in STATUSES)
    return Said(texts, frozenset(filter(ticked, when.kinds)), {}, {}, statuses)


def _shown(uri: str) -> str:
    return shown(uri).removeprefix("mailto:")


def _about(selection: str | Selection) -> dict[str, str]:
    if isinstance(selection, str):
        return {"about": "all"}
    if selection.ids is not None:
        return {"about": "ids", "ids": "\n".join(selection.ids)}
    if selection.group is not None:
        return {"about": "group", "group": selection.group}
    return {"about": "search", "search": selection.search or ""}


def _told(deliver: str | Timing) -> dict[str, str]:
    if isinstance(deliver, str):
        return {"told": "immediately"}
    on = {"weekly": "weekday", "monthly": "monthday"}.get(deliver.digest)
    said = {on: str(deliver.on).casefold()} if on and deliver.on is not None else {}
    both = {"told": "both", "immediately": deliver.immediately} if deliver.immediately else {"told": "digest"}
    return {**both, **said, "every": deliver.digest, "at": deliver.at, "timezone": deliver.timezone}


def _around(near: Near | None) -> dict[str, str]:
    if near is None or not isinstance(near.place, Place):
        return {}
    place = near.place
    return {"place": place.called, "km": f"{near.km:g}", "point": point(place)}


def point(place: Place) -> str:
    """A place that was found, as the form carries it along: latitude, longitude, and what it is called."""
    return f"{place.latitude} {place.longitude} {place.called}"


def boxes(kinds: Iterable[Kind]) -> dict[str, dict[str, list[Kind]]]:
    """The kinds by family, and in it by the group that `group.*` takes, in the order of the vocabulary."""
    found: dict[str, dict[str, list[Kind]]] = {}
    for kind in kinds:
        found.setdefault(kind.family, {}).setdefault(kind.name.partition(".")[0], []).append(kind)
    return found
