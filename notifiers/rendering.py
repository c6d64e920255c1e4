"""A message as subject, text and HTML, laid out by templates that can neither run code nor let markup through."""

from functools import lru_cache
from pathlib import Path
from textwrap import fill

import css_inline
from jinja2 import BaseLoader, ChoiceLoader, FileSystemLoader, PackageLoader, StrictUndefined, TemplateError
from jinja2.sandbox import SandboxedEnvironment
from msgspec import Struct

from notifiers.clean_text import clip, one_line, visible
from notifiers.message import Message
from notifiers.wording import view

WIDTH = 76
"""Columns of the text part; addresses and long words are never broken."""
TITLE = 60
"""Characters of a trial's title in a subject: phones show about as many."""


class RenderingError(Exception):
    """A message could not be laid out: the text names the template and what is wrong with it."""


class Rendered(Struct, frozen=True):
    """What people read: one line, plain text, and a whole HTML document with inline styles."""

    subject: str
    text: str
    html: str


def render(message: Message, templates: str | None = None) -> Rendered:
    """The message in words. `templates`: a folder of the reader's own `<type>/{subject.txt,body.txt,body.html}`, each
    in place of ours. Raises RenderingError.
    """
    environment = _environment(templates)
    values = view(message)
    try:
        subject, text, page = (
            environment.get_template(f"{message.type}/{name}").render(values)
            for name in ("subject.txt", "body.txt", "body.html")
        )
    except (TemplateError, ArithmeticError, TypeError, ValueError, LookupError, OSError) as error:
        why = one_line(f"{type(error).__name__}: {error}", 300)
        raise RenderingError(f"the templates of {message.type} cannot be filled: {why}") from error
    return Rendered(one_line(subject), text.strip() + "\n", _INLINER.inline(page))


# at-rules cannot stand inline: they are what the dark scheme and small screens need
_INLINER = css_inline.CSSInliner(keep_style_tags=False, keep_at_rules=True, load_remote_stylesheets=False)


@lru_cache(maxsize=16)
def _environment(templates: str | None) -> SandboxedEnvironment:
    ours = PackageLoader("notifiers", "templates")
    loader: BaseLoader = ChoiceLoader([FileSystemLoader(Path(templates)), ours]) if templates else ours
    environment = SandboxedEnvironment(
        loader=loader,
        autoescape=lambda name: name is None or name.endswith(".html"),
        undefined=StrictUndefined,
        finalize=_harmless,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters |= {"wrapped": wrapped, "clipped": clip, "short_title": lambda text: clip(text, TITLE)}
    return environment


def _harmless(value: object) -> object:
    """What a template puts out, whoever wrote it: foreign text loses what is invisible, markup of ours passes."""
    return visible(value) if type(value) is str else value


def wrapped(text: str, indent: int = 0, first: int | None = None) -> str:
    """The text in lines of at most `WIDTH` columns, indented; the first line by `first` where given."""
    return fill(
        text,
        WIDTH,
        initial_indent=" " * (indent if first is None else first),
        subsequent_indent=" " * indent,
        break_long_words=False,
        break_on_hyphens=False,
    )
