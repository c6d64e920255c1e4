"""Chat services through Apprise: which hosts it can be made to ask, and that no part of an address is ever shown."""

import base64
import json
import logging
import re
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from notifiers import addresses, apprise_services
from notifiers.apprise_services import SERVICES
from notifiers.channels import DeliveryError, DeliverySettings
from notifiers.conditions import InvalidValue
from notifiers.rendering import render
from tests.notifiers.messages import BEIJING, alert

apprise = pytest.importorskip("apprise", reason="the extra trialdelta[apprise] is not installed")
requests = pytest.importorskip("requests")

from notifiers.channels import apprise as channel  # noqa: E402  # only where the extra is there

NOW = datetime(2026, 3, 4, 8, 0, tzinfo=UTC)
HEX = "0123456789abcdef" * 4
GOOD = {
    "discord": "discord://123456789012345678/abcdefghijklmnopqrstuvwxyz",
    "gchat": "gchat://workspace/keykeykey/tokentoken",
    "pagerduty": "pagerduty://integrationkey@apikeyapikey",
    "pbul": "pbul://o.abcdefghijklmnopqrstuvwxyz",
    "pover": "pover://ukukukukukukukukukukukukukukuk@apapapapapapapapapapapapapapap",
    "slack": "slack://T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ",
    "tgram": "tgram://123456789:abcdefghijklmnopqrstuvwxyz012345678/55501",
    "twilio": "twilio://AC0123456789abcdef0123456789abcdef:0123456789abcdef0123456789abcdef@12065550100/12065550101",
    "wxteams": f"wxteams://{(HEX * 2)[:80]}",
}


class Place(msgspec.Struct, frozen=True):
    uri: str
    secrets: tuple[str, ...] = ()


class Wire:
    """Where requests would leave this machine: what was asked, and what is answered."""

    def __init__(self) -> None:
        self.asked: list[Any] = []
        self.proxies: list[Any] = []
        self.status = 200
        self.wait = 0.0

    def send(self, request: Any, **more: Any) -> Any:
        self.asked.append(request)
        self.proxies.append(dict(more["proxies"]))
        time.sleep(self.wait)
        answer = requests.Response()
        answer.status_code, answer.url, answer.request = self.status, request.url, request
        # Slack's hooks answer in a word, the others in JSON
        answer._content = (
            b"ok"
            if "hooks.slack" in request.url
            else json.dumps({"ok": True, "status": "queued", "id": 1, "result": []}).encode()
        )
        return answer


@pytest.fixture
def wire(monkeypatch: pytest.MonkeyPatch) -> Iterator[Wire]:
    made = Wire()
    monkeypatch.setattr(requests.adapters.HTTPAdapter, "send", made.send)
    # the pauses that Apprise keeps between several targets are no part of what is shown here
    monkeypatch.setattr(apprise.URLBase, "throttle", lambda self, *given, **more: None)
    yield made


def send(uri: str, seconds: float = 5.0) -> str:
    told = alert(BEIJING)
    return channel.send(told, render(told), Place(uri), DeliverySettings(total_seconds=seconds), NOW)


def test_every_service_has_an_address_in_these_tests() -> None:
    assert set(GOOD) == set(SERVICES)


@pytest.mark.parametrize("scheme", SERVICES)
def test_a_service_is_told_at_its_own_host_over_tls_with_certificates_checked(scheme: str, wire: Wire) -> None:
    receipt = send(GOOD[scheme])

    assert receipt == f"{SERVICES[scheme].name} took it"
    assert {urlsplit(request.url).scheme for request in wire.asked} == {"https"}
    assert {urlsplit(request.url).hostname for request in wire.asked} <= SERVICES[scheme].hosts
    # some take underscores for markup, and Apprise escapes them
    assert any(re.search(r"dlv\W*_0190aa|dlv%5F0190aa", str(request.body)) for request in wire.asked)


@pytest.mark.parametrize("scheme", SERVICES)
def test_no_proxy_and_no_password_of_the_environment_comes_between(
    scheme: str, wire: Wire, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for name in ("HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://proxy.example.org:3128")
    hosts = SERVICES[scheme].hosts
    (tmp_path / "netrc").write_text("".join(f"machine {host} login eve password geheim\n" for host in hosts))
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))

    send(GOOD[scheme])

    eve = base64.b64encode(b"eve:geheim").decode()
    assert wire.asked
    assert all(not proxies for proxies in wire.proxies)
    assert not any(eve in str(request.headers) for request in wire.asked)


hostile = st.text("abcAB01.:@/#%-_~!$&'()*+,;=[]", max_size=60)
places = st.sampled_from(["evil.example.org", "127.0.0.1:80", "[::1]", "evil.example.org/", "@evil.example.org"])


