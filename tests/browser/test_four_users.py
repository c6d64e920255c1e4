"""The ways of four people, from an empty start to an alert and its place on the page."""

import re
from collections.abc import Iterator

import pytest

pytest.importorskip("playwright", reason="the browser's tests need: pip install -r requirements-browser.lock")
pytest.importorskip("pytest_playwright", reason="the browser's tests need: pip install -r requirements-browser.lock")

from playwright.sync_api import Browser, Page, expect

from tests.browser.world import GOOD, World
from tests.monitor.stage import DAYS, trial
from tests.monitor.web.browsing import OWN_TOKEN

PHONE = {"width": 360, "height": 740}


@pytest.fixture
def visitor(empty: World, browser: Browser, request: pytest.FixtureRequest) -> Iterator[Page]:
    """Somebody at a browser, not signed in; `request.param` says what is special about it."""
    context = browser.new_context(base_url=empty.url, **getattr(request, "param", {}))
    context.set_default_timeout(10_000)
    yield context.new_page()
    context.close()


def sign_in(page: Page, token: str = OWN_TOKEN) -> None:
    page.goto("/")
    page.get_by_label("Access token").fill(token)
    page.get_by_role("button", name="Sign in").click()


def add_trial(page: Page, text: str = GOOD, group: str = "") -> None:
    """By the way that the empty start shows."""
    page.get_by_role("link", name="Add trials").first.click()
    page.get_by_label("Ids").fill(text)
    page.get_by_label("Group").fill(group)
    page.get_by_role("button", name="Check them").click()
    page.get_by_role("button", name=re.compile("Watch th")).click()


def subscribe(page: Page, name: str, address: str) -> None:
    page.goto("/subscriptions/new")
    page.get_by_label("Name", exact=True).fill(name)
    page.get_by_label("Send to").fill(address)
    page.get_by_role("button", name="Preview").first.click()
    page.get_by_role("button", name="Save").first.click()


def recruits(world: World) -> None:
    """The next release says that the trial's site recruits."""
    world.day(DAYS[1], trial(GOOD, "RECRUITING", submitted=DAYS[1]))


def test_the_coordinator_hears_of_a_site_and_finds_it_on_the_page(empty: World, visitor: Page) -> None:
    empty.stage.publish(DAYS[0], trial(GOOD))
    sign_in(visitor)
    expect(visitor.get_by_text("Nothing is watched yet")).to_be_visible()
    add_trial(visitor, f"please watch https://clinicaltrials.gov/study/{GOOD}", "sites")
    subscribe(visitor, "sites", "mailto:coordinator@example.org")
    empty.day(DAYS[0], trial(GOOD))
    recruits(empty)

    assert [letter.subject.partition(":")[0] for letter in empty.mail.letters] == ["Site recruiting"]
    visitor.goto("/")
    expect(visitor.get_by_text("Site recruiting").first).to_be_visible()
    visitor.get_by_role("button", name=re.compile("Mark as seen")).click()
    visitor.get_by_label("Seen", exact=True).select_option("no")
    visitor.get_by_role("button", name="Show").click()
    expect(visitor.get_by_text("Nothing here matches")).to_be_visible()


@pytest.mark.parametrize("visitor", [{"viewport": PHONE, "java_script_enabled": False}], indirect=True)
def test_the_patient_advocate_follows_a_search_on_a_phone_without_javascript(empty: World, visitor: Page) -> None:
    empty.stage.publish(DAYS[0], trial(GOOD))
    sign_in(visitor)
    visitor.get_by_role("link", name="Watch a search").first.click()
    visitor.get_by_label("Other words").fill("Imaginary")
    visitor.get_by_role("button", name="How many are found?").click()
    expect(visitor.get_by_text("1 trial found now")).to_be_visible()
    visitor.get_by_label("Name", exact=True).fill("imaginary fever")
    visitor.get_by_role("button", name="Watch this search").click()
    expect(visitor.get_by_text("imaginary fever").first).to_be_visible()
    empty.day(DAYS[0], trial(GOOD))
    recruits(empty)

    visitor.goto("/?severity=critical")
    visitor.get_by_role("link", name=re.compile(f"Called {GOOD}")).click()
    expect(visitor.get_by_role("heading", level=1)).to_contain_text(GOOD)
    expect(visitor.get_by_text("Nothing here is medical advice")).to_be_visible()


