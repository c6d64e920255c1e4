"""The page of one trial, as its readers ask for it."""

import html
import re
from collections.abc import Iterator
from typing import Any

import httpx2
import pytest

from monitor.demo.standin import StandIn
from notifiers import due_watches, search_members, watches
from notifiers.silences import Silence
from notifiers.watches import Wish
from snapshots import archive
from snapshots.archive.tables import prunings, versions
from snapshots.database import Database
from tests.databases import SqliteFiles
from tests.monitor.stage import DAYS, Stage, at
from tests.monitor.web.browsing import SiteUnderTest, csrf, serving
from tests.monitor.web.trials import TRIAL, indexed, lived, record, site
from tests.monitor.web.trials import site as trial_site
from tests.registries import nct

UNLISTED = nct(404)

ATTACK = "<script>alert(1)</script><img src=x onerror=alert(1)>\u202e"


def page(site_: SiteUnderTest, path: str = f"/trials/{TRIAL}", status: int = 200) -> httpx2.Response:
    answer = site_.signed_in().get(path)
    assert answer.status_code == status, answer.text
    return answer


def words(answer: httpx2.Response) -> str:
    """What a reader sees, on one line."""
    shown = re.sub(r"<(style|script|head)\b.*?</\1>", " ", answer.text, flags=re.DOTALL)
    return re.sub(r"\s+([.,:;])", r"\1", " ".join(re.sub(r"<[^>]+>", " ", shown).split()))


def headings(answer: httpx2.Response) -> list[str]:
    return re.findall(r"<h2[^>]*>(.*?)</h2>", answer.text)


def test_it_has_every_section_of_the_record_in_order(site: SiteUnderTest) -> None:
    lived(site.database, [record()])

    found = headings(page(site))

    assert found == [
        "Where and whom to ask",
        *("Study results", "Basic information", "Brief summary", "Detailed description", "Conditions"),
        *("Study design", "Study groups", "Interventions", "Outcome measures", "Eligibility criteria", "Sponsors"),
        *("Responsible party", "Locations", "Countries", "Central contacts", "Other identifiers"),
        *("Dates of the record", "Related trials"),
    ]


def test_a_changed_part_says_since_when_and_what_it_said_before(site_on_each: SiteUnderTest) -> None:
    lived(
        site_on_each.database,
        [record(enrollment=120, age="18 Years")],
        [record(enrollment=150, age="18 Years", submitted="2026-03-03")],
        [record(enrollment=150, age="21 Years", submitted="2026-03-04")],
    )

    said = words(page(site_on_each))

    assert "so since 3 March 2026. Before: 120" in said
    assert "so since 4 March 2026. Before: 18 Years" in said


def test_of_a_part_that_changed_twice_the_latest_change_is_told(site: SiteUnderTest) -> None:
    days = [[record(enrollment=number, submitted=f"2026-03-0{number}")] for number in (1, 2, 3)]
    lived(site.database, *days)

    said = words(page(site))

    assert "so since 4 March 2026. Before: 2" in said
    assert "Before: 1" not in said


def test_a_site_is_marked_by_its_name_wherever_the_list_has_it_now(site: SiteUnderTest) -> None:
    before = [site_("B Hospital", "NOT_YET_RECRUITING"), site_("A Hospital", "RECRUITING")]
    after = [site_("C Hospital", "RECRUITING"), site_("A Hospital", "RECRUITING"), site_("B Hospital", "RECRUITING")]
    lived(site.database, [record(sites=before)], [record(sites=after, submitted="2026-03-03")])

    rows = re.findall(r'class="site"><strong>(. Hospital)(.*?)</tr>', page(site).text, flags=re.DOTALL)
    changed = {name: "Before: Not yet recruiting" in rest for name, rest in rows}

    assert changed == {"A Hospital": False, "B Hospital": True, "C Hospital": False}


def site_(facility: str, status: str, **said: Any) -> dict[str, Any]:
    return site(facility, status, **said)


SITES = [
    site("Far Closed", "COMPLETED", "Munich", "Germany"),
    site("Near Waiting", "NOT_YET_RECRUITING", "Potsdam", "Germany", geoPoint={"lat": 52.4, "lon": 13.06}),
    site("Far Open", "RECRUITING", "Paris", "France", geoPoint={"lat": 48.85, "lon": 2.35}),
    site("Near Open", "RECRUITING", "Berlin", "Germany", geoPoint={"lat": 52.52, "lon": 13.4}),
]


