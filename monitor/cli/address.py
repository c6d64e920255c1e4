"""`trialdelta address`: the places that are told: their state, who answers for them, and the secrets that sign."""

from datetime import datetime
from typing import Any

import click

from monitor.cli.confirming import ask, confirm
from monitor.cli.output import format_option

Json = Any


@click.group(short_help="The places that are told: list, show, on, off, rotate, owner.")
def address() -> None:
    """See which addresses are told and how they answer, switch them on and off, and replace their secrets.

    \b
    Example:
      trialdelta address list
      trialdelta address rotate https://hooks.example.org/trials
    """


address.add_command(confirm)
address.add_command(ask)


@address.command("list", short_help="All addresses.")
@format_option()
def list_(shape: str) -> None:
    """Print all addresses: on or off and why, who answers for each, and when each last took a message.

    \b
    Example:
      trialdelta address list
    """
    from monitor.cli.output import print_json, print_table, say
    from monitor.cli.session import session
    from monitor.shown.addresses import addresses_json
    from notifiers import addresses

    with session() as here, here.database.read() as connection:
        found = addresses.listing(connection, here.now)
        rows_of_json = addresses_json(connection, found) if shape == "json" else []
    if shape == "json":
        print_json(rows_of_json)
    elif found:
        rows = [(each.shown, _state(each), each.owner, _moment(each.last_success_at, "never")) for each in found]
        print_table(("address", "state", "owner", "last success"), rows)
    else:
        say("No address is told anything yet. Begin with: trialdelta subscription add NAME --to mailto:you@example.org")


@address.command(short_help="One address, and what it is told.")
@click.argument("uri")
@format_option()
def show(uri: str, shape: str) -> None:
    """Print one address: its state, owner, secrets in force (masked), and the subscriptions that tell it.

    \b
    Example:
      trialdelta address show https://hooks.example.org/trials
    """
    from monitor.cli.output import print_json
    from monitor.cli.session import session
    from monitor.shown.addresses import addresses_json

    with session() as here:
        found = _found(here, uri)
        with here.database.read() as connection:
            (said,) = addresses_json(connection, [found])
    if shape == "json":
        print_json(said)
        return
    pairs = {
        "address": found.shown,
        "state": _state(found),
        "owner": found.owner or "nobody is named",
        "last success": _moment(found.last_success_at, "never"),
        "secrets": _secrets(found),
        "told by": ", ".join(said["subscriptions"]) or "no subscription",
    }
    for term, words in pairs.items():
        click.echo(f"{term + ':':<14}{words}")


@address.command(short_help="Tell it again.")
@click.argument("uri")
def on(uri: str) -> None:
    """Switch an address on. What waited for it is sent.

    \b
    Example:
      trialdelta address on mailto:me@example.org
    """
    _switch(uri, "on", None)


@address.command(short_help="Tell it nothing for now.")
@click.argument("uri")
@click.option("--reason", default="switched off by hand", show_default=True, help="Why.")
def off(uri: str, reason: str) -> None:
    """Switch an address off. What is due to it waits until it is on again.

    \b
    Example:
      trialdelta address off https://hooks.example.org/trials --reason "moves to another server"
    """
    _switch(uri, "off", reason)


@address.command(short_help="Who answers for it.")
@click.argument("uri")
@click.argument("name")
def owner(uri: str, name: str) -> None:
    """Note who answers for an address; "" for nobody.

    \b
    Example:
      trialdelta address owner https://hooks.example.org/trials mailto:ops@example.org
    """
    from monitor.cli.session import session
    from notifiers import addresses

    with session() as here:
        found = _found(here, uri)
        with here.database.write() as connection:
            addresses.set_owner(connection, found.uri, name or None)
    click.echo(f"{found.shown}: {name or 'nobody'} answers for it")


@address.command(short_help="A new secret; the former one signs beside it for a while.")
@click.argument("uri")
@click.option("--hours", type=click.FloatRange(0, 24 * 30), default=24.0, show_default=True, help="How long both sign.")
@click.option("--force", is_flag=True, help="Also while an earlier change of secrets is under way.")
def rotate(uri: str, hours: float, force: bool) -> None:
    """Replace the secret that signs what is posted to a web address. The new one is shown once; for some hours every
    message carries both signatures, so that the receiver can change over without losing one. 0 hours: at once.

    \b
    Example:
      trialdelta address rotate https://hooks.example.org/trials --hours 48
    """
    from datetime import timedelta

    from monitor.cli.program import Failure
    from monitor.cli.session import session
    from notifiers import addresses

    with session() as here:
        found = _found(here, uri)
        if not found.signs:
            raise Failure(f"{found.shown} has no secret: only what is posted to web addresses is signed")
        if len(found.secrets) > 1 and not force:
            raise Failure(f"{found.shown} changes secrets already: two sign now; --force drops the older one")
        with here.database.write() as connection:
            secret = addresses.rotate(connection, found.uri, here.now, timedelta(hours=hours))
    click.echo(f"Secret of {found.shown}, shown only now: {secret}")
    until = here.now + timedelta(hours=hours)
    click.echo(f"The former one signs beside it until {_moment(until)}" if hours else "The former one signs no more")


def _switch(uri: str, state: Any, reason: str | None) -> None:
    from monitor.cli.session import session
    from notifiers import addresses

    with session() as here:
        found = _found(here, uri)
        with here.database.write() as connection:
            addresses.switch(connection, found.uri, state, reason, here.now)
    click.echo(f"{found.shown} is {state}" + (f": {reason}" if reason else ""))


def _found(here: Any, uri: str) -> Any:
    """The address of that URI, or the one that is shown so. Raises Failure."""
    from monitor.cli.program import Failure
    from notifiers import addresses

    with here.database.read() as connection:
        found = addresses.find(connection, addresses.canonical(uri), here.now)
        shown_so = [each for each in addresses.listing(connection, here.now) if each.shown == uri]
    if found is None and len(shown_so) != 1:
        raise Failure(f"there is no address {addresses.shown(uri)}; `trialdelta address list` tells them")
    return found or shown_so[0]


def _state(found: Any) -> str:
    since = f" since {_moment(found.state_since)}" if found.state == "off" and found.state_since else ""
    state: str = found.state
    return state + since + (f": {found.state_reason}" if found.state_reason else "")


def _secrets(found: Any) -> str:
    if not found.signs:
        return "none: only what is posted to web addresses is signed"
    return f"{len(found.secrets)} in force" + (" (one replaces the other)" if len(found.secrets) > 1 else "")


def _moment(moment: datetime | None, otherwise: str = "") -> str:
    return f"{moment:%Y-%m-%d %H:%M} UTC" if moment else otherwise
