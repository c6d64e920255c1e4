"""What a link in a message opens acts by its button only, for who has the link, and can be taken back."""

import re
from collections.abc import Iterator
from datetime import timedelta

import httpx2
import pytest
from sqlalchemy import Connection, insert, select

from notifiers import acknowledgements, addresses, confirmations, digest, links, outbox, subscriptions, unsubscribing
from notifiers.outbox import Delivered
from notifiers.tables import addresses as address_rows
from notifiers.tables import deliveries, delivery_changes, subscription_addresses
from notifiers.tables import subscriptions as subscription_rows
from snapshots.database import Database
from tests.monitor.web.browsing import Clock, SiteUnderTest, serving
from tests.notifiers.cast import BEIJING, DAY, HOUR, LYON, MAIL, NOW, change, send_next, subscribe, tell, watch

BOB = "mailto:bob@example.org"


@pytest.fixture
def site(database: Database) -> Iterator[SiteUnderTest]:
    """A site whose messages carry links, on both databases, with a message that Alice got and Bob got too."""
    with serving(database, Clock(NOW + HOUR), base_url="https://trials.example.org") as running:
        with database.write() as connection:
            watch(connection, "NCT99000001")
            subscribe(connection, "sites", [MAIL, BOB])
            subscribe(connection, "team", [MAIL])
            tell(connection, change(site=BEIJING))
        send_next(database, Delivered("250 taken"))
        yield running


def delivery(site: SiteUnderTest, uri: str = MAIL) -> str:
    with site.database.read() as connection:
        address = addresses.find(connection, uri, NOW)
        assert address
        found = select(deliveries.c.id).where(deliveries.c.address_id == address.id).order_by(deliveries.c.number)
        return str(connection.execute(found).scalars().first())


def path(site: SiteUnderTest, purpose: str, subject: str) -> str:
    """The path of a link, as a message carries it."""
    make = {"unsubscribe": links.unsubscribe_url, "acknowledge": links.acknowledge_url, "confirm": links.confirm_url}
    with site.database.read() as connection:
        url = make[purpose](connection, "https://trials.example.org", subject)  # type: ignore[operator]
    return str(url).removeprefix("https://trials.example.org")


def told(site: SiteUnderTest) -> dict[str, list[str]]:
    """Who is told of what: the URIs that are not stopped, by subscription."""
    with site.database.read() as connection:
        link = subscription_addresses
        rows = connection.execute(
            select(subscription_rows.c.name, address_rows.c.uri)
            .join(link, link.c.subscription_id == subscription_rows.c.id)
            .join(address_rows, address_rows.c.id == link.c.address_id)
            .where(link.c.stopped_at.is_(None))
            .order_by(link.c.position)
        ).all()
    found: dict[str, list[str]] = {}
    for name, uri in rows:
        found.setdefault(name, []).append(uri)
    return found


EVERYBODY = {"sites": [MAIL, BOB], "team": [MAIL]}


def everything(site: SiteUnderTest) -> list[object]:
    """All rows that a link could change."""
    tables = ("subscription_addresses", "acknowledgements", "confirmations", "addresses", "deliveries", "sessions")
    with site.database.read() as connection:
        return [connection.exec_driver_sql(f"SELECT * FROM {table} ORDER BY 1, 2").all() for table in tables]


@pytest.mark.parametrize("purpose", ["unsubscribe", "acknowledge"])
def test_a_scanner_of_mails_that_opens_every_link_changes_nothing(site: SiteUnderTest, purpose: str) -> None:
    before = everything(site)
    link = path(site, purpose, delivery(site))
    client = site.client()

    answers = [client.get(link), client.head(link), client.options(link), client.get(link, params={"wish": "stop"})]

    assert [answer.status_code for answer in answers] == [200, 200, 405, 200]
    assert everything(site) == before
    assert answers[0].headers["referrer-policy"] == "no-referrer"
    assert answers[0].headers["cache-control"] == "no-store"
    assert "set-cookie" not in answers[0].headers


