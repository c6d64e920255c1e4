"""What a reader has of every page: times in their own zone, and paper without buttons."""

import re

import pytest

pytest.importorskip("playwright", reason="the browser's tests need: pip install -r requirements-browser.lock")
pytest.importorskip("pytest_playwright", reason="the browser's tests need: pip install -r requirements-browser.lock")

from playwright.sync_api import Browser, Page

from tests.browser.world import EVIL, World, session_cookies


def opened(world: World, browser: Browser, **how: object) -> Page:
    context = browser.new_context(base_url=world.url, **how)  # type: ignore[arg-type]
    context.add_cookies(session_cookies(world))
    page: Page = context.new_page()
    page.goto("/health")
    return page


def hour(words: str) -> int:
    """The hour in the words of a time: "2 March 2026, 14:05 UTC"."""
    return int(re.findall(r"(\d{1,2}):\d\d", words)[0])


def test_a_time_is_shown_in_the_reader_s_zone_and_the_exact_one_on_hover(world: World, browser: Browser) -> None:
    page = opened(world, browser, timezone_id="Asia/Tokyo")
    time = page.locator("main time[datetime*='T']").first
    exact, shown = time.get_attribute("title") or "", time.inner_text()

    assert exact.endswith(" UTC")
    assert hour(shown) == (hour(exact) + 9) % 24
    assert "UTC" not in shown
    page.context.close()


def test_without_javascript_times_are_in_utc_and_say_so(world: World, browser: Browser) -> None:
    page = opened(world, browser, timezone_id="Asia/Tokyo", java_script_enabled=False)
    time = page.locator("main time[datetime*='T']").first

    assert hour(time.inner_text()) == hour(time.get_attribute("title") or "")
    assert time.inner_text().endswith("UTC")
    page.context.close()


@pytest.mark.parametrize("path", ["/", "/watchlist", "/subscriptions", "/deliveries", "/health"])
def test_paper_has_the_words_and_no_buttons(path: str, world: World, browser: Browser) -> None:
    page = opened(world, browser, color_scheme="dark")
    page.goto(path)
    page.emulate_media(media="print", color_scheme="dark")

    assert page.locator("main h1").is_visible()
    for left_out in ("button:visible", "nav:visible >> a.current", ".top nav:visible", ".pager:visible"):
        assert page.locator(left_out).count() == 0, left_out
    assert page.evaluate("getComputedStyle(document.body).color") == "rgb(0, 0, 0)"
    page.context.close()


@pytest.mark.parametrize("path", ["/health", "/trials/{trial}/timeline", "/trials/{trial}/versions"])
def test_on_a_phone_no_table_of_many_columns_hides_some_of_them(path: str, world: World, browser: Browser) -> None:
    page = opened(world, browser, viewport={"width": 360, "height": 740})
    page.goto(path.format(trial=EVIL))
    tables = page.locator(".scroll:has(> .stacked)")

    assert tables.count() >= 1
    assert tables.evaluate_all("all => all.filter(one => one.scrollWidth > one.clientWidth).length") == 0
    page.context.close()


@pytest.mark.parametrize("path", ["", "/history", "/timeline", "/versions", "/compare"])
def test_on_a_phone_every_table_of_a_trial_is_cards_that_stand_on_the_page_s_own_ground(
    path: str, world: World, browser: Browser
) -> None:
    page = opened(world, browser, viewport={"width": 360, "height": 740})
    page.goto(f"/trials/{EVIL}{path}")
    tables = page.locator("main .scroll")

    assert tables.count() >= 1
    assert page.locator("main .scroll > table:not(.stacked)").count() == 0
    assert tables.evaluate_all("all => all.filter(one => one.scrollWidth > one.clientWidth).length") == 0
    assert set(tables.evaluate_all("all => all.map(one => getComputedStyle(one).backgroundImage)")) == {"none"}
    page.context.close()


@pytest.mark.parametrize("path", ["/watchlist", "/health", "/trials/{trial}/versions"])
def test_on_a_phone_cards_look_the_same_on_every_page(path: str, world: World, browser: Browser) -> None:
    page = opened(world, browser, viewport={"width": 360, "height": 740}, color_scheme="light")
    page.goto(path.format(trial=EVIL))
    ground = "one => getComputedStyle(one).backgroundColor"

    assert page.locator("main .scroll > table[role=table] > tbody > tr").first.evaluate(ground) == "rgb(255, 255, 255)"
    assert page.locator("main .scroll:has(> table[role=table])").first.evaluate(ground) == "rgba(0, 0, 0, 0)"
    page.context.close()
