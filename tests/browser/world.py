"""A registry, a mail server, a database and a site, in which an invented trial's every text is an attack."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from random import Random
from typing import Any

import httpx2

from monitor import wiring
from monitor.demo.sinks import MailSink
from monitor.demo.standin import StandIn
from monitor.demo.story import releases
from monitor.web.doors import Door, doors
from notifiers import acknowledgements, confirmations, digest, ledger, links, watches
from notifiers import addresses as addresses_told
from notifiers.deliver import deliver_due
from notifiers.watches import Wish
from snapshots.database import Database
from tests.monitor.stage import DAYS, Stage, at
from tests.monitor.web.browsing import OWN_TOKEN, Clock, SiteUnderTest, serving
from tests.notifiers.cast import subscribe

EVIL, GOOD = "NCT99000666", "NCT99000001"
ATTACK = '"\'><script>window.hit=1</script><img class=attacked src=x onerror="window.hit=1">{{7*7}}</title></textarea>'
_NO_TEXT = re.compile(r"[A-Z0-9_]+|NCT\d{8}|[\d.T:-]+|[A-Z]\d+|\d+ (?:Years|Months)")

NOT_REACHED = {
    # a link that only a terminal shows, and those of feeds, which are no pages
    "/signin/once/{code}",
}
"""Doors that no page leads to."""


def attacked(value: Any) -> Any:
    """The value with the attack in every text that is no id, date or word of the registry's own."""
    if isinstance(value, dict):
        return {name: attacked(each) for name, each in value.items()}
    if isinstance(value, list):
        return [attacked(each) for each in value]
    return f"{value[:60]} {ATTACK}" if isinstance(value, str) and not _NO_TEXT.fullmatch(value) else value


class World:
    """What a test plays with: the site, and the world around it."""

    def __init__(self, stage: Stage, site: SiteUnderTest, mail: MailSink, clock: Clock) -> None:
        self.stage = stage
        self.site = site
        self.mail = mail
        self.clock = clock
        self.url = site.url

    def day(self, day: str, *records: dict[str, Any]) -> None:
        """A release with these records, looked at and told of."""
        self.stage.day(day, *records)
        self.clock.now = self.stage.now
        self.deliver()

    def deliver(self) -> None:
        settings = wiring.delivery_settings(self.site.server.site.settings)
        deliver_due(self.site.database, settings, "test", self.clock, Random(1), threads=1)


@contextmanager
def lived_in(url: str, *, empty: bool = False) -> Iterator[World]:
    """The world; unless it is `empty`, with a past."""
    database = Database(url)
    clock = Clock(at(DAYS[0]))
    with StandIn() as standin, MailSink() as mail:
        given = {"ctgov_url": standin.url, "smtp_url": mail.url, "mail_from": "trials@example.org"}
        with serving(database, clock, request_interval="0.05", **given) as site:
            world = World(Stage(database, standin), site, mail, clock)
            if not empty:
                _live(world)
            yield world
    database.dispose()


def _live(world: World) -> None:
    story = list(releases())
    first, last = story[0].records, story[-1].records
    chosen = next(each for each in first if first[each] != last[each])
    with world.site.database.write() as connection:
        for each, group in ((chosen, "kidney"), (EVIL, ATTACK)):
            wish = Wish(registry="ctgov", record_id=each, group=group, note=ATTACK)
            watches.add(connection, wish, world.stage.now)
        watches.add(connection, Wish(registry="ctgov", record_id="NCT99000404"), world.stage.now)
        search = {"query.cond": ATTACK}
        watches.add(connection, Wish(registry="ctgov", search=search, name=f"search {ATTACK}"), world.stage.now)
        subscribe(connection, f"all {ATTACK}", ["mailto:alice@example.org"], at=world.stage.now, watches="all")
        weekly = {"digest": "weekly", "on": "monday", "at": "08:00", "timezone": "UTC"}
        subscribe(connection, "weekly", ["mailto:bob@example.org"], at=world.stage.now, watches="all", deliver=weekly)
    for day, records in ((DAYS[0], first), (DAYS[1], last)):
        evil = attacked(records[chosen])
        evil["protocolSection"]["identificationModule"]["nctId"] = EVIL
        world.day(day, records[chosen], evil)
    world.stage.now = world.clock.now = at("2026-03-09", 9)
    with world.site.database.write() as connection:
        digest.enqueue_due(connection, world.clock.now)
    world.deliver()
    with world.site.database.read() as connection:
        seen = acknowledgements.unseen(connection)
    if seen:
        with world.site.database.write() as connection:
            acknowledgements.acknowledge(connection, seen[0].delivery_id, ATTACK, world.clock.now)


