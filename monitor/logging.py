"""How the log is written: for people on a terminal, as one JSON object a line otherwise; always to stderr."""

import logging
import sys
from typing import Any, TextIO

import structlog


def configure(format_: str, level: str, stream: TextIO | None = None) -> None:
    """Set the program's log up. `format_` is auto, console or json; `level` debug, info, warning or error."""
    stream = stream or sys.stderr
    on_terminal = format_ == "console" or (format_ == "auto" and stream.isatty())
    minimum = getattr(logging, level.upper())
    structlog.configure(
        processors=[*_shared(), *_last(stream, on_terminal=on_terminal)],
        wrapper_class=structlog.make_filtering_bound_logger(minimum),
        logger_factory=structlog.WriteLoggerFactory(stream),
        cache_logger_on_first_use=False,
    )
    # libraries say their troubles by the standard way; what they merely do is nobody's business
    logging.basicConfig(stream=stream, level=max(minimum, logging.WARNING), format="%(name)s: %(message)s", force=True)


def _shared() -> list[Any]:
    return [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]


def _last(stream: TextIO, *, on_terminal: bool) -> list[Any]:
    if on_terminal:
        return [structlog.dev.ConsoleRenderer(colors=stream.isatty())]
    return [structlog.processors.format_exc_info, structlog.processors.JSONRenderer()]
