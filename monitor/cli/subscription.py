"""`trialdelta subscription`: who is told of what, where and when."""

from typing import Any

import click

from monitor.cli.output import format_option

Json = Any


@click.group(short_help="Who is told of what: add, list, show, remove, test.")
def subscription() -> None:
    """Say who is told of which changes, at which address, at once or in a digest.

    \b
    Example:
      trialdelta subscription add beijing --to mailto:me@example.org --kind "site.*" --country China
      trialdelta subscription test beijing
    """


@subscription.command(short_help="Add a subscription.")
@click.argument("name")
@click.option("--to", multiple=True, required=True, metavar="ADDRESS", help="mailto:… or https://…; may be repeated.")
@click.option("--group", help="Only watches of this group.")
@click.option("--id", "ids", multiple=True, metavar="ID", help="Only this record; may be repeated.")
@click.option("--search", help="Only what this saved search finds.")
@click.option("--kind", "kinds", multiple=True, help='A kind, "group.*" or "!kind"; may be repeated.')
@click.option("--min-severity", type=click.Choice(("critical", "major", "minor", "admin")), help="This severe or more.")
@click.option("--country", "countries", multiple=True, help="Sites in this country; may be repeated.")
@click.option("--site", "sites", multiple=True, help="Words in the facility's name; may be repeated.")
@click.option("--near", metavar="LAT,LON,KM", help="Sites within so many kilometres.")
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
@click.option("--replace", is_flag=True, help="Change the subscription of that name.")
def add(name: str, replace: bool, **given: Any) -> None:
    """Tell addresses of changes. All given conditions must hold; a repeated one is any of its values.

    With --replace, what has no option here (severity, templates, pause, snooze) stays as it was.

    What holds today is shown against the same conditions. A web address gets a secret, shown once, that signs what is
    posted to it.

    \b
    Example:
      trialdelta subscription add beijing --to mailto:me@example.org --kind site.recruiting --near 39.9,116.4,50
      trialdelta subscription add team --to mailto:team@example.org --digest weekly --on monday --at 08:00
    """
    from monitor.cli.program import Failure
    from monitor.cli.session import session
    from notifiers import subscriptions
    from notifiers.conditions import InvalidValue

    with session() as here:
        try:
            wanted = subscriptions.from_table(_table(name, given))
            subscriptions.check(wanted, here.schemes)
        except InvalidValue as error:
            raise Failure(str(error)) from error
        with here.database.write() as connection:
            known = subscriptions.find(connection, name)
            if known is not None and not replace:
                raise Failure(f"there is a subscription {name!r} already; --replace changes it")
            wanted = _kept(wanted, known.subscription) if known is not None else wanted
            notes = _notes(connection, wanted, here.now)
            secrets = subscriptions.save(connection, wanted, here.now)
        _told(here, wanted, secrets, notes)


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
    from notifiers import subscriptions

    with session() as here, here.database.read() as connection:
        found = subscriptions.listing(connection)
    if shape == "json":
        print_json([_as_json(each) for each in found])
    elif found:
        rows = [
            (
                each.subscription.name,
                _when(each.subscription),
                ", ".join(each.subscription.to),
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

    with session() as here:
        found = _found(here, name)
        if shape == "json":
            print_json(_as_json(found))
            return
        click.echo(_toml(found.subscription))
        click.echo(f"Today: {_standing(here, found.subscription)}")


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
    """Send a test message to every address of a subscription, and say what became of it. An address that was switched
    off is tried again, and stays on if it can be told.

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


def _table(name: str, given: dict[str, Any]) -> dict[str, Json]:
    """The same table that the watchlist file would hold."""
    when: dict[str, Json] = {
        key: list(given[key]) for key in ("kinds", "countries", "sites", "becomes", "sponsor") if given[key]
    }
    when |= {key: given[key] for key in ("min_severity", "shift_days_over") if given[key] is not None}
    if given["near"]:
        when["near"] = _near(given["near"])
    table = {"name": name, "to": list(given["to"]), "watches": _selection(given), "when": when}
    if given["digest"]:
        table["deliver"] = _timing(given)
    elif any(given[key] for key in ("on", "at", "immediately")):
        raise click.UsageError("--on, --at and --immediately need --digest")
    if given["quiet"]:
        table["quiet"] = _quiet(given["quiet"], given["timezone"])
    return table | ({"max_per_hour": given["max_per_hour"]} if given["max_per_hour"] is not None else {})


def _selection(given: dict[str, Any]) -> Json:
    from monitor.cli.session import record_ids

    chosen = {key: given[key] for key in ("group", "search") if given[key]}
    if given["ids"]:
        chosen["ids"] = record_ids(given["ids"])
    if len(chosen) > 1:
        raise click.UsageError("--group, --id and --search exclude each other")
    return chosen or "all"


def _timing(given: dict[str, Any]) -> dict[str, Json]:
    chosen = {key: given[key] for key in ("digest", "at", "timezone", "immediately") if given[key]}
    if given["on"]:
        chosen["on"] = int(given["on"]) if given["on"].isdigit() else given["on"]
    return chosen


def _near(text: str) -> dict[str, Json]:
    try:
        latitude, longitude, kilometres = (float(part) for part in text.split(","))
    except ValueError as error:
        raise click.UsageError(
            f"--near is written LATITUDE,LONGITUDE,KM, such as 39.9,116.4,50, not {text!r}"
        ) from error
    return {"place": {"latitude": latitude, "longitude": longitude}, "km": kilometres}


def _quiet(text: str, timezone: str | None) -> dict[str, Json]:
    start, dash, end = text.partition("-")
    if not dash:
        raise click.UsageError(f"--quiet is written HH:MM-HH:MM, such as 22:00-07:00, not {text!r}")
    return {"from": start.strip(), "to": end.strip()} | ({"timezone": timezone} if timezone else {})


def _found(here: Any, name: str) -> Any:
    from monitor.cli.program import Failure
    from notifiers import subscriptions

    with here.database.read() as connection:
        found = subscriptions.find(connection, name)
    if found is None:
        raise Failure(f"there is no subscription {name!r}; `trialdelta subscription list` tells their names")
    return found


def _kept(wanted: Any, before: Any) -> Any:
    """What is wanted now, with what only the watchlist file has words for as it was before."""
    from msgspec.structs import replace

    return replace(
        wanted,
        severity=before.severity,
        templates=before.templates,
        paused=before.paused,
        snooze_until=before.snooze_until,
    )


def _notes(connection: Any, wanted: Any, now: Any) -> tuple[str, ...]:
    """What can be meant and is probably not, as of a watchlist file. Raises Failure for a search that is not there."""
    from monitor import wiring
    from monitor.cli.program import Failure
    from notifiers import addresses
    from notifiers.conditions import InvalidValue
    from notifiers.watchlist_file import Watchlist, plan

    try:
        notes = plan(connection, Watchlist(registry=wiring.REGISTRY, subscriptions=(wanted,)), now).notes
    except InvalidValue as error:
        raise Failure(str(error)) from error
    told = [addresses.find(connection, uri, now) for uri in wanted.to]
    off = [each for each in told if each is not None and each.state == "off"]
    again = f"`trialdelta subscription test {wanted.name}` tries it again"
    return (*notes, *(f"{each.uri} is switched off: {each.state_reason}; {again}" for each in off))


def _told(here: Any, wanted: Any, secrets: dict[str, str], notes: tuple[str, ...]) -> None:
    from monitor.cli.output import say

    click.echo(f"{wanted.name} is kept: {', '.join(wanted.to)} {_when(wanted)}")
    show_secrets(secrets)
    for note in notes:
        say(f"Note: {note}", fg="yellow")
    click.echo(f"Today: {_standing(here, wanted)}")


def show_secrets(secrets: dict[str, str]) -> None:
    """The secrets that were made, each shown this once."""
    for uri, secret in secrets.items():
        click.echo(f"Secret of {uri}, shown only now: {secret}")


def _standing(here: Any, wanted: Any) -> str:
    from monitor import wiring
    from notifiers import standing
    from snapshots.registries.ctgov.parse import parse

    with here.database.read() as connection:
        return standing.in_words(standing.load(connection, wanted, {wiring.REGISTRY: parse}))


def _when(wanted: Any) -> str:
    if wanted.paused:
        return "paused"
    if wanted.digest is None:
        return "at once"
    digest = wanted.digest
    first = wanted.deliver.immediately
    on = f" on {digest.on}" if digest.on is not None else ""
    return f"{digest.every}{on} at {digest.at} {digest.timezone}" + (f", {first} at once" if first else "")


def _conditions(wanted: Any) -> str:
    from notifiers.filters import in_words

    return in_words(wanted.when) or "everything"


def _toml(wanted: Any) -> str:
    from notifiers.watchlist_file import Watchlist, written

    return written(Watchlist(registry="ctgov", subscriptions=(wanted,)))


def _as_json(stored: Any) -> dict[str, Json]:
    import msgspec

    from snapshots.archive import rfc3339

    moments = {key: getattr(stored, key) for key in ("created_at", "next_digest_at", "last_digest_at")}
    plain: dict[str, Json] = msgspec.to_builtins(stored.subscription)
    return plain | {key: rfc3339(value) if value else None for key, value in moments.items()}
