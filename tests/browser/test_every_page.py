"""Every page, as people meet it: narrow, dark, with a keyboard, a screen reader, or full of attacks."""

from collections.abc import Iterator
from functools import cache
from importlib.resources import files
from typing import Any

import pytest

pytest.importorskip("playwright", reason="the browser's tests need: pip install -r requirements-browser.lock")
pytest.importorskip("pytest_playwright", reason="the browser's tests need: pip install -r requirements-browser.lock")
pytest.importorskip(
    "axe_playwright_python", reason="the browser's tests need: pip install -r requirements-browser.lock"
)

from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page

from monitor.web.doors import Door
from tests.browser.world import FILES, World, addresses, mailed, pages, session_cookies

RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
NARROW = {"width": 320, "height": 740}
"""As wide as WCAG's reflow asks for: 1280 pixels at 400 %."""
PAPER = {"width": 718, "height": 1047}
"""A4 less a centimetre on each side, in the browser's pixels."""


@cache
def axe() -> str:
    """The source of axe-core (MPL-2.0), as its package carries it."""
    return (files("axe_playwright_python") / "axe.min.js").read_text(encoding="utf-8")


class Watched:
    """A page that notes whatever it should not do."""

    def __init__(self, context: BrowserContext, home: str) -> None:
        self.page = context.new_page()
        self.home = home
        self.wrong: list[str] = []
        self.page.on("dialog", lambda dialog: (self.wrong.append(f"dialog {dialog.message}"), dialog.dismiss()))
        self.page.on("console", self._said)
        self.page.on("request", lambda request: self._asked(request.url))
        self.page.on("pageerror", lambda error: self.wrong.append(f"error {error}"))

    def _said(self, message: ConsoleMessage) -> None:
        if message.type == "error" and "status of 4" not in message.text:
            self.wrong.append(f"console {message.text}")

    def _asked(self, url: str) -> None:
        if not url.startswith((self.home, "data:", "about:")):
            self.wrong.append(f"asked {url}")

    def violations(self, rules: dict[str, Any]) -> list[str]:
        """What axe finds, one line for each."""
        self.page.evaluate(axe())
        found = self.page.evaluate("rules => axe.run(document, {runOnly: rules, resultTypes: ['violations']})", rules)
        return [
            f"{each['id']}: {each['nodes'][0]['html'][:200]} {each['nodes'][0]['failureSummary'][:300]}"
            for each in found["violations"]
        ]


@pytest.fixture(scope="module")
def found(world: World) -> dict[str, list[str]]:
    return addresses(world)


@pytest.fixture(scope="module")
def watched(world: World, browser: Browser) -> Iterator[Watched]:
    context = browser.new_context(viewport=NARROW, base_url=world.url)
    context.add_cookies(session_cookies(world))
    context.set_default_timeout(10_000)
    yield Watched(context, world.url)
    context.close()


@pytest.mark.parametrize("door", pages(), ids=lambda door: door.path)
def test_a_page_is_accessible_narrow_dark_and_runs_nothing(
    door: Door, found: dict[str, list[str]], watched: Watched
) -> None:
    if door.access == "link":
        return  # only a message leads there: below
    if door.path in FILES and not found.get(door.path):
        return  # a file or a picture, no page
    assert found.get(door.path), "no page leads there: link it, or say so in tests/browser/world.py"
    wrong: list[str] = []
    for address in found[door.path]:
        watched.wrong.clear()
        watched.page.emulate_media(color_scheme="light")
        watched.page.goto(address)
        wrong += [f"{address}: {each}" for each in looked_at(watched)]
    assert wrong == []


@pytest.mark.parametrize("purpose", ["unsubscribe", "acknowledge", "confirm"])
def test_a_page_that_only_a_message_leads_to_is_so_too_for_who_has_no_token(
    purpose: str, world: World, browser: Browser
) -> None:
    context = browser.new_context(viewport=NARROW, base_url=world.url)
    watched = Watched(context, world.url)
    watched.page.goto(mailed(world)[purpose])

    assert looked_at(watched) == []

    watched.page.emulate_media(color_scheme="light")
    watched.page.get_by_role("button").first.click()
    assert watched.page.get_by_role("status").is_visible()
    assert looked_at(watched) == []
    context.close()


def looked_at(watched: Watched) -> list[str]:
    """What is wrong with the page that is open."""
    page = watched.page
    wrong = []
    if page.evaluate("document.documentElement.scrollWidth") > NARROW["width"]:
        wrong.append(f"wider than the screen: {page.evaluate(WIDEST)}")
    if page.evaluate("window.hit !== undefined || document.querySelector('.attacked, a[href^=\"javascript:\" i]')"):
        wrong.append("an attack became part of the page")
    wrong += [f"an id twice: {each}" for each in page.evaluate(TWICE)]
    if page.evaluate("document.querySelector('main') !== null"):
        wrong += watched.violations({"type": "tag", "values": RULES})
        page.emulate_media(color_scheme="dark")
        wrong += [f"dark {each}" for each in watched.violations({"type": "rule", "values": ["color-contrast"]})]
    return wrong + watched.wrong


