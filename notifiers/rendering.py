"""A message as subject, text and HTML: our templates here, those of others apart and within limits."""

from pathlib import Path

from msgspec import Struct

from notifiers.apart import Job, lay_out_apart, plain
from notifiers.layout import LayoutError, Rendered, TooLong, lay_out
from notifiers.message import Message
from notifiers.wording import SHOWN_TRIALS, view

__all__ = ["LaidOut", "Rendered", "RenderingError", "render", "render_or_ours"]


FEWER = (SHOWN_TRIALS, 300, 160, 80, 30, 8)
"""Trials told in one message: so many, or fewer where it would be longer than a message may be; how many more there are
is said."""


class RenderingError(Exception):
    """A message could not be laid out: one line that names the template, where in it, and what is wrong."""


def render(message: Message, templates: str | None = None) -> Rendered:
    """The message in words. `templates`: a folder of the reader's own `<type>/{subject.txt,body.txt,body.html}`, each
    in place of ours; they are given some seconds and a bounded memory. Raises RenderingError.
    """
    try:
        if templates is None:
            return _as_much_as_fits(message)
        return _with(message, templates)
    except LayoutError as error:
        raise RenderingError(f"the templates of {message.type} cannot be filled: {error}") from error


class LaidOut(Struct, frozen=True):
    """A message in words; `trouble` says why the templates that were asked for could not be used, and ours were."""

    rendered: Rendered
    trouble: str | None = None


def render_or_ours(message: Message, templates: str | None) -> LaidOut:
    """The message in words, by our templates where those in `templates` cannot be used: what is to be told is told.
    Raises RenderingError where ours cannot be filled.
    """
    try:
        return LaidOut(render(message, templates))
    except RenderingError as error:
        if templates is None:
            raise
        return LaidOut(render(message), str(error))


def _as_much_as_fits(message: Message) -> Rendered:
    for most in FEWER[:-1]:
        try:
            return lay_out(message.type, view(message, most))
        except TooLong:
            continue
    return lay_out(message.type, view(message, FEWER[-1]))


def _with(message: Message, templates: str) -> Rendered:
    folder = Path(templates)
    if not folder.is_dir():
        raise LayoutError("there is no such folder", templates)
    return lay_out_apart([Job(message.type, plain(view(message)))], str(folder.resolve()))[0]