def test_the_auditor_reads_what_was_said_before_and_may_change_nothing(empty: World, visitor: Page) -> None:
    empty.stage.watch(GOOD)
    empty.day(DAYS[0], trial(GOOD))
    recruits(empty)
    sign_in(visitor, empty.site.token("auditor"))
    expect(visitor.get_by_role("heading", name="Release of 3 March 2026")).to_be_visible()
    visitor.get_by_role("link", name=re.compile(f"Called {GOOD}")).click()
    expect(visitor.get_by_role("heading", level=1)).to_contain_text(GOOD)
    _opens_the_past(visitor)
    _compares(visitor)

    visitor.goto("/watchlist")
    expect(visitor.get_by_text("Site recruiting")).to_be_visible()
    assert visitor.get_by_role("link", name="Add trials").count() == 0
    with visitor.expect_download() as downloading:
        visitor.get_by_role("link", name="Export CSV").click()
    assert GOOD in downloading.value.path().read_text(encoding="utf-8-sig")


def _opens_the_past(visitor: Page) -> None:
    """From the trial's page to its first version and back."""
    visitor.get_by_role("link", name="Versions", exact=True).click()
    visitor.get_by_role("link", name="Read version 1 of 2").click()
    expect(visitor.get_by_text(re.compile(r"^Version 1 of 2, release"))).to_be_visible()
    expect(visitor.get_by_text("Not yet recruiting").first).to_be_visible()
    visitor.get_by_label("What did it say on a day?").fill(DAYS[0])
    visitor.get_by_role("button", name="Show it as of then").click()
    expect(visitor.get_by_text("it stood on 2 March 2026")).to_be_visible()


def _compares(visitor: Page) -> None:
    """Two versions side by side, then the other way round, and the audit file of it all."""
    visitor.get_by_role("link", name="Compare", exact=True).click()
    expect(visitor.get_by_role("heading", name="What changed from version 1")).to_be_visible()
    expect(visitor.locator("del", has_text="Not yet recruiting").first).to_be_visible()
    visitor.get_by_role("link", name="Swap the two").click()
    expect(visitor.get_by_role("heading", name="What changed from version 2")).to_be_visible()
    visitor.get_by_role("link", name="Time line", exact=True).click()
    expect(visitor.get_by_role("heading", name="How often were its dates moved?")).to_be_visible()
    with visitor.expect_download() as downloading:
        visitor.get_by_role("button", name="Audit file").click()
    assert downloading.value.suggested_filename.startswith(f"{GOOD}-audit-")


def test_the_team_lead_sees_trouble_snoozes_and_removes(empty: World, visitor: Page) -> None:
    empty.stage.watch(GOOD, "NCT99000404")
    empty.day(DAYS[0], trial(GOOD))
    sign_in(visitor)
    visitor.get_by_role("link", name="See why").click()
    visitor.get_by_role("link", name="Change NCT99000404").click()
    visitor.get_by_label("Until", exact=True).fill("2026-04-01")
    visitor.get_by_role("button", name="Snooze").click()
    expect(visitor.get_by_text("snoozed until 1 April 2026").first).to_be_visible()
    visitor.get_by_role("link", name="Remove from the watchlist").click()
    visitor.get_by_role("button", name="Remove it").click()
    expect(visitor.get_by_text("is watched no more")).to_be_visible()
    expect(visitor.get_by_text("1 entry")).to_be_visible()
