"""Feeds and calendars: read by whoever has the address, whole and well formed whatever the registry says in them."""

import html.parser
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from xml.etree import ElementTree as Xml

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.demo.standin import StandIn
from monitor.feeds.atom import atom
from monitor.feeds.entries import Entry, Told
from monitor.feeds.expected import Expected
from monitor.feeds.icalendar import icalendar
from monitor.feeds.json_feed import json_feed
from notifiers import feeds, subscriptions
from snapshots.database import Database
from tests.monitor.stage import DAYS, RECRUITING, Stage, copied
from tests.monitor.web.browsing import OWN_TOKEN, SiteUnderTest, csrf, serving
from tests.monitor.web.lived_in import FIRST, HOSTILE, SECOND, hostile, lived_in, planned
from tests.monitor.web.strict_calendar import read
from tests.notifiers.cast import ALICE, BOB, DAY, NOW, change, subscribe, tell, watch

Json = Any
__all__ = ["lived_in"]
ATOM = "{http://www.w3.org/2005/Atom}"
TAGS = {"ul", "li", "strong"}


@pytest.fixture
def site(lived_in: Path, tmp_path: Path) -> Iterator[SiteUnderTest]:
    for database in copied(lived_in, tmp_path):
        with serving(database) as running:
            yield running


def made(site: SiteUnderTest, about: str, name: str) -> dict[str, str]:
    answer = site.client(OWN_TOKEN).post("/api/v1/feeds", json={"about": about, "name": name})
    assert answer.status_code == 200, answer.text
    found: dict[str, str] = answer.json()
    return found


def path(address: str) -> str:
    return urlsplit(address).path


def entries(site: SiteUnderTest, feed: dict[str, str]) -> list[Xml.Element]:
    """The entries of the Atom feed, which is held to RFC 4287's structure."""
    answer = site.client().get(path(feed["atom"]))
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "application/atom+xml"
    return checked_atom(answer.content)


def checked_atom(body: bytes) -> list[Xml.Element]:
    root = Xml.fromstring(body)
    assert root.tag == f"{ATOM}feed"
    for each in (root, *root.findall(f"{ATOM}entry")):
        for name in ("id", "title", "updated"):
            assert len(each.findall(f"{ATOM}{name}")) == 1, name
        moment = datetime.fromisoformat(each.findtext(f"{ATOM}updated") or "")
        assert moment.tzinfo is not None
    found = root.findall(f"{ATOM}entry")
    assert len({each.findtext(f"{ATOM}id") for each in found}) == len(found)
    assert root.findtext(f"{ATOM}updated") == max(
        (each.findtext(f"{ATOM}updated") for each in found), default=root.findtext(f"{ATOM}updated")
    )
    return found


class Elements(html.parser.HTMLParser):
    """Which elements and attributes an HTML text has."""

    def __init__(self) -> None:
        super().__init__()
        self.names: set[str] = set()
        self.attributes: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.names.add(tag)
        self.attributes += [name for name, _ in attrs]


def harmless(text: str) -> bool:
    """Whether an HTML text has the few elements that we write, and no attribute."""
    elements = Elements()
    elements.feed(text)
    return elements.names <= TAGS and not elements.attributes


# --- what is told -----------------------------------------------------------------------------------------------------


def test_a_trial_is_fed_with_its_changes_the_newest_first(site: SiteUnderTest) -> None:
    found = entries(site, made(site, "trial", FIRST))

    assert [each.findtext(f"{ATOM}title") for each in found] == [
        f"Site recruiting: {FIRST} A Study Called {FIRST} (+1 more)",
        f"Now watched: {FIRST} A Study Called {FIRST}",
    ]
    content = found[0].findtext(f"{ATOM}content") or ""
    assert "Example Hospital, Exampleton, Belgium is now recruiting" in content


def test_a_group_is_fed_with_all_its_trials_and_a_subscription_with_what_it_wanted(site: SiteUnderTest) -> None:
    group = entries(site, made(site, "group", "kidney"))
    wanted = entries(site, made(site, "subscription", "sites"))

    assert {
        name for each in group for name in (FIRST, SECOND, HOSTILE) if name in str(each.findtext(f"{ATOM}title"))
    } == {
        FIRST,
        SECOND,
        HOSTILE,
    }
    terms = {each.get("term") for entry in wanted for each in entry.findall(f"{ATOM}category")}
    assert terms
    assert all(str(term).startswith("site.") for term in terms)


