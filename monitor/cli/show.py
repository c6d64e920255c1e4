"""`trialdelta show`: a record in words, section by section."""

import click

from monitor.cli.output import format_option


@click.command(short_help="A record in words.")
@click.argument("record", metavar="ID")
@click.option("--as-of", metavar="DATE", help="As it stood on that day, such as 2026-03-25.")
@click.option("--version", "number", metavar="N", help="That stored version; `trialdelta history` tells the numbers.")
@format_option("text", "json", "raw")
def show(record: str, as_of: str | None, number: str | None, shape: str) -> None:
    """Print what a record says: status, dates, design, arms, eligibility, sites, contacts.

    --format raw prints the exact bytes that the registry sent, json the same record with what is known of the version.

    \b
    Example:
      trialdelta show NCT01234567
      trialdelta show NCT01234567 --as-of 2026-03-01
    """
    if as_of and number:
        raise click.UsageError("--as-of and --version exclude each other")
    from monitor.cli import records, words
    from monitor.cli.output import print_json
    from monitor.cli.session import session

    with session() as here:
        found = records.find(here, record, number or (records.checked_date(as_of) if as_of else None))
    if shape == "raw":
        click.echo(found.raw, nl=False)
    elif shape == "json":
        print_json(words.as_json(found))
    else:
        click.echo(words.in_words(found))
