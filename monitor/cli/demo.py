"""`trialdelta demo`: a fortnight of invented trials, shown day by day with the alerts as they would arrive."""

import sys
from pathlib import Path
from typing import Any

import click


@click.command(short_help="See it work: offline, everything embedded, in seconds.")
@click.option(
    "--to", type=click.Path(file_okay=False, path_type=Path), help="Keep everything in this new or empty folder."
)
@click.option("--keep", is_flag=True, help="Keep the database too, to try other commands on it.")
@click.option(
    "--page/--no-page",
    default=None,
    help="Serve the page over what was played until Ctrl-C; without either, on a terminal only.",
)
@click.option("--serve-registry", is_flag=True, help="Only the stand-in registry, to try your own alerts against.")
@click.option(
    "--releases",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="With --serve-registry: releases of your own, a line {nct, dataVersion, study} for each record.",
)
@click.option("--port", type=int, default=8390, show_default=True, help="With --serve-registry: where it answers.")
def demo(to: Path | None, keep: bool, page: bool | None, **registry: Any) -> None:
    """Play a fortnight of seven invented trials: a stand-in registry, a mail server and a web address on loopback,
    and the real sweeps, alerts and digests between them; then look at it on the page. Nothing leaves this machine.

    \b
    Example:
      trialdelta demo
      trialdelta demo --to my-demo --keep --no-page
      trialdelta demo --serve-registry
    """
    from monitor import logging
    from monitor.cli import demo_registry
    from monitor.demo.play import Play

    logging.configure("console", "critical")
    if registry["serve_registry"]:
        demo_registry.serve(registry["releases"], registry["port"])
        return
    folder = _folder(to)
    with Play(folder) as play:
        _opening()
        shown = _Shown(folder)
        for scene in play.scenes():
            shown.scene(scene)
        _closing(folder, play.ending(), keep=keep or to is not None)
        if sys.stdout.isatty() if page is None else page:
            _serve(play, folder)
    if not keep and to is None:
        for file in [*folder.glob("demo.sqlite3*"), folder / "access-token"]:
            file.unlink(missing_ok=True)


class _Shown:
    """What has been shown so far: the first alert and the first post in full, the others in a line."""

    def __init__(self, folder: Path) -> None:
        self._letters = folder / "mails"
        self._letters.mkdir()
        self._has_shown: set[str] = set()

    def scene(self, scene: Any) -> None:
        click.echo(f"\n{_ruler(f'{scene.day.date:%A}, {scene.day.date.day} {scene.day.date:%B %Y}')}")
        for letter in scene.digests:
            self._letter(letter, scene, "08:00  the week's digest")
        click.secho(scene.day.told, italic=True)
        self._report(scene.report)
        for letter in scene.letters:
            self._letter(letter, scene, "✉ mail")
        for post in scene.posts:
            self._post(post)

    def _report(self, report: Any) -> None:
        from monitor.cli.output import wrapped
        from monitor.cli.telling import heading, tell

        if report.outcome == "failed":
            click.secho(wrapped(f"✗ {report.reason}. Nothing is stored; the next look tries again.", 2, 4), fg="red")
            return
        click.secho(f"  release {report.release.date}: {_numbers(report)}", dim=True)
        for step in report.steps:
            told = [each.change for each in step.changes if each.change.kind != "record.first_seen"]
            if told:
                click.echo(f"\n  {heading(step.registry_id, step.title)}\n{tell(told)}")

    def _letter(self, letter: Any, scene: Any, what: str) -> None:
        from monitor.cli.output import wrapped

        place = _save(self._letters, letter, f"{scene.day.date:%m-%d}")
        click.echo()
        click.secho(wrapped(f"{what} to {', '.join(letter.to)}: {letter.subject}", 2, 4), fg="green")
        kind = "digest" if scene.digests and letter in scene.digests else "alert"
        if self._is_first(kind):
            click.echo(_boxed(letter.part("plain")))
        click.secho(f"    {place}", dim=True)

    def _post(self, post: Any) -> None:
        import msgspec

        from snapshots.sentences import counted

        said = msgspec.json.decode(post.body)
        changes = said["data"]["changes"]
        click.echo()
        told = f"{counted(len(changes), 'change')}, signed, id {post.headers['webhook-id'][:16]}…"
        click.secho(f"  ⇢ webhook {said['type']}: {told}", fg="blue")
        if self._is_first("post"):
            said["data"]["changes"] = changes[:1]
            names = ("webhook-id", "webhook-timestamp", "webhook-signature")
            head = "\n".join(f"{name}: {post.headers[name]}" for name in names)
            body = msgspec.json.format(msgspec.json.encode(said), indent=2).decode()
            more = f"\n… and {len(changes) - 1} more changes" if len(changes) > 1 else ""
            click.echo(_boxed(f"{head}\n\n{body}{more}"))

    def _is_first(self, kind: str) -> bool:
        first = kind not in self._has_shown
        self._has_shown.add(kind)
        return first


