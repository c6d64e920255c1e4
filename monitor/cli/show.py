"""`trialdelta show`: a record in words, section by section, as it stands or as it stood."""

from typing import Any

import click

from monitor.cli.output import format_option


@click.command(short_help="A record in words.")
@click.argument("record", metavar="ID")
@click.option("--as-of", metavar="DATE", help="As it stood on that day, such as 2026-03-25.")
@click.option(
    "--version",
    "number",
    metavar="N",
    help="That stored version, by its number in the archive; `trialdelta history` tells them.",
)
@format_option("text", "json", "raw")
def show(record: str, as_of: str | None, number: str | None, shape: str) -> None:
    """Print what a record says: status, dates, design, arms, eligibility, sites, contacts.

    "version 3 of 7" counts the versions of this record; --version takes the number in the archive ("archive no. 13"),
    which counts those of all records.

    With --as-of the first line says which version stood on that day, and by which of its dates; or that the record was
    not registered yet, is not stored for that time, was withheld, or that a version is missing there.
    --format raw prints the exact bytes that the registry sent, json the same record with what is known of the version.

    \b
    Example:
      trialdelta show NCT01234567
      trialdelta show NCT01234567 --as-of 2026-03-01
    """
    if as_of and number:
        raise click.UsageError("--as-of and --version exclude each other")
    from monitor.cli import records
    from monitor.cli.session import session

    with session() as here:
        if as_of:
            answer, found = records.on_day(here, record, records.checked_date(as_of))
        else:
            answer, found = None, records.find(here, record, records.checked_number(number) if number else None)
    _print(answer, found, shape)


def _print(answer: Any, found: Any, shape: str) -> None:
    from monitor.cli import words
    from monitor.cli.output import print_json, say, wrapped
    from monitor.cli.program import Failure

    if shape == "json":
        print_json(words.as_json(found, answer))
    elif shape == "text":
        said = [wrapped(answer.sentence, indent=0)] if answer else []
        click.echo("\n\n".join([*said, words.in_words(found)] if found else said))
    elif found is None:
        raise Failure(answer.sentence)
    else:
        if found.doubt:
            say(found.doubt)
        click.echo(found.raw, nl=False)
