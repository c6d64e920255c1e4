"""`trialdelta kinds`: the vocabulary of change."""

import click

from monitor.cli.output import format_option


@click.command(short_help="The kinds of change that are told apart.")
@format_option("text", "json", "csv", "markdown")
def kinds(shape: str) -> None:
    """Print every kind of change with its usual severity, its label and what it means.

    \b
    Example:
      trialdelta kinds
      trialdelta kinds --format json
      trialdelta kinds --format markdown > docs/change-kinds.md
    """
    import msgspec

    from monitor.cli.output import print_csv, print_json
    from snapshots.kinds import KINDS

    rows = msgspec.to_builtins(list(KINDS.values()))
    if shape == "json":
        print_json(rows)
    elif shape == "csv":
        print_csv(("name", "label", "severity", "family", "meaning"), rows)
    elif shape == "markdown":
        click.echo(as_markdown(), nl=False)
    else:
        _print_families()


def as_markdown() -> str:
    """The vocabulary as the page docs/change-kinds.md."""
    from itertools import groupby

    from snapshots.kinds import KINDS, RULES_VERSION

    lines = [_PREFACE.format(count=len(KINDS), version=RULES_VERSION)]
    for family, members in groupby(KINDS.values(), key=lambda kind: kind.family):
        lines += [f"\n## {family}\n", "| kind | severity | label | what it means |", "|---|---|---|---|"]
        lines += [f"| `{kind.name}` | {kind.severity} | {kind.label} | {kind.meaning} |" for kind in members]
    return "\n".join(lines) + "\n"


_PREFACE = """\
<!-- Written by `trialdelta kinds --format markdown`; edit snapshots/kinds.py instead. -->
# The kinds of change

What trialdelta can tell of a record: {count} kinds, told by version {version} of the rules. A kind's name never changes
its meaning; it is what filters, webhooks, exports and the API use. `trialdelta kinds` prints the same.

A change also carries `summary` (one sentence with the values in it), `before`, `after`, `subject` (what it is about,
null for the record itself), `path` (where it stands in the registry's record) and `cause` (the change that it follows
from: a site that closes with its study).

Severity is the usual one; where the values decide (an enrollment target by its size, a delay by its length) it says so,
and a subscription may set its own.

- **critical**: somebody acts today
- **major**: meaning, timeline or integrity of the trial
- **minor**: real, routine
- **admin**: bookkeeping"""


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
