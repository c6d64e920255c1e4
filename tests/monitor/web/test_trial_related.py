"""The trials like one, on its page: which they are, having them watched, and asking the registry for more."""

import re

import httpx2

from monitor.daemon import Daemon
from monitor.demo.standin import StandIn
from monitor.relating import ask_wanted
from notifiers import due_watches, watches
from snapshots import related
from snapshots.database import Database
from tests.monitor.web.browsing import SiteUnderTest, csrf, serving
from tests.monitor.web.test_trial_page import page, words
from tests.monitor.web.trials import TRIAL, indexed, lived, record
from tests.registries import Asked, nct

OTHERS = (
    record(2, title="Example Cells for Children", condition="Imaginary Fever"),
    record(3, title="A Drug in Fever", condition="Imaginary Fever", intervention="Placebamide", sponsor="Nobody Ltd"),
    record(4, title="Surgery of the Knee", condition="Knee Pain", intervention="Knee Surgery", sponsor="Knee Clinic"),
)


def related_ids(answer: httpx2.Response) -> list[str]:
    return re.findall(r'class="code">(NCT\d+)<', answer.text)


def test_stored_trials_that_are_like_it_come_the_likest_first(site_on_each: SiteUnderTest) -> None:
    lived(site_on_each.database, [record(), *OTHERS])
    indexed(site_on_each.database)

    assert related_ids(page(site_on_each)) == [nct(2), nct(3)]


def test_a_related_trial_is_watched_with_one_click(site: SiteUnderTest) -> None:
    lived(site.database, [record(), *OTHERS])
    indexed(site.database)
    with site.database.write() as connection:
        watches.remove(connection, "ctgov", [nct(2)])
    browser = site.signed_in()
    shown = browser.get(f"/trials/{TRIAL}")
    assert f"Watch: {nct(2)}" in shown.text

    browser.post(f"/trials/{TRIAL}/watch", data={"csrf": csrf(shown), "id": nct(2)})

    with site.database.read() as connection:
        assert nct(2) in due_watches.watched_ids(connection, "ctgov")


def test_who_browsed_more_still_sees_more_after_a_click(site: SiteUnderTest) -> None:
    many = [record(number, title=f"Example Cells, part {number}") for number in range(2, 13)]
    lived(site.database, [record(), *many])
    indexed(site.database)
    with site.database.write() as connection:
        watches.remove(connection, "ctgov", [nct(number) for number in range(2, 13)])
    browser = site.signed_in()
    assert len(related_ids(browser.get(f"/trials/{TRIAL}"))) == 8
    shown = browser.get(f"/trials/{TRIAL}?related=more")
    a_form = rf'<form method="post" action="(/trials/{TRIAL}/(?:watch|related))"(.*?)</form>'
    forms = re.findall(a_form, shown.text, re.DOTALL)
    assert len(forms) == 12  # eleven to watch one, and one to ask the registry

    for action, form in forms[-2:]:
        fields = dict(re.findall(r'name="(\w+)" value="([^"]*)"', form))
        led = browser.get(browser.post(action, data=fields).headers["location"].partition("#")[0])
        assert len(related_ids(led)) == 11


def test_the_daemon_reads_new_records_into_the_index(site: SiteUnderTest) -> None:
    lived(site.database, [record(), *OTHERS])
    daemon = Daemon(site.server.site.settings, site.database, site.clock)

    daemon.tick_related()

    assert related_ids(page(site)) == [nct(2), nct(3)]


def test_the_registry_is_asked_once_when_somebody_asks_and_its_answer_is_kept(site: SiteUnderTest) -> None:
    lived(site.database, [record()])
    browser = site.signed_in()
    shown = browser.get(f"/trials/{TRIAL}")
    browser.post(f"/trials/{TRIAL}/related", data={"csrf": csrf(shown)})
    assert "is being asked" in words(browser.get(f"/trials/{TRIAL}"))

    with StandIn() as standin:
        standin.publish("2026-03-09", {nct(5): record(5, title="Example Cells Elsewhere")})
        with Asked(standin) as registry:
            asked = [ask_wanted(site.database, registry, site.clock, lambda: False) for _ in range(2)]

    assert asked == [1, 0]
    answer = browser.get(f"/trials/{TRIAL}")
    assert related_ids(answer) == [nct(5)]
    assert "named by the registry" in words(answer)


def test_a_registry_that_does_not_answer_costs_a_sentence(site: SiteUnderTest) -> None:
    lived(site.database, [record()])
    with site.database.write() as connection:
        related.want(connection, "ctgov", TRIAL, site.clock())
    with StandIn() as standin, Asked(standin) as registry:
        standin.close()
        ask_wanted(site.database, registry, site.clock, lambda: False)

    assert "The registry did not answer" in words(page(site))


def test_a_reader_who_may_not_write_sees_no_buttons(sqlite_database: Database) -> None:
    lived(sqlite_database, [record(), *OTHERS])
    with serving(sqlite_database) as running:
        browser = running.signed_in(running.token("reader"))

        assert f"/trials/{TRIAL}/watch" not in browser.get(f"/trials/{TRIAL}").text
        assert browser.post(f"/trials/{TRIAL}/watch").status_code == 403
