"""How commands print: JSON and CSV alone on stdout, words for people, tables, progress; nothing of ours in colour
where nobody sees colours.
"""

import csv
import io
import re
import shutil
import sys
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from textwrap import wrap
from typing import Any

import click
import msgspec

Json = Any
Decorated = Callable[..., Any]

_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
"""What a spreadsheet may read as the begin of a formula, the full-width forms with it."""
_WHOLE = frozenset({"days", "total_days", "delays", "outcome", "version", "from_version", "to_version"})
_TRUTH = frozenset(
    {"since_known", "after_gap", "first_is_plan", "from_registration", "switched", "computed", "covered"}
)
"""Columns of Parquet files that are no text."""
_PATIENCE = 2.0
"""Seconds before a progress bar appears."""


def format_option(*formats: str) -> Callable[[Decorated], Decorated]:
    """The option `--format`; without names text and json."""
    choices = formats or ("text", "json")
    return click.option(
        "--format", "shape", type=click.Choice(choices), default=choices[0], show_default=True, help="How to print."
    )


def print_json(value: Json) -> None:
    """The value as indented JSON on stdout, and nothing else."""
    click.echo(msgspec.json.format(msgspec.json.encode(value), indent=2))


def print_csv(columns: Sequence[str], rows: Iterable[Mapping[str, Json]]) -> None:
    """Rows as CSV on stdout. Text that a spreadsheet would take for a formula is given a leading apostrophe."""
    buffer = io.StringIO()
    plain = csv.writer(buffer, lineterminator="\n")
    # a carriage return outside of quotation marks would begin a row, and with it a cell, of its own
    quoting = csv.writer(buffer, lineterminator="\n", quoting=csv.QUOTE_ALL)
    plain.writerow(columns)
    for row in rows:
        cells = [_cell(row.get(column)) for column in columns]
        (quoting if any(isinstance(cell, str) and "\r" in cell for cell in cells) else plain).writerow(cells)
    click.echo(buffer.getvalue(), nl=False)


def print_parquet(columns: Sequence[str], rows: Iterable[Mapping[str, Json]]) -> None:
    """Rows as a Parquet file on stdout; objects and lists are JSON text, dates stay text with their precision.

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
    listed = list(rows)
    table = pyarrow.table({name: _column(pyarrow, name, [row.get(name) for row in listed]) for name in columns})
    buffer = io.BytesIO()
    parquet.write_table(table, buffer)
    click.echo(buffer.getvalue(), nl=False)


def print_rows(shape: str, columns: Sequence[str], rows: Iterable[Mapping[str, Json]]) -> None:
    """Rows as `shape` says: "csv" or "parquet"."""
    (print_parquet if shape == "parquet" else print_csv)(columns, rows)


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
        click.echo(f"\r{self._label} {'█' * filled}{'░' * (30 - filled)} {done:,} of {total:,}", nl=False, err=True)

    def end(self) -> None:
        """Take the bar away."""
        if self._shown:
            click.echo("\r" + " " * width() + "\r", nl=False, err=True)


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


def _column(pyarrow: Any, name: str, values: Sequence[Json]) -> Any:
    """The values of one column, in the type that its name has in every file: files of many days fit together."""
    if name in _WHOLE:
        return pyarrow.array(values, type=pyarrow.int64())
    if name in _TRUTH:
        return pyarrow.array(values, type=pyarrow.bool_())
    return pyarrow.array([_text(value) for value in values], type=pyarrow.string())


def _text(value: Json) -> str | None:
    return value if value is None or isinstance(value, str) else msgspec.json.encode(value).decode()
