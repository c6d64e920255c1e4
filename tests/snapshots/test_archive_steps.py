"""Steps and changes: what was told stays as it was said, and is found again in history order."""

import json
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import Connection

from snapshots import archive
from snapshots.archive import StepFacts
from snapshots.database import Database
from tests.snapshots.archive_cast import ALICE, BOB, NOON, add, change, fill_in


def step(connection: Connection, *kinds: str, registry_id: str | None = ALICE, **facts: object) -> archive.Step:
    given: dict[str, object] = {"registry": "ctgov", "registry_id": registry_id, "observed_at": NOON, **facts}
    return archive.record_step(connection, StepFacts(**given), [change(kind) for kind in kinds])  # type: ignore[arg-type]


def told(connection: Connection, registry_id: str | None = ALICE, **which: object) -> list[list[str]]:
    found = archive.steps(connection, "ctgov", registry_id, **which)  # type: ignore[arg-type]
    return [[stored.change.kind for stored in one.changes] for one in found]


def test_a_change_comes_back_as_it_was_told(database: Database) -> None:
    site = {"type": "site", "name": "Beijing “Rest” Hospital", "city": "北京", "latitude": 39.9}
    said = change("site.recruiting", subject=site, before=None, after="RECRUITING", path="a.b[5].status")
    with database.write() as connection:
        first, second = add(connection, "A"), add(connection, "B", day=3)
        facts = StepFacts(
            registry="ctgov",
            registry_id=ALICE,
            from_version=first,
            to_version=second,
            release="2026-03-03T09:00:05",
            observed_at=NOON,
        )
        stored = archive.record_step(connection, facts, [said, change()])
        found = archive.steps(connection, "ctgov", ALICE)

    assert found == [stored]
    assert stored.changes[0].change == said
    assert (stored.registry_id, stored.title, stored.from_version, stored.to_version) == (
        ALICE,
        "A Trial of Rest",
        first,
        second,
    )


def test_changes_keep_the_order_in_which_they_are_told(database: Database) -> None:
    kinds = ["study.completed", "site.closed", "record.changed", "site.closed"]
    with database.write() as connection:
        add(connection, "A")
        stored = step(connection, *kinds)

        assert told(connection) == [kinds]
    assert len({one.id for one in stored.changes}) == 4


def test_steps_come_in_history_order_whenever_they_were_stored(database: Database) -> None:
    with database.write() as connection:
        first = add(connection, "A", day=2)
        step(connection, "record.first_seen", to_version=first)
        old = fill_in(connection, "old", "2020-01-01", 0)
        older = fill_in(connection, "older", "2019-01-01", 1)
        step(connection, "title.changed", from_version=older, to_version=old, cause="back-filled")
        step(connection, "condition.added", to_version=older, cause="back-filled")

        assert told(connection) == [["condition.added"], ["title.changed"], ["record.first_seen"]]


def test_what_a_search_found_is_told_after_the_records_own_changes(database: Database) -> None:
    release = "2026-03-02T09:00:05"
    with database.write() as connection:
        version = add(connection, "A", day=2)
        step(connection, "record.matched", release=release, cause="search")
        step(connection, "recruitment.opened", to_version=version, release=release)

        assert told(connection) == [["recruitment.opened"], ["record.matched"]]


def test_since_looks_at_what_the_registry_dates(database: Database) -> None:
    with database.write() as connection:
        now = add(connection, "A", day=2)
        step(connection, "status.changed", to_version=now)
        old = fill_in(connection, "old", "2020-01-01", 0)
        step(connection, "title.changed", to_version=old, cause="back-filled")

        assert told(connection, since="2026-03-02") == [["status.changed"]]
        assert told(connection, since="2026-03-03") == []
        assert len(told(connection, since="2020-01-01")) == 2


def test_only_the_kinds_asked_for_are_told(database: Database) -> None:
    with database.write() as connection:
        add(connection, "A")
        step(connection, "site.closed", "title.changed")
        step(connection, "keyword.changed")

        assert told(connection, kinds={"site.closed", "site.added"}) == [["site.closed"]]


def test_a_step_without_a_change_is_kept(database: Database) -> None:
    with database.write() as connection:
        add(connection, "A")
        step(connection)

        assert told(connection) == [[]]


def test_records_do_not_see_each_others_steps(database: Database) -> None:
    with database.write() as connection:
        add(connection, "A", ALICE)
        add(connection, "B", BOB)
        step(connection, "site.closed", registry_id=ALICE)

        assert told(connection, BOB) == []
        assert told(connection, None) == []


def test_what_concerns_the_registry_as_a_whole_belongs_to_no_record(database: Database) -> None:
    with database.write() as connection:
        add(connection, "A")
        stored = step(connection, "registry.reformatted", registry_id=None, cause="registry", release="2026-03-02")

        assert told(connection, None) == [["registry.reformatted"]]
        assert told(connection, ALICE) == []
    assert (stored.registry_id, stored.title) == (None, None)