@pytest.fixture(scope="module")
def four_sites(sqlite_files: SqliteFiles, tmp_path_factory: pytest.TempPathFactory) -> Iterator[SiteUnderTest]:
    """A page with four sites, for all tests that only ask for some of them."""
    database = Database(sqlite_files.url(tmp_path_factory.mktemp("sites"), tables=True))
    lived(database, [record(sites=SITES)])
    with serving(database) as running:
        yield running
    database.dispose()


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("", ["Far Open", "Near Open", "Near Waiting", "Far Closed"]),
        ("?near=Berlin", ["Near Open", "Far Open", "Near Waiting", "Far Closed"]),
        ("?near=52.52,13.4&km=50", ["Near Open", "Near Waiting"]),
        ("?country=France", ["Far Open"]),
        ("?status=RECRUITING&country=Germany", ["Near Open"]),
        ("?q=near+potsdam", ["Near Waiting"]),
        ("?q=nowhere", []),
    ],
)
def test_sites_are_found_and_the_recruiting_ones_come_first(
    four_sites: SiteUnderTest, query: str, names: list[str]
) -> None:
    answer = page(four_sites, f"/trials/{TRIAL}{query}")

    assert re.findall(r'class="site"><strong>(.*?)</strong>', answer.text) == names


def test_the_distance_from_a_place_is_told(four_sites: SiteUnderTest) -> None:
    said = words(page(four_sites, f"/trials/{TRIAL}?near=Berlin"))

    assert re.search(r"Near Waiting .*? 2\d km", said)


def test_a_place_that_may_mean_several_offers_them(four_sites: SiteUnderTest) -> None:
    answer = page(four_sites, f"/trials/{TRIAL}?near=Springfield")

    assert "which one?" in words(answer)
    assert "near=Springfield%2C+Illinois" in answer.text

    assert words(answer).count("Springfield, Illinois, United States") == 1


@pytest.mark.parametrize(
    ("query", "trouble"),
    [
        ("near=Berlin&km=-4", "'-4' is no distance: kilometres up to 20,100"),
        ("near=Berlin&km=abc", "'abc' is no distance"),
        ("near=Berlin&km=nan", "'nan' is no distance"),
        ("km=99999", "'99999' is no distance"),
        ("near=Xyzzyqq&km=50", "no place of that name is known"),
        ("near=99,400", "99 is no latitude, -90 to 90"),
        ("near=9,400", "400 is no longitude, -180 to 180"),
    ],
)
def test_a_distance_or_place_that_is_none_is_told_and_no_site_is_said_to_fit(
    four_sites: SiteUnderTest, query: str, trouble: str
) -> None:
    said = words(page(four_sites, f"/trials/{TRIAL}?{query}"))

    assert trouble in html.unescape(said)
    assert "what you asked for" not in said
    assert "latitude =" not in said
    assert "Far Closed" in said  # nothing is left out for it


def test_a_thousand_sites_are_shown_fifty_at_a_time_and_counted_by_country(site: SiteUnderTest) -> None:
    many = [
        site_(f"Example {number:03}", "RECRUITING", city="Lyon", country=f"Land {number % 9}") for number in range(1000)
    ]
    lived(site.database, [record(sites=many)])

    first, last = page(site), page(site, f"/trials/{TRIAL}?page=20")

    assert first.text.count('class="site"') == last.text.count('class="site"') == 50
    assert "1,000 sites in 9 countries" in words(first)
    assert len(first.content) < 120_000


def test_many_sites_are_counted_alike_wherever_they_are_counted(site: SiteUnderTest) -> None:
    spot = {"lat": 45.75, "lon": 4.85}
    many = [
        site_(f"Example {number}", "RECRUITING", city="Lyon", country="France", geoPoint=spot) for number in range(1001)
    ]
    lived(site.database, [record(sites=[*many, site_("Other", "COMPLETED")])])

    text = page(site).text

    assert "1,001 sites in Lyon, 1,001 of them open" in text
    assert "France (1,001)" in text
    assert "Recruiting: 1,001" in text
    assert not re.search(r">[^<]*\b1001\b", text)


def test_a_record_that_is_gone_is_told_in_a_sentence_of_its_own(site: SiteUnderTest) -> None:
    with StandIn() as standin:
        stage = Stage(site.database, standin)
        stage.watch(TRIAL)
        stage.day(DAYS[0], record())
        standin.remove([TRIAL])
        stage.day(DAYS[1])

    shown = re.sub(r"<[^>]+>", "", page(site).text)

    assert re.search(r"UTC\.\s+The registry did not answer for it", shown)


def test_what_the_record_says_is_never_markup(site: SiteUnderTest) -> None:
    hostile = record(
        title=ATTACK, summary=ATTACK, condition=ATTACK, intervention=ATTACK, sponsor=ATTACK, criteria=ATTACK,
        status=ATTACK, sites=[site_(ATTACK, ATTACK, city=ATTACK, country=ATTACK)], outcomes=[{"measure": ATTACK}],
    )  # fmt: skip
    lived(site.database, [hostile], [{**hostile, "hasResults": True}])
    indexed(site.database)

    text = page(site).text

    assert "<script>alert" not in text
    assert "<img src=x" not in text
    assert "\u202e" not in text


