"""What the options of `trialdelta subscription add` say, as the table that the watchlist file would hold."""

from pathlib import Path
from typing import Any

import click

from monitor.cli.meant import near

Json = Any


def table_of(name: str, given: dict[str, Any]) -> dict[str, Json]:
    """The same table that the watchlist file would hold."""
    when: dict[str, Json] = {
        key: list(given[key]) for key in ("kinds", "countries", "sites", "becomes", "sponsor") if given[key]
    }
    when |= {key: given[key] for key in ("min_severity", "shift_days_over") if given[key] is not None}
    if given["near"]:
        when["near"] = near(given["near"])
    table = {"name": name, "to": list(given["to"]), "watches": _selection(given), "when": when}
    if given["digest"]:
        table["deliver"] = _timing(given)
    elif any(given[key] for key in ("on", "at", "immediately")):
        raise click.UsageError("--on, --at and --immediately need --digest")
    if given["templates"]:
        table["templates"] = str(Path(given["templates"]).expanduser().absolute())
    if given["quiet"]:
        table["quiet"] = _quiet(given["quiet"], given["timezone"])
    return table | ({"max_per_hour": given["max_per_hour"]} if given["max_per_hour"] is not None else {})


def _selection(given: dict[str, Any]) -> Json:
    from monitor.cli.session import record_ids

    chosen = {key: given[key] for key in ("group", "search") if given[key]}
    if given["ids"]:
        chosen["ids"] = record_ids(given["ids"])
    if len(chosen) > 1:
        raise click.UsageError("--group, --id and --search exclude each other")
    return chosen or "all"


def _timing(given: dict[str, Any]) -> dict[str, Json]:
    chosen = {key: given[key] for key in ("digest", "at", "timezone", "immediately") if given[key]}
    if given["on"]:
        chosen["on"] = int(given["on"]) if given["on"].isdigit() else given["on"]
    return chosen


def _quiet(text: str, timezone: str | None) -> dict[str, Json]:
    start, dash, end = text.partition("-")
    if not dash:
        raise click.UsageError(f"--quiet is written HH:MM-HH:MM, such as 22:00-07:00, not {text!r}")
    return {"from": start.strip(), "to": end.strip()} | ({"timezone": timezone} if timezone else {})
