"""What a digest claims to have looked at: never more than was looked at."""

from datetime import datetime
from typing import Any

import pytest
from sqlalchemy import insert

from notifiers import digest, due_watches, watches
from notifiers.composing import message_of
from notifiers.rendering import Rendered, render
from notifiers.silences import Silence
from notifiers.tables import askings
from snapshots import archive
from snapshots.database import Database
from tests.notifiers.cast import ALICE, BOB, CHARLIE, DAY, HOUR, NOW, change, subscribe, tell, watch

WEEKLY = {"digest": "weekly", "on": "monday", "at": "08:00", "timezone": "UTC"}
SWEPT = NOW + 2 * HOUR
SENT = NOW + DAY


@pytest.fixture
def looked(sqlite_database: Database) -> Database:
    """Three trials, all answered for, two hours after the subscription began."""
    with sqlite_database.write() as connection:
        watch(connection, ALICE, BOB, CHARLIE)
        subscribe(connection, deliver=WEEKLY, at=NOW)
        sweep = archive.begin_sweep(connection, "ctgov", "2026-11-16", "all", SWEPT)
        due_watches.mark_baseline(connection, "ctgov", [ALICE, BOB, CHARLIE], sweep)
        archive.finish_sweep(connection, sweep, asked=3, answered=3, changed=0, failed=0, now=SWEPT)
    return sqlite_database


def asked(database: Database, at: datetime, failing_since: datetime | None = None) -> None:
    reason = "HTTP 503" if failing_since else None
    row = {"registry": "ctgov", "asked_at": at, "failing_since": failing_since, "reason": reason}
    with database.write() as connection:
        connection.execute(insert(askings).values(**row))


def said(database: Database, at: datetime = SENT) -> Rendered:
    with database.read() as connection:
        (told,) = digest.preview(connection, "alice", at)
        rendered = render(message_of(connection, told))
    return Rendered(rendered.subject, " ".join(rendered.text.split()), rendered.html)


def test_where_all_answered_it_says_so(looked: Database) -> None:
    asked(looked, SENT - HOUR)

    assert said(looked).subject == "Digest alice: nothing changed in 3 trials"
    assert "3 trials checked, last on 16 November 2026, 14:00 UTC" in said(looked).text
    assert "all answered." in said(looked).text


def test_while_sweeps_fail_it_says_since_when_and_never_that_all_answered(looked: Database) -> None:
    asked(looked, SENT - HOUR, failing_since=SENT - 8 * HOUR)

    assert said(looked).subject.endswith("3 trials, not looked at since 17 November 2026, 04:00 UTC")
    assert "all answered" not in said(looked).text
    assert "the registry has not answered as it should (HTTP 503)" in said(looked).text


def test_where_nobody_asked_for_weeks_it_does_not_vouch_for_them(looked: Database) -> None:
    asked(looked, SWEPT)

    late = said(looked, NOW + 21 * DAY)

    assert "not looked at since 16 November 2026, 14:00 UTC" in late.subject
    assert "all answered" not in late.text and "nobody has asked the registry: what happened since" in late.text


def test_a_record_whose_absence_is_doubted_is_not_counted_as_answered(looked: Database) -> None:
    asked(looked, SENT - HOUR)
    with looked.write() as connection:
        sweep = archive.begin_sweep(connection, "ctgov", "2026-11-17", "all", SENT - HOUR)
        archive.note_exception(connection, sweep, BOB, "doubted", "too many are absent at once")
        archive.finish_sweep(connection, sweep, asked=3, answered=2, changed=0, failed=1, now=SENT - HOUR)

    assert said(looked).subject == "Digest alice: nothing changed in 2 trials, 1 could not be checked"
    assert "all answered" not in said(looked).text


def test_a_search_without_answer_takes_no_trial_away(looked: Database) -> None:
    wish = watches.Wish(registry="ctgov", search={"query.cond": "x"}, name="mine")
    with looked.write() as connection:
        watches.add(connection, wish, NOW)
        sweep = archive.begin_sweep(connection, "ctgov", "2026-11-17", "all", SENT - HOUR)
        archive.note_exception(connection, sweep, "search mine", "not fetched", "HTTP 503")
        archive.finish_sweep(connection, sweep, asked=3, answered=3, changed=0, failed=1, now=SENT - HOUR)

    assert said(looked).subject == "Digest alice: nothing changed in 3 trials, 1 could not be checked"
    assert "3 trials checked" in said(looked).text and "all answered" not in said(looked).text


def test_paused_watches_are_named_and_not_counted(looked: Database) -> None:
    asked(looked, SENT - HOUR)
    with looked.write() as connection:
        watches.pause(connection, "ctgov", [BOB], NOW, by="ann", reason="moved")

    assert said(looked).subject == "Digest alice: nothing changed in 2 trials"
    assert "1 watch is paused and not asked for." in said(looked).text
    assert f"{BOB}: paused, by ann: moved" in said(looked).text


def test_what_a_snooze_holds_back_is_no_nothing(looked: Database) -> None:
    with looked.write() as connection:
        watches.snooze(connection, "ctgov", [BOB], Silence(until=NOW + 9 * DAY), NOW)
        tell(connection, change("study.terminated"), record=BOB, at=NOW + HOUR)

    assert said(looked).subject == "Digest alice: nothing to tell of 3 trials, 1 change held back by a snooze"


@pytest.mark.parametrize("when", [{"kinds": ["study.*"]}, {"min_severity": "critical"}])
def test_what_nobody_asked_for_may_have_changed(looked: Database, when: Any) -> None:
    with looked.write() as connection:
        subscribe(connection, deliver=WEEKLY, when=when, at=NOW)
        tell(connection, change("site.renamed"), record=BOB, at=NOW + HOUR)

    assert said(looked).subject == "Digest alice: nothing you asked for changed in 3 trials"
