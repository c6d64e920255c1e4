"""What is told about the study's status: one edit of an invented record, one change."""

from itertools import product

import pytest

from snapshots.rules.status import status_kind
from tests.snapshots.whole_record import GONE, STATUS, Json, after, between, kinds, read, told, whole

HERE = f"{STATUS}.overallStatus"
OPEN = ("RECRUITING", "ENROLLING_BY_INVITATION")
ALL = (
    "NOT_YET_RECRUITING",
    *OPEN,
    "ACTIVE_NOT_RECRUITING",
    "SUSPENDED",
    "TERMINATED",
    "WITHDRAWN",
    "COMPLETED",
    "UNKNOWN",
    "WITHHELD",
    "AVAILABLE",
    "A_STATUS_OF_TOMORROW",
)


@pytest.mark.parametrize(
    ("before", "now", "kind", "severity"),
    [
        ("NOT_YET_RECRUITING", "RECRUITING", "recruitment.opened", "critical"),
        ("NOT_YET_RECRUITING", "ENROLLING_BY_INVITATION", "recruitment.opened", "critical"),
        (None, "RECRUITING", "recruitment.opened", "critical"),
        ("SUSPENDED", "RECRUITING", "recruitment.resumed", "critical"),
        ("ACTIVE_NOT_RECRUITING", "RECRUITING", "recruitment.resumed", "critical"),
        ("COMPLETED", "ENROLLING_BY_INVITATION", "recruitment.resumed", "critical"),
        ("RECRUITING", "ENROLLING_BY_INVITATION", "recruitment.invitation_only", "major"),
        ("ENROLLING_BY_INVITATION", "RECRUITING", "recruitment.public", "critical"),
        ("RECRUITING", "ACTIVE_NOT_RECRUITING", "recruitment.closed", "major"),
        ("ENROLLING_BY_INVITATION", "ACTIVE_NOT_RECRUITING", "recruitment.closed", "major"),
        ("NOT_YET_RECRUITING", "ACTIVE_NOT_RECRUITING", "recruitment.closed", "major"),
        ("RECRUITING", "NOT_YET_RECRUITING", "recruitment.not_yet", "minor"),
        ("ENROLLING_BY_INVITATION", "NOT_YET_RECRUITING", "recruitment.not_yet", "minor"),
        ("RECRUITING", "COMPLETED", "study.completed", "major"),
        ("SUSPENDED", "COMPLETED", "study.completed", "major"),
        (None, "COMPLETED", "study.completed", "major"),
        ("RECRUITING", "SUSPENDED", "study.suspended", "critical"),
        ("TERMINATED", "SUSPENDED", "study.suspended", "critical"),
        ("ACTIVE_NOT_RECRUITING", "TERMINATED", "study.terminated", "critical"),
        ("SUSPENDED", "TERMINATED", "study.terminated", "critical"),
        ("WITHDRAWN", "TERMINATED", "study.terminated", "critical"),
        ("NOT_YET_RECRUITING", "WITHDRAWN", "study.withdrawn", "critical"),
        ("TERMINATED", "WITHDRAWN", "study.withdrawn", "critical"),
        ("TERMINATED", "RECRUITING", "study.stop_reversed", "critical"),
        ("TERMINATED", "COMPLETED", "study.stop_reversed", "critical"),
        ("WITHDRAWN", "NOT_YET_RECRUITING", "study.stop_reversed", "critical"),
        ("RECRUITING", "UNKNOWN", "status.unknown", "minor"),
        ("TERMINATED", "UNKNOWN", "status.unknown", "minor"),
        ("SUSPENDED", "ACTIVE_NOT_RECRUITING", "status.changed", "major"),
        ("COMPLETED", "ACTIVE_NOT_RECRUITING", "status.changed", "major"),
        ("RECRUITING", "A_STATUS_OF_TOMORROW", "status.changed", "major"),
        ("A_STATUS_OF_TOMORROW", "RECRUITING", "status.changed", "major"),
        ("RECRUITING", None, "status.changed", "major"),
        ("RECRUITING", "WITHHELD", "record.withheld", "major"),
        ("UNKNOWN", "WITHHELD", "record.withheld", "major"),
        ("WITHHELD", "UNKNOWN", "record.released", "major"),
        ("WITHHELD", "TERMINATED", "record.released", "major"),
        ("AVAILABLE", "NO_LONGER_AVAILABLE", "expanded_access.changed", "major"),
        ("AVAILABLE", "TEMPORARILY_NOT_AVAILABLE", "expanded_access.changed", "major"),
        ("NO_LONGER_AVAILABLE", "APPROVED_FOR_MARKETING", "expanded_access.changed", "major"),
    ],
)
def test_a_pair_of_statuses_has_one_name(before: str | None, now: str | None, kind: str, severity: str) -> None:
    found = between(HERE, before, now)

    change = next(change for change in found if change.path == HERE)
    assert (change.kind, change.severity, change.before, change.after) == (kind, severity, before, now)
    assert [other.kind for other in found if other is not change and not other.kind.startswith("site.")] == []


@pytest.mark.parametrize(("before", "now"), list(product((*ALL, None), repeat=2)))
def test_every_pair_of_statuses_is_one_entry_or_none(before: str | None, now: str | None) -> None:
    study = [found for found in between(HERE, before, now) if found.path == HERE]

    assert len(study) == (before != now)


def test_the_case_of_a_status_says_nothing() -> None:
    assert between(HERE, "RECRUITING", "Recruiting") == []


