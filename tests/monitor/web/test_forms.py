"""What was typed into a form is never lost: not by a mistake in it, not by a session that ended meanwhile."""

import re
from collections.abc import Iterator
from html import unescape

import httpx2
import pytest

from monitor.demo.standin import StandIn
from notifiers import watches
from snapshots.database import Database
from tests.monitor.stage import DAYS, at, trial
from tests.monitor.web.browsing import OWN_TOKEN, Clock, SiteUnderTest, csrf, serving

ONE = "NCT99000001"


@pytest.fixture
def here(sqlite_database: Database) -> Iterator[SiteUnderTest]:
    """A site whose registry, the stand-in, has one trial, which is watched."""
    with StandIn() as standin:
        standin.publish(DAYS[0], {ONE: trial(ONE)})
        clock = Clock(at(DAYS[0]))
        with sqlite_database.write() as connection:
            watches.add(connection, watches.Wish(registry="ctgov", record_id=ONE), clock.now)
        with serving(sqlite_database, clock, ctgov_url=standin.url, request_interval="0.1") as site:
            yield site


def post(browser: httpx2.Client, path: str, **said: object) -> httpx2.Response:
    return browser.post(path, data={"csrf": csrf(browser.get(path)), **said})


def watched(site: SiteUnderTest) -> watches.Watch:
    with site.database.read() as connection:
        return watches.listing(connection)[0]


def path_of(site: SiteUnderTest) -> str:
    return f"/watchlist/{watched(site).id}"


def is_ticked(page: httpx2.Response, name: str) -> bool:
    return re.search(rf'name="{name}" value="[^"]*" checked', page.text) is not None


def fields(page: httpx2.Response) -> dict[str, list[str]]:
    """The hidden fields of the form in a page, as a browser sends them."""
    form = page.text.partition("<main")[2]
    found = re.findall(r'<input type="hidden" name="([^"]*)" value="([^"]*)">', form)
    names = dict.fromkeys(name for name, _ in found)
    return {unescape(name): [unescape(value) for key, value in found if key == name] for name in names}


def test_a_snooze_that_cannot_be_meant_keeps_its_reason_and_its_tick(here: SiteUnderTest) -> None:
    page = post(
        here.signed_in(), path_of(here), wish="snooze", until="2020-01-01", until_critical="yes", reason="audit"
    )

    assert page.status_code == 422
    assert "2020-01-01 is past" in page.text
    assert page.text.count('value="audit"') == 1
    assert is_ticked(page, "until_critical")


def test_a_snooze_until_today_says_that_a_day_begins_it(here: SiteUnderTest) -> None:
    page = post(here.signed_in(), path_of(here), wish="snooze", until=DAYS[0])

    assert page.status_code == 422
    assert f"{DAYS[0]} is today" in page.text
    assert "is past" not in page.text


def test_a_note_that_is_too_long_is_said_to_be_and_nothing_is_cut(here: SiteUnderTest) -> None:
    note, group = "n" * 2001, "g" * 201

    page = post(here.signed_in(), path_of(here), wish="say", note=note, group=group)

    assert page.status_code == 422
    assert "At most 2,000 characters, please: this has 2,001." in page.text
    assert "At most 200 characters, please: this has 201." in page.text
    assert f'value="{note}"' in page.text
    assert f'value="{group}"' in page.text
    assert watched(here).note is None


@pytest.mark.parametrize("wish", ["pause", "snooze"])
def test_so_is_a_reason(here: SiteUnderTest, wish: str) -> None:
    page = post(here.signed_in(), path_of(here), wish=wish, until="2027-01-01", reason="r" * 2001)

    assert page.status_code == 422
    assert "this has 2,001." in page.text
    assert page.text.count("r" * 2001) == 1
    assert not watched(here).paused


