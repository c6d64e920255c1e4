"""`trialdelta subscription`: who is told of what, where and when."""

from typing import Any

import click

from monitor.cli import hindsight, snoozing
from monitor.cli.output import format_option

Json = Any


@click.group(short_help="Who is told of what: add, list, show, why, backtest, test, remove.")
def subscription() -> None:
    """Say who is told of which changes, at which address, at once or in a digest.

    \b
    Example:
      trialdelta subscription add beijing --to mailto:me@example.org --kind "site.*" --country China
      trialdelta subscription test beijing
    """


@subscription.command(short_help="Add a subscription.")
@click.argument("name")
@click.option(
    "--to", multiple=True, required=True, metavar="ADDRESS", help="A mail address or https://…; may be repeated."
)
@click.option("--group", help="Only watches of this group.")
@click.option("--id", "ids", multiple=True, metavar="ID", help="Only this record; may be repeated.")
@click.option("--search", help="Only what this saved search finds.")
@click.option("--kind", "kinds", multiple=True, help='A kind, "group.*" or "!kind"; may be repeated.')
@click.option("--min-severity", type=click.Choice(("critical", "major", "minor", "admin")), help="This severe or more.")
@click.option("--country", "countries", multiple=True, help="Sites in this country; may be repeated.")
@click.option("--site", "sites", multiple=True, help="Words in the facility's name; may be repeated.")
@click.option("--near", metavar="PLACE,KM", help='Sites so near, such as "Beijing,50" or 39.9,116.4,50.')
@click.option("--shift-days-over", type=int, metavar="DAYS", help="Dates that move by more.")
@click.option("--becomes", multiple=True, help="The new value, such as TERMINATED; may be repeated.")
@click.option("--sponsor", multiple=True, help="Words in the lead sponsor's name; may be repeated.")
@click.option("--digest", type=click.Choice(("daily", "weekly", "monthly")), help="In a digest, not at once.")
@click.option("--on", help="The digest's weekday or day of the month.")
@click.option("--at", metavar="HH:MM", help="The digest's time of day.")
@click.option("--timezone", metavar="ZONE", help="Of the digest and the quiet hours, such as Europe/Berlin.")
@click.option("--immediately", metavar="SEVERITY", help="With a digest: this severe or more is told at once.")
@click.option("--quiet", metavar="HH:MM-HH:MM", help="Send nothing at once in these hours.")
@click.option("--max-per-hour", type=int, metavar="N", help="No more messages an hour to one address.")
@click.option("--templates", type=click.Path(), metavar="FOLDER", help="Templates of one's own for its messages.")
@click.option("--replace", is_flag=True, help="Change the subscription of that name.")
@click.option("--dry-run", is_flag=True, help="Keep nothing; show today's state and what it would have told.")
@click.option("--since", metavar="DATE", help="Replay from this day on, not the last 12 months.")
@click.option("--yes", is_flag=True, help="Ask nothing, also on a terminal.")
@click.option("--send-standing", is_flag=True, help="Send today's state as a first message.")
def add(name: str, replace: bool, **given: Any) -> None:
    """Tell addresses of changes. All given conditions must hold; a repeated one is any of its values.

    A place may be named: cities over 15,000 inhabitants and those of the stored trials are known. On a terminal what
    these conditions would have told in the last 12 months is offered before anything is kept; --dry-run shows it.

    With --replace, what has no option here (severity, pause, snooze) stays as it was, and so do templates.

    What holds today is shown against the same conditions. A web address gets a secret, shown once, that signs what is
    posted to it.

    \b
    Example:
      trialdelta subscription add beijing --to mailto:me@example.org --kind site.recruiting --near Beijing,50
      trialdelta subscription add team --to mailto:team@example.org --digest weekly --on monday --at 08:00
    """
    from monitor.cli.session import session
    from notifiers import subscriptions

    with session() as here:
        wanted = _asked_for(here, name, given)
        with here.database.read() as connection:
            _to_keep(connection, wanted, replace)
            noted = _notes(connection, wanted, here) if given["dry_run"] else ()
        if given["dry_run"]:
            _say_notes(noted)
            hindsight.show(here, wanted, given["since"])
            return
        send_standing = hindsight.offer(here, wanted, given) if not given["yes"] else given["send_standing"]
        with here.database.write() as connection:
            wanted = _to_keep(connection, wanted, replace)
            notes = _notes(connection, wanted, here)
            secrets = subscriptions.save(connection, wanted, here.now)
        _told(here, wanted, secrets, notes)
        if send_standing:
            hindsight.send_standing(here, wanted.name)


def _asked_for(here: Any, name: str, given: dict[str, Any]) -> Any:
    """The subscription that the options ask for. Raises Failure."""
    from monitor import wiring
    from monitor.cli.meant import complaint, which_place
    from monitor.cli.program import Failure
    from monitor.cli.subscription_table import table_of
    from notifiers import subscriptions, template_folders
    from notifiers.archive_places import finder
    from notifiers.conditions import InvalidValue
    from snapshots.places import noting

    table = table_of(name, given)
    offered: list[str] = []
    try:
        with here.database.read() as connection:
            find = noting(finder(connection, wiring.PARSE), offered)
            wanted = subscriptions.from_table(table, find)
        subscriptions.check(wanted, here.schemes)
        if wanted.templates:
            template_folders.check(wanted.templates)
    except InvalidValue as error:
        told = complaint(error.key, error.problem, given)
        raise Failure(told if not offered else which_place(told, offered, table["when"]["near"]["km"])) from error
    return wanted


