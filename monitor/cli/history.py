"""`trialdelta history`: every change of a record, oldest first."""

from typing import Any

import click

from monitor.cli.output import format_option

Json = Any


@click.command(short_help="Every change of a record, oldest first.")
@click.argument("record", metavar="ID")
@click.option("--since", metavar="DATE", help="From this release day on, such as 2026-03-01.")
@click.option("--kind", "kinds", multiple=True, help='Only this kind, or "group.*"; may be repeated.')
@format_option("text", "json", "csv")
@click.option("--exit-code", is_flag=True, help="Exit with 1 where any change is told.")
@click.pass_context
def history(
    ctx: click.Context, record: str, *, since: str | None, kinds: tuple[str, ...], shape: str, exit_code: bool
) -> None:
    """Print what changed in a record, version by version, oldest first.

    \b
    Example:
      trialdelta history NCT01234567
      trialdelta history NCT01234567 --since 2026-01-01 --kind "site.*" --format csv
    """
    from monitor.cli.program import FOUND_CHANGES
    from monitor.cli.records import checked_date

    steps = _steps(record, checked_date(since) if since else None, _chosen(kinds))
    _print(steps, shape)
    if exit_code and any(step.changes for step in steps):
        ctx.exit(FOUND_CHANGES)


def _chosen(patterns: tuple[str, ...]) -> list[str] | None:
    from fnmatch import fnmatchcase

    from monitor.cli.program import Failure
    from notifiers.conditions import InvalidValue, check_kind_pattern
    from snapshots.kinds import KINDS

    try:
        for pattern in patterns:
            check_kind_pattern("--kind", pattern)
    except InvalidValue as error:
        raise Failure(str(error)) from error
    return [kind for kind in KINDS if any(fnmatchcase(kind, pattern) for pattern in patterns)] if patterns else None


def _steps(record: str, since: str | None, kinds: list[str] | None) -> list[Any]:
    from monitor import wiring
    from monitor.cli.records import find
    from monitor.cli.session import record_id, session
    from snapshots import archive

    with session() as here:
        known = record_id(record)
        with here.database.read() as connection:
            steps = archive.steps(connection, wiring.REGISTRY, known, since, kinds)
        if not steps:
            find(here, known)  # says what to do where nothing is stored at all
    return steps


def _print(steps: list[Any], shape: str) -> None:
    from monitor.cli.output import print_csv, print_json, say

    rows = [row for step in steps for row in _rows(step)]
    if shape == "json":
        print_json(rows)
    elif shape == "csv":
        print_csv(_COLUMNS, [row | {"record": row["record"]["id"]} for row in rows])
    elif rows:
        _print_text(steps)
    else:
        say("No change of this kind since then is stored.")


_COLUMNS = (
    *("release", "observed_at", "record", "kind", "severity", "label", "summary", "subject", "before", "after", "path"),
    *("cause", "from_version", "to_version", "id"),
)


def _rows(step: Any) -> list[dict[str, Json]]:
    from snapshots.archive import stored_change_json
    from snapshots.registries.ctgov.ids import record_page

    url = record_page(step.registry_id) if step.registry_id else None
    return [stored_change_json(step, stored, url) for stored in step.changes]


def _print_text(steps: list[Any]) -> None:
    from monitor.cli.telling import heading, tell_step
    from snapshots.registries.ctgov.ids import record_page

    last = steps[-1]
    click.echo(heading(last.registry_id, last.title, record_page(last.registry_id)))
    for step in steps:
        if step.changes:
            click.echo(f"\n{tell_step(step)}")