def test_a_step_of_any_length_is_counted_whole_and_pushes_no_other_out(site_on_each: SiteUnderTest) -> None:
    many = (change(), *(change("site.renamed", summary=f"Site {number}.") for number in range(450)))
    with site_on_each.database.write() as connection:
        watch(connection, ALICE, BOB, group="g")
        subscribe(connection, "mine")
        for days, record, told in ((3, ALICE, (change(),)), (2, BOB, many), (1, ALICE, many)):
            tell(connection, *told, record=record, at=NOW - days * DAY)

    for about, name, number in (("group", "g", 3), ("subscription", "mine", 3), ("trial", ALICE, 2)):
        found = entries(site_on_each, made(site_on_each, about, name))
        titles = [each.findtext(f"{ATOM}title") for each in found]
        assert (len(titles), titles[-1]) == (number, f"Site recruiting: {ALICE} A Study of Rest")
        assert titles[0] == f"Site recruiting: {ALICE} A Study of Rest (+450 more)"
        content = found[0].findtext(f"{ATOM}content") or ""
        assert "And 426 more." in content
        assert content.count("<li>") == 25


def test_the_json_feed_tells_the_same_entries(site: SiteUnderTest) -> None:
    feed = made(site, "group", "kidney")
    answer = site.client().get(path(feed["json"]))
    said = answer.json()

    assert answer.headers["content-type"] == "application/feed+json"
    assert said["version"] == "https://jsonfeed.org/version/1.1"
    assert path(said["feed_url"]) == path(feed["json"])
    ids = [each.findtext(f"{ATOM}id") for each in entries(site, feed)]
    assert [item["id"] for item in said["items"]] == ids
    assert all(item["content_text"] and item["title"] and item["url"] for item in said["items"])


def test_ids_stay_when_addresses_are_renewed_and_the_old_addresses_lead_nowhere(site: SiteUnderTest) -> None:
    feed = made(site, "trial", FIRST)
    before = [each.findtext(f"{ATOM}id") for each in entries(site, feed)]

    renewed = site.client(OWN_TOKEN).post(f"/api/v1/feeds/{feed['id']}/renew").json()

    assert [each.findtext(f"{ATOM}id") for each in entries(site, renewed)] == before
    for form in ("atom", "json", "calendar"):
        assert renewed[form] != feed[form]
        assert site.client().get(path(feed[form])).status_code == 404


def test_a_removed_feed_s_address_opens_no_later_one(site: SiteUnderTest) -> None:
    feed = made(site, "trial", FIRST)
    client = site.client(OWN_TOKEN)

    assert client.delete(f"/api/v1/feeds/{feed['id']}").status_code == 204
    again = made(site, "trial", SECOND)

    assert again["id"] != feed["id"]
    assert site.client().get(path(feed["atom"])).status_code == 404


@pytest.mark.parametrize("token", ["1-1", "1-1.AAAA", "1-1." + "A" * 32, "..", "x", "1-1.%00"])
def test_an_address_cannot_be_guessed(site: SiteUnderTest, token: str) -> None:
    made(site, "trial", FIRST)

    for end in ("atom.xml", "feed.json", "calendar.ics"):
        assert site.client().get(f"/feeds/{token}/{end}").status_code == 404


def test_a_token_of_another_purpose_opens_no_feed(site: SiteUnderTest) -> None:
    from notifiers import links

    made(site, "trial", FIRST)
    with site.database.read() as connection:
        key = links.key(connection)
    assert key
    token = links.token_of(key, "acknowledge", "1-1")

    assert site.client().get(f"/feeds/{token}/atom.xml").status_code == 404


