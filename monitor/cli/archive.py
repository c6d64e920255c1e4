"""`trialdelta archive`: upkeep of what is kept: store it anew in less room, or take old versions' bytes away."""

from typing import TYPE_CHECKING, Any

import click

from monitor.cli.output import format_option
from monitor.cli.selection import records_options

if TYPE_CHECKING:
    from monitor.cli.session import Session
    from snapshots.archive.pruning import Gone, Prunable, Wish
    from snapshots.archive.repacking import Repacked
    from snapshots.archive.room import Room


@click.group(short_help="Upkeep of the archive: repack, prune.")
def archive() -> None:
    """Store the archive in less room, every byte kept; or take old versions' bytes away, which leaves a stated gap.

    Nothing of this happens by itself: without these commands everything is kept, for ever.

    \b
    Example:
      trialdelta archive repack
      trialdelta archive prune --all --before 2020-01-01 --dry-run
    """


@archive.command(short_help="Store every version anew, in less room.")
@click.option(
    "--vacuum/--no-vacuum", default=True, show_default=True, help="Give freed room back to the disk (SQLite)."
)
@format_option()
def repack(vacuum: bool, shape: str) -> None:
    """Train a dictionary on the records that are kept, and store every version anew by it, each byte checked.

    The daemon may run meanwhile. Ended at any moment, nothing is lost, and the next run goes on from there. At the end
    a SQLite file is written anew without its free pages: that needs as much room again for a moment, and who writes
    waits. PostgreSQL uses the freed room again by itself.

    \b
    Example:
      trialdelta archive repack
    """
    from monitor.cli.output import Progress, print_json, say
    from monitor.cli.session import session
    from snapshots.archive.repacking import repack as store_anew

    with session() as here:
        progress = Progress("Repacking")
        done = store_anew(here.database, here.now, progress)
        progress.end()
        room, trouble = _given_back(here) if vacuum else (None, None)
    if shape == "json":
        print_json(_repacked_json(done, room))
    else:
        _tell_repacked(done, room)
    if done.unreadable:
        listed = ", ".join(map(str, done.unreadable[:20]))
        say(
            f"Left as they are, because they cannot be read: versions {listed}; see trialdelta doctor --archive",
            fg="red",
        )
    if trouble:
        say(f"The freed room was not given back to the disk; what is stored next uses it. {trouble}")


def _given_back(here: "Session") -> "tuple[Room | None, str | None]":
    from snapshots.archive.room import give_back
    from snapshots.database import DatabaseError

    try:
        return give_back(here.database), None
    except DatabaseError as error:
        return None, str(error)


def _repacked_json(done: "Repacked", room: "Room | None") -> dict[str, Any]:
    import msgspec

    facts: dict[str, Any] = msgspec.to_builtins(done)
    return facts | {"file": None if room is None else msgspec.to_builtins(room)}


def _tell_repacked(done: "Repacked", room: "Room | None") -> None:
    from snapshots.sentences import counted

    if not done.versions:
        click.echo("Nothing is stored yet: watch something with `trialdelta watch add`, then `trialdelta check`.")
        return
    share = f" ({done.after / done.before:.0%})" if done.before else ""
    again = ", going on where a run was ended" if done.resumed else ""
    click.echo(
        f"{counted(done.versions, 'version')} in {done.after:,} bytes{share}, before {done.before:,}; "
        f"{done.stored_anew:,} stored anew{again}, each gives its bytes back"
    )
    if room is not None:
        click.echo(f"The database's files: {room.after:,} bytes, before {room.before:,}")


