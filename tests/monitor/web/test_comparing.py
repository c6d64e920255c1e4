"""What is secret is compared in constant time: no other comparison lets anybody in."""

import hmac
from collections.abc import Iterator

import pytest

from monitor.access.tokens import hashed, holder_of
from notifiers import links
from snapshots.database import Database
from tests.monitor.web.browsing import NOW, OWN_TOKEN, SiteUnderTest, serving


@pytest.fixture
def site(sqlite_database: Database) -> Iterator[SiteUnderTest]:
    with serving(sqlite_database) as served:
        yield served


@pytest.fixture
def nothing_is_equal(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever is compared in constant time is said to differ: who gets in now was let in by another comparison."""
    monkeypatch.setattr(hmac, "compare_digest", lambda _one, _other: False)


def test_the_installation_s_token_is_compared_in_constant_time(
    site: SiteUnderTest, sqlite_database: Database, nothing_is_equal: None
) -> None:
    with sqlite_database.read() as connection:
        assert holder_of(connection, OWN_TOKEN, OWN_TOKEN) is None
    assert site.client(OWN_TOKEN).get("/api/v1/health").status_code == 401


def test_named_tokens_are_looked_up_by_their_hashes_alone(site: SiteUnderTest) -> None:
    token = site.token("reader")
    file = site.database.file
    assert file is not None
    stored = b"".join(path.read_bytes() for path in file.parent.glob(f"{file.name}*"))

    assert token.encode() not in stored
    assert hashed(token) in stored


def test_a_form_s_secret_is_compared_in_constant_time(site: SiteUnderTest, monkeypatch: pytest.MonkeyPatch) -> None:
    client = site.signed_in()
    answer = client.get("/watchlist/add")
    secret = answer.text.split('name="csrf" value="', 1)[1].split('"', 1)[0]
    form = {"csrf": secret, "ids": "NCT99000001", "wish": "add"}
    assert client.post("/watchlist/add", data=form).status_code < 400

    real = hmac.compare_digest
    monkeypatch.setattr(
        hmac, "compare_digest", lambda one, other: False if len(one) == len(secret) else real(one, other)
    )

    assert client.post("/watchlist/add", data=form).status_code == 403


def test_links_in_messages_are_compared_in_constant_time(
    sqlite_database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    links.ensure_key(sqlite_database, NOW)
    with sqlite_database.read() as connection:
        key = links.key(connection)
        assert key is not None
        token = links.token_of(key, "unsubscribe", "dlv_1")
        assert links.verified(connection, "unsubscribe", token) == "dlv_1"

        monkeypatch.setattr(hmac, "compare_digest", lambda _one, _other: False)

        assert links.verified(connection, "unsubscribe", token) is None
