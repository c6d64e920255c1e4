"""Values into words by templates that can neither run code nor let markup through; knows no message and no database."""

from collections.abc import Iterator, Mapping
from functools import lru_cache
from pathlib import Path
from textwrap import fill
from types import TracebackType
from typing import Any

import css_inline
from jinja2 import (
    BaseLoader,
    ChoiceLoader,
    FileSystemLoader,
    PackageLoader,
    StrictUndefined,
    Template,
    TemplateSyntaxError,
    nodes,
)
from jinja2.exceptions import TemplatesNotFound
from jinja2.sandbox import SandboxedEnvironment
from msgspec import Struct

from notifiers.clean_text import clip, one_line, visible
from notifiers.reading_order import own, told

PARTS = ("subject.txt", "body.txt", "body.html")
"""The files of one type of message."""
PLAIN = "_notice"
"""The folder that lays out a type which has none of its own."""
WIDTH = 76
"""Columns of the text part; addresses and long words are never broken."""
TITLE = 60
"""Characters of a trial's title in a subject: phones show about as many."""
LONGEST = 500_000
"""Characters that one part may have: mail programs cut messages off at a fifth of it."""


class Rendered(Struct, frozen=True):
    """What people read: one line, plain text, and a whole HTML document with inline styles."""

    subject: str
    text: str
    html: str


class LayoutError(Exception):
    """A template cannot be used: `place` is its file, `line` where in it (None: not known), `why` what is wrong."""

    def __init__(self, why: str, place: str | None = None, line: int | None = None) -> None:
        self.why, self.place, self.line = one_line(why, 300), place, line
        super().__init__(f"{place}{f', line {line}' if line else ''}: {self.why}" if place else self.why)


class TooLong(LayoutError):  # noqa: N818  # it says what is wrong
    """What a template gives is longer than a message may be."""


def lay_out(kind: str, values: Mapping[str, Any], folder: str | None = None) -> Rendered:
    """The message of a type in words. `folder` holds the reader's own `<type>/{subject.txt,body.txt,body.html}`, each
    in place of ours. Takes as long as the templates want: those of others are laid out apart. Raises LayoutError.
    """
    environment = _environment(folder)
    try:
        subject, text, page = (_filled(environment, kind, name, values) for name in PARTS)
    except LayoutError:
        raise
    except Exception as error:  # whatever a template did: it is a fault in that template
        raise _located(error, kind) from error
    return Rendered(one_line(subject), text.strip() + "\n", _INLINER.inline(page))


def _filled(environment: SandboxedEnvironment, kind: str, name: str, values: Mapping[str, Any]) -> str:
    template = environment.select_template([f"{kind}/{name}", f"{PLAIN}/{name}"])
    return "".join(_within_length(template, values))


def _within_length(template: Template, values: Mapping[str, Any]) -> Iterator[str]:
    length = 0
    for piece in template.generate(values):
        length += len(piece)
        if length > LONGEST:
            raise TooLong(f"gives more than {LONGEST:,} characters", template.filename)
        yield piece


# at-rules cannot stand inline: they are what the dark scheme and small screens need
_INLINER = css_inline.CSSInliner(keep_style_tags=False, keep_at_rules=True, load_remote_stylesheets=False)


class _Environment(SandboxedEnvironment):
    """A sandbox in which foreign text cannot be declared to be markup."""

    def getattr(self, obj: Any, attribute: str) -> Any:
        if attribute in getattr(type(obj), "__struct_fields__", ()):
            return getattr(obj, attribute)  # a value of ours: of thousands, none needs to be proven harmless
        return super().getattr(obj, attribute)

    def _parse(self, source: str, name: str | None, filename: str | None) -> nodes.Template:
        tree = super()._parse(source, name, filename)
        for modifier in tree.find_all(nodes.EvalContextModifier):
            raise TemplateSyntaxError("autoescape cannot be switched", modifier.lineno, name, filename)
        return tree


@lru_cache(maxsize=4)
def _environment(folder: str | None) -> SandboxedEnvironment:
    ours = PackageLoader("notifiers", "templates")
    loader: BaseLoader = ChoiceLoader([FileSystemLoader(Path(folder)), ours]) if folder else ours
    environment = _Environment(
        loader=loader,
        autoescape=lambda name: name is None or not name.endswith(".txt"),
        undefined=StrictUndefined,
        finalize=_harmless,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    del environment.filters["safe"]
    environment.filters |= {"wrapped": wrapped, "clipped": clip, "short_title": lambda text: clip(text, TITLE)}
    environment.filters |= {"own": own, "told": told}
    return environment


def _harmless(value: object) -> object:
    """What a template puts out, whoever wrote it: foreign text loses what is invisible, markup of ours passes."""
    return visible(value) if type(value) is str else value


def wrapped(text: str, indent: int = 0, first: int | None = None) -> str:
    """The text in lines of at most `WIDTH` columns, indented; the first line by `first` where given."""
    begin = " " * (indent if first is None else first)
    if len(begin) + len(text) <= WIDTH and text.isprintable() and text and text == text.strip():
        return begin + text  # most lines are short, and a digest has hundreds
    return fill(
        text,
        WIDTH,
        initial_indent=begin,
        subsequent_indent=" " * indent,
        break_long_words=False,
        break_on_hyphens=False,
    )


# --- what is wrong, and where -----------------------------------------------------------------------------------------


def _located(error: Exception, kind: str) -> LayoutError:
    if isinstance(error, TemplateSyntaxError):
        return LayoutError(error.message or "is no template", error.filename or error.name, error.lineno)
    if isinstance(error, TemplatesNotFound):
        return LayoutError(f"there is no template for {kind}")
    place, line = _in_template(error.__traceback__)
    return LayoutError(_said(error), place or kind, line)


def _said(error: Exception) -> str:
    if isinstance(error, MemoryError):
        return "needs too much memory"
    if isinstance(error, RecursionError):
        return "calls itself without end"
    return str(error) if isinstance(error, TimeoutError) else f"{type(error).__name__}: {error}"


def _in_template(trace: TracebackType | None) -> tuple[str | None, int | None]:
    """The innermost line of a template that was being filled."""
    found: tuple[str | None, int | None] = (None, None)
    while trace is not None:
        name = trace.tb_frame.f_code.co_filename
        if not name.endswith(".py") and Path(name).suffix:
            found = (name, trace.tb_lineno)
        trace = trace.tb_next
    return found
