"""Addresses, deliveries and health on the page: what is behind, what was answered, and what can be done about it."""

import re
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from sqlalchemy import update

from monitor.web.numbers import NUMBER
from monitor.web.pages import how_it_stands
from notifiers import acknowledgements, addresses, confirmations, digest, ledger
from notifiers.outbox import Delivered, Failed
from notifiers.tables import watches
from snapshots import archive
from snapshots.database import Database
from snapshots.kinds import KINDS
from tests.monitor.web.browsing import OWN_TOKEN, Clock, SiteUnderTest, serving
from tests.monitor.web.test_telling import errors, post, words
from tests.notifiers.cast import ALICE, BEIJING, BOB, HOOK, HOUR, MAIL, NOW, change, send_next, subscribe, tell, watch

CAROL = "mailto:carol@example.org"


@contextmanager
def lived_in(database: Database) -> Iterator[SiteUnderTest]:
    """Alice was told, the hook failed, and Bob's trial waits for her."""
    with serving(database, Clock(NOW + HOUR), base_url="https://trials.example.org") as running:
        with database.write() as connection:
            watch(connection, ALICE, BOB)
            subscribe(connection, "sites", [MAIL])
            tell(connection, change(site=BEIJING, summary="A site opened."))
        send_next(database, Delivered("250 taken"))
        with database.write() as connection:
            subscribe(connection, "programs", [HOOK])
            tell(connection, change("study.terminated"), record=BOB)
        send_next(database, Failed(answer="410 gone", permanent=True))
        yield running


@pytest.fixture
def site(sqlite_database: Database) -> Iterator[SiteUnderTest]:
    with lived_in(sqlite_database) as running:
        yield running


@pytest.fixture
def site_on_each(database: Database) -> Iterator[SiteUnderTest]:
    with lived_in(database) as running:
        yield running


def entries(site: SiteUnderTest) -> dict[str, ledger.Entry]:
    """The newest delivery of each state."""
    with site.database.read() as connection:
        return {entry.state: entry for entry in ledger.listing(connection)[::-1]}


def shown(text: str) -> list[str]:
    """The ids of the deliveries that a list shows, in its order."""
    return re.findall(r'<a href="/deliveries/(dlv_\w+)"', text)


# --- deliveries -------------------------------------------------------------------------------------------------------


def test_deliveries_are_filtered_by_state_type_address_and_trial(site_on_each: SiteUnderTest) -> None:
    site = site_on_each
    browser, known = site.signed_in(), entries(site)
    alice = known["delivered"].address_id
    asked = {
        "": 3,
        "?state=failed": 1,
        "?state=cancelled": 0,
        "?type=trial.changed": 3,
        "?type=digest": 0,
        f"?address={alice}": 2,
        f"?address={alice}&state=delivered": 1,
        f"?trial={ALICE.lower()}": 1,
        f"?trial={BOB}": 2,
        "?trial=NCT99000999": 0,
    }

    found = {query: len(shown(browser.get(f"/deliveries{query}").text)) for query in asked}

    assert found == asked


def test_a_filter_that_is_no_id_says_so_and_keeps_what_was_typed(site: SiteUnderTest) -> None:
    page = site.signed_in().get("/deliveries?trial=tea&state=failed")

    assert page.status_code == 422
    assert "not a ClinicalTrials.gov id: &#39;tea&#39;" in page.text
    assert 'value="tea"' in page.text
    assert 'value="failed" selected' in page.text


