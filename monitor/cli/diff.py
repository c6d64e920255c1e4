"""`trialdelta diff`: what one version says that another did not, of files or of stored versions."""

from pathlib import Path
from typing import Any

import click

from monitor.cli.output import format_option

Json = Any


@click.command(short_help="What differs between two versions, or two files.")
@click.argument("what", nargs=-1, metavar="[ID [A [B]] | OLD.json NEW.json]")
@click.option("--batch", type=click.Path(dir_okay=False), help='Lines of {"id","old","new"}; - is stdin.')
@format_option("text", "json", "csv")
@click.option("--expand", is_flag=True, help="A line of its own for every change that follows from another one.")
@click.option("--exit-code", is_flag=True, help="Exit with 1 where anything changed, as git diff does.")
@click.pass_context
def diff(
    ctx: click.Context, what: tuple[str, ...], *, batch: str | None, shape: str, expand: bool, exit_code: bool
) -> None:
    """Print the changes between two versions of a record.

    With two files no database is needed. With a record's id the two newest versions are compared, or the versions or
    dates A and B: a version by its number in the archive, as `trialdelta history` prints it ("archive no. 13").

    With --batch each line {"id","old","new"} gives a line {"id","changes"}, in the same order; a line that cannot be
    read gives {"id","error"}, and exit 2 at the end.

    \b
    Example:
      trialdelta diff old.json new.json
      trialdelta diff NCT01234567 12 15 --format json
      trialdelta diff --batch pairs.ndjson > changes.ndjson
    """
    if batch is not None:
        if what:
            raise click.UsageError("--batch takes its pairs from the file alone")
        _batch(ctx, batch, exit_code=exit_code)
        return
    old, new = _two_files(what) if len(what) == 2 and not _is_id(what[0]) else _stored(what)
    if _told(old, new, shape, expand=expand) and exit_code:
        ctx.exit(1)


def _is_id(text: str) -> bool:
    """Whether the first word names a record: a file of that name is asked for with a folder, ./NCT01234567."""
    from snapshots.registries.ctgov.ids import normalise

    try:
        normalise(text)
    except ValueError:
        return False
    return Path(text).suffix != ".json"


def _two_files(paths: tuple[str, ...]) -> tuple[Any, Any]:
    from snapshots.registries.ctgov.parse import parse

    old, new = (_parsed(Path(path), parse) for path in paths)
    return old, new


def _parsed(path: Path, parse: Any) -> Any:
    from monitor.cli.program import Failure
    from snapshots.registry import RegistryError

    try:
        return parse(path.read_bytes())
    except OSError as error:
        raise Failure(f"{path} cannot be read: {error.strerror}") from error
    except RegistryError as error:
        raise Failure(f"{path}: {error}") from error


def _stored(what: tuple[str, ...]) -> tuple[Any, Any]:
    from monitor.cli.output import say
    from monitor.cli.records import two_versions
    from monitor.cli.session import session

    if not 1 <= len(what) <= 3:
        raise click.UsageError("give a record's id, or two files, or --batch")
    with session() as here:
        old, new = two_versions(here, what[0], *what[1:])
    for each in (old, new):
        if each.doubt:
            say(each.doubt)
    say(f"From {old.called} to {new.called}:")
    return old.trial, new.trial


def _told(old: Any, new: Any, shape: str, *, expand: bool) -> bool:
    """Print what differs; whether anything does."""
    from snapshots.rules import changes_between

    changes = changes_between(old, new)
    _print(changes, shape, new.id, new.title, expand=expand)
    return bool(changes)


def _print(changes: Any, shape: str, record_id: str, title: str, *, expand: bool) -> None:
    from monitor.cli.output import print_csv, print_json
    from monitor.cli.telling import heading, tell
    from snapshots.changes import to_json

    if shape == "json":
        print_json([to_json(change) for change in changes])
    elif shape == "csv":
        columns = ("kind", "severity", "label", "summary", "subject", "before", "after", "path", "cause")
        print_csv(columns, [to_json(change) for change in changes])
    else:
        count = "nothing changed" if not changes else f"{len(changes)} change{'s' if len(changes) != 1 else ''}"
        click.echo(heading(record_id, title, count))
        if changes:
            click.echo(tell(changes, expand=expand))


def _batch(ctx: click.Context, path: str, *, exit_code: bool) -> None:
    import msgspec

    from monitor.cli.program import FAILED, FOUND_CHANGES, Failure

    outcomes = set()
    try:
        with click.open_file(path, "rb") as lines:
            for line in lines:
                if line.strip():
                    answer = _batch_line(line)
                    outcomes.add("error" if "error" in answer else "changes" if answer["changes"] else "none")
                    click.echo(msgspec.json.encode(answer))
    except OSError as error:
        raise Failure(f"{path} cannot be read: {error.strerror}") from error
    if "error" in outcomes:
        ctx.exit(FAILED)
    if exit_code and "changes" in outcomes:
        ctx.exit(FOUND_CHANGES)


def _batch_line(line: bytes) -> dict[str, Json]:
    """The answer to one line of a batch; trouble with it is an answer too, and stops nothing."""
    import msgspec

    from snapshots.changes import to_json
    from snapshots.registries.ctgov.parse import parse
    from snapshots.registry import RegistryError
    from snapshots.rules import changes_between

    name: Json = None
    try:
        pair = msgspec.json.decode(line, type=dict[str, msgspec.Raw])
        name = msgspec.json.decode(pair["id"]) if "id" in pair else None
        changes = changes_between(parse(bytes(pair["old"])), parse(bytes(pair["new"])))
    except KeyError as error:
        return {"id": name, "error": f"the line has no {error}"}
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        return {"id": name, "error": f"the line is not an object with id, old and new: {error}"}
    except RegistryError as error:
        return {"id": name, "error": str(error)}
    return {"id": name, "changes": [to_json(change) for change in changes]}