def test_one_click_stops_what_the_message_came_for_at_once(site: SiteUnderTest) -> None:
    link = path(site, "unsubscribe", delivery(site))

    answer = site.client().post(link, data={"List-Unsubscribe": "One-Click"})

    assert answer.status_code == 200
    assert told(site) == {"sites": [BOB]}


def test_the_same_as_a_mail_program_sends_it_in_parts(site: SiteUnderTest) -> None:
    link = path(site, "unsubscribe", delivery(site, BOB))
    body = b'--x\r\nContent-Disposition: form-data; name="List-Unsubscribe"\r\n\r\nOne-Click\r\n--x--\r\n'

    answer = site.client().post(link, content=body, headers={"Content-Type": "multipart/form-data; boundary=x"})

    assert answer.status_code == 200
    assert told(site) == {"sites": [MAIL], "team": [MAIL]}


def test_a_link_says_whom_it_stops_and_the_button_can_be_taken_back(site: SiteUnderTest) -> None:
    link = path(site, "unsubscribe", delivery(site, BOB))
    page = site.client().get(link)

    stopped = site.client().post(link, data={"wish": "stop"})
    after = told(site)
    resumed = site.client().post(link, data={"wish": "resume"})

    assert "bob@example.org" in page.text
    assert "Stop sites" in page.text
    assert "Stopped: sites" in stopped.text
    assert after == {"sites": [MAIL], "team": [MAIL]}
    assert "You are told of these again: sites." in resumed.text
    assert told(site) == EVERYBODY


def test_who_stopped_gets_neither_alerts_nor_digests_nor_what_waited(site: SiteUnderTest) -> None:
    with site.database.write() as connection:
        weekly = {"digest": "weekly", "on": "monday", "at": "08:00"}
        subscribe(connection, "weekly", [BOB], deliver=weekly)
    send_next(site.database, Delivered("250 taken"))
    with site.database.write() as connection:
        (waiting, *_) = tell(connection, change("status.changed"), at=NOW + HOUR)
    link = path(site, "unsubscribe", delivery(site, BOB))
    site.client().post(link, data={"wish": "stop-all"})

    with site.database.write() as connection:
        tell(connection, change("status.changed"), at=NOW + 2 * HOUR)
        digest.enqueue_due(connection, NOW + 8 * DAY)
        bob = addresses.find(connection, BOB, NOW)
        assert bob
        open_ones = select(deliveries.c.id).where(deliveries.c.address_id == bob.id, deliveries.c.state == "pending")
        assert connection.execute(open_ones).all() == []
    assert waiting


def test_applying_the_watchlist_file_again_tells_nobody_who_stopped(site: SiteUnderTest) -> None:
    site.client().post(path(site, "unsubscribe", delivery(site, BOB)), data={"wish": "stop"})

    with site.database.write() as connection:
        subscribe(connection, "sites", [MAIL, BOB], at=NOW + 2 * HOUR)

    assert told(site)["sites"] == [MAIL]


def test_a_token_of_one_purpose_opens_nothing_of_another(site: SiteUnderTest) -> None:
    token = path(site, "acknowledge", delivery(site)).rpartition("/")[2]

    assert site.client().post(f"/unsubscribe/{token}", data={"wish": "stop"}).status_code == 404
    assert told(site) == EVERYBODY


def test_no_part_of_a_token_can_be_altered(site: SiteUnderTest) -> None:
    token = path(site, "unsubscribe", delivery(site)).rpartition("/")[2]
    altered = [token[:at] + ("A" if token[at] != "A" else "B") + token[at + 1 :] for at in range(len(token))]

    with site.database.read() as connection:
        assert links.verified(connection, "unsubscribe", token) == delivery(site)
        assert [each for each in altered if links.verified(connection, "unsubscribe", each)] == []
        assert links.verified(connection, "unsubscribe", token + "é") is None


def test_links_hold_after_years_and_at_every_replica(site: SiteUnderTest) -> None:
    link = path(site, "unsubscribe", delivery(site))

    with serving(site.database, Clock(NOW + timedelta(days=3650))) as other:
        assert other.client().get(link).status_code == 200


# --- acknowledging ----------------------------------------------------------------------------------------------------


