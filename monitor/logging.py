"""How the log is written: for people on a terminal, as one JSON object a line otherwise; always to stderr."""

import logging
import re
import sys
from typing import Any, TextIO

import structlog


def configure(format_: str, level: str, stream: TextIO | None = None) -> None:
    """Set the program's log up. `format_` is auto, console, json or person (a command's: one plain line for each, and
    nothing of what commands tell by themselves); `level` debug, info, warning or error.
    """
    stream = stream or sys.stderr
    on_terminal = format_ == "console" or (format_ == "auto" and stream.isatty())
    minimum = getattr(logging, level.upper())
    structlog.configure(
        processors=[*_shared(), *([_plain] if format_ == "person" else _last(stream, on_terminal=on_terminal))],
        wrapper_class=structlog.make_filtering_bound_logger(minimum),
        logger_factory=structlog.WriteLoggerFactory(stream),
        cache_logger_on_first_use=False,
    )
    # libraries say their troubles by the standard way; what they merely do is nobody's business
    logging.getLogger("python_multipart").setLevel(logging.CRITICAL)  # who sends a bad form is answered
    logging.basicConfig(stream=stream, level=max(minimum, logging.WARNING), format="%(name)s: %(message)s", force=True)


def _shared() -> list[Any]:
    return [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]


TOLD_BY_COMMANDS = frozenset({"not delivered", "not delivered yet", "sweep failed", "not answered"})
"""Events that every command tells in words of its own: as lines of a log they would be said twice."""


def _plain(_logger: Any, _name: str, event: Any) -> str:
    """One line for a person at a terminal, or for the mail of a timer."""
    what, error = event.pop("event"), event.pop("exc_info", None)
    if what in TOLD_BY_COMMANDS:
        raise structlog.DropEvent
    for name in ("timestamp", "level"):
        event.pop(name, None)
    facts = ", ".join(f"{name} {value}" for name, value in event.items() if value is not None)
    found = sys.exception() if error is True else error
    because = f": {type(found).__name__}: {' '.join(str(found).split())}" if isinstance(found, BaseException) else ""
    return f"trialdelta: {what}{f' ({facts})' if facts else ''}{because}"


_MAILBOX = re.compile(r"[\w.+%-]+(?=@[\w-]+\.)")


def _nobodys_name(_logger: Any, _name: str, event: Any) -> Any:
    """What stands before the @ of mail addresses is left out: servers repeat addresses in their answers."""
    return {key: _MAILBOX.sub("…", value) if isinstance(value, str) else value for key, value in event.items()}


# where rich is at hand a traceback would show the values of variables, and with them sessions and tokens
_without_values = structlog.dev.plain_traceback


def _last(stream: TextIO, *, on_terminal: bool) -> list[Any]:
    if on_terminal:
        return [
            _nobodys_name,
            structlog.dev.ConsoleRenderer(colors=stream.isatty(), exception_formatter=_without_values),
        ]
    return [structlog.processors.format_exc_info, _nobodys_name, structlog.processors.JSONRenderer()]
