"""How commands print: JSON and CSV alone on stdout, words for people, tables, progress; nothing of ours in colour
where nobody sees colours.
"""

import csv
import io
import re
import shutil
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import islice
from textwrap import wrap
from typing import Any, TypeVar

import click
import msgspec

Json = Any
Decorated = Callable[..., Any]
Item = TypeVar("Item")

_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
"""What a spreadsheet may read as the begin of a formula, the full-width forms with it."""
_WHOLE = frozenset(
    {
        "days",
        "total_days",
        "delays",
        "outcome",
        "version",
        "from_version",
        "to_version",
        "from_place",
        "to_place",
        "places",
    }
)
_TRUTH = frozenset(
    {
        "since_known",
        "after_gap",
        "first_is_plan",
        "from_registration",
        "switched",
        "computed",
        "covered",
        "adds_up",
        "past_is_whole",
    }
)
"""Columns of Parquet files that are no text."""
_AT_ONCE = 500
"""Rows that are kept until they are printed: the questions over all records must not need the memory of all answers."""
_PATIENCE = 2.0
"""Seconds before a progress bar appears."""


class WholeNumber(click.IntRange):
    """A whole number within bounds, called so where it is none."""

    name = "whole number"


def format_option(*formats: str) -> Callable[[Decorated], Decorated]:
    """The option `--format`; without names text and json."""
    choices = formats or ("text", "json")
    return click.option(
        "--format", "shape", type=click.Choice(choices), default=choices[0], show_default=True, help="How to print."
    )


def print_json(value: Json) -> None:
    """The value as indented JSON on stdout, and nothing else."""
    click.echo(msgspec.json.format(msgspec.json.encode(value), indent=2))  # as bytes: no text stream may alter it


def print_json_list(values: Iterable[Json]) -> bool:
    """The values as `print_json` prints a list of them, each as soon as it is there; whether there was any."""
    found = False
    for value in values:
        text = msgspec.json.format(msgspec.json.encode([value]), indent=2)
        inner = text.removeprefix(b"[\n").removesuffix(b"\n]")
        click.echo((b",\n" if found else b"[\n") + inner, nl=False)
        found = True
    click.echo(b"\n]" if found else b"[]")
    return found


def print_csv(columns: Sequence[str], rows: Iterable[Mapping[str, Json]]) -> bool:
    """Rows as CSV on stdout, a piece at a time; whether there was any. Text that a spreadsheet would take for a formula
    is given a leading apostrophe.
    """
    buffer = io.StringIO()
    plain = csv.writer(buffer, lineterminator="\n")
    # a carriage return outside of quotation marks would begin a row, and with it a cell, of its own
    quoting = csv.writer(buffer, lineterminator="\n", quoting=csv.QUOTE_ALL)
    plain.writerow(columns)
    found = False
    for piece in _pieces(rows):
        found = True
        for row in piece:
            cells = [_cell(row.get(column)) for column in columns]
            (quoting if any(isinstance(cell, str) and "\r" in cell for cell in cells) else plain).writerow(cells)
        _print_exactly(buffer)
    _print_exactly(buffer)
    return found


def _print_exactly(buffer: io.StringIO) -> None:
    click.echo(buffer.getvalue().encode(errors="backslashreplace"), nl=False)
    buffer.seek(0)
    buffer.truncate()


def print_parquet(columns: Sequence[str], rows: Iterable[Mapping[str, Json]]) -> bool:
    """Rows as a Parquet file on stdout, a row group at a time; whether there was any. Objects and lists are JSON text,
    dates stay text with their precision.

    Raises Failure where pyarrow is not installed, or stdout is a terminal.
    """
    from monitor.cli.program import Failure

    try:
        import pyarrow
        from pyarrow import parquet
    except ImportError as error:
        raise Failure("Parquet needs the extra: pip install 'trialdelta[parquet]' (or use --format csv)") from error
    if sys.stdout.isatty():
        raise Failure("Parquet is no text: send it to a file, such as: … --format parquet > changes.parquet")
    schema = pyarrow.schema([(name, _type(pyarrow, name)) for name in columns])
    found = False
    with parquet.ParquetWriter(sys.stdout.buffer, schema) as file:
        for piece in _pieces(rows):
            found = True
            table = {name: _column(pyarrow, name, [row.get(name) for row in piece]) for name in columns}
            file.write_table(pyarrow.table(table, schema=schema))
    return found


