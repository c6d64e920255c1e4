"""`trialdelta timeline`, `slips`, `outcomes`, `compliance`: what became of records since their first version."""

from collections.abc import Callable
from typing import Any

import click

from monitor.cli.output import format_option
from monitor.cli.selection import records_options

Asked = Callable[..., None]
_today = click.option("--today", metavar="DATE", help="Count to that day instead of today, by what is stored now.")
_format = format_option("text", "json", "csv", "parquet")


@click.command(short_help="Status periods, participants, dates and sites over time.")
@records_options
@_today
@_format
def timeline(records: tuple[str, ...], group: str | None, everything: bool, *, today: str | None, shape: str) -> None:
    """Print how long the study stood in which status, also in UNKNOWN, which the registry computes from passing time;
    and how the number of participants, the dates and the number of sites went.

    The first line says so where not all of the past is stored; in tables and JSON past_is_whole is false then.
    "version" is the number in the archive.

    \b
    Example:
      trialdelta timeline NCT01234567
      trialdelta timeline --group kidney --format csv > timeline.csv
    """
    _answer("timeline", records, group, everything, shape, today)


@click.command(short_help="How often the dates were moved, and by how much in all.")
@records_options
@_format
def slips(records: tuple[str, ...], group: str | None, everything: bool, shape: str) -> None:
    """Print how often the start, primary completion and completion dates were moved, each move with its days and the
    running total since the first plan. Dates without a day are compared by months: where the steps therefore do not
    add up to the total, that is said there.

    The first line says so where not all of the past is stored; in tables and JSON past_is_whole is false then. Of each
    move adds_up is false where the steps no longer add up to the total. "version" is the number in the archive.

    \b
    Example:
      trialdelta slips NCT01234567
      trialdelta slips --all --format parquet > slips.parquet
    """
    _answer("slips", records, group, everything, shape)


@click.command(short_help="What became of each outcome, and when.")
@records_options
@_format
def outcomes(records: tuple[str, ...], group: str | None, everything: bool, shape: str) -> None:
    """Print the life of each outcome measure: since when it is registered, when it was reworded, promoted, demoted or
    dropped; and whether that was before primary completion, before results were posted, with them, or after.

    \b
    Example:
      trialdelta outcomes NCT01234567
      trialdelta outcomes --group kidney --format csv > outcomes.csv
    """
    _answer("outcomes", records, group, everything, shape)


@click.command(short_help="Deadlines of law and custom, computed, with their rules.")
@records_options
@_today
@_format
def compliance(records: tuple[str, ...], group: str | None, everything: bool, *, today: str | None, shape: str) -> None:
    """Print whether the study was registered before it started, when results are due and whether they are overdue,
    whether its status was verified and its record updated in time. All of it is computed here from the record, with the
    rule and where that stands; whether a law applies to the study, the record alone does not tell.

    \b
    Example:
      trialdelta compliance NCT01234567
      trialdelta compliance --all --format csv > compliance.csv
    """
    _answer("compliance", records, group, everything, shape, today)


def _answer(  # noqa: PLR0917 - as the commands hand them on
    name: str, records: tuple[str, ...], group: str | None, everything: bool, shape: str, today: str | None = None
) -> None:
    from datetime import date

    from monitor.cli.records import checked_date
    from monitor.cli.selection import chosen
    from monitor.cli.session import session

    with session() as here:
        ids = chosen(here, records, group, everything)
        to = date.fromisoformat(checked_date(today)) if today else here.now.date()
        _print(name, _found(here, ids, named=bool(records)), to, shape)


def _found(here: Any, ids: list[str], *, named: bool) -> Any:
    """The records one by one: all of them need more memory than there may be. Named ones must all be stored, which is
    seen before anything is printed.
    """
    from monitor.cli.output import counting
    from monitor.cli.selection import each_recorded, need_stored

    if named:
        need_stored(here, ids)
    return each_recorded(here, counting("Reading", ids))


def _print(name: str, found: Any, today: Any, shape: str) -> None:
    from monitor.cli.output import print_json_list, print_rows, print_texts, say
    from monitor.questions import QUESTIONS

    question = QUESTIONS[name]
    partial: list[str] = []
    if shape == "json":
        print_json_list(question.as_json(known, today) for known in _noting(found, partial))
    elif shape == "text":
        from monitor.cli.courses import in_words

        if not print_texts(in_words(name, known, today) for known in found):
            say("Nothing is stored yet.")
    else:
        rows = (row for known in _noting(found, partial) for row in question.as_rows(known, today))
        print_rows(shape, question.columns, rows)
    if partial:
        say(_partial_words(partial), fg="yellow")


def _noting(found: Any, partial: list[str]) -> Any:
    """The records as they come; of whose past something is missing is noted."""
    for known in found:
        if not known.past.is_whole:
            partial.append(known.past.words if not partial else known.id)
        yield known


def _partial_words(partial: list[str]) -> str:
    """What is said beside rows and JSON: of one record why, of several how many there are."""
    if len(partial) == 1:
        return partial[0]
    told = f"The past of {len(partial):,} of these records is not whole yet; past_is_whole says of which."
    return f"{told} Bring it in with: trialdelta backfill ID..."
