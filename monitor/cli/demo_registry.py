"""`trialdelta demo --serve-registry`: the stand-in registry alone, for trying one's own subscriptions against it."""

import sys
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from threading import Event, Thread
from typing import Any

import click


def serve(file: Path | None, port: int) -> None:
    """Serve releases, the next one with each Enter, and a mail server beside them, until Ctrl-C. Raises Failure where
    the file cannot be read or the port is taken.
    """
    from monitor.cli.program import Failure
    from monitor.demo.sinks import MailSink
    from monitor.demo.standin import StandIn

    days = list(_releases(file))
    try:
        standin = StandIn(port)
    except OSError as error:
        raise Failure(f"port {port} cannot be had: {error.strerror}; --port takes another") from error
    with standin, MailSink() as mail, suppress(KeyboardInterrupt):
        click.secho("In another terminal:", bold=True)
        click.echo(f"  export TRIALDELTA_CTGOV_URL={standin.url} TRIALDELTA_REQUEST_INTERVAL=0")
        click.echo(f"  export TRIALDELTA_SMTP_URL='{mail.url}' TRIALDELTA_MAIL_FROM=alerts@example.org")
        click.echo("  export TRIALDELTA_ALLOW_PRIVATE_NETWORKS=true TRIALDELTA_DATABASE_URL=sqlite:///try.sqlite3")
        click.echo("Ctrl-C ends it. Mails that arrive are shown here.\n")
        over = Event()
        Thread(target=_show_mails, args=(mail, over), daemon=True).start()
        for number, (date, told, studies) in enumerate(days, 1):
            standin.publish(date, studies)
            click.secho(f"Release {date}, {number} of {len(days)}. {told}", bold=True)
            if number < len(days) and not _enter():
                break
        else:
            click.echo("There is no further release." if days else "There is no release.")
        over.wait()


def _releases(file: Path | None) -> Iterator[tuple[str, str, Mapping[str, Any]]]:
    """Date, what happens on the day, records: of the file, else of the demonstration's story."""
    import lzma

    import msgspec

    from monitor.cli.program import Failure
    from monitor.demo.standin import read_releases
    from monitor.demo.story import releases
    from snapshots.sentences import counted

    if file is None:
        for release in releases():
            yield release.day.date.isoformat(), release.day.told, release.records
        return
    try:
        for date, studies in read_releases(file):
            yield date, f"{counted(len(studies), 'new or different record')}.", studies
    except OSError as error:
        raise Failure(f"{file} cannot be read: {error.strerror or error}") from error
    except (msgspec.DecodeError, lzma.LZMAError, UnicodeDecodeError) as error:
        raise Failure(f"{file}: each line is a JSON object with nct, dataVersion and study: {error}") from error


def _enter() -> bool:
    """Whether somebody wants the next release; where nothing more can be typed, the last one stays."""
    click.echo("Enter: the next release ", nl=False)
    return bool(sys.stdin.readline())


def _show_mails(mail: Any, over: Event) -> None:
    known = 0
    while not over.wait(0.3):
        for letter in mail.letters[known:]:
            click.secho(f"\n✉ mail to {', '.join(letter.to)}: {letter.subject}", fg="green")
            click.echo(letter.part("plain"))
            known += 1
