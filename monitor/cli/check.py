"""`trialdelta check`: one look at the registry now, and what changed."""

from typing import Any

import click

from monitor.cli.output import format_option

Json = Any


@click.command(short_help="One sweep now; prints what changed.")
@click.argument("ids", nargs=-1, metavar="[ID]...")
@click.option("--deliver", is_flag=True, help="Also send what is due to be sent.")
@format_option()
@click.option("--exit-code", is_flag=True, help="Exit with 1 where anything changed.")
@click.pass_context
def check(ctx: click.Context, ids: tuple[str, ...], deliver: bool, shape: str, exit_code: bool) -> None:
    """Ask the registry for what is due and print what changed since the last look.

    What is due: everything that is watched where the registry has a new release, else what was never fetched. With
    IDs, just these watched records, due or not. A record's first look is its baseline and no news.

    \b
    Example:
      trialdelta check
      trialdelta check NCT01234567 --deliver
    """
    from monitor.cli.program import FAILED, FOUND_CHANGES
    from monitor.cli.session import session

    with session() as here:
        report = _sweep(here, ids)
        sent = _deliver(here) if deliver else None
        standing = _standing(here)
    _print(report, standing, sent, shape)
    if report.outcome in ("failed", "busy") or (ids and report.exceptions):
        ctx.exit(FAILED)
    if exit_code and report.changed:
        ctx.exit(FOUND_CHANGES)


def _sweep(here: Any, texts: tuple[str, ...]) -> Any:
    from monitor import wiring
    from monitor.cli.output import Progress
    from monitor.cli.session import need_watched, record_ids
    from monitor.sweep import sweep

    ids = record_ids(texts)
    need_watched(here, ids)
    progress = Progress("Asking the registry")
    with here.registry() as registry:
        report = sweep(here.database, registry, wiring.utc_now, only=ids, progress=progress)
    progress.end()
    return report


def _deliver(here: Any) -> list[str]:
    """Send what is due; the ids of what was tried."""
    from monitor.cli.sending import say_what_did_not_arrive, send_due
    from notifiers import digest

    with here.database.write() as connection:
        digest.enqueue_due(connection, here.now)
    sent = send_due(here)
    say_what_did_not_arrive(here, sent)
    return sent


def _standing(here: Any) -> Any:
    from monitor import wiring
    from monitor.health import health

    with here.database.read() as connection:
        return health(connection, wiring.REGISTRY, here.now)


def _print(report: Any, standing: Any, sent: list[str] | None, shape: str) -> None:
    from monitor.cli.output import print_json, say
    from snapshots.sentences import counted

    if shape == "json":
        print_json(_as_json(report, standing, sent))
    else:
        _print_steps(report)
    if report.reason:
        say(f"The sweep {'was not made' if report.outcome == 'busy' else report.outcome}: {report.reason}", fg="red")
    for trouble in report.exceptions:
        say(_unanswered(trouble, standing), fg="yellow")
    if shape == "text":
        say(_summary(report), dim=True)
        say(_confirmed(standing), dim=True)
        if sent is not None:
            say(
                f"{counted(len(sent), 'delivery', 'deliveries')} tried; `trialdelta deliveries list` shows them."
                if sent
                else "Nothing was due to be sent.",
                dim=True,
            )


def _unanswered(trouble: Any, standing: Any) -> str:
    """What became of a record that was asked for in vain, and what to do where it may never be answered."""
    from monitor.asked_for import stop_watching, unanswered

    noted = next((each for each in standing.exceptions if each.registry_id == trouble.id), None)
    if noted is not None and trouble.id in standing.never_answered:
        return f"{unanswered(noted, standing)}; {stop_watching(trouble.id)}"
    told = f"{trouble.id} was not answered: {trouble.detail} ({trouble.reason})"
    return f"{told}{_unchecked(trouble.id, standing)}"


def _unchecked(record_id: str, standing: Any) -> str:
    since = next((each.since for each in standing.exceptions if each.registry_id == record_id), None)
    confirmed = standing.confirmed.get(record_id)
    parts = [f"not checked since release {since[:10]}"] if since else []
    parts += [f"last confirmed at release {confirmed.release[:10]}"] if confirmed else []
    return "; " + ", ".join(parts) if parts else ""


def _confirmed(standing: Any) -> str:
    """On what the silence of all other records rests."""
    last = standing.last_finished
    if last is None:
        return "Nothing is confirmed yet: no sweep over everything has come to its end."
    others = len(standing.exceptions)
    but = f", but for {others:,} without an answer" if others else ""
    return f"Last confirmed: everything at release {last.release[:10]}, {last.started_at:%Y-%m-%d %H:%M} UTC{but}."


def _print_steps(report: Any) -> None:
    from monitor.cli.telling import heading, tell

    for step in report.steps:
        told = [stored.change for stored in step.changes if stored.change.kind != "record.first_seen"]
        if told:
            note = f"release {step.release[:10]}, archive no. {step.to_version}" if step.to_version else "the registry"
            click.echo(f"{heading(step.registry_id or step.registry, step.title, note)}\n{tell(told)}\n")


def _summary(report: Any) -> str:
    if report.release is None:
        return "The registry did not say which release it is at."
    if report.outcome == "nothing new":
        return f"Nothing to ask for: release {report.release.date} was looked through already, or nothing is watched."
    numbers = [f"{report.answered:,} of {report.asked:,} records answered", f"{report.changed:,} changed"]
    if report.first_seen:
        numbers.append(f"{report.first_seen:,} watched from now on")
    return f"Release {report.release.date}: {', '.join(numbers)}."


def _as_json(report: Any, standing: Any, sent: list[str] | None) -> Json:
    from snapshots.archive import rfc3339, stored_change_json
    from snapshots.registries.ctgov.ids import record_page

    def url(step: Any) -> str | None:
        return record_page(step.registry_id) if step.registry_id else None

    return {
        "outcome": report.outcome,
        "reason": report.reason,
        "release": report.release.timestamp if report.release else None,
        **report.numbers(),
        "changes": [stored_change_json(step, each, url(step)) for step in report.steps for each in step.changes],
        "exceptions": [{"id": each.id, "reason": each.reason, "detail": each.detail} for each in report.exceptions],
        "unchecked": [
            {
                "id": each.registry_id,
                "reason": each.reason,
                "since": each.since,
                "last_confirmed": confirmed.release
                if (confirmed := standing.confirmed.get(each.registry_id))
                else None,
            }
            for each in standing.exceptions
        ],
        "last_confirmed": {"release": last.release, "at": rfc3339(last.started_at)}
        if (last := standing.last_finished)
        else None,
    } | ({} if sent is None else {"deliveries": sent})
