"""What is told together, what is told on its own, and the JSON that programs get."""

from datetime import UTC, datetime

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from notifiers.lines import MANY, MANY_ASKED_FOR, MANY_SITES, Line, grouped
from notifiers.message import facts_of, webhook_body
from snapshots.archive import stored_change_json
from snapshots.changes import Cause, Change
from snapshots.kinds import KINDS, SEVERITIES
from snapshots.trial import Contact, Site, Trial
from tests.notifiers.messages import (
    BEIJING,
    BY_OPENING,
    DELAYED,
    OPENED,
    alert,
    change,
    digest,
    message,
    news,
    recruiting,
    step,
    stored,
    time_frame,
)


def kinds(lines: tuple[Line, ...]) -> list[str]:
    return [line.lead.kind for line in lines]


def test_the_most_severe_change_is_told_first_and_equals_keep_their_order() -> None:
    renamed, posted, resumed = change("site.renamed"), change("results.posted"), change("recruitment.resumed")

    lines = grouped(stored(renamed, DELAYED, posted, resumed))

    assert kinds(lines) == [
        "results.posted", "recruitment.resumed", "primary_completion_date.delayed", "site.renamed",
    ]  # fmt: skip


def test_what_follows_from_a_change_is_told_under_it_by_number() -> None:
    sites = [recruiting(f"Hospital {number}", number, BY_OPENING) for number in range(176)]
    reached = change("start_date.reached", cause=BY_OPENING)

    (line,) = grouped(stored(*sites, OPENED, reached))

    assert line.sentence == OPENED.summary
    assert [one.words for one in line.followers] == ["176 sites are now recruiting", "Start reached"]


def test_what_was_asked_for_by_place_stands_on_its_own_and_first_among_equals() -> None:
    changes = stored(OPENED, BEIJING, recruiting("Rome Example Clinic", 6, BY_OPENING))

    first, second = grouped(changes, by_place={changes[1].id})

    assert (first.lead, first.followers) == (BEIJING, ())
    assert (second.lead, second.followers[0].words) == (OPENED, "Site recruiting (Rome Example Clinic, Beijing, China)")


def test_what_follows_from_what_follows_is_told_under_the_first_cause() -> None:
    contact = change("site.contact_changed", cause=Cause("site.recruiting", BEIJING.subject["name"], BEIJING.path))  # type: ignore[index]

    (line,) = grouped(stored(contact, OPENED, BEIJING))

    assert [(one.kind, one.count) for one in line.followers] == [("site.contact_changed", 1), ("site.recruiting", 1)]


def test_a_change_whose_cause_nobody_asked_for_is_told_by_itself() -> None:
    assert kinds(grouped(stored(BEIJING))) == ["site.recruiting"]


def test_of_two_sites_of_one_name_each_keeps_its_own_followers() -> None:
    a, b = recruiting("Research Site", 1), recruiting("Research Site", 2)
    contact = change("site.contact_changed", cause=Cause("site.recruiting", "Research Site", b.path))

    first, second = grouped(stored(a, b, contact))

    assert (len(first.followers), len(second.followers)) == (0, 1)


def test_causes_in_a_circle_lose_no_change() -> None:
    a = change("study.suspended", cause=Cause("results.removed"))
    b = change("results.removed", cause=Cause("study.suspended"))

    assert sorted(kinds(grouped(stored(a, b)))) == ["results.removed", "study.suspended"]


def test_many_of_one_kind_with_the_same_words_replaced_are_one_line() -> None:
    frames = [time_frame(number) for number in range(22)]

    (line,) = grouped(stored(*frames))

    assert line.sentence == "22 outcomes: Primary time frame changed, “59 Months” became “58 Months”"


def test_few_of_one_kind_are_told_one_by_one() -> None:
    assert len(grouped(stored(*(time_frame(number) for number in range(MANY - 1))))) == MANY - 1


