"""`trialdelta templates`: the words of messages in one's own layout: begin, check, look."""

from typing import Any

import click


@click.group(short_help="Layouts of messages of one's own: copy, check, preview.")
def templates() -> None:
    """Lay messages out in your own way: a folder of templates, named in a subscription, takes the place of ours.

    \b
    Example:
      trialdelta templates copy ~/our-templates
      trialdelta templates preview ~/our-templates --to preview.html
      trialdelta subscription add ours --to mailto:us@example.org --templates ~/our-templates
    """


@templates.command(short_help="Our templates, to begin with.")
@click.argument("folder", type=click.Path())
def copy(folder: str) -> None:
    """Write our templates into FOLDER. Keep the files that you change and remove the others: ours take their place.

    \b
    Example:
      trialdelta templates copy ~/our-templates
    """
    from notifiers import template_folders

    written = _or_fail(template_folders.copy, folder)
    for name in written:
        click.echo(name)


@templates.command(short_help="Whether a folder of templates can be used.")
@click.argument("folder", type=click.Path())
def check(folder: str) -> None:
    """Try every template of FOLDER on an example. The first that cannot be used is named, with its line.

    \b
    Example:
      trialdelta templates check ~/our-templates
    """
    from pathlib import Path

    from notifiers import template_folders

    types = _or_fail(template_folders.check, str(Path(folder).absolute()))
    click.echo(f"{folder} can be used for: {', '.join(types)}")


@templates.command(short_help="How an example looks.")
@click.argument("name", required=False)
@click.option("--type", "kind", default="trial.changed", show_default=True, help="The type of message.")
@click.option("--to", "file", type=click.Path(dir_okay=False), help="Into this file: HTML where it ends in .html.")
def preview(name: str | None, kind: str, file: str | None) -> None:
    """Print an example by the templates of a subscription or a folder, NAME; without it by ours.

    \b
    Example:
      trialdelta templates preview ~/our-templates --type digest --to digest.html
    """
    from monitor.cli.output import say
    from monitor.cli.program import Failure
    from notifiers import template_folders
    from notifiers.examples import TYPES

    if kind not in TYPES:
        raise Failure(f"there is no type of message {kind!r}; there are {', '.join(TYPES)}")
    rendered = _or_fail(template_folders.preview, kind, _folder(name) if name else None)
    if file is None:
        say(f"Subject: {rendered.subject}", bold=True)
        click.echo(rendered.text, nl=False)
    else:
        _write(file, rendered.html if file.endswith((".html", ".htm")) else f"{rendered.subject}\n\n{rendered.text}")


def _folder(name: str) -> str | None:
    """The folder that is meant: the path of one, or that of the subscription of this name (None: it uses ours)."""
    from pathlib import Path

    from monitor.cli.program import Failure
    from monitor.cli.session import session
    from notifiers import subscriptions

    if Path(name).is_dir():
        return name
    with session() as here, here.database.read() as connection:
        found = subscriptions.find(connection, name)
    if found is None:
        raise Failure(f"{name!r} is neither a folder nor a subscription; `trialdelta subscription list` tells those")
    return found.subscription.templates


def _write(file: str, text: str) -> None:
    from pathlib import Path

    from monitor.cli.output import say
    from monitor.cli.program import Failure

    try:
        Path(file).write_text(text, encoding="utf-8")
    except OSError as error:
        raise Failure(f"{file} cannot be written: {error.strerror}") from error
    say(f"Written to {file}")


def _or_fail(ask: Any, *given: Any) -> Any:
    """What `ask` answers; what is wrong, in its words."""
    from monitor.cli.program import Failure
    from notifiers.conditions import InvalidValue

    try:
        return ask(*given)
    except InvalidValue as error:
        raise Failure(str(error)) from error