def print_rows(shape: str, columns: Sequence[str], rows: Iterable[Mapping[str, Json]]) -> bool:
    """Rows as `shape` says: "csv" or "parquet"; whether there was any."""
    return (print_parquet if shape == "parquet" else print_csv)(columns, rows)


def say(text: str = "", **style: Any) -> None:
    """Words for people, to stderr: they never mix with what a script reads."""
    click.secho(text, err=True, **style)


def width() -> int:
    """Columns to fill: those of the terminal, between 60 and 100."""
    return min(max(shutil.get_terminal_size((80, 24)).columns, 60), 100)


def clean(text: str | None) -> str:
    """The text without control characters: what a registry sends must not steer a terminal."""
    return _CONTROL.sub("", text or "")


def wrapped(text: str, indent: int, hanging: int | None = None) -> str:
    """The text broken to the width, its first line indented, further lines hanging."""
    following = " " * (indent if hanging is None else hanging)
    lines = wrap(clean(text), width(), initial_indent=" " * indent, subsequent_indent=following, break_on_hyphens=False)
    return "\n".join(lines)


def print_texts(texts: Iterable[str]) -> bool:
    """Paragraphs for people, an empty line between two, each as soon as it is there; whether there was any."""
    found = False
    for text in texts:
        click.echo(f"\n{text}" if found else text)
        found = True
    return found


def print_table(columns: Sequence[str], rows: Sequence[Sequence[Json]]) -> None:
    """Rows under headings; the last column is cut where the terminal ends."""
    cells = [["" if cell is None else clean(str(cell)) for cell in row] for row in rows]
    sizes = [max(len(line[number]) for line in [list(columns), *cells]) for number in range(len(columns))]
    click.secho(_row(columns, sizes), bold=True)
    for line in cells:
        click.echo(_row(line, sizes))


class Progress:
    """A bar on stderr for work that takes longer than two seconds; nothing where stderr is no terminal."""

    def __init__(self, label: str) -> None:
        self._label = label
        self._started = time.monotonic()
        self._shown = False

    def __call__(self, done: int, total: int) -> None:
        """Tell how far the work is."""
        if not sys.stderr.isatty() or time.monotonic() - self._started < _PATIENCE:
            return
        self._shown = True
        filled = 30 * done // max(total, 1)
        _draw(f"{self._label} {'█' * filled}{'░' * (30 - filled)} {done:,} of {total:,}")

    def end(self) -> None:
        """Take the bar away."""
        if self._shown:
            _draw(" " * width())
            _draw("")


def _draw(line: str) -> None:
    """Over what stands in the line. As bytes: text may not move the cursor."""
    click.echo(f"\r{line}".encode(errors="replace"), nl=False, err=True)


def counting(label: str, items: Sequence[Item]) -> Iterator[Item]:
    """The items in turn, with a bar of how many of them were taken."""
    progress = Progress(label)
    try:
        for done, item in enumerate(items):
            progress(done, len(items))
            yield item
    finally:
        progress.end()


def _row(cells: Sequence[str], sizes: Sequence[int]) -> str:
    line = "  ".join(cell.ljust(size) for cell, size in zip(cells, sizes, strict=True)).rstrip()
    limit = shutil.get_terminal_size((100, 24)).columns
    return line if len(line) <= limit or not sys.stdout.isatty() else line[: limit - 1] + "…"


def _cell(value: Json) -> Json:
    if isinstance(value, str):
        return f"'{value}" if value.startswith(_FORMULA) else value
    if value is None or isinstance(value, int | float):
        return value
    return msgspec.json.encode(value).decode()


def _pieces(rows: Iterable[Mapping[str, Json]]) -> Iterator[list[Mapping[str, Json]]]:
    left = iter(rows)
    while piece := list(islice(left, _AT_ONCE)):
        yield piece


def _type(pyarrow: Any, name: str) -> Any:
    """The type that a column of this name has in every file: files of many days fit together."""
    if name in _WHOLE:
        return pyarrow.int64()
    return pyarrow.bool_() if name in _TRUTH else pyarrow.string()


def _column(pyarrow: Any, name: str, values: Sequence[Json]) -> Any:
    told = values if name in _WHOLE | _TRUTH else [_text(value) for value in values]
    return pyarrow.array(told, type=_type(pyarrow, name))


def _text(value: Json) -> str | None:
    return value if value is None or isinstance(value, str) else msgspec.json.encode(value).decode()
