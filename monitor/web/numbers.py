"""Numbers of rows as addresses, forms and cursors bring them: never larger than any database can be asked for."""

from typing import Annotated

from msgspec import Meta

NUMBER = 2**31 - 1
"""The largest number of a row on any database."""

RowNumber = Annotated[int, Meta(ge=0, le=NUMBER)]


def row_number(text: str) -> int | None:
    """The number in a text; None where there is none, or one that no row of ours has."""
    number = int(text) if text.isascii() and text.isdecimal() and len(text) <= len(str(NUMBER)) else None
    return number if number is not None and number <= NUMBER else None
