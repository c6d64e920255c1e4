"""What is new: in which order, what the filters leave, who has seen it, and what an empty page says."""

import re
from collections.abc import Iterator
from datetime import timedelta

import httpx2
import pytest
from sqlalchemy import func, select

from monitor.demo.faults import Fault
from monitor.demo.standin import StandIn
from notifiers import acknowledgements, news, outbox, watches
from notifiers.news import Asked
from notifiers.tables import deliveries
from notifiers.watches import Wish
from snapshots import archive
from snapshots.archive import StepFacts
from snapshots.archive.tables import steps
from snapshots.database import Database
from tests.monitor.stage import DAYS, Stage, trial
from tests.monitor.web.browsing import SiteUnderTest, csrf, serving
from tests.notifiers.cast import ALICE, BOB, CHARLIE, NOW, change, seen, send_next, subscribe, tell, watch
from tests.registries import nct

CRITICAL, MAJOR, MINOR = change("site.recruiting"), change("completion_date.delayed"), change("site.renamed")


def happen(database: Database, record: str, release: str, *changes: object, cause: str = "observed") -> int:
    with database.write() as connection:
        seen(connection, record)
        facts = StepFacts(registry="ctgov", registry_id=record, release=release, observed_at=NOW, cause=cause)
        return archive.record_step(connection, facts, changes).id  # type: ignore[arg-type]


def page_of(database: Database, after: news.Place | None = None, limit: int = 20, **asked: object) -> news.Page:
    with database.read() as connection:
        return news.page(connection, Asked(visitor="me", **asked), after, limit)  # type: ignore[arg-type]


def order(page: news.Page) -> list[int]:
    return [item.step.id for item in page.items]


@pytest.fixture
def lived(database: Database) -> Database:
    with database.write() as connection:
        watch(connection, ALICE)
        watch(connection, BOB, group="kidney")
    return database


def test_newest_release_first_and_in_it_the_most_severe(lived: Database) -> None:
    minor = happen(lived, ALICE, "2026-11-16", MINOR)
    old = happen(lived, ALICE, "2026-11-13", CRITICAL)
    critical = happen(lived, BOB, "2026-11-16", MINOR, CRITICAL)
    major = happen(lived, BOB, "2026-11-16", MAJOR)

    assert order(page_of(lived)) == [critical, major, minor, old]


def test_pages_together_are_everything_once(lived: Database) -> None:
    all_of_them = {happen(lived, (ALICE, BOB)[n % 2], f"2026-11-{n:02}", (MINOR, MAJOR)[n % 2]) for n in range(1, 26)}
    all_of_them |= {happen(lived, ALICE, "2026-11-25", each) for each in (CRITICAL, MINOR, MINOR)}
    found: list[int] = []
    after = None
    for _ in range(30):
        page = page_of(lived, after, 4)
        found += order(page)
        after = page.older
        if after is None:
            break

    assert len(found) == len(set(found))
    assert set(found) == all_of_them


def test_what_is_not_watched_and_what_was_filled_in_is_no_news(lived: Database) -> None:
    happen(lived, CHARLIE, "2026-11-16", CRITICAL)
    happen(lived, ALICE, "2026-11-16", CRITICAL, cause="back-filled")
    happen(lived, ALICE, "2026-11-16", change("record.first_seen"))

    assert order(page_of(lived)) == []


def test_filters_leave_only_the_changes_asked_for(lived: Database) -> None:
    step = happen(lived, BOB, "2026-11-16", CRITICAL, MAJOR)
    happen(lived, ALICE, "2026-11-16", MAJOR)

    only = page_of(lived, severities=["critical"])
    assert order(only) == [step]
    assert [stored.change.severity for stored in only.items[0].step.changes] == ["critical"]
    assert only.items[0].others == 1
    assert order(page_of(lived, group="kidney")) == [step]
    assert order(page_of(lived, kinds=["site.added"])) == []


def test_a_filter_that_matches_only_long_ago_leads_there_page_by_page(lived: Database) -> None:
    old = happen(lived, ALICE, "2025-01-01", CRITICAL)
    for day in range(1, 29):
        for month in (10, 11):
            happen(lived, ALICE, f"2026-{month}-{day:02}", MINOR)

    first = page_of(lived, severities=["critical"])
    assert order(first) == []
    assert first.older is not None
    assert order(page_of(lived, first.older, severities=["critical"])) == [old]


