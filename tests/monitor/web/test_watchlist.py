"""The watchlist: ids in any form, files there and back, searches counted first, rests, and a page of any length."""

import csv
import io
import re
import time
from collections.abc import Iterator
from datetime import timedelta
from html import unescape

import httpx2
import pytest

from monitor.demo.standin import StandIn
from notifiers import watch_pages, watches
from notifiers.watch_pages import Wanted
from notifiers.watches import Wish
from snapshots import archive
from snapshots.archive.confirming import Watched, all_last_confirmed
from snapshots.database import Database
from tests.monitor.stage import DAYS, Stage, at, trial
from tests.monitor.web.browsing import Clock, SiteUnderTest, csrf, serving

ONE, TWO, THREE = "NCT99000001", "NCT99000002", "NCT99000003"


@pytest.fixture
def stage(sqlite_database: Database) -> Iterator[Stage]:
    with StandIn() as standin:
        yield Stage(sqlite_database, standin)


@pytest.fixture
def here(stage: Stage) -> Iterator[SiteUnderTest]:
    """A site whose registry is the stand-in, which has three trials."""
    stage.publish(DAYS[0], *(trial(each) for each in (ONE, TWO, THREE)))
    clock = Clock(at(DAYS[0]))
    with serving(stage.database, clock, ctgov_url=stage.standin.url, request_interval="0.1") as site:
        yield site


def post(browser: httpx2.Client, path: str, form: str = "", **said: object) -> httpx2.Response:
    token = csrf(browser.get(form or path))
    return browser.post(path, data={"csrf": token, **said})


def words(page: httpx2.Response) -> str:
    """What a reader reads."""
    shown = re.sub(r"<[^>]+>", " ", page.text.partition("<main")[2].partition("</main>")[0])
    return re.sub(r"\s+", " ", unescape(shown))


def add(browser: httpx2.Client, *ids: str, **said: str) -> httpx2.Response:
    return post(browser, "/watchlist/add", ids=" ".join(ids), wish="watch", **said)


def test_pasted_ids_are_understood_in_any_form_and_shown_with_what_the_registry_says(here: SiteUnderTest) -> None:
    browser = here.signed_in()
    text = "see https://clinicaltrials.gov/study/NCT99000001?rank=1, nct 9900 0002;NCT99000009\nNCT12 ISRCTN12345678"

    page = post(browser, "/watchlist/add", ids=text, wish="check").text

    assert page.count("ClinicalTrials.gov, just now") == 2
    assert "ClinicalTrials.gov does not list it." in page
    assert "left out: NCT12" in page
    assert "ISRCTN12345678" in page
    assert "Watch these 2 trials" in page
    assert f'value="{ONE} {TWO}"' in page


def test_what_is_checked_is_not_watched_before_it_is_said(here: SiteUnderTest) -> None:
    browser = here.signed_in()
    post(browser, "/watchlist/add", ids=ONE, wish="check")
    assert "Nothing is watched yet" in browser.get("/watchlist").text

    assert add(browser, ONE, group="kidney", note="our comparator").headers["location"] == "/watchlist"

    page = browser.get("/watchlist").text
    assert "1 trial added" in page
    assert "our comparator" in page
    assert "Waits for the first answer" in page


def test_a_registry_that_does_not_answer_is_said_and_the_ids_can_be_watched_all_the_same(
    sqlite_database: Database,
) -> None:
    with serving(sqlite_database, ctgov_url="http://127.0.0.1:9", request_interval="0.1") as site:
        page = post(site.signed_in(), "/watchlist/add", ids=ONE, wish="check").text

    assert "not known: ClinicalTrials.gov" in page
    assert "Watch this trial" in page


def test_what_is_stored_is_not_asked_for_again(here: SiteUnderTest, stage: Stage) -> None:
    stage.watch(ONE)
    stage.look()
    asked = len(stage.standin.requests)

    page = post(here.signed_in(), "/watchlist/add", ids=ONE, wish="check").text

    assert len(stage.standin.requests) == asked
    assert "the archive here" in page
    assert "watched already" in page