def test_a_trial_that_is_not_stored_can_be_watched_with_one_click(site: SiteUnderTest) -> None:
    browser = site.signed_in()
    shown = browser.get(f"/trials/{TRIAL}")
    assert shown.status_code == 404

    answer = browser.post(f"/trials/{TRIAL}/watch", data={"csrf": csrf(shown)})

    assert answer.headers["location"] == f"/trials/{TRIAL}"
    with site.database.read() as connection:
        assert list(due_watches.watched_ids(connection, "ctgov")) == [TRIAL]
    assert "was not fetched yet" in words(browser.get(f"/trials/{TRIAL}"))


def test_an_id_that_the_registry_does_not_list_says_so_and_since_when_and_can_be_left(site: SiteUnderTest) -> None:
    lived(site.database, [record()])
    with site.database.write() as connection:
        watches.add(connection, Wish(registry="ctgov", record_id=UNLISTED), site.clock())
    with StandIn() as standin:
        Stage(site.database, standin).day(DAYS[1], record())
    browser = site.signed_in()

    shown = browser.get(f"/trials/{UNLISTED}")

    assert shown.status_code == 404
    assert f"The registry lists no record {UNLISTED} Asked 3 March 2026, 14:00 UTC" in words(shown)
    (action,) = re.findall(r'action="(/watchlist/\d+)"', shown.text)
    browser.post(action, data={"csrf": csrf(shown), "wish": "remove"})
    assert "Watch it anyway" in words(browser.get(f"/trials/{UNLISTED}"))
    with site.database.read() as connection:
        assert UNLISTED not in due_watches.watched_ids(connection, "ctgov")


def test_where_and_whom_to_ask_stand_before_the_first_section(site: SiteUnderTest) -> None:
    lived(site.database, [record()])

    said = words(page(site))

    asked = said.index("Where and whom to ask 1 site in Germany, 1 open to participants. Ann Example, +1 555 0100")
    assert asked < said.index("Study results Whether")


def test_points_of_the_map_are_named_and_lead_to_their_sites(site: SiteUnderTest) -> None:
    lived(site.database, [record(sites=[trial_site("Example Hospital", "RECRUITING")])])

    text = page(site).text

    name, target = re.search(r'<a href="(#site-\d+)" tabindex="-1" aria-label="([^"]+)">', text).group(2, 1)  # type: ignore[union-attr]
    assert name == "Example Hospital, Berlin, Recruiting"
    assert f'<tr id="{target[1:]}" role="row">' in text


def test_a_paused_watch_is_told_so_instead_of_offering_another(site: SiteUnderTest) -> None:
    lived(site.database, [record()])
    with site.database.write() as connection:
        watches.pause(connection, "ctgov", [TRIAL], site.clock())

    answer = page(site)

    assert "Its watch is paused" in words(answer)
    assert "Watch this trial" not in words(answer)
    assert TRIAL in words(page(site, watch_link(answer)))


def watch_link(answer: httpx2.Response) -> str:
    """Where the page leads for what can be done with the trial's watch."""
    (found,) = re.findall(r'href="(/watchlist/\d+)"', answer.text)
    return str(found)


def test_the_way_to_its_watch_stands_on_it(site: SiteUnderTest) -> None:
    lived(site.database, [record()])

    led = page(site, watch_link(page(site)))

    assert TRIAL in words(led)
    assert "Remove from the watchlist" in words(led)


def test_the_way_to_the_search_that_found_it_stands_on_it(site: SiteUnderTest) -> None:
    lived(site.database, [record()])
    with site.database.write() as connection:
        watches.remove(connection, "ctgov", [TRIAL])
        wish = Wish(registry="ctgov", search={"query.cond": "fever"}, name="fevers")
        watches.add(connection, wish, site.clock())
    with StandIn() as standin:
        Stage(site.database, standin).day(DAYS[1], record())

    answer = page(site)

    assert "Watched: the search fevers." in words(answer)
    assert "fevers" in words(page(site, watch_link(answer)))