def test_other_words_replaced_are_another_line() -> None:
    frames = [time_frame(number) for number in range(5)]
    others = [time_frame(9, "Day 1", "Day 2"), time_frame(10, "Up to 59 Months", "Up to 60 Months")]

    assert sorted(len(line.changes) for line in grouped(stored(*frames, *others))) == [1, 1, 5]


def test_brackets_around_the_replaced_words_make_no_other_line() -> None:
    bare = [time_frame(number) for number in range(2)]
    bracketed = [time_frame(number, "(Up to 59 months)", "(Up to 58 months)") for number in range(2)]
    plain = [time_frame(number, "Up to 59 months", "Up to 58 months") for number in range(2)]

    lines = grouped(stored(*bare, *bracketed, *plain))

    assert sorted(len(line.changes) for line in lines) == [1, 1, 4]


def test_sites_that_come_or_go_are_one_line_each_way() -> None:
    def listed(kind: str, number: int) -> Change:
        return change(kind, subject={"type": "site", "name": f"Hospital {number}"}, after=f"Hospital {number}")

    gone = [listed("site.removed", number) for number in range(37)]
    come = [listed("site.added", number) for number in range(MANY_SITES)]

    lines = grouped(stored(*gone, *come))

    assert [line.sentence for line in lines] == [
        "37 sites are no longer listed",
        f"{MANY_SITES} sites are newly listed",
    ]


def test_each_primary_outcome_that_goes_is_told_by_itself() -> None:
    gone = [
        change("primary_outcome.removed", subject={"type": "outcome", "name": f"O{number}"}, before=f"O{number}")
        for number in range(9)
    ]

    assert len(grouped(stored(*gone))) == 9


def test_entries_that_replace_nothing_are_never_taken_together() -> None:
    assert len(grouped(stored(*(change("results.updated", f"Part {number}") for number in range(9))))) == 9


def test_sites_asked_for_by_place_stay_apart_for_longer() -> None:
    sites = stored(*(recruiting(f"Hospital {number}", number) for number in range(MANY_ASKED_FOR)))
    asked = {one.id for one in sites}

    assert len(grouped(sites[:-1], asked)) == MANY_ASKED_FOR - 1
    assert [line.sentence for line in grouped(sites, asked)] == [
        "13 sites are now recruiting (were: not yet recruiting)"
    ]


causes = st.none() | st.builds(
    Cause, st.sampled_from(["recruitment.opened", "site.recruiting"]), st.none() | st.just("A")
)
changes = st.lists(
    st.builds(
        lambda kind, cause, name, after: change(
            kind, cause=cause, subject=name and {"type": "site", "name": name}, after=after
        ),
        st.sampled_from(["recruitment.opened", "site.recruiting", "site.contact_changed", "results.posted"]),
        causes,
        st.sampled_from([None, "A", "B"]),
        st.sampled_from([None, "X", {"inclusion": ["y"]}, 3]),
    ),
    max_size=14,
)


@given(changes, st.sets(st.integers(700, 714)))
def test_every_change_is_told_exactly_once_whatever_the_causes(given_changes: list[Change], by_place: set[int]) -> None:
    lines = grouped(stored(*given_changes), by_place)

    told = sum(len(line.changes) + sum(one.count for one in line.followers) for line in lines)
    severities = [SEVERITIES.index(line.lead.severity) for line in lines]  # type: ignore[arg-type]
    assert told == len(given_changes)
    assert severities == sorted(severities)


@pytest.mark.parametrize("kind", list(KINDS))
def test_every_kind_can_be_told(kind: str) -> None:
    (line,) = grouped(stored(change(kind, f"About {kind}")))

    assert line.sentence == f"About {kind}"


# --- facts ------------------------------------------------------------------------------------------------------------

PATHS = {"sites": "protocolSection.contactsLocationsModule.locations"}
DESK = Contact(name="Desk", phone="555-0101")


def trial_with(*sites: Site) -> Trial:
    return Trial(registry="ctgov", id="NCT99000001", paths=PATHS, sites=sites, central_contacts=(DESK,) * 5)