# --- every address ----------------------------------------------------------------------------------------------------

_LINK = re.compile(r'(?:href|src|action)="(/[^"#]*)')
MOST_ASKED = 400
FILES: set[str] = set()
"""The doors at which the following of links met files and pictures instead of pages."""


def pages() -> list[Door]:
    """Every door at which a person reads a page."""
    apart = ("/feeds/{", "/assets/")
    return [
        door
        for door in doors()
        if door.kind == "page" and door.get and door.path not in NOT_REACHED and not door.path.startswith(apart)
    ]


def pattern(door: Door) -> re.Pattern[str]:
    """What addresses of that door look like."""
    return re.compile("".join("[^/]+" if part.startswith("{") else re.escape(part)
                              for part in re.split(r"(\{[^}]+\})", door.path)))  # fmt: skip


def door_of(path: str) -> Door | None:
    """The door that answers at a path: the first that fits."""
    return next((door for door in doors() if pattern(door).fullmatch(path)), None)


def addresses(world: World, each: int = 1) -> dict[str, list[str]]:
    """Addresses by the path of their door, `each` at most, found by following every link from the start; the trial
    whose texts are attacks first.
    """
    browser = world.site.signed_in()
    found: dict[str, list[str]] = {}
    waiting = [f"/trials/{EVIL}", "/", "/signin", "/watchlist", "/templates", "/addresses", "/settings", "/api"]
    asked: set[str] = set()
    while waiting and len(asked) < MOST_ASKED:
        address = waiting.pop(0)
        door = door_of(address.partition("?")[0])
        if address in asked or door is None or door.get is None or door.kind == "api":
            continue
        known = found.setdefault(door.path, [])
        asked.add(address)
        if len(known) >= each:
            continue
        answer = browser.get(address)
        if answer.status_code == 200 and answer.headers["content-type"].startswith("text/html"):
            known.append(address)
            waiting += [link.replace("&amp;", "&") for link in _LINK.findall(answer.text)]
        elif answer.status_code == 200:
            FILES.add(door.path)
    return found


def mailed(world: World) -> dict[str, str]:
    """The pages that only a message leads to, by what each is for; the message told of the attacks."""
    links.ensure_key(world.site.database, world.clock.now)
    with world.site.database.write() as connection:
        confirmations.require(connection, required=True, now=world.clock.now)
        asked, _ = addresses_told.ensure(connection, "mailto:new@example.org", world.clock.now)
    with world.site.database.read() as connection:
        told = next(each for each in ledger.of_record(connection, "ctgov", EVIL) if each.type == "trial.changed")
        found = {
            "unsubscribe": links.unsubscribe_url(connection, world.url, told.delivery_id),
            "acknowledge": links.acknowledge_url(connection, world.url, told.delivery_id),
            "confirm": links.confirm_url(connection, world.url, asked),
        }
    return {name: url for name, url in found.items() if url}


def session_cookies(world: World, token: str = OWN_TOKEN) -> list[dict[str, Any]]:
    """The cookies of somebody who signed in, as a browser takes them."""
    browser: httpx2.Client = world.site.signed_in(token)
    return [{"name": one.name, "value": one.value or "", "url": world.url} for one in browser.cookies.jar]
