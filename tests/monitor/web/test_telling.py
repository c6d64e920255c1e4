"""Subscriptions written, tried, changed and put to rest on the page, as somebody without JavaScript does it."""

import base64
import hmac
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from html import unescape
from pathlib import Path
from random import Random
from typing import Any

import httpx2
import pytest

from monitor import wiring
from monitor.demo.sinks import HookSink
from notifiers import subscriptions, watches
from notifiers.conditions import Conditions, Near, Place
from notifiers.deliver import deliver_due
from notifiers.silences import Silence
from notifiers.subscriptions import Selection, Subscription, Timing
from notifiers.watches import Wish
from snapshots.database import Database
from tests.monitor.stage import DAYS, RECRUITING, Stage, copied, lived_in_file, trial
from tests.monitor.web.browsing import Clock, SiteUnderTest, csrf, serving
from tests.registries import nct

ONE, TWO = nct(1), nct(2)
MAIL = "mailto:alice@example.org"


def _lives(stage: Stage) -> None:
    with stage.database.write() as connection:
        watches.add(connection, Wish(registry="ctgov", record_id=ONE, group="tea"), stage.now)
        watches.add(connection, Wish(registry="ctgov", record_id=TWO), stage.now)
    stage.day(DAYS[0], trial(ONE, title="A Trial of Tea"), trial(TWO, title="A Trial of Coffee"))
    stage.subscribe(Subscription(name="sites", to=(MAIL,), when=Conditions(kinds=("site.recruiting",))))
    stage.day(DAYS[1], trial(ONE, RECRUITING, "2026-03-02", title="A Trial of Tea"))


past = lived_in_file(_lives)


@pytest.fixture
def site(past: Path, tmp_path: Path) -> Iterator[SiteUnderTest]:
    """A site over two watched trials, of which one began to recruit; one subscription told it."""
    for database in copied(past, tmp_path):
        with serving(database, Clock()) as running:
            yield running


@pytest.fixture(scope="module")
def reading(past: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[SiteUnderTest, httpx2.Client]]:
    """The same, and a browser, for tests that change nothing."""
    for database in copied(past, tmp_path_factory.mktemp("reading")):
        with serving(database, Clock()) as running:
            yield running, running.signed_in()


def post(browser: httpx2.Client, path: str, **fields: Any) -> httpx2.Response:
    return browser.post(path, data={"csrf": csrf(browser.get("/")), **fields})


