"""`trialdelta doctor`: what is wrong with this installation, and what to do about it."""

from collections.abc import Iterable, Sequence
from typing import Any

import click

from monitor.cli.output import format_option

CHECKS = 14
"""About so many findings there are."""


@click.command(short_help="What is wrong here, and what to do about it.")
@click.option("--archive", is_flag=True, help="Check every stored byte and the chain instead; reads the whole archive.")
@click.option("--quick", is_flag=True, help="Ask neither the mail server nor the registry.")
@format_option()
@click.pass_context
def doctor(ctx: click.Context, archive: bool, quick: bool, shape: str) -> None:
    """Look at settings, database, registry, mail server, clocks, disk, daemons, sweeps and deliveries, and say what to
    do: ✗ needs you, • is good to know, ✓ is well, in this order. Exit 2 where something needs you.

    With --archive, whether every version is still, byte for byte, what was received; a head that a message printed is
    compared by `trialdelta audit verify --head`.

    \b
    Example:
      trialdelta doctor
      trialdelta doctor --quick --format json
      trialdelta doctor --archive
    """
    import msgspec

    from monitor import wiring
    from monitor.cli.output import print_json, say
    from monitor.cli.program import FAILED
    from monitor.cli.session import settings_for_a_person
    from monitor.doctor import examine, examine_archive, examine_quickly
    from monitor.findings import worst_first

    settings = settings_for_a_person()
    if archive and quick:
        raise click.UsageError("--archive reads everything, --quick as little as it can: give one of them")
    examined = examine_quickly if quick else examine
    findings = examine_archive(settings) if archive else examined(settings, wiring.utc_now())
    found = worst_first(_all(findings))
    if shape == "json":
        print_json(msgspec.to_builtins(found))
    else:
        for finding in found:
            _print(finding.check, finding.verdict, finding.found, finding.advice)
        say(_summary([finding.verdict for finding in found]), dim=True)
    if any(finding.verdict == "failure" for finding in found):
        ctx.exit(FAILED)


def _all(findings: Iterable[Any]) -> list[Any]:
    """All findings; what is looked at longer than a moment is named on a terminal meanwhile."""
    from monitor.cli.output import Progress

    progress = Progress("Looking")
    found = []
    for number, finding in enumerate(findings, start=1):
        found.append(finding)
        progress(number, max(number + 1, CHECKS))
    progress.end()
    return found


def _summary(verdicts: Sequence[str]) -> str:
    """How much there is to do: the first line that a tired operator reads is the last one printed."""
    failures, notes = verdicts.count("failure"), verdicts.count("note")
    if not failures:
        return f"Nothing needs you; {notes} to know." if notes else "All is well."
    return f"{failures} {'needs' if failures == 1 else 'need'} you (✗, above); {notes} to know (•)."


def _print(check: str, verdict: str, found: str, advice: str) -> None:
    from monitor.cli.output import wrapped

    sign, colour = {"ok": ("✓", "green"), "note": ("•", "yellow"), "failure": ("✗", "red")}[verdict]
    told = wrapped(f"{check}: {found}", indent=2, hanging=4).lstrip()
    click.echo(f"{click.style(sign, fg=colour, bold=True)} {told}")
    if advice:
        click.secho(wrapped(f"→ {advice}", indent=4, hanging=6), dim=True)