TWICE = """
() => { const ids = [...document.querySelectorAll('[id]')].map(one => one.id);
        return [...new Set(ids.filter((one, at) => ids.indexOf(one) !== at))]; }
"""
"""Ids that two elements have: what describes a field would be whatever comes first."""


WIDEST = """
() => [...document.querySelectorAll('body *')]
  .filter(one => one.getBoundingClientRect().right > document.documentElement.clientWidth + 1)
  .slice(0, 3).map(one => one.outerHTML.slice(0, 120))
"""


CUT_OFF = """
() => [...document.querySelectorAll('main, main *')]
  .filter(one => one.offsetParent !== null && one.tagName !== 'IFRAME' && getComputedStyle(one).overflowX !== 'visible')
  .filter(one => one.scrollWidth > one.clientWidth + 1)
  .map(one => one.outerHTML.slice(0, 120))
"""
"""What would have to be scrolled to be read, which nobody can do on paper."""


BROKEN = """
() => {
  const found = [], range = document.createRange();
  for (const cell of document.querySelectorAll('main td, main th')) {
    const walker = document.createTreeWalker(cell, NodeFilter.SHOW_TEXT);
    const short = /(?<![^\\s])[A-Za-z]{2,13}(?![^\\s])/g;
    while (walker.nextNode()) for (const word of walker.currentNode.data.matchAll(short)) {
      range.setStart(walker.currentNode, word.index);
      range.setEnd(walker.currentNode, word.index + word[0].length);
      if (new Set([...range.getClientRects()].map(one => Math.round(one.top))).size > 1) found.push(word[0]);
    }
  }
  return [...new Set(found)];
}
"""
"""Words of tables that do not stand on one line: "Complete / d"."""


@pytest.fixture(scope="module")
def paper(world: World, browser: Browser) -> Iterator[Page]:
    context = browser.new_context(viewport=PAPER, base_url=world.url)
    context.add_cookies(session_cookies(world))
    page = context.new_page()
    page.emulate_media(media="print")
    yield page
    context.close()


@pytest.mark.parametrize("door", [door for door in pages() if door.access != "link"], ids=lambda door: door.path)
def test_a_page_that_is_printed_is_whole_and_has_no_buttons(
    door: Door, found: dict[str, list[str]], paper: Page
) -> None:
    if door.path in FILES and not found.get(door.path):
        return  # a file or a picture, no page
    assert found.get(door.path), "no page leads there"
    for address in found[door.path]:
        paper.goto(address)
        assert paper.evaluate("document.documentElement.scrollWidth") <= PAPER["width"], address
        assert paper.evaluate(CUT_OFF) == [], address
        assert paper.locator(":is(button, input, select, textarea):visible").count() == 0, address
        assert paper.evaluate(BROKEN) == [], address


SPOIL = """
() => {
  document.querySelector('main').insertAdjacentHTML('beforeend', '<img src=x><p class=attacked id=content>pale</p>');
  Object.assign(document.querySelector('.attacked').style, {width: '900px', color: '#eee', background: '#fff'});
}
"""


def test_what_is_looked_for_would_be_found(watched: Watched) -> None:
    page = watched.page
    page.goto("/signin")
    page.evaluate(SPOIL)

    found = " ".join(looked_at(watched))

    for each in ("wider than the screen", "an attack", "image-alt", "color-contrast", "an id twice: content"):
        assert each in found


def test_the_keyboard_leads_past_the_navigation_and_shows_where_it_is(world: World, watched: Watched) -> None:
    page = watched.page
    page.goto("/watchlist")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to the content"
    assert page.evaluate("document.activeElement.getBoundingClientRect().left") >= 0
    page.keyboard.press("Enter")
    assert page.evaluate("location.hash") == "#content"
    page.keyboard.press("Tab")
    inside = page.evaluate("document.querySelector('main').contains(document.activeElement)")
    assert inside
    assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") != "none"


def test_without_javascript_every_page_that_is_read_says_what_it_is(
    world: World, found: dict[str, list[str]], browser: Browser
) -> None:
    context = browser.new_context(java_script_enabled=False, base_url=world.url)
    context.add_cookies(session_cookies(world))
    page: Page = context.new_page()
    silent = []
    for door in pages():
        for address in found.get(door.path, [])[:1]:
            page.goto(address)
            html = page.content()
            if "<main" in html and not page.locator("main h1").is_visible():
                silent.append(address)
    context.close()
    assert silent == []