def test_seen_is_what_the_visitor_marked_and_what_anybody_acknowledged(lived: Database) -> None:
    marked, open_, told = (happen(lived, each, "2026-11-16", CRITICAL) for each in (ALICE, BOB, BOB))
    with lived.write() as connection:
        subscribe(connection, watches={"ids": [ALICE]}, when={"kinds": ["site.recruiting"]})
        tell(connection, CRITICAL)
        told = connection.execute(select(func.max(steps.c.id))).scalar_one()
    assert send_next(lived, outbox.Delivered("ok")) == "delivered"
    with lived.write() as connection:
        delivery = connection.execute(select(deliveries.c.id)).scalar_one()
        acknowledgements.acknowledge(connection, delivery, "bob", NOW)
        assert news.mark_seen(connection, "me", [marked, 9999], NOW) == 1
        assert news.mark_seen(connection, "me", [marked], NOW) == 0

    by = {item.step.id: item.seen and item.seen.by for item in page_of(lived, is_seen=True).items}
    assert by == {marked: None, told: "bob"}
    assert open_ in order(page_of(lived, is_seen=False))
    assert marked not in order(page_of(lived, is_seen=False))
    with lived.read() as connection:
        others = news.page(connection, Asked(visitor="other", is_seen=True), None, 9)
    assert order(others) == [told]


# --- the page ---------------------------------------------------------------------------------------------------------


@pytest.fixture
def stage(sqlite_database: Database) -> Iterator[Stage]:
    with StandIn() as standin:
        yield Stage(sqlite_database, standin)


def words(page: httpx2.Response) -> str:
    main = page.text.partition("<main")[2].partition("</main>")[0]
    return " ".join(re.sub(r"<[^>]+>", " ", main).split())


def test_an_empty_start_says_what_to_do_next(stage: Stage) -> None:
    with serving(stage.database) as site:
        browser = site.signed_in()
        assert "Nothing is watched yet" in words(browser.get("/"))
        assert "/watchlist/add" in browser.get("/").text
        stage.watch(ALICE)
        assert "No look yet" in words(browser.get("/"))
        stage.day(DAYS[0], trial(ALICE))
        looked = words(browser.get("/"))

    assert "Nothing has changed" in looked
    assert "asked for 1 trial and 1 answered" in looked
    assert "1 trial checked 2 March 2026, 14:00 UTC , release of 2 March 2026, all answered." in looked


def test_the_heading_names_what_was_not_answered_and_says_when_the_newest_look_failed(stage: Stage) -> None:
    stage.watch(ALICE, "NCT99000077")
    stage.day(DAYS[0], trial(ALICE))
    with serving(stage.database) as site:
        browser = site.signed_in()
        looked = words(browser.get("/"))
        assert "1 trial checked 2 March 2026" in looked  # two were asked for
        assert "1 not: NCT99000077 (absent)" in looked
        stage.standin.fail(Fault.SERVER_ERROR)
        stage.look()
        assert "The newest look failed" in words(browser.get("/"))


def test_filters_stand_in_the_address_and_marking_keeps_them(lived_site: SiteUnderTest) -> None:
    browser = lived_site.signed_in()
    page = browser.get("/?severity=critical&seen=no")
    assert '<option value="critical" selected>' in page.text
    steps = page.text.partition('name="steps" value="')[2].partition('"')[0]

    answer = browser.post("/seen", data={"csrf": csrf(page), "steps": steps, "severity": "critical", "seen": "no"})

    assert answer.headers["location"] == "/?severity=critical&seen=no"
    after = words(browser.get("/?severity=critical&seen=no"))
    assert "marked as seen" in after
    assert "Nothing here matches" in after
    assert "Mark as not seen" in browser.get("/?seen=yes").text


def test_what_was_seen_in_part_says_so_and_can_be_marked(sqlite_database: Database) -> None:
    with sqlite_database.write() as connection:
        watch(connection, ALICE)
        subscribe(connection, when={"kinds": ["site.recruiting"]})
        (told,) = tell(connection, CRITICAL, MAJOR, MINOR, at=NOW - timedelta(hours=1))
        acknowledgements.acknowledge(connection, told, "bob", NOW)
    with serving(sqlite_database) as site:
        browser = site.signed_in()
        page = browser.get("/?seen=no")
        assert "1 of 3 seen by bob." in words(page)
        assert "Mark all as seen" in words(page)
        step = page.text.partition('name="steps" value="')[2].partition('"')[0]
        everything = page.text.rpartition('name="steps" value="')[2].partition('"')[0]
        assert step == everything
        browser.post("/seen", data={"csrf": csrf(page), "steps": everything, "seen": "no"})

        assert "Nothing here matches" in words(browser.get("/?seen=no"))


