"""A record's history, time line, slips, outcomes and deadlines as files: by its page and by the API."""

from collections.abc import Callable, Mapping, Sequence
from datetime import date

from sqlalchemy import Connection
from starlette.responses import Response

from monitor import spreadsheet
from monitor.questions import (
    HISTORY_COLUMNS,
    QUESTIONS,
    Json,
    Recorded,
    Row,
    Wanted,
    history,
    history_json,
    history_rows,
)
from monitor.web.visit import Visit
from monitor.wiring import REGISTRY
from snapshots.archive import Record

File = tuple[Callable[[], Json], Sequence[str], Sequence[Mapping[str, Json]]]
"""As JSON, and the columns and rows of the same as a table."""


def history_file(connection: Connection, record: Record) -> File:
    """Every change. Raises archive.CorruptChange."""
    told = list(history(connection, REGISTRY, record.registry_id, Wanted()))
    rows: list[Row] = [row for each in told for row in history_rows(each)]
    return lambda: [row for each in told for row in history_json(each)], HISTORY_COLUMNS, rows


def question_file(known: Recorded, what: str, today: date) -> File:
    """One of QUESTIONS, counted to a day."""
    question = QUESTIONS[what]
    return lambda: question.as_json(known, today), question.columns, list(question.as_rows(known, today))


def csv_of(here: Visit, file: File, name: str) -> Response:
    """The file as CSV, to be kept under that name."""
    _, columns, rows = file
    return here.file(spreadsheet.written(columns, rows), name, "text/csv; charset=utf-8")
