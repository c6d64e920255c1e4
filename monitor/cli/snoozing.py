"""`trialdelta subscription pause`, `snooze` and `resume`, and what they share with those of `watch`."""

import getpass
from collections.abc import Callable
from datetime import datetime
from typing import Any

import click

_BY = click.option("--by", metavar="NAME", help="Who says so; else the user of this machine.")
_REASON = click.option("--reason", metavar="TEXT", help="Why; shown in lists and digests.")
_UNTIL = click.option("--until", metavar="DATE", help="A day (from 00:00 UTC on) or a time with its offset.")
_UNTIL_CRITICAL = click.option("--until-critical", is_flag=True, help="Until the next critical change, at the latest.")


def author_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """The options that say who put something to rest and why."""
    return _BY(_REASON(command))


def snooze_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """The options of a snooze."""
    return _UNTIL(_UNTIL_CRITICAL(author_options(command)))


def author(by: str | None) -> str | None:
    """Who says so: the name given, else the user of this machine, else nobody knows."""
    if by is not None:
        return by
    try:
        return getpass.getuser()
    except (OSError, KeyError, ImportError):
        return None


def silence(until: str | None, until_critical: bool, by: str | None, reason: str | None, now: datetime) -> Any:
    """The snooze that the options ask for. Raises Failure for a date that is none or past, UsageError for no end."""
    from monitor.cli.program import Failure
    from notifiers.conditions import InvalidValue
    from notifiers.silences import Silence
    from notifiers.subscriptions import moment

    if until is None and not until_critical:
        raise click.UsageError("say until when: --until DATE, --until-critical, or both")
    try:
        when = moment("--until", until) if until is not None else None
    except InvalidValue as error:
        raise Failure(str(error)) from error
    if when is not None and when <= now:
        raise Failure(f"--until: {until} is past")
    return Silence(until=when, until_critical=until_critical, by=author(by), reason=reason)


@click.command(short_help="Tell nobody of it until resumed.")
@click.argument("name")
@author_options
def pause(name: str, by: str | None, reason: str | None) -> None:
    """Want nothing for this subscription until it is resumed, whenever that is: a pause has no date. What happens
    meanwhile is not told later, and what is queued for it alone is cancelled. To rest until a date and be told then
    what happened, use snooze.

    \b
    Example:
      trialdelta subscription pause beijing --reason "site closed over the holidays"
    """
    _save(name, lambda _now: {"paused": True, "silenced_by": author(by), "silence_reason": reason}, "is paused")


@click.command(short_help="Tell nothing until a date or a critical change.")
@click.argument("name")
@snooze_options
def snooze(name: str, until: str | None, until_critical: bool, by: str | None, reason: str | None) -> None:
    """Send nothing for this subscription until then. What waits, also what is queued already, is told when the snooze
    ends: in its digest, or in one summary.

    \b
    Example:
      trialdelta subscription snooze beijing --until 2026-12-01 --reason "audit"
      trialdelta subscription snooze beijing --until-critical
    """
    from monitor.wiring import utc_now

    asked = silence(until, until_critical, by, reason, utc_now())
    values = {
        "snooze_until": asked.until,
        "snooze_until_critical": asked.until_critical,
        "silenced_by": asked.by,
        "silence_reason": asked.reason,
    }
    _save(name, lambda _now: values, f"is {asked.in_words(utc_now())}")


@click.command(short_help="End a pause or a snooze.")
@click.argument("name")
def resume(name: str) -> None:
    """End a pause or a snooze of this subscription. What waited for the end of a snooze is told within a minute.

    \b
    Example:
      trialdelta subscription resume beijing
    """
    awake = {"paused": False, "snooze_until": None, "snooze_until_critical": False}
    _save(name, lambda _now: {**awake, "silenced_by": None, "silence_reason": None}, "is awake")


def _save(name: str, values: Callable[[datetime], dict[str, Any]], words: str) -> None:
    from msgspec.structs import replace

    from monitor.cli.meant import no_subscription
    from monitor.cli.program import Failure
    from monitor.cli.session import session
    from notifiers import subscriptions

    with session() as here, here.database.write() as connection:
        found = subscriptions.find(connection, name)
        if found is None:
            raise Failure(no_subscription(connection, name))
        subscriptions.save(connection, replace(found.subscription, **values(here.now)), here.now)
    click.echo(f"{name} {words}")
