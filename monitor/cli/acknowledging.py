"""`trialdelta deliveries acknowledge` and `unseen`: who has seen which alert, and what nobody has seen yet."""

from typing import Any

import click

from monitor.cli.output import format_option

Json = Any


@click.command(short_help="Mark one as seen.")
@click.argument("delivery_id", metavar="DELIVERY")
@click.option("--by", metavar="NAME", help="Who has seen it.  [default: the name you are signed in with here]")
def acknowledge(delivery_id: str, by: str | None) -> None:
    """Mark an alert as seen, for the address that it went to: its digest no longer lists it as unseen.

    DELIVERY is its id or the Message-ID of a mail.

    \b
    Example:
      trialdelta deliveries acknowledge dlv_0123… --by Alice
    """
    from monitor.cli.program import Failure
    from monitor.cli.session import session
    from notifiers import acknowledgements, ledger, outbox

    known = ledger.delivery_id(delivery_id)
    with session() as here, here.database.write() as connection:
        try:
            is_new = acknowledgements.acknowledge(connection, known, by or _user(), here.now)
        except outbox.UnknownDelivery as error:
            raise Failure(f"{error}; `trialdelta deliveries list` tells their ids") from error
        seen = acknowledgements.of_delivery(connection, known)
    who = seen.by if seen else ""
    click.echo(f"{known}: noted as seen by {who}" if is_new else f"{known}: was seen before, by {who}")


@click.command(short_help="Critical changes that nobody has marked as seen.")
@click.option("--to", "uri", metavar="ADDRESS", help="Only what this address was told.")
@format_option()
def unseen(uri: str | None, shape: str) -> None:
    """Print the critical changes that were told by an alert which nobody has marked as seen, oldest first.

    \b
    Example:
      trialdelta deliveries unseen --to mailto:you@example.org
    """
    from monitor.cli.output import print_json, print_table, say
    from monitor.cli.session import session
    from monitor.shown.deliveries import unseen_json
    from notifiers import acknowledgements

    with session() as here, here.database.read() as connection:
        found = acknowledgements.unseen(connection, _address_id(connection, uri, here.now))
    if shape == "json":
        print_json([unseen_json(each) for each in found])
    elif found:
        rows = [
            (
                f"{each.told_at:%Y-%m-%d %H:%M}",
                each.step.registry_id,
                each.uri,
                each.delivery_id,
                each.change.change.summary,
            )
            for each in found
        ]
        print_table(("told", "trial", "to", "delivery", "change"), rows)
    else:
        say("Every critical change that was told is marked as seen, or none was told yet.")


def _user() -> str:
    import getpass

    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return "the command line"


def _address_id(connection: Any, uri: str | None, now: Any) -> int | None:
    from monitor.cli.program import Failure
    from notifiers import addresses

    if uri is None:
        return None
    address = addresses.find(connection, addresses.canonical(uri), now)
    if address is None:
        raise Failure(f"{uri} is told by no subscription; `trialdelta subscription list` tells who is")
    return address.id
