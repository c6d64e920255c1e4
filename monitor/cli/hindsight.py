"""`trialdelta subscription why` and `backtest`: what a subscription makes of what is stored, and why."""

import sys
from datetime import timedelta
from typing import Any

import click

from monitor.cli.output import format_option

Json = Any

COLUMNS = ("date", "record", "title", "kind", "severity", "label", "summary", "cause", "release", "step", "id")
YEAR = timedelta(days=365)


@click.command(short_help="Why it wants a change or does not.")
@click.argument("name")
@click.argument("change")
@format_option()
def why(name: str, change: str, shape: str) -> None:
    """Explain, condition by condition, why a subscription wants a stored change or does not. CHANGE is the change's id,
    as `trialdelta history ID --format json` shows it, or a record's: then every change of its last step.

    \b
    Example:
      trialdelta subscription why beijing 1204
      trialdelta subscription why beijing NCT01234567
    """
    from monitor import wiring
    from monitor.cli.output import print_json
    from monitor.cli.session import session
    from monitor.shown.subscriptions import why_json
    from notifiers import why as reasons

    with session() as here, here.database.read() as connection:
        asker = found(connection, name)
        told = [
            reasons.why(connection, asker, step, stored, wiring.PARSE, here.now)
            for step, stored in _changes(connection, change)
        ]
    if shape == "json":
        print_json([why_json(name, answer) for answer in told])
        return
    click.echo("\n\n".join(_in_words(name, answer) for answer in told))


def _changes(connection: Any, asked: str) -> list[Any]:
    """The changes that are asked about. Raises Failure that says how to find them."""
    from monitor import wiring
    from monitor.cli.program import Failure
    from monitor.cli.session import record_id
    from notifiers.why import changes_of

    number = asked.isascii() and asked.isdecimal()
    known = changes_of(connection, wiring.REGISTRY, asked if number else record_id(asked))
    if not known and number:
        raise Failure(f"there is no change {asked}; `trialdelta history ID --format json` shows their ids")
    if not known:
        raise Failure(f"no change of {asked} is stored; `trialdelta show {asked}` tells what is")
    return known


def found(connection: Any, name: str) -> Any:
    """The stored subscription of that name. Raises Failure."""
    from monitor.cli.meant import no_subscription
    from monitor.cli.program import Failure
    from notifiers import subscriptions

    stored = subscriptions.find(connection, name)
    if stored is None:
        raise Failure(no_subscription(connection, name))
    return stored


def _in_words(name: str, answer: Any) -> str:
    from monitor.cli.output import clean, wrapped
    from snapshots.sentences import beside_label

    change, step = answer.stored.change, answer.step
    failing = [check.condition for check in answer.checks if not check.holds]
    verdict = f"not wanted: {', '.join(failing)}" if failing else "wanted: everything holds"
    head = f"{name}: change {answer.stored.id} of {step.registry_id or 'the registry'} is {verdict}"
    lines = [click.style(head, bold=True), wrapped(f"{change.label}: {beside_label(change.label, change.summary)}", 2)]
    lines += [
        wrapped(f"{'yes' if check.holds else 'no '}  {check.condition}: {check.words}", 2, 7) for check in answer.checks
    ]
    lines += [wrapped(f"when: {clean(words)}", 2, 7) for words in answer.when]
    lines += [
        wrapped(f"told: {clean(told.uri)}, {told.type}, {told.state} ({told.delivery_id})", 2, 7)
        for told in answer.told
    ]
    return "\n".join(lines)


@click.command(short_help="What it would have told since a day.")
@click.argument("name")
@click.option("--since", metavar="DATE", help="From this day on; without it the last 12 months.")
@format_option("text", "json", "csv")
def backtest(name: str, since: str | None, shape: str) -> None:
    """Replay what is stored through a subscription's conditions: each message that it would have sent since that day.
    For one that is not kept yet: `trialdelta subscription add … --dry-run`.

    \b
    Example:
      trialdelta subscription backtest beijing --since 2026-01-01
      trialdelta subscription backtest beijing --format csv > alerts.csv
    """
    from monitor.cli.output import print_json, print_rows
    from monitor.cli.session import session
    from monitor.shown.subscriptions import backtest_json

    with session() as here:
        with here.database.read() as connection:
            subscription = found(connection, name).subscription
        result, period = _replayed(here, subscription, since)
    if shape == "json":
        print_json(backtest_json(name, result))
    elif shape == "csv":
        print_rows("csv", COLUMNS, (row for alert in result.alerts for row in _rows(alert)))
    else:
        click.echo(_told(subscription, result, period))