def test_what_is_added_or_searched_for_is_not_cut_either(here: SiteUnderTest) -> None:
    browser = here.signed_in()
    long = {"group": "g" * 201, "note": "n" * 2001}

    added = post(browser, "/watchlist/add", ids="NCT99000002", wish="watch", **long)
    searched = post(browser, "/watchlist/search", **{"query.term": "x" * 501}, name="mine", wish="save", **long)

    for page in (added, searched):
        assert page.status_code == 422
        assert "this has 201." in page.text
        assert "this has 2,001." in page.text
        assert f'value="{long["group"]}"' in page.text
    assert "this has 501." in searched.text


def send(browser: httpx2.Client, text: str, **said: str) -> httpx2.Response:
    token = csrf(browser.get("/watchlist/import"))
    files = {"file": ("list.csv", text.encode(), "text/csv")}
    return browser.post("/watchlist/import", data={"csrf": token, **said}, files=files)


def test_a_file_that_cannot_be_read_leaves_the_rest_of_its_form(here: SiteUnderTest) -> None:
    page = send(here.signed_in(), "id\nNCT1\n", group="kidney", renew="yes")

    assert page.status_code == 422
    assert 'value="kidney"' in page.text
    assert is_ticked(page, "renew")


def test_a_file_with_a_note_that_is_too_long_names_its_line(here: SiteUnderTest) -> None:
    page = send(here.signed_in(), f"id,note\n{ONE},{'n' * 2001}\n", renew="yes")

    assert page.status_code == 422
    assert "Line 2: note: At most 2,000 characters, please: this has 2,001." in page.text
    assert watched(here).note is None


def test_a_search_without_a_name_still_says_how_many_it_finds_and_can_be_kept(here: SiteUnderTest) -> None:
    page = post(here.signed_in(), "/watchlist/search", **{"query.term": ONE, "wish": "save"})

    assert page.status_code == 422
    assert "Give it a name" in page.text
    assert "found now" in page.text
    assert 'value="save"' in page.text


# --- a session that ended meanwhile -----------------------------------------------------------------------------------


def test_a_form_that_comes_after_the_session_can_be_sent_after_signing_in(here: SiteUnderTest) -> None:
    path, browser = path_of(here), here.client()

    asked = browser.post(path, data={"csrf": "old", "wish": "say", "group": "kid & ney", "note": '"two\nlines"'})
    assert asked.status_code == 401
    assert "was not sent" in asked.text
    wrong = browser.post("/signin", data={**fields(asked), "token": "tdt_wrong"})
    assert wrong.status_code == 403
    offered = browser.post("/signin", data={**fields(wrong), "token": OWN_TOKEN})

    assert offered.status_code == 200
    assert "kid &amp; ney" in offered.text
    assert watched(here).note is None, "it is sent when its writer says so"
    assert browser.post(path, data=fields(offered)).status_code == 303
    assert (watched(here).group, watched(here).note) == ("kid & ney", '"two\nlines"')


BEGUN = {"about": "all", "told": "immediately", "every": "weekly", "weekday": "monday", "monthday": "1", "at": "08:00",
         "timezone": "Asia/Tokyo", "immediately": "critical", "km": "50", "wish": "preview"}  # fmt: skip
"""A subscription's form as it is opened in Tokyo."""


@pytest.mark.parametrize(
    ("path", "said", "shown"),
    [
        (
            "/subscriptions/new",
            BEGUN | {"name": "mine", "kind": ["recruitment.*", "results.posted"], "since": "2026-03-01"},
            {
                "Name": "mine",
                "Kinds of change": "All about enrollment opening and closing, Results posted",
                "Since": "1 March 2026",
            },
        ),
        (
            "/subscriptions/new",
            BEGUN | {"told": "digest", "weekday": "friday", "min_severity": "major", "status": ["NOT_YET_RECRUITING"]},
            {
                "When": "In a digest",
                "On": "Friday",
                "Time zone of the clock": "Asia/Tokyo",
                "Severity": "major or more severe",
                "Status": "Not yet recruiting",
            },
        ),
        (
            "/subscriptions/1/rest",
            {"wish": "snooze", "until": "2026-12-01", "until_critical": "yes", "reason": "audit"},
            {
                "Snooze until": "1 December 2026",
                "Until the next critical change, at the latest": "yes",
                "Reason": "audit",
            },
        ),
        ("/trials/NCT99000001/watch", {"id": "7", "related": "more"}, {}),
        ("/watchlist/search", {"query.cond": "kidney", "wish": "count"}, {"Condition or disease": "kidney"}),
    ],
)
def test_what_was_filled_in_is_shown_as_the_form_says_it_and_nothing_else(
    here: SiteUnderTest, path: str, said: dict[str, str], shown: dict[str, str]
) -> None:
    asked = here.client().post(path, data=said)
    offered = here.client().post("/signin", data={**fields(asked), "token": OWN_TOKEN})

    assert {unescape(name): unescape(words) for name, words in FACTS.findall(offered.text)} == shown


