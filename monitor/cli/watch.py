"""`trialdelta watch`: what is watched."""

from typing import Any

import click

from monitor.cli.output import format_option
from monitor.cli.snoozing import author, author_options, silence, snooze_options

Json = Any


@click.group(short_help="What is watched: add, import, list, remove, pause, snooze.")
def watch() -> None:
    """Say which records and saved searches are watched.

    \b
    Example:
      trialdelta watch add NCT01234567 NCT07654321 --group kidney
      trialdelta watch list
    """


@watch.command(short_help="Watch records, or a search.")
@click.argument("ids", nargs=-1, metavar="[ID]...")
@click.option(
    "--search", "search", multiple=True, metavar="KEY=VALUE", help="A saved search, in the registry's own parameters."
)
@click.option("--all", "everything", is_flag=True, help="Every record that the registry has.")
@click.option("--name", help="What to call it; a search needs one.")
@click.option("--group", help="The group it belongs to; subscriptions can ask for groups.")
@click.option("--note", help="A word for yourself and your colleagues.")
def add(  # noqa: PLR0917 - click names them
    ids: tuple[str, ...],
    search: tuple[str, ...],
    everything: bool,
    name: str | None,
    group: str | None,
    note: str | None,
) -> None:
    """Watch records by their ids (or addresses at the registry).

    The first look at a record is its baseline: nobody is alerted by it. With --search whatever the registry finds is
    watched, and it is told what comes into the search and what leaves it; what it finds first is its baseline. With
    --all that is the whole registry: its first look takes as long as fetching some gigabytes, and can be interrupted.

    \b
    Example:
      trialdelta watch add NCT01234567 --group kidney --note "our comparator"
      trialdelta watch add --name dkd --search query.cond="diabetic kidney disease"
      trialdelta watch add --all
    """
    from msgspec.structs import replace

    from monitor import wiring
    from monitor.cli.session import record_ids, session
    from notifiers.watches import EVERYTHING, Wish

    if [bool(ids), bool(search), everything].count(True) != 1:
        raise click.UsageError("give ids, or --search KEY=VALUE with --name, or --all")
    if name and len(ids) > 1:
        raise click.UsageError("--name is for one record or one search")
    said = Wish(registry=wiring.REGISTRY, name=name, group=group, note=note)
    wishes = [replace(said, record_id=each) for each in record_ids(ids)]
    if search:
        wishes = [replace(said, search=_search(search, name))]
    if everything:
        wishes = [replace(said, search={}, name=name or EVERYTHING)]
    with session() as here:
        _add(here, wishes)


@watch.command("import", short_help="Watch the ids in a file.")
@click.argument("file", type=click.Path(dir_okay=False, allow_dash=True))
@click.option("--group", help="The group of those that the file gives none.")
def import_(file: str, group: str | None) -> None:
    """Watch the records whose ids stand in FILE, one a line, or in a CSV whose heading may name columns id, group and
    note; - is stdin.

    Blank lines, lines that begin with # and a heading are skipped. Nothing is watched where any other line has no id.

    \b
    Example:
      trialdelta watch import trials.csv --group kidney
    """
    from monitor.cli.session import session

    wishes = _wishes_in(file, group)
    with session() as here:
        _add(here, wishes)


@watch.command("list", short_help="What is watched, and how it stands.")
@click.option("--group", help="Only this group.")
@format_option("text", "json", "csv")
def list_(group: str | None, shape: str) -> None:
    """Print what is watched, since when, and when each record was last confirmed to stand as it is stored.

    \b
    Example:
      trialdelta watch list
      trialdelta watch list --group kidney --format csv
    """
    from monitor.cli.output import print_csv, print_json, print_table, say
    from monitor.cli.session import session

    with session() as here:
        rows = _rows(here, group, with_facts=shape == "json")
        if group is not None and not rows:
            _need_group(here, group)
    if shape == "json":
        print_json(rows)
    elif shape == "csv":
        print_csv(_COLUMNS, rows)
    elif rows:
        print_table(("record", "state", "group", "release", "title"), [_cells(row) for row in rows])
    else:
        say("Nothing is watched yet. Begin with: trialdelta watch add NCT01234567")


