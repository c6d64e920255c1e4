"""`trialdelta reclassify`: what today's rules say of the versions that are stored."""

from typing import Any

import click

from monitor.cli.output import format_option

Json = Any


@click.command(short_help="Recompute changes from the archive with today's rules.")
@click.argument("ids", nargs=-1, metavar="[ID]...")
@click.option("--apply", "apply_it", is_flag=True, help="Store what differs; without it, it is only shown.")
@format_option("text", "json")
def reclassify(ids: tuple[str, ...], *, apply_it: bool, shape: str) -> None:
    """Compare the stored versions again, and show where today's rules say something else.

    Without ids all stored records are looked at. With --apply the recomputed changes take the place of the older ones
    in the history. What was delivered stays as it was said, and nobody is alerted.

    \b
    Example:
      trialdelta reclassify NCT01234567
      trialdelta reclassify --apply
    """
    from monitor import reclassify as again
    from monitor import wiring
    from monitor.cli.output import say
    from monitor.cli.session import session

    with session() as here, here.registry() as registry:
        chosen = _chosen(here, ids)
        found = [each for record in chosen for each in again.look(here.database, registry, record)]
        differences = [each for each in found if isinstance(each, again.Difference)]
        stored = again.apply(here.database, differences) if apply_it and differences else 0
    _print(differences, shape, stored=stored)
    for trouble in found:
        if isinstance(trouble, again.Unreadable):
            say(f"Step {trouble.step.id} of {trouble.step.registry_id} could not be looked at again: {trouble.reason}")
    say(_outcome(len(chosen), len(differences), stored, apply_it=apply_it, registry=wiring.REGISTRY))


def _chosen(here: Any, ids: tuple[str, ...]) -> list[str]:
    """The records to look at. Raises Failure for one of which nothing is stored."""
    from monitor import reclassify as again
    from monitor import wiring
    from monitor.cli.program import Failure
    from monitor.cli.session import record_ids

    wanted = record_ids(ids)
    with here.database.read() as connection:
        unknown = again.unknown_ids(connection, wiring.REGISTRY, wanted)
        if unknown:
            raise Failure(f"nothing is stored of {', '.join(unknown)}")
        return wanted or again.known_ids(connection, wiring.REGISTRY)


def _outcome(records: int, differing: int, stored: int, *, apply_it: bool, registry: str) -> str:
    from snapshots.sentences import counted

    looked = f"{counted(records, 'record')} of {registry} looked at"
    if not differing:
        return f"{looked}: today's rules say what is stored."
    if apply_it:
        return f"{looked}: {counted(stored, 'step')} told anew; what was delivered stays as it was said."
    return (
        f"{looked}: {counted(differing, 'step')} would be told otherwise. To store that: trialdelta reclassify --apply"
    )


def _print(differences: list[Any], shape: str, *, stored: int) -> None:
    from monitor.cli.output import print_json

    if shape == "json":
        print_json([_as_json(each, stored=bool(stored)) for each in differences])
        return
    for each in differences:
        _print_text(each)


def _as_json(difference: Any, *, stored: bool) -> dict[str, Json]:
    from snapshots.changes import to_json

    step = difference.step
    return {
        "step": step.id,
        "id": step.registry_id,
        "from_version": step.from_version,
        "to_version": step.to_version,
        "release": step.release,
        "before": [to_json(change) for change in difference.before],
        "after": [to_json(change) for change in difference.now],
        "stored": stored,
    }


def _print_text(difference: Any) -> None:
    from monitor.cli.output import wrapped
    from monitor.cli.telling import heading

    step = difference.step
    versions = f"archive no. {step.from_version} → {step.to_version}"
    click.echo(heading(step.registry_id, step.title, f"{(step.release or '')[:10]}  {versions}".strip()))
    for sign, colour, changes in (("-", "red", difference.gone), ("+", "green", difference.come)):
        for change in changes:
            click.secho(wrapped(f"{sign} {change.label}: {change.summary}", indent=2, hanging=4), fg=colour)
    if not (difference.gone or difference.come):
        click.echo("  the same changes in another order")
