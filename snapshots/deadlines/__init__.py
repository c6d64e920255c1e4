"""Which deadlines of law and custom does a record meet, computed from nothing but what it said and when; pure.

Every answer is computed here, by nobody with authority: each names its rule and where that stands. Whether the law
applies to a trial is not known from its record alone; `Finding.applies` says what the record suggests. A date of month
precision is read to the end of that month.
"""

from collections.abc import Sequence
from datetime import date

from snapshots.deadlines.covered import probably_covered
from snapshots.deadlines.findings import DATE_NAMES, Answer, Applies, Finding, years_after
from snapshots.deadlines.registration import registered_before_start, registered_in_time
from snapshots.deadlines.results import results_due, results_tracked
from snapshots.deadlines.updates import reached_in_time, updated_yearly
from snapshots.deadlines.verification import verification_lapsed
from snapshots.sentences import capitalised
from snapshots.timeline.dated import Dated, public

__all__ = [
    "COMPUTED",
    "Answer",
    "Applies",
    "Finding",
    "applies_words",
    "compliance",
    "probably_covered",
    "question_words",
    "reached_in_time",
    "registered_before_start",
    "registered_in_time",
    "results_due",
    "results_tracked",
    "updated_yearly",
    "verification_lapsed",
    "years_after",
]


COMPUTED = (
    "Computed here from what the record said; no authority has said any of it. Whether a law applies to this study is "
    "guessed from the record alone."
)
"""What stands with every answer that people read."""


def applies_words(finding: Finding) -> str:
    """Whether its rule applies to the study, as far as the record suggests: "that it applies to this study: not
    likely"; "" where the rule is no law.
    """
    return "" if finding.applies == "by custom" else f"that it applies to this study: {finding.applies}"


def question_words(question: str) -> str:
    """A question of a finding as it heads a line: "Results in time, with the 30 days that public trackers add"."""
    return capitalised(_TITLES.get(question, question))


_TITLES = {"results in time as trackers count": "results in time, with the 30 days that public trackers add"}
"""Questions whose names say too little to somebody who reads them for the first time."""


def compliance(versions: Sequence[Dated], today: date) -> tuple[Finding, ...]:
    """The answers to all questions as of `today`, from the versions of a record in history order, in a fixed order.

    While a record is withheld the last version that was public counts. Without any there is no answer.
    """
    shown = public(versions)
    if not shown:
        return ()
    trial = shown[-1].trial
    return (
        registered_before_start(trial, today),
        registered_in_time(trial),
        results_due(trial, today),
        results_tracked(trial, today),
        verification_lapsed(trial, today),
        updated_yearly(trial, today),
        *(reached_in_time(shown, attribute, today) for attribute in DATE_NAMES),
    )
