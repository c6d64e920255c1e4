"""Which site of a trial's page is marked: the one that changed, however many others read like it."""

import re
from typing import Any

from snapshots.archive.tables import prunings, versions
from tests.monitor.web.browsing import SiteUnderTest
from tests.monitor.web.test_trial_page import page, words
from tests.monitor.web.trials import lived, record, site

Json = Any


def row(contact: str, status: str = "RECRUITING", zip_: str = "10001", **said: Json) -> dict[str, Json]:
    """One of many sites of one name in one city; its contact tells which."""
    return site("Research Site", status, "New York", "United States", zip=zip_, contacts=[{"name": contact}], **said)


def told(site_: SiteUnderTest) -> dict[str, str]:
    """What each row of the table is marked with, by its contact; "" where it is not marked."""
    rows = re.findall(r'<tr id="site-\d+" role="row">(.*?)</tr>', page(site_).text, flags=re.DOTALL)
    found = (re.sub(r"\s+\.", ".", " ".join(re.sub(r"<[^>]+>", " ", each).split())) for each in rows)
    marks = (re.search(r"Contact (\w+)(?:.*?so since (.*?)\.? Recruiting$)?", each) for each in found)
    return {mark[1]: mark[2] or "" for mark in marks if mark}


def beside(site_: SiteUnderTest) -> str:
    """What stands below the table."""
    said = words(page(site_))
    return said.partition("Also changed here")[2].partition("Countries Where")[0]


def test_of_sites_that_differ_in_their_zip_only_the_one_that_changed_is_marked(site_on_each: SiteUnderTest) -> None:
    before = [row("Ann", zip_="10001"), row("Bob", "NOT_YET_RECRUITING", zip_="10002"), row("Cem", zip_="10003")]
    after = [row("Ann", zip_="10001"), row("Bob", zip_="10002"), row("Cem", zip_="10003")]
    lived(site_on_each.database, [record(sites=before)], [record(sites=after, submitted="2026-03-03")])

    assert told(site_on_each) == {"Ann": "", "Bob": "3 March 2026. Before: Not yet recruiting", "Cem": ""}


def test_of_sites_that_read_alike_the_one_that_changed_is_marked_wherever_it_stands_now(site: SiteUnderTest) -> None:
    first = [row("Ann"), row("Bob", "NOT_YET_RECRUITING"), row("Cem")]
    second = [row("Ann"), row("Bob"), row("Cem")]
    third = [row("Cem"), row("Bob")]
    lived(
        site.database,
        [record(sites=first)],
        [record(sites=second, submitted="2026-03-03")],
        [record(sites=third, submitted="2026-03-04")],
    )

    assert told(site) == {"Bob": "3 March 2026. Before: Not yet recruiting", "Cem": ""}
    assert "4 March 2026: Research Site, New York 10001, United States (no. 1 of 3 there) is no longer" in beside(site)


def test_a_site_that_went_and_came_again_is_not_told_as_gone(site: SiteUnderTest) -> None:
    days = ([row("Ann"), row("Bob")], [row("Ann")], [row("Ann"), row("Bob")])
    lived(site.database, *([record(sites=sites, submitted=f"2026-03-0{at}")] for at, sites in enumerate(days, 1)))

    assert "no longer listed" not in beside(site)
    assert told(site)["Ann"] == ""
    assert told(site)["Bob"].startswith("4 March 2026.")


def test_a_zip_that_was_filled_in_later_takes_no_mark_away(site: SiteUnderTest) -> None:
    without = {**row("Ann", "NOT_YET_RECRUITING"), "zip": None}
    days = ([without], [{**without, "status": "RECRUITING"}], [row("Ann")])
    lived(site.database, *([record(sites=sites, submitted=f"2026-03-0{at}")] for at, sites in enumerate(days, 1)))

    assert told(site) == {"Ann": "3 March 2026. Before: Not yet recruiting"}


def test_which_of_several_it_was_is_not_guessed_where_the_version_was_pruned(site: SiteUnderTest) -> None:
    days = ([row("Ann"), row("Bob", "NOT_YET_RECRUITING")], [row("Ann"), row("Bob")])
    lived(
        site.database,
        *([record(sites=sites, submitted=f"2026-03-0{at}")] for at, sites in enumerate(days, 1)),
        [record(sites=days[1], submitted="2026-03-04", age="21 Years")],
    )
    with site.database.write() as connection:
        connection.execute(prunings.insert().values(id=1, pruned_at=site.clock(), pruned_by="alice"))
        connection.execute(versions.update().where(versions.c.number == 2).values(pruned=1))

    assert told(site) == {"Ann": "", "Bob": ""}
    assert "Research Site, New York 10001, United States (no. 2 of 2 there) is now recruiting" in beside(site)