def test_a_sites_contact_is_found_by_where_the_change_stands() -> None:
    other = Site(position=55, facility="Beijing Example Hospital")
    here = Site(position=5, facility="Beijing Example Hospital", contacts=(DESK,))

    (told,) = stored(BEIJING)

    assert facts_of(trial_with(other, here), [told]).site_contacts == {told.id: (DESK,)}


def test_a_site_of_another_name_at_that_place_is_not_taken_for_it() -> None:
    elsewhere = Site(position=5, facility="Rome Example Clinic", contacts=(DESK,))

    assert facts_of(trial_with(elsewhere), stored(BEIJING)).site_contacts == {}


def test_a_removed_site_has_no_contact() -> None:
    gone = change("site.removed", subject=BEIJING.subject, path=f"{PATHS['sites']}[5]")
    here = Site(position=5, facility="Beijing Example Hospital", contacts=(DESK,))

    assert facts_of(trial_with(here), stored(gone)).site_contacts == {}


def test_no_more_than_three_study_contacts_are_told() -> None:
    assert len(facts_of(trial_with(), []).contacts) == 3


# --- JSON -------------------------------------------------------------------------------------------------------------


def test_the_webhooks_body_is_the_published_one() -> None:
    told = alert(BEIJING, DELAYED, by_place=[BEIJING])
    of = told.news[0].step
    url = "https://clinicaltrials.gov/study/NCT99000001"

    body = webhook_body(told)

    assert body == {
        "type": "trial.changed",
        "timestamp": "2026-03-03T14:05:09Z",
        "data": {
            "delivery_id": "dlv_0190aa",
            "subscriptions": ["beijing-sites"],
            "record": {"registry": "ctgov", "id": "NCT99000001", "title": of.title, "url": url},
            "from_version": 41,
            "to_version": 57,
            "release": "2026-03-03T09:00:05",
            "archive_head": "3f9c01ab77de",
            "changes": [stored_change_json(of, one, url) for one in of.changes],
        },
    }


def test_a_time_in_another_zone_is_told_in_utc() -> None:
    in_shanghai = datetime.fromisoformat("2026-03-03T22:05:09+08:00")

    assert webhook_body(message(created=in_shanghai, type="test"))["timestamp"] == "2026-03-03T14:05:09Z"


def test_a_digests_body_lists_its_records_and_what_its_silence_rests_on() -> None:
    body = webhook_body(digest(news(step(DELAYED)), unchecked=[("NCT99000009", "not fetched")]))

    assert [one["record"]["id"] for one in body["data"]["records"]] == ["NCT99000001"]
    assert body["data"]["coverage"] == {
        "since": "2026-02-24T14:05:09Z",
        "until": "2026-03-03T14:05:09Z",
        "watched": 412,
        "last_checked": "2026-03-03T14:05:09Z",
        "release": "2026-03-03T09:00:05",
        "unchecked": [{"id": "NCT99000009", "reason": "not fetched", "since": None}],
        "told_meanwhile": 0,
        "coming": [],
        "unseen": [],
        "at_rest": [],
        "awake_again": [],
        "last_asked": None,
        "failing_since": None,
        "paused": 0,
        "waiting": 0,
    }


def test_a_notice_about_the_registry_has_no_record() -> None:
    of = step(change("registry.reformatted"), record=None, from_version=None, to_version=None)

    body = webhook_body(message(news(of), type="registry.notice"))

    assert body["data"]["record"] is None
    assert body["data"]["changes"][0]["kind"] == "registry.reformatted"


def test_every_body_is_json_that_can_be_written() -> None:
    for told in (alert(BEIJING), digest(), message(type="test"), digest(news(step(DELAYED)))):
        assert msgspec.json.decode(msgspec.json.encode(webhook_body(told)))["type"] == told.type


def test_all_messages_about_one_trial_are_one_thread_and_those_of_another_are_not() -> None:
    one, again = alert(BEIJING), alert(DELAYED, delivery_id="dlv_2", created=datetime(2027, 1, 1, tzinfo=UTC))
    other = message(news(step(DELAYED, record="NCT99000002")))

    assert one.thread == again.thread
    assert one.thread != other.thread
