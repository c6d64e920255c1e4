"""`trialdelta deliveries`: who was told what, when, with what answer; and trying again."""

from typing import Any

import click

from monitor.cli.acknowledging import acknowledge, unseen
from monitor.cli.output import WholeNumber, format_option

Json = Any
_STATES = ("pending", "held", "sending", "delivered", "failed", "cancelled")


@click.group(short_help="Who was told what: list, show, retry, replay.")
def deliveries() -> None:
    """The ledger of what was told to whom, and what is still due.

    \b
    Example:
      trialdelta deliveries list --state failed
      trialdelta deliveries retry dlv_0123…
    """


deliveries.add_command(acknowledge)
deliveries.add_command(unseen)


@deliveries.command("list", short_help="Newest first.")
@click.option("--state", type=click.Choice(_STATES), help="Only deliveries in this state.")
@click.option("--since", metavar="T", help="Made since then: a day, or a time with its offset.")
@click.option("--record", metavar="ID", help="That told anything of this record.")
@click.option("--change", type=WholeNumber(1), metavar="N", help="That told this change; `history` tells the ids.")
@click.option("--limit", type=WholeNumber(1, 100_000), default=50, show_default=True, help="At most so many.")
@format_option("text", "json", "csv")
def list_(
    *, state: str | None, since: str | None, record: str | None, change: int | None, limit: int, shape: str
) -> None:
    """Print deliveries, the newest first.

    \b
    Example:
      trialdelta deliveries list --since 2026-03-01 --format csv
      trialdelta deliveries list --record NCT01234567
    """
    from monitor.cli.output import print_csv, print_json, print_table, say
    from monitor.cli.session import session
    from monitor.shown.deliveries import entry_json
    from notifiers import ledger

    about = _record(record) if record else None
    asked = ledger.Asked(state=state, since=_moment(since) if since else None, change=change, record=about)
    with session() as here, here.database.read() as connection:
        rows = [entry_json(entry) for entry in ledger.found(connection, asked, limit)]
    if shape == "json":
        print_json(rows)
    elif shape == "csv":
        print_csv(_COLUMNS, rows)
    elif rows:
        shown = ("created_at", "state", "about", "to", "answer", "id")
        cells = [
            tuple((row[name] or "")[:16] if name == "created_at" else row[name] or "" for name in shown) for row in rows
        ]
        print_table(("made", "state", "about", "to", "last answer", "delivery"), cells)
    else:
        say("No such delivery. `trialdelta subscription list` tells who would be told of what.")


@deliveries.command(short_help="One delivery, its attempts, and what it told.")
@click.argument("delivery_id", metavar="DELIVERY")
@format_option()
def show(delivery_id: str, shape: str) -> None:
    """Print one delivery with every attempt, the changes that it tells and the versions that they are between.

    DELIVERY is its id or the Message-ID of a mail.

    \b
    Example:
      trialdelta deliveries show dlv_0123…
      trialdelta deliveries show '<dlv_0123…@example.org>'
    """
    from monitor.cli.output import print_json
    from monitor.cli.session import session
    from monitor.shown.deliveries import whole_json
    from notifiers import ledger

    with session() as here, here.database.read() as connection:
        entry = _entry(connection, ledger.delivery_id(delivery_id))
        steps = _steps(connection, entry)
    if shape == "json":
        print_json(whole_json(entry, steps))
    else:
        _print(entry, steps)


@deliveries.command(short_help="Try one again now.")
@click.argument("delivery_id", metavar="DELIVERY")
@format_option()
@click.pass_context
def retry(ctx: click.Context, delivery_id: str, shape: str) -> None:
    """Try a delivery again now, under the same id; an address that was switched off is switched on.

    \b
    Example:
      trialdelta deliveries retry dlv_0123…
    """
    from monitor.cli.output import print_json
    from monitor.cli.program import FAILED
    from monitor.cli.sending import send
    from monitor.cli.session import session
    from monitor.shown.deliveries import entry_json
    from notifiers import outbox

    with session() as here:
        with here.database.write() as connection:
            _entry(connection, delivery_id)
            outbox.retry(connection, delivery_id, here.now)
        arrived = send(here, [delivery_id])
        if shape == "json":
            with here.database.read() as connection:
                print_json(entry_json(_entry(connection, delivery_id)))
        if not arrived:
            ctx.exit(FAILED)


