"""The history of one trial, as auditors and team leads ask for it."""

import csv
import io
import json
import re
from collections.abc import Iterator
from typing import Any
from zipfile import ZipFile

import pytest

from notifiers import subscriptions
from notifiers.subscriptions import Subscription
from snapshots import archive
from snapshots.archive.tables import prunings, versions
from snapshots.database import Database
from tests.databases import SqliteFiles
from tests.monitor.stage import at
from tests.monitor.web.browsing import SiteUnderTest, csrf, serving
from tests.monitor.web.test_trial_page import ATTACK, page, words
from tests.monitor.web.trials import TRIAL, lived, record
from tests.monitor.web.trials import site as row

CRITERIA = (
    "Inclusion Criteria:\n\n1. Adults of any kind\n2. Fever above {} degrees\n\nExclusion Criteria:\n\n1. Pregnancy"
)
DAYS: tuple[list[dict[str, Any]], ...] = (
    [record(completion="2027-05", enrollment=100, criteria=CRITERIA.format(38))],
    [record(completion="2027-11", enrollment=100, criteria=CRITERIA.format(39), submitted="2026-03-03")],
    [
        record(
            completion="2027-11",
            enrollment=90,
            criteria=CRITERIA.format(39),
            submitted="2026-03-04",
            outcomes=[{"measure": "Chills", "timeFrame": "1 week"}],
            sites=[row("Example Hospital", "COMPLETED"), row("New Hospital", "RECRUITING")],
            status="ACTIVE_NOT_RECRUITING",
        )
    ],
)


@pytest.fixture(scope="module")
def told(sqlite_files: SqliteFiles, tmp_path_factory: pytest.TempPathFactory) -> Iterator[SiteUnderTest]:
    """A site over `DAYS`, for all tests that only read."""
    database = Database(sqlite_files.url(tmp_path_factory.mktemp("past"), tables=True))
    with database.write() as connection:
        subscriptions.save(connection, Subscription(name="team", to=("mailto:team@example.org",)), at("2026-03-01"))
    lived(database, *DAYS)
    with serving(database) as running:
        yield running
    database.dispose()


def numbers(site_: SiteUnderTest) -> list[int]:
    with site_.database.read() as connection:
        return [each.number for each in archive.versions(connection, "ctgov", TRIAL)]


def test_every_change_stands_there_the_newest_first(site_on_each: SiteUnderTest) -> None:
    lived(site_on_each.database, *DAYS)

    answer = page(site_on_each, f"/trials/{TRIAL}/history")

    days = re.findall(r'-title"><time datetime="([\d-]+)"', answer.text)
    assert days == ["2026-03-04", "2026-03-03", "2026-03-02"]
    assert "Enrollment closed" in words(answer)


def test_a_sentence_says_its_heading_once_and_says_it_where_it_stands_alone(told: SiteUnderTest) -> None:
    history, record_ = (words(page(told, f"/trials/{TRIAL}{path}")) for path in ("/history", ""))

    assert "Primary outcome removed “Temperature”" in history
    assert "Primary outcome removed: “Temperature”" in record_


def test_history_is_narrowed_to_a_severity(told: SiteUnderTest) -> None:
    marks = re.findall(r'class="mark (\w+)"', page(told, f"/trials/{TRIAL}/history?severity=major").text)

    assert set(marks) == {"major"}


