"""How did a record come to say what it says? Status periods, slips, courses of numbers, outcomes' lives; pure.

Every function takes what the record said in history order (`Dated`), and asks neither a database nor a clock.
"""

from snapshots.timeline.courses import EnrollmentPoint, SitesPoint, enrollment_course, sites_course
from snapshots.timeline.dated import Dated, day, submitted_on
from snapshots.timeline.outcomes import Moment, OutcomeEvent, OutcomeLife, outcome_lives
from snapshots.timeline.slips import (
    DATES,
    DateMove,
    Slips,
    answer_words,
    move_words,
    slips,
    slips_words,
    total_words,
    uneven_words,
)
from snapshots.timeline.status import Period, days_by_status, status_periods

__all__ = [
    "DATES",
    "DateMove",
    "Dated",
    "EnrollmentPoint",
    "Moment",
    "OutcomeEvent",
    "OutcomeLife",
    "Period",
    "SitesPoint",
    "Slips",
    "answer_words",
    "day",
    "days_by_status",
    "enrollment_course",
    "move_words",
    "outcome_lives",
    "sites_course",
    "slips",
    "slips_words",
    "status_periods",
    "submitted_on",
    "total_words",
    "uneven_words",
]
