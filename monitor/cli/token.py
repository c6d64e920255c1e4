"""`trialdelta token`: what opens the page and the API for others than the operator."""

import click

from monitor.cli.output import format_option


@click.group(short_help="Who may open the page and the API: add, list, remove.")
def token() -> None:
    """Named tokens for people and programs, beside the installation's own (TRIALDELTA_ACCESS_TOKEN, or its file).

    \b
    Example:
      trialdelta token add dashboard --read
      trialdelta token list
    """


@token.command(short_help="Make one; it is shown once.")
@click.argument("name")
@click.option(
    "--read", "may_write", flag_value=False, default=False, type=bool, help="May look at everything.  [default]"
)
@click.option("--write", "may_write", flag_value=True, type=bool, help="May change things too.")
def add(name: str, may_write: bool) -> None:
    """Make a token and print it on stdout, this once: only its hash is kept.

    It signs in on the page, and programs send it as `Authorization: Bearer TOKEN`.

    \b
    Example:
      trialdelta token add dashboard --read
      trialdelta token add importer --write > importer.token
    """
    from monitor.access import tokens
    from monitor.cli.output import say
    from monitor.cli.program import Failure
    from monitor.cli.session import session

    if not name.strip() or not name.isprintable() or len(name) > 100:
        raise Failure(f"{name!r} is no name for a token: up to 100 visible characters")
    with session() as here, here.database.write() as connection:
        made = tokens.add(connection, name, may_write=may_write, now=here.now)
    if made is None:
        raise Failure(f"there is a token {name!r} already; `trialdelta token remove {name}` removes it")
    click.echo(made)
    say(f"This is the token “{name}” ({'read and write' if may_write else 'read only'}). It is not shown again.")


@token.command("list", short_help="All named tokens.")
@format_option()
def list_(shape: str) -> None:
    """Print the named tokens, what each may do and when it was last used; never the tokens themselves.

    \b
    Example:
      trialdelta token list --format json
    """
    from monitor.access import tokens
    from monitor.cli.output import print_json, print_table, say
    from monitor.cli.session import session
    from snapshots.archive import rfc3339

    with session() as here, here.database.read() as connection:
        found = tokens.listing(connection)
    if shape == "json":
        print_json(
            [
                {
                    "name": each.name,
                    "may_write": each.may_write,
                    "made_at": rfc3339(each.made_at),
                    "last_used_at": rfc3339(each.last_used_at) if each.last_used_at else None,
                }
                for each in found
            ]
        )
    elif found:
        rows = [
            (each.name, "write" if each.may_write else "read", f"{each.made_at:%Y-%m-%d}", _used(each.last_used_at))
            for each in found
        ]
        print_table(("name", "may", "made", "last used (UTC)"), rows)
    else:
        say("There are no named tokens, only the installation's own. To make one: trialdelta token add NAME")


@token.command(short_help="Remove one; who is signed in with it is signed out.")
@click.argument("name")
def remove(name: str) -> None:
    """Remove a token: it opens nothing any more, and the sessions that it opened end at once.

    \b
    Example:
      trialdelta token remove dashboard
    """
    from monitor.access import tokens
    from monitor.cli.program import Failure
    from monitor.cli.session import session

    with session() as here, here.database.write() as connection:
        removed = tokens.remove(connection, name)
    if not removed:
        raise Failure(f"there is no token {name!r}; `trialdelta token list` tells which there are")
    click.echo(f"{name}: removed")


def _used(moment: object) -> str:
    return f"{moment:%Y-%m-%d %H:%M}" if moment else "never"
