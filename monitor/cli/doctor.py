"""`trialdelta doctor`: what is wrong with this installation, and what to do about it."""

import click

from monitor.cli.output import format_option


@click.command(short_help="What is wrong here, and what to do about it.")
@click.option("--archive", is_flag=True, help="Check every stored byte and the chain instead; reads the whole archive.")
@click.option("--quick", is_flag=True, help="Ask neither the mail server nor the registry.")
@format_option()
@click.pass_context
def doctor(ctx: click.Context, archive: bool, quick: bool, shape: str) -> None:
    """Look at settings, database, registry, mail server, clocks, disk, daemons, sweeps and deliveries, and say what to
    do. Exit 2 where something is wrong.

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
    from monitor.cli.output import print_json
    from monitor.cli.program import FAILED
    from monitor.cli.session import settings_for_a_person
    from monitor.doctor import Finding, examine, examine_archive, examine_quickly

    settings = settings_for_a_person()
    found: list[Finding] = []
    if archive and quick:
        raise click.UsageError("--archive reads everything, --quick as little as it can: give one of them")
    examined = examine_quickly if quick else examine
    findings = examine_archive(settings) if archive else examined(settings, wiring.utc_now())
    for finding in findings:
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