@pytest.mark.parametrize("scheme", SERVICES)
@settings(max_examples=15, suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture])
@given(before=hostile, place=places, after=hostile)
def test_no_address_makes_apprise_ask_another_host(
    scheme: str, wire: Wire, before: str, place: str, after: str
) -> None:
    own = GOOD[scheme].partition("://")[2]
    for rest in (f"{before}{place}{after}", f"{place}/{own}", f"{own}/{place}", f"{own}@{place}", f"{place}@{own}"):
        try:
            send(f"{scheme}://{rest}")
        except DeliveryError:
            continue

    assert {urlsplit(request.url).hostname for request in wire.asked} <= SERVICES[scheme].hosts


@pytest.mark.parametrize(
    "uri",
    [
        "json://example.org", "xml://example.org", "mailto://u:p@example.org", "ntfy://example.org/x", "form://example.org",
        "matrix://u:p@example.org", "gotify://example.org/t", "apprise://example.org/t", "mmost://example.org/t",
        GOOD["tgram"] + "?verify=no", GOOD["discord"] + "?template=/etc/passwd", GOOD["slack"] + "%3Fverify=no",
        "tgram://", "tgram://x y", "discord://\n",
    ],
)  # fmt: skip
def test_what_may_lead_elsewhere_is_refused_when_it_is_given_and_when_it_is_sent(uri: str, wire: Wire) -> None:
    with pytest.raises(InvalidValue):
        addresses.check_uri(uri, addresses.allowed_schemes())
    with pytest.raises(DeliveryError) as trouble:
        send(uri)

    assert (trouble.value.permanent, wire.asked) == (True, [])


@pytest.mark.parametrize("scheme", SERVICES)
def test_a_good_address_may_be_told(scheme: str) -> None:
    addresses.check_uri(GOOD[scheme], addresses.allowed_schemes())


def test_one_that_apprise_cannot_read_is_refused_without_repeating_it() -> None:
    with pytest.raises(
        InvalidValue, match=r"tgram://masked-[0-9a-f]{8}' is not written as Apprise reads it"
    ) as trouble:
        addresses.check_uri("tgram://geheim", addresses.allowed_schemes())
    assert "geheim" not in str(trouble.value)
    with pytest.raises(InvalidValue) as trouble:
        addresses.check_uri("telegramm://geheim/geheim", addresses.allowed_schemes())
    assert "geheim" not in str(trouble.value)


def test_without_the_extra_the_scheme_is_known_and_says_what_it_needs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(apprise_services, "find_spec", lambda name: None)

    with pytest.raises(InvalidValue, match=r"pip install 'trialdelta\[apprise\]'"):
        addresses.check_uri(GOOD["tgram"], addresses.allowed_schemes())


@pytest.mark.parametrize("scheme", SERVICES)
@pytest.mark.parametrize(("status", "permanent"), [(500, False), (401, False), (410, True), (302, False)])
def test_a_refusal_is_judged_as_a_webhooks_and_shows_no_secret(
    scheme: str, status: int, permanent: bool, wire: Wire
) -> None:
    wire.status = status

    with pytest.raises(DeliveryError) as trouble:
        send(GOOD[scheme])

    secrets = GOOD[scheme].partition("://")[2].replace(":", "/").replace("@", "/").split("/")
    assert [secret for secret in secrets if len(secret) > 8 and secret in str(trouble.value)] == []
    assert str(trouble.value).isprintable()
    assert {urlsplit(request.url).hostname for request in wire.asked} <= SERVICES[scheme].hosts
    if f"error={status}" in str(trouble.value):
        assert trouble.value.permanent == permanent


def test_a_service_that_never_answers_ends_with_the_time_limit(wire: Wire) -> None:
    wire.wait = 1.5
    began = time.monotonic()

    with pytest.raises(DeliveryError, match=r"took longer than 0.2 s"):
        send(GOOD["tgram"], seconds=0.2)
    assert time.monotonic() - began < 1.2


def test_a_plugin_that_breaks_is_that_messages_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    def notify(plugin: Any, title: str, body: str) -> bool:
        raise RuntimeError(GOOD["tgram"])

    monkeypatch.setattr(channel, "notify", notify)

    with pytest.raises(DeliveryError, match=r"^RuntimeError in Apprise$") as trouble:
        send(GOOD["tgram"])
    assert trouble.value.whose == "message"


def test_nothing_that_apprise_says_reaches_the_log_of_the_program(
    wire: Wire, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    wire.status = 500
    written: list[logging.LogRecord] = []
    listener, root = logging.Handler(), logging.getLogger()
    monkeypatch.setattr(listener, "emit", written.append)
    monkeypatch.setattr(root, "handlers", [listener])
    monkeypatch.setattr(root, "level", logging.DEBUG)

    with pytest.raises(DeliveryError):
        send(GOOD["tgram"])

    said = [record.getMessage() for record in written]
    assert "abcdefghijklmnop" not in "".join((*said, *capfd.readouterr()))


def test_an_address_is_shown_by_its_scheme_and_a_mark() -> None:
    shown = addresses.shown(GOOD["tgram"])

    assert shown.startswith("tgram://masked-")
    assert shown != addresses.shown(GOOD["tgram"] + "0")
    assert addresses.shown("mailto:ann@example.org") == "mailto:ann@example.org"
