"""The program as a whole: which commands there are, and how every failure ends in one clear line and exit 2."""

import importlib
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import click

from monitor import __version__
from monitor.cli.streams import harmless_streams

COMMANDS = {
    "demo": "demo:demo",
    "run": "run:run",
    "check": "check:check",
    "watch": "watch:watch",
    "subscription": "subscription:subscription",
    "address": "address:address",
    "templates": "templates:templates",
    "apply": "watchlist:apply",
    "export": "watchlist:export",
    "backfill": "backfill:backfill",
    "history": "history:history",
    "reclassify": "reclassify:reclassify",
    "show": "show:show",
    "diff": "diff:diff",
    "timeline": "questions:timeline",
    "slips": "questions:slips",
    "outcomes": "questions:outcomes",
    "compliance": "questions:compliance",
    "digest": "digest:digest",
    "deliveries": "deliveries:deliveries",
    "audit": "audit:audit",
    "archive": "archive:archive",
    "db": "db:db",
    "token": "token:token",
    "doctor": "doctor:doctor",
    "settings": "settings:settings",
    "kinds": "kinds:kinds",
}
"""Name of a command → module under `monitor.cli` and the command in it, imported on first use."""

_LOG_LEVEL = "TRIALDELTA_LOG_LEVEL"
FOUND_CHANGES = 1
FAILED = 2


class Failure(click.ClickException):
    """What a person must know, in one line; the program ends with exit 2."""

    exit_code = FAILED


class Program(click.Group):
    """The group of all commands. Imports a command when it is asked for; lets no traceback out."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        if cmd_name not in COMMANDS:
            return None
        module, _, attribute = COMMANDS[cmd_name].partition(":")
        return getattr(importlib.import_module(f"monitor.cli.{module}"), attribute)  # type: ignore[no-any-return]

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """As click does; a name that no command has gets the one that was probably meant."""
        from monitor.cli.meant import did_you_mean

        try:
            return super().resolve_command(ctx, args)
        except click.UsageError as error:
            meant = did_you_mean(args[0], COMMANDS) if args and args[0] not in COMMANDS else ""
            raise click.UsageError(f"{error.message.rstrip('.')}{meant}", ctx) from None

    def main(self, args: Sequence[str] | None = None, *others: Any, **extra: Any) -> Any:
        """Run, and end with the exit code: 0 done, 1 found changes under --exit-code, 2 wrong use or failure."""
        extra["standalone_mode"] = False
        arguments = list(sys.argv[1:] if args is None else args)
        extra.setdefault("color", False if os.environ.get("NO_COLOR") else None)
        with _logging_everything("--debug" in arguments), harmless_streams():
            ended = _guarded(lambda: super(Program, self).main(arguments, *others, **extra))
        sys.exit(ended)


@click.group(
    cls=Program,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="Start with `trialdelta demo`, or with `trialdelta watch add NCT01234567` and `trialdelta check`.",
)
@click.version_option(__version__, prog_name="trialdelta")
@click.option("--debug", is_flag=True, help="Show the details of an unexpected failure, and log everything.")
def trialdelta(debug: bool) -> None:  # `Program.main` has seen to it before any command ran
    """Watches clinical-trial registry records, keeps every version, and tells people what changed."""


def main() -> None:
    """The entry point of the command `trialdelta`."""
    _open_streams()
    trialdelta.main(prog_name="trialdelta")


def _open_streams() -> None:
    """Something to write to for a process that was started without output (`trialdelta run >&- 2>&-`)."""
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))  # noqa: SIM115, PTH123 - as long as the process


@contextmanager
def _logging_everything(wanted: bool) -> Iterator[None]:
    """The setting TRIALDELTA_LOG_LEVEL as --debug has it, for as long as the command runs."""
    before = os.environ.get(_LOG_LEVEL)
    if wanted:
        os.environ[_LOG_LEVEL] = "debug"
    try:
        yield
    finally:
        if wanted:
            os.environ.pop(_LOG_LEVEL)
        if before is not None:
            os.environ[_LOG_LEVEL] = before


def _guarded(run: Any) -> int:
    try:
        result = run()
    except (click.Abort, KeyboardInterrupt):
        click.echo("Stopped.", err=True)
        return 130
    except BrokenPipeError:
        # whoever read our output has enough (`trialdelta history … | head`); Python must not complain at its exit
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except Exception as error:
        return _fail(error)
    return result if isinstance(result, int) else 0


def _fail(error: Exception) -> int:
    if os.environ.get(_LOG_LEVEL, "").lower() == "debug":
        import traceback

        traceback.print_exception(error)
    click.secho(f"Error: {_in_one_line(error)}", fg="red", err=True)
    return FAILED


def _in_one_line(error: Exception) -> str:
    if isinstance(error, click.UsageError):
        path = error.ctx.command_path if error.ctx else "trialdelta"
        return f"{' '.join(error.format_message().split())} (see {path} --help)"
    if isinstance(error, click.ClickException):
        return error.format_message()
    if isinstance(error, _ours()):
        return str(error)
    return f"unexpected {type(error).__name__}: {' '.join(str(error).split())} (details: trialdelta --debug …)"


def _ours() -> tuple[type[Exception], ...]:
    """The errors whose message is already a sentence for the person at the terminal.

    Asked only of modules that are loaded: an error of a module that is not cannot have been raised.
    """
    found = (getattr(sys.modules.get(module), name, None) for module, name in _SENTENCES)
    return tuple(each for each in found if isinstance(each, type))


_SENTENCES = (
    ("monitor.settings", "SettingsError"),
    ("snapshots.registry", "RegistryError"),
    ("snapshots.database", "DatabaseError"),
    ("snapshots.archive", "Unreadable"),
)
