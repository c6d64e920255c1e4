"""`trialdelta backfill`: the past versions of records, from the registry's own history."""

from typing import Any

import click

from monitor.cli.output import format_option
from monitor.cli.selection import records_options

Json = Any


@click.command(short_help="Fetch past versions from the registry's history.")
@records_options
@format_option()
@click.pass_context
def backfill(ctx: click.Context, records: tuple[str, ...], group: str | None, everything: bool, shape: str) -> None:
    """Fetch the past versions of records from the registry's own history, oldest first, one question at a time.

    Nobody is alerted of what they tell. It can be interrupted at any time: run it again and it goes on. What is stored
    is never fetched twice; versions that the registry did not give are asked for again. What was submitted after the
    newest look at a watched record is left to the next one, which tells it as news.

    \b
    Example:
      trialdelta backfill NCT01234567
      trialdelta backfill --group kidney
    """
    from monitor.cli.output import print_json
    from monitor.cli.program import FAILED
    from monitor.cli.selection import chosen
    from monitor.cli.session import session

    with session() as here:
        reports = []
        for report in _fill(here, chosen(here, records, group, everything)):
            reports.append(report)
            if shape == "text":
                _print(report)
    if shape == "json":
        print_json([_as_json(report) for report in reports])
    if any(report.trouble for report in reports):
        ctx.exit(FAILED)


def _fill(here: Any, ids: list[str]) -> Any:
    """A report for each record; after two in a row whose versions the registry did not even list, no more are asked."""
    from monitor import wiring
    from monitor.cli.output import Progress, say
    from notifiers.due_watches import watched_ids
    from snapshots.backfill import back_fill

    with here.database.read() as connection:
        watched = set(watched_ids(connection, wiring.REGISTRY))
    in_vain = 0
    with here.registry() as registry:
        for number, each in enumerate(ids):
            progress = Progress(f"Past versions of {each}")
            clock, newer = wiring.utc_now, each in watched
            report = back_fill(here.database, registry, clock, each, leave_newer=newer, progress=progress)
            progress.end()
            yield report
            in_vain = in_vain + 1 if report.trouble and not report.listed else 0
            if in_vain == 2 and number + 1 < len(ids):
                say(f"The other {len(ids) - number - 1} records were not asked for; run it again later.", fg="yellow")
                return


def _print(report: Any) -> None:
    from monitor.cli.output import say

    known = report.listed - len(report.gaps)
    told = f"{report.registry_id}: {report.stored:,} of {report.listed:,} past versions fetched"
    if report.outcome == "complete":
        already = known - report.stored
        others = f", {already:,} were stored already or are newer than the last look" if already > 0 else ""
        told += f"{others}; they tell {report.changes:,} changes"
    click.echo(told)
    for gap in report.gaps:
        say(f"Version {gap.registry_version} of {gap.registry_date} could not be had: {gap.reason}", fg="yellow")
    if report.trouble:
        say(f"It is not complete: {report.trouble}", fg="red")


def _as_json(report: Any) -> Json:
    import msgspec

    return msgspec.to_builtins(report)