def test_the_steps_of_a_merged_record_are_told_under_either_id(database: Database) -> None:
    with database.write() as connection:
        step(connection, "title.changed", to_version=add(connection, "A", ALICE, day=2), registry_id=ALICE)
        step(connection, "site.closed", to_version=add(connection, "B", BOB, day=3), registry_id=BOB)
        archive.merge(connection, "ctgov", ALICE, BOB)
        step(connection, "record.merged", release="2026-03-04T09:00:05", registry_id=ALICE)

        expected = [["title.changed"], ["site.closed"], ["record.merged"]]
        assert told(connection, ALICE) == told(connection, BOB) == expected


def test_a_recomputed_step_supersedes_the_told_one_which_stays_as_it_was_said(database: Database) -> None:
    with database.write() as connection:
        version = add(connection, "A")
        old = step(connection, "record.changed", to_version=version)
        facts = StepFacts(registry="ctgov", registry_id=ALICE, to_version=version, observed_at=NOON)
        new = archive.record_step(connection, facts, [change("site.closed")], supersedes=old.id)
        found = archive.find_step(connection, old.id)

        assert told(connection) == [["site.closed"]]
    assert found.superseded_by == new.id
    assert [stored.change.kind for stored in found.changes] == ["record.changed"]


def test_a_gap_filled_in_later_adds_fine_steps_and_sums_count_only_these(database: Database) -> None:
    with database.write() as connection:
        five, eight = add(connection, 5, day=2), add(connection, 8, day=20)
        step(connection, "primary_completion_date.delayed", from_version=five, to_version=eight)
        six, seven = (fill_in(connection, number, f"2026-03-{2 * number}", number) for number in (6, 7))
        for start, end in ((five, six), (six, seven), (seven, eight)):
            step(connection, "start_date.delayed", from_version=start, to_version=end, cause="back-filled")
        found = archive.steps(connection, "ctgov", ALICE)

    assert [(one.from_version, one.to_version) for one in archive.finest_steps(found)] == [
        (five, six),
        (six, seven),
        (seven, eight),
    ]
    assert len(found) == 4


def test_what_the_registrys_history_leaves_out_is_counted_of_a_step_that_finer_ones_cover(database: Database) -> None:
    events = "annotationSection.annotationModule.unpostedAnnotation.unpostedEvents"
    submitted = change("results.submitted", path=events)
    delayed = change("primary_completion_date.delayed")
    with database.write() as connection:
        five, eight = add(connection, 5, day=2), add(connection, 8, day=20)
        facts = StepFacts(registry="ctgov", registry_id=ALICE, from_version=five, to_version=eight, observed_at=NOON)
        archive.record_step(connection, facts, [delayed, submitted])
        six = fill_in(connection, 6, "2026-03-12", 6)
        step(connection, delayed.kind, from_version=five, to_version=six, cause="back-filled")
        step(connection, from_version=six, to_version=eight, cause="back-filled")
        found = archive.finest_steps(archive.steps(connection, "ctgov", ALICE))

    told = [stored.change.kind for each in found for stored in each.changes]
    assert sorted(told) == ["primary_completion_date.delayed", "results.submitted"]


def test_what_was_observed_in_a_span_of_time(database: Database) -> None:
    with database.write() as connection:
        add(connection, "A")
        steps = [step(connection, "site.closed", observed_at=NOON + timedelta(hours=hour)) for hour in range(4)]
        step(connection, "site.closed", observed_at=NOON + timedelta(hours=1), cause="back-filled")
        found = archive.steps_between(
            connection, NOON, NOON + timedelta(hours=2), causes=["observed"], registry_ids=[ALICE]
        )

    assert found == steps[1:3]


def test_a_stored_change_is_shown_as_the_interface_promises(database: Database) -> None:
    with database.write() as connection:
        version = add(connection, "A")
        moment = datetime(2026, 3, 2, 12, 30, tzinfo=UTC)
        stored = step(connection, "study.completed", to_version=version, release="2026-03-02", observed_at=moment)
        shown = archive.stored_change_json(stored, stored.changes[0], "https://example.org/1")

    assert json.loads(json.dumps(shown)) == {
        "id": stored.changes[0].id,
        "kind": "study.completed",
        "severity": "major",
        "label": "Study completed",
        "summary": "Study completed.",
        "subject": None,
        "before": None,
        "after": None,
        "path": None,
        "cause": None,
        "record": {"registry": "ctgov", "id": ALICE, "title": "A Trial of Rest", "url": "https://example.org/1"},
        "from_version": None,
        "to_version": version,
        "release": "2026-03-02",
        "observed_at": "2026-03-02T12:30:00Z",
    }


def test_a_step_of_a_record_that_was_never_stored_is_refused(database: Database) -> None:
    with database.write() as connection, pytest.raises(ValueError, match=BOB):
        step(connection, "site.closed", registry_id=BOB)


def test_a_cause_that_is_none_is_refused(database: Database) -> None:
    with database.write() as connection, pytest.raises(ValueError, match="boredom"):
        step(connection, "site.closed", cause="boredom")


def test_a_step_that_is_not_there_is_named(database: Database) -> None:
    with database.read() as connection, pytest.raises(LookupError, match="no step 7"):
        archive.find_step(connection, 7)
