"""`trialdelta apply` and `export`: watches, subscriptions and addresses as one TOML file."""

from typing import Any

import click

from monitor.cli.output import format_option


@click.command(short_help="Make the database say what a TOML file says.")
@click.argument("file", type=click.Path(dir_okay=False, allow_dash=True))
@click.option("--dry-run", is_flag=True, help="Say what would be done, and do nothing.")
@click.option("--prune", is_flag=True, help="Remove watches and subscriptions that the file does not name.")
@format_option()
def apply(file: str, dry_run: bool, prune: bool, shape: str) -> None:
    """Add and change what FILE names; what it does not name stays, unless --prune. Applying twice changes nothing.

    \b
    Example:
      trialdelta apply watchlist.toml --dry-run
      trialdelta apply watchlist.toml
    """
    from monitor.cli.session import session
    from notifiers import watchlist_file

    text = _text(file)
    with session() as here:
        wanted = _read(file, text, here)
        with here.database.write() as connection:
            planned = _planned(file, connection, wanted, here.now)
            secrets = {} if dry_run else watchlist_file.apply(connection, planned, here.now, prune=prune)
        _print(planned, prune=prune, dry_run=dry_run, secrets=secrets, shape=shape)
        if shape == "text" and not dry_run:
            _standing(here, planned)


@click.command(short_help="Print everything as the TOML file that apply takes.")
@click.option("--with-secrets", is_flag=True, help="Also the secrets of web addresses, and addresses that are secrets.")
def export(with_secrets: bool) -> None:
    """Print watches, subscriptions and addresses as TOML. Applying it changes nothing. Addresses that are secrets
    themselves are masked: here they are known again, for another installation it takes --with-secrets.

    \b
    Example:
      trialdelta export > watchlist.toml
    """
    from monitor import wiring
    from monitor.cli.session import session
    from notifiers import watchlist_file

    with session() as here, here.database.read() as connection:
        click.echo(watchlist_file.export(connection, wiring.REGISTRY, here.now, with_secrets=with_secrets), nl=False)


def _text(file: str) -> str:
    from monitor.cli.program import Failure

    try:
        with click.open_file(file, encoding="utf-8-sig") as opened:
            return str(opened.read())
    except OSError as error:
        raise Failure(f"{file} cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise Failure(f"{file} is not text in UTF-8") from error


def _read(file: str, text: str, here: Any) -> Any:
    from monitor import wiring
    from monitor.cli.program import Failure
    from notifiers import template_folders, watchlist_file
    from notifiers.archive_places import finder
    from notifiers.conditions import InvalidValue

    try:
        with here.database.read() as connection:
            find = finder(connection, wiring.PARSE)
            text = watchlist_file.unmasked(connection, text, here.now)
            wanted = watchlist_file.read(text, wiring.ctgov_alone(here.settings), here.schemes, find)
        for folder in {each.templates for each in wanted.subscriptions if each.templates}:
            template_folders.check(folder)
    except InvalidValue as error:
        raise Failure(f"{file}: {error}") from error
    return wanted


def _planned(file: str, connection: Any, wanted: Any, now: Any) -> Any:
    from monitor.cli.program import Failure
    from notifiers import watchlist_file
    from notifiers.conditions import InvalidValue

    try:
        return watchlist_file.plan(connection, wanted, now)
    except InvalidValue as error:
        raise Failure(f"{file}: {error}") from error


def _print(planned: Any, *, prune: bool, dry_run: bool, secrets: dict[str, str], shape: str) -> None:
    from monitor.cli.output import print_json, say
    from monitor.cli.subscription import show_secrets

    steps = planned.to_do(prune=prune)
    if shape == "json":
        told = [{"verb": step.verb, "kind": step.kind, "name": step.name, "words": step.words} for step in steps]
        print_json({"applied": not dry_run, "steps": told, "notes": planned.notes, "secrets": secrets})
        return
    for step in steps:
        sign, colour = {"add": ("+", "green"), "change": ("~", "yellow"), "remove": ("-", "red")}[step.verb]
        click.secho(f"{sign} {step.kind} {step.name}: {step.words}", fg=colour)
    show_secrets(secrets)
    for note in planned.notes:
        say(f"Note: {note}", fg="yellow")
    say(_summary(len(steps), dry_run=dry_run), dim=True)


def _summary(count: int, *, dry_run: bool) -> str:
    if not count:
        return "Nothing to do: everything is as the file says."
    return f"{count} to do; nothing was done (--dry-run)." if dry_run else f"{count} done."


def _standing(here: Any, planned: Any) -> None:
    """How things stand today for the subscriptions that are new or changed."""
    from monitor import wiring
    from notifiers import standing
    from notifiers.subscriptions import Subscription

    with here.database.read() as connection:
        for step in planned.steps:
            if isinstance(step.thing, Subscription) and step.verb != "remove":
                found = standing.load(connection, step.thing, wiring.PARSE)
                click.echo(f"Today for {step.name}: {standing.in_words(found)}")
