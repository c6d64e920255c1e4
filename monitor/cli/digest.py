"""`trialdelta digest`: what a digest would tell now, and sending it outside of its times."""

import shlex
from typing import Any

import click

from monitor.cli.output import format_option


@click.group(short_help="Digests: preview, send.")
def digest() -> None:
    """Look at a subscription's digest before its time, or send it now.

    \b
    Example:
      trialdelta digest preview team-weekly
    """


@digest.command(short_help="What it would tell now.")
@click.argument("name")
@click.option("--to", "file", type=click.Path(dir_okay=False), metavar="FILE", help="A file, by its end .html or .txt.")
@click.option("--example", is_flag=True, help="What it would have told the last time that there was anything.")
@format_option("text", "json", "html")
def preview(name: str, file: str | None, example: bool, shape: str) -> None:
    """Print what a digest of this subscription would tell each of its addresses now. Nothing is sent.

    \b
    Example:
      trialdelta digest preview team-weekly
      trialdelta digest preview team-weekly --to digest.html
      trialdelta digest preview team-weekly --example
    """
    from monitor.cli.output import print_json, say
    from notifiers.message import webhook_body
    from notifiers.rendering import render

    if file is not None and not file.endswith((".html", ".txt")):
        raise click.UsageError(f"--to {file}: a preview is a .html or a .txt file")
    messages = _messages(name, example=example)
    if example:
        say(
            "An example: what it would have told the last time that there was anything; how much was checked "
            "is filled in. It is not sent.",
            fg="yellow",
        )
    elif not any(message.news for _, message, _ in messages):
        say(f"It has no news yet; an example: trialdelta digest preview {shlex.quote(name)} --example", fg="yellow")
    if file is not None:
        _write(file, [render(message, templates) for _, message, templates in messages])
        return
    if shape == "json":
        print_json([webhook_body(message) for _, message, _ in messages])
        return
    for uri, message, templates in messages:
        rendered = render(message, templates)
        say(f"To {uri}", dim=True)
        click.echo(rendered.html if shape == "html" else f"Subject: {rendered.subject}\n\n{rendered.text}")


def _write(file: str, digests: list[Any]) -> None:
    """The digests of all addresses into one file. Raises Failure where it cannot be written."""
    from pathlib import Path

    from monitor.cli.output import say
    from monitor.cli.program import Failure

    if file.endswith(".html"):
        whole = "".join(each.html for each in digests)
    else:
        whole = "\n".join(f"Subject: {each.subject}\n\n{each.text}" for each in digests)
    try:
        Path(file).write_text(whole, encoding="utf-8")
    except OSError as error:
        raise Failure(f"{file} cannot be written: {error.strerror}") from error
    say(f"{file} holds what each of {len(digests)} addresses would get", dim=True)


@digest.command(short_help="Send it now.")
@click.argument("name")
@click.pass_context
def send(ctx: click.Context, name: str) -> None:
    """Send a digest of this subscription now, outside of its times.

    \b
    Example:
      trialdelta digest send team-weekly
    """
    from monitor.cli import sending
    from monitor.cli.meant import no_subscription
    from monitor.cli.program import FAILED, Failure
    from monitor.cli.session import session
    from notifiers import digest as digests

    with session() as here:
        try:
            with here.database.write() as connection:
                ids = digests.send(connection, name, here.now)
        except digests.UnknownSubscription as error:
            with here.database.read() as connection:
                raise Failure(no_subscription(connection, name)) from error
        if not sending.send(here, ids):
            ctx.exit(FAILED)


def _messages(name: str, *, example: bool) -> list[Any]:
    from monitor.cli.meant import no_subscription
    from monitor.cli.program import Failure
    from monitor.cli.session import session
    from notifiers import digest as digests
    from notifiers.composing import message_of, templates_of

    with session() as here, here.database.read() as connection:
        try:
            found = _examples(connection, name, here.now) if example else digests.preview(connection, name, here.now)
        except digests.UnknownSubscription as error:
            raise Failure(no_subscription(connection, name)) from error
        base_url, operator = here.settings.base_url, here.settings.operator
        composed = [message_of(connection, told, base_url, operator=operator) for told in found]
        return [(told.address.shown, each, templates_of(told)) for told, each in zip(found, composed, strict=True)]


def _examples(connection: Any, name: str, now: Any) -> list[Any]:
    """What the digest would have told each of its addresses. Raises Failure where there is nothing to show."""
    from monitor.cli.program import Failure
    from notifiers import digest as digests
    from notifiers import subscriptions
    from notifiers.digest_coverage import PARSERS
    from notifiers.digest_example import example

    readers = digests.readers(connection, name, now)
    stored = subscriptions.find(connection, name)
    found = [example(connection, stored, each, now, PARSERS) for each in readers] if stored else []
    if None in found:
        raise Failure(f"nothing that {name} would have told in a digest happened within the last year")
    return found
