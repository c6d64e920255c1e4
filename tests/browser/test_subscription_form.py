"""The form of a subscription shows what matters for what was chosen, with and without JavaScript."""

import pytest

pytest.importorskip("playwright", reason="the browser's tests need: pip install -r requirements-browser.lock")
pytest.importorskip("pytest_playwright", reason="the browser's tests need: pip install -r requirements-browser.lock")

from playwright.sync_api import Browser, Page

from tests.browser.world import World, session_cookies

DIGEST = ("The digest comes", "On", "At", "Time zone of the clock")


def opened(world: World, browser: Browser, *, scripts: bool) -> Page:
    context = browser.new_context(base_url=world.url, java_script_enabled=scripts, timezone_id="Asia/Tokyo")
    context.add_cookies(session_cookies(world))
    page = context.new_page()
    page.goto("/subscriptions/new")
    return page


@pytest.mark.parametrize("scripts", [True, False], ids=["scripts", "no scripts"])
def test_what_belongs_to_a_digest_shows_where_a_digest_is_chosen(world: World, browser: Browser, scripts: bool) -> None:
    page = opened(world, browser, scripts=scripts)
    fields = [page.get_by_label(label, exact=True) for label in DIGEST]

    assert not any(field.is_visible() for field in fields)
    page.get_by_label("In a digest", exact=True).check()
    assert all(field.is_visible() for field in fields)
    assert not page.get_by_label("Told at once").is_visible()
    page.get_by_label("The digest comes").select_option("monthly")
    assert page.get_by_label("On day of the month").is_visible()
    assert not page.get_by_label("On", exact=True).is_visible()
    page.context.close()


def test_a_new_form_begins_with_the_readers_time_zone_and_fifty_kilometres(world: World, browser: Browser) -> None:
    page = opened(world, browser, scripts=True)

    assert page.get_by_label("Time zone of the clock").input_value() == "Asia/Tokyo"
    assert page.get_by_label("Within kilometres").input_value() == "50"
    page.context.close()
