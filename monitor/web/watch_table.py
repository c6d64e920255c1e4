"""The watchlist as it is asked for by an address, and as a file for spreadsheets: by the page and by the API."""

from starlette.responses import Response

from monitor import spreadsheet
from monitor.shown.watches import COLUMNS, watch_rows
from monitor.web.visit import Visit
from notifiers.watch_pages import Wanted

NO_GROUP = "-"
"""How the address asks for what is in no group."""


def wanted(group: str, state: str, words: str) -> Wanted:
    """Which watches an address asks for; "" asks for any."""
    return Wanted(group={"": None, NO_GROUP: ""}.get(group, group), state=state or None, words=words)


def file(here: Visit, asked: Wanted) -> Response:
    """All of these as CSV."""
    with here.database.read() as connection:
        rows = list(watch_rows(connection, asked, here.now))
    return here.file(spreadsheet.written(COLUMNS, rows), f"watchlist-{here.now:%Y-%m-%d}.csv", "text/csv")