def test_marking_on_an_older_page_leads_back_to_that_page(sqlite_database: Database) -> None:
    with sqlite_database.write() as connection:
        watch(connection, ALICE)
    for day in range(1, 29):
        happen(sqlite_database, ALICE, f"2026-10-{day:02}", CRITICAL)
    with serving(sqlite_database) as site:
        browser = site.signed_in()
        older = browser.get("/?severity=critical").text.partition('rel="next" href="')[2].partition('"')[0]
        page = browser.get(older.replace("&amp;", "&"))
        form = page.text.partition('id="seen"')[2]
        buttons = re.findall(r'<button[^>]* name="(steps)" value="([^"]*)"', page.text)
        led = [browser.post("/seen", data={**hidden(form), name: said}).headers["location"] for name, said in buttons]
        seen = re.findall(r'<button[^>]* name="(unseen)" value="([^"]*)"', browser.get(led[0]).text)
        led += [browser.post("/seen", data={**hidden(form), name: said}).headers["location"] for name, said in seen]

    assert len(buttons) == 4, "three trials, and all on this page"
    assert len(seen) == 3
    assert set(led) == {older.replace("&amp;", "&")}


def hidden(form: str) -> dict[str, str]:
    """The hidden fields of a form."""
    return dict(re.findall(r'type="hidden" name="([^"]*)" value="([^"]*)"', form.partition("</form>")[0]))


def test_who_may_only_read_may_mark_for_themselves(lived_site: SiteUnderTest) -> None:
    browser = lived_site.signed_in(lived_site.token())
    page = browser.get("/")

    assert browser.post("/seen", data={"csrf": csrf(page), "steps": "1 x ² -3"}).status_code == 303


@pytest.mark.parametrize(
    "query", ["severity=x&family=y&seen=z", "group=%00", "after=x", "after=WzFd", "group=' OR 1=1"]
)
def test_an_address_that_makes_no_sense_is_no_failure(lived_site: SiteUnderTest, query: str) -> None:
    assert lived_site.signed_in().get(f"/?{query}").status_code in (200, 400)


@pytest.fixture
def lived_site(sqlite_database: Database) -> Iterator[SiteUnderTest]:
    with sqlite_database.write() as connection:
        watch(connection, ALICE)
        tell(connection, change(), at=NOW - timedelta(hours=1))
    with serving(sqlite_database) as site:
        yield site


def test_what_is_left_out_leads_to_the_page_of_history_that_has_it(sqlite_database: Database) -> None:
    with sqlite_database.write() as connection:
        watch(connection, ALICE)
    step = happen(sqlite_database, ALICE, "2026-11-16", *[MINOR] * 7)
    with serving(sqlite_database) as site:
        (link,) = re.findall(r'<a href="([^"]+)">2 more</a>', site.signed_in().get("/").text)

    assert link == f"/trials/{ALICE}/history?step={step}#step-{step}"


def test_the_start_page_stays_light_with_hundreds_of_groups_and_a_full_page(sqlite_database: Database) -> None:
    said = "Recruiting at Example Hospital of the University, Department of Nephrology, Beijing, China (was: not yet)."
    with sqlite_database.write() as connection:
        for number in range(400):
            group = f"Group {number:03} of the study team in the north"
            watches.add(connection, Wish(registry="ctgov", record_id=nct(number + 1), group=group), NOW)
    for number in range(25):
        happen(sqlite_database, nct(number + 1), "2026-11-16", *(change("site.recruiting", summary=said),) * 2)
    with serving(sqlite_database) as site:
        browser = site.signed_in()
        page = browser.get("/?group=Group+007+of+the+study+team+in+the+north")
        full = browser.get("/")
        files = {each: browser.get(each) for each in re.findall(r'"(/assets/[^"]+\.(?:css|js|svg))"', full.text)}

    assert full.text.count("<article") == 25
    assert re.search(r"<option[^>]* selected>Group 007 of the study team in the north</option>", page.text)
    assert full.text.count("Group 399 of the study team in the north") == 1
    assert len(files) == 4
    transferred = sum(int(each.headers["content-length"]) for each in files.values())
    assert len(full.content) + transferred < 60_000
