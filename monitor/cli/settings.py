"""`trialdelta settings`: every setting in force, where it came from, secrets masked."""

import click

from monitor.cli.output import format_option


@click.command(short_help="All settings, resolved, secrets masked.")
@format_option()
@click.option("--example", is_flag=True, help="Print the text of .env.example instead.")
def settings(shape: str, example: bool) -> None:
    """Print every TRIALDELTA_… setting with its value and where that came from. Secrets are masked.

    \b
    Example:
      trialdelta settings
      TRIALDELTA_PORT=9000 trialdelta settings --format json
    """
    from monitor.settings import example as env_example

    if example:
        click.echo(env_example(), nl=False)
        return
    _print(shape)


def _print(shape: str) -> None:
    import os

    from monitor.cli.output import print_json, print_table, say
    from monitor.settings import resolve, unknown_variables

    found = resolve(os.environ)
    for words in unknown_variables(os.environ):
        say(f"Note: {words}", fg="yellow")
    if shape == "json":
        print_json([{"name": each.setting.variable, "value": each.shown, "source": each.source} for each in found])
    else:
        rows = [
            (each.setting.variable, each.source, "(not set)" if each.shown is None else each.shown) for each in found
        ]
        print_table(("setting", "source", "value"), rows)