def words(page: httpx2.Response) -> str:
    """What a reader reads."""
    found = re.search(r"<main.*</main>", page.text, re.DOTALL)
    assert found, page.text
    return unescape(re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", found[0])))


def errors(page: httpx2.Response) -> dict[str, str]:
    """The lines beside fields, by field."""
    found = re.findall(r'<p class="error" id="[ef]-([^"]+)">([^<]*)', page.text)
    return {name: unescape(line) for name, line in found}


def kept(site: SiteUnderTest, name: str) -> Subscription | None:
    with site.database.read() as connection:
        found = subscriptions.find(connection, name)
    return found.subscription if found else None


WISH = {"name": "tea", "to": "bob@example.org", "kind": ["site.*", "recruitment.opened"], "told": "immediately"}
ALL_OF_IT = WISH | {
    "to": "bob@example.org\nhttps://hooks.example.org/trials",
    "about": "group",
    "group": "tea",
    "kinds_typed": "!site.renamed",
    "min_severity": "minor",
    "countries": "China\nDE",
    "sites": "Example Hospital",
    "place": "Beijing",
    "km": "50",
    "shift_days_over": "30",
    "status": ["RECRUITING"],
    "becomes": "TERMINATED, PHASE3",
    "sponsor": "Example Sponsor",
    "told": "both",
    "every": "weekly",
    "weekday": "friday",
    "at": "07:30",
    "timezone": "Asia/Shanghai",
    "immediately": "critical",
    "quiet_from": "22:00",
    "quiet_to": "06:00",
    "max_per_hour": "5",
    "severity": "site.renamed = minor\ncontact.* = admin",
}


# --- preview ----------------------------------------------------------------------------------------------------------


def test_a_preview_says_what_would_have_been_sent_and_how_things_stand_and_keeps_nothing(
    reading: tuple[SiteUnderTest, httpx2.Client],
) -> None:
    page = post(reading[1], "/subscriptions/new", **WISH, wish="preview")

    assert page.status_code == 200
    assert "It would have sent 1 message in 12 months" in words(page)
    assert "Example Hospital" in words(page)
    assert f'href="/trials/{ONE}"' in page.text
    assert "Today: 1 site recruits already" in words(page)
    assert kept(reading[0], "tea") is None


def test_a_preview_says_that_each_of_several_addresses_is_sent_it(
    reading: tuple[SiteUnderTest, httpx2.Client],
) -> None:
    both = WISH | {"to": "bob@example.org\nann@example.org"}

    page = post(reading[1], "/subscriptions/new", **both, wish="preview")

    assert "It would have sent 1 message to each of 2 addresses in 12 months" in words(page)


def test_a_preview_from_a_later_day_on_replays_only_that(reading: tuple[SiteUnderTest, httpx2.Client]) -> None:
    page = post(reading[1], "/subscriptions/new", **WISH, since="2026-06-01", wish="preview")

    assert "It would have told nothing" in words(page)
    assert "No alert in the time since 1 June 2026" in words(page)


def test_all_that_was_typed_stands_in_the_form_again(reading: tuple[SiteUnderTest, httpx2.Client]) -> None:
    page = post(reading[1], "/subscriptions/new", **ALL_OF_IT, wish="preview")

    text = unescape(page.text)
    assert errors(page) == {}
    for field in ("name", "kinds_typed", "becomes", "at", "timezone", "quiet_from", "quiet_to", "max_per_hour", "km"):
        assert re.search(rf'name="{field}"[^>]* value="{re.escape(ALL_OF_IT[field])}"', text), field
    for field in ("to", "countries", "sites", "sponsor", "severity"):
        assert f">{ALL_OF_IT[field]}</textarea>" in text, field
    for value in ("group", "both", "site.*", "recruitment.opened"):
        assert f'value="{value}" checked' in text, value
    for value in ("tea", "minor", "weekly", "friday", "critical"):
        assert f'value="{value}" selected' in text, value


def test_saving_keeps_every_condition(site: SiteUnderTest) -> None:
    answer = post(site.signed_in(), "/subscriptions/new", **ALL_OF_IT, wish="save")

    found = kept(site, "tea")
    assert answer.status_code == 200
    assert found is not None
    assert found.to == ("mailto:bob@example.org", "https://hooks.example.org/trials")
    assert found.watches == Selection(group="tea")
    beijing = Place(latitude=39.908, longitude=116.397, name="Beijing, China")
    assert found.when == Conditions(
        kinds=("recruitment.opened", "site.*", "!site.renamed"),
        min_severity="minor",
        countries=("China", "DE"),
        sites=("Example Hospital",),
        near=Near(place=beijing, km=50),
        shift_days_over=30,
        becomes=("RECRUITING", "TERMINATED", "PHASE3"),
        sponsor=("Example Sponsor",),
    )
    assert found.deliver == Timing(
        digest="weekly", on="friday", at="07:30", timezone="Asia/Shanghai", immediately="critical"
    )
    assert found.quiet is not None
    assert (found.quiet.from_, found.quiet.to, found.quiet.timezone) == ("22:00", "06:00", "Asia/Shanghai")
    assert (found.max_per_hour, found.severity) == (5, {"site.renamed": "minor", "contact.*": "admin"})


def test_a_form_that_is_opened_and_saved_again_changes_nothing(site: SiteUnderTest) -> None:
    browser = site.signed_in()
    post(browser, "/subscriptions/new", **ALL_OF_IT, wish="save")
    before = kept(site, "tea")
    page = browser.get("/subscriptions/2/edit")

    post(browser, "/subscriptions/2/edit", **_fields(page.text), wish="save")

    assert kept(site, "tea") == before


def _fields(text: str) -> dict[str, Any]:
    """What a browser would send of a form without touching it."""
    form = unescape(text[text.index('id="wish"') :])
    found: dict[str, Any] = dict(
        re.findall(
            r'<input (?:id="[^"]*" )?(?:type="hidden" )?name="(\w+)"(?: type="(?:text|time|date)")? value="([^"]*)"',
            form,
        )
    )
    found["status"] = re.findall(r'type="checkbox" name="status" value="([^"]*)" checked', form)
    found |= dict(re.findall(r'<textarea [^>]*name="(\w+)"[^>]*>([^<]*)</textarea>', form))
    found |= dict(re.findall(r'type="radio" name="(\w+)" value="([^"]*)" checked', form))
    for name, options in re.findall(r'<select [^>]*name="(\w+)"[^>]*>(.*?)</select>', form, re.DOTALL):
        chosen = re.findall(r'value="([^"]*)" selected', options)
        found[name] = chosen[0] if chosen else ""
    found["kind"] = re.findall(r'name="kind" value="([^"]*)" checked', form)
    found.pop("csrf")
    return found


# --- what is wrong ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given", "field", "line"),
    [
        ({"name": ""}, "name", "needs a name"),
        ({"name": "sites"}, "name", "There is a subscription 'sites' already"),
        ({"to": ""}, "to", "Say where"),
        ({"to": "ftp://example.org"}, "to", "no address that can be told"),
        ({"about": "ids", "ids": "NCT1"}, "ids", "Not a ClinicalTrials.gov id: 'NCT1'"),
        ({"about": "ids"}, "ids", "Name the trials"),
        ({"about": "group"}, "group", "Choose a group"),
        ({"about": "search", "search": "nope"}, "search", "no search named 'nope'"),
        ({"kinds_typed": "!site.renamd"}, "kinds_typed", "did you mean 'site.renamed'?"),
        ({"min_severity": "awful"}, "min_severity", "Unknown severity"),
        ({"name": "n" * 201}, "name", "a name has at most 200"),
        ({"name": ".."}, "name", "is no name"),
        ({"countries": "ZZ"}, "countries", "no ISO 3166 code"),
        ({"place": "Beijing"}, "km", "within how many"),
        ({"place": "Beijing", "km": "near"}, "km", "'near' is no number of kilometres"),
        ({"km": "70"}, "place", "Name the place"),
        ({"place": "Nowhereatall", "km": "50"}, "place", "no place of that name"),
        ({"place": "95, 10", "km": "50"}, "place", "not between -90 and 90"),
        ({"shift_days_over": "a month"}, "shift_days_over", "'a month' is no number of days"),
        ({"becomes": "--"}, "becomes", "holds no word"),
        ({"told": "digest", "timezone": "Mars/Phobos", "at": "08:00"}, "timezone", "no IANA time zone"),
        ({"told": "digest", "at": "8 o'clock"}, "at", "no time of day"),
        ({"told": "digest", "every": "weekly", "weekday": "someday", "at": "08:00"}, "weekday", "no weekday"),
        ({"told": "digest", "every": "monthly", "monthday": "44", "at": "08:00"}, "monthday", "no day of the month"),
        ({"quiet_from": "22:00"}, "quiet_to", "Say both"),
        ({"quiet_from": "22:00", "quiet_to": "22:00"}, "quiet_to", "never end"),
        ({"max_per_hour": "0"}, "max_per_hour", "number of messages"),
        ({"severity": "nonsense"}, "severity", "not written KIND = SEVERITY"),
        ({"severity": "site.foo = minor"}, "severity", "Unknown kind 'site.foo'"),
        ({"templates": "/no/such/folder"}, "templates", "no such folder"),
        ({"since": "long ago"}, "since", "no date"),
    ],
)
def test_one_clear_line_stands_beside_the_field_that_is_wrong(
    reading: tuple[SiteUnderTest, httpx2.Client], given: dict[str, str], field: str, line: str
) -> None:
    site, browser = reading
    page = post(browser, "/subscriptions/new", **{**WISH, **given}, wish="save")

    assert page.status_code == 422
    assert line in errors(page).get(field, ""), errors(page)
    assert f'href="#f-{field}"' in page.text
    assert kept(site, given.get("name", "tea")) is None or given.get("name") == "sites"
    assert "bob@example.org" in page.text or "to" in given