def test_pages_of_deliveries_follow_each_other_without_gap_or_repetition(
    site: SiteUnderTest, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("monitor.web.pages.deliveries.ON_ONE_PAGE", 2)
    browser = site.signed_in()

    first = browser.get("/deliveries")
    older = re.search(r'rel="next" href="([^"]+)"', first.text)
    assert older is not None
    second = browser.get(older[1].replace("&amp;", "&"))

    with site.database.read() as connection:
        assert shown(first.text) + shown(second.text) == [each.delivery_id for each in ledger.listing(connection)]
    assert 'rel="next"' not in second.text
    assert browser.get("/deliveries?after=nonsense").status_code == 400


def test_a_delivery_shows_every_try_and_what_it_told(site: SiteUnderTest) -> None:
    browser, known = site.signed_in(), entries(site)

    arrived = browser.get(f"/deliveries/{known['delivered'].delivery_id}")
    failed = browser.get(f"/deliveries/{known['failed'].delivery_id}")

    assert "250 taken" in words(arrived)
    assert "A site opened." in words(arrived)
    assert f'href="/trials/{ALICE}"' in arrived.text
    assert "why sites wants it" in words(arrived)
    assert "410 gone" in words(failed)
    assert "given up" in words(failed)


def test_a_delivery_tells_as_severely_as_its_message_does(site: SiteUnderTest) -> None:
    with site.database.write() as connection:
        subscribe(connection, "texts", [CAROL], severity={"title.changed": "critical"})
        told = tell(connection, change("title.changed", summary="It has another name."))
    path = f"/deliveries/{told[-1]}"

    page, message = (site.signed_in().get(each) for each in (path, f"{path}/message"))
    by_the_api = site.client(OWN_TOKEN).get(f"/api/v1{path}").json()["changes"][0]

    assert 'class="mark critical"' in message.text
    assert re.search("critical.{1,40}It has another name", words(page))
    assert by_the_api["severity"] == KINDS["title.changed"].severity != "critical"  # as it is stored, for programs


def test_the_message_is_shown_without_links_that_act_to_who_may_only_read(site: SiteUnderTest) -> None:
    path = f"/deliveries/{entries(site)['delivered'].delivery_id}/message"
    writer, reader = site.signed_in().get(path), site.signed_in(site.token()).get(path)

    assert "A site opened." in reader.text
    assert "sandbox" in reader.headers["content-security-policy"]
    assert "/acknowledge/" in writer.text
    assert "/acknowledge/" not in reader.text
    assert "/unsubscribe/" not in reader.text


def test_a_failed_delivery_is_tried_again_under_its_id(site: SiteUnderTest) -> None:
    failed = entries(site)["failed"]

    answer = post(site.signed_in(), f"/deliveries/{failed.delivery_id}/retry")

    with site.database.read() as connection:
        entry = ledger.show(connection, failed.delivery_id)
    assert answer.headers["location"] == f"/deliveries/{failed.delivery_id}"
    assert entry is not None
    assert entry.state == "pending"


def test_a_delivery_that_waits_is_called_off(site: SiteUnderTest) -> None:
    waiting = entries(site)["pending"].delivery_id

    post(site.signed_in(), f"/deliveries/{waiting}/cancel")

    with site.database.read() as connection:
        entry = ledger.show(connection, waiting)
    assert entry is not None
    assert (entry.state, entry.last_answer) == ("cancelled", "called off by somebody on the page")


def test_seen_is_noted_with_the_name_of_the_token_and_taken_back(site: SiteUnderTest) -> None:
    browser = site.signed_in(site.token("team", may_write=True))
    path = f"/deliveries/{entries(site)['delivered'].delivery_id}"

    post(browser, f"{path}/acknowledge", wish="seen")
    seen = words(browser.get(path))
    post(browser, f"{path}/acknowledge", wish="withdraw")

    with site.database.read() as connection:
        assert acknowledgements.of_delivery(connection, path.rpartition("/")[2]) is None
    assert ", by team" in seen


def test_of_a_digest_which_nobody_can_mark_nothing_is_said_of_seen(site: SiteUnderTest) -> None:
    daily = {"digest": "daily", "at": "08:00", "timezone": "UTC"}
    with site.database.write() as connection:
        subscribe(connection, "daily", ["mailto:dora@example.org"], deliver=daily)
        tell(connection, change(summary="Another site opened."))
        (digest_,) = digest.enqueue_due(connection, NOW + 48 * HOUR)

    browser = site.signed_in()

    assert "Seen" not in words(browser.get(f"/deliveries/{digest_}"))
    assert "Seen nobody has marked it as seen" in words(
        browser.get(f"/deliveries/{entries(site)['delivered'].delivery_id}")
    )


def test_replay_says_first_how_many_it_would_send(site: SiteUnderTest) -> None:
    browser = site.signed_in()

    asked = post(browser, "/deliveries/replay", since="2026-11-01")
    before = entries(site)
    done = post(browser, "/deliveries/replay", since="2026-11-01", wish="replay")

    assert "2 messages would be sent once more" in words(asked)
    assert "delivered" in before
    assert done.status_code == 303
    assert set(entries(site)) == {"pending"}
    assert "no date" in errors(post(browser, "/deliveries/replay", since="soon"))["since"]


# --- addresses --------------------------------------------------------------------------------------------------------


def address_id(site: SiteUnderTest, uri: str) -> int:
    with site.database.read() as connection:
        found = addresses.find(connection, uri, NOW)
    assert found is not None
    return found.id


def test_an_address_in_trouble_stands_first_with_its_reason(site: SiteUnderTest) -> None:
    text = words(site.signed_in().get("/addresses"))

    assert text.index("hooks.example.org") < text.index("alice@example.org")
    assert "switched off" in text
    assert "410 gone" in text


def test_an_address_is_switched_and_given_an_owner(site: SiteUnderTest) -> None:
    browser, hook = site.signed_in(), address_id(site, HOOK)
    post(browser, f"/addresses/{hook}/switch", state="on")
    post(browser, f"/addresses/{hook}/owner", owner="the data team")
    on = words(browser.get(f"/addresses/{hook}"))
    post(browser, f"/addresses/{hook}/switch", state="off", reason="moves")
    off = words(browser.get(f"/addresses/{hook}"))

    assert "State on" in on
    assert "the data team" in on
    assert "moves" in off


def test_a_new_secret_is_shown_once_and_a_second_change_asks(site: SiteUnderTest) -> None:
    browser, hook = site.signed_in(), address_id(site, HOOK)
    first = post(browser, f"/addresses/{hook}/secret", hours="48")
    second = post(browser, f"/addresses/{hook}/secret", hours="48")
    wrong = post(browser, f"/addresses/{hook}/secret", hours="soon")

    secret = re.search(r"whsec_[\w+/=]+", first.text)
    with site.database.read() as connection:
        known = addresses.find(connection, HOOK, NOW + HOUR)
    assert known is not None
    assert secret is not None
    assert known.secrets[0] == secret[0]
    assert len(known.secrets) == 2
    assert first.headers["cache-control"] == "no-store"
    assert "two sign now" in errors(second)["hours"]
    assert "no number of hours" in errors(wrong)["hours"]
    assert "whsec_" not in browser.get(f"/addresses/{hook}").text


def test_an_address_that_was_asked_is_confirmed_or_asked_again(site: SiteUnderTest) -> None:
    with site.database.write() as connection:
        confirmations.require(connection, True, NOW)
        subscribe(connection, "team", [CAROL])
    browser, carol = site.signed_in(), address_id(site, CAROL)
    before = words(browser.get(f"/addresses/{carol}"))
    post(browser, f"/addresses/{carol}/confirmation", wish="ask")
    post(browser, f"/addresses/{carol}/confirmation", wish="confirm")

    with site.database.read() as connection:
        known = confirmations.find(connection, carol)
    assert "Not confirmed yet." in before
    assert known is not None
    assert known.by == "somebody on the page"


def test_an_address_that_something_tells_is_not_forgotten(site: SiteUnderTest) -> None:
    browser, alice = site.signed_in(), address_id(site, MAIL)
    answer = post(browser, f"/addresses/{alice}/forget")

    assert answer.headers["location"] == f"/addresses/{alice}"
    assert browser.get(f"/addresses/{alice}").status_code == 200


# --- health -----------------------------------------------------------------------------------------------------------


def test_health_says_what_is_wrong_and_what_to_do(site_on_each: SiteUnderTest) -> None:
    site = site_on_each
    with site.database.write() as connection:
        sweep = archive.begin_sweep(connection, "ctgov", "2026-11-16T09:00:05", "all", NOW)
        archive.note_exception(connection, sweep, BOB, "absent", "the registry has no such record")
        archive.finish_sweep(connection, sweep, asked=2, answered=1, changed=0, failed=1, now=NOW)
    browser = site.signed_in()
    page, one = browser.get("/health"), browser.get(f"/health/sweeps/{sweep}")

    text = words(page)
    assert "things need you" in text
    assert "hooks.example.org/trials : 410 gone" in text
    assert "no mail server is set" in text.lower()
    assert "What to do:" in text
    assert f'href="/trials/{BOB}"' in page.text
    assert "the registry has no such record. Look its id up at the registry." in text
    assert "the registry has no such record still owed" in words(one)


def test_every_way_out_of_a_finding_leads_somewhere(site: SiteUnderTest) -> None:
    browser = site.signed_in()

    assert {browser.get(path).status_code for path, _ in how_it_stands._ways().values()} == {200}


def test_sweeps_that_nobody_made_and_numbers_that_are_none_are_said(site: SiteUnderTest) -> None:
    browser = site.signed_in()
    gone = [
        "/health/sweeps/404",
        "/health/sweeps/x",
        "/subscriptions/404",
        "/subscriptions/x",
        "/addresses/99999999999",
        f"/addresses/{2**31}",
    ]

    assert {browser.get(path).status_code for path in (*gone, "/deliveries/dlv_x")} == {404}


def test_the_largest_number_that_a_row_can_have_is_reached(site_on_each: SiteUnderTest) -> None:
    with site_on_each.database.write() as connection:
        connection.execute(update(watches).where(watches.c.record_id == BOB).values(id=NUMBER))
    browser = site_on_each.signed_in()

    answered = [browser.get(f"/watchlist/{number}/remove").status_code for number in (NUMBER, NUMBER + 1)]
    why = browser.get(f"/subscriptions/1/why?change={NUMBER}")

    assert answered == [200, 404]
    assert "No such change is stored" in errors(why)["change"]


def test_settings_are_shown_masked(sqlite_database: Database) -> None:
    with serving(sqlite_database, smtp_url="smtp://me:hunter2@mail.example.org", operator="ops@example.org") as running:
        page = running.signed_in().get("/settings")

    assert "smtp://me:***@mail.example.org" in page.text
    assert "ops@example.org" in page.text
    assert "hunter2" not in page.text
    assert OWN_TOKEN not in page.text