def test_a_feed_asked_again_is_told_that_nothing_changed_until_something_does(lived_in: Path, tmp_path: Path) -> None:
    for database in copied(lived_in, tmp_path):
        with serving(database) as site, StandIn() as standin:
            feed = made(site, "trial", FIRST)
            first = {form: site.client().get(path(feed[form])) for form in ("atom", "json", "calendar")}
            tags = {form: {"If-None-Match": answer.headers["etag"]} for form, answer in first.items()}
            assert [site.client().get(path(feed[form]), headers=tags[form]).status_code for form in first] == [304] * 3

            _next_day(Stage(database, standin))
            assert [site.client().get(path(feed[form]), headers=tags[form]).status_code for form in first] == [200] * 3


def _next_day(stage: Stage) -> None:
    later = planned(FIRST, "2027-09-30", RECRUITING, DAYS[3])
    stage.day(DAYS[3], later, planned(SECOND, "2027-04", RECRUITING, DAYS[2]), hostile(HOSTILE))


def test_a_subscription_that_is_gone_is_fed_no_more(site: SiteUnderTest) -> None:
    feed = made(site, "subscription", "sites")
    site.client(OWN_TOKEN).delete("/api/v1/subscriptions/sites")

    assert site.client().get(path(feed["atom"])).status_code == 410


def test_a_removed_subscription_s_feed_opens_no_later_one_of_its_name(site: SiteUnderTest) -> None:
    feed = made(site, "subscription", "sites")
    writer = site.client(OWN_TOKEN)
    writer.delete("/api/v1/subscriptions/sites")
    again = {"name": "sites", "to": ["mailto:eve@example.org"], "watches": "all"}
    assert writer.post("/api/v1/subscriptions", json=again).status_code == 201

    assert site.client().get(path(feed["atom"])).status_code == 404
    assert path(made(site, "subscription", "sites")["atom"]) != path(feed["atom"])


def test_a_feed_follows_its_subscription_s_new_name(site: SiteUnderTest) -> None:
    feed, other = made(site, "subscription", "sites"), made(site, "subscription", "all")
    told = [each.findtext(f"{ATOM}id") for each in entries(site, feed)]
    with site.database.write() as connection:
        subscriptions.remove(connection, "all", site.clock())
        subscriptions.rename(connection, "sites", "all")
        subscriptions.rename(connection, "all", "all")

    assert told == [each.findtext(f"{ATOM}id") for each in entries(site, feed)] != []
    assert "Subscription all" in site.client().get(path(feed["json"])).text
    assert site.client().get(path(other["atom"])).status_code == 404


# --- the calendar -----------------------------------------------------------------------------------------------------


def calendar(site: SiteUnderTest, feed: dict[str, str]) -> list[dict[str, str]]:
    answer = site.client().get(path(feed["calendar"]))
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "text/calendar; charset=utf-8"
    return read(answer.content)[1]


def test_the_calendar_has_the_days_on_which_completion_is_expected(site: SiteUnderTest) -> None:
    days = {each["SUMMARY"]: each["DTSTART"] for each in calendar(site, made(site, "group", "kidney"))}

    assert days[f"Study completion expected: {FIRST} A Study Called {FIRST}"] == "20270331"
    assert days[f"Study completion expected in April 2027: {SECOND} A Study Called {SECOND}"] == "20270430"


def test_a_month_is_said_to_be_a_month(site: SiteUnderTest) -> None:
    (event,) = calendar(site, made(site, "trial", SECOND))

    assert "The registry says April 2027 and names no day" in event["DESCRIPTION"]


def test_an_event_keeps_its_uid_when_its_day_moves_and_counts_that(lived_in: Path, tmp_path: Path) -> None:
    for database in copied(lived_in, tmp_path):
        with serving(database) as site, StandIn() as standin:
            feed = made(site, "trial", FIRST)
            (before,) = calendar(site, feed)
            _next_day(Stage(database, standin))
            (after,) = calendar(site, feed)

    assert before["UID"] == after["UID"]
    assert (before["DTSTART"], after["DTSTART"]) == ("20270331", "20270930")
    assert int(after["SEQUENCE"]) == int(before["SEQUENCE"]) + 1
    assert after["LAST-MODIFIED"] > before["LAST-MODIFIED"]


def test_a_calendar_of_nothing_is_a_calendar() -> None:
    assert read(icalendar("Nothing", []))[1] == []


