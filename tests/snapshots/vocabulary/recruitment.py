"""Made-up edits of the study's status, its reason for stopping and its expanded access."""

from tests.snapshots.vocabulary.cases import Case, Still, swap
from tests.snapshots.whole_record import GONE, STATUS

HERE = f"{STATUS}.overallStatus"
LAST = f"{STATUS}.lastKnownStatus"
WHY = f"{STATUS}.whyStopped"
ACCESS = f"{STATUS}.expandedAccessInfo"
TYPE = "protocolSection.designModule.studyType"
OPEN, INVITED, NOT_YET, CLOSED = "RECRUITING", "ENROLLING_BY_INVITATION", "NOT_YET_RECRUITING", "ACTIVE_NOT_RECRUITING"

CASES = [
    *swap(
        "recruitment.opened",
        HERE,
        (NOT_YET, OPEN),
        (NOT_YET, INVITED),
        (None, OPEN),
        (None, INVITED),
        ("not yet recruiting", OPEN),
    ),
    Case(
        "recruitment.opened",
        [(HERE, OPEN)],
        was=[(HERE, "UNKNOWN"), (LAST, NOT_YET)],
        before="UNKNOWN",
        edge="unknown is read as the last known status",
    ),
    Case("recruitment.opened", [(HERE, OPEN)], was=[(HERE, "UNKNOWN")], edge="unknown, and no last known status"),
    *swap(
        "recruitment.resumed",
        HERE,
        *((was, now) for was in ("SUSPENDED", CLOSED, "COMPLETED") for now in (OPEN, INVITED)),
    ),
    Case("recruitment.resumed", [(HERE, OPEN)], was=[(HERE, "UNKNOWN"), (LAST, CLOSED)], before="UNKNOWN"),
    *swap("recruitment.invitation_only", HERE, (OPEN, INVITED), ("Recruiting", INVITED)),
    Case("recruitment.invitation_only", [(HERE, INVITED)], was=[(HERE, "UNKNOWN"), (LAST, OPEN)]),
    *swap("recruitment.public", HERE, (INVITED, OPEN), ("Enrolling by invitation", OPEN)),
    Case("recruitment.public", [(HERE, OPEN)], was=[(HERE, "UNKNOWN"), (LAST, INVITED)]),
    *swap("recruitment.closed", HERE, (OPEN, CLOSED), (INVITED, CLOSED), (NOT_YET, CLOSED)),
    *swap("recruitment.not_yet", HERE, (OPEN, NOT_YET), (INVITED, NOT_YET)),
    Case("recruitment.not_yet", [(HERE, NOT_YET)], was=[(HERE, "UNKNOWN"), (LAST, OPEN)]),
    *swap(
        "study.completed",
        HERE,
        *((was, "COMPLETED") for was in (OPEN, INVITED, NOT_YET, CLOSED, "SUSPENDED", None, "A_STATUS_OF_TOMORROW")),
    ),
    *swap("study.suspended", HERE, *((was, "SUSPENDED") for was in (OPEN, NOT_YET, CLOSED, "COMPLETED", "TERMINATED"))),
    *swap("study.terminated", HERE, *((was, "TERMINATED") for was in (OPEN, CLOSED, "SUSPENDED", "WITHDRAWN"))),
    Case(
        "study.terminated",
        [(HERE, "TERMINATED"), (WHY, "Slow accrual.")],
        edge="the reason that comes with the status is told in its summary",
    ),
    *swap("study.withdrawn", HERE, (NOT_YET, "WITHDRAWN"), (OPEN, "WITHDRAWN"), ("TERMINATED", "WITHDRAWN")),
    *swap(
        "study.stop_reversed",
        HERE,
        ("TERMINATED", OPEN),
        ("WITHDRAWN", NOT_YET),
        ("TERMINATED", "COMPLETED"),
        ("WITHDRAWN", CLOSED),
    ),
    *swap("status.unknown", HERE, (OPEN, "UNKNOWN"), (NOT_YET, "UNKNOWN"), ("TERMINATED", "UNKNOWN")),
    Case(
        "status.unknown",
        [(HERE, "UNKNOWN"), (LAST, OPEN)],
        edge="the last known status comes with it",
    ),
    *(
        Case("status.reverified", [(HERE, status)], was=[(HERE, "UNKNOWN"), (LAST, status)], before="UNKNOWN")
        for status in (OPEN, NOT_YET, CLOSED, "TERMINATED")
    ),
    *swap(
        "status.changed",
        HERE,
        (CLOSED, NOT_YET),
        ("SUSPENDED", CLOSED),
        ("COMPLETED", NOT_YET),
        (OPEN, "A_STATUS_OF_TOMORROW"),
        ("A_STATUS_OF_TOMORROW", OPEN),
        (OPEN, None),
    ),
    *(
        Case("why_stopped.changed", [(WHY, now)], was=[(HERE, "TERMINATED"), (WHY, was)], before=was, after=now)
        for was, now in (
            ("Slow accrual.", "Slow accrual and costs."),
            (None, "Business decision."),
            ("Business decision.", None),
            ("slow accrual", "Slow accrual"),
        )
    ),
    *swap("expanded_access.changed", f"{ACCESS}.hasExpandedAccess", (False, True), (True, False)),
    Case("expanded_access.changed", [(ACCESS, {"hasExpandedAccess": True})], was=[(ACCESS, GONE)], before=False),
    Case(
        "expanded_access.changed",
        [(f"{ACCESS}.statusForNctId", "NO_LONGER_AVAILABLE")],
        was=[(ACCESS, {"hasExpandedAccess": True, "nctId": "NCT99000077", "statusForNctId": "AVAILABLE"})],
        before="AVAILABLE",
        after="NO_LONGER_AVAILABLE",
    ),
    *(
        Case(
            "expanded_access.changed",
            [(HERE, now)],
            was=[(TYPE, "EXPANDED_ACCESS"), (HERE, was)],
            before=was,
            after=now,
        )
        for was, now in (
            ("AVAILABLE", "NO_LONGER_AVAILABLE"),
            ("AVAILABLE", "TEMPORARILY_NOT_AVAILABLE"),
            ("NO_LONGER_AVAILABLE", "APPROVED_FOR_MARKETING"),
        )
    ),
    *swap("record.withheld", HERE, (OPEN, "WITHHELD"), (None, "WITHHELD"), ("TERMINATED", "WITHHELD")),
    *swap("record.released", HERE, ("WITHHELD", OPEN), ("WITHHELD", "UNKNOWN"), ("WITHHELD", "COMPLETED")),
]

STILL = [
    Still("no expanded access and no word of it", [(ACCESS, {"hasExpandedAccess": False})], [(ACCESS, GONE)]),
    Still("no word of expanded access any more", [(ACCESS, GONE)]),
    Still("the case of a status", [(HERE, "recruiting")]),
    Still("the layout of a reason", [(WHY, "Slow  accrual\n- costs")], [(WHY, "Slow accrual – costs")]),
]