@watch.command(short_help="Watch no more; the history stays.")
@click.argument("names", nargs=-1, required=True, metavar="ID|NAME...")
def remove(names: tuple[str, ...]) -> None:
    """Watch these records or searches no more. What is stored of them stays.

    \b
    Example:
      trialdelta watch remove NCT01234567
    """
    from notifiers import watches

    _change(names, watches.remove, "is watched no more")


@watch.command(short_help="Ask for it no more until resumed.")
@click.argument("names", nargs=-1, required=True, metavar="ID|NAME...")
@author_options
def pause(names: tuple[str, ...], by: str | None, reason: str | None) -> None:
    """Do not fetch these records until `trialdelta watch resume`.

    \b
    Example:
      trialdelta watch pause NCT01234567 --reason "withdrawn"
    """
    from monitor.wiring import utc_now
    from notifiers import watches

    def rest(connection: Any, registry: str, known: list[str]) -> list[str]:
        return watches.pause(connection, registry, known, utc_now(), by=author(by), reason=reason)

    _change(names, rest, "is paused")


@watch.command(short_help="Ask for it again after a pause or snooze.")
@click.argument("names", nargs=-1, required=True, metavar="ID|NAME...")
def resume(names: tuple[str, ...]) -> None:
    """End a pause or a snooze. What waited for the end of a snooze is told within a minute.

    \b
    Example:
      trialdelta watch resume NCT01234567
    """
    from monitor.wiring import utc_now
    from notifiers import watches
    from notifiers.silences import Silence

    def wake(connection: Any, registry: str, known: list[str]) -> list[str]:
        watches.snooze(connection, registry, known, Silence(), utc_now())
        return watches.pause(connection, registry, known, utc_now(), paused=False)

    _change(names, wake, "is watched again")


@watch.command(short_help="Send nothing about it until a date or a critical change.")
@click.argument("names", nargs=-1, required=True, metavar="ID|NAME...")
@snooze_options
def snooze(names: tuple[str, ...], until: str | None, until_critical: bool, by: str | None, reason: str | None) -> None:
    """Go on keeping its history, and send nothing about it until then. What waits, also what is queued already, is told
    when the snooze ends: in digests, or in one summary.

    \b
    Example:
      trialdelta watch snooze NCT01234567 --until 2026-12-01 --reason "known, agreed with the sponsor"
      trialdelta watch snooze NCT01234567 --until-critical
    """
    from monitor.wiring import utc_now
    from notifiers import outbox, watches

    now = utc_now()
    asked = silence(until, until_critical, by, reason, now)

    def rest(connection: Any, registry: str, known: list[str]) -> list[str]:
        done = watches.snooze(connection, registry, known, asked, now)
        outbox.call_back(connection, registry, done, now)
        return done

    _change(names, rest, f"is {asked.in_words(now)}")


_COLUMNS = (
    "id",
    "search",
    "name",
    "group",
    "note",
    "state",
    "rest",
    "title",
    "finds",
    "found_ever",
    "release",
    "confirmed_at",
    "trouble",
    "created_at",
)


def _search(pairs: tuple[str, ...], name: str | None) -> dict[str, str]:
    from snapshots.registries.ctgov.client import SEARCH_PARAMETERS

    if not name:
        raise click.UsageError("a search needs a --name")
    found = dict(pair.partition("=")[::2] for pair in pairs)
    for key, value in found.items():
        if key not in SEARCH_PARAMETERS:
            raise click.UsageError(
                f"{key!r} is no search parameter of the registry; it takes {', '.join(SEARCH_PARAMETERS)}"
            )
        if not value:
            raise click.UsageError(f"--search {key} has no value; it is written {key}=VALUE")
    return found


def _wishes_in(file: str, group: str | None) -> list[Any]:
    """What a file asks to have watched. Raises Failure that names the first line that cannot be read."""
    from monitor import spreadsheet, watch_file
    from monitor.cli.program import Failure

    try:
        lines, wrong = watch_file.lines_of(list(spreadsheet.rows(_text(file))))
    except ValueError as error:
        raise Failure(f"{file}: {error}") from error
    if wrong:
        raise Failure(f"{file}, line {wrong[0][0]}: {wrong[0][1]}")
    if not lines:
        raise Failure(f"{file} holds no id")
    return watch_file.wishes_of(lines, group)