@pytest.mark.parametrize(
    ("last_known", "now", "kind"),
    [
        ("RECRUITING", "RECRUITING", "status.reverified"),
        ("NOT_YET_RECRUITING", "RECRUITING", "recruitment.opened"),
        ("ACTIVE_NOT_RECRUITING", "RECRUITING", "recruitment.resumed"),
        ("RECRUITING", "ACTIVE_NOT_RECRUITING", "recruitment.closed"),
        ("RECRUITING", "COMPLETED", "study.completed"),
        ("TERMINATED", "RECRUITING", "study.stop_reversed"),
        (None, "RECRUITING", "recruitment.opened"),
    ],
)
def test_after_unknown_the_last_known_status_counts(last_known: str | None, now: str, kind: str) -> None:
    unknown = whole((HERE, "UNKNOWN"), (f"{STATUS}.lastKnownStatus", last_known))

    assert status_kind(read(unknown), read(whole((HERE, now)))) == kind


def test_becoming_unknown_with_its_last_known_status_is_one_entry() -> None:
    (change,) = after((HERE, "UNKNOWN"), (f"{STATUS}.lastKnownStatus", "RECRUITING"))

    assert change.kind == "status.unknown"
    assert "the sponsor did nothing" in change.summary


def test_a_last_known_status_that_moves_alone_is_told() -> None:
    place = f"{STATUS}.lastKnownStatus"
    before, now = whole((HERE, "UNKNOWN"), (place, "RECRUITING")), whole((HERE, "UNKNOWN"), (place, "COMPLETED"))

    (change,) = told(before, now)

    assert (change.kind, change.path) == ("record.changed", place)


def test_an_opening_is_said_in_words() -> None:
    change = between(HERE, "NOT_YET_RECRUITING", "RECRUITING")[0]

    assert change.summary == "The study is now recruiting (was: not yet recruiting)"


# --- reasons for stopping ---------------------------------------------------------------------------------------------

REASON = f"{STATUS}.whyStopped"


@pytest.mark.parametrize(
    ("before", "now"),
    [("No funding", "Futility"), (None, "Futility"), ("No funding", None), ("no funding", "No funding")],
)
def test_a_reason_that_changes_alone_is_told(before: str | None, now: str | None) -> None:
    (change,) = told(whole((HERE, "TERMINATED"), (REASON, before)), whole((HERE, "TERMINATED"), (REASON, now)))

    assert (change.kind, change.severity, change.before, change.after) == ("why_stopped.changed", "minor", before, now)


def test_a_reason_that_comes_with_the_stop_is_told_with_it() -> None:
    found = after((HERE, "TERMINATED"), (REASON, "Low enrollment"))

    assert kinds(found) == ["study.terminated"]
    assert found[0].summary == "The study is now terminated (was: recruiting); reason given: “Low enrollment”"


def test_a_stop_without_a_reason_says_so() -> None:
    assert after((HERE, "SUSPENDED"))[0].summary == "The study is now suspended (was: recruiting); no reason given"


def test_a_reason_that_goes_with_the_stop_is_no_entry_of_its_own() -> None:
    found = told(whole((HERE, "SUSPENDED"), (REASON, "Holidays")), whole())

    assert kinds(found) == ["recruitment.resumed"]


def test_the_layout_of_a_reason_says_nothing() -> None:
    assert between(REASON, "No  funding\n", "No funding") == []


# --- expanded access --------------------------------------------------------------------------------------------------

ACCESS = f"{STATUS}.expandedAccessInfo"


@pytest.mark.parametrize(
    ("before", "now", "values"),
    [
        ({"hasExpandedAccess": False}, {"hasExpandedAccess": True}, (False, True)),
        (None, {"hasExpandedAccess": True, "nctId": "NCT99000077"}, (False, True)),
        ({"hasExpandedAccess": True}, {}, (True, False)),
        (
            {"hasExpandedAccess": True, "nctId": "NCT99000077", "statusForNctId": "AVAILABLE"},
            {"hasExpandedAccess": True, "nctId": "NCT99000077", "statusForNctId": "NO_LONGER_AVAILABLE"},
            ("AVAILABLE", "NO_LONGER_AVAILABLE"),
        ),
        (
            {"hasExpandedAccess": True, "nctId": "NCT99000077"},
            {"hasExpandedAccess": True, "nctId": "NCT99000078"},
            ("NCT99000077", "NCT99000078"),
        ),
    ],
)
def test_expanded_access_is_one_entry(before: Json, now: Json, values: tuple[Json, Json]) -> None:
    (change,) = between(ACCESS, before, now)

    assert (change.kind, change.severity) == ("expanded_access.changed", "major")
    assert (change.before, change.after) == values


@pytest.mark.parametrize("absent", [None, {}, {"hasExpandedAccess": None}])
def test_no_expanded_access_and_no_word_of_it_are_the_same(absent: Json) -> None:
    assert between(ACCESS, {"hasExpandedAccess": False}, absent) == []
    assert between(ACCESS, absent, {"hasExpandedAccess": False}) == []


def test_an_expanded_access_study_changes_its_own_status() -> None:
    design = ("protocolSection.designModule.studyType", "EXPANDED_ACCESS")

    (change,) = told(whole(design, (HERE, "AVAILABLE")), whole(design, (HERE, "A_STATUS_OF_TOMORROW")))

    assert (change.kind, change.path) == ("expanded_access.changed", HERE)


def test_a_status_that_is_gone_is_told_by_its_absence() -> None:
    change = after((HERE, GONE))[0]

    assert change.summary == "The study is now without a status (was: recruiting)"