def _replayed(here: Any, subscription: Any, since: str | None) -> tuple[Any, str]:
    from monitor import wiring
    from monitor.cli.output import counting
    from monitor.cli.records import checked_date
    from notifiers.backtest import backtest as replay

    begin = checked_date(since) if since else (here.now - YEAR).date().isoformat()
    period = f"the time since {begin}" if since else f"the last 12 months (since {begin})"
    with here.database.read() as connection:
        result = replay(connection, subscription, begin, wiring.PARSE, lambda records: counting("replayed", records))
    return result, period


def _rows(alert: Any) -> list[dict[str, Json]]:
    step = alert.step
    own = {"date": alert.date, "record": step.registry_id, "title": step.title, "release": step.release,
           "cause": step.cause, "step": step.id}  # fmt: skip
    return [
        {
            **own,
            "kind": stored.change.kind,
            "severity": stored.change.severity,
            "label": stored.change.label,
            "summary": stored.change.summary,
            "id": stored.id,
        }
        for stored in alert.changes
    ]


def _told(subscription: Any, result: Any, period: str) -> str:
    from notifiers.backtest import in_words

    return "\n".join(
        [in_words(result, period, subscription) + (":" if result.alerts else "."), *map(_alert_words, result.alerts)]
    )


def _alert_words(alert: Any) -> str:
    from monitor.cli.output import wrapped

    step = alert.step
    filled = ", filled in" if step.cause == "back-filled" else ""
    lines = [wrapped(f"{alert.date}  {step.registry_id or 'the registry'}  {step.title or ''}{filled}", 2, 14)]
    lines += [wrapped(f"{stored.change.summary} [{stored.id}]", 14) for stored in alert.changes[:5]]
    if len(alert.changes) > 5:
        lines.append(wrapped(f"and {len(alert.changes) - 5} more", 14))
    return "\n".join(lines)


# --- before a subscription is kept ------------------------------------------------------------------------------------


def show(here: Any, subscription: Any, since: str | None) -> None:
    """How things stand for a subscription today, and what it would have told; nothing is kept."""
    click.echo(f"Today: {standing_words(here, subscription)}")
    click.echo(_told(subscription, *_replayed(here, subscription, since)))


def offer(here: Any, subscription: Any, given: dict[str, Any]) -> bool:
    """On a terminal: show what is known before it is kept, and ask; elsewhere ask nothing. Whether today's state is to
    be sent as a first message. Raises Abort where it is not to be kept.
    """
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        return bool(given["send_standing"])
    click.echo(f"Today: {standing_words(here, subscription)}")
    if click.confirm("Show what this would have told in the past?", default=True):
        click.echo(_told(subscription, *_replayed(here, subscription, given["since"])))
    click.confirm(f"Keep {subscription.name}?", default=True, abort=True)
    return bool(given["send_standing"]) or click.confirm("Send today's state as a first message?", default=False)


def standing_words(here: Any, subscription: Any) -> str:
    """How things stand for a subscription, in a sentence."""
    from notifiers import standing

    with here.database.read() as connection:
        return standing.in_words(_standing(connection, subscription))


def send_standing(here: Any, name: str) -> None:
    """Send how things stand today to every address of a subscription, and say what became of it."""
    from monitor.cli.sending import send
    from notifiers import standing

    with here.database.write() as connection:
        asker = found(connection, name)
        ids = standing.enqueue(connection, asker, _standing(connection, asker.subscription), here.now)
    send(here, ids)


def _standing(connection: Any, subscription: Any) -> Any:
    from monitor import wiring
    from notifiers import standing

    return standing.load(connection, subscription, wiring.PARSE)