@pytest.mark.parametrize(
    ("path", "given", "words_"),
    [
        ("/deliveries/replay", {"since": "", "wish": "count"}, "Say since when: a day, or a time."),
        ("/feeds", {"about": "trial", "name": "", "wish": "make"}, "Say which trial."),
    ],
)
def test_a_form_left_empty_says_what_is_missing(
    reading: tuple[SiteUnderTest, httpx2.Client], path: str, given: dict[str, str], words_: str
) -> None:
    page = post(reading[1], path, **given)

    assert page.status_code == 422
    assert words_ in words(page)


def test_a_subscription_that_tells_at_once_offers_no_digest(reading: tuple[SiteUnderTest, httpx2.Client]) -> None:
    site, browser = reading
    at_once = kept(site, "sites")
    assert at_once is not None
    assert (at_once.digest is None) != ("Preview its digest" in browser.get("/subscriptions/1").text)
    assert ("It has no digest: it tells at once." in words(browser.get("/subscriptions/1/digest"))) == (
        at_once.digest is None
    )


def test_severities_are_chosen_in_words(reading: tuple[SiteUnderTest, httpx2.Client]) -> None:
    said = reading[1].get("/subscriptions/new").text

    assert "critical or more severe" not in said
    assert "admin or more severe" not in said
    assert "critical only" in said


