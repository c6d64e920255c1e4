"""`trialdelta kinds`: the vocabulary of change."""

import click

from monitor.cli.output import format_option


@click.command(short_help="The kinds of change that are told apart.")
@format_option("text", "json", "csv")
def kinds(shape: str) -> None:
    """Print every kind of change with its usual severity, its label and what it means.

    \b
    Example:
      trialdelta kinds
      trialdelta kinds --format json
    """
    import msgspec

    from monitor.cli.output import print_csv, print_json
    from snapshots.kinds import KINDS

    rows = msgspec.to_builtins(list(KINDS.values()))
    if shape == "json":
        print_json(rows)
    elif shape == "csv":
        print_csv(("name", "label", "severity", "family", "meaning"), rows)
    else:
        _print_families()


def _print_families() -> None:
    from itertools import groupby

    from monitor.cli.telling import mark
    from snapshots.kinds import KINDS

    longest = max(map(len, KINDS))
    for family, members in groupby(KINDS.values(), key=lambda kind: kind.family):
        click.secho(f"\n{family}", bold=True)
        for kind in members:
            click.echo(f"  {mark(kind.severity)} {kind.name.ljust(longest)}  {kind.label}")
    click.echo("\n" + "  ".join(f"{mark(severity)} {severity}" for severity in ("critical", "major", "minor", "admin")))