@archive.command(short_help="Take old versions' bytes away; asks.")
@records_options
@click.option("--before", "day", metavar="DATE", required=True, help="Only versions of before that day.")
@click.option("--keep-every", type=click.Choice(["month", "year"]), help="Keep the last version of each.")
@click.option("--also-told", is_flag=True, help="Also versions that a delivered message told of.")
@click.option("--dry-run", is_flag=True, help="Say what would go and what that frees; change nothing.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@format_option()
def prune(*, dry_run: bool, yes: bool, shape: str, **asked: Any) -> None:
    """Take the bytes of old versions away, for good. Says what would go and asks.

    The first and the last version of each record stay, and those that a message told of, so that what was told can be
    checked. Of what goes, the line in the history, its hashes and its place in the chain stay: everything says "pruned
    on that day by whom", and the chain still verifies. Bytes that are gone cannot be had again: a backup has them.

    \b
    Example:
      trialdelta archive prune NCT01234567 --before 2020-01-01 --dry-run
      trialdelta archive prune --all --before 2020-01-01 --keep-every year
    """
    from monitor.cli.session import session
    from snapshots.archive.pruning import freed_by

    with session() as here:
        wish, chosen = _chosen(here, **asked)
        with here.database.read() as connection:
            frees = freed_by(connection, chosen)
        if shape == "text" or not (yes or dry_run):
            _tell_plan(chosen, frees, wish)
        gone = _prune(here, chosen, yes=yes) if chosen and not dry_run else None
    _tell_outcome(chosen, frees, gone, shape)


def _chosen(
    here: "Session",
    *,
    records: tuple[str, ...],
    group: str | None,
    everything: bool,
    day: str,
    keep_every: Any,
    also_told: bool,
) -> "tuple[Wish, list[Prunable]]":
    from monitor import wiring
    from monitor.cli.records import checked_date
    from monitor.cli.selection import chosen, need_stored
    from monitor.pruning import told_versions
    from snapshots.archive.pruning import Wish, prunable

    ids = chosen(here, records, group, everything)
    if records:
        need_stored(here, ids)
    wish = Wish(
        registry=wiring.REGISTRY,
        before=checked_date(day),
        ids=None if everything else tuple(ids),
        keep_every=keep_every,
    )
    with here.database.read() as connection:
        return wish, prunable(connection, wish, told_versions(connection, only_open=also_told))


def _prune(here: "Session", chosen: "list[Prunable]", *, yes: bool) -> "Gone":
    import sys

    from monitor.cli.output import Progress
    from monitor.cli.program import Failure
    from snapshots.archive.pruning import prune as take_away

    if not yes:
        if not sys.stdin.isatty():
            raise Failure("nothing was pruned: there is no terminal to ask at; --yes says that it is meant")
        click.confirm("Take these bytes away for good?", abort=True, err=True)
    progress = Progress("Pruning")
    gone = take_away(here.database, chosen, _who(), here.now, progress)
    progress.end()
    return gone


def _who() -> str:
    """Who is at the terminal, as the system knows them."""
    import getpass

    try:
        return getpass.getuser()
    except (OSError, KeyError, ImportError):
        return "an unknown user"


def _tell_plan(chosen: "list[Prunable]", frees: int, wish: "Wish") -> None:
    from monitor.cli.output import say
    from snapshots.sentences import counted

    if not chosen:
        say(f"Nothing to prune before {wish.before}: first and last versions, and what was told of, stay.")
        return
    records = len({each.registry_id for each in chosen})
    say(
        f"{counted(len(chosen), 'version')} of {counted(records, 'record')}, dated {min(each.date for each in chosen)} "
        f"to {max(each.date for each in chosen)}: their bytes go, which frees {frees:,} bytes."
    )
    for each in chosen[:10]:
        say(f"  {each.registry_id}  archive no. {each.number}  {each.date}")
    if len(chosen) > 10:
        say(f"  and {len(chosen) - 10:,} more (--dry-run --format json lists them all)")


def _tell_outcome(chosen: "list[Prunable]", frees: int, gone: "Gone | None", shape: str) -> None:
    import msgspec

    from monitor.cli.output import print_json, say
    from snapshots.sentences import counted

    if shape == "json":
        done = None if gone is None else msgspec.to_builtins(gone)
        print_json({"versions": msgspec.to_builtins(chosen), "frees": frees, "done": done})
    elif gone is not None:
        click.echo(
            f"{counted(len(gone.versions), 'version')} pruned, {gone.freed:,} bytes freed; the chain holds as before."
        )
        say("To give the room back to the disk: trialdelta archive repack")
    if gone is not None and gone.left:
        say(
            f"Left as they are: versions {', '.join(map(str, gone.left[:20]))}; see trialdelta doctor --archive",
            fg="red",
        )