def test_what_was_told_is_unseen_until_its_button_is_pressed(site: SiteUnderTest) -> None:
    link = path(site, "acknowledge", delivery(site))
    page = site.client().get(link)
    with site.database.read() as connection:
        before = acknowledgements.unseen(connection)

    seen = site.client().post(link, data={"wish": "seen"})
    with site.database.read() as connection:
        after = acknowledgements.unseen(connection)

    assert "Have you seen this?" in page.text
    assert "Site recruiting" in page.text
    assert [(each.uri, each.delivery_id) for each in before] == [(MAIL, delivery(site))]
    assert "Noted" in seen.text
    assert after == []


def test_an_acknowledgement_can_be_taken_back(site: SiteUnderTest) -> None:
    link = path(site, "acknowledge", delivery(site))
    site.client().post(link, data={"wish": "seen"})

    site.client().post(link, data={"wish": "withdraw"})

    with site.database.read() as connection:
        assert len(acknowledgements.unseen(connection)) == 1


def test_one_address_having_seen_it_says_nothing_of_another(site: SiteUnderTest) -> None:
    send_next(site.database, Delivered("250 taken"))
    site.client().post(path(site, "acknowledge", delivery(site)), data={"wish": "seen"})

    with site.database.read() as connection:
        left = acknowledgements.unseen(connection)

    assert [each.uri for each in left] == [BOB]


def test_what_is_unseen_comes_in_pages_each_once_as_in_the_whole_list(site: SiteUnderTest) -> None:
    with site.database.write() as connection:
        tell(connection, change(site=LYON), change("title.changed"), change(site=BEIJING), at=NOW)
    for _ in range(10):
        send_next(site.database, Delivered("250 taken"))
    with site.database.write() as connection:
        _tell_again(connection, delivery(site))

    with site.database.read() as connection:
        whole = acknowledgements.unseen(connection)
        turned = [each for page in _pages(connection) for each in page]
        of_bob = acknowledgements.unseen_after(connection, None, 100, _number(connection, BOB))

    assert turned == whole
    assert len({(each.uri, each.change.id) for each in whole}) == len(whole) == 6
    assert of_bob == [each for each in whole if each.uri == BOB]


def _tell_again(connection: Connection, delivery_id: str) -> None:
    """Another alert of the same to the same address, which arrived too."""
    row = connection.execute(select(deliveries).where(deliveries.c.id == delivery_id)).mappings().one()
    other = {"id": "dlv_again", "due_key": "again", "number": row["number"] + 1000}
    connection.execute(insert(deliveries).values({**row, **other}))
    told = select(delivery_changes.c.change_id).where(delivery_changes.c.delivery_id == delivery_id)
    for change_id in connection.execute(told).scalars().all():
        connection.execute(insert(delivery_changes).values(delivery_id="dlv_again", change_id=change_id))


def _number(connection: Connection, uri: str) -> int:
    found = addresses.find(connection, uri, NOW)
    assert found
    return found.id


def _pages(connection: Connection) -> Iterator[list[acknowledgements.Unseen]]:
    after = None
    for _ in range(20):
        page = acknowledgements.unseen_after(connection, after, 2)
        if not page:
            return
        yield page
        after = (page[-1].number, page[-1].change.id)


def test_only_what_arrived_and_is_critical_is_unseen(site: SiteUnderTest) -> None:
    with site.database.write() as connection:
        tell(connection, change("title.changed"), at=NOW)

    with site.database.read() as connection:
        assert [each.uri for each in acknowledgements.unseen(connection)] == [MAIL]  # Bob's waits still
        assert acknowledgements.unseen(connection, since=NOW + HOUR) == []


# --- confirming -------------------------------------------------------------------------------------------------------


@pytest.fixture
def asking(site: SiteUnderTest) -> SiteUnderTest:
    """Everybody was told; from now on new addresses are asked, and Charlie's is new."""
    send_next(site.database, Delivered("250 taken"))
    with site.database.write() as connection:
        confirmations.require(connection, True, NOW)
        subscribe(connection, "new", ["mailto:charlie@example.org", MAIL])
        tell(connection, change(site=BEIJING), at=NOW + HOUR)
    return site