def test_text_without_an_id_is_said_to_have_none(here: SiteUnderTest) -> None:
    answer = post(here.signed_in(), "/watchlist/add", ids="our kidney trial", wish="check")

    assert answer.status_code == 422
    assert "There is no complete id in this" in answer.text


def test_a_search_is_counted_before_it_is_saved(here: SiteUnderTest) -> None:
    browser = here.signed_in()
    counted = post(browser, "/watchlist/search", **{"query.term": "NCT99000001", "wish": "count"})
    assert "trial" in counted.text
    assert "found now" in counted.text

    unnamed = post(browser, "/watchlist/search", **{"query.term": "example", "wish": "save"})
    assert unnamed.status_code == 422
    saved = post(browser, "/watchlist/search", **{"query.term": "example", "wish": "save", "name": "mine"})
    assert saved.status_code == 303
    assert "Search <strong>mine</strong>" in browser.get("/watchlist").text


def test_a_search_called_as_a_record_is_refused_and_an_old_one_is_handled_alone(here: SiteUnderTest) -> None:
    browser = here.signed_in()
    add(browser, ONE)
    refused = post(browser, "/watchlist/search", **{"query.term": "example", "wish": "save", "name": ONE})
    assert refused.status_code == 422
    assert "reads as a record" in refused.text
    long = post(browser, "/watchlist/search", **{"query.term": "example", "wish": "save", "name": "n" * 201})
    assert long.status_code == 422
    assert "a name has at most 200" in long.text

    with here.database.write() as connection:
        watches.add(connection, Wish(registry="ctgov", search={"query.term": "x"}, name=ONE), here.clock())
        record, search = watches.listing(connection)
    post(browser, f"/watchlist/{search.id}", wish="pause")
    post(browser, f"/watchlist/{search.id}", wish="snooze", until="2026-12-01")
    with here.database.read() as connection:
        assert watches.listing(connection)[0] == record
    post(browser, f"/watchlist/{search.id}", wish="remove")
    with here.database.read() as connection:
        assert watches.listing(connection) == [record]


def test_a_search_for_nothing_is_refused(here: SiteUnderTest) -> None:
    assert post(here.signed_in(), "/watchlist/search", wish="count").status_code == 422


def send(browser: httpx2.Client, text: str, **said: str) -> httpx2.Response:
    token = csrf(browser.get("/watchlist/import"))
    files = {"file": ("list.csv", text.encode(), "text/csv")}
    return browser.post("/watchlist/import", data={"csrf": token, **said}, files=files)


def test_an_export_is_safe_for_spreadsheets_and_can_be_read_back(here: SiteUnderTest) -> None:
    browser = here.signed_in()
    add(browser, ONE, note="=HYPERLINK(evil)", group="kidney")
    text = browser.get("/watchlist.csv").content.decode("utf-8-sig")
    row = next(csv.DictReader(io.StringIO(text)))
    assert row["note"] == "'=HYPERLINK(evil)"

    send(browser, text.replace("kidney", "liver"), renew="yes")

    with here.database.read() as connection:
        watch = watches.listing(connection)[0]
    assert (watch.group, watch.note) == ("liver", "=HYPERLINK(evil)")


def test_a_file_with_a_wrong_line_adds_nothing_and_names_the_line(here: SiteUnderTest) -> None:
    browser = here.signed_in()

    answer = send(browser, f"id;group\n{ONE};a\nNCT1;b\n")

    assert answer.status_code == 422
    assert "Line 3:" in answer.text
    assert "Nothing is watched yet" in browser.get("/watchlist").text


def test_a_watch_rests_until_a_day_by_whom_and_wakes_again(here: SiteUnderTest) -> None:
    browser = here.signed_in(here.token("coordinator", may_write=True))
    add(browser, ONE)
    with here.database.read() as connection:
        path = f"/watchlist/{watches.listing(connection)[0].id}"

    past = post(browser, path, wish="snooze", until="2020-01-01")
    assert past.status_code == 422
    assert "is past" in past.text
    post(browser, path, wish="snooze", until="2026-12-01", reason="audit")
    assert "snoozed until 1 December 2026, 00:00 UTC, by coordinator: audit" in browser.get(path).text
    post(browser, path, wish="resume")
    post(browser, path, wish="pause")
    assert "Paused" in browser.get("/watchlist").text


