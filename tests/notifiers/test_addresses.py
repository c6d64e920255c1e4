"""Which addresses can be told: what no message could ever reach is refused when it is given, not when it matters."""

import pytest

from notifiers import addresses, subscriptions
from notifiers.channels import DeliveryError, DeliverySettings, email
from notifiers.conditions import InvalidValue
from snapshots.database import Database
from tests.notifiers.cast import ALICE, NOW, subscribe, tell, watch
from tests.notifiers.messages import BEIJING, alert

ANY = frozenset({"mailto", "https", "http"})


@pytest.mark.parametrize(
    "uri",
    [
        "mailto:alice@bob@example.org",
        "mailto:alice(me)@example.org",
        "mailto:alice%20b@example.org",
        "mailto:alice@example..org",
        "mailto:alice@example.org?subject=x",
        "mailto:alice@example.org#x",
        "mailto:" + "a" * 65 + "@example.org",
        "mailto:alice@stra\u00dfe.example",
        "https://127.1/hook",
        "https://hooks.example.org:99999/",
        "https://hooks.exa mple.org/",
        "https://[::1%25eth0]/",
    ],
)
def test_an_address_that_can_never_be_reached_is_refused_when_it_is_given(uri: str) -> None:
    with pytest.raises(InvalidValue, match=r"is no|cannot be asked|names no host"):
        addresses.check_uri(uri, ANY)


@pytest.mark.parametrize(
    "uri", ["https://127.0.0.1/hook", "https://192.168.1.5/", "https://[::1]/", "https://[fd00::1]/"]
)
def test_a_private_address_is_refused_at_once_unless_the_operator_allows_them(uri: str) -> None:
    addresses.check_uri(uri, ANY)

    with pytest.raises(InvalidValue, match=r"not a public address; .*ALLOW_PRIVATE_NETWORKS=true"):
        addresses.check_uri(uri)


@pytest.mark.parametrize(
    "uri",
    [
        "mailto:alice@example.org",
        "MAILTO:Alice@Example.ORG",
        "mailto:alice+trials@example.org",
        "mailto:alice%2Btrials@example.org",
        "mailto:alice@b\u00fccher.example",
        "mailto:root@localhost",
        "https://hooks.example.org/a/b?c=d#e",
        "https://user:word@hooks.example.org:8443/",
        "https://b\u00fccher.example/",
        "https://[2606:4700::1111]/",
    ],
)
def test_an_address_that_people_have_is_taken(uri: str) -> None:
    addresses.check_uri(uri)


def test_mail_never_goes_to_a_domain_that_only_looks_alike() -> None:
    """Under the older rules of international names (IDNA 2003) "ß" became "ss": another domain, somebody else's."""
    settings = DeliverySettings(smtp_url="smtp://127.0.0.1:1", mail_from="news@example.org")
    somebody = addresses.Address(id=1, uri="mailto:alice@stra\u00dfe.example")

    with pytest.raises(DeliveryError, match="xn--") as refused:
        email.send(alert(BEIJING), email.Rendered("s", "t", "<p>h</p>"), somebody, settings, NOW)

    assert refused.value.permanent


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("MAILTO:Alice@Example.ORG", "mailto:Alice@example.org"),
        ("mailto:alice@example.org", "mailto:alice@example.org"),
        ("HTTPS://Hooks.Example.org/A?b=C#D", "https://hooks.example.org/A?b=C#D"),
        ("https://hooks.example.org:443", "https://hooks.example.org/"),
        ("http://hooks.example.org:80/x", "http://hooks.example.org/x"),
        ("https://User:Word@Hooks.example.org:8443/", "https://User:Word@hooks.example.org:8443/"),
        ("https://[2606:4700::ABCD]/", "https://[2606:4700::abcd]/"),
        ("https://hooks.example.org:x/", "https://hooks.example.org:x/"),
        ("nonsense", "nonsense"),
    ],
)
def test_one_place_has_one_spelling(given: str, kept: str) -> None:
    assert addresses.canonical(given) == kept
    assert addresses.canonical(kept) == kept


def test_two_spellings_of_one_mailbox_are_one_mail(sqlite_database: Database) -> None:
    with sqlite_database.write() as connection:
        watch(connection, ALICE)
        subscribe(connection, "alice", to=["mailto:alice@example.org"])
        subscribe(connection, "bob", to=["Mailto:alice@Example.Org"])

        assert len(tell(connection)) == 1


def test_the_same_place_twice_is_refused_however_it_is_spelt() -> None:
    twice = subscriptions.from_table({"name": "a", "to": ["https://h.example.org/x", "https://H.example.org/x"]})

    with pytest.raises(InvalidValue, match="given twice"):
        subscriptions.check(twice)