def _folder(to: Path | None) -> Path:
    import tempfile

    from monitor.cli.program import Failure

    if to is None:
        return Path(tempfile.mkdtemp(prefix="trialdelta-demo-"))
    try:
        to.mkdir(parents=True, exist_ok=True)
        if any(to.iterdir()):
            raise Failure(f"{to} is not empty: the demonstration wants a folder of its own")
    except OSError as error:
        raise Failure(f"{to} cannot be made: {error.strerror}") from error
    return to


def _opening() -> None:
    from monitor.cli.output import wrapped

    click.secho("trialdelta, a demonstration", bold=True)
    click.echo(
        wrapped(
            "Seven invented trials in a stand-in registry on this machine, looked at once a day for a fortnight. A "
            "coordinator wants to hear at once when a site near Beijing recruits; a program takes everything major by "
            "webhook; a team reads a digest on Mondays, and what is critical at once.",
            0,
        )
    )


def _closing(folder: Path, ending: Any, *, keep: bool) -> None:
    from monitor.cli.output import wrapped

    click.echo(f"\n{_ruler('What is there now')}")
    told = (
        f"{ending.versions} versions are kept, byte for byte, in a chain whose head is {ending.head.short}; "
        f"{ending.letters} mails and {ending.posts} webhooks went out."
    )
    click.echo(wrapped(told, 0))
    click.echo(f"The mails, as .html, .txt and .eml: {folder / 'mails'}")
    if keep:
        click.secho("\nTry on what is kept:", bold=True)
        _show_the_way()
        click.echo(f"  export TRIALDELTA_DATABASE_URL=sqlite:///{(folder / 'demo.sqlite3').resolve()}")
        for command in _NEXT_KEPT:
            click.echo(f"  {command}")
        click.echo("For real records: unset TRIALDELTA_DATABASE_URL, then trialdelta watch add NCT01234567")
    else:
        click.secho("\nWhat to try next:", bold=True)
        _show_the_way()
        for command in _NEXT:
            click.echo(f"  {command}")


def _serve(play: Any, folder: Path) -> None:
    """The page over what was played, and a daemon that does what its buttons ask for, until Ctrl-C."""
    from threading import Thread

    from monitor.cli.output import wrapped

    daemon = play.daemon()
    server = play.page(daemon.stop)
    server.start()
    work = Thread(target=daemon.run, daemon=True)
    work.start()
    click.secho("\nIts page, open until Ctrl-C; this link signs you in, once:", bold=True)
    click.echo(f"  {server.sign_in_url()}")
    click.secho(wrapped(_BEHIND_THE_PAGE, 2), dim=True)
    known = len(play.letters())
    try:
        while not daemon.stop.wait(0.5):
            for letter in play.letters()[known:]:
                place = _save(folder / "mails", letter, f"later-{known}")
                click.secho(f"✉ mail to {', '.join(letter.to)}: {letter.subject}\n    {place}", fg="green")
                known += 1
    except KeyboardInterrupt:
        click.echo()
    daemon.stop.set()
    server.stop(2)
    work.join(10)


_BEHIND_THE_PAGE = (
    "A daemon works behind it: what its buttons ask for is done within half a minute, against the stand-in registry. "
    "Mails that it sends are named here."
)


def _show_the_way() -> None:
    """How to call the command, where the shell would not find it (a checkout's own environment, say)."""
    import shutil

    program = Path(sys.argv[0]).resolve()
    if shutil.which("trialdelta") is None and program.name == "trialdelta":
        click.echo(f'  export PATH="{program.parent}:$PATH"')


_NEXT_KEPT = (
    "trialdelta history NCT99000101",
    "trialdelta show NCT99000103",
    "trialdelta diff NCT99000107",
    "trialdelta deliveries list",
)
_NEXT = (
    "trialdelta demo --keep                    the same, and its database kept to look around in",
    "trialdelta watch add NCT01234567          watch a real record",
    "trialdelta check                          look at it now",
    "trialdelta subscription add --help        say who is to be told of what",
    "trialdelta run                            and leave it running",
)


def _numbers(report: Any) -> str:
    if report.first_seen:
        return f"{report.first_seen} records, the baseline; nobody is alerted"
    changed = f"{report.changed} changed" if report.changed else "nothing changed"
    return f"{report.answered} records looked at, {changed}"


def _save(folder: Path, letter: Any, day: str) -> Path:
    """The mail in three forms; the place of the HTML one."""
    words = "".join(each if each.isalnum() else "-" for each in letter.subject.lower())[:48].strip("-")
    while "--" in words:
        words = words.replace("--", "-")
    name = f"{day}-{letter.to[0].partition('@')[0]}-{words}"
    (folder / f"{name}.eml").write_bytes(letter.raw)
    (folder / f"{name}.txt").write_text(letter.part("plain"), encoding="utf-8")
    page = folder / f"{name}.html"
    page.write_text(letter.part("html"), encoding="utf-8")
    return page


def _ruler(words: str) -> str:
    from monitor.cli.output import width

    return click.style(f"── {words} " + "─" * max(width() - len(words) - 4, 2), bold=True, fg="cyan")


def _boxed(text: str) -> str:
    bar = click.style("    │ ", dim=True)
    return "\n".join(f"{bar}{line}" for line in text.rstrip().splitlines())