def test_all_that_is_wrong_is_said_at_once(reading: tuple[SiteUnderTest, httpx2.Client]) -> None:
    given = {"to": "nonsense", "place": "Springfield", "km": "50", "becomes": "RECRUTING", "max_per_hour": "0"}

    page = post(reading[1], "/subscriptions/new", **{**WISH, **given}, wish="save")

    assert {"to", "place", "becomes", "max_per_hour"} <= set(errors(page))
    assert "is no address that can be told" in errors(page)["to"]
    assert "which one is meant?" in errors(page)["place"]


def test_a_place_of_many_is_chosen_from_those_that_may_be_meant(site: SiteUnderTest) -> None:
    browser = site.signed_in()
    asked = {**WISH, "place": "Springfield", "km": "50"}

    page = post(browser, "/subscriptions/new", **asked, wish="preview")
    offered = re.findall(r'name="place_choice" value="([^"]+)"', page.text)
    chosen = post(browser, "/subscriptions/new", **asked, place_choice=offered[1], wish="save")

    assert "Springfield, Illinois, United States" in offered
    assert chosen.status_code == 303
    found = kept(site, "tea")
    assert found is not None
    assert found.when.near is not None
    assert isinstance(found.when.near.place, Place)
    assert found.when.near.place.name == offered[1]


def test_the_secret_of_a_web_address_is_shown_once(site: SiteUnderTest) -> None:
    browser = site.signed_in()
    page = post(browser, "/subscriptions/new", **{**WISH, "to": "https://hooks.example.org/x"}, wish="save")

    secret = re.search(r"whsec_[\w+/=]+", page.text)
    assert secret is not None
    assert page.headers["cache-control"] == "no-store"
    later = [
        browser.get(path).text for path in ("/subscriptions/2", "/subscriptions/2/edit", "/addresses", "/addresses/2")
    ]
    assert not any("whsec_" in text for text in later)


def test_templates_that_cannot_be_used_are_said_with_their_line(site: SiteUnderTest, tmp_path: Path) -> None:
    folder = tmp_path / "ours" / "trial.changed"
    folder.mkdir(parents=True)
    (folder / "subject.txt").write_text("{{ nothing.such }}")

    page = post(site.signed_in(), "/subscriptions/new", **WISH, templates=str(folder.parent), wish="save")

    assert "subject.txt, line 1" in errors(page)["templates"]


# --- what can be done about one ---------------------------------------------------------------------------------------


@contextmanager
def sending(database: Database) -> Iterator[None]:
    """What the daemon does beside the page."""
    stop = threading.Event()
    settings = wiring.DeliverySettings(allow_private_networks=True)

    def send() -> None:
        while not stop.wait(0.1):
            deliver_due(database, settings, "test", Clock(), Random(1), stop=stop)

    worker = threading.Thread(target=send)
    worker.start()
    try:
        yield
    finally:
        stop.set()
        worker.join(20)