@deliveries.command(short_help="Send again what was made since a time.")
@click.option("--since", required=True, metavar="T", help="A day, or a time with its offset.")
@click.option("--to", "uri", metavar="ADDRESS", help="Only to this address.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@format_option()
def replay(since: str, uri: str | None, yes: bool, shape: str) -> None:
    """Send again what was made since then, in its old order and under the old ids, to whom it is still told. The daemon
    sends it, or `trialdelta check --deliver`.

    \b
    Example:
      trialdelta deliveries replay --since 2026-03-01T00:00:00Z --to https://hooks.example.org/trials
    """
    from monitor.cli.output import print_json
    from monitor.cli.session import session
    from notifiers import addresses, outbox

    moment = _moment(since)
    uri = addresses.canonical(uri) if uri else None
    with session() as here:
        with here.database.read() as connection:
            count = len(outbox.replayable(connection, moment, uri))
        if count and not yes:
            click.confirm(f"Send {count} deliveries once more?", abort=True, err=True)
        with here.database.write() as connection:
            ids = outbox.replay(connection, moment, here.now, uri)
    if shape == "json":
        print_json({"due_again": ids})
    else:
        click.echo(f"{len(ids)} deliveries are due again")


_COLUMNS = (
    "id",
    "type",
    "about",
    "to",
    "state",
    "subscriptions",
    "created_at",
    "due_at",
    "finished_at",
    "answer",
    "attempts",
    "acknowledged_at",
    "acknowledged_by",
)


def _moment(text: str) -> Any:
    from monitor.cli.program import Failure
    from notifiers.conditions import InvalidValue
    from notifiers.subscriptions import moment

    try:
        return moment("--since", text)
    except InvalidValue as error:
        raise Failure(str(error)) from error


def _record(text: str) -> tuple[str, str]:
    from monitor import wiring
    from monitor.cli.session import record_id

    return wiring.REGISTRY, record_id(text)


def _entry(connection: Any, delivery_id: str) -> Any:
    from monitor.cli.program import Failure
    from notifiers import ledger

    entry = ledger.show(connection, delivery_id)
    if entry is None:
        raise Failure(f"there is no delivery {delivery_id!r}; `trialdelta deliveries list` tells their ids")
    return entry


def _steps(connection: Any, entry: Any) -> list[Any]:
    from monitor import wiring
    from notifiers import outbox

    return list(outbox.load(connection, entry.delivery_id, wiring.utc_now()).steps)


def _print(entry: Any, steps: list[Any]) -> None:
    from monitor.cli.output import clean
    from monitor.cli.telling import heading, tell

    names = ", ".join(asker.name for asker in entry.askers)
    due = f", due {entry.due_at:%Y-%m-%d %H:%M} UTC" if entry.due_at else ""
    click.echo(heading(entry.delivery_id, f"{entry.state}{due}", f"to {entry.uri}, for {names or 'nobody any more'}"))
    for one in entry.tries:
        outcome = one.outcome or "never came back"
        click.echo(f"  try {one.number}  {one.started_at:%Y-%m-%d %H:%M:%S} UTC  {outcome}  {clean(one.answer)}")
    if entry.acknowledged:
        click.echo(f"  seen by {clean(entry.acknowledged.by)}, {entry.acknowledged.at:%Y-%m-%d %H:%M} UTC")
    for told in steps:
        name = told.step.registry_id or told.step.registry
        click.echo(f"\n{heading(name, told.step.title, _versions(told.step))}")
        click.echo(tell([stored.change for stored in told.changes]))


def _versions(step: Any) -> str:
    """Between which stored versions the told changes lie: `trialdelta diff` and `show --version` take the numbers."""
    if step.to_version is None:
        return ""
    if step.from_version in (None, step.to_version):
        return f"archive no. {step.to_version}"
    return f"archive no. {step.from_version} to {step.to_version}"
