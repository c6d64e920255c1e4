"""`trialdelta history`: every change of records, oldest first."""

from collections.abc import Iterator
from typing import Any

import click

from monitor.cli.output import format_option
from monitor.cli.selection import records_options
from snapshots.kinds import SEVERITIES

Json = Any


@click.command(short_help="Every change of a record, oldest first.")
@records_options
@click.option("--since", metavar="DATE", help="From this day on, such as 2026-03-01.")
@click.option("--until", metavar="DATE", help="To this day, that day included.")
@click.option("--kind", "kinds", multiple=True, help='Only this kind, or "group.*"; may be repeated.')
@click.option(
    "--family", "families", multiple=True, help='Only this family of kinds, such as "Sites"; may be repeated.'
)
@click.option("--severity", "severities", multiple=True, type=click.Choice(SEVERITIES), help="Only this severity.")
@format_option("text", "json", "csv", "parquet")
@click.option("--exit-code", is_flag=True, help="Exit with 1 where any change is told.")
@click.pass_context
def history(
    ctx: click.Context,
    /,
    records: tuple[str, ...],
    group: str | None,
    everything: bool,
    *,
    shape: str,
    exit_code: bool,
    **asked: Any,
) -> None:
    """Print what changed in records, version by version, oldest first. The day of a change is that of the registry's
    release, or for versions filled in from the past the registry's own date.

    "version 3 of 7" counts the versions of this record; show, diff and --format json go by the number in the archive,
    "archive no. 13", which counts those of all records.

    With --format csv or parquet each change is a row. "covered" marks those that finer steps tell too, because versions
    between were filled in later: leave them out of sums.

    \b
    Example:
      trialdelta history NCT01234567
      trialdelta history NCT01234567 --since 2026-01-01 --kind "site.*" --format csv
      trialdelta history --all --severity critical --format parquet > critical.parquet
    """
    from monitor.cli.program import FOUND_CHANGES
    from monitor.cli.selection import chosen
    from monitor.cli.session import session

    wanted = _wanted(**asked)
    with session() as here:
        ids = chosen(here, records, group, everything)
        found = _print(_told(here, ids, wanted, named=bool(records)), shape)
    if exit_code and found:
        ctx.exit(FOUND_CHANGES)


def _wanted(
    *,
    since: str | None,
    until: str | None,
    kinds: tuple[str, ...],
    families: tuple[str, ...],
    severities: tuple[str, ...],
) -> Any:
    from monitor.cli.records import checked_date
    from monitor.questions import Wanted

    chosen = _kinds(kinds), _of_families(families)
    narrowed = [names for names in chosen if names is not None]
    return Wanted(
        kinds=frozenset.intersection(*narrowed) if narrowed else None,
        severities=frozenset(severities) or None,
        since=checked_date(since) if since else None,
        until=checked_date(until) if until else None,
    )


def _kinds(patterns: tuple[str, ...]) -> frozenset[str] | None:
    from fnmatch import fnmatchcase

    from monitor.cli.program import Failure
    from notifiers.conditions import InvalidValue, check_kind_pattern
    from snapshots.kinds import KINDS

    try:
        for pattern in patterns:
            check_kind_pattern("--kind", pattern)
    except InvalidValue as error:
        raise Failure(f"{error}; `trialdelta kinds` names all of them") from error
    found = (kind for kind in KINDS if any(fnmatchcase(kind, pattern) for pattern in patterns))
    return frozenset(found) if patterns else None


def _of_families(asked: tuple[str, ...]) -> frozenset[str] | None:
    """The kinds of the families, which may be given by the beginning of their names in any case."""
    from monitor.cli.program import Failure
    from snapshots.kinds import KINDS

    names = list(dict.fromkeys(kind.family for kind in KINDS.values()))
    meant = []
    for each in asked:
        found = [name for name in names if name.casefold().startswith(each.strip().casefold())]
        if not each.strip() or not found:
            raise Failure(f"--family: there is no family {each!r}; the families are: {', '.join(names)}")
        meant += found
    return frozenset(name for name, kind in KINDS.items() if kind.family in meant) if asked else None


def _told(here: Any, ids: list[str], wanted: Any, *, named: bool) -> Iterator[tuple[Any, list[Any]]]:
    """How whole the past is of each record that has anything to tell, and what is told; named ones must be stored."""
    from monitor import wiring
    from monitor.cli.output import counting
    from monitor.cli.selection import need_stored
    from monitor.past import past_for
    from monitor.questions import history as steps_of

    if named:
        need_stored(here, ids)
    for each in counting("Reading", ids):
        with here.database.read() as connection:
            steps = steps_of(connection, wiring.REGISTRY, each, wanted)
            past = past_for(connection, wiring.REGISTRY, each) if steps else None
        if steps:
            yield past, steps


def _print(told: Iterator[tuple[Any, list[Any]]], shape: str) -> bool:
    """Print it; whether there was anything."""
    from monitor.cli.output import print_json_list, print_rows, print_texts, say
    from monitor.questions import HISTORY_COLUMNS, history_json, history_rows

    if shape == "text":
        found = print_texts(_in_words(past, steps) for past, steps in told)
        if not found:
            say("No change that fits is stored.")
        return found
    if shape == "json":
        return print_json_list(row for _, steps in told for step in steps for row in history_json(step))
    return print_rows(
        shape, HISTORY_COLUMNS, (row for _, steps in told for step in steps for row in history_rows(step))
    )


def _in_words(past: Any, steps: list[Any]) -> str:
    from monitor.cli.output import wrapped
    from monitor.cli.telling import heading, tell_step
    from snapshots.registries.ctgov.ids import record_page

    last = steps[-1].step
    head = heading(last.registry_id, last.title, record_page(last.registry_id))
    told = (tell_step(each.step, each.date, _remark(each), (each.began, each.led_to)) for each in steps)
    first = [click.style(wrapped(past.words, indent=0), fg="yellow")] if past.words else []
    return "\n\n".join(["\n".join([*first, head]), *told])


def _remark(told: Any) -> str:
    parts = []
    if told.dated_by == "registry date":
        parts.append("filled in, by the registry's own date")
    if told.is_covered:
        parts.append("finer steps tell it too")
    parts += told.pruned
    return f" ({'; '.join(parts)})" if parts else ""