def test_a_pause_and_a_snooze_are_said_where_a_search_watches_the_trial_all_the_same(site: SiteUnderTest) -> None:
    lived(site.database, [record()], [record()])
    with site.database.write() as connection:
        watches.add(connection, Wish(registry="ctgov", search={"query.cond": "x"}, name="fever"), at("2026-03-01"))
        (search,) = [each for each in watches.listing(connection) if each.search is not None]
        search_members.put(connection, search.id, TRIAL, is_found=True)
        watches.pause(connection, "ctgov", [TRIAL], at(DAYS[0], 15), by="ann", reason="holidays")

    assert "Last confirmed 3 March 2026, 14:00 UTC" in words(page(site))
    assert "Watched: the search fever; its pause, group and note; its own watch is paused, by ann: holidays." in words(
        page(site)
    )
    row = words(page(site, "/watchlist?state=paused"))
    assert "Paused by ann: holidays; a search watches it all the same" in row
    assert "3 March 2026, 14:00 UTC Paused" in row

    with site.database.write() as connection:
        watches.pause(connection, "ctgov", [TRIAL], site.clock(), paused=False)
        rest = Silence(until=at("2027-01-01"), by="ann")
        watches.snooze(connection, "ctgov", [TRIAL], rest, site.clock())

    assert "; its own watch is snoozed until 1 January 2027, 14:00 UTC, by ann." in words(page(site))


def test_since_when_the_registry_does_not_list_a_trial_is_its_first_absence(site: SiteUnderTest) -> None:
    lived(site.database, [record()])
    with site.database.write() as connection:
        for release in ("2026-03-03", "2026-03-04"):
            archive.note_absent(connection, "ctgov", TRIAL, release)

    assert "does not list it any more, since 3 March 2026" in words(page(site))


@pytest.mark.parametrize(
    ("query", "status", "ways"),
    [
        ("version=999", 404, [f"/trials/{TRIAL}/versions", f"/trials/{TRIAL}"]),
        ("as_of=foo", 400, [f"/trials/{TRIAL}"]),
    ],
)
def test_what_went_wrong_leads_back_to_the_trial(
    four_sites: SiteUnderTest, query: str, status: int, ways: list[str]
) -> None:
    text = page(four_sites, f"/trials/{TRIAL}?{query}", status).text

    assert [way for way in re.findall(r'<li><a href="([^"]+)"', text) if way.startswith("/trials")] == ways


def test_fields_have_the_names_of_the_field_and_a_former_target_says_that_it_was_planned(site: SiteUnderTest) -> None:
    first = record(enrollment=540)
    first["protocolSection"]["oversightModule"] = {"oversightHasDmc": True, "isFdaRegulatedDrug": False}
    second = record(enrollment=311, submitted="2026-03-03")
    second["protocolSection"]["oversightModule"] = first["protocolSection"]["oversightModule"]
    second["protocolSection"]["designModule"]["enrollmentInfo"]["type"] = "ACTUAL"
    lived(site.database, [first], [second])

    said = words(page(site))

    assert "Data monitoring committee Yes" in said
    assert "Studies a U.S. FDA-regulated drug product No" in said
    assert "Before: 540 (planned)." in said


def test_what_is_no_id_is_told_so(site: SiteUnderTest) -> None:
    assert "no id of a trial" in words(page(site, "/trials/abc", 404))


def test_a_former_id_leads_to_the_record(site: SiteUnderTest) -> None:
    lived(site.database, [record()])
    with site.database.write() as connection:
        archive.merge(connection, "ctgov", nct(77), TRIAL)

    answer = site.signed_in().get(f"/trials/{nct(77)}")

    assert answer.status_code == 303
    assert answer.headers["location"] == f"/trials/{TRIAL}"
    version = site.signed_in().get(f"/trials/{nct(77)}?version=1&page=2")
    assert version.headers["location"] == f"/trials/{TRIAL}?version=1&page=2"
    then = page(site, f"/trials/{nct(77)}?as_of=2026-03-02")
    assert f"Nothing is stored of {nct(77)} by itself: the registry answers for it under {TRIAL}" in words(then)
    assert f'action="/trials/{nct(77)}"' in then.text
    assert words(page(site, f"/trials/{nct(77)}/history")) == words(page(site, f"/trials/{TRIAL}/history"))


def test_a_newest_version_that_was_pruned_is_told_in_a_sentence(site: SiteUnderTest) -> None:
    lived(site.database, [record()])
    with site.database.write() as connection:
        connection.execute(prunings.insert().values(id=1, pruned_at=site.clock(), pruned_by="alice"))
        connection.execute(versions.update().values(pruned=1, data=b""))

    assert "it was pruned on 2026-11-22 by alice" in words(page(site, status=410))


def test_the_notes_and_the_way_to_the_registry_stand_on_it(site: SiteUnderTest) -> None:
    lived(site.database, [record()])

    answer = page(site)

    assert "verify with the study’s contact" in words(answer)
    assert "Nothing here is medical advice" in words(answer)
    assert answer.text.casefold().count("medical advice") == 1
    assert f'href="https://clinicaltrials.gov/study/{TRIAL}"' in answer.text
