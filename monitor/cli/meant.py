"""What somebody at the terminal probably meant: known names that are spelt nearly so, lines to copy, addresses."""

import re
import shlex
from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from typing import Any

import click

Json = Any

OPTIONS = {
    "to": "--to",
    "watches.ids": "--id",
    "watches.group": "--group",
    "watches.search": "--search",
    "when.kinds": "--kind",
    "when.min_severity": "--min-severity",
    "when.countries": "--country",
    "when.sites": "--site",
    "when.near": "--near",
    "when.near.place": "--near",
    "when.near.place.latitude": "--near",
    "when.near.place.longitude": "--near",
    "when.near.km": "--near",
    "when.shift_days_over": "--shift-days-over",
    "when.becomes": "--becomes",
    "when.sponsor": "--sponsor",
    "deliver.digest": "--digest",
    "deliver.on": "--on",
    "deliver.at": "--at",
    "deliver.timezone": "--timezone",
    "deliver.immediately": "--immediately",
    "quiet": "--quiet",
    "quiet.from": "--quiet",
    "quiet.to": "--quiet",
    "quiet.timezone": "--timezone",
    "max_per_hour": "--max-per-hour",
    "templates": "--templates",
    "name": "NAME",
}
"""The option in which one says what the watchlist file calls so."""

_NEAR = re.compile(r"(?P<place>.*[^\s,])[\s,]+(?P<km>\d+(?:\.\d+)?)\s*(?:km|kilomet(?:er|re)s?)?", re.IGNORECASE)
_POINT = re.compile(r"([+-]?\d+(?:\.\d+)?)[\s,]+([+-]?\d+(?:\.\d+)?)")


def did_you_mean(asked: str, known: Iterable[str]) -> str:
    """The rest of a sentence that says a name is not known: the known one that is spelt nearly so, "" for none."""
    spelt = {name.casefold(): name for name in known}
    close = get_close_matches(asked.casefold(), list(spelt), n=1, cutoff=0.6)
    return f"; did you mean {spelt[close[0]]!r}?" if close else ""


def no_subscription(connection: Any, name: str) -> str:
    """Says that there is no subscription of that name, and which was probably meant."""
    from notifiers import subscriptions

    names = [each.subscription.name for each in subscriptions.listing(connection)]
    meant = did_you_mean(name, names) or "; `trialdelta subscription list` tells their names"
    return f"there is no subscription {name!r}{meant}"


def no_group(connection: Any, group: str) -> str:
    """Says that nothing is watched in a group of that name, and which was probably meant."""
    from notifiers import watches

    groups = watches.groups(connection)
    meant = did_you_mean(group, groups) or f"; the groups are: {', '.join(groups) or 'none'}"
    return f"nothing is watched in a group {group!r}{meant}"


def near(text: str) -> dict[str, Json]:
    """A place and how far from it: "Beijing,50", "Beijing 50 km", "39.9,116.4,50". Raises UsageError."""
    found = _NEAR.fullmatch(text.strip())
    place = found["place"].strip() if found else ""
    point = _POINT.fullmatch(place)
    if found is None or not (point or any(letter.isalpha() for letter in place)):
        raise click.UsageError(
            f"--near is written PLACE,KM or LATITUDE,LONGITUDE,KM, such as Beijing,50 or 39.9,116.4,50, not {text!r}"
        )
    where = {"latitude": float(point[1]), "longitude": float(point[2])} if point else place
    return {"place": where, "km": float(found["km"])}


def complaint(key: str, problem: str, given: Mapping[str, Any]) -> str:
    """What is wrong, under the name of the option that says it; `key` is what the watchlist file calls it."""
    plain = re.sub(r"\[\d+\]|^subscription \".*\"\.?", "", key)
    option = OPTIONS.get(plain)
    if option is None and plain.startswith("severity"):
        option = "--severity"
    if option == "--timezone" and not given.get("timezone"):
        option = "--quiet" if plain.startswith("quiet") else "--digest"
    return f"{option or plain}: {problem}" if option or plain else problem


def which_place(told: str, offered: Iterable[str], km: float) -> str:
    """A complaint about a place, with each that may be meant as a line to copy."""
    lines = (f"  --near {shlex.quote(f'{place},{km:g}')}" for place in offered)
    name, several, _ = told.partition(": which one?")
    question = f"{name} is the name of several places" if several else told.partition("; did you mean")[0]
    return "\n".join([f"{question}. Write the one that you mean:", *lines])