FACTS = re.compile(r'<div><dt>([^<]*)</dt><dd class="words">([^<]*)</dd></div>')


def test_a_form_with_a_file_says_that_the_file_must_be_chosen_again(here: SiteUnderTest) -> None:
    browser = here.client()
    files = {"file": ("list.csv", b"id\n", "text/csv")}

    asked = browser.post("/watchlist/import", data={"group": "kidney"}, files=files)
    offered = browser.post("/signin", data={**fields(asked), "token": OWN_TOKEN})
    page = browser.post("/watchlist/import", data=fields(offered))

    assert "choose the file again" in offered.text
    assert 'value="kidney"' in page.text


def test_several_values_of_a_field_are_all_sent_again(here: SiteUnderTest) -> None:
    browser = here.client()
    said = {"query.term": "x", "status": ["RECRUITING", "COMPLETED"], "wish": "count"}

    asked = browser.post("/watchlist/search", data=said)
    offered = browser.post("/signin", data={**fields(asked), "token": OWN_TOKEN})

    assert offered.text.count('name="status"') == 2


@pytest.mark.parametrize("elsewhere", ["//evil.example.org", "https://evil.example.org/x", "/\\evil.example.org"])
def test_nothing_is_sent_to_another_site_after_signing_in(here: SiteUnderTest, elsewhere: str) -> None:
    answer = here.client().post("/signin", data={"token": OWN_TOKEN, "send_to": elsewhere, "sent.note": "mine"})

    assert "evil.example.org" not in answer.text
    assert "mine" not in answer.text


def test_a_form_of_another_site_is_not_offered_to_be_sent(here: SiteUnderTest) -> None:
    browser = here.client()

    for origin in ({"Sec-Fetch-Site": "cross-site"}, {"Origin": "https://evil.example.org"}):
        answer = browser.post(path_of(here), data={"wish": "remove"}, headers=origin)
        assert answer.status_code == 403
        assert "send_to" not in answer.text


def test_a_form_of_a_former_session_is_kept_and_can_be_sent_again(here: SiteUnderTest) -> None:
    browser = here.signed_in()
    former = csrf(browser.get("/watchlist/add"))
    browser.post("/signin", data={"token": OWN_TOKEN})

    answer = browser.post("/watchlist/add", data={"csrf": former, "ids": ONE, "note": "typed long", "wish": "watch"})

    assert answer.status_code == 403
    assert "This form is out of date" in answer.text
    assert 'name="note" value="typed long"' in answer.text
    assert browser.post("/watchlist/add", data=fields(answer)).status_code == 303


def test_behind_a_proxy_that_asks_for_a_password_a_form_is_kept_too(here: SiteUnderTest) -> None:
    proxied = {"Authorization": "Basic dTpw"}

    answer = here.client().post("/watchlist/add", data={"ids": ONE, "note": "typed long"}, headers=proxied)

    assert answer.status_code == 401
    assert "typed long" in answer.text


def test_who_signs_out_twice_is_only_asked_to_sign_in(here: SiteUnderTest) -> None:
    answer = here.client().post("/signout")

    assert answer.status_code == 401
    assert "send_to" not in answer.text
    assert 'name="token"' in answer.text
