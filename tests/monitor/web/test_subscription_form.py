"""A form of a subscription says all that is wrong with it, in its own order, in whole sentences."""

import re
from collections.abc import Iterator
from html import unescape

import httpx2
import pytest

from snapshots.database import Database
from tests.monitor.web.browsing import Clock, csrf, serving

WISH = {"name": "tea", "to": "bob@example.org", "wish": "preview"}


@pytest.fixture
def browser(sqlite_database: Database) -> Iterator[httpx2.Client]:
    """Who is signed in at a site where nothing is watched."""
    with serving(sqlite_database, Clock()) as site:
        yield site.signed_in()


def sent(browser: httpx2.Client, **said: object) -> httpx2.Response:
    return browser.post("/subscriptions/new", data={"csrf": csrf(browser.get("/")), **WISH, **said})


def summary(page: httpx2.Response) -> list[tuple[str, str]]:
    """The lines above the form: which field, and what is wrong with it."""
    found = re.findall(r'<li><a href="#f-([^"]+)">([^<]*)</a></li>', page.text)
    return [(name, unescape(line)) for name, line in found]


def beside(page: httpx2.Response, field: str) -> str:
    """What is said beside a field."""
    found = re.search(rf'<p class="error" id="[ef]-{field}">([^<]*)</p>', page.text)
    return unescape(found[1]) if found else ""


def test_all_that_is_wrong_with_a_form_is_said_at_once_in_its_order(browser: httpx2.Client) -> None:
    page = sent(
        browser,
        name="",
        to="ftp://x\nbob@example.org\nnobody",
        about="ids",
        ids="NCT1 NCT99000001 NCT2",
        kinds_typed="!site.renamd, bogus.*",
        becomes="RECRUTING, TERMINATD",
        countries="ZZ\nYY",
        place="95, 10",
        km="-3",
        told="digest",
        at="",
        timezone="Mars/X",
        quiet_from="8",
        quiet_to="9",
        quiet_timezone="Mars/Y",
        max_per_hour="0",
        severity="site.foo = minor\nsite.renamed = awful\nnonsense",
        since="2030-01-01",
    )

    assert page.status_code == 422
    assert [name for name, _ in summary(page)] == [
        *("name", "to", "ids", "kinds_typed", "becomes", "countries", "place", "km", "at", "timezone", "quiet_from"),
        *("quiet_to", "quiet_timezone", "max_per_hour", "severity", "since"),
    ]
    for field, parts in {
        "to": ("'ftp://…'", "'nobody'"),
        "ids": ("'NCT1'", "'NCT2'"),
        "kinds_typed": ("'site.renamd'", "'bogus.*'"),
        "becomes": ("'RECRUTING'", "'TERMINATD'"),
        "countries": ("'ZZ'", "'YY'"),
        "km": ("-3 is not a distance",),
        "at": ("Give a time of day.",),
        "timezone": ("'Mars/X'",),
        "quiet_timezone": ("'Mars/Y'",),
        "since": ("1 January 2030 is in the future.",),
    }.items():
        assert all(part in beside(page, field) for part in parts), beside(page, field)


def test_what_is_wrong_is_said_in_whole_sentences_and_a_summary_names_the_fields(browser: httpx2.Client) -> None:
    page = sent(browser, name="", kinds_typed="site.renamd")

    assert beside(page, "name") == "A subscription needs a name."
    assert beside(page, "kinds_typed") == "Unknown kind 'site.renamd'; did you mean 'site.renamed'?"
    assert summary(page) == [
        ("name", "Name: A subscription needs a name."),
        ("kinds_typed", "Kinds by name, and exceptions: Unknown kind 'site.renamd'; did you mean 'site.renamed'?"),
    ]
    assert summary(sent(browser, name="")) == [("name", "A subscription needs a name.")]


def test_two_texts_that_are_too_long_say_which_they_are(browser: httpx2.Client) -> None:
    data = {"csrf": csrf(browser.get("/")), "ids": "NCT99000001", "group": "x" * 201, "note": "x" * 2001}
    page = browser.post("/watchlist/add", data=data)

    assert summary(page) == [
        ("group", "Group: At most 200 characters, please: this has 201."),
        ("note", "Note: At most 2,000 characters, please: this has 2,001."),
    ]


def test_a_place_that_is_not_known_is_said_to_be_so_and_names_like_it_are_offered(browser: httpx2.Client) -> None:
    page = sent(browser, place="Atlantiss", km="50")
    several = sent(browser, place="Springfield", km="50")

    assert "no place of that name is known" in beside(page, "place")
    assert "which one" not in page.text.lower()
    assert "<legend>Did you mean</legend>" in page.text
    assert "which one is meant? Choose below." in beside(several, "place")
    assert "<legend>Which one is meant?</legend>" in several.text


def test_a_note_on_its_own_form_does_not_name_the_subscription(browser: httpx2.Client) -> None:
    page = sent(browser, countries="Chna")

    assert page.status_code == 200
    assert "Note: no country is called" in unescape(page.text)


def test_the_time_of_a_preview_cannot_begin_in_the_future(browser: httpx2.Client) -> None:
    assert beside(sent(browser, since="2030-01-01"), "since") == "1 January 2030 is in the future."
