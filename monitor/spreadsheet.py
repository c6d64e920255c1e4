"""Tables as CSV that spreadsheets open and cannot be made to calculate with; and such files read back."""

import csv
import io
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import msgspec

Json = Any

FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
"""What a spreadsheet takes for the beginning of a formula; such text is given a leading apostrophe."""

_COMMENT = re.compile(r'"?#(?!"?[,;\t])')
"""How a line begins that is none of the table's; a column may be called "#"."""


def written(columns: Sequence[str], rows: Iterable[Mapping[str, Json]]) -> bytes:
    """The rows as CSV in UTF-8, with a mark by which spreadsheets know that, and a heading."""
    buffer = io.StringIO()
    writer = csv.writer(buffer, quoting=csv.QUOTE_MINIMAL)
    writer.writerow(columns)
    for row in rows:
        writer.writerow([_cell(row.get(column)) for column in columns])
    return buffer.getvalue().encode("utf-8-sig", "backslashreplace")


def read(content: bytes) -> Iterator[list[str]]:
    """The rows of a CSV in UTF-8, separated by commas, semicolons or tabs, cells stripped, apostrophes of `written`
    taken off. Raises ValueError that says what is wrong.
    """
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise ValueError("the file is not text in UTF-8; save it as “CSV UTF-8”") from None
    yield from rows(text)


def rows(text: str) -> Iterator[list[str]]:
    """As `read`, of text; empty lines and comments (#) may come first. Raises ValueError that says what is wrong."""
    if "\x00" in text:
        raise ValueError("the file holds the character U+0000; no text has that")
    first = next((line for line in io.StringIO(text) if line.strip(",;\t \r\n") and not _COMMENT.match(line)), "")
    separator = max((",", ";", "\t"), key=first.count)
    try:
        for row in csv.reader(io.StringIO(text, newline=""), delimiter=separator):
            yield [_plain(cell.strip()) for cell in row]
    except csv.Error as error:
        raise ValueError(f"the file is no CSV: {error}") from None


def _cell(value: Json) -> Json:
    if isinstance(value, str):
        return f"'{value}" if value.startswith(FORMULA) else value
    if value is None or isinstance(value, int | float):
        return value
    return msgspec.json.encode(value).decode()


def _plain(cell: str) -> str:
    return cell[1:] if cell.startswith("'") and cell[1:].startswith(FORMULA) else cell