def _to_keep(connection: Any, wanted: Any, replace: bool) -> Any:
    """What is to be kept under the name. Raises Failure where another is there that may not be replaced."""
    from monitor.cli.program import Failure
    from notifiers import subscriptions

    known = subscriptions.find(connection, wanted.name)
    if known is not None and not replace:
        raise Failure(f"there is a subscription {wanted.name!r} already; --replace changes it")
    return _kept(wanted, known.subscription) if known is not None else wanted


@subscription.command("list", short_help="All subscriptions.")
@format_option()
def list_(shape: str) -> None:
    """Print all subscriptions with their conditions and addresses.

    \b
    Example:
      trialdelta subscription list
    """
    from monitor.cli.output import print_json, print_table, say
    from monitor.cli.session import session
    from monitor.shown.subscriptions import subscription_json
    from notifiers import subscriptions
    from notifiers.addresses import shown

    with session() as here, here.database.read() as connection:
        found = subscriptions.listing(connection)
    if shape == "json":
        print_json([subscription_json(each) for each in found])
    elif found:
        rows = [
            (
                each.subscription.name,
                _when(each.subscription),
                ", ".join(map(shown, each.subscription.to)),
                _conditions(each.subscription),
            )
            for each in found
        ]
        print_table(("name", "told", "to", "conditions"), rows)
    else:
        say("Nobody is told anything yet. Begin with: trialdelta subscription add NAME --to mailto:you@example.org")


@subscription.command(short_help="One subscription, and how things stand for it today.")
@click.argument("name")
@format_option()
def show(name: str, shape: str) -> None:
    """Print one subscription: what it asks for, whom it tells, and how things stand for it today.

    \b
    Example:
      trialdelta subscription show beijing
    """
    from monitor.cli.output import print_json
    from monitor.cli.session import session
    from monitor.shown.subscriptions import subscription_json

    with session() as here:
        found = _found(here, name)
        if shape == "json":
            print_json(subscription_json(found))
            return
        click.echo(_toml(found.subscription))
        click.echo(f"Today: {hindsight.standing_words(here, found.subscription)}")


@subscription.command(short_help="Tell nobody of it any more.")
@click.argument("name")
def remove(name: str) -> None:
    """Remove a subscription. What is still due for it alone is cancelled; the ledger of what was told stays.

    \b
    Example:
      trialdelta subscription remove beijing
    """
    from monitor.cli.session import session
    from notifiers import subscriptions

    with session() as here:
        _found(here, name)
        with here.database.write() as connection:
            subscriptions.remove(connection, name, here.now)
    click.echo(f"{name} is removed")


@subscription.command(short_help="Send a test message to its addresses now.")
@click.argument("name")
@click.pass_context
def test(ctx: click.Context, name: str) -> None:
    """Send a test message to every address of a subscription, and say what became of it. Each is tried once: what does
    not arrive now does not arrive later. An address that was switched off stays on if it can be told. A new mail
    address that has not confirmed gets it when it does.

    Exit status 0 where every address took it, 2 where one did not, or has to confirm first.

    \b
    Example:
      trialdelta subscription test beijing
    """
    from monitor.cli.program import FAILED
    from monitor.cli.sending import send
    from monitor.cli.session import session
    from notifiers import outbox

    with session() as here:
        _found(here, name)
        with here.database.write() as connection:
            ids = outbox.enqueue_test(connection, name, here.now)
        if not send(here, ids):
            ctx.exit(FAILED)


def _found(here: Any, name: str) -> Any:
    with here.database.read() as connection:
        return hindsight.found(connection, name)


def _kept(wanted: Any, before: Any) -> Any:
    """What is wanted now, with what only the watchlist file has words for as it was before."""
    from msgspec.structs import replace

    from monitor.subscribing import at_rest_as

    kept = replace(wanted, severity=before.severity, templates=wanted.templates or before.templates)
    return at_rest_as(kept, before)


def _notes(connection: Any, wanted: Any, here: Any) -> tuple[str, ...]:
    """What can be meant and is probably not, as of a watchlist file. Raises Failure for a search that is not there."""
    from monitor import subscribing
    from monitor.cli.program import Failure
    from notifiers.conditions import InvalidValue

    try:
        return subscribing.notes(connection, wanted, here.now, here.settings)
    except InvalidValue as error:
        raise Failure(str(error)) from error


def _told(here: Any, wanted: Any, secrets: dict[str, str], notes: tuple[str, ...]) -> None:
    from notifiers.addresses import shown

    click.echo(f"{wanted.name} is kept: it tells {', '.join(map(shown, wanted.to))} {_when(wanted)}")
    show_secrets(secrets)
    _say_notes(notes)
    click.echo(f"Today: {hindsight.standing_words(here, wanted)}")


def _say_notes(notes: tuple[str, ...]) -> None:
    from monitor.cli.output import say

    for note in notes:
        say(f"Note: {note}", fg="yellow")


def show_secrets(secrets: dict[str, str]) -> None:
    """The secrets that were made, each shown this once."""
    from notifiers.addresses import shown

    for uri, secret in secrets.items():
        click.echo(f"Secret of {shown(uri)}, shown only now: {secret}")


def _rest(wanted: Any) -> str:
    from monitor.wiring import utc_now

    words: str = wanted.silence.in_words(utc_now())
    return words


def _when(wanted: Any) -> str:
    from monitor.timing_words import told_when

    return _rest(wanted) or told_when(wanted)


def _conditions(wanted: Any) -> str:
    from notifiers.filters import in_words

    return in_words(wanted.when) or "everything"


def _toml(wanted: Any) -> str:
    from notifiers.watchlist_file import shown

    return shown(wanted)


subscription.add_command(hindsight.why)
subscription.add_command(hindsight.backtest)


for _command in (snoozing.pause, snoozing.snooze, snoozing.resume):
    subscription.add_command(_command)