# --- whatever is said -------------------------------------------------------------------------------------------------


def test_a_record_whose_every_text_is_an_attack_breaks_no_feed(site: SiteUnderTest) -> None:
    feed = made(site, "trial", HOSTILE)
    said = site.client().get(path(feed["json"])).json()
    events = calendar(site, feed)

    texts = [each.findtext(f"{ATOM}content") or "" for each in entries(site, feed)]
    assert len(texts) == 2
    assert any("&lt;script&gt;" in text for text in texts)
    assert all(harmless(text) for text in texts)
    assert all(harmless(item["content_html"]) for item in said["items"])
    assert len(events) == 1
    assert "\n" not in events[0]["SUMMARY"]
    assert "BEGIN:VEVENT" in events[0]["SUMMARY"]  # as words, not as a line


def test_the_answers_of_the_api_are_never_shown_as_pages(site: SiteUnderTest) -> None:
    client = site.client(OWN_TOKEN)
    for where in ("", "/history", "/versions", "/versions/3/raw", "/timeline", "/diff"):
        answer = client.get(f"/api/v1/records/{HOSTILE}{where}")
        assert answer.headers["content-type"].split(";")[0] in ("application/json", "application/problem+json")
        assert answer.headers["x-content-type-options"] == "nosniff"


ANY = st.text(st.characters(codec="utf-8"), max_size=200)
SEEN = datetime(2026, 3, 4, 14, tzinfo=UTC)


@given(ANY, ANY)
def test_any_text_makes_a_well_formed_feed(title: str, words: str) -> None:
    entry = Entry(
        id="urn:x",
        title=title,
        url="https://example.org/",
        updated=SEEN,
        lines=((title, words),),
        more=3,
        tags=(title,),
    )
    told = Told(id="urn:y", title=title, url="https://example.org/", updated=SEEN, entries=(entry,))

    (found,) = checked_atom(atom(told, "https://example.org/feed"))
    assert harmless(found.findtext(f"{ATOM}content") or "")
    (item,) = msgspec.json.decode(json_feed(told, "https://example.org/"))["items"]
    assert item["title"] == title
    assert harmless(item["content_html"])


@given(ANY, ANY)
def test_any_text_makes_a_calendar_that_a_strict_reader_takes(name: str, words: str) -> None:
    one = Expected(
        uid="u", day=SEEN.date(), summary=words, words=words, url="https://example.org/", moved=0, changed=SEEN
    )

    events = read(icalendar(name, [one, one]))[1]

    assert len(events) == 2


# --- the page ---------------------------------------------------------------------------------------------------------


def test_feeds_are_made_renewed_and_removed_on_their_page(site: SiteUnderTest) -> None:
    browser = site.signed_in()
    page = browser.get("/feeds")
    token = csrf(page)
    assert "There is no feed yet" in page.text

    browser.post("/feeds", data={"csrf": token, "wish": "make", "about": "trial", "name": FIRST.lower()})
    shown = browser.get("/feeds").text
    assert "is fed now" in shown
    first = _address(shown)
    browser.post("/feeds", data={"csrf": token, "wish": "renew", "id": "1"})
    assert _address(browser.get("/feeds").text) != first
    browser.post("/feeds", data={"csrf": token, "wish": "remove", "id": "1"})
    assert "There is no feed yet" in browser.get("/feeds").text


def _address(page: str) -> str:
    return page.partition('href="http')[2].partition('"')[0]


def test_what_is_not_there_cannot_be_fed(site: SiteUnderTest) -> None:
    browser = site.signed_in()
    token = csrf(browser.get("/feeds"))

    answer = browser.post("/feeds", data={"csrf": token, "wish": "make", "about": "trial", "name": "soup"})

    assert answer.status_code == 422
    assert "There is no such trial here yet." in answer.text


def test_two_that_make_one_feed_at_once_make_one(database: Database) -> None:
    now = datetime(2026, 11, 22, tzinfo=UTC)
    for _ in range(2):
        with database.write() as connection:
            feeds.make(connection, "group", "kidney", now)

    with database.read() as connection:
        assert len(feeds.listing(connection)) == 1
