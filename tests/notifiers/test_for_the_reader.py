"""What the subscriptions behind a message make of its changes: order and badge, distances, and links that act."""

from datetime import UTC, datetime

from notifiers import addresses, links, outbox
from notifiers.composing import message_of
from notifiers.message import Message
from notifiers.rendering import render
from snapshots.database import Database
from tests.notifiers.cast import BEIJING, LYON, MAIL, NOW, change, moved, subscribe, tell, watch

DELAYED = moved("primary_completion_date.delayed", "2027-01-01", "2028-01-01")


def told(database: Database, base_url: str | None = None, **asked: object) -> Message:
    """The message about a renamed hospital, a site that recruits and a delay, to one who asked so."""
    renamed = change("site.renamed", LYON)
    with database.write() as connection:
        watch(connection, "NCT99000001")
        subscribe(connection, **asked)  # type: ignore[arg-type]
        (delivery_id,) = tell(connection, DELAYED, change(site=BEIJING), renamed)
    links.ensure_key(database, NOW)
    with database.read() as connection:
        return message_of(connection, outbox.load(connection, delivery_id, NOW), base_url)


def test_severities_of_a_subscription_change_order_and_badge(database: Database) -> None:
    plain = render(told(database, severity={"site.renamed": "critical", "site.recruiting": "admin"})).text

    assert "Site renamed · critical" in plain
    assert "Site recruiting · admin" in plain
    assert (
        plain.index("Site renamed ·") < plain.index("Primary completion delayed ·") < plain.index("Site recruiting ·")
    )


def test_a_place_that_was_asked_for_is_told_with_the_distance(database: Database) -> None:
    near = {"place": {"latitude": 39.8, "longitude": 116.4, "name": "Beijing South"}, "km": 50}

    said = " ".join(render(told(database, when={"near": near, "kinds": ["site.*"]})).text.split())

    assert "Place: Example Lotus Hospital, Beijing, China (11 km from Beijing South)" in said


def test_with_the_address_of_the_page_a_mail_can_be_stopped_and_acknowledged_and_without_it_says_how(
    database: Database,
) -> None:
    message = told(database, "https://trials.example.org")

    assert message.unsubscribe_url
    assert message.acknowledge_url
    with database.read() as connection:
        for purpose, url in (("unsubscribe", message.unsubscribe_url), ("acknowledge", message.acknowledge_url)):
            token = url.removeprefix(f"https://trials.example.org/{purpose}/")
            assert links.verified(connection, purpose, token) == message.delivery_id  # type: ignore[arg-type]
        without = message_of(connection, outbox.load(connection, message.delivery_id, NOW))
    assert message.unsubscribe_url in render(message).text
    assert "Mark it as seen" in render(message).text
    assert "To stop it, answer this message" in render(without).text
    assert "\n  trialdelta subscription remove alice\n" in render(without).text
    assert "Mark it as seen" not in render(without).text


def test_no_part_of_a_service_address_is_in_the_ledger(database: Database) -> None:
    from notifiers import ledger

    uri = "discord://123456789012345678/geheim-geheim-geheim"
    with database.write() as connection:
        watch(connection, "NCT99000001")
        subscribe(connection, to=[MAIL])
        addresses.ensure(connection, uri, datetime(2026, 1, 1, tzinfo=UTC))
        tell(connection, DELAYED)
        shown = [each.shown for each in addresses.listing(connection, NOW)]
        entries = [entry.uri for entry in ledger.listing(connection)]
    assert entries == [MAIL]
    assert "geheim" not in "".join(shown)
