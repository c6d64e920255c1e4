"""A form that was sent: what became of it is where the page begins, for the eye, the keyboard and the screen reader."""

from collections.abc import Iterator

import pytest

pytest.importorskip("playwright", reason="the browser's tests need: pip install -r requirements-browser.lock")
pytest.importorskip("pytest_playwright", reason="the browser's tests need: pip install -r requirements-browser.lock")

from playwright.sync_api import Browser, Page, expect

from tests.browser.world import World, session_cookies
from tests.monitor.web.browsing import OWN_TOKEN


@pytest.fixture(scope="module")
def page(world: World, browser: Browser) -> Iterator[Page]:
    context = browser.new_context(base_url=world.url)
    context.add_cookies(session_cookies(world))
    yield context.new_page()
    context.close()


REFUSED = [
    ("/subscriptions/new", {"Name": "mine", "Send to": "nobody"}, "Preview"),
    ("/watchlist/1", {"Until": "2020-01-01"}, "Snooze"),
    ("/watchlist/1", {"#f-pause-reason": "r" * 2001}, "Pause"),
    ("/watchlist/add", {"Ids": "nothing"}, "Check them"),
    ("/watchlist/import", {"Group": "g" * 201}, "Import"),
    ("/watchlist/search", {"Name": "mine"}, "How many are found?"),
    ("/subscriptions/1", {"Snooze until": "2020-01-01"}, "Snooze"),
    ("/subscriptions/1/why", {"A trial’s NCT number, or a change’s number": "x"}, "Explain"),
    ("/deliveries/replay", {"Since": "x"}, "How many are these?"),
    ("/deliveries?trial=x", {}, "Show"),
    ("/feeds", {"Which one": "x"}, "Make it"),
    ("/signin", {"Access token": "tdt_wrong"}, "Sign in"),
]
SEEN = [
    ("/subscriptions/new", {"Name": "mine", "Send to": "me@example.org"}, "Preview"),
    ("/watchlist/add", {"Ids": "NCT99000001"}, "Check them"),
    ("/watchlist/search", {"Condition or disease": "fever"}, "How many are found?"),
    ("/deliveries/replay", {"Since": "2026-01-01"}, "How many are these?"),
]

FOUND_AND_FOCUSED = "main *:is([role=status], :has([role=status])):focus"


def sent(page: Page, path: str, typed: dict[str, str], button: str) -> None:
    """Fills the form in and presses its button, as somebody whose browser checks nothing."""
    page.goto(path)
    page.evaluate("document.querySelectorAll('form').forEach(form => form.noValidate = true)")
    for label, words in typed.items():
        field = page.locator(label) if label.startswith("#") else page.get_by_label(label, exact=True)
        field.fill(words)
    page.get_by_role("button", name=button, exact=True).first.click()


@pytest.mark.parametrize(("path", "typed", "button"), REFUSED)
def test_a_mistake_is_in_the_title_has_the_focus_and_leads_to_its_field(
    page: Page, path: str, typed: dict[str, str], button: str
) -> None:
    sent(page, path, typed, button)

    assert page.title().startswith("Error: ")
    expect(page.locator("main [role=alert]:focus")).to_have_count(1)
    page.locator("main [role=alert] a").first.click()
    marked = page.evaluate("document.querySelector(location.hash.replaceAll('.', '\\\\.'))?.ariaInvalid")
    assert marked == "true"


@pytest.mark.parametrize(("path", "typed", "button"), SEEN)
def test_a_preview_is_in_the_title_and_has_the_focus(page: Page, path: str, typed: dict[str, str], button: str) -> None:
    sent(page, path, typed, button)

    assert page.title().startswith("Preview: ")
    expect(page.locator(FOUND_AND_FOCUSED)).to_have_count(1)


def test_a_session_that_ended_loses_no_form(world: World, browser: Browser) -> None:
    context = browser.new_context(base_url=world.url)
    context.add_cookies(session_cookies(world))
    page = context.new_page()
    page.goto("/watchlist/1")
    page.get_by_label("Note", exact=True).fill("kept all the same")
    context.clear_cookies()

    page.get_by_role("button", name="Keep").click()
    page.get_by_label("Access token").fill(OWN_TOKEN)
    page.get_by_role("button", name="Sign in").click()
    page.get_by_role("button", name="Send it now").click()

    assert page.get_by_label("Note", exact=True).input_value() == "kept all the same"
    context.close()