def test_a_signed_test_goes_through_the_outbox_and_its_result_is_shown(past: Path, tmp_path: Path) -> None:
    for database in copied(past, tmp_path):
        with HookSink() as hook, serving(database, Clock(), allow_private_networks="true") as site:
            browser = site.signed_in()
            made = post(browser, "/subscriptions/new", **{**WISH, "to": hook.url}, wish="save")
            with sending(database):
                answer = post(browser, "/subscriptions/2/test")
            page = browser.get(answer.headers["location"])
            (posted,) = hook.posts

    secret = re.search(r"whsec_[\w+/=]+", made.text)
    assert secret is not None
    assert answer.status_code == 303
    assert "The test arrived" in words(page)
    signed = b".".join(
        (posted.headers["webhook-id"].encode(), posted.headers["webhook-timestamp"].encode(), posted.body)
    )
    digest = hmac.new(base64.b64decode(secret[0].removeprefix("whsec_")), signed, "sha256").digest()
    assert posted.headers["webhook-signature"] == "v1," + base64.b64encode(digest).decode()


def test_a_test_that_does_not_arrive_says_why(site: SiteUnderTest) -> None:
    browser = site.signed_in()
    with sending(site.database):
        answer = post(browser, "/subscriptions/1/test")
    page = browser.get(answer.headers["location"])

    assert "did not arrive" in words(page)
    assert "is tried again" not in words(page)
    assert "SMTP_URL is not set" in words(page)


def test_a_snooze_and_a_pause_say_who_and_why_and_end(site: SiteUnderTest) -> None:
    browser = site.signed_in()
    post(browser, "/subscriptions/1/rest", wish="snooze", until="2027-01-05", until_critical="yes", reason="audit")
    snoozed, told = kept(site, "sites"), words(browser.get("/subscriptions/1"))
    post(browser, "/subscriptions/1/rest", wish="resume")
    awake = kept(site, "sites")
    post(browser, "/subscriptions/1/rest", wish="pause", reason="holidays")
    paused = kept(site, "sites")

    assert "Snoozed until 5 January 2027, 00:00 UTC or the next critical change" in told
    assert ": audit." in told
    assert snoozed is not None
    assert snoozed.snooze_until_critical
    assert awake is not None
    assert awake.silence == Silence()
    assert paused is not None
    assert (paused.paused, paused.silence_reason) == (True, "holidays")


@pytest.mark.parametrize(
    ("given", "line"), [({}, "Give a day"), ({"until": "2020-01-01"}, "is past"), ({"until": "soon"}, "is no date")]
)
def test_a_snooze_without_an_end_is_asked_again_and_keeps_its_reason(
    reading: tuple[SiteUnderTest, httpx2.Client], given: dict[str, str], line: str
) -> None:
    page = post(reading[1], "/subscriptions/1/rest", wish="snooze", reason="audit", **given)

    assert page.status_code == 422
    assert line in errors(page)["until"]
    assert 'value="audit"' in page.text


@pytest.mark.parametrize(
    ("path", "said", "field", "most"),
    [
        ("/subscriptions/1/rest", {"wish": "pause"}, "reason", 2000),
        ("/addresses/1/owner", {}, "owner", 200),
        ("/addresses/1/switch", {"state": "off"}, "reason", 2000),
    ],
)
def test_what_is_too_long_is_said_beside_its_field(
    reading: tuple[SiteUnderTest, httpx2.Client], path: str, said: dict[str, str], field: str, most: int
) -> None:
    page = post(reading[1], path, **said, **{field: "x" * (most + 1)})

    assert page.status_code == 422
    assert f"At most {most:,} characters" in errors(page)[field]
    assert f'value="{"x" * (most + 1)}"' in page.text


def test_a_change_keeps_a_snooze_and_renames(site: SiteUnderTest) -> None:
    browser = site.signed_in()
    post(browser, "/subscriptions/1/rest", wish="snooze", until="2027-01-05")

    post(browser, "/subscriptions/1/edit", name="new name / 1", to="alice@example.org", wish="save")

    found = kept(site, "new name / 1")
    assert found is not None
    assert found.snooze_until is not None
    assert kept(site, "sites") is None


