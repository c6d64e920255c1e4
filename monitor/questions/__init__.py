"""What became of a record, or of many: the archive's versions put to the pure questions, as rows and as JSON.

Everything here reads. `today` is the day as of which open periods and deadlines are counted; dates are ISO days of the
registry's releases, or its own dates for versions that were filled in from the past.
"""

from monitor.questions.changes import HISTORY_COLUMNS, Told, Wanted, history, history_json, history_rows
from monitor.questions.courses import (
    COMPLIANCE_COLUMNS,
    OUTCOMES_COLUMNS,
    QUESTIONS,
    SLIPS_COLUMNS,
    TIMELINE_COLUMNS,
    Question,
    compliance_json,
    compliance_rows,
    outcomes_json,
    outcomes_rows,
    slips_json,
    slips_rows,
    timeline_json,
    timeline_rows,
)
from monitor.questions.recorded import Json, Recorded, Row, missing_before, recorded

__all__ = [
    "COMPLIANCE_COLUMNS",
    "HISTORY_COLUMNS",
    "OUTCOMES_COLUMNS",
    "QUESTIONS",
    "SLIPS_COLUMNS",
    "TIMELINE_COLUMNS",
    "Json",
    "Question",
    "Recorded",
    "Row",
    "Told",
    "Wanted",
    "compliance_json",
    "compliance_rows",
    "history",
    "history_json",
    "history_rows",
    "missing_before",
    "outcomes_json",
    "outcomes_rows",
    "recorded",
    "slips_json",
    "slips_rows",
    "timeline_json",
    "timeline_rows",
]
