"""`trialdelta address confirm` and `ask`: say for a mail address that it wants to be told, or ask it once more."""

from typing import Any

import click


@click.command(short_help="Say for a new mail address that it wants to be told.")
@click.argument("uri")
def confirm(uri: str) -> None:
    """Count a new mail address as confirmed without its answer, for an operator who knows that it is right. What waits
    for it is sent then.

    \b
    Example:
      trialdelta address confirm mailto:colleague@example.org
    """
    from monitor.cli.session import session
    from notifiers import confirmations

    with session() as here, here.database.write() as connection:
        known = _known(connection, uri, here.now)
        is_new = confirmations.confirm(connection, known.id, "the command line", here.now)
    click.echo(f"{known.uri}: confirmed" if is_new else f"{known.uri}: needs no confirmation")


@click.command(short_help="Ask a mail address once more whether it wants to be told.")
@click.argument("uri")
def ask(uri: str) -> None:
    """Send the question again to a mail address that has not confirmed: the daemon sends it, or `check --deliver`.

    \b
    Example:
      trialdelta address ask mailto:colleague@example.org
    """
    from monitor.cli.session import session
    from notifiers import confirmations

    with session() as here, here.database.write() as connection:
        known = _known(connection, uri, here.now)
        delivery_id = confirmations.ask(connection, known.id, here.now)
    click.echo(f"{known.uri}: is asked by {delivery_id}" if delivery_id else f"{known.uri}: needs no confirmation")


def _known(connection: Any, uri: str, now: Any) -> Any:
    from monitor.cli.program import Failure
    from notifiers import addresses

    address = addresses.find(connection, addresses.canonical(uri), now)
    if address is None:
        raise Failure(f"there is no address {uri}; `trialdelta address list` tells which there are")
    return address