def charlie(site: SiteUnderTest) -> confirmations.Confirmation:
    with site.database.read() as connection:
        (waiting,) = confirmations.waiting(connection)
    return waiting


def sent(site: SiteUnderTest) -> list[tuple[str, str]]:
    """What is sent now, until nothing is due: (to, type)."""
    found = []
    while (claimed := outbox.claim(site.database, "w", NOW + 2 * HOUR, 60)) is not None:
        attempt = outbox.begin_attempt(site.database, claimed, NOW + 2 * HOUR)
        outbox.record(site.database, attempt, Delivered("250 taken"), NOW + 2 * HOUR, None)  # type: ignore[arg-type]
        found.append((claimed.uri.partition(":")[2].partition("@")[0], claimed.type))
    return sorted(found)


def test_a_new_address_gets_the_question_and_nothing_else(asking: SiteUnderTest) -> None:
    assert sent(asking) == [("alice", "trial.changed"), ("bob", "trial.changed"), ("charlie", "confirmation")]


def test_what_waited_is_told_when_it_confirms(asking: SiteUnderTest) -> None:
    link = path(asking, "confirm", str(charlie(asking).address_id))
    sent(asking)
    page = asking.client().get(link)
    asking.client().head(link)
    assert sent(asking) == []

    answer = asking.client().post(link, data={"wish": "confirm"})

    assert "charlie@example.org" in page.text
    assert "Thank you" in answer.text
    assert sent(asking) == [("charlie", "trial.changed")]


def test_who_says_no_is_told_nothing(asking: SiteUnderTest) -> None:
    link = path(asking, "confirm", str(charlie(asking).address_id))
    sent(asking)

    answer = asking.client().post(link, data={"wish": "refuse"})

    assert "Nothing is sent to you" in answer.text
    assert sent(asking) == []


def test_what_waits_too_long_is_called_off(asking: SiteUnderTest) -> None:
    sent(asking)

    with asking.database.write() as connection:
        early = confirmations.give_up(connection, NOW + confirmations.WAITS)
        late = confirmations.give_up(connection, NOW + HOUR + confirmations.WAITS)

    assert (early, late) == (0, 1)


def test_where_nobody_is_asked_any_more_who_waited_is_told(asking: SiteUnderTest) -> None:
    sent(asking)

    with asking.database.write() as connection:
        confirmations.require(connection, False, NOW + HOUR)

    assert sent(asking) == [("charlie", "trial.changed")]


def test_the_question_says_who_asks_and_carries_the_link(asking: SiteUnderTest) -> None:
    from notifiers.composing import message_of
    from notifiers.rendering import render

    with asking.database.read() as connection:
        found = select(deliveries.c.id).where(deliveries.c.type == "confirmation")
        told_ = outbox.load(connection, connection.execute(found).scalar_one(), NOW)
        rendered = render(message_of(connection, told_, "https://trials.example.org"))
        alone = render(message_of(connection, told_, None))
    link = re.search(r"https://trials\.example\.org(/confirm/\S+)", rendered.text)

    assert "charlie@example.org" in rendered.text
    assert link
    assert asking.client().get(link[1]).status_code == 200
    assert "trialdelta address confirm mailto:charlie@example.org" in " ".join(alone.text.split())


def test_a_mail_carries_links_that_work(site: SiteUnderTest) -> None:
    from notifiers.composing import message_of

    with site.database.read() as connection:
        told_ = outbox.load(connection, delivery(site), NOW)
        message = message_of(connection, told_, "https://trials.example.org")
    client: httpx2.Client = site.client()

    for url in (message.unsubscribe_url, message.acknowledge_url):
        assert client.get(str(url).removeprefix("https://trials.example.org")).status_code == 200


def test_who_got_a_message_of_a_removed_subscription_is_told_nothing_any_more(site: SiteUnderTest) -> None:
    with site.database.write() as connection:
        for name in ("sites", "team"):
            subscriptions.remove(connection, name, NOW)
        reader = unsubscribing.reader_of(connection, delivery(site))

    answer = site.client().get(path(site, "unsubscribe", delivery(site)))

    assert reader
    assert reader.told == ()
    assert "does not reach you any more" in answer.text
