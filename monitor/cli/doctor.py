"""`trialdelta doctor`: what is wrong with this installation, and what to do about it."""

import click

from monitor.cli.output import format_option


@click.command(short_help="What is wrong here, and what to do about it.")
@format_option()
@click.pass_context
def doctor(ctx: click.Context, shape: str) -> None:
    """Look at settings, database, registry, mail server, sweeps and deliveries. Exit 2 where something is wrong.

    \b
    Example:
      trialdelta doctor
    """
    import msgspec

    from monitor import wiring
    from monitor.cli.output import print_json
    from monitor.cli.program import FAILED
    from monitor.cli.session import settings_for_a_person
    from monitor.doctor import Finding, examine

    settings = settings_for_a_person()
    found: list[Finding] = []
    for finding in examine(settings, wiring.utc_now()):
        found.append(finding)
        if shape == "text":
            _print(finding.check, finding.verdict, finding.found, finding.advice)
    if shape == "json":
        print_json(msgspec.to_builtins(found))
    if any(finding.verdict == "failure" for finding in found):
        ctx.exit(FAILED)


def _print(check: str, verdict: str, found: str, advice: str) -> None:
    from monitor.cli.output import wrapped

    sign, colour = {"ok": ("✓", "green"), "note": ("•", "yellow"), "failure": ("✗", "red")}[verdict]
    told = wrapped(f"{check}: {found}", indent=2, hanging=4).lstrip()
    click.echo(f"{click.style(sign, fg=colour, bold=True)} {told}")
    if advice:
        click.secho(wrapped(f"→ {advice}", indent=4, hanging=6), dim=True)