def test_a_form_that_only_renames_asks_nothing_else_anew(site: SiteUnderTest) -> None:
    misspelt = Conditions(kinds=("!site.renamed", "site.*"), becomes=("RECRUTING", "RECRUITING"))
    with site.database.write() as connection:
        subscriptions.save(connection, Subscription(name="sites", to=(MAIL,), when=misspelt), site.clock())
    browser = site.signed_in()
    said = {"to": "alice@example.org", "kinds_typed": "site.* !site.renamed", "status": "RECRUITING", "wish": "save"}

    asked_otherwise = post(browser, "/subscriptions/1/edit", name="new", becomes="RECRUTING", sponsor="S", **said)
    renamed = post(browser, "/subscriptions/1/edit", name="new", becomes="RECRUTING", **said)

    assert "'RECRUITING'" in errors(asked_otherwise)["becomes"]
    assert renamed.status_code == 303, errors(renamed)
    found = kept(site, "new")
    assert found is not None
    assert sorted(found.when.becomes) == ["RECRUITING", "RECRUTING"]


def test_removing_asks_first(site: SiteUnderTest) -> None:
    browser = site.signed_in()

    asked = browser.get("/subscriptions/1/remove")
    before = kept(site, "sites")
    post(browser, "/subscriptions/1/remove")

    assert "Remove “sites”?" in words(asked)
    assert before is not None
    assert kept(site, "sites") is None
    assert "Nobody is told anything yet" in words(browser.get("/subscriptions"))


def test_who_may_only_read_sees_no_button_that_acts_and_can_change_nothing(site: SiteUnderTest) -> None:
    browser = site.signed_in(site.token("reader"))
    pages = [browser.get(path) for path in ("/subscriptions", "/subscriptions/1", "/addresses/1", "/deliveries")]

    assert [page.status_code for page in pages] == [200] * 4
    assert not any("/test" in page.text or "/remove" in page.text or "/switch" in page.text for page in pages)
    assert post(browser, "/subscriptions/1/remove").status_code == 403


def test_why_is_answered_condition_by_condition(reading: tuple[SiteUnderTest, httpx2.Client]) -> None:
    page = reading[1].get(f"/subscriptions/1/why?change={ONE}")

    assert "Wanted: Site recruiting" in words(page)
    assert "Yes, the kind of change:" in words(page)
    assert "Told to alice@example.org" in words(page)


def test_why_of_what_is_not_stored_says_how_to_ask(reading: tuple[SiteUnderTest, httpx2.Client]) -> None:
    page = reading[1].get("/subscriptions/1/why?change=99999")

    assert page.status_code == 422
    assert "No such change is stored" in errors(page)["change"]


def test_the_digest_is_shown_as_it_would_go_out_in_a_document_that_can_do_nothing(
    reading: tuple[SiteUnderTest, httpx2.Client],
) -> None:
    browser = reading[1]
    page, document = browser.get("/subscriptions/1/digest"), browser.get("/subscriptions/1/digest/0")

    assert 'sandbox title="The digest' in page.text
    assert "Subject: Digest sites" in words(page)
    assert "sandbox" in document.headers["content-security-policy"]
    assert "<html" in document.text


def test_a_digest_without_news_says_so_and_shows_an_example_marked_as_one(site: SiteUnderTest) -> None:
    browser = site.signed_in()
    post(browser, "/subscriptions/new", **WISH | {"name": "fresh", "told": "digest", "at": "08:00"}, wish="save")
    (path,) = set(re.findall(r'href="(/subscriptions/\d+)"[^>]*>fresh<', browser.get("/subscriptions").text))

    fresh = browser.get(f"{path}/digest")
    example = browser.get(f"{path}/digest?example=yes")
    document = browser.get(f"{path}/digest/0?example=yes")

    assert "It has no news yet." in words(fresh)
    assert f"{path}/digest?address=0&amp;example=yes" in fresh.text
    assert "An example. What the digest would have said for" in words(example)
    assert "Send it now" not in words(example)
    assert "Site recruiting" in document.text


def test_how_messages_look_is_shown_for_every_type(reading: tuple[SiteUnderTest, httpx2.Client]) -> None:
    browser = reading[1]
    types = re.findall(r'/templates\?type=([\w.]+)"', browser.get("/templates").text)

    assert len(types) >= 9
    assert {browser.get(f"/templates/{each}").status_code for each in types} == {200}
    assert browser.get("/templates/nothing").status_code == 404