def test_a_long_history_is_turned_page_by_page(told: SiteUnderTest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("monitor.web.pages.trial_past.CHANGES_ON_A_PAGE", 1)

    seen, path = [], f"/trials/{TRIAL}/history"
    for _ in range(5):
        answer = page(told, path)
        seen += re.findall(r'id="step-(\d+)"', answer.text)
        older = re.search(r'rel="next" href="([^"]+)"', answer.text)
        if older is None:
            break
        path = older[1].replace("&amp;", "&")

    assert len(seen) == len(set(seen)) == 3


def test_a_mark_leads_to_the_page_of_history_that_has_its_step(
    told: SiteUnderTest, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("monitor.web.pages.trial_past.CHANGES_ON_A_PAGE", 1)
    links = {*re.findall(r'href="(/trials/\w+/history\?step=\d+#step-\d+)"', page(told, f"/trials/{TRIAL}").text)}
    assert len(links) == 2

    for each in links:
        path, _, anchor = each.partition("#")
        assert f'id="{anchor}"' in page(told, path).text


@pytest.mark.parametrize("step", ["0", "99999", "x"])
def test_a_step_that_the_record_has_not_opens_the_newest(told: SiteUnderTest, step: str) -> None:
    shown, newest = (page(told, f"/trials/{TRIAL}/history{query}") for query in (f"?step={step}", ""))

    assert re.findall(r'id="step-(\d+)"', shown.text) == re.findall(r'id="step-(\d+)"', newest.text)


def test_who_was_told_stands_with_the_change(told: SiteUnderTest) -> None:
    said = words(page(told, f"/trials/{TRIAL}/history"))

    assert "Told to team@example.org (alert, pending)" in said


def test_the_time_line_draws_status_dates_and_numbers_and_says_them_in_tables(told: SiteUnderTest) -> None:
    answer = page(told, f"/trials/{TRIAL}/timeline")

    lanes = re.findall(r'class="lane"[^>]*>([^<]+)<', answer.text)
    drawn = ["Status", "Start", "Primary completion", "Completion", "Enrollment", "Open sites"]
    assert lanes == [*drawn, *drawn]  # for wide and for narrow screens
    assert answer.text.count('class="earlier"') == answer.text.count('class="span"') == 2 * 2
    assert "first stored delay, +184 days" in words(answer)
    assert "stands as last confirmed on 4 March 2026" in words(answer)
    assert re.search(r"Temperature.*4 March 2026: dropped", words(answer))


def test_versions_can_be_opened_compared_and_taken_byte_for_byte(told: SiteUnderTest) -> None:
    last = numbers(told)[-1]

    listing = page(told, f"/trials/{TRIAL}/versions")
    raw = page(told, f"/trials/{TRIAL}/versions/{last}.json")

    assert listing.text.count(">JSON</a>") >= 3
    with told.database.read() as connection:
        assert raw.content == archive.read_version(connection, last)


def test_versions_are_counted_for_this_trial_and_named_with_their_number_in_the_archive(told: SiteUnderTest) -> None:
    first, *_, last = numbers(told)

    listing = words(page(told, f"/trials/{TRIAL}/versions"))
    one = words(page(told, f"/trials/{TRIAL}?version={first}"))

    assert f"3 of 3 4 March 2026 release Read · Compare · JSON not known {last} " in listing
    assert f"Version 1 of 3, release 2 March 2026 (archive no. {first})" in one
    assert "Version 2 beside 3 of 3" in words(page(told, f"/trials/{TRIAL}/history"))
    assert f"version 3 of 3 (archive no. {last})" in words(page(told, f"/trials/{TRIAL}"))


def test_the_answer_how_often_dates_were_moved_stands_above_the_drawing(told: SiteUnderTest) -> None:
    said = words(page(told, f"/trials/{TRIAL}/timeline"))

    answer = "Completion date 1 delay, 184 days (about 6 months) later in all; now November 2027 (estimated)"
    assert said.index(answer) < said.index("Time line of")


def test_each_deadline_of_law_says_whether_the_law_applies_at_all(told: SiteUnderTest) -> None:
    said = words(page(told, f"/trials/{TRIAL}/timeline")).partition("Deadlines of law and custom")

    assert "Whether a law applies to this study is guessed from the record alone." in said[0]
    assert said[2].count("That it applies to this study: ") == 7  # but not registration and verification, by custom


def test_steps_that_do_not_add_up_are_explained_where_that_happens(site: SiteUnderTest) -> None:
    stated = ("2027-05", "2027-06-15", "2027-07-20")
    lived(site.database, *([record(completion=day, submitted=f"2026-03-0{at}")] for at, day in enumerate(stated, 1)))

    said = words(page(site, f"/trials/{TRIAL}/timeline"))

    assert "The steps do not add up to the total: see each move." in said
    assert said.count("the steps do not add up to the total here: May 2027 names no day") == 2  # both completions


@pytest.mark.parametrize("path", ["history", "timeline", "versions"])
def test_a_past_that_is_not_whole_is_told_first_and_can_be_asked_for(site: SiteUnderTest, path: str) -> None:
    lived(site.database, *DAYS)
    browser = site.signed_in()
    shown = browser.get(f"/trials/{TRIAL}/{path}")
    assert f"The past of {TRIAL} is not whole yet: what it said before 2 March 2026 was not fetched" in words(shown)
    assert f"trialdelta backfill {TRIAL}" in words(shown)

    browser.post(f"/trials/{TRIAL}/past", data={"csrf": csrf(shown)})

    assert "It is being asked for: open this page again in a minute." in words(browser.get(f"/trials/{TRIAL}/{path}"))
    with site.database.read() as connection:
        assert archive.wished_fillings(connection, "ctgov") == [TRIAL]


def test_two_versions_stand_side_by_side_with_their_words_marked(told: SiteUnderTest) -> None:
    first, _, last = numbers(told)

    answer = page(told, f"/trials/{TRIAL}/compare?from={first}&to={last}")

    assert "Fever above <del>38 </del>degrees" in answer.text
    assert "Fever above <ins>39 </ins>degrees" in answer.text
    assert "<del>Recruiting</del>" in answer.text
    assert "Brief summary" not in answer.text  # both say the same
    assert "New Hospital, Berlin, Germany" in words(answer)


def test_a_site_s_status_that_is_told_as_no_change_says_why_beside_it(site: SiteUnderTest) -> None:
    waiting, gone = row("Waiting Hospital", "NOT_YET_RECRUITING"), row("Waiting Hospital", "")
    open_, stopped = row("Open Hospital", "RECRUITING"), row("Open Hospital", "")
    lived(
        site.database,
        [record(sites=[open_, waiting])],
        [record(sites=[stopped, gone], status="TERMINATED", submitted="2026-03-03")],
    )

    said = words(page(site, f"/trials/{TRIAL}/compare"))

    assert "2 sites differ" in said
    assert said.count("Its status is told as no change") == 1
    assert "Waiting Hospital, Berlin, Germany Its status is told as no change" in said


def test_without_a_choice_the_two_newest_are_compared(told: SiteUnderTest) -> None:
    _, older, newer = numbers(told)

    chosen = re.findall(r'<option value="(\d+)" selected', page(told, f"/trials/{TRIAL}/compare").text)

    assert chosen == [str(older), str(newer)]


def test_the_oldest_version_is_compared_with_the_one_after_it(told: SiteUnderTest) -> None:
    first, second, _ = numbers(told)
    listing = page(told, f"/trials/{TRIAL}/versions")
    assert "1 of 3" not in " ".join(re.findall(r'aria-label="(Compare [^"]+)"', listing.text))
    assert len(re.findall(r'aria-label="Compare [^"]+"', listing.text)) == 2

    answer = page(told, f"/trials/{TRIAL}/compare?to={first}")

    assert re.findall(r'<option value="(\d+)" selected', answer.text) == [str(first), str(second)]
    assert "nothing to compare" not in words(answer)


def test_a_single_version_has_nothing_to_be_compared_with(site: SiteUnderTest) -> None:
    lived(site.database, DAYS[0])

    assert "There is nothing to compare yet" in words(page(site, f"/trials/{TRIAL}/compare"))


def test_the_record_is_shown_as_it_stood_on_a_day_and_how_sure_that_is(told: SiteUnderTest) -> None:
    answer = page(told, f"/trials/{TRIAL}?as_of=2026-03-03")

    assert "it stood on 3 March 2026" in words(answer)
    assert "Fever above 39 degrees" in words(answer)
    assert "100 participants" in words(answer)


def test_pages_of_sites_of_a_past_day_begin_at_the_sites(site: SiteUnderTest) -> None:
    lived(site.database, [record(sites=[site_of(f"Example {number}") for number in range(120)])])

    answer = page(site, f"/trials/{TRIAL}?as_of=2026-03-03&page=2")

    links = re.findall(r'rel="(?:prev|next)" href="([^"]+)"', answer.text)
    assert len(links) == 2
    assert all(each.endswith("#locations") for each in links)


@pytest.mark.parametrize("query", ["as_of=yesterday", "as_of=2026-13-40"])
def test_what_is_no_day_is_told_so(site: SiteUnderTest, query: str) -> None:
    lived(site.database, DAYS[0])

    assert "is no date" in words(page(site, f"/trials/{TRIAL}?{query}", 400))


def test_a_day_before_all_that_is_stored_is_answered_in_a_sentence(site: SiteUnderTest) -> None:
    lived(site.database, DAYS[0])

    assert "Not registered yet" in words(page(site, f"/trials/{TRIAL}?as_of=2020-01-01"))


def test_pruned_versions_are_told_in_sentences(site: SiteUnderTest) -> None:
    lived(site.database, *DAYS)
    first = numbers(site)[0]
    with site.database.write() as connection:
        connection.execute(prunings.insert().values(id=1, pruned_at=site.clock(), pruned_by="alice"))
        connection.execute(versions.update().where(versions.c.number == first).values(pruned=1))

    assert "pruned on 2026-11-22 by alice" in words(page(site, f"/trials/{TRIAL}?version={first}", 410))
    assert "Pruned on 2026-11-22 by alice" in words(page(site, f"/trials/{TRIAL}/versions"))
    assert "1 version pruned on 2026-11-22 by alice" in words(page(site, f"/trials/{TRIAL}/timeline"))


@pytest.mark.parametrize("path", ["timeline", "compare", "export/slips.csv"])
def test_damaged_versions_are_told_in_sentences(site: SiteUnderTest, path: str) -> None:
    lived(site.database, [record(title=f"For {path}")], [record(title=f"For {path}", age="20 Years")])
    damaged = numbers(site)[1]
    with site.database.write() as connection:
        connection.execute(versions.update().where(versions.c.number == damaged).values(data=b"no"))

    assert f"Version {damaged} cannot be read" in words(page(site, f"/trials/{TRIAL}/{path}", 500))


@pytest.mark.parametrize("what", ["history", "timeline", "slips", "outcomes", "compliance"])
def test_every_question_can_be_taken_along(told: SiteUnderTest, what: str) -> None:
    table = page(told, f"/trials/{TRIAL}/export/{what}.csv")
    plain = page(told, f"/trials/{TRIAL}/export/{what}.json")

    assert len(list(csv.DictReader(io.StringIO(table.content.decode("utf-8-sig"))))) > 1
    assert TRIAL in json.dumps(json.loads(plain.content))
    assert "attachment" in table.headers["content-disposition"]


def test_the_audit_file_comes_as_a_zip_and_only_by_a_button(told: SiteUnderTest) -> None:
    browser = told.signed_in()
    shown = browser.get(f"/trials/{TRIAL}/history")

    answer = browser.post(f"/trials/{TRIAL}/audit", data={"csrf": csrf(shown)})

    assert "report.html" in ZipFile(io.BytesIO(answer.content)).namelist()
    assert browser.get(f"/trials/{TRIAL}/audit").status_code == 405
    assert browser.post(f"/trials/{TRIAL}/audit").status_code == 403


def test_pages_of_the_past_never_take_a_record_for_markup(site: SiteUnderTest) -> None:
    hostile = {"title": ATTACK, "summary": ATTACK, "criteria": ATTACK, "sites": [site_of(ATTACK)]}
    lived(site.database, [record(**hostile)], [record(**hostile, status=ATTACK, outcomes=[{"measure": ATTACK}])])

    for path in ("history", "timeline", "versions", "compare?all=yes"):
        text = page(site, f"/trials/{TRIAL}/{path}").text
        assert "<script>alert" not in text
        assert "<img src=x" not in text


def site_of(text: str) -> dict[str, Any]:
    return row(text, text, city=text, country=text)


def test_what_is_not_stored_has_no_past(site: SiteUnderTest) -> None:
    for path in ("history", "timeline", "versions", "compare", "export/slips.csv"):
        assert f"Nothing is stored of {TRIAL}" in words(page(site, f"/trials/{TRIAL}/{path}", 404))