def test_a_text_longer_than_can_be_kept_is_said_and_stands_in_the_form_again(here: SiteUnderTest) -> None:
    browser = here.signed_in()
    add(browser, ONE, note="short")
    with here.database.read() as connection:
        before = watches.listing(connection)
    path, search = f"/watchlist/{before[0].id}", {"query.term": "x", "name": "s", "wish": "save"}
    forms: list[tuple[str, dict[str, str], str]] = [
        ("/watchlist/add", {"ids": TWO, "wish": "watch"}, "group"),
        ("/watchlist/add", {"ids": TWO, "wish": "check"}, "note"),
        ("/watchlist/search", search, "group"),
        ("/watchlist/search", search, "note"),
        (path, {"wish": "say"}, "group"),
        (path, {"wish": "say"}, "note"),
        (path, {"wish": "pause"}, "reason"),
        (path, {"wish": "snooze", "until": "2026-12-01"}, "reason"),
    ]

    for form, said, field in forms:
        most = 200 if field == "group" else 2000
        answer = post(browser, form, **{**said, field: "x" * (most + 1)})
        assert answer.status_code == 422, (form, field)
        assert f"At most {most:,} characters, please: this has {most + 1:,}." in answer.text
        assert f'value="{"x" * (most + 1)}"' in answer.text
    assert "At most 200 characters, please: this has 201." in send(browser, f"{TWO}\n", group="x" * 201).text
    assert "Line 2: note: At most 2,000" in send(browser, f"id;note\n{TWO};{'x' * 2001}\n").text
    with here.database.read() as connection:
        assert watches.listing(connection) == before


def test_a_pause_is_kept_when_the_note_is_changed(here: SiteUnderTest) -> None:
    browser = here.signed_in()
    add(browser, ONE)
    with here.database.read() as connection:
        path = f"/watchlist/{watches.listing(connection)[0].id}"
    post(browser, path, wish="pause", reason="closed")

    post(browser, path, wish="say", note="new", group="kidney")

    with here.database.read() as connection:
        watch = watches.listing(connection)[0]
    assert (watch.paused, watch.silence_reason, watch.note, watch.group) == (True, "closed", "new", "kidney")


def test_removing_asks_and_then_removes(here: SiteUnderTest) -> None:
    browser = here.signed_in()
    add(browser, ONE)
    with here.database.read() as connection:
        path = f"/watchlist/{watches.listing(connection)[0].id}"

    assert "Remove NCT99000001 from the watchlist?" in browser.get(f"{path}/remove").text
    assert post(browser, path, f"{path}/remove", wish="remove").headers["location"] == "/watchlist"

    assert "Nothing is watched yet" in browser.get("/watchlist").text
    assert browser.get(path).status_code == 404


def test_who_may_only_read_sees_the_list_and_no_way_to_change_it(here: SiteUnderTest) -> None:
    add(here.signed_in(), ONE)
    page = here.signed_in(here.token()).get("/watchlist").text

    assert ONE in page
    assert "/watchlist/add" not in page
    assert "Change" not in page


def test_each_watch_says_status_next_date_last_change_and_trouble(here: SiteUnderTest, stage: Stage) -> None:
    stage.watch(ONE, "NCT99000099")
    stage.look()
    stage.day(DAYS[1], trial(ONE, "RECRUITING", submitted="2026-03-02"))

    page = here.signed_in().get("/watchlist").text

    assert "Site recruiting" in page
    assert "3 March 2026" in page
    assert "Trouble" in page
    assert "ClinicalTrials.gov lists no record NCT99000099" in page