def _text(file: str) -> str:
    from monitor.cli.program import Failure

    try:
        with click.open_file(file, encoding="utf-8-sig") as opened:
            return str(opened.read())
    except OSError as error:
        raise Failure(f"{file} cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise Failure(f"{file} is not text in UTF-8") from error


def _add(here: Any, wishes: list[Any]) -> None:
    from monitor.cli import agreeing
    from monitor.cli.output import say
    from notifiers import watches

    with here.database.write() as connection:
        known = watches.listing(connection)
        agreeing.check_names(wishes, known)
        notes = agreeing.notes(wishes, known)
        new = _new(connection, wishes, here.now)
    for wish in wishes[:20]:
        click.echo(f"{wish.called} {'is watched from now on' if wish.called in new else 'is watched already'}")
    if len(wishes) > 20:
        click.echo(f"… {len(wishes)} in all, {len(new)} of them new")
    for note in notes[:20]:
        say(f"Note: {note}", fg="yellow")
    if len(notes) > 20:
        say(f"Note: {len(notes)} of them stay as they were watched", fg="yellow")
    if new:
        say("`trialdelta run` asks the registry within seconds; `trialdelta check` does it now.", dim=True)


def _new(connection: Any, wishes: list[Any], now: Any) -> set[str]:
    """Watch them; which of them are new, by what they are called."""
    from monitor import watch_file
    from notifiers import watches

    added = watch_file.keep(connection, wishes, now).added if len(wishes) > 1 else ()
    alone = wishes if len(wishes) == 1 else ()
    return {*added, *(wish.called for wish in alone if watches.add(connection, wish, now))}


def _change(names: tuple[str, ...], change: Any, words: str) -> None:
    from monitor import wiring
    from monitor.cli.program import Failure
    from monitor.cli.session import session

    known = list(dict.fromkeys(each for name in names for each in _named(name)))
    with session() as here:
        with here.database.write() as connection:
            done = change(connection, wiring.REGISTRY, known)
        for name in done:
            click.echo(f"{name} {words}")
        missing = [name for name in known if name not in done]
        if missing:
            raise Failure(f"{', '.join(missing)}: not watched{_meant(here, missing[0])}")


def _meant(here: Any, missing: str) -> str:
    from monitor.cli.meant import did_you_mean
    from notifiers import watches

    with here.database.read() as connection:
        return did_you_mean(missing, [each.called for each in watches.listing(connection)])


def _named(text: str) -> list[str]:
    """The ids in a text, or what else it is: a name."""
    from monitor.cli.program import Failure
    from monitor.cli.session import record_ids

    try:
        return record_ids((text,))
    except Failure:
        return [text]


def _rows(here: Any, group: str | None, *, with_facts: bool) -> list[dict[str, Json]]:
    from monitor import wiring
    from monitor.shown.watches import watches_json
    from notifiers import watches

    with here.database.read() as connection:
        return watches_json(
            connection, wiring.REGISTRY, watches.listing(connection, group), here.now, with_facts=with_facts
        )


def _cells(row: dict[str, Json]) -> tuple[Json, ...]:
    said = row["trouble"] or row["rest"] or row["title"] or _members(row) or row["note"] or ""
    state = "trouble" if row["trouble"] else row["state"]
    return row["id"] or f"search {row['name']}", state, row["group"], (row["release"] or "")[:10], said


def _need_group(here: Any, group: str) -> None:
    from monitor.cli.meant import no_group
    from monitor.cli.program import Failure

    with here.database.read() as connection:
        raise Failure(no_group(connection, group))


def _members(row: dict[str, Json]) -> str:
    from snapshots.sentences import counted

    if row["finds"] is None or row["state"] == "waiting":
        return ""
    lost = row["found_ever"] - row["finds"]
    return f"finds {counted(row['finds'], 'record')}{f'; {lost} more stay watched' if lost else ''}"