def test_the_filters_are_in_the_address(here: SiteUnderTest) -> None:
    browser = here.signed_in()
    add(browser, ONE, group="kidney")
    add(browser, TWO, note="special")

    def shown(query: str) -> set[str]:
        page = browser.get(f"/watchlist?{query}").text
        return {each for each in (ONE, TWO) if f'"/trials/{each}"' in page}

    assert shown("group=kidney") == {ONE}
    assert shown("group=-") == {TWO}
    assert shown("words=special") == {TWO}
    assert shown("state=paused") == set()
    assert shown("state=waiting") == {ONE, TWO}


def test_five_thousand_watches_are_paged_quickly(sqlite_database: Database) -> None:
    with sqlite_database.write() as connection:
        for number in range(5000):
            watches.add(connection, Wish(registry="ctgov", record_id=f"NCT{99000000 + number}"), at(DAYS[0]))
    with serving(sqlite_database) as site:
        browser = site.signed_in()
        browser.get("/watchlist")
        began = time.monotonic()
        first = browser.get("/watchlist")
        took = time.monotonic() - began
        following = first.text.partition('rel="next" href="')[2].partition('"')[0].replace("&amp;", "&")
        second = browser.get(following).text

    assert "5,000 entries" in first.text
    assert first.text.count('<tr role="row">') == second.count('<tr role="row">') == 41
    assert "NCT99000040" in second
    assert len(first.content) < 60_000
    assert took < 1


def test_together_they_were_confirmed_as_they_are_one_by_one(database: Database) -> None:
    with StandIn() as standin:
        stage = Stage(database, standin)
        stage.watch(ONE, TWO, "NCT99000099")
        stage.day(DAYS[0], trial(ONE), trial(TWO))
        standin.remove([TWO])
        stage.day(DAYS[1], trial(ONE))
        stage.watch(THREE)
        stage.day(DAYS[2], trial(ONE, "RECRUITING", submitted=DAYS[1]), trial(THREE))
        ids = (ONE, TWO, THREE, "NCT99000099")
        for since in (at(DAYS[0]) - timedelta(days=9), at(DAYS[1]), at(DAYS[4])):
            for until in (None, at(DAYS[1]), at(DAYS[2]) + timedelta(hours=1)):
                with database.read() as connection:
                    together = all_last_confirmed(connection, "ctgov", [Watched(each, since, until) for each in ids])
                    alone = {each: archive.last_confirmed(connection, "ctgov", each, since, until) for each in ids}
                assert together == {each: one for each, one in alone.items() if one}


def test_pages_of_the_list_together_are_the_whole_list(database: Database) -> None:
    with database.write() as connection:
        for number in range(7):
            watches.add(connection, Wish(registry="ctgov", record_id=f"NCT9900000{number}"), at(DAYS[0]))
        for name in ("b", "a"):
            watches.add(connection, Wish(registry="ctgov", search={"query.term": name}, name=name), at(DAYS[0]))
    shown, after = [], None
    with database.read() as connection:
        while True:
            page, after = watch_pages.page(connection, "ctgov", Wanted(), after, 2, at(DAYS[0]))
            shown += page
            if after is None:
                break
        assert shown == watches.listing(connection)


def test_a_row_says_an_id_without_a_title_once_and_how_a_watch_rests_once(here: SiteUnderTest) -> None:
    browser = here.signed_in()
    add(browser, ONE)
    new = words(browser.get("/watchlist"))
    with here.database.read() as connection:
        path = f"/watchlist/{watches.listing(connection)[0].id}"
    post(browser, path, wish="pause", reason="closed")
    paused = words(browser.get("/watchlist"))
    post(browser, path, wish="resume")
    post(browser, path, wish="snooze", until="2026-12-01")
    browser.get("/watchlist")  # the first says what was done
    snoozed = words(browser.get("/watchlist"))

    assert new.count(ONE) == 1
    assert "Paused by" in paused
    assert ": closed" in paused
    assert "Snoozed until 1 December 2026" in snoozed
    assert "paused, by" not in paused
    assert "snoozed until" not in snoozed
